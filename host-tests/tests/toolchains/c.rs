//! The example in C, built by Clang and by the linker of Rust's toolchain, as its README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_tests::support::peers::{installed, peers_folder, skip};
use host_tests::support::run;

use super::{generate, gets_a_response, workspace};

const PACKAGES: &str = "clang lld wasi-libc libclang-rt-dev-wasm32";

#[tokio::test]
async fn a_client_in_c_gets_a_response() {
    let Some(mut clang) = installed("clang", PACKAGES) else { return };
    if !Path::new("/usr/include/wasm32-wasi").exists() || installed("wasm-ld", PACKAGES).is_none() {
        return skip(&format!("Clang lacks a part (apt-get install {PACKAGES})"));
    }
    let bindings = peers_folder().join("c-client");
    generate(wit_bindgen_c::Opts::default().build(), &bindings);
    let component = bindings.join("c-client.wasm");
    clang
        .args(["--target=wasm32-wasi", "-mexec-model=reactor", "-O2"])
        .arg(format!("-fuse-ld={}", linker().display()))
        .arg("-I")
        .arg(&bindings)
        .arg(workspace().join("examples/c-client/main.c"))
        .args(["command.c", "command_component_type.o"].map(|file| bindings.join(file)))
        .arg("-o")
        .arg(&component);
    run(&mut clang).text();
    gets_a_response(&fs::read(component).unwrap()).await;
}

/// Returns the linker of `wasm32-wasip2`, which makes components.
fn linker() -> PathBuf {
    let folder = run(Command::new("rustc").args(["--print", "target-libdir"])).text();
    Path::new(folder.trim_end()).with_file_name("bin").join("wasm-component-ld")
}
