//! Generates messages and clients from the service's `proto` folder.

use std::error::Error;

const FOLDER: &str = "../grpc-service/proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let files = protox::compile(["test.proto", "echo.proto"], [FOLDER])?;
    tonic_prost_build::configure()
        .bytes(".")
        .build_server(false)
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
