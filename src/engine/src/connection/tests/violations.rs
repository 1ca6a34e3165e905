//! Violations by the peer: the exact error code, and whether it is a stream or a connection error (RFC 9113, 5.4).

use super::pair::{request, response};
use super::raw::{Frame, Raw, id, raw_frame};
use crate::error::{Malformed, Violation};
use crate::frame::{FrameType, SettingId, flags};
use crate::{Config, ErrorCode, Event, FieldSection};

const END_HEADERS: u8 = flags::END_HEADERS;
const END_STREAM: u8 = flags::END_STREAM;

/// Creates a server that has answered stream 1, is processing streams 3 (open) and 5 (half-closed by the peer), and
/// has seen the peer reset stream 7.
fn busy_server() -> Raw {
    let mut raw = Raw::server(Config::default());
    raw.assert_serves(1);
    raw.post(3);
    raw.get(5);
    raw.get(7);
    raw.reset(7, ErrorCode::CANCEL);
    raw.sent();
    raw.events();
    raw
}

/// Creates a client with streams 1 (open) and 3 (half-closed by the client), on which the server has sent nothing.
fn busy_client() -> Raw {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("POST", "/"), false).unwrap();
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw
}

/// A frame as type, flags, stream and payload.
type Octets<'a> = (FrameType, u8, u32, &'a [u8]);

#[test]
fn frames_that_are_connection_errors_for_a_server() {
    use FrameType as T;
    use Violation::*;
    let zeros = vec![0; 16_385];
    let cases: &[(Octets, Violation)] = &[
        // Frames wrongly on stream 0 or wrongly on another stream.
        ((T::DATA, 0, 0, b"x"), StreamZero),
        ((T::HEADERS, END_HEADERS, 0, b"\x82"), StreamZero),
        ((T::PRIORITY, 0, 0, b"\0\0\0\0\0"), StreamZero),
        ((T::RST_STREAM, 0, 0, b"\0\0\0\0"), StreamZero),
        ((T::CONTINUATION, END_HEADERS, 0, b""), StreamZero),
        ((T::PUSH_PROMISE, END_HEADERS, 0, b"\0\0\0\x02"), StreamZero),
        ((T::SETTINGS, 0, 3, b""), NotStreamZero),
        ((T::PING, 0, 3, b"12345678"), NotStreamZero),
        ((T::GOAWAY, 0, 3, b"\0\0\0\0\0\0\0\0"), NotStreamZero),
        // Wrong lengths.
        ((T::SETTINGS, 0, 0, b"12345"), FrameLength),
        ((T::SETTINGS, flags::ACK, 0, b"\0\x03\0\0\0\x01"), FrameLength),
        ((T::PING, 0, 0, b"1234567"), FrameLength),
        ((T::PING, 0, 0, b"123456789"), FrameLength),
        ((T::GOAWAY, 0, 0, b"1234567"), FrameLength),
        ((T::RST_STREAM, 0, 3, b"\0\0\0"), FrameLength),
        ((T::WINDOW_UPDATE, 0, 3, b"\0\0\0\x01\0"), FrameLength),
        ((T::WINDOW_UPDATE, 0, 0, b"\0\0\x01"), FrameLength),
        ((T::HEADERS, END_HEADERS | flags::PRIORITY, 9, b"\0\0\0\0"), FrameLength),
        ((T::DATA, flags::PADDED, 3, b""), FrameLength),
        ((T::HEADERS, END_HEADERS, 9, &zeros), FrameTooLarge),
        ((T::SETTINGS, 0, 0, &zeros[..16_386 - 6]), TooManySettings),
        ((T::GOAWAY, 0, 0, &zeros), FrameTooLarge),
        ((T::PING, 0, 0, &zeros), FrameTooLarge),
        ((T(0xbb), 0, 0, &zeros), FrameTooLarge),
        ((T::DATA, 0, 9, &zeros), StreamFrameTooLarge),
        // Padding.
        ((T::DATA, flags::PADDED, 3, b"\x01"), PaddingTooLong),
        ((T::HEADERS, END_HEADERS | flags::PADDED, 9, b"\x02\x82"), PaddingTooLong),
        // Idle streams and invalid identifiers.
        ((T::DATA, 0, 9, b"x"), IdleStream),
        ((T::RST_STREAM, 0, 9, b"\0\0\0\x08"), IdleStream),
        ((T::WINDOW_UPDATE, 0, 9, b"\0\0\0\x01"), IdleStream),
        ((T::HEADERS, END_HEADERS, 2, b"\x82"), IdleStream),
        ((T::PRIORITY, 0, 9, b"\0\0\0"), PriorityLength),
        // A closed stream.
        ((T::HEADERS, END_HEADERS | END_STREAM, 1, b"\x82"), HeadersOnClosed),
        // Field blocks.
        ((T::CONTINUATION, END_HEADERS, 3, b"\x82"), UnexpectedContinuation),
        ((T::HEADERS, END_HEADERS, 9, b"\x80"), Compression),
        ((T::HEADERS, END_HEADERS, 9, b"\xff\xff\xff\xff\xff\xff"), Compression),
        ((T::HEADERS, END_HEADERS, 9, b"\x3f\xe2\x1f"), Compression),
        // SETTINGS.
        ((T::SETTINGS, 0, 0, b"\0\x02\0\0\0\x02"), BadSetting),
        ((T::SETTINGS, 0, 0, b"\0\x04\x80\0\0\0"), InitialWindowTooLarge),
        ((T::SETTINGS, 0, 0, b"\0\x05\0\0\x3f\xff"), BadSetting),
        ((T::SETTINGS, 0, 0, b"\0\x05\x01\0\0\0"), BadSetting),
        ((T::SETTINGS, 0, 0, b"\0\x08\0\0\0\x02"), BadSetting),
        ((T::SETTINGS, 0, 0, b"\0\x09\0\0\0\x01"), BadSetting),
        ((T::SETTINGS, flags::ACK, 0, b""), UnexpectedSettingsAck),
        // Windows.
        ((T::WINDOW_UPDATE, 0, 0, b"\0\0\0\0"), ZeroConnectionIncrement),
        ((T::WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), ConnectionWindowOverflow),
        // Roles.
        ((T::PUSH_PROMISE, END_HEADERS, 3, b"\0\0\0\x02\x82"), UnexpectedPush),
        ((T::PUSH_PROMISE, END_HEADERS, 3, b"\0\0\0\x03\x82"), BadStreamId),
        // RFC 9218, 7.1.
        ((T::PRIORITY_UPDATE, 0, 3, b"\0\0\0\x03"), BadPriorityUpdate),
        ((T::PRIORITY_UPDATE, 0, 0, b"\0\0\0\0"), BadPriorityUpdate),
        ((T::PRIORITY_UPDATE, 0, 0, b"\0\0\0\x02"), BadPriorityUpdate),
        ((T::PRIORITY_UPDATE, 0, 0, b"\0\0\0"), FrameLength),
    ];
    for &((kind, flags, stream, payload), violation) in cases {
        let mut raw = busy_server();
        raw.frame(kind, flags, stream, payload);
        raw.assert_failed(violation);
    }
}

#[test]
fn frames_that_are_connection_errors_for_a_client() {
    use FrameType as T;
    use Violation::*;
    let cases: &[(Octets, Violation)] = &[
        ((T::HEADERS, END_HEADERS, 5, b"\x88"), IdleStream),
        ((T::HEADERS, END_HEADERS, 2, b"\x88"), IdleStream),
        ((T::DATA, 0, 2, b"x"), IdleStream),
        ((T::PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02\x82"), UnexpectedPush),
        ((T::SETTINGS, 0, 0, b"\0\x02\0\0\0\x01"), BadSetting),
        ((T::PRIORITY_UPDATE, 0, 0, b"\0\0\0\x01u=1"), BadPriorityUpdate),
    ];
    for &((kind, flags, stream, payload), violation) in cases {
        let mut raw = busy_client();
        raw.frame(kind, flags, stream, payload);
        raw.assert_failed(violation);
    }
}

#[test]
fn frames_that_are_stream_errors() {
    use FrameType as T;
    use Violation::{
        PriorityLength, SelfDependency, StreamClosed, StreamFrameTooLarge, StreamWindowOverflow,
        ZeroStreamIncrement,
    };
    let zeros = vec![0; 16_385];
    let cases: &[(Octets, Violation)] = &[
        ((T::DATA, 0, 3, &zeros), StreamFrameTooLarge),
        ((T::DATA, flags::PADDED, 3, &zeros), StreamFrameTooLarge),
        ((T::PRIORITY, 0, 3, b"\0\0\0"), PriorityLength),
        ((T::PRIORITY, 0, 3, b"\0\0\0\x03\0"), SelfDependency),
        ((T::WINDOW_UPDATE, 0, 3, b"\0\0\0\0"), ZeroStreamIncrement),
        ((T::WINDOW_UPDATE, 0, 3, b"\x7f\xff\xff\xff"), StreamWindowOverflow),
        ((T::DATA, 0, 5, b"x"), StreamClosed),
        ((T::HEADERS, END_HEADERS | END_STREAM, 5, b""), StreamClosed),
        ((T::HEADERS, END_HEADERS, 3, b""), Violation::from(Malformed::TrailersWithoutEnd)),
        ((T::HEADERS, END_HEADERS | END_STREAM, 3, b"\x82"), Violation::from(Malformed::PseudoInTrailers)),
        // Streams closed by the peer's RST_STREAM, or by END_STREAM on both sides.
        ((T::DATA, 0, 7, b"x"), StreamClosed),
        ((T::HEADERS, END_HEADERS, 7, b""), StreamClosed),
        ((T::DATA, 0, 1, b"x"), StreamClosed),
    ];
    for &((kind, flags, stream, payload), violation) in cases {
        let mut raw = busy_server();
        let window = raw.engine.windows().receive;
        raw.frame(kind, flags, stream, payload);
        let closed = matches!(stream, 1 | 7);
        match raw.events()[..] {
            [] if closed => {}
            [Event::Reset { id: reset, error }] if !closed => {
                assert_eq!((reset.as_u32(), error.violation), (stream, Some(violation)));
            }
            ref events => panic!("{violation:?}: {events:?}"),
        }
        assert_eq!(raw.resets(), [(stream, violation.code())]);
        raw.assert_serves(9);
        let lacks = usize::try_from(window - raw.engine.windows().receive).unwrap();
        assert_eq!(lacks, if kind == T::DATA { payload.len() } else { 0 }, "DATA always counts");
    }
}

#[test]
fn frames_that_are_ignored() {
    use FrameType as T;
    let cases: &[Octets] = &[
        // Unknown types, flags and settings (RFC 9113, 4.1, 5.5 and 6.5.2).
        (T(0xbb), 0xff, 0, b"x"),
        (T(0xbb), 0xff, 9, b"x"),
        (T::SETTINGS, 0xfe, 0, b"\x7a\x7a\xff\xff\xff\xff"),
        // Frames that the peer may have sent before it knew that the stream was closed (RFC 9113, 5.1).
        (T::WINDOW_UPDATE, 0, 1, b"\0\0\0\x01"),
        (T::WINDOW_UPDATE, 0, 5, b"\0\0\0\x01"),
        (T::RST_STREAM, 0, 1, b"\0\0\0\x08"),
        (T::RST_STREAM, 0, 7, b"\0\0\0\x08"),
        // Deprecated priorities, in any state of the stream.
        (T::PRIORITY, 0, 1, b"\0\0\0\x05\0"),
        (T::PRIORITY, 0, 99, b"\x80\0\0\x05\0"),
        // Extensions meant for clients.
        (T::ALTSVC, 0, 0, b"\0\x01xy"),
        (T::ORIGIN, 0, 0, b"\0\x01x"),
        // A PING reply without a PING.
        (T::PING, flags::ACK, 0, b"12345678"),
    ];
    for &(kind, flags, stream, payload) in cases {
        let mut raw = busy_server();
        raw.frame(kind, flags, stream, payload);
        let sent = raw.sent();
        assert!(matches!(sent[..], [] | [Frame::SettingsAck]), "{kind:?} on {stream}: {sent:?}");
        assert!(raw.events().is_empty(), "{kind:?} on {stream}");
        raw.assert_serves(9);
    }
}

#[test]
fn interrupted_field_block_is_a_connection_error() {
    use FrameType as T;
    let others: &[Octets] = &[
        (T::DATA, 0, 3, b"x"),
        (T::DATA, 0, 3, &[0; 16_385]),
        (T::HEADERS, END_HEADERS, 11, b"\x82"),
        (T::CONTINUATION, END_HEADERS, 11, b"\x82"),
        (T::CONTINUATION, END_HEADERS, 0, b"\x82"),
        (T::PRIORITY, 0, 3, b"\0\0\0"),
        (T::PING, 0, 0, b"12345678"),
        (T::SETTINGS, 0, 0, b""),
        (T(0xbb), 0, 9, b"unknown"),
    ];
    for &(kind, flags, stream, payload) in others {
        let mut raw = busy_server();
        raw.frame(T::HEADERS, END_STREAM, 9, b"\x82");
        raw.frame(kind, flags, stream, payload);
        raw.assert_failed(Violation::FieldBlockInterrupted);
    }
}

#[test]
fn field_block_fragments_are_joined() {
    let mut raw = busy_server();
    let block = raw.block(&request("GET", "/in/pieces"));
    let (first, rest) = block.split_at(1);
    let (second, third) = rest.split_at(5);
    raw.frame(FrameType::HEADERS, END_STREAM, 9, first);
    raw.frame(FrameType::CONTINUATION, 0, 9, second);
    assert!(raw.events().is_empty());
    raw.frame(FrameType::CONTINUATION, END_HEADERS, 9, third);
    let [Event::Request { head, end_stream: true, .. }] = &raw.events()[..] else { panic!() };
    assert_eq!(head.path(), Some(&b"/in/pieces"[..]));
}

#[test]
fn first_frame_must_be_settings() {
    use FrameType as T;
    let others: &[Octets] = &[
        (T::PING, 0, 0, b"12345678"),
        (T::HEADERS, END_HEADERS, 1, b"\x82"),
        (T::SETTINGS, flags::ACK, 0, b""),
        (T(0xbb), 0, 0, b""),
    ];
    for &(kind, flags, stream, payload) in others {
        let mut server = Raw::silent_server(Config::default());
        server.recv(crate::connection::input::PREFACE);
        server.frame(kind, flags, stream, payload);
        server.assert_failed(Violation::FirstFrameNotSettings);
        let mut client = Raw::silent_client(Config::default());
        client.frame(kind, flags, stream, payload);
        client.assert_failed(Violation::FirstFrameNotSettings);
    }
}

#[test]
fn malformed_request_is_a_stream_error() {
    let field = |name: &str, value: &str| {
        let mut head = request("GET", "/");
        head.push(name.as_bytes(), value.as_bytes());
        head
    };
    let cases = [
        (field("Upper", "case"), Malformed::FieldName),
        (field("name", "va\nlue"), Malformed::FieldValue),
        (field("connection", "close"), Malformed::ConnectionField),
        (field(":path", "/late"), Malformed::DuplicatePseudo),
        (field("content-length", "1"), Malformed::ContentLengthMismatch),
        (field("host", "elsewhere.example"), Malformed::Host),
        (response(200), Malformed::UnknownPseudo),
        (FieldSection::new(), Malformed::MissingPseudo),
    ];
    let mut raw = busy_server();
    for (stream, (head, malformed)) in (9..).step_by(4).zip(cases) {
        raw.headers(stream, true, &head);
        assert!(raw.events().is_empty(), "{malformed:?} must not reach the caller");
        assert_eq!(raw.resets(), [(stream, ErrorCode::PROTOCOL_ERROR)], "{malformed:?}");
        raw.assert_serves(stream + 2);
    }
}

#[test]
fn malformed_response_is_a_stream_error() {
    let head = |fields: &[(&str, &str)]| {
        let mut head = FieldSection::new();
        fields.iter().for_each(|(name, value)| head.push(name.as_bytes(), value.as_bytes()));
        head
    };
    let cases = [
        (head(&[(":status", "101")]), true, Malformed::Status),
        (head(&[(":status", "20")]), true, Malformed::Status),
        (head(&[("x", "y")]), true, Malformed::MissingPseudo),
        (head(&[(":status", "100")]), true, Malformed::InformationalEnd),
        (head(&[(":status", "200"), ("content-length", "5")]), true, Malformed::ContentLengthMismatch),
        (head(&[(":status", "200"), ("transfer-encoding", "chunked")]), true, Malformed::ConnectionField),
        (request("GET", "/"), true, Malformed::UnknownPseudo),
    ];
    for (head, end_stream, malformed) in cases {
        let mut raw = busy_client();
        raw.headers(3, end_stream, &head);
        let [Event::Reset { error, .. }] = raw.events()[..] else { panic!("{malformed:?}") };
        assert_eq!(error.violation, Some(Violation::Malformed(malformed)));
        assert_eq!(raw.resets(), [(3, ErrorCode::PROTOCOL_ERROR)]);
        raw.respond(1, true);
        assert!(matches!(raw.events()[..], [Event::Response { end_stream: true, .. }]));
    }
}

#[test]
fn content_must_match_content_length_and_follow_the_head() {
    let mut head = request("POST", "/");
    head.push(b"content-length", b"5");
    let mut raw = Raw::server(Config::default());
    for (stream, sizes) in [(1, &[3, 3][..]), (3, &[4]), (5, &[6])] {
        raw.headers(stream, false, &head);
        for (piece, &size) in sizes.iter().enumerate() {
            raw.data(stream, size, piece + 1 == sizes.len());
        }
        assert_eq!(raw.resets(), [(stream, ErrorCode::PROTOCOL_ERROR)]);
    }
    raw.headers(7, false, &head);
    raw.data(7, 2, false);
    raw.headers(7, true, &FieldSection::new());
    assert_eq!(raw.resets(), [(7, ErrorCode::PROTOCOL_ERROR)], "trailers end the content too early");

    let mut raw = busy_client();
    raw.data(3, 5, false);
    let [Event::Reset { error, .. }] = raw.events()[..] else { panic!() };
    assert_eq!(error.violation, Some(Violation::DataBeforeHeaders));
    assert_eq!(raw.resets(), [(3, ErrorCode::PROTOCOL_ERROR)]);
}

#[test]
fn frames_on_locally_reset_streams_are_ignored_and_credited() {
    let mut raw = busy_server();
    let window = raw.engine.windows().receive;
    raw.engine.reset(id(3), ErrorCode::CANCEL);
    assert_eq!(raw.resets(), [(3, ErrorCode::CANCEL)]);
    for released in [false, true] {
        if released {
            raw.engine.release(id(3));
        }
        raw.data(3, 100, false);
        raw.headers(3, true, &FieldSection::new());
        raw.window_update(3, 1);
        raw.reset(3, ErrorCode::CANCEL);
        assert_eq!((raw.sent(), raw.events().len()), (Vec::new(), 0));
    }
    assert_eq!(raw.engine.windows().receive, window - 200, "credited with the next WINDOW_UPDATE");
    raw.assert_serves(9);
}

#[test]
fn data_beyond_a_servers_window_is_an_error() {
    let config = || Config { initial_window_size: 1_000, ..Config::default() };
    let mut raw = Raw::server(config());
    raw.post(1);
    raw.data(1, 1_000, false);
    assert!(raw.resets().is_empty(), "the window is exactly used up");
    raw.data(1, 1, false);
    assert_eq!(raw.resets(), [(1, ErrorCode::FLOW_CONTROL_ERROR)]);

    let mut raw = Raw::server(Config { connection_window: 65_535, ..Config::default() });
    raw.post(1);
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    raw.data(1, 16_383, false);
    assert!(raw.sent().is_empty(), "nothing was read, so nothing is credited");
    raw.data(1, 1, false);
    raw.assert_failed(Violation::ConnectionWindowExceeded);
}

#[test]
fn data_beyond_a_clients_window_is_an_error() {
    let config = || Config { initial_window_size: 1_000, ..Config::default() };
    let client = |config| {
        let mut raw = Raw::client(config, &[]);
        raw.engine.open(&request("GET", "/"), true).unwrap();
        raw.sent();
        raw.respond(1, false);
        raw
    };
    let mut raw = client(config());
    raw.data(1, 1_000, false);
    assert!(raw.resets().is_empty(), "the window is exactly used up");
    raw.data(1, 1, false);
    assert_eq!(raw.resets(), [(1, ErrorCode::FLOW_CONTROL_ERROR)]);

    let mut raw = client(Config { connection_window: 65_535, ..Config::default() });
    for _ in 0..3 {
        raw.data(1, 16_384, false);
    }
    raw.data(1, 16_383, false);
    assert!(raw.sent().is_empty(), "nothing was read, so nothing is credited");
    raw.data(1, 1, false);
    raw.assert_failed(Violation::ConnectionWindowExceeded);
}

/// After a response to CONNECT, only DATA and stream management frames are allowed (RFC 9113, 8.5).
#[test]
fn trailers_in_a_tunnel_are_a_stream_error() {
    let mut connect = FieldSection::new();
    connect.push(b":method", b"CONNECT");
    connect.push(b":authority", b"example.com:443");
    let mut trailers = FieldSection::new();
    trailers.push(b"checksum", b"0123");
    let mut server = Raw::server(Config::default());
    server.headers(1, false, &connect);
    server.engine.send_response(id(1), &response(200), false).unwrap();
    let mut client = Raw::client(Config::default(), &[]);
    client.engine.open(&connect, false).unwrap();
    client.respond(1, false);
    for mut raw in [server, client] {
        raw.sent();
        raw.data(1, 5, false);
        assert!(raw.resets().is_empty());
        raw.headers(1, true, &trailers);
        assert_eq!(raw.resets(), [(1, ErrorCode::PROTOCOL_ERROR)]);
        assert_eq!(raw.engine.close_reason(), None);
    }
}

#[test]
fn several_offences_in_one_read_are_handled_in_order() {
    let mut octets = Vec::new();
    raw_frame(&mut octets, FrameType::PRIORITY, 0, 3, b"\0\0\0");
    raw_frame(&mut octets, FrameType::DATA, 0, 5, b"x");
    raw_frame(&mut octets, FrameType::WINDOW_UPDATE, 0, 0, b"\0\0\0\0");
    let mut raw = busy_server();
    raw.recv(&octets);
    let resets = [(3, ErrorCode::FRAME_SIZE_ERROR), (5, ErrorCode::STREAM_CLOSED)];
    let sent = raw.sent();
    let [
        Frame::Reset { id: a, code: b },
        Frame::Reset { id: c, code: d },
        Frame::GoAway { last: 7, code, .. },
    ] = sent[..]
    else {
        panic!("{sent:?}")
    };
    assert_eq!(([(a, b), (c, d)], code), (resets, ErrorCode::PROTOCOL_ERROR));
}

#[test]
fn enable_connect_protocol_cannot_be_revoked() {
    let enabled = [(SettingId::ENABLE_CONNECT_PROTOCOL, 1)];
    let mut raw = Raw::client(Config::default(), &enabled);
    raw.settings(&enabled);
    raw.settings(&[(SettingId::ENABLE_CONNECT_PROTOCOL, 0)]);
    raw.assert_failed(Violation::BadSetting);
}
