//! Flow control (RFC 9113, 5.2, 6.9).

use super::{both, open, still_serves};
use crate::case::{Case, Expected, Role};
use http2_test_support::{
    OK, POST, code, data, flag, frame, headers, kind, setting, settings, window_update,
};

/// The largest flow-control window.
const MAX: u32 = 0x7fff_ffff;
/// The initial window of a stream and of the connection.
const FIRST: u32 = 65_535;

pub(super) fn cases() -> Vec<Case> {
    [updates(), sending(), moving(), received()].concat()
}

fn initial_window(octets: u32) -> Vec<u8> {
    settings(&[(setting::INITIAL_WINDOW_SIZE, octets)])
}

fn updates() -> Vec<Case> {
    let mut cases = Vec::new();
    let both_scopes = |cases: &mut Vec<Case>, requirements, names: [_; 2], increment, code| {
        cases.extend(both(requirements, names[0], |case| {
            still_serves(open(case).send(window_update(1, increment)).stream_error(1, code))
        }));
        cases.extend(both(requirements, names[1], |case| {
            case.send(window_update(0, increment)).connection_error(code)
        }));
    };
    both_scopes(
        &mut cases,
        &["W1"],
        ["WINDOW_UPDATE by 0 on a stream", "WINDOW_UPDATE by 0 on the connection"],
        0,
        code::PROTOCOL_ERROR,
    );
    both_scopes(
        &mut cases,
        &["W1"],
        [
            "WINDOW_UPDATE by 0 with the reserved bit, on a stream",
            "WINDOW_UPDATE by 0 with the reserved bit, on the connection",
        ],
        1 << 31,
        code::PROTOCOL_ERROR,
    );
    both_scopes(
        &mut cases,
        &["W3"],
        ["a stream window above 2^31-1", "a connection window above 2^31-1"],
        MAX - FIRST + 1,
        code::FLOW_CONTROL_ERROR,
    );
    for (name, stream, length) in [
        ("WINDOW_UPDATE of 3 bytes on the connection", 0, 3),
        ("WINDOW_UPDATE of 5 bytes on the connection", 0, 5),
        ("WINDOW_UPDATE of 3 bytes on a stream", 1, 3),
        ("WINDOW_UPDATE of 5 bytes on a stream", 1, 5),
    ] {
        cases.extend(both(&["W2"], name, |case| {
            let octets = frame(kind::WINDOW_UPDATE, 0, stream, &[0, 0, 1, 0, 0][..length]);
            open(case).send(octets).connection_error(code::FRAME_SIZE_ERROR)
        }));
    }
    cases.extend(both(&["W3"], "windows of exactly 2^31-1", |case| {
        let octets = [window_update(0, MAX - FIRST), window_update(1, MAX - FIRST)].concat();
        still_serves(open(case).send(octets).nothing())
    }));
    cases.extend(both(&["W3"], "windows that exceed 2^31-1 in two steps", |case| {
        let octets = [window_update(1, MAX - FIRST), window_update(1, 1)].concat();
        still_serves(open(case).send(octets).stream_error(1, code::FLOW_CONTROL_ERROR))
    }));
    cases
}

/// DATA that the endpoint sends.
fn sending() -> Vec<Case> {
    let content = vec![b'x'; 100_000];
    let upload: Vec<u8> = content.chunks(16_000).flat_map(|chunk| data(1, 0, chunk)).collect();
    vec![
        Case::server(&["T14"], "WINDOW_UPDATE while content is blocked")
            .send(initial_window(0))
            .send(headers(1, 0, POST))
            .send(data(1, 0, &content[..1_000]))
            .expect(Expected::Response { stream: 1, status: "200" })
            .never(Expected::Data { stream: 1, octets: 1 })
            .send(data(1, flag::END_STREAM, &content[..1_000]))
            .send(window_update(1, 2_000))
            .expect(Expected::Content { stream: 1, content: content[..2_000].to_vec() })
            .nothing(),
        Case::server(&["W6"], "a connection window unaffected by SETTINGS")
            .send(initial_window(1 << 20))
            .send(headers(1, 0, POST))
            .send([upload, data(1, flag::END_STREAM, b"")].concat())
            .expect(Expected::Data { stream: 1, octets: FIRST as usize })
            .never(Expected::Data { stream: 1, octets: FIRST as usize + 1 })
            .send(window_update(0, 1))
            .expect(Expected::Data { stream: 1, octets: FIRST as usize + 1 })
            .never(Expected::Data { stream: 1, octets: FIRST as usize + 2 })
            .send(window_update(0, 100_000))
            .expect(Expected::Content { stream: 1, content })
            .nothing(),
    ]
}

/// Changes to SETTINGS_INITIAL_WINDOW_SIZE.
fn moving() -> Vec<Case> {
    let mut cases = vec![
        Case::server(&["W6"], "an initial window lowered below the amount sent")
            .send(initial_window(100))
            .send([headers(1, 0, POST), data(1, 0, &[b'x'; 1_000])].concat())
            .expect(Expected::Data { stream: 1, octets: 100 })
            .send(initial_window(40))
            .send(window_update(1, 60))
            .never(Expected::Data { stream: 1, octets: 101 })
            .send(window_update(1, 1))
            .expect(Expected::Data { stream: 1, octets: 101 })
            .send(initial_window(140))
            .expect(Expected::Data { stream: 1, octets: 201 })
            .never(Expected::Data { stream: 1, octets: 202 })
            .nothing(),
    ];
    cases.extend(both(&["W6"], "an initial window that raises a stream window above 2^31-1", |case| {
        open(case)
            .send(window_update(1, MAX - FIRST))
            .send(initial_window(FIRST + 1))
            .connection_error(code::FLOW_CONTROL_ERROR)
    }));
    cases.extend(both(&["W6"], "an initial window that raises a stream window to 2^31-1", |case| {
        still_serves(open(case).send(window_update(1, 1)).send(initial_window(MAX - 1)).nothing())
    }));
    cases
}

/// DATA that the endpoint receives.
fn received() -> Vec<Case> {
    let mut cases = vec![
        // The endpoint buffers all it reads in order to echo it, and the tester grants no credit.
        still_serves(
            Case::server(&["W4"], "more DATA than a stream window allows")
                .send(initial_window(0))
                .send(headers(1, 0, POST))
                .send(data(1, 0, &[0; 16_384]).repeat(64))
                .stream_error(1, code::FLOW_CONTROL_ERROR),
        ),
    ];
    // The padding is two and a half times the content, plus a few bytes: 600 frames carry 257 bytes each.
    cases.extend(both(&["D4"], "credit for padding", |case| {
        let padded = frame(kind::DATA, flag::PADDED, 1, &[&[255, b'x'][..], &[0; 255]].concat());
        open(case).send(padded.repeat(600)).expect(Expected::WindowUpdate { stream: 1 }).nothing()
    }));
    for (requirements, name, octets, code) in [
        (&["W5", "F2"][..], "overlong DATA on many streams", 16_385, code::FRAME_SIZE_ERROR),
        (&["W5"], "DATA beyond Content-Length on many streams", 16_384, code::PROTOCOL_ERROR),
    ] {
        cases.extend(both(requirements, name, |case| errors_of_data(case, octets, code)));
    }
    cases
}

/// Sends erroneous DATA on stream after stream, more than half of a 1 MiB window in total, for which the
/// endpoint must return connection-level credit.
fn errors_of_data(mut case: Case, octets: usize, code: u32) -> Case {
    let head = match case.role {
        Role::Server => POST,
        Role::Client => OK,
    };
    for n in 0..33 {
        let stream = 2 * n + 1;
        case = case
            .send(headers(stream, 0, &[head, &[("content-length", "5")]].concat()))
            .send(data(stream, 0, &vec![0; octets]))
            .expect(Expected::Reset { stream, code });
        if case.role == Role::Client {
            case = case.expect(Expected::Request { stream: stream + 4 });
        }
    }
    case.expect(Expected::WindowUpdate { stream: 0 })
}
