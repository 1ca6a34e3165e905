//! The WIT files as a whole, with the binding generators of several languages.
//!
//! Rust's generator makes the bindings of every component of this project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_tests::support::apps::python_command;
use host_tests::support::peers::{Python, installed, peers_folder, skip};
use host_tests::support::run;
use wasi_http2::{Composition, Invocation, Network, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("wit")
}

/// Generates the bindings of the world `command`, and returns them by file.
fn generate(mut generator: Box<dyn WorldGenerator>) -> Vec<(String, String)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit()).unwrap();
    let world = resolve.select_world(&[package], Some("command")).unwrap();
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    files.iter().map(|(name, bytes)| (name.to_owned(), text(bytes))).collect()
}

/// Returns whether the contents of a file contain a text.
fn contains(files: &[(String, String)], wanted: &str) -> bool {
    files.iter().any(|(_, contents)| contents.contains(wanted))
}

#[test]
fn c_bindings_are_generated() {
    let files = generate(wit_bindgen_c::Opts::default().build());
    assert!(contains(&files, "http2_engine_over_tcp_dial("));
    assert!(contains(&files, "exports_wasi_cli_run_run("));
}

#[test]
fn go_bindings_are_generated() {
    let files = generate(wit_bindgen_go::Opts::default().build());
    assert!(contains(&files, "func Dial("));
}

/// The version of jco, the last for which version 20 of Node suffices.
const JCO: &str = "@bytecodealliance/jco@1.15.4";

#[test]
fn javascript_bindings_are_generated() {
    let Some(npm) = installed("npm", "npm") else { return };
    let folder = peers_folder().join("jco");
    fs::create_dir_all(&folder).unwrap();
    let jco = folder.join("node_modules/.bin/jco");
    if !jco.exists() {
        let mut npm = npm;
        npm.current_dir(&folder).args(["install", "--ignore-scripts", "--no-audit", "--no-fund", JCO]);
        let install = run(&mut npm);
        if install.code != Some(0) {
            return skip(&format!("{JCO} cannot be installed: {}", install.stderr));
        }
    }
    let types = folder.join("types");
    run(Command::new(jco).arg("types").arg(wit()).args(["-n", "command", "-o"]).arg(&types)).text();
    let read = |name: &str| fs::read_to_string(types.join("interfaces").join(name)).unwrap();
    assert!(read("http2-engine-over-tcp.d.ts").contains("export function dial("));
    assert!(read("http2-engine-connection.d.ts").contains("class Http2Stream"));
}

#[tokio::test]
async fn a_python_command_serves_itself_without_dropping_streams() {
    let Some(python) = Python::with_packages() else { return };
    let command = fs::read(python_command(&python)).unwrap();
    let composed = Composition::default().compose(&command).unwrap();
    let said = MemoryOutputPipe::new(1 << 20);
    let invocation =
        Invocation::new("command").network(Network::Loopback).stdout(said.clone()).stderr(said.clone());
    let outcome = Runtime::new().unwrap().load(&composed).unwrap().run(invocation).await.unwrap();
    let said = String::from_utf8_lossy(&said.contents()).into_owned();
    assert!(outcome.is_success(), "{outcome}\n{said}");
    assert_eq!(said, "250 responses\n");
}
