//! The server and the client for `wasi:http` 0.3, and both composed as a reverse proxy, over TCP.
//!
//! On the other side of `wasi:http` is a guest that follows orders: `http-service` behind the server,
//! `http-requests` in front of the client. On the other side of TCP is another implementation, or a test that
//! writes frames itself.

#![cfg(unix)]

mod client;
mod h2_server;
mod in_process;
mod proxy;
mod raw_client;
mod raw_server;
mod serve;
mod server;
mod writes;

// The same tests as for the demonstration's server; `crate::Serve` is what they run against.
#[path = "../interop/connections.rs"]
mod connections;
#[path = "../interop/server.rs"]
mod other_clients;

use serve::Serve;
