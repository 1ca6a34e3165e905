//! The server and the client for `wasi:http` 0.3, and both as a reverse proxy, over TCP.
//!
//! What stands on the other side of `wasi:http` is a guest that does as it is told: `http-service` behind the server,
//! `http-requests` before the client. What stands on the other side of TCP is another implementation, or frames as a
//! test writes them.

#![cfg(unix)]

mod client;
mod h2_server;
mod in_process;
mod proxy;
mod raw_client;
mod raw_server;
mod requests;
mod server;
mod support;
mod writes;

#[path = "../interop/connections.rs"]
mod connections;
#[path = "../interop/server.rs"]
mod other_clients;
