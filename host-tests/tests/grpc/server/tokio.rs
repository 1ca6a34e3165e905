//! grpcio calls the guest `grpc-tokio` in stock Wasmtime.

use std::fs;

use host_tests::guests;
use host_tests::support::peers::Python;
use host_tests::support::{Process, run};
use tempfile::TempDir;

use crate::{passed, script, tests_of_all_cases};

fn passes(case: &str) {
    passes_with(case, "1000");
}

#[track_caller]
fn passes_with(case: &str, limit: &str) {
    let Some(python) = Python::with_packages() else { return };
    let folder = TempDir::new().unwrap();
    let guest = folder.path().join("grpc-tokio.wasm");
    fs::write(&guest, guests::GRPC_TOKIO).unwrap();
    let mut wasmtime = python.wasmtime();
    let wasmtime = wasmtime.args(["run", "-Sinherit-network"]).arg(guest).arg(limit);
    let (_server, url) = Process::start_listening(wasmtime);
    let client = run(python.script(&script("client.py")).args([&url, case]));
    assert_eq!(client.text(), passed(case));
}

tests_of_all_cases! {}

#[test]
fn thousand_calls_succeed_with_a_limit_of_ten_streams() {
    passes_with("concurrent_calls", "10");
}
