//! Stream states, identifiers and limits (RFC 9113, 5.1), and the effect of errors (5.4).

use super::{ROLES, both, complete, open, reset, still_serves};
use crate::case::{Case, Expected, Role};
use http2_test_support::{
    GET, OK, POST, block, code, data, flag, frame, headers, headers_block, kind, priority, rst_stream,
    setting, settings, window_update,
};

pub(super) fn cases() -> Vec<Case> {
    [idle(), half_closed(), closed(), identifiers(), numbers(), errors()].concat()
}

/// A trailer section.
const TRAILERS: &[(&str, &str)] = &[("checksum", "0123")];

fn idle() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in ROLES {
        for (name, octets) in [
            ("DATA on an idle stream", data(101, flag::END_STREAM, b"x")),
            ("DATA on an idle server-initiated stream", data(102, flag::END_STREAM, b"x")),
            ("WINDOW_UPDATE on an idle stream", window_update(101, 1)),
            ("WINDOW_UPDATE on an idle server-initiated stream", window_update(102, 1)),
            ("RST_STREAM on an idle stream of a later request", rst_stream(101, code::CANCEL)),
        ] {
            let case = Case::new(role, &["T1"], name);
            cases.push(case.send(octets).connection_error(code::PROTOCOL_ERROR));
        }
    }
    cases.extend(both(&["T1"], "PRIORITY on idle streams", |case| {
        still_serves(case.send(priority(99, 0)).send(priority(100, 0)).nothing())
    }));
    for (name, stream) in [
        ("HEADERS on a stream that the client has not opened", 101),
        ("HEADERS on a stream that was not promised", 102),
    ] {
        let case = Case::client(&["T1", "T2"], name).send(headers(stream, 0, OK));
        cases.push(case.connection_error(code::PROTOCOL_ERROR));
    }
    cases
}

/// A server whose stream 1 is half-closed (remote): the client has ended its message, and the server still
/// lacks the window to send the content of its response.
fn half_closed_remote(requirements: &'static [&'static str], name: &'static str) -> Case {
    Case::server(requirements, name)
        .send(settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]))
        .send(headers(1, 0, POST))
        .send(data(1, flag::END_STREAM, b"x"))
        .expect(Expected::Response { stream: 1, status: "200" })
        .nothing()
}

fn half_closed() -> Vec<Case> {
    let error = |name, octets: Vec<u8>| {
        let case = half_closed_remote(&["T5", "D2"], name).send(octets);
        still_serves(case.stream_error(1, code::STREAM_CLOSED))
    };
    vec![
        error("DATA after END_STREAM", data(1, 0, b"x")),
        error("an empty DATA after END_STREAM", data(1, flag::END_STREAM, b"")),
        error("trailers after END_STREAM", headers(1, flag::END_STREAM, TRAILERS)),
        error("HEADERS without END_STREAM after END_STREAM", headers(1, 0, GET)),
        half_closed_remote(&["T5", "W7"], "WINDOW_UPDATE after END_STREAM")
            .send(window_update(1, 1))
            .expect(Expected::Content { stream: 1, content: b"x".to_vec() })
            .nothing(),
        half_closed_remote(&["T5"], "PRIORITY after END_STREAM").send(priority(1, 0)).nothing(),
        still_serves(
            half_closed_remote(&["T5", "T9"], "RST_STREAM after END_STREAM")
                .send(rst_stream(1, code::CANCEL))
                .send(window_update(1, 1))
                .never(Expected::Data { stream: 1, octets: 1 })
                .nothing(),
        ),
        Case::client(&["W7"], "WINDOW_UPDATE on a stream whose request has ended")
            .send(window_update(1, 1))
            .nothing()
            .send(headers(1, flag::END_STREAM, OK))
            .expect(Expected::Request { stream: 5 }),
    ]
}

fn closed() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(both(&["T6", "E2", "T9"], "frames on a stream that was reset for an error", |case| {
        let case = reset(case)
            .send(data(1, 0, b"in flight"))
            .send(window_update(1, 1))
            .send(priority(1, 0))
            .send(headers(1, flag::END_STREAM, TRAILERS))
            .send(rst_stream(1, code::CANCEL));
        still_serves(case.nothing())
    }));
    for (name, octets) in [
        ("DATA on a closed stream", data(1, 0, b"x")),
        ("an empty DATA on a closed stream", data(1, flag::END_STREAM, b"")),
    ] {
        cases.extend(both(&["T7", "D2"], name, |case| {
            still_serves(complete(case).send(octets.clone()).stream_error(1, code::STREAM_CLOSED))
        }));
    }
    cases.extend(both(&["T7"], "HEADERS on a closed stream", |case| {
        complete(case).send(headers(1, flag::END_STREAM, TRAILERS)).connection_error(code::STREAM_CLOSED)
    }));
    let late = [window_update(1, 1), rst_stream(1, code::CANCEL), priority(1, 0)].concat();
    cases.extend(both(&["T7", "W7", "T9"], "WINDOW_UPDATE and RST_STREAM on a closed stream", |case| {
        still_serves(complete(case).send(late.clone()).nothing())
    }));
    for (name, octets) in [
        ("DATA after RST_STREAM", data(1, 0, b"x")),
        ("HEADERS after RST_STREAM", headers(1, flag::END_STREAM, TRAILERS)),
    ] {
        cases.extend(both(&["T8", "D2"], name, |case| {
            let case = open(case).send(rst_stream(1, code::CANCEL)).nothing();
            still_serves(case.send(octets.clone()).stream_error(1, code::STREAM_CLOSED))
        }));
    }
    cases.extend(both(&["T8", "T9"], "RST_STREAM twice, then PRIORITY", |case| {
        let case = open(case).send(rst_stream(1, code::CANCEL)).send(rst_stream(1, code::CANCEL));
        still_serves(case.send(priority(1, 0)).nothing())
    }));
    cases
}

fn identifiers() -> Vec<Case> {
    let skipped = |name| complete(Case::server(&["T10"], name)).send(headers(9, flag::END_STREAM, GET));
    vec![
        Case::server(&["T10"], "a request on a server-initiated stream")
            .send(headers(2, flag::END_STREAM, GET))
            .connection_error(code::PROTOCOL_ERROR),
        skipped("a request on a stream below the last one")
            .expect(Expected::End { stream: 9 })
            .send(headers(7, flag::END_STREAM, GET))
            .connection_error(code::PROTOCOL_ERROR),
        skipped("DATA on a skipped stream")
            .expect(Expected::End { stream: 9 })
            .send(data(7, 0, b"x"))
            .stream_error(7, code::STREAM_CLOSED),
        skipped("WINDOW_UPDATE and RST_STREAM on a skipped stream")
            .expect(Expected::End { stream: 9 })
            .send(window_update(7, 1))
            .send(rst_stream(7, code::CANCEL))
            .nothing(),
        Case::server(&["T10"], "the highest stream id")
            .send(headers(0x7fff_ffff, flag::END_STREAM, GET))
            .expect(Expected::Response { stream: 0x7fff_ffff, status: "200" })
            .nothing(),
        Case::client(&["T10"], "an unrequested response on an even stream")
            .send(headers(2, flag::END_STREAM, OK))
            .connection_error(code::PROTOCOL_ERROR),
        complete(Case::client(&["T10"], "requests on stream after stream"))
            .send(headers(3, flag::END_STREAM, OK))
            .expect(Expected::Request { stream: 7 })
            .send(headers(5, flag::END_STREAM, OK))
            .expect(Expected::Request { stream: 9 }),
    ]
}

fn numbers() -> Vec<Case> {
    let limit = |streams| settings(&[(setting::MAX_CONCURRENT_STREAMS, streams)]);
    let hundred: Vec<u8> = (0..100).flat_map(|n| headers(2 * n + 1, 0, POST)).collect();
    let mut with_entry = block(GET);
    with_entry.extend(b"\x40\x04kept\x05value");
    let with_index = [block(GET), vec![0x80 | 62]].concat();
    vec![
        Case::client(&["T12"], "a lower stream limit while requests are in flight")
            .send(limit(1))
            .send(headers(1, flag::END_STREAM, OK))
            .never(Expected::Request { stream: 5 })
            .send(headers(3, flag::END_STREAM, OK))
            .expect(Expected::Request { stream: 5 })
            .never(Expected::Request { stream: 7 }),
        Case::client(&["T12"], "a stream limit of 0, then a higher one")
            .send(limit(0))
            .send(headers(1, flag::END_STREAM, OK))
            .send(headers(3, flag::END_STREAM, OK))
            .never(Expected::Request { stream: 5 })
            .send(limit(1))
            .expect(Expected::Request { stream: 5 }),
        Case::server(&["T13", "A5", "F7"], "a request above the stream limit, and one after a slot is free")
            .send(hundred)
            .expect(Expected::Response { stream: 199, status: "200" })
            .nothing()
            .send(headers_block(201, flag::END_STREAM, &with_entry))
            .stream_error(201, code::REFUSED_STREAM)
            .send(rst_stream(1, code::CANCEL))
            .send(headers_block(203, flag::END_STREAM, &with_index))
            .expect(Expected::Response { stream: 203, status: "200" })
            .nothing(),
    ]
}

fn errors() -> Vec<Case> {
    let bad_ping = frame(kind::PING, 0, 0, b"short");
    let mut cases = vec![
        Case::server(&["E1"], "the last stream in a server's GOAWAY")
            .send(headers(1, flag::END_STREAM, GET))
            .send(headers(5, flag::END_STREAM, GET))
            .expect(Expected::End { stream: 5 })
            .send(bad_ping.clone())
            .connection_error(code::FRAME_SIZE_ERROR)
            .expect(Expected::GoAway { last: 5, code: code::FRAME_SIZE_ERROR }),
        Case::client(&["E1"], "the last stream in a client's GOAWAY")
            .send(bad_ping.clone())
            .connection_error(code::FRAME_SIZE_ERROR)
            .expect(Expected::GoAway { last: 0, code: code::FRAME_SIZE_ERROR }),
    ];
    cases.extend(both(&["E1"], "frames after one that ends the connection", |case| {
        let behind = match case.role {
            Role::Server => headers(101, flag::END_STREAM, GET),
            Role::Client => headers(1, flag::END_STREAM, OK),
        };
        case.send([bad_ping.clone(), behind, bad_ping.clone()].concat())
            .connection_error(code::FRAME_SIZE_ERROR)
    }));
    cases.extend(both(&["E2"], "credit for DATA in flight on a reset stream", |case| {
        let half: Vec<u8> = (0..40).flat_map(|_| data(1, 0, &[0; 16_384])).collect();
        still_serves(reset(case).send(half).expect(Expected::WindowUpdate { stream: 0 }).nothing())
    }));
    cases.extend(both(&["E3", "X17"], "RST_STREAM with an unknown error code", |case| {
        still_serves(open(case).send(rst_stream(1, 0xdead_beef)).nothing())
    }));
    cases
}
