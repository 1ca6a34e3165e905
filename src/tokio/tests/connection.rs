//! A client and a server over an in-memory transport.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http2_tokio::{Config, Error, client, server};
use tokio::io::DuplexStream;

include!("doc/pair.rs");

/// Runs a test that must not hang.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the test hangs")
}

#[tokio::test]
async fn shutdown_ends_an_idle_connection() {
    let (client, server) = pair().unwrap();
    tokio::spawn(echo(server));
    let control = client.control();
    soon(control.ping().unwrap()).await.unwrap();
    control.shutdown();
    soon(control.closed()).await.unwrap();
}
