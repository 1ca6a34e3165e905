//! The attacks of the table, one test function each.

mod client;
mod fields;
mod floods;
mod frames;
mod resets;
mod windows;

use http2_engine::ErrorCode;
use http2_test_support::{flag, frame, kind, window_update};

use crate::harness::{Behaviour, Endpoint, Outcome, SHORT, Server};

const CALM: ErrorCode = ErrorCode::ENHANCE_YOUR_CALM;
const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;

/// A server with an application that answers immediately.
fn server() -> Endpoint<Server> {
    Endpoint::server(Behaviour::Answers(SHORT))
}

/// A server with an application that answers late.
fn slow_server() -> Endpoint<Server> {
    Endpoint::server(Behaviour::Clings)
}

/// A server whose peer has opened the connection window to its maximum.
fn open_server(behaviour: Behaviour) -> Endpoint<Server> {
    let mut server = Endpoint::server(behaviour);
    server.send(&window_update(0, 0x7fff_ffff - 65_535));
    server.begin();
    server
}

/// Sends requests, ten per write; the application must receive each of them.
fn requests_by_tens(mut server: Endpoint<Server>, n: u32, request: impl Fn(u32) -> Vec<u8>) -> Outcome {
    for ten in 0..n / 10 {
        server.send(&each(10, |one| request(10 * ten + one)));
    }
    assert_eq!(server.application.seen, u64::from(n));
    server.end()
}

/// The stream of request `n`, counted from 0.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// The concatenated output of `octets` for each number below `n`.
fn each(n: u32, octets: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    (0..n).flat_map(octets).collect()
}

/// CONTINUATION without END_HEADERS.
fn continuation(stream: u32, fragment: &[u8]) -> Vec<u8> {
    frame(kind::CONTINUATION, 0, stream, fragment)
}

/// DATA with padding.
fn padded(stream: u32, flags: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let payload = [&[padding][..], content, &vec![0; padding.into()]].concat();
    frame(kind::DATA, flags | flag::PADDED, stream, &payload)
}
