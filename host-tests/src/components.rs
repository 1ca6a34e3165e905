//! The components that are built with the harness, as binaries.
//!
//! The engine and the socket component are what an application of `http2:engine` is composed with, [`http_server`] and
//! [`http_client`] what one of `wasi:http` is; `ECHO_SERVER`, `FETCH` and `HTTP_GET` are the examples; `BARE_…` and
//! `RELAY` are parts of the server and the client; the others are guests of the tests.

use std::sync::LazyLock;

use crate::compose::with_relay;

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// `http2_server.wasm`: a command (`wasi:cli/run` 0.3) that serves the `wasi:http/handler` 0.3 that it imports.
pub fn http_server() -> &'static [u8] {
    static SERVER: LazyLock<Vec<u8>> = LazyLock::new(|| complete(BARE_HTTP_SERVER));
    &SERVER
}

/// `http2_client.wasm`: exports `wasi:http/client` and `wasi:http/handler` 0.3, which send requests over HTTP/2.
pub fn http_client() -> &'static [u8] {
    static CLIENT: LazyLock<Vec<u8>> = LazyLock::new(|| complete(BARE_HTTP_CLIENT));
    &CLIENT
}

/// A component of this build with the relay inside.
fn complete(component: &[u8]) -> Vec<u8> {
    with_relay(component).expect("the components of one build fit together")
}
