//! Malformed frames on streams (RFC 9113, 6.1 to 6.4, 6.10).

use super::{ROLES, both, open, still_serves};
use crate::case::{Case, Expected, Role};
use http2_test_support::{
    GET, OK, block, code, data, flag, frame, headers, headers_block, kind, priority, rst_stream,
};

pub(super) fn cases() -> Vec<Case> {
    [on_stream_zero(), padding(), headers_with_priority(), priority_frames(), resets(), continuations()]
        .concat()
}

/// A valid head for the role, and the stream that it belongs on.
fn head(role: Role) -> (u32, Vec<u8>) {
    match role {
        Role::Server => (1, block(GET)),
        Role::Client => (1, block(OK)),
    }
}

fn on_stream_zero() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in ROLES {
        let (_, block) = head(role);
        let frames: [(&[_], _, _); 5] = [
            (&["D1"], "DATA on stream 0", data(0, 0, b"x")),
            (&["H1"], "HEADERS on stream 0", headers_block(0, flag::END_STREAM, &block)),
            (&["R1"], "PRIORITY on stream 0", priority(0, 1)),
            (&["R3"], "RST_STREAM on stream 0", rst_stream(0, code::CANCEL)),
            (&["C1"], "CONTINUATION on stream 0", frame(kind::CONTINUATION, flag::END_HEADERS, 0, &block)),
        ];
        for (requirements, name, octets) in frames {
            let case = Case::new(role, requirements, name);
            cases.push(case.send(octets).connection_error(code::PROTOCOL_ERROR));
        }
    }
    cases
}

fn padding() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, payload) in [
        ("DATA with padding as long as the payload", &[4, 0, 0, 0][..]),
        ("DATA with padding longer than the payload", &[5, 0, 0, 0]),
        ("DATA with only a nonzero Pad Length", &[1]),
    ] {
        cases.extend(both(&["D3"], name, |case| {
            let case = open(case).send(frame(kind::DATA, flag::PADDED, 1, payload));
            case.connection_error(code::PROTOCOL_ERROR)
        }));
    }
    cases.extend(both(&["F2"], "padded DATA without a Pad Length", |case| {
        open(case).send(frame(kind::DATA, flag::PADDED, 1, b"")).connection_error(code::FRAME_SIZE_ERROR)
    }));
    for role in ROLES {
        let (stream, block) = head(role);
        let length = u8::try_from(block.len()).expect("a small block");
        let case = |name| Case::new(role, &["D3"], name);
        let padded = |pad: u8, behind: &[u8]| {
            let flags = flag::PADDED | flag::END_HEADERS | flag::END_STREAM;
            frame(kind::HEADERS, flags, stream, &[&[pad], &block[..], behind].concat())
        };
        cases.push(
            case("HEADERS with padding longer than the payload")
                .send(padded(length + 1, b""))
                .connection_error(code::PROTOCOL_ERROR),
        );
        cases.push(
            Case::new(role, &["F2"], "padded HEADERS without a Pad Length")
                .send(frame(kind::HEADERS, flag::PADDED | flag::END_HEADERS, stream, b""))
                .connection_error(code::FRAME_SIZE_ERROR),
        );
        let right = case("padded HEADERS").send(padded(3, &[0; 3])).nothing();
        cases.push(match role {
            Role::Server => right.send(headers(3, flag::END_STREAM, GET)).expect(Expected::End { stream: 3 }),
            Role::Client => still_serves(right),
        });
    }
    cases
}

/// HEADERS with the PRIORITY flag and these bytes before the block.
fn with_priority(role: Role, fields: &[u8]) -> Vec<u8> {
    let (stream, block) = head(role);
    let flags = flag::PRIORITY | flag::END_STREAM;
    headers_block(stream, flags, &[fields, &block].concat())
}

fn headers_with_priority() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(both(&["H2"], "HEADERS too short for its priority", |case| {
        let octets = frame(kind::HEADERS, flag::PRIORITY | flag::END_HEADERS, 1, &[0; 4]);
        case.send(octets).connection_error(code::FRAME_SIZE_ERROR)
    }));
    cases.extend(both(&["H2", "X5"], "HEADERS with a priority", |case| {
        let octets = with_priority(case.role, &[0x80, 0, 0, 7, 255]);
        still_serves(case.send(octets).nothing())
    }));
    cases.extend(both(&["H2"], "HEADERS on a stream that depends on itself", |case| {
        let octets = with_priority(case.role, &[0, 0, 0, 1, 255]);
        still_serves(case.send(octets).stream_error(1, code::PROTOCOL_ERROR))
    }));
    cases
}

fn priority_frames() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, length) in [("PRIORITY of 4 bytes", 4), ("PRIORITY of 6 bytes", 6)] {
        cases.extend(both(&["R2"], name, |case| {
            let octets = frame(kind::PRIORITY, 0, 1, &[0; 6][..length]);
            still_serves(open(case).send(octets).stream_error(1, code::FRAME_SIZE_ERROR))
        }));
    }
    cases.extend(both(
        &["R2", "T9"],
        "PRIORITY of 4 bytes on an idle stream, where RST_STREAM is not allowed",
        |case| case.send(frame(kind::PRIORITY, 0, 101, &[0; 4])).connection_error(code::FRAME_SIZE_ERROR),
    ));
    cases.extend(both(&["R2"], "PRIORITY of a stream that depends on itself", |case| {
        still_serves(open(case).send(priority(1, 1)).stream_error(1, code::PROTOCOL_ERROR))
    }));
    cases
}

fn resets() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, length) in [("RST_STREAM of 3 bytes", 3), ("RST_STREAM of 5 bytes", 5)] {
        cases.extend(both(&["R4"], name, |case| {
            let octets = frame(kind::RST_STREAM, 0, 1, &[0; 5][..length]);
            open(case).send(octets).connection_error(code::FRAME_SIZE_ERROR)
        }));
    }
    for (name, stream) in
        [("RST_STREAM on an idle stream", 101), ("RST_STREAM on an idle server-initiated stream", 102)]
    {
        cases.extend(both(&["R3"], name, |case| {
            case.send(rst_stream(stream, code::CANCEL)).connection_error(code::PROTOCOL_ERROR)
        }));
    }
    cases
}

fn continuations() -> Vec<Case> {
    let continuation = |stream, block: &[u8]| frame(kind::CONTINUATION, flag::END_HEADERS, stream, block);
    let mut cases = Vec::new();
    cases.extend(both(&["C1"], "CONTINUATION without HEADERS before it", |case| {
        case.send(continuation(1, b"")).connection_error(code::PROTOCOL_ERROR)
    }));
    cases.extend(both(&["C1"], "CONTINUATION after a complete field block", |case| {
        open(case).send(continuation(1, b"")).connection_error(code::PROTOCOL_ERROR)
    }));
    cases.extend(both(&["C1", "F5"], "a field block in three frames, the last of which is empty", |case| {
        let (stream, block) = head(case.role);
        let (first, rest) = block.split_at(1);
        let case = case
            .send(frame(kind::HEADERS, flag::END_STREAM, stream, first))
            .send(frame(kind::CONTINUATION, 0, stream, rest))
            .send(continuation(stream, b""));
        still_serves(case.nothing())
    }));
    cases
}
