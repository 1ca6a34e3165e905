//! What a server has surely not acted on is sent again, once; nothing else is.

use crate::raw_server::{Connection, RawServer};
use crate::requests::{Client, Request, pattern};
use crate::support::raw::{self, END_STREAM};

/// NO_ERROR, REFUSED_STREAM, ENHANCE_YOUR_CALM (RFC 9113, 7).
const NO_ERROR: u32 = 0x0;
const REFUSED_STREAM: u32 = 0x7;
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// Receives a request whole: its path and its content.
fn whole_request(connection: &mut Connection) -> (u32, Vec<u8>) {
    let head = connection.request();
    let content = if head.end_stream { Vec::new() } else { connection.content(head.stream) };
    (head.stream, content)
}

/// How a server says that it has not acted on a request.
fn refusals() -> [fn(&mut Connection, u32); 3] {
    [
        |connection, stream| connection.reset(stream, REFUSED_STREAM),
        |connection, _| connection.go_away(0, NO_ERROR),
        |connection, _| connection.go_away(0, ENHANCE_YOUR_CALM),
    ]
}

#[test]
fn an_unprocessed_request_is_sent_again_on_a_new_connection() {
    for refuse in refusals() {
        for octets in [0, 1, 60_000] {
            let server = RawServer::listen();
            let client = Client::start();
            let request = Request::new("POST", &server.url("/"));
            let request =
                if octets == 0 { request } else { request.content(octets).option("trailer", "a: b") };
            let mut exchange = client.send(&request);
            let mut first = server.accept();
            let stream = if octets > 1 {
                let head = first.request();
                let mut arrived = 0;
                while arrived < octets {
                    arrived += first.next(raw::DATA).unwrap().payload.len();
                }
                head.stream
            } else {
                first.request().stream
            };
            refuse(&mut first, stream);
            let mut second = server.accept();
            let stream = second.request().stream;
            if octets > 0 {
                let mut content = Vec::new();
                let trailers = loop {
                    let frame = second.wire.receive().unwrap();
                    match frame.kind {
                        raw::DATA => content.extend(frame.payload),
                        raw::HEADERS => break second.head_of(&frame),
                        _ => {}
                    }
                };
                assert_eq!(content, pattern(octets));
                assert_eq!((trailers.fields, trailers.end_stream), (vec!["a: b".to_owned()], true));
            }
            second.respond(stream, "200");
            assert_eq!(exchange.head().unwrap().0, 200);
            assert_eq!(exchange.sent(), "Ok");
        }
    }
}

#[test]
fn a_request_of_which_too_much_has_gone_is_not_sent_again() {
    let errors = ["ConnectionLimitReached", "HttpResponseIncomplete", "ConnectionLimitReached"];
    for (refuse, error) in refusals().into_iter().zip(errors) {
        let server = RawServer::listen();
        let client = Client::start();
        let exchange = client.send(&Request::new("POST", &server.url("/")).content(200_000));
        let mut first = server.accept();
        let stream = first.request().stream;
        first.wire.send(raw::WINDOW_UPDATE, 0, 0, &200_000_u32.to_be_bytes());
        first.wire.send(raw::WINDOW_UPDATE, 0, stream, &200_000_u32.to_be_bytes());
        let mut arrived = 0;
        while arrived < 100_000 {
            arrived += first.next(raw::DATA).unwrap().payload.len();
        }
        refuse(&mut first, stream);
        assert_eq!(exchange.response().unwrap_err(), error);
        assert!(server.try_accept().is_none(), "it is not tried again");
    }
}

#[test]
fn a_request_that_is_refused_twice_fails() {
    let server = RawServer::listen();
    let client = Client::start();
    let exchange = client.get(&server.url("/"));
    for _ in 0..2 {
        let mut connection = server.accept();
        let stream = connection.request().stream;
        connection.reset(stream, REFUSED_STREAM);
    }
    assert_eq!(exchange.response().unwrap_err(), "ConnectionLimitReached");
    assert!(server.try_accept().is_none(), "it is not tried a third time");
}

#[test]
fn a_goaway_leaves_alone_what_the_server_processes() {
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
    first.data(stream, b"late", END_STREAM);
    let response = processed.response().unwrap();
    assert_eq!((response.status, response.content.text.as_str()), (202, "late"));
    assert!(server.try_accept().is_none(), "there is no third connection");
}

#[test]
fn after_a_goaway_requests_go_on_another_connection() {
    let server = RawServer::listen();
    let client = Client::start();
    let one = client.get(&server.url("/"));
    let mut first = server.accept();
    let stream = first.request().stream;
    first.go_away(0x7fff_ffff, NO_ERROR);
    first.synchronise();
    let two = client.get(&server.url("/"));
    let mut second = server.accept();
    let other = second.request().stream;
    second.respond(other, "200");
    assert_eq!(two.response().unwrap().status, 200);
    first.respond(stream, "200");
    assert_eq!(one.response().unwrap().status, 200);
}

#[test]
fn what_may_have_been_processed_is_not_sent_again() {
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
        assert!(server.try_accept().is_none(), "it is not tried again");
    }
}

#[test]
fn a_refusal_leaves_the_other_requests_alone() {
    let server = RawServer::listen();
    let client = Client::start();
    let one = client.get(&server.url("/one"));
    let mut first = server.accept();
    let kept = first.request().stream;
    let two = client.send(&Request::new("POST", &server.url("/two")).content(10));
    let (refused, content) = whole_request(&mut first);
    assert_eq!(content, pattern(10));
    first.reset(refused, REFUSED_STREAM);
    let mut second = server.accept();
    let (stream, content) = whole_request(&mut second);
    assert_eq!(content, pattern(10));
    second.respond(stream, "200");
    assert_eq!(two.response().unwrap().status, 200);
    first.respond(kept, "200");
    assert_eq!(one.response().unwrap().status, 200);
}
