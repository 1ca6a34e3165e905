//! The outcome must not depend on how the transport splits the input.

use bytes::Bytes;

use super::pair::request;
use super::raw::{Frame, Raw, raw_frame};
use crate::connection::input::PREFACE;
use crate::frame::{self, FrameType, Ping, flags};
use crate::hpack::Encoder;
use crate::{Config, Connection, Event, FieldSection, Read, StreamId};

/// Encodes a client's side of a connection: two requests, one of them with content, padding and trailers, in field
/// blocks of several frames; PING, PRIORITY and unknown frames, a reset; and a stream error at the end.
fn conversation() -> Vec<u8> {
    let mut out = PREFACE.to_vec();
    let mut encoder = Encoder::default();
    let mut block = |section: &FieldSection| {
        let mut block = Vec::new();
        encoder.encode(section, &mut block);
        block
    };
    frame::SettingsFrame::encode(&[(frame::SettingId::INITIAL_WINDOW_SIZE, 1_000)], &mut out);
    frame::SettingsFrame::encode_ack(&mut out);
    let head = block(&request("POST", "/upload"));
    raw_frame(&mut out, FrameType::HEADERS, 0, 1, &head[..3]);
    raw_frame(&mut out, FrameType::CONTINUATION, 0, 1, b"");
    raw_frame(&mut out, FrameType::CONTINUATION, flags::END_HEADERS, 1, &head[3..]);
    raw_frame(&mut out, FrameType::DATA, 0, 1, b"content");
    raw_frame(&mut out, FrameType::DATA, flags::PADDED, 1, b"\x04 in piecespad!");
    Ping { ack: false, opaque_data: *b"12345678" }.encode(&mut out);
    raw_frame(&mut out, FrameType(0xbb), 0, 0, b"unknown");
    raw_frame(&mut out, FrameType::DATA, flags::PADDED, 1, b"\x00");
    raw_frame(&mut out, FrameType::PRIORITY, 0, 1, b"\0\0\0\0\x07");
    let mut trailers = FieldSection::new();
    trailers.push(b"checksum", b"0123");
    let trailers = block(&trailers);
    raw_frame(&mut out, FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, 1, &trailers);
    let get = block(&request("GET", "/"));
    raw_frame(&mut out, FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, 3, &get);
    raw_frame(&mut out, FrameType::RST_STREAM, 0, 3, b"\0\0\0\x08");
    raw_frame(&mut out, FrameType::WINDOW_UPDATE, 0, 1, b"\0\0\0\x05");
    let post = block(&request("POST", "/"));
    raw_frame(&mut out, FrameType::HEADERS, flags::END_HEADERS, 5, &post);
    raw_frame(&mut out, FrameType::PRIORITY, 0, 5, b"four");
    raw_frame(&mut out, FrameType::DATA, flags::END_STREAM, 5, b"late");
    out
}

/// Feeds the pieces to a server and returns its events, the content read, and the frames sent.
fn outcome(pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>, Vec<Frame>) {
    let mut raw = Raw::silent_server(Config { unknown_frames: true, ..Config::default() });
    let mut events = Vec::new();
    for piece in pieces {
        raw.recv(piece);
        events.extend(raw.events().iter().map(|event| format!("{event:?}")));
    }
    // Whether the caller sees failed requests depends on when it polls.
    events.retain(|event| !event.contains("StreamId(3)") && !event.contains("StreamId(5)"));
    let mut content = Vec::new();
    let stream = StreamId::new(1).unwrap();
    loop {
        match raw.engine.read(stream, 5).unwrap() {
            Read::Data(piece) => content.extend_from_slice(&piece),
            Read::End => break,
            other => events.push(format!("{other:?}")),
        }
    }
    (events, content, raw.sent())
}

#[test]
fn outcome_is_independent_of_input_splits() {
    let octets = conversation();
    let whole = outcome(&[&octets]);
    assert_eq!(whole.1, b"content in pieces");
    assert_eq!(whole.0.len(), 4, "{:#?}", whole.0);
    assert!(matches!(whole.2[..], [Frame::Settings(_), .., Frame::Reset { id: 5, .. }, Frame::Pong(_)]));
    for size in 1..40 {
        let pieces: Vec<_> = octets.chunks(size).collect();
        assert_eq!(outcome(&pieces), whole, "in pieces of {size}");
    }
    for at in 0..octets.len() {
        assert_eq!(outcome(&[&octets[..at], &octets[at..]]), whole, "cut at {at}");
    }
}

#[test]
fn recv_takes_a_limited_number_of_frames_per_call() {
    let mut config = Config::default();
    config.limits.frames_per_recv = 3;
    let mut engine = Connection::server(config).unwrap();
    let mut input = Bytes::from(conversation());
    let mut calls = 0;
    while !input.is_empty() {
        let taken = engine.recv(crate::Time::from_nanos(1), &mut input);
        assert!(taken > 0, "each call makes progress");
        calls += 1;
    }
    assert!(calls > 5);
}

#[test]
fn recv_takes_no_input_while_events_or_output_are_pending() {
    let mut raw = Raw::server(Config::default());
    raw.engine.config.limits.events = 2;
    let mut octets = Vec::new();
    for stream in [1, 3, 5] {
        let block = raw.block(&request("GET", "/"));
        raw_frame(&mut octets, FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, stream, &block);
    }
    let whole = octets.len();
    let mut input = Bytes::from(octets);
    let taken = raw.engine.recv(raw.now, &mut input);
    assert!(!input.is_empty(), "two events are pending");
    assert_eq!(raw.events().len(), 2);
    assert_eq!(taken + raw.engine.recv(raw.now, &mut input), whole);
    assert!(input.is_empty());
    assert!(matches!(raw.events()[..], [Event::Request { .. }]));

    let mut raw = Raw::server(Config::default());
    raw.engine.config.limits.control_bytes = 40;
    let mut octets = Vec::new();
    for _ in 0..5 {
        Ping { ack: false, opaque_data: *b"12345678" }.encode(&mut octets);
    }
    let mut input = Bytes::from(octets);
    assert_eq!(raw.engine.recv(raw.now, &mut input), 3 * 17, "three replies are pending");
    assert_eq!(input.len(), 2 * 17);
    assert_eq!(raw.sent().len(), 3);
    assert_eq!(raw.engine.recv(raw.now, &mut input), 2 * 17);
    assert_eq!(raw.sent().len(), 2);
}
