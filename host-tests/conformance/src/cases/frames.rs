//! The preface, and frames of any type (RFC 9113, 3.4 and 4).

use crate::case::{Case, Expected, Role};
use http2_test_support::{GET, OK, code, data, flag, frame, headers, kind, literal, ping, settings};

/// The longest frame payload allowed by default.
const LONGEST: usize = 16_384;

pub(super) fn cases() -> Vec<Case> {
    [preface(), sizes(), unknown(), field_blocks()].concat()
}

fn preface() -> Vec<Case> {
    vec![
        Case::server(&["P1"], "input other than the preface")
            .without_preface()
            .send(*b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r")
            .closed(),
        Case::server(&["P1", "P3"], "an HTTP/1.1 request to upgrade")
            .without_preface()
            .send(*b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
            .closed(),
        Case::server(&["P1"], "a frame other than SETTINGS after the preface")
            .without_preface()
            .send([http2_test_support::PREFACE, &ping(*b"too soon")].concat())
            .connection_error(code::PROTOCOL_ERROR),
        Case::client(&["P1"], "a first frame other than SETTINGS")
            .without_preface()
            .send(ping(*b"too soon"))
            .connection_error(code::PROTOCOL_ERROR),
        Case::server(&["P1", "P2"], "a request directly after the preface and SETTINGS")
            .without_preface()
            .send_preface(&[])
            .send(headers(1, flag::END_STREAM, GET))
            .expect(Expected::SettingsAck)
            .expect(Expected::Response { stream: 1, status: "200" }),
        Case::client(&["P2"], "SETTINGS from the server")
            .without_preface()
            .send_preface(&[])
            .expect(Expected::SettingsAck),
    ]
}

fn sizes() -> Vec<Case> {
    let too_long = [0; LONGEST + 1];
    let mut cases = vec![
        Case::server(&["F1"], "DATA of maximum length, echoed")
            .send(headers(1, 0, http2_test_support::POST))
            .send(data(1, flag::END_STREAM, &too_long[1..]))
            .expect(Expected::Content { stream: 1, content: too_long[1..].to_vec() }),
        Case::client(&["F1"], "DATA of maximum length")
            .send(headers(1, 0, OK))
            .send(data(1, flag::END_STREAM, &too_long[1..]))
            .nothing(),
        Case::server(&["F2"], "overlong DATA")
            .send(headers(1, 0, http2_test_support::POST))
            .send(data(1, 0, &too_long))
            .stream_error(1, code::FRAME_SIZE_ERROR),
        Case::client(&["F2"], "overlong DATA")
            .send(headers(1, 0, OK))
            .send(data(1, 0, &too_long))
            .stream_error(1, code::FRAME_SIZE_ERROR),
    ];
    for role in [Role::Server, Role::Client] {
        for (name, octets) in [
            ("overlong HEADERS", frame(kind::HEADERS, flag::END_HEADERS, 1, &too_long)),
            ("overlong SETTINGS", frame(kind::SETTINGS, 0, 0, &[0; 16_386])),
            ("an overlong unknown frame on stream 0", frame(0xbb, 0, 0, &too_long)),
        ] {
            let case = Case::new(role, &["F2"], name);
            cases.push(case.send(octets).connection_error(code::FRAME_SIZE_ERROR));
        }
    }
    cases
}

fn unknown() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in [Role::Server, Role::Client] {
        let case = |requirements, name| Case::new(role, requirements, name);
        cases.extend([
            case(&["F3", "X17"], "frames of unknown types")
                .send(frame(0xbb, 0xff, 0, b"whatever"))
                .send(frame(0xbb, 0xff, 1, b"whatever"))
                .nothing(),
            case(&["F3", "F5"], "a frame of an unknown type inside a field block")
                .send(frame(kind::HEADERS, 0, 1, &[0x88]))
                .send(frame(0xbb, 0, 1, b""))
                .connection_error(code::PROTOCOL_ERROR),
            case(&["F4"], "unknown flags and the reserved bit")
                .send(frame(kind::PING, 0xfe, 1 << 31, b"reserved"))
                .send(frame(kind::SETTINGS, 0xfe, 1 << 31, b""))
                .nothing(),
        ]);
    }
    cases
}

fn field_blocks() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in [Role::Server, Role::Client] {
        let case = |requirements, name| Case::new(role, requirements, name);
        // The first byte of a valid head for the role.
        let begun = frame(kind::HEADERS, 0, 1, &[if role == Role::Server { 0x82 } else { 0x88 }]);
        for (name, octets) in [
            ("DATA inside a field block", data(1, 0, b"x")),
            ("SETTINGS inside a field block", settings(&[])),
            ("PING inside a field block", ping(*b"too soon")),
            (
                "CONTINUATION of another stream inside a field block",
                frame(kind::CONTINUATION, flag::END_HEADERS, 3, b""),
            ),
            ("another HEADERS inside a field block", frame(kind::HEADERS, flag::END_HEADERS, 1, b"")),
        ] {
            cases.push(
                case(&["F5"], name).send(begun.clone()).send(octets).connection_error(code::PROTOCOL_ERROR),
            );
        }
        cases.push(
            case(&["F6"], "a field block that cannot be decoded")
                .send(frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &[0x80]))
                .connection_error(code::COMPRESSION_ERROR),
        );
    }
    // The malformed request on stream 1 adds an entry to the dynamic table; the request on stream 3 refers to
    // it.
    let mut first = http2_test_support::block(GET);
    first.extend([&[0x40, 4][..], b"kept", &[5], b"value"].concat());
    first.extend(literal(b"Bad", b""));
    let mut second = http2_test_support::block(GET);
    second.push(0x80 | 62);
    cases.push(
        Case::server(&["F7"], "a field of a reset stream stays in the dynamic table")
            .send(frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &first))
            .stream_error(1, code::PROTOCOL_ERROR)
            .send(frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 3, &second))
            .expect(Expected::Response { stream: 3, status: "200" })
            .nothing(),
    );
    cases
}
