//! Cancellation by the application reaches the server.

use host_tests::support::requests::Client;
use http2_test_support::{kind, setting};

use super::begin;
use crate::raw_server::RawServer;

/// CANCEL (RFC 9113, 7).
const CANCEL: u32 = 0x8;

#[test]
fn dropped_call_cancels_its_stream() {
    let server = RawServer::listen();
    let client = Client::start();
    let mut exchange = client.get(&server.url("/"));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    exchange.cancel();
    assert_eq!(connection.reset_by_peer(), (stream, CANCEL));

    let other = client.get(&server.url("/"));
    let stream = connection.request().stream;
    connection.respond(stream, "200");
    assert_eq!(other.response().unwrap().status, 200, "the connection remains usable");
}

#[test]
fn call_dropped_during_upload_is_cancelled() {
    let (_client, mut exchange, mut connection, stream) = begin("POST", |request| request.content(10 << 20));
    connection.next(kind::DATA).unwrap();
    exchange.cancel();
    assert_eq!(connection.reset_by_peer(), (stream, CANCEL));
    exchange.is_unwanted();
}

#[test]
fn call_dropped_before_it_has_a_connection_is_never_sent() {
    let server = RawServer::listen();
    // One connection with room for one request, so that another must wait.
    let client = Client::start_with(&[("HTTP2_CLIENT_MAX_CONNECTIONS", "1")]);
    let first = client.get(&server.url("/first"));
    let mut connection = server.accept_with(&[(setting::MAX_CONCURRENT_STREAMS, 1)]);
    let stream = connection.request().stream;
    connection.wire.synchronise();
    let mut second = client.get(&server.url("/second"));
    let third = client.get(&server.url("/third"));
    second.cancel();
    connection.respond(stream, "200");
    assert_eq!(first.response().unwrap().status, 200);
    let head = connection.request();
    assert_eq!(head.get(":path"), Some("/third"));
    connection.respond(head.stream, "200");
    assert_eq!(third.response().unwrap().status, 200);
}

#[test]
fn response_dropped_during_content_is_cancelled() {
    let (_client, mut exchange, mut connection, stream) = begin("GET", |request| request);
    connection.head(stream, &[(":status", "200")], 0);
    connection.data(stream, b"some", 0);
    assert_eq!(exchange.data(), "some");
    exchange.cancel();
    connection.data(stream, b"more", 0);
    assert_eq!(connection.reset_by_peer(), (stream, CANCEL));
}

#[test]
fn dropped_response_is_cancelled_even_if_the_server_is_silent() {
    let (_client, mut exchange, mut connection, stream) = begin("GET", |request| request);
    connection.head(stream, &[(":status", "200")], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    exchange.cancel();
    assert_eq!(connection.reset_by_peer(), (stream, CANCEL));
}

#[test]
fn response_dropped_unread_is_cancelled() {
    let (_client, mut exchange, mut connection, stream) = begin("GET", |request| request.with("unread"));
    connection.head(stream, &[(":status", "200")], 0);
    connection.data(stream, &[b'a'; 16_384], 0);
    connection.data(stream, &[b'a'; 16_384], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    exchange.cancel();
    assert_eq!(connection.reset_by_peer(), (stream, CANCEL));
}
