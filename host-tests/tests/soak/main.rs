//! Requests of every kind, so many that whatever one of them leaves behind would show in the memory of the server.
//!
//! A brief form runs with the other tests. `SOAK=100000` sends as many requests of each kind, after a tenth of them.

#![cfg(unix)]

mod kinds;
mod load;
mod upstream;

#[allow(dead_code, unused_imports, reason = "some of it is for the other tests that share it")]
#[path = "../interop/support/mod.rs"]
mod support;

use std::env;

use wasi_http2::components;

use crate::kinds::{GRPC, HTTP, Kind};
use crate::load::Load;
use crate::support::Serve;

/// Bytes of memory that a request may cost beyond those before it. What leaks costs some 300 at least.
const ALLOWED: i64 = 30;
/// How often a kind is repeated before growth is a leak: an allocator, too, takes more now and then.
const ROUNDS: usize = 12;
/// What a request that was given up has begun may go on for a while, beside the next ones.
const LIMIT: &str = "--max-concurrent-streams=1000";
/// Requests of each kind, in the brief form.
const BRIEF: usize = 3_000;

#[test]
fn a_server_leaves_nothing_behind() {
    let serve = Serve::start_handler(components::HTTP_SERVICE, &["--", LIMIT]);
    leaves_nothing_behind("server", &serve, &serve, HTTP);
}

#[test]
fn a_server_of_grpc_leaves_nothing_behind() {
    let serve = Serve::start_handler(components::GRPC_SERVICE, &["--", LIMIT]);
    leaves_nothing_behind("server of gRPC", &serve, &serve, GRPC);
}

#[test]
fn a_client_leaves_nothing_behind() {
    let origin = Serve::start_handler(components::HTTP_SERVICE, &["--", LIMIT]);
    let proxy = Serve::start_handler(components::HTTP_FORWARD, &["--client", "--", LIMIT]);
    leaves_nothing_behind("client", &proxy, &origin, HTTP);
}

#[test]
fn a_client_of_grpc_leaves_nothing_behind() {
    let origin = Serve::start_handler(components::GRPC_SERVICE, &["--", LIMIT]);
    let proxy = Serve::start_handler(components::HTTP_FORWARD, &["--client", "--", LIMIT]);
    leaves_nothing_behind("client of gRPC", &proxy, &origin, GRPC);
}

/// Sends requests of all kinds to a server, for the authority of another one if it is a proxy, and wants its memory to
/// be as large as after the first ones.
#[track_caller]
fn leaves_nothing_behind(what: &str, serve: &Serve, origin: &Serve, kinds: &'static [Kind]) {
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
            let after = serve.resident().expect("the server runs");
            let grown = i64::try_from(after).unwrap() - i64::try_from(before).unwrap();
            growth.push(grown * 1024 / i64::try_from(requests).unwrap());
        }
        println!("{what}, {}: {growth:?} bytes more for each request", kind.name);
        if growth.len() == ROUNDS && growth.iter().all(|growth| *growth > ALLOWED) {
            leaks.push(kind.name);
        }
    }
    assert!(leaks.is_empty(), "memory is left behind by {leaks:?}");
}
