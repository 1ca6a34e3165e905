//! The client for `wasi:http`, composed with a guest that sends the requests of a test.

mod bodies;
mod cancelling;
mod failures;
mod heads;
mod pool;
mod retries;

use host_tests::support::requests::{Client, Exchange, Request};

use crate::raw_server::{Connection, RawServer};

/// Sends a request to a server whose frames the test controls, and waits until its head has arrived.
fn begin(method: &str, change: impl FnOnce(Request) -> Request) -> (Client, Exchange, Connection, u32) {
    let server = RawServer::listen();
    let client = Client::start();
    let exchange = client.send(&change(Request::new(method, &server.url("/"))));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    (client, exchange, connection, stream)
}
