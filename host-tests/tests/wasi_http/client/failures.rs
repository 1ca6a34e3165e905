//! Failures, and the error-codes that report them.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::thread;

use host_tests::support::block_on;
use host_tests::support::requests::{Client, Request};
use http2_test_support::{flag, kind, setting};
use tokio::net::{TcpSocket, TcpStream};

use super::begin;
use crate::raw_server::{Connection, RawServer};

/// Returns the error of a request that the server resets before any response.
fn error_of_reset(code: u32) -> String {
    let (_client, exchange, mut connection, stream) = begin("GET", |request| request);
    connection.reset(stream, code);
    exchange.response().unwrap_err()
}

#[test]
fn each_reset_code_maps_to_an_error_code() {
    let table = [
        (0x0, "HttpResponseIncomplete"),    // NO_ERROR
        (0x1, "HttpProtocolError"),         // PROTOCOL_ERROR
        (0x2, "HttpResponseIncomplete"),    // INTERNAL_ERROR
        (0x3, "HttpProtocolError"),         // FLOW_CONTROL_ERROR
        (0x5, "HttpProtocolError"),         // STREAM_CLOSED
        (0x6, "HttpProtocolError"),         // FRAME_SIZE_ERROR
        (0x8, "HttpResponseIncomplete"),    // CANCEL
        (0x9, "HttpProtocolError"),         // COMPRESSION_ERROR
        (0xb, "ConnectionLimitReached"),    // ENHANCE_YOUR_CALM
        (0xd, "HttpProtocolError"),         // HTTP_1_1_REQUIRED
        (0xabcd, "HttpResponseIncomplete"), // an unknown code
    ];
    for (code, error) in table {
        assert_eq!(error_of_reset(code), error, "{code:#x}");
    }
}

#[test]
fn reset_during_content_is_an_error() {
    for (code, error) in
        [(0x0, "HttpResponseIncomplete"), (0x2, "HttpResponseIncomplete"), (0x1, "HttpProtocolError")]
    {
        let (_client, mut exchange, mut connection, stream) = begin("GET", |request| request);
        connection.head(stream, &[(":status", "200")], 0);
        connection.data(stream, b"half of", 0);
        assert_eq!(exchange.data(), "half of");
        connection.reset(stream, code);
        let response = exchange.rest();
        assert_eq!(response.1, Err(error.to_owned()), "{code}");
    }
}

#[test]
fn reset_after_the_end_loses_nothing() {
    let (_client, mut exchange, mut connection, stream) =
        begin("POST", |request| request.with("open").with("unread"));
    connection.head(stream, &[(":status", "200")], 0);
    for _ in 0..3 {
        connection.data(stream, &[b'a'; 16_384], 0);
    }
    connection.head(stream, &[("status", "done")], flag::END_STREAM);
    connection.reset(stream, 0);
    connection.wire.synchronise();
    assert_eq!(exchange.head().unwrap().0, 200);
    exchange.read();
    let (content, end) = exchange.rest();
    assert_eq!((content.octets, end), (3 * 16_384, Ok(Some(vec!["status: done".to_owned()]))));
}

#[test]
fn unreachable_peers_are_errors() {
    let client = Client::start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(client.get(&format!("http://{free}/")).response().unwrap_err(), "ConnectionRefused");
    let port = free.port();
    let by_name = client.get(&format!("http://localhost:{port}/"));
    assert_eq!(by_name.response().unwrap_err(), "ConnectionRefused");
    let nameless = client.get("http://no.such.name.invalid/").response().unwrap_err();
    assert!(nameless.starts_with("DnsError("), "{nameless}");
}

/// Returns the error of a request to a server that sends these bytes and closes its side.
fn error_of_words(words: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.write_all(words).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        client
    });
    let error = Client::start().get(&url).response().unwrap_err();
    server.join().unwrap();
    error
}

#[test]
fn servers_without_http2_are_errors() {
    let http1 = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n";
    assert_eq!(error_of_words(http1), "HttpProtocolError");
    assert_eq!(error_of_words(b"220 smtp.example ESMTP ready and willing\r\n"), "HttpProtocolError");
    assert_eq!(error_of_words(b""), "ConnectionTerminated");
    // SETTINGS, then three bytes of a HEADERS frame with a length of eight.
    let cut = &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 1, 4, 0, 0, 0, 1, 0x88, 0x88, 0x88];
    assert_eq!(error_of_words(cut), "ConnectionTerminated");
}

#[test]
fn end_of_the_connection_is_not_the_end_of_a_response() {
    let (_client, mut exchange, mut connection, stream) = begin("GET", |request| request);
    connection.head(stream, &[(":status", "200")], 0);
    connection.data(stream, b"half of", 0);
    assert_eq!(exchange.data(), "half of");
    drop(connection);
    assert_eq!(exchange.rest().1, Err("ConnectionTerminated".to_owned()));
}

#[test]
fn early_response_is_received_although_the_server_closes() {
    let server = RawServer::listen();
    let client = Client::start();
    let exchange = client.send(&Request::new("POST", &server.url("/")).content(10_000_000));
    let mut connection = server.accept_with(&[(setting::INITIAL_WINDOW_SIZE, 10_000_000)]);
    let stream = connection.request().stream;
    connection.wire.send(kind::WINDOW_UPDATE, 0, 0, &10_000_000_u32.to_be_bytes());
    connection.head(stream, &[(":status", "413")], 0);
    connection.data(stream, &[b'x'; 30_000], flag::END_STREAM);
    // Input is still unread, so this resets the connection, and the client's next write fails.
    drop(connection);
    let response = exchange.response().unwrap();
    assert_eq!((response.status, response.content.octets, response.end), (413, 30_000, Ok(None)));
}

#[test]
fn protocol_violation_ends_all_responses() {
    let server = RawServer::listen();
    let client = Client::start();
    let (one, two) = (client.get(&server.url("/")), client.get(&server.url("/")));
    let mut connection = server.accept();
    connection.request();
    connection.request();
    // DATA on stream 0 (RFC 9113, 6.1).
    connection.data(0, b"to whom it may concern", 0);
    let go_away = connection.next(kind::GOAWAY).expect("GOAWAY");
    assert_eq!(go_away.payload[4..8], [0, 0, 0, 1], "PROTOCOL_ERROR");
    for exchange in [one, two] {
        assert_eq!(exchange.response().unwrap_err(), "HttpProtocolError");
    }
}

#[test]
fn connect_timeout_is_reported() {
    block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        // A listener with a full queue leaves further connections unanswered.
        let mut queue = Vec::new();
        let patience = std::time::Duration::from_millis(200);
        while let Ok(connection) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            queue.push(connection.unwrap());
        }
        let request = Request::new("GET", &format!("http://{address}/")).option("connect-timeout", "100");
        assert_eq!(Client::start().send(&request).response().unwrap_err(), "ConnectionTimeout");
    });
}

#[test]
fn first_byte_timeout_is_reported() {
    let server = RawServer::listen();
    let client = Client::start();
    let request = Request::new("GET", &server.url("/")).option("first-byte-timeout", "100");
    let exchange = client.send(&request);
    let mut connection = server.accept();
    let stream = connection.request().stream;
    assert_eq!(exchange.response().unwrap_err(), "ConnectionReadTimeout");
    assert_eq!(connection.reset_by_peer(), (stream, 8), "CANCEL");

    let exchange = client.send(&request.option("first-byte-timeout", "60000"));
    let stream = connection.request().stream;
    connection.respond(stream, "200");
    assert_eq!(exchange.response().unwrap().status, 200, "the connection remains usable");
}

#[test]
fn between_bytes_timeout_is_reported() {
    let (_client, mut exchange, mut connection, stream) =
        begin("GET", |request| request.option("between-bytes-timeout", "300"));
    connection.head(stream, &[(":status", "200")], 0);
    connection.data(stream, b"one", 0);
    assert_eq!(exchange.data(), "one");
    connection.data(stream, b"two", 0);
    assert_eq!(exchange.data(), "two");
    assert_eq!(exchange.rest_end(), Err("ConnectionReadTimeout".to_owned()));
    assert_eq!(connection.reset_by_peer(), (stream, 8), "CANCEL");
}

#[test]
fn malformed_response_resets_only_its_stream() {
    let ok = (":status", "200");
    let heads: &[&[(&str, &str)]] = &[
        &[],
        &[("x", "no status")],
        &[ok, ok],
        &[(":status", "2000")],
        &[(":status", "ok")],
        &[("x", "before"), ok],
        &[ok, (":path", "/")],
        &[ok, (":unknown", "x")],
        &[ok, ("Upper", "case")],
        &[ok, ("bad name", "x")],
        &[ok, ("", "x")],
        &[ok, ("x", "line\nbreak")],
        &[ok, ("x", "carriage\rreturn")],
        &[ok, ("x", "nul\0")],
        &[ok, ("x", " space")],
        &[ok, ("connection", "close")],
        &[ok, ("transfer-encoding", "chunked")],
        &[ok, ("keep-alive", "1")],
        &[ok, ("upgrade", "h2c")],
        &[ok, ("content-length", "many")],
        &[ok, ("content-length", "5")],
        &[(":status", "101")],
    ];
    let server = RawServer::listen();
    let client = Client::start();
    let good = client.get(&server.url("/"));
    let mut connection = server.accept();
    let kept = connection.request().stream;
    for head in heads {
        let exchange = client.get(&server.url("/"));
        let stream = connection.request().stream;
        connection.head(stream, head, flag::END_STREAM);
        assert_eq!(exchange.response().unwrap_err(), "HttpProtocolError", "{head:?}");
        assert_eq!(connection.reset_by_peer(), (stream, 1), "{head:?}: PROTOCOL_ERROR");
    }
    connection.respond(kept, "200");
    assert_eq!(good.response().unwrap().status, 200, "the connection remains usable");
}

#[test]
fn malformed_content_or_trailers_reset_only_their_stream() {
    type Send = fn(&mut Connection, u32);
    let cases: [(&str, Send); 6] = [
        ("more than Content-Length", |connection, stream| connection.data(stream, b"123456", 0)),
        ("less than Content-Length", |connection, stream| connection.data(stream, b"1234", flag::END_STREAM)),
        ("trailers before the end of the content", |connection, stream| {
            connection.head(stream, &[("a", "b")], flag::END_STREAM);
        }),
        ("trailers without END_STREAM", |connection, stream| connection.head(stream, &[("a", "b")], 0)),
        ("a pseudo-header field in trailers", |connection, stream| {
            connection.data(stream, b"12345", 0);
            connection.head(stream, &[(":status", "200")], flag::END_STREAM);
        }),
        ("a connection-specific field in trailers", |connection, stream| {
            connection.data(stream, b"12345", 0);
            connection.head(stream, &[("connection", "close")], flag::END_STREAM);
        }),
    ];
    let server = RawServer::listen();
    let client = Client::start();
    let good = client.get(&server.url("/"));
    let mut connection = server.accept();
    let kept = connection.request().stream;
    for (defect, send) in cases {
        let mut exchange = client.get(&server.url("/"));
        let stream = connection.request().stream;
        connection.head(stream, &[(":status", "200"), ("content-length", "5")], 0);
        assert_eq!(exchange.head().unwrap().0, 200, "{defect}");
        send(&mut connection, stream);
        assert_eq!(exchange.rest_end(), Err("HttpProtocolError".to_owned()), "{defect}");
        assert_eq!(connection.reset_by_peer(), (stream, 1), "{defect}: PROTOCOL_ERROR");
    }
    connection.respond(kept, "200");
    assert_eq!(good.response().unwrap().status, 200, "the connection remains usable");
}

#[test]
fn content_before_a_head_is_malformed() {
    let (_client, exchange, mut connection, stream) = begin("GET", |request| request);
    connection.data(stream, b"too early", 0);
    assert_eq!(exchange.response().unwrap_err(), "HttpProtocolError");
    assert_eq!(connection.reset_by_peer(), (stream, 1), "PROTOCOL_ERROR");
}

#[test]
fn oversized_sections_are_told_apart() {
    let long = "v".repeat(15_000);
    let fields = [("x-one", long.as_str()), ("x-two", &long), ("x-three", &long)];
    let block = |head: &[(&str, &str)]| http2_test_support::block(&[head, &fields].concat());
    let server = RawServer::listen();
    let client = Client::start();
    let mut exchange = client.get(&server.url("/"));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    connection.large_section(stream, &block(&[(":status", "200")]));
    assert_eq!(exchange.head().unwrap_err(), "HttpResponseHeaderSectionSize(None)");

    let mut exchange = client.get(&server.url("/"));
    let stream = connection.request().stream;
    connection.head(stream, &[(":status", "200")], 0);
    assert_eq!(exchange.head().unwrap().0, 200);
    connection.large_section(stream, &block(&[]));
    assert_eq!(exchange.rest_end(), Err("HttpResponseTrailerSectionSize(None)".to_owned()));
}

#[test]
fn silent_server_is_pinged_at_most_once() {
    let (_client, mut exchange, mut connection, stream) = begin("POST", |request| request.with("open"));
    let mut pings = 0;
    for _ in 0..20 {
        exchange.more(1_000);
        let mut arrived = 0;
        while arrived < 1_000 {
            // The wire acknowledges PING; the server sends nothing else.
            let frame = connection.wire.receive().unwrap();
            match (frame.kind, frame.flags & flag::ACK) {
                (kind::DATA, _) => arrived += frame.payload.len(),
                (kind::PING, 0) => pings += 1,
                _ => {}
            }
        }
    }
    assert!(pings <= 1, "{pings}");
    connection.respond(stream, "200");
    assert_eq!(exchange.head().unwrap().0, 200);
}
