//! Sends so many requests of every kind that a leak in any of them shows in the memory of the server.
//!
//! A brief form runs with the other tests. `SOAK=100000` sends that many requests of each kind, after a tenth of
//! them to warm up.

#![cfg(unix)]

mod kinds;
mod load;
mod upstream;

use std::env;

use host_tests::guests;
use host_tests::support::Serve;

use crate::kinds::{GRPC, HTTP, Kind};
use crate::load::Load;

/// Bytes by which memory may grow per request.
///
/// A leak costs some 300 bytes at least.
const ALLOWED: i64 = 30;
/// How often a kind is repeated before growth counts as a leak, because an allocator occasionally grows as well.
const ROUNDS: usize = 12;
/// The limit of streams, high because work of cancelled requests may overlap with the next ones.
const LIMIT: &str = "--max-concurrent-streams=1000";
/// Number of requests of each kind in the brief form.
const BRIEF: usize = 3_000;

#[test]
fn server_does_not_leak() {
    let serve = Serve::start_handler(guests::HTTP_SERVICE, &["--", LIMIT]);
    assert_no_leak("server", &serve, &serve, HTTP);
}

#[test]
fn grpc_server_does_not_leak() {
    let serve = Serve::start_handler(guests::GRPC_SERVICE, &["--", LIMIT]);
    assert_no_leak("gRPC server", &serve, &serve, GRPC);
}

#[test]
fn client_does_not_leak() {
    let origin = Serve::start_handler(guests::HTTP_SERVICE, &["--", LIMIT]);
    let proxy = Serve::start_handler(guests::HTTP_FORWARD, &["--client", "--", LIMIT]);
    assert_no_leak("client", &proxy, &origin, HTTP);
}

#[test]
fn grpc_client_does_not_leak() {
    let origin = Serve::start_handler(guests::GRPC_SERVICE, &["--", LIMIT]);
    let proxy = Serve::start_handler(guests::HTTP_FORWARD, &["--client", "--", LIMIT]);
    assert_no_leak("gRPC client", &proxy, &origin, GRPC);
}

/// Sends requests of all kinds to a server, and asserts that its memory does not grow after the first ones.
///
/// `origin` is the server itself, or the server behind it if it is a proxy.
#[track_caller]
fn assert_no_leak(subject: &str, serve: &Serve, origin: &Serve, kinds: &'static [Kind]) {
    let full = env::var("SOAK").ok().map(|requests| requests.parse().expect("SOAK is a number of requests"));
    let requests: usize = full.unwrap_or(BRIEF);
    let first = full.map_or(BRIEF, |requests| requests / 10);
    let load = |kind| Load { server: serve.address(), authority: origin.address(), kind };
    kinds.iter().for_each(|kind| load(kind).run(first));
    let mut leaks = Vec::new();
    for kind in kinds {
        let mut growth = Vec::new();
        while growth.len() < ROUNDS && growth.last().is_none_or(|growth| *growth > ALLOWED) {
            let Some(before) = serve.resident() else { return };
            load(kind).run(requests);
            let after = serve.resident().expect("the server is running");
            let grown = i64::try_from(after).unwrap() - i64::try_from(before).unwrap();
            growth.push(grown * 1024 / i64::try_from(requests).unwrap());
        }
        println!("{subject}, {}: memory grew by {growth:?} bytes per request", kind.name);
        if growth.len() == ROUNDS && growth.iter().all(|growth| *growth > ALLOWED) {
            leaks.push(kind.name);
        }
    }
    assert!(leaks.is_empty(), "memory leaks in {leaks:?}");
}
