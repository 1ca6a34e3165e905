//! grpcio calls the guest `grpc-service`, composed with `http2_server.wasm`, and the guest `grpc-tokio`, which is a server by
//! itself.

mod tokio;

use host_tests::guests;
use host_tests::support::peers::Python;
use host_tests::support::{Serve, run};

use crate::{passed, script, tests_of_all_cases};

/// Enough concurrent requests for every case.
const LIMIT: &str = "--max-concurrent-streams=1000";

fn passes(case: &str) {
    passes_with(case, &[LIMIT]);
}

#[track_caller]
fn passes_with(case: &str, options: &[&str]) {
    let Some(python) = Python::with_packages() else { return };
    let serve = Serve::start_handler(guests::GRPC_SERVICE, &[&["--"], options].concat());
    let client = run(python.script(&script("client.py")).args([&serve.url(""), case]));
    assert_eq!(client.text(), passed(case));
}

tests_of_all_cases! {}

#[test]
fn thousand_calls_succeed_with_a_limit_of_ten_streams() {
    passes_with("concurrent_calls", &["--max-concurrent-streams=10"]);
}

#[test]
fn cancellation_cases_pass_with_cancel_option() {
    for case in ["cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server"] {
        passes_with(case, &[LIMIT, "--cancel"]);
    }
}
