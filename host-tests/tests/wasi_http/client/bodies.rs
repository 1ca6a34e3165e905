//! Content and trailers, in both directions.

use host_tests::support::requests::{Client, Request, hash, pattern};
use http2_test_support::{flag, kind, setting};

use super::begin;
use crate::h2_server::H2Server;
use crate::raw_server::RawServer;

const MIB: usize = 1 << 20;
/// NO_ERROR and CANCEL (RFC 9113, 7).
const NO_ERROR: u32 = 0x0;
const CANCEL: u32 = 0x8;

#[test]
fn content_of_any_size_survives_a_round_trip() {
    let server = H2Server::start();
    let client = Client::start();
    for octets in [0, 1, 16_384, 65_535, 65_536, 1_000_000, 40 * MIB] {
        let mut exchange = client.send(&Request::new("POST", &server.url("/")).content(octets));
        assert_eq!(exchange.sent(), "Ok");
        let response = exchange.response().unwrap();
        assert_eq!(response.content.octets, octets);
        assert_eq!(response.content.hash, hash(&pattern(octets)), "{octets} bytes");
        assert_eq!(response.end, Ok(None));
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn trailers_survive_a_round_trip() {
    let server = H2Server::start();
    let client = Client::start();
    let with_trailers = Request::new("POST", &server.url("/"))
        .option("trailer", "checksum: 1234")
        .option("trailer", "x-bin: AAEC");
    for request in [with_trailers.clone(), with_trailers.content(100_000)] {
        let response = client.send(&request).response().unwrap();
        assert_eq!(response.end, Ok(Some(vec!["checksum: 1234".to_owned(), "x-bin: AAEC".to_owned()])));
    }
}

#[test]
fn empty_trailer_section_of_a_request_becomes_end_stream() {
    let (_client, exchange, mut connection, stream) =
        begin("POST", |request| request.content(5).with("trailers"));
    assert_eq!(connection.content(stream), pattern(5));
    connection.respond(stream, "200");
    assert_eq!(exchange.response().unwrap().status, 200);
}

#[test]
fn empty_trailer_section_of_a_response_is_its_end() {
    let (_client, exchange, mut connection, stream) = begin("POST", |request| request);
    connection.head(stream, &[(":status", "200")], 0);
    connection.data(stream, b"content", 0);
    connection.head(stream, &[], flag::END_STREAM);
    let response = exchange.response().unwrap();
    assert_eq!(response.content.text, "content");
    assert!(response.end.as_ref().is_ok_and(|end| end.as_ref().is_none_or(Vec::is_empty)), "{response:?}");
}

#[test]
fn response_may_be_trailers_only() {
    let (_client, exchange, mut connection, stream) = begin("POST", |request| request.content(10));
    let head = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12")];
    connection.head(stream, &head, flag::END_STREAM);
    let response = exchange.response().unwrap();
    assert_eq!(response.fields, ["content-type: application/grpc", "grpc-status: 12"]);
    assert_eq!((response.content.octets, response.end), (0, Ok(None)));
}

#[test]
fn response_may_begin_before_the_request_ends() {
    let (_client, mut exchange, mut connection, stream) = begin("POST", |request| request.with("open"));
    connection.head(stream, &[(":status", "200")], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    for (octets, word) in [(1, "one"), (70_000, "two"), (3, "three")] {
        exchange.more(octets);
        let mut arrived = 0;
        while arrived < octets {
            let frame = connection.next(kind::DATA).unwrap();
            arrived += frame.payload.len();
            connection.wire.widen_windows(stream, frame.payload.len());
        }
        connection.data(stream, word.as_bytes(), 0);
        assert_eq!(exchange.data(), word);
    }
    exchange.end();
    assert_eq!(connection.next(kind::DATA).unwrap().flags, flag::END_STREAM);
    assert_eq!(exchange.sent(), "Ok");
    connection.head(stream, &[("status", "done")], flag::END_STREAM);
    assert_eq!(exchange.rest().1, Ok(Some(vec!["status: done".to_owned()])));
}

#[test]
fn response_may_be_complete_before_the_request() {
    let (client, exchange, mut connection, stream) = begin("POST", |request| request.with("open"));
    connection.head(stream, &[(":status", "413")], 0);
    connection.data(stream, &pattern(50_000), flag::END_STREAM);
    // A server may decline the rest of the request at once (RFC 9113, 8.1).
    connection.reset(stream, NO_ERROR);
    let response = exchange.response().unwrap();
    assert_eq!((response.status, response.content.octets, response.end), (413, 50_000, Ok(None)));
    let other = client.get(&connection.url("/"));
    let stream = connection.request().stream;
    connection.respond(stream, "200");
    assert_eq!(other.response().unwrap().status, 200, "the connection remains usable");
}

#[test]
fn upload_continues_after_a_complete_response_until_the_server_declines_it() {
    let (client, mut exchange, mut connection, stream) = begin("POST", |request| request.content(MIB));
    connection.head(stream, &[(":status", "401")], flag::END_STREAM);
    assert_eq!(exchange.head().unwrap().0, 401);
    // Some servers would count a cancellation against the client.
    assert_eq!(connection.content(stream).len(), MIB);
    assert_eq!(exchange.sent(), "Ok");
    let mut exchange = client.send(&Request::new("POST", &connection.url("/")).with("open"));
    let stream = connection.request().stream;
    connection.respond(stream, "401");
    connection.reset(stream, NO_ERROR);
    assert_eq!(exchange.head().unwrap().0, 401);
    exchange.more(MIB);
    exchange.is_unwanted();
    assert!(connection.wire.synchronise().iter().all(|frame| frame.kind != kind::RST_STREAM));
}

#[test]
fn aborted_content_resets_the_stream() {
    let (_client, mut exchange, mut connection, stream) =
        begin("POST", |request| request.content(10).with("broken"));
    assert_eq!(connection.reset_by_peer().0, stream);
    assert_eq!(exchange.head().unwrap_err(), "LoopDetected", "the application's error is returned");
}

#[test]
fn content_shorter_than_content_length_resets_the_stream() {
    for (declared, has) in [("10", 9), ("60000", 59_999)] {
        let server = RawServer::listen();
        let client = Client::start();
        let request = Request::new("POST", &server.url("/")).content(has).field("content-length", declared);
        let mut exchange = client.send(&request);
        let mut connection = server.accept();
        let stream = connection.request().stream;
        assert_eq!(connection.reset_by_peer().0, stream, "{declared}");
        assert_eq!(exchange.head().unwrap_err(), "HttpRequestBodySize(None)", "{declared}");
        let other = client.get(&server.url("/"));
        let stream = connection.request().stream;
        connection.respond(stream, "204");
        assert_eq!(other.response().unwrap().status, 204, "the connection remains usable");
    }
}

#[test]
fn request_without_its_declared_content_is_not_sent() {
    let server = RawServer::listen();
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).field("content-length", "1");
    assert_eq!(client.send(&request).head().unwrap_err(), "HttpRequestBodySize(None)");
}

#[test]
fn content_beyond_content_length_is_not_sent() {
    for (declared, has) in [(10, 11), (0, 1), (60_000, 60_001)] {
        let (_client, mut exchange, mut connection, stream) =
            begin("POST", |request| request.content(has).field("content-length", &declared.to_string()));
        let content = if declared == 0 { Vec::new() } else { connection.content(stream) };
        assert_eq!(content, pattern(declared));
        connection.respond(stream, "200");
        exchange.is_unwanted();
        assert_eq!(exchange.response().unwrap().status, 200);
    }
}

#[test]
fn closed_window_stops_the_application() {
    let server = RawServer::listen();
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).content(10 * MIB);
    let mut exchange = client.send(&request);
    let mut connection = server.accept_with(&[(setting::INITIAL_WINDOW_SIZE, 100_000)]);
    let stream = connection.request().stream;
    let mut arrived = 0;
    // The connection's window is the smaller one.
    while arrived < 65_535 {
        arrived += connection.next(kind::DATA).unwrap().payload.len();
    }
    assert!(connection.wire.synchronise().iter().all(|frame| frame.kind != kind::DATA));
    let before = exchange.written();
    assert!(before <= MIB, "{before} bytes are buffered");
    connection.wire.send(kind::WINDOW_UPDATE, 0, 0, &0x7f00_0000_u32.to_be_bytes());
    connection.wire.send(kind::WINDOW_UPDATE, 0, stream, &0x7f00_0000_u32.to_be_bytes());
    while arrived < 10 * MIB {
        arrived += connection.next(kind::DATA).unwrap().payload.len();
    }
    connection.respond(stream, "200");
    assert_eq!(exchange.sent(), "Ok");
    assert_eq!(exchange.response().unwrap().status, 200);
}

#[test]
fn application_that_does_not_read_stops_the_server() {
    let (_client, mut exchange, mut connection, stream) = begin("POST", |request| request.with("unread"));
    connection.head(stream, &[(":status", "200")], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    connection.data(stream, &[b'a'; 16_384], 0);
    // The client may open the window by the size of its buffer, but no further.
    let mut frames = connection.wire.synchronise();
    connection.data(stream, &[b'a'; 16_384], 0);
    connection.data(stream, &[b'a'; 16_384], 0);
    frames.extend(connection.wire.synchronise());
    let raised: u32 = frames
        .iter()
        .filter(|frame| (frame.kind, frame.stream) == (kind::WINDOW_UPDATE, stream))
        .map(|frame| u32::from_be_bytes(frame.payload[..4].try_into().unwrap()))
        .sum();
    assert!(raised <= 3 * 16_384, "{raised}");
    exchange.read();
    connection.data(stream, b"", flag::END_STREAM);
    assert_eq!(exchange.rest().0.octets, 3 * 16_384);
}

#[test]
fn content_after_a_reset_is_not_read() {
    let (_client, mut exchange, mut connection, stream) = begin("POST", |request| request.with("open"));
    exchange.more(10);
    assert_eq!(connection.next(kind::DATA).unwrap().payload.len(), 10);
    connection.head(stream, &[(":status", "200")], flag::END_STREAM);
    connection.reset(stream, CANCEL);
    assert_eq!(exchange.head().unwrap().0, 200);
    exchange.more(1_000_000);
    exchange.is_unwanted();
}
