//! The command `wasi-http2` and other implementations of HTTP/2, over TCP.
//!
//! Peers come from three places: crates (h2, hyper), Debian's packages (curl, nghttp2, Node), and PyPI (httpx, hpack,
//! grpcio, componentize-py, Wasmtime's command), which go to `target/peers` once. What is missing is skipped with a
//! word, unless the environment has `CI=true`: then it is an error.

#![cfg(unix)]

mod applications;
mod awkward_servers;
mod client;
mod connections;
mod demonstration;
mod hpack;
mod server;
mod stock_wasmtime;
#[allow(dead_code, reason = "some of it is for the other tests that share it")]
mod support;
mod wrong_input;
