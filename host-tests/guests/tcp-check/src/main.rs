//! Checks the socket component: each run executes the scenario named by the first argument, and panics on failure.

mod echo;
mod errors;
mod order;

mod bindings {
    #![allow(missing_docs, reason = "the WIT files hold the documentation")]

    wit_bindgen::generate!({
        path: "../../../wit",
        world: "application",
        with: {
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
            "wasi:io/poll@0.2.12": wasi::io::poll,
        },
    });
}

use bindings::http2::engine::tcp::{self, Listener};
use bindings::http2::engine::transport::{ByteStream, TransportError};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["echo", listen, host] => echo::round_trip(listen, host),
        ["half-close"] => echo::half_close(),
        ["refused"] => errors::refused(),
        ["unresolvable"] => errors::unresolvable(),
        ["unusable"] => errors::unusable(),
        ["timeout", port] => errors::timeout(port.parse().unwrap()),
        ["reset", port] => errors::reset(port.parse().unwrap()),
        ["streams-first"] => order::streams_before_pollables(),
        ["listener-first"] => order::listener_before_pollable(),
        ["stalled-peers"] => order::peers_that_do_not_read(),
        ["many"] => order::many_connections(),
        _ => panic!("unknown scenario: {args:?}"),
    }
}

/// Listens on `address`, and returns the listener with its port.
fn listen(address: &str) -> (Listener, u16) {
    let listener = Listener::listen(address).unwrap();
    let port = listener.local_address().rsplit(':').next().unwrap().parse().unwrap();
    (listener, port)
}

/// Connects to a listener, and returns the connecting and the accepting end.
fn pair(listener: &Listener, host: &str, port: u16) -> (ByteStream, ByteStream) {
    let client = tcp::connect(host, port, Some(5_000_000_000)).unwrap();
    let (server, peer) = listener.blocking_accept(Some(5_000_000_000)).unwrap();
    assert!(peer.parse::<std::net::SocketAddr>().is_ok(), "{peer}");
    (client, server)
}

/// Reads at least one byte, waiting for input if needed.
fn read(stream: &ByteStream) -> Result<Vec<u8>, TransportError> {
    loop {
        let bytes = stream.read(65_536)?;
        if !bytes.is_empty() {
            return Ok(bytes);
        }
        stream.subscribe_read().block();
    }
}

/// Writes all of `bytes`, waiting for room.
fn write(stream: &ByteStream, mut bytes: &[u8]) -> Result<(), TransportError> {
    while !bytes.is_empty() {
        let taken = stream.write(bytes)?;
        if taken == 0 {
            stream.subscribe_write().block();
        }
        bytes = &bytes[taken as usize..];
    }
    Ok(())
}
