//! A gRPC service in Python: grpcio's client runs the public interoperability cases and this project's own.

use std::path::Path;

use host_tests::support;
use host_tests::support::apps::{compose, python_grpc_service};
use host_tests::support::peers::Python;

use super::run;

const CASES: [&str; 20] = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "message_sizes",
    "concurrent_calls",
    "concurrent_streams",
    "trailers_only_error",
    "response_before_request_ends",
    // Check that the service still works after all other cases.
    "empty_unary",
];

#[test]
fn a_grpc_service_in_python_passes_the_cases() {
    let Some(python) = Python::with_packages() else { return };
    // The maximum number of concurrent streams in the cases.
    let options = ["--max-concurrent-streams", "1000"];
    let (_wasmtime, url) = run(&python, &compose(&python_grpc_service(&python), &["--server"]), &options);
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc/client.py");
    let told = support::run(python.script(&client).arg(&url).args(CASES)).text();
    let passed: Vec<&str> = told.lines().map(|line| line.trim_end_matches(": passed")).collect();
    assert_eq!(passed, CASES);
}
