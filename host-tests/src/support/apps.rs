//! Applications made with external tools.
//!
//! Each is built once, and again when its inputs have changed.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peers::{Python, peer_file, peers_folder, skip};
use super::{run, wasi_http2};

/// Returns the root of the workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the Cargo that runs the tests, for this workspace.
fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    // Drop settings meant for this package.
    for inherited in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(inherited);
    }
    cargo
}

/// Returns the folder of the sources of a crate from the registry that this workspace depends on.
pub fn sources(name: &str) -> PathBuf {
    let metadata = run(cargo().args(["metadata", "--format-version", "1", "--locked"])).text();
    let folder = format!("/{name}-");
    let manifest = metadata.split('"').find(|part| part.contains(&folder) && part.ends_with("/Cargo.toml"));
    let manifest = manifest.unwrap_or_else(|| panic!("the manifest of {name}"));
    Path::new(manifest).parent().unwrap().to_owned()
}

/// Builds one of the examples of the crate wasip3 unchanged, with the Cargo that runs the tests.
///
/// Returns `None` if Cargo cannot access the crate's dependencies.
pub fn wasip3_example(name: &str) -> Option<PathBuf> {
    let _lock = lock();
    let target = peers_folder().join("wasip3-examples");
    let build = run(cargo()
        .args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--features", "http-compat"])
        .args(["--example", name, "--manifest-path"])
        // The guests depend on wasip3.
        .arg(sources("wasip3").join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target));
    if build.code != Some(0) {
        skip(&format!("wasip3's example {name} cannot be built: {}", build.stderr));
        return None;
    }
    let file = format!("{}.wasm", name.replace('-', "_"));
    Some(target.join("wasm32-wasip2/release/examples").join(file))
}

/// Builds `examples/python-handler`.
pub fn python_handler(python: &Python) -> PathBuf {
    let source = workspace().join("examples/python-handler");
    componentize(python, "python-handler", &HANDLER, &[source])
}

/// Builds `guests-python/command`.
pub fn python_command(python: &Python) -> PathBuf {
    let source = workspace().join("host-tests/guests-python/command");
    componentize(python, "command", &COMMAND, &[source])
}

/// Builds `guests-python/grpc-service`, with the messages that protoc generates from `guests/grpc-service/proto`.
pub fn python_grpc_service(python: &Python) -> PathBuf {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = guests.join("guests/grpc-service/proto");
    let generated = peers_folder().join("grpc-messages");
    fs::create_dir_all(&generated).unwrap();
    {
        let _lock = lock();
        let protoc = run(python
            .module("grpc_tools.protoc")
            .arg("-I")
            .arg(&proto)
            .arg("--python_out")
            .arg(&generated)
            .args(["test.proto", "echo.proto"]));
        protoc.text();
    }
    let sources = [guests.join("guests-python/grpc-service"), generated, python.pure_packages()];
    componentize(python, "grpc-service", &HANDLER, &sources)
}

/// A world for which an application is made.
struct World {
    /// The folder of its WIT files.
    wit: &'static str,
    name: &'static str,
}

const HANDLER: World = World { wit: "src/wasi-http/wit", name: "wasi:http/service@0.3.0" };
const COMMAND: World = World { wit: "wit", name: "http2:engine/command@0.2.0" };

/// Makes a component from the module `app` in the first folder, whose imports are found in all folders.
fn componentize(python: &Python, name: &str, world: &World, folders: &[PathBuf]) -> PathBuf {
    let _lock = lock();
    let component = peers_folder().join(name).with_extension("wasm");
    let stamp = component.with_extension("inputs");
    let wit = workspace().join(world.wit);

    let packages = ["requirements.txt", "pure-requirements.txt"];
    let mut inputs = packages.map(|file| fs::read(peer_file(file)).unwrap()).concat();
    for folder in folders.iter().chain([&wit, &wit.join("deps")]) {
        add_files(&mut inputs, folder);
    }
    if component.exists() && fs::read(&stamp).ok().as_ref() == Some(&inputs) {
        return component;
    }
    let mut componentize = python.program("componentize-py");
    componentize.arg("-d").arg(&wit).args(["-w", world.name, "componentize", "app", "-o"]);
    componentize.arg(&component);
    for folder in folders {
        componentize.arg("-p").arg(folder);
    }
    run(&mut componentize).text();
    fs::write(stamp, inputs).unwrap();
    component
}

/// Appends the names and contents of the files directly in a folder, in the order of their names.
fn add_files(inputs: &mut Vec<u8>, folder: &Path) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        inputs.extend_from_slice(file.as_os_str().as_encoded_bytes());
        inputs.append(&mut fs::read(file).unwrap());
    }
}

/// Composes an application with the server, the client, or both, according to `options`.
#[track_caller]
pub fn compose(application: &Path, options: &[&str]) -> PathBuf {
    let _lock = lock();
    let composed = application.with_extension(format!("{}.wasm", options.concat()));
    let output = composed.with_extension("new");
    let mut compose = wasi_http2(&["compose", "--app"]);
    run(compose.arg(application).args(options).arg("-o").arg(&output)).text();
    // Rename, because another test may be running the old file.
    fs::rename(output, &composed).unwrap();
    composed
}

/// Prevents other tests from building or compiling the same application at the same time.
pub fn lock() -> File {
    let lock = File::create(peers_folder().join("apps.lock")).unwrap();
    lock.lock().unwrap();
    lock
}
