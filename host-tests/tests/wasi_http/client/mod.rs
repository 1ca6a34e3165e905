//! The client for `wasi:http`, under a guest that sends what a test wants.

mod bodies;
mod cancelling;
mod failures;
mod heads;
mod pool;
mod retries;

use crate::raw_server::{Connection, RawServer};
use crate::requests::{Client, Exchange, Request};

/// A request to a server that does as it is told, as far as its head, which has arrived.
fn begin(method: &str, change: impl FnOnce(Request) -> Request) -> (Client, Exchange, Connection, u32) {
    let server = RawServer::listen();
    let client = Client::start();
    let exchange = client.send(&change(Request::new(method, &server.url("/"))));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    (client, exchange, connection, stream)
}
