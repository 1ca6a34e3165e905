//! Requests and responses between two engines (RFC 9113, 8).

use core::time::Duration;

use bytes::Bytes;

use super::pair::{Pair, request, response};
use super::raw::{Raw, id, requests};
use crate::error::{Malformed, SendError};
use crate::{Config, ErrorCode, Event, FieldSection, Initiator, Read, State, StreamId};

fn section(fields: &[(&str, &str)]) -> FieldSection {
    let mut section = FieldSection::new();
    fields.iter().for_each(|(name, value)| section.push(name.as_bytes(), value.as_bytes()));
    section
}

/// Creates a pair, sends a request from client to server, and returns its stream.
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
fn trailers_follow_content_in_both_directions() {
    let (mut pair, id) = with_request("POST", false);
    let trailers = section(&[("checksum", "0123")]);
    pair.client.send_data(id, &mut data(b"question"), false).unwrap();
    pair.client.send_trailers(id, &trailers).unwrap();
    pair.server.send_response(id, &response(200), false).unwrap();
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
fn sending_empty_trailers_just_ends_the_stream() {
    let (mut pair, id) = with_request("POST", false);
    pair.client.send_trailers(id, &FieldSection::new()).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.server.read(id, 100), Ok(Read::End)));
}

#[test]
fn empty_trailers_arrive_as_such() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.headers(1, true, &FieldSection::new());
    assert!(matches!(raw.engine.read(id(1), 100), Ok(Read::Trailers(trailers)) if trailers.is_empty()));
    assert!(matches!(raw.engine.read(id(1), 100), Ok(Read::End)));
}

/// Reads at most `max` bytes at a time, until there is no content.
fn sizes(raw: &mut Raw, max: usize) -> Vec<usize> {
    let read = || match raw.engine.read(id(1), max) {
        Ok(Read::Data(piece)) => Some(piece.len()),
        _ => None,
    };
    std::iter::from_fn(read).collect()
}

#[test]
fn frames_are_kept_apart_if_the_caller_wants_that() {
    for (keep_frames, max, expected) in [
        (false, usize::MAX, &[3, 9, 1][..]),
        (true, usize::MAX, &[3, 4, 5, 1]),
        (true, 2, &[2, 1, 2, 2, 2, 2, 1, 1]),
    ] {
        let mut raw = Raw::server(Config { keep_frames, ..Config::default() });
        raw.post(1);
        for octets in [3, 0, 4, 5] {
            raw.data(1, octets, false);
        }
        let mut read = sizes(&mut raw, max);
        raw.data(1, 1, true);
        read.extend(sizes(&mut raw, max));
        assert_eq!(read, expected);
        assert!(matches!(raw.engine.read(id(1), max), Ok(Read::End)));
    }
}

#[test]
fn frame_that_is_kept_apart_is_read_once_it_is_complete() {
    let mut raw = Raw::server(Config { keep_frames: true, ..Config::default() });
    raw.post(1);
    raw.recv(b"\0\0\x06\0\0\0\0\0\x01abc");
    assert!(matches!(raw.engine.read(id(1), 10), Ok(Read::Blocked)));
    raw.recv(b"def\0\0\x02\0\0\0\0\0\x01g");
    assert!(matches!(raw.engine.read(id(1), 10), Ok(Read::Data(frame)) if frame == "abcdef"));
    assert!(matches!(raw.engine.read(id(1), 10), Ok(Read::Blocked)));
    raw.engine.recv_end(raw.now);
    assert!(raw.engine.read(id(1), 10).is_err(), "the rest of the frame is lost");
}

#[test]
fn empty_end_is_known() {
    let mut raw = Raw::server(Config::default());
    for (stream, octets) in [(1, 0), (3, 5)] {
        raw.post(stream);
        raw.data(stream, 5, false);
        raw.data(stream, octets, true);
        assert_eq!(raw.engine.has_empty_end(id(stream)), octets == 0);
    }
}

#[test]
fn connect_without_a_port_is_refused_unless_allowed() {
    for connect_without_port in [false, true] {
        let mut raw = Raw::server(Config { connect_without_port, ..Config::default() });
        raw.headers(1, false, &section(&[(":method", "CONNECT"), (":authority", "localhost")]));
        assert_eq!(requests(&raw.events()) == 1, connect_without_port);
    }
}

#[test]
fn trailers_count_towards_the_transmit_limit() {
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
    while pair.client.poll_transmit(pair.now, &mut octets, 10_000) > 0 {
        assert!(octets.len() < 4_000, "{} bytes in one call", octets.len());
        octets.clear();
    }
    assert!(pair.client.is_flushed());
}

#[test]
fn content_fills_the_transmit_limit() {
    let (mut pair, id) = with_request("POST", false);
    pair.client.send_data(id, &mut data(&[7; 100_000]), true).unwrap();
    let mut transmit = |max| pair.client.poll_transmit(pair.now, &mut Vec::new(), max);
    assert_eq!(transmit(65_483), 65_483);
    assert_eq!(transmit(35_000), 2 * (9 + 16_384), "the rest is too little for a frame of its own");
    assert_eq!(transmit(0), 0);
    assert_eq!(transmit(1), 9 + 1_785, "content that comes first takes a whole frame");
}

#[test]
fn trailers_without_content() {
    let (mut pair, id) = with_request("GET", true);
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.server.send_trailers(id, &section(&[("grpc-status", "0")])).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: false, .. })));
    assert!(matches!(pair.client_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Trailers(_))));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
}

#[test]
fn informational_responses_precede_the_response() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.send_informational(id, &response(100)).unwrap();
    pair.server.send_informational(id, &section(&[(":status", "103"), ("link", "</style.css>")])).unwrap();
    pair.server.send_response(id, &response(200), true).unwrap();
    pair.run();
    let status = |event| match event {
        Some(Event::Informational { head, .. } | Event::Response { head, .. }) => head.status(),
        other => panic!("{other:?}"),
    };
    let statuses = [(); 3].map(|()| status(pair.client_event()));
    assert_eq!(statuses, [Some(100), Some(103), Some(200)]);
    assert_eq!(pair.server.send_informational(id, &response(100)), Err(SendError::HeadSent));
}

#[test]
fn total_size_of_informational_responses_is_limited() {
    let client = Config { max_header_list_size: 1_000, ..Config::default() };
    let mut pair = Pair::with(client, Config::default());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    let hint = section(&[(":status", "103"), ("link", &"x".repeat(400))]);
    for _ in 0..3 {
        pair.server.send_informational(id, &hint).unwrap();
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
fn head_and_304_responses_have_no_content_despite_content_length() {
    let head = |status| section(&[(":status", status), ("content-length", "5")]);
    for (method, status) in [("HEAD", "200"), ("GET", "304"), ("HEAD", "404")] {
        let (mut pair, id) = with_request(method, true);
        pair.server.send_response(id, &head(status), false).unwrap();
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
fn connect_opens_a_tunnel() {
    let mut pair = Pair::new();
    let head = section(&[(":method", "CONNECT"), (":authority", "example.com:443")]);
    let id = pair.client.open(&head, false).unwrap();
    pair.client.send_data(id, &mut data(b"early"), false).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut data(b"hello"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server.read(id, 100), Ok(Read::Data(octets)) if octets == "early"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Data(octets)) if octets == "hello"));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
    let trailers = section(&[("checksum", "0123")]);
    assert_eq!(pair.client.send_trailers(id, &trailers), Err(SendError::Tunnel));
    pair.client.send_data(id, &mut Bytes::new(), true).unwrap();
    pair.run();
    assert!(pair.server.is_finished(id) || matches!(pair.server.read(id, 100), Ok(Read::End)));
}

#[test]
fn connect_request_cannot_have_trailers() {
    let mut raw = Raw::client(Config::default(), &[]);
    let head = section(&[(":method", "CONNECT"), (":authority", "example.com:443")]);
    let id = raw.engine.open(&head, false).unwrap();
    let trailers = section(&[("x-checksum", "0")]);
    assert_eq!(raw.engine.send_trailers(id, &trailers), Err(SendError::Tunnel));
}

#[test]
fn blocked_reader_is_woken_by_response_without_content() {
    let (mut pair, id) = with_request("GET", true);
    assert!(matches!(pair.client.read(id, 100), Ok(Read::Blocked)));
    pair.server.send_response(id, &response(204), true).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: true, .. })));
    assert!(matches!(pair.client_event(), Some(Event::Readable { .. })));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
}

#[test]
fn extended_connect_requires_the_servers_setting() {
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
    assert_eq!(pair.client.open(&head, false), refused, "the setting has not arrived yet");
    pair.run();
    let id = pair.client.open(&head, false).unwrap();
    pair.run();
    let Some(Event::Request { head, .. }) = pair.server_event() else { panic!() };
    assert_eq!(head.protocol(), Some(&b"websocket"[..]));
    pair.server.send_response(id, &response(200), false).unwrap();
    for end in [&mut pair.client, &mut pair.server] {
        end.send_data(id, &mut data(b"frame"), false).unwrap();
    }
    pair.run();
    for end in [&mut pair.client, &mut pair.server] {
        assert!(matches!(end.read(id, 100), Ok(Read::Data(octets)) if octets == "frame"));
    }
}

/// Creates a pair with an extended CONNECT that the server has accepted.
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
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { .. })));
    (pair, id)
}

/// Like FIN, END_STREAM leaves the other direction open; RST_STREAM with CANCEL acts like RST (RFC 8441, 5).
#[test]
fn extended_connect_ends_with_end_stream_or_cancel() {
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
fn response_may_precede_the_end_of_the_request() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.send_response(id, &response(413), true).unwrap();
    assert_eq!(pair.server.state(id), Some(State::HalfClosedLocal));
    pair.server.release(id);
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { end_stream: true, .. })));
    assert!(pair.client_event().is_none(), "the server lingers");
    pair.sleep(Duration::from_secs(1));
    let Some(Event::Reset { error, .. }) = pair.client_event() else { panic!() };
    assert_eq!((error.code, error.initiator), (ErrorCode::NO_ERROR, Initiator::Peer));
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)), "the response is complete nevertheless");
    assert_eq!(pair.client.send_data(id, &mut data(b"more"), true), Err(SendError::Reset(error)));
    pair.client.release(id);
    assert_eq!((pair.client.stream_count(), pair.server.stream_count()), (0, 0));
}

#[test]
fn released_stream_sends_remaining_content_before_reset() {
    let (mut pair, id) = with_request("POST", false);
    pair.server.send_response(id, &response(413), false).unwrap();
    let content = vec![7; 200_000];
    pair.server.send_data(id, &mut content.clone().into(), true).unwrap();
    pair.server.release(id);
    assert_eq!(pair.server.stream_count(), 1, "content is pending");
    pair.run();
    let mut received = Vec::new();
    while let Ok(Read::Data(piece)) = pair.client.read(id, usize::MAX) {
        received.extend_from_slice(&piece);
        pair.run();
    }
    assert!(received == content);
    assert!(matches!(pair.client.read(id, 100), Ok(Read::End)));
    assert_eq!(pair.client.state(id), Some(State::HalfClosedRemote), "the server lingers");
    pair.sleep(Duration::from_secs(1));
    assert_eq!((pair.server.stream_count(), pair.client.state(id)), (0, Some(State::Closed)));
}

#[test]
fn field_section_above_the_soft_limit_is_answered_with_431() {
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
fn large_field_sections_use_continuation() {
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

/// Cookie belongs to requests (RFC 6265, 4.2).
#[test]
fn cookies_of_responses_are_not_joined() {
    let (mut pair, id) = with_request("GET", true);
    let head = section(&[(":status", "200"), ("cookie", "a=1"), ("cookie", "b=2")]);
    pair.server.send_response(id, &head, true).unwrap();
    pair.run();
    let Some(Event::Response { head, .. }) = pair.client_event() else { panic!() };
    assert!(head.get_all(b"cookie").eq([&b"a=1"[..], b"b=2"]));
}

#[test]
fn messages_can_be_sent_unchecked() {
    let mut pair = Pair::with(Config { check_sent_messages: false, ..Config::default() }, Config::default());
    // Without scheme and authority, which the server rejects.
    pair.client.open(&section(&[(":method", "GET"), (":path", "/")]), true).unwrap();
    let id = pair.client.open(&request("POST", "/"), false).unwrap();
    pair.run();
    let errors: Vec<_> = std::iter::from_fn(|| pair.client_event()).collect();
    let [Event::Reset { error, .. }] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((error.code, error.initiator), (ErrorCode::PROTOCOL_ERROR, Initiator::Peer));

    // Fields are checked nevertheless.
    let mut head = request("GET", "/");
    head.push(b"connection", b"close");
    let refused = pair.client.open(&head, true).unwrap_err();
    assert_eq!(refused, crate::OpenError::Malformed(Malformed::ConnectionField));

    let mut head = request("POST", "/");
    head.push(b"content-length", b"3");
    let short = pair.client.open(&head, false).unwrap();
    pair.client.queue_data(short, data(b"12"), true).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Reset { id, .. }) if id == short));
    assert!(pair.client.takes_content(id), "other streams go on");
}
