//! Generates messages and services from the definitions that clients in other languages read as well.

use std::error::Error;

const FOLDER: &str = "../guests/grpc-service/proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let files = protox::compile(["test.proto", "echo.proto"], [FOLDER])?;
    tonic_prost_build::configure()
        .bytes(".")
        .build_client(false)
        .build_transport(false)
        .generate_default_stubs(true)
        .compile_fds(files)?;
    Ok(())
}
