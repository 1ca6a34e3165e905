//! Tests the command `wasi-http2` with other implementations of HTTP/2 over TCP.
//!
//! Peers come from crates (h2, hyper), from Debian's packages (curl, nghttp2, Node), and from PyPI (httpx, hpack,
//! grpcio, componentize-py, Wasmtime's command), which are installed once in `target/peers`. A missing peer is
//! skipped with a message, unless the environment has `CI=true`: then it is an error.

#![cfg(unix)]

mod applications;
mod awkward_servers;
mod client;
mod connections;
mod demonstration;
mod hpack;
mod server;
mod stock_wasmtime;
mod wrong_input;

// The tests of `connections` and `server` also run against the server for `wasi:http`, which its target starts.
use host_tests::support::Serve;
