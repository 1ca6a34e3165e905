//! The engine and Python's `h2` agree on conversations at random. Skipped where there is no Python.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use http2_differential::{Engine, Pairing, Python, PythonH2, with_seeds};

/// Each octet goes through a pipe as text, so these are fewer.
const SEEDS: u64 = 100;

const PACKAGES: [&str; 2] = ["h2==4.4.1", "hpack==4.2.0"];

#[test]
fn the_engine_as_a_client_and_h2_of_python_as_a_server_agree() {
    let Some(interpreter) = python_with_h2() else { return };
    let python = Python::start(&interpreter);
    let pairing = Pairing {
        client: &|start| Box::new(Engine::new(start)),
        server: &|start| Box::new(PythonH2::new(&python, start)),
    };
    with_seeds(SEEDS, &pairing);
}

#[test]
fn h2_of_python_as_a_client_and_the_engine_as_a_server_agree() {
    let Some(interpreter) = python_with_h2() else { return };
    let python = Python::start(&interpreter);
    let pairing = Pairing {
        client: &|start| Box::new(PythonH2::new(&python, start)),
        server: &|start| Box::new(Engine::new(start)),
    };
    with_seeds(SEEDS, &pairing);
}

/// An interpreter that has the packages, in a folder of their own; made at the first call.
fn python_with_h2() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let folder = target.join("peers/differential");
    fs::create_dir_all(folder.parent()?).unwrap();
    // The other test may be about to do the same.
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

/// Says on the terminal that a test is left out. On a machine that has to have everything, that is an error.
fn skip(why: &str) -> Option<PathBuf> {
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}");
    // Not `eprintln!`, which the test harness keeps to itself.
    _ = writeln!(io::stderr(), "skipped: {why}");
    None
}
