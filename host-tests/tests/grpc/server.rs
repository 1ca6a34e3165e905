//! grpcio calls the guest `grpc-service`, which stands in `http2_server.wasm`.

use wasi_http2::components;

use crate::support::peers::Python;
use crate::support::{Serve, run};
use crate::{passed, script, tests_of_all_cases};

/// As many requests at a time as any case has.
const LIMIT: &str = "--max-concurrent-streams=1000";

fn passes(case: &str) {
    passes_with(case, &[LIMIT]);
}

#[track_caller]
fn passes_with(case: &str, options: &[&str]) {
    let Some(python) = Python::with_packages() else { return };
    let serve = Serve::start_handler(components::GRPC_SERVICE, &[&["--"], options].concat());
    let client = run(python.script(&script("client.py")).args([&serve.url(""), case]));
    assert_eq!(client.text(), passed(case));
}

tests_of_all_cases! {}

#[test]
fn a_thousand_calls_get_through_a_limit_of_ten_at_a_time() {
    passes_with("concurrent_calls", &["--max-concurrent-streams=10"]);
}

#[test]
fn calls_of_the_service_may_be_cancelled() {
    for case in ["cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server"] {
        passes_with(case, &[LIMIT, "--cancel"]);
    }
}
