//! The components that are built with this crate, as binaries.
//!
//! `ENGINE_OVER_TCP`, or `ENGINE` with a transport such as `TCP`, is composed with applications of `http2:engine`;
//! [`http_server`] and [`http_client`] are composed with applications of `wasi:http`. `ECHO_SERVER`, `FETCH` and
//! `HTTP_GET` are the examples. `BARE_…` and `RELAY` are parts of the server and the client.

use std::sync::LazyLock;

use crate::compose::with_relay;

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// `http2_server.wasm`: a command (`wasi:cli/run` 0.3) that imports a `wasi:http/handler` 0.3 and serves it.
pub fn http_server() -> &'static [u8] {
    static SERVER: LazyLock<Vec<u8>> = LazyLock::new(|| complete(BARE_HTTP_SERVER));
    &SERVER
}

/// `http2_client.wasm`: exports `wasi:http/client` and `wasi:http/handler` 0.3, and sends requests over HTTP/2.
pub fn http_client() -> &'static [u8] {
    static CLIENT: LazyLock<Vec<u8>> = LazyLock::new(|| complete(BARE_HTTP_CLIENT));
    &CLIENT
}

/// Adds the relay to a component of this build.
fn complete(component: &[u8]) -> Vec<u8> {
    with_relay(component).expect("the components of one build fit together")
}
