//! The engine and Python's `h2` agree in random conversations; skipped if Python is missing.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use http2_differential::{Engine, Pairing, Python, PythonH2, with_seeds};

/// Fewer seeds than elsewhere, since all bytes pass through a pipe as text.
const SEEDS: u64 = 100;

const PACKAGES: [&str; 2] = ["h2==4.4.1", "hpack==4.2.0"];

#[test]
fn engine_client_agrees_with_python_h2_server() {
    let Some(interpreter) = python_with_h2() else { return };
    let python = Python::start(&interpreter);
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(PythonH2::new(&python, start)),
    };
    with_seeds(SEEDS, &pairing);
}

#[test]
fn engine_server_agrees_with_python_h2_client() {
    let Some(interpreter) = python_with_h2() else { return };
    let python = Python::start(&interpreter);
    let pairing = Pairing {
        client: &|start| Box::new(PythonH2::new(&python, start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}

/// Returns an interpreter with the packages, from a virtual environment created by the first call.
fn python_with_h2() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let folder = target.join("peers/differential");
    fs::create_dir_all(folder.parent()?).unwrap();
    // The other test may be doing the same.
    let lock = File::create(target.join("peers/differential.lock")).unwrap();
    lock.lock().unwrap();
    let (complete, wanted) = (folder.join("complete"), PACKAGES.join(" "));
    if fs::read_to_string(&complete).ok().as_ref() != Some(&wanted) {
        if !succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)) {
            return skip("no virtual environment (apt-get install python3-venv)");
        }
        if !succeeds(Command::new(folder.join("bin/pip")).args(["install", "-q"]).args(PACKAGES)) {
            return skip("the packages h2 and hpack cannot be installed");
        }
        fs::write(&complete, &wanted).unwrap();
    }
    Some(folder.join("bin/python"))
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Prints that a test is skipped; with `CI=true`, where nothing may be skipped, fails instead.
fn skip(why: &str) -> Option<PathBuf> {
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}");
    // The test harness captures `eprintln!`.
    _ = writeln!(io::stderr(), "skipped: {why}");
    None
}
