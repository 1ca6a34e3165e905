//! Requests that a server certainly has not processed are sent again; no others are.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use host_tests::support::requests::{Client, Request, pattern};
use http2_test_support::{flag, kind};

use crate::h2_server::H2Server;
use crate::raw_server::{Connection, Head, RawServer};

/// NO_ERROR, REFUSED_STREAM, ENHANCE_YOUR_CALM (RFC 9113, 7).
const NO_ERROR: u32 = 0x0;
const REFUSED_STREAM: u32 = 0x7;
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// Receives a complete request, and returns its stream and its content.
fn whole_request(connection: &mut Connection) -> (u32, Vec<u8>) {
    let head = connection.request();
    let content = if head.end_stream { Vec::new() } else { connection.content(head.stream) };
    (head.stream, content)
}

/// The ways in which a server says that it has not processed a request.
fn refusals() -> [fn(&mut Connection, u32); 3] {
    [
        |connection, stream| connection.reset(stream, REFUSED_STREAM),
        |connection, _| connection.go_away(0, NO_ERROR),
        |connection, _| connection.go_away(0, ENHANCE_YOUR_CALM),
    ]
}

#[test]
fn unprocessed_request_is_sent_again() {
    for (number, refuse) in refusals().into_iter().enumerate() {
        for octets in [0, 1, 60_000] {
            let server = RawServer::listen();
            let client = Client::start();
            let request = Request::new("POST", &server.url("/"));
            let request =
                if octets == 0 { request } else { request.content(octets).option("trailer", "a: b") };
            let mut exchange = client.send(&request);
            let mut first = server.accept();
            let stream = first.request().stream;
            if octets > 0 {
                rest_of_request(&mut first, stream);
            }
            refuse(&mut first, stream);
            // A connection that remains open is used again.
            let mut second = if number == 0 { first } else { server.accept() };
            let stream = second.request().stream;
            if octets > 0 {
                let (content, trailers) = rest_of_request(&mut second, stream);
                assert_eq!(content, pattern(octets));
                assert_eq!((trailers.fields, trailers.end_stream), (vec!["a: b".to_owned()], true));
            }
            second.respond(stream, "200");
            assert_eq!(exchange.head().unwrap().0, 200);
            assert_eq!(exchange.sent(), "Ok");
        }
    }
}

/// Receives the content and trailers of a request.
fn rest_of_request(connection: &mut Connection, stream: u32) -> (Vec<u8>, Head) {
    let mut content = Vec::new();
    loop {
        let frame = connection.wire.receive().unwrap();
        match frame.kind {
            kind::DATA if frame.stream == stream => {
                content.extend(&frame.payload);
                // Keep the connection's window open; this test is not about it.
                let increment = u32::try_from(frame.payload.len()).unwrap().to_be_bytes();
                connection.wire.send(kind::WINDOW_UPDATE, 0, 0, &increment);
            }
            kind::HEADERS => return (content, Head::new(&frame)),
            _ => {}
        }
    }
}

#[test]
fn request_with_too_much_content_sent_is_not_sent_again() {
    let errors = ["ConnectionLimitReached", "HttpResponseIncomplete", "ConnectionLimitReached"];
    for (refuse, error) in refusals().into_iter().zip(errors) {
        let server = RawServer::listen();
        let client = Client::start();
        let exchange = client.send(&Request::new("POST", &server.url("/")).content(200_000));
        let mut first = server.accept();
        let stream = first.request().stream;
        first.wire.send(kind::WINDOW_UPDATE, 0, 0, &200_000_u32.to_be_bytes());
        first.wire.send(kind::WINDOW_UPDATE, 0, stream, &200_000_u32.to_be_bytes());
        let mut arrived = 0;
        while arrived < 100_000 {
            arrived += first.next(kind::DATA).unwrap().payload.len();
        }
        refuse(&mut first, stream);
        assert_eq!(exchange.response().unwrap_err(), error);
        assert!(server.try_accept().is_none(), "the request is not sent again");
    }
}

#[test]
fn request_is_sent_until_it_is_accepted() {
    let server = RawServer::listen();
    let client = Client::start();
    let first = client.get(&server.url("/"));
    let mut connection = server.accept();
    let stream = connection.request().stream;
    connection.respond(stream, "200");
    assert_eq!(first.response().unwrap().status, 200);
    let exchange = client.send(&Request::new("POST", &server.url("/")).content(10));
    // A connection gets no more requests after a second refusal, if its limit of streams was known to the client.
    for _ in 0..3 {
        for _ in 0..2 {
            let (stream, content) = whole_request(&mut connection);
            assert_eq!(content, pattern(10));
            connection.reset(stream, REFUSED_STREAM);
        }
        connection = server.accept();
    }
    let (stream, content) = whole_request(&mut connection);
    assert_eq!(content, pattern(10));
    connection.respond(stream, "200");
    assert_eq!(exchange.response().unwrap().status, 200);
}

#[test]
fn refused_request_fails_after_its_timeout() {
    let server = RawServer::listen();
    let client = Client::start();
    let mut exchange =
        client.send(&Request::new("GET", &server.url("/")).option("first-byte-timeout", "200"));
    thread::scope(|scope| {
        let (answered, answer) = mpsc::channel();
        scope.spawn(move || answered.send(exchange.head()));
        let error = loop {
            match answer.try_recv() {
                Ok(answer) => break answer.unwrap_err(),
                Err(_) => refuse_all(&server),
            }
        };
        assert!(matches!(error.as_str(), "ConnectionLimitReached" | "ConnectionReadTimeout"), "{error}");
    });
}

/// Accepts a connection if one is pending, and refuses every request on it.
fn refuse_all(server: &RawServer) {
    let Some(mut connection) = server.try_accept() else { return thread::sleep(Duration::from_millis(2)) };
    connection.wire.send(kind::SETTINGS, 0, 0, &[]);
    thread::spawn(move || {
        while let Some(frame) = connection.wire.receive() {
            if frame.kind == kind::HEADERS {
                connection.reset(frame.stream, REFUSED_STREAM);
            }
        }
    });
}

#[test]
fn every_request_succeeds_with_a_limit_of_one() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(1);
    let server = H2Server::start_with(builder);
    let client = Client::start();
    let request = Request::new("POST", &server.url("/")).content(1_000);
    let exchanges: Vec<_> = (0..200).map(|_| client.send(&request)).collect();
    for exchange in exchanges {
        assert_eq!(exchange.response().unwrap().content.octets, 1_000);
    }
    assert!(server.connections() <= 16, "{}", server.connections());
}

#[test]
fn goaway_does_not_affect_processed_requests() {
    let server = RawServer::listen();
    let client = Client::start();
    let processed = client.get(&server.url("/processed"));
    let mut first = server.accept();
    let stream = first.request().stream;
    let unprocessed = client.get(&server.url("/unprocessed"));
    first.request();
    first.go_away(stream, NO_ERROR);
    let mut second = server.accept();
    let head = second.request();
    assert_eq!(head.get(":path"), Some("/unprocessed"));
    second.respond(head.stream, "201");
    assert_eq!(unprocessed.response().unwrap().status, 201);
    first.head(stream, &[(":status", "202")], 0);
    first.data(stream, b"late", flag::END_STREAM);
    let response = processed.response().unwrap();
    assert_eq!((response.status, response.content.text.as_str()), (202, "late"));
    assert!(server.try_accept().is_none(), "no third connection is opened");
}

#[test]
fn requests_after_goaway_use_another_connection() {
    let server = RawServer::listen();
    let client = Client::start();
    let one = client.get(&server.url("/"));
    let mut first = server.accept();
    let stream = first.request().stream;
    first.go_away(0x7fff_ffff, NO_ERROR);
    first.wire.synchronise();
    let two = client.get(&server.url("/"));
    let mut second = server.accept();
    let other = second.request().stream;
    second.respond(other, "200");
    assert_eq!(two.response().unwrap().status, 200);
    first.respond(stream, "200");
    assert_eq!(one.response().unwrap().status, 200);
}

#[test]
fn possibly_processed_request_is_not_sent_again() {
    let ends: [fn(&mut Connection, u32); 2] =
        [|_, _| {}, |connection, stream| connection.go_away(stream, NO_ERROR)];
    for end in ends {
        let server = RawServer::listen();
        let client = Client::start();
        let exchange = client.get(&server.url("/"));
        let mut connection = server.accept();
        let stream = connection.request().stream;
        end(&mut connection, stream);
        drop(connection);
        assert_eq!(exchange.response().unwrap_err(), "ConnectionTerminated");
        assert!(server.try_accept().is_none(), "the request is not sent again");
    }
}

#[test]
fn refusal_does_not_affect_other_requests() {
    let server = RawServer::listen();
    let client = Client::start();
    let one = client.get(&server.url("/one"));
    let mut connection = server.accept();
    let kept = connection.request().stream;
    let two = client.send(&Request::new("POST", &server.url("/two")).content(10));
    let (refused, content) = whole_request(&mut connection);
    assert_eq!(content, pattern(10));
    connection.reset(refused, REFUSED_STREAM);
    let (stream, content) = whole_request(&mut connection);
    assert_eq!(content, pattern(10));
    connection.respond(stream, "200");
    assert_eq!(two.response().unwrap().status, 200);
    connection.respond(kept, "200");
    assert_eq!(one.response().unwrap().status, 200);
    assert!(server.try_accept().is_none(), "no other connection is opened");
}

#[test]
fn requests_continue_when_the_server_closes_connections() {
    let server = RawServer::listen();
    let client = Client::start();
    for _ in 0..20 {
        let exchange = client.get(&server.url("/"));
        let mut connection = server.accept();
        let stream = connection.request().stream;
        connection.respond(stream, "200");
        assert_eq!(exchange.response().unwrap().status, 200);
        // Close while the connection is idle, and while it has a request.
        let unprocessed = client.get(&server.url("/unprocessed"));
        connection.request();
        connection.go_away(stream, ENHANCE_YOUR_CALM);
        drop(connection);
        let mut connection = server.accept();
        let stream = connection.request().stream;
        connection.respond(stream, "200");
        assert_eq!(unprocessed.response().unwrap().status, 200);
        connection.go_away(stream, ENHANCE_YOUR_CALM);
        connection.wire.receive_all();
    }
}
