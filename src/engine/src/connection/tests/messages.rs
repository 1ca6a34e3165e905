//! Requests and responses of all shapes, from one engine to the other (RFC 9113, 8).

use core::time::Duration;

use bytes::Bytes;

use super::pair::{Pair, request, response};
use crate::error::{Malformed, SendError};
use crate::{Config, ErrorCode, Event, FieldSection, Initiator, Read, State, StreamId};

fn section(fields: &[(&str, &str)]) -> FieldSection {
    let mut section = FieldSection::new();
    fields.iter().for_each(|(name, value)| section.push(name.as_bytes(), value.as_bytes()));
    section
}

/// A pair that has exchanged a request, whose stream this is.
fn with_request(method: &str, end_stream: bool) -> (Pair, StreamId) {
    let mut pair = Pair::new();
    let id = pair.client.open(&request(method, "/"), end_stream).unwrap();
    pair.run();
    let Some(Event::Request { .. }) = pair.server_event() else { panic!() };
    (pair, id)
}

fn data(octets: &'static [u8]) -> Bytes {
    Bytes::from_static(octets)
}

#[test]
fn trailers_come_behind_the_content_in_both_directions() {
    let (mut pair, id) = with_request("POST", false);
    let trailers = section(&[("checksum", "0123")]);
    pair.client.send_data(id, &mut data(b"question"), false).unwrap();
    pair.client.send_trailers(id, &trailers).unwrap();
    pair.server.respond(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut data(b"answer"), false).unwrap();
    pair.server.send_trailers(id, &trailers).unwrap();
    pair.run();
    for end in [&mut pair.client, &mut pair.server] {
        assert!(matches!(end.read(id, 100), Ok(Read::Data(_))));
        let Ok(Read::Trailers(received)) = end.read(id, 100) else { panic!() };
        assert_eq!(received.get(b"checksum"), Some(&b"0123"[..]));
        assert!(matches!(end.read(id, 100), Ok(Read::End)));
        assert!(end.is_finished(id));
        end.release(id);
        assert_eq!((end.stream_count(), end.stats().streams_completed), (0, 1));
    }
}

#[test]
fn empty_trailers_are_the_mere_end() {
    let (mut pair, id) = with_request("POST", false);
    pair.client.send_trailers(id, &FieldSection::new()).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.server.read(id, 100), Ok(Read::End)));
}

#[test]
fn trailers_count_as_what_is_handed_out_in_one_go() {
    let mut pair = Pair::new();
    let mut trailers = FieldSection::new();
    trailers.push_never_indexed(b"checksum", &[b'~'; 1_000]);
    for _ in 0..20 {
        let id = pair.client.open(&request("POST", "/"), false).unwrap();
        pair.client.send_data(id, &mut data(b"x"), false).unwrap();
        pair.client.send_trailers(id, &trailers).unwrap();
    }
    let mut octets = Vec::new();
    pair.client.poll_transmit(pair.now, &mut octets, 1);
    octets.clear();
    while pair.client.poll_transmit(pair.now, &mut octets, 2_000) > 0 {
        assert!(octets.len() < 4_000, "{} octets in one go", octets.len());
        octets.clear();
    }
    assert!(pair.client.is_flushed());
}

#[test]
fn trailers_without_content() {
    let (mut pair, id) = with_request("GET", true);
    pair.server.respond(id, &response(200), false).unwrap();
    pair.server.send_trailers(id, &section(&[("grpc-status", "0")])).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: false, .. })));
    assert!(matches!(pair.client_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Trailers(_))));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
}

#[test]
fn any_number_of_informational_responses_precede_the_response() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.inform(id, &response(100)).unwrap();
    pair.server.inform(id, &section(&[(":status", "103"), ("link", "</style.css>")])).unwrap();
    pair.server.respond(id, &response(200), true).unwrap();
    pair.run();
    let status = |event| match event {
        Some(Event::Informational { head, .. } | Event::Response { head, .. }) => head.status(),
        other => panic!("{other:?}"),
    };
    let statuses = [(); 3].map(|()| status(pair.client_event()));
    assert_eq!(statuses, [Some(100), Some(103), Some(200)]);
    assert_eq!(
        pair.server.inform(id, &response(100)),
        Err(SendError::State("the response has begun already"))
    );
}

#[test]
fn informational_responses_together_are_no_larger_than_a_response_may_be() {
    let client = Config { max_header_list_size: 1_000, ..Config::default() };
    let mut pair = Pair::with(client, Config::default());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    let hint = section(&[(":status", "103"), ("link", &"x".repeat(400))]);
    for _ in 0..3 {
        pair.server.inform(id, &hint).unwrap();
    }
    pair.run();
    let events: Vec<_> = std::iter::from_fn(|| pair.client_event()).collect();
    let [Event::Informational { .. }, Event::Informational { .. }, Event::Reset { error, .. }] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(error.code, ErrorCode::ENHANCE_YOUR_CALM);
}

#[test]
fn some_responses_have_no_content_whatever_their_content_length() {
    let head = |status| section(&[(":status", status), ("content-length", "5")]);
    for (method, status) in [("HEAD", "200"), ("GET", "304"), ("HEAD", "404")] {
        let (mut pair, id) = with_request(method, true);
        pair.server.respond(id, &head(status), false).unwrap();
        assert_eq!(
            pair.server.send_data(id, &mut data(b"hello"), true),
            Err(SendError::Malformed(Malformed::UnexpectedContent)),
            "{method} {status}"
        );
        pair.server.send_data(id, &mut Bytes::new(), true).unwrap();
        pair.run();
        assert!(matches!(pair.client_event(), Some(Event::Response { .. })));
        assert!(matches!(pair.client.read(id, 100), Ok(Read::End)), "{method} {status}");
    }
}

#[test]
fn connect_makes_a_tunnel() {
    let mut pair = Pair::new();
    let head = section(&[(":method", "CONNECT"), (":authority", "example.com:443")]);
    let id = pair.client.open(&head, false).unwrap();
    pair.client.send_data(id, &mut data(b"early"), false).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    pair.server.respond(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut data(b"hello"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server.read(id, 100), Ok(Read::Data(octets)) if octets == "early"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Data(octets)) if octets == "hello"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
    let trailers = section(&[("checksum", "0123")]);
    assert!(matches!(pair.client.send_trailers(id, &trailers), Err(SendError::State(_))));
    pair.client.send_data(id, &mut Bytes::new(), true).unwrap();
    pair.run();
    assert!(pair.server.is_finished(id) || matches!(pair.server.read(id, 100), Ok(Read::End)));
}

#[test]
fn a_client_sends_no_trailers_on_connect() {
    let mut raw = super::raw::Raw::client(Config::default(), &[]);
    let head = section(&[(":method", "CONNECT"), (":authority", "example.com:443")]);
    let id = raw.engine.open(&head, false).unwrap();
    let trailers = section(&[("x-checksum", "0")]);
    assert!(matches!(raw.engine.send_trailers(id, &trailers), Err(SendError::State(_))));
}

#[test]
fn a_reader_that_was_blocked_hears_of_a_response_without_content() {
    let (mut pair, id) = with_request("GET", true);
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Blocked)));
    pair.server.respond(id, &response(204), true).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: true, .. })));
    assert!(matches!(pair.client_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
}

#[test]
fn extended_connect_needs_the_word_of_the_server() {
    let head = section(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/chat"),
    ]);
    let refused = Err(crate::OpenError::Malformed(Malformed::Protocol));
    let mut pair = Pair::new();
    pair.run();
    assert_eq!(pair.client.open(&head, false), refused);

    let server = Config { enable_connect_protocol: true, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server);
    assert_eq!(pair.client.open(&head, false), refused, "it has not come yet");
    pair.run();
    let id = pair.client.open(&head, false).unwrap();
    pair.run();
    let Some(Event::Request { head, .. }) = pair.server_event() else { panic!() };
    assert_eq!(head.protocol(), Some(&b"websocket"[..]));
    pair.server.respond(id, &response(200), false).unwrap();
    for end in [&mut pair.client, &mut pair.server] {
        end.send_data(id, &mut data(b"frame"), false).unwrap();
    }
    pair.run();
    for end in [&mut pair.client, &mut pair.server] {
        assert!(matches!(end.read(id, 100), Ok(Read::Data(octets)) if octets == "frame"));
    }
}

/// A pair with an extended CONNECT that the server has accepted.
fn with_websocket() -> (Pair, StreamId) {
    let head = section(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/chat"),
    ]);
    let server = Config { enable_connect_protocol: true, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server);
    pair.run();
    let id = pair.client.open(&head, false).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    pair.server.respond(id, &response(200), false).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { .. })));
    (pair, id)
}

/// RFC 8441, 5: END_STREAM is FIN, which leaves the other direction open, and RST_STREAM with CANCEL is RST.
#[test]
fn an_extended_connect_ends_as_tcp_does() {
    let (mut pair, id) = with_websocket();
    pair.client.send_data(id, &mut data(b"bye"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server.read(id, 100), Ok(Read::Data(octets)) if octets == "bye"));
    assert!(matches!(pair.server.read(id, 100), Ok(Read::End)));
    pair.server.send_data(id, &mut data(b"so long"), true).unwrap();
    pair.run();
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Data(octets)) if octets == "so long"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));

    let (mut pair, id) = with_websocket();
    pair.client.reset(id, ErrorCode::CANCEL);
    pair.run();
    let Some(Event::Reset { error, .. }) = pair.server_event() else { panic!() };
    assert_eq!((error.code, error.initiator), (ErrorCode::CANCEL, Initiator::Peer));
    assert_eq!(pair.server.close_reason(), None);
}

#[test]
fn a_response_may_come_before_the_request_is_complete() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.respond(id, &response(413), true).unwrap();
    assert_eq!(pair.server.state(id), Some(State::HalfClosedLocal));
    pair.server.release(id);
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: true, .. })));
    assert!(pair.client_event().is_none(), "the server reads on for a while");
    pair.sleep(Duration::from_secs(1));
    let Some(Event::Reset { error, .. }) = pair.client_event() else { panic!() };
    assert_eq!((error.code, error.initiator), (ErrorCode::NO_ERROR, Initiator::Peer));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)), "the response is complete all the same");
    assert_eq!(pair.client.send_data(id, &mut data(b"more"), true), Err(SendError::Reset(error)));
    pair.client.release(id);
    assert_eq!((pair.client.stream_count(), pair.server.stream_count()), (0, 0));
}

#[test]
fn content_that_is_still_to_be_sent_precedes_no_error() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.respond(id, &response(413), false).unwrap();
    let content = vec![7; 200_000];
    pair.server.send_data(id, &mut content.clone().into(), true).unwrap();
    pair.server.release(id);
    assert_eq!(pair.server.stream_count(), 1, "it has content to hand out");
    pair.run();
    let mut received = Vec::new();
    while let Ok(Read::Data(piece)) = pair.client.read(id, usize::MAX) {
        received.extend_from_slice(&piece);
        pair.run();
    }
    assert!(received == content);
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
    assert_eq!(pair.client.state(id), Some(State::HalfClosedRemote), "the server reads on for a while");
    pair.sleep(Duration::from_secs(1));
    assert_eq!((pair.server.stream_count(), pair.client.state(id)), (0, Some(State::Closed)));
}

#[test]
fn a_field_section_above_the_soft_limit_is_answered_and_the_connection_goes_on() {
    let server = Config { max_header_list_size: 1_000, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server);
    let mut head = request("GET", "/");
    head.push(b"cookie", &[b'x'; 1_000]);
    let large = pair.client.open(&head, true).unwrap();
    let small = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    let Some(Event::Response { id, head, end_stream: true }) = pair.client_event() else { panic!() };
    assert_eq!((id, head.status()), (large, Some(431)));
    assert!(matches!(pair.server_event(), Some(Event::Request { id, .. }) if id == small));
    assert!(pair.server_event().is_none());
}

#[test]
fn large_field_sections_go_in_continuation() {
    let mut pair = Pair::new();
    let mut head = request("GET", "/");
    for n in 0..7 {
        head.push(format!("x-{n}").as_bytes(), &[b'~'; 4_000]);
    }
    pair.client.open(&head, true).unwrap();
    pair.run();
    let Some(Event::Request { head: received, .. }) = pair.server_event() else { panic!() };
    assert!(received.iter().eq(head.iter()));
}

#[test]
fn cookie_crumbs_are_joined() {
    let mut pair = Pair::new();
    let mut head = request("GET", "/");
    head.push(b"cookie", b"a=1");
    head.push(b"cookie", b"b=2");
    pair.client.open(&head, true).unwrap();
    pair.run();
    let Some(Event::Request { head, .. }) = pair.server_event() else { panic!() };
    assert!(head.get_all(b"cookie").eq([&b"a=1; b=2"[..]]));
}
