//! Tests of the frames in each write.
//!
//! WASI has no TCP_NODELAY: TCP holds back a small write that follows another until the peer acknowledges the
//! first, which may take 40 ms.

use host_tests::support::raw::{self, RawClient};
use host_tests::support::requests::{Client, Request};
use http2_test_support::{Frame, flag, frame, kind};

use crate::raw_client;
use crate::raw_server::RawServer;
use crate::serve::Serve;

/// Waits for the write in which a message begins.
fn write_with_head(wire: &mut RawClient) -> Vec<Frame> {
    loop {
        let frames = wire.receive_write();
        if frames.iter().any(|frame| frame.kind == kind::HEADERS) {
            return frames;
        }
    }
}

/// Whether a write contains a message to its end.
fn is_whole(frames: &[Frame]) -> bool {
    frames.last().is_some_and(|frame| {
        matches!(frame.kind, kind::DATA | kind::HEADERS) && frame.flags & flag::END_STREAM != 0
    })
}

#[test]
fn response_and_acknowledgements_share_one_write() {
    let serve = Serve::start();
    let routes = [
        ("GET", "/", 0),
        ("POST", "/", 5),
        ("POST", "/echo", 5),
        ("POST", "/echo", 5_000),
        ("GET", "/trailers", 0),
        ("GET", "/bytes/5000", 0),
        ("POST", "/refuse", 5),
    ];
    for (method, path, octets) in routes {
        let mut client = raw_client::Client::connect(&serve);
        client.wire.synchronise();
        let mut request = frame(kind::PING, 0, 0, b"and this");
        request.extend(raw::request(1, method, path, if octets == 0 { flag::END_STREAM } else { 0 }));
        if octets > 0 {
            request.extend(frame(kind::DATA, flag::END_STREAM, 1, &vec![b'a'; octets]));
        }
        client.wire.send_octets(&request);
        let frames = write_with_head(&mut client.wire);
        assert_eq!(
            (frames[0].kind, frames[0].flags, &*frames[0].payload),
            (kind::PING, flag::ACK, &b"and this"[..])
        );
        assert!(is_whole(&frames), "{method} {path}: {frames:?}");
    }
}

#[test]
fn request_is_one_write() {
    let server = RawServer::listen();
    let client = Client::start();
    let first = client.get(&server.url("/"));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    connection.respond(stream, "200");
    assert_eq!(first.response().unwrap().status, 200);
    connection.wire.synchronise();
    for octets in [0, 5, 5_000] {
        let request = Request::new("POST", &server.url("/")).content(octets);
        let exchange = client.send(&request.field("content-length", &octets.to_string()));
        let frames = write_with_head(&mut connection.wire);
        assert!(is_whole(&frames), "{octets}: {frames:?}");
        connection.respond(frames[0].stream, "200");
        assert_eq!(exchange.response().unwrap().status, 200);
    }
}

#[test]
fn first_request_shares_a_write_with_the_preface() {
    let server = RawServer::listen();
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).content(5).field("content-length", "5");
    let exchange = client.send(&request);
    let mut connection = server.accept();
    let frames = connection.wire.receive_write();
    assert!(is_whole(&frames), "{frames:?}");
    connection.respond(1, "200");
    assert_eq!(exchange.response().unwrap().status, 200);
}

#[test]
fn head_does_not_wait_for_late_content() {
    let server = RawServer::listen();
    let client = Client::start();
    let mut exchange = client.send(&Request::new("POST", &server.url("/")).with("open"));
    let mut connection = server.accept();
    let head = connection.request();
    connection.head(head.stream, &[(":status", "200")], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    exchange.end();
    assert_eq!(connection.next(kind::DATA).unwrap().flags, flag::END_STREAM);
}

#[test]
fn server_sends_no_unneeded_pings() {
    let serve = Serve::start();
    let mut wire = RawClient::connect(serve.address());
    for number in 0..50 {
        let stream = 2 * number + 1;
        wire.request(stream, "POST", "/echo", 0);
        wire.send(kind::DATA, flag::END_STREAM, stream, b"12345");
        loop {
            let frame = wire.receive().unwrap();
            assert_ne!(frame.kind, kind::PING);
            if frame.stream == stream && frame.flags & flag::END_STREAM != 0 {
                break;
            }
        }
    }
}

#[test]
fn client_sends_no_unneeded_pings() {
    let server = RawServer::listen();
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).content(5);
    let mut connection = None;
    for _ in 0..50 {
        let exchange = client.send(&request);
        let connection = connection.get_or_insert_with(|| server.accept());
        let stream = loop {
            let frame = connection.wire.receive().unwrap();
            assert_ne!(frame.kind, kind::PING);
            if frame.stream != 0 && frame.flags & flag::END_STREAM != 0 {
                break frame.stream;
            }
        };
        connection.respond(stream, "200");
        assert_eq!(exchange.response().unwrap().status, 200);
    }
}
