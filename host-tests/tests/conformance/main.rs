//! Runs the cases of the package `http2-conformance`, which the engine itself passes, against the component in Wasmtime
//! with an in-memory transport, and against the command over TCP.

#![cfg(unix)]

mod command;
mod component;
mod transport;

use http2_conformance::cases::cases;
use http2_conformance::{Case, Role, play};

use transport::Socket;

/// Runs all cases of a role against the endpoints that `connect` creates.
fn run_cases(role: Role, connect: impl Fn() -> Socket) {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.role == role).collect();
    let failures: Vec<String> = cases.iter().filter_map(|case| play(case, &mut connect()).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}
