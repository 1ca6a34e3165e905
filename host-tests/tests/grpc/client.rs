//! The guest `grpc-client`, composed with `http2_client.wasm`, calls a server of grpcio and the guest
//! `grpc-service`.

use host_tests::guests;
use host_tests::support::peers::Python;
use host_tests::support::{DEADLINE, Process, Serve, block_on};
use wasi_http2::compose::with_client;
use wasi_http2::{Invocation, Network, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::{passed, script, tests_of_all_cases};

fn passes(case: &str) {
    let Some(python) = Python::with_packages() else { return };
    let (_server, url) = Process::start_listening(&mut python.script(&script("server.py")));
    let (is_success, output) = call(&[&url, case]);
    assert_eq!((is_success, output), (true, passed(case)));
}

/// Runs the client; returns whether it succeeded, and its output.
fn call(args: &[&str]) -> (bool, String) {
    let component = with_client(guests::GRPC_CLIENT).unwrap();
    let program = Runtime::with_interrupts().unwrap().load(&component).unwrap();
    let stdout = MemoryOutputPipe::new(1 << 20);
    let invocation = Invocation::new("grpc-client")
        .args(args)
        .network(Network::Connect)
        .stdout(stdout.clone())
        .time_limit(DEADLINE);
    let outcome = block_on(program.run(invocation)).unwrap();
    (outcome.is_success(), String::from_utf8_lossy(&stdout.contents()).into_owned())
}

tests_of_all_cases! { request_broken_off }

#[test]
fn all_cases_pass_between_the_guests() {
    let serve = Serve::start_handler(guests::GRPC_SERVICE, &["--", "--max-concurrent-streams=1000"]);
    let (is_success, output) = call(&[&serve.url("")]);
    assert!(is_success, "{output}");
}

#[test]
fn failed_cases_print_the_reason() {
    let (is_success, output) = call(&["http://127.0.0.1:1", "empty_unary", "no_such_case"]);
    assert!(!is_success);
    let lines: Vec<_> = output.lines().collect();
    assert!(lines[0].starts_with("empty_unary: Unavailable: "), "{output}");
    assert_eq!(lines[1..], ["no_such_case: unknown case"]);
}
