//! The cases of the package `http2-conformance`, which the engine passes by itself, held against what is made of it: the
//! component in Wasmtime, with a transport in memory, and the command over TCP.

#![cfg(unix)]

#[path = "../interop/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "other tests use the rest")]
mod support;

mod command;
mod component;
mod transport;

use http2_conformance::cases::cases;
use http2_conformance::{Case, Role, play};

use transport::Socket;

/// Holds endpoints of one role, each of which `connect` makes, against the cases for that role.
fn hold(role: Role, connect: impl Fn() -> Socket) {
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.role == role).collect();
    let failures: Vec<String> = cases.iter().filter_map(|case| play(case, &mut connect()).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}
