//! The WIT files as a whole, with the binding generators of several languages.
//!
//! Rust's generator makes the bindings of every component of this project.

mod c;
mod go;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_tests::support::apps::python_command;
use host_tests::support::peers::{Python, installed, peers_folder, skip};
use host_tests::support::{DEADLINE, Serve, run};
use wasi_http2::{Composition, Invocation, Network, Outcome, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn wit() -> PathBuf {
    workspace().join("wit")
}

/// Returns the WIT files, and their world for programs.
fn world() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit()).unwrap();
    let world = resolve.select_world(&[package], Some("command")).unwrap();
    (resolve, world)
}

/// Generates the bindings of the world, and writes them to a new folder.
fn generate(mut generator: Box<dyn WorldGenerator>, folder: &Path) {
    let (mut resolve, world) = world();
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    for (name, bytes) in files.iter() {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// Asserts that a client gets a response: a command that finds its host, port and path in arguments or variables, and
/// prints the status and the content.
async fn gets_a_response(client: &[u8]) {
    let server = Serve::start();
    let address = server.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let (status, said) = run_client(client, &[&host, &port, "/bytes/100000"]).await;
    assert!(status.is_success(), "{status}\n{said}");
    assert_eq!(said, format!("status 200\n{}", "\0".repeat(100_000)));
    let (status, said) = run_client(client, &[&host, "1", "/"]).await;
    assert!(matches!(status, Outcome::Exited(1)), "{status}");
    assert_eq!(said, format!("connecting to {host}, port 1: connection refused\n"));
}

/// Composes a command with the engine, runs it, and returns what it prints.
async fn run_client(client: &[u8], args: &[&str]) -> (Outcome, String) {
    let composed = Composition::default().compose(client).unwrap();
    let said = MemoryOutputPipe::new(1 << 20);
    let variables = ["HOST", "PORT", "REQUEST_PATH"].into_iter().zip(args);
    let invocation = Invocation::new("client").args(args);
    let invocation = variables
        .fold(invocation, |invocation, (name, value)| invocation.env(name, value))
        .network(Network::Loopback)
        .stdout(said.clone())
        .stderr(said.clone())
        .time_limit(DEADLINE);
    let outcome = Runtime::with_interrupts().unwrap().load(&composed).unwrap().run(invocation).await.unwrap();
    (outcome, String::from_utf8_lossy(&said.contents()).into_owned())
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
    let (outcome, said) = run_client(&command, &[]).await;
    assert!(outcome.is_success(), "{outcome}\n{said}");
    assert_eq!(said, "250 responses\n");
}
