//! Floods of frames that are cheap to send and useless: only their number counts.

use std::time::Duration;

use http2_attacks::attack::Answer::{Connection, Nothing, Streams};
use http2_engine::ErrorCode;
use http2_test_support::{
    POST, data, flag, frame, go_away, headers, kind, ping, priority, settings, window_update,
};

use super::{CALM, PROTOCOL, continuation, each, padded, server, slow_server, stream};
use crate::harness::{Behaviour, Endpoint, Outcome, Server, check_defence};

/// Sends everything at once.
fn flood(octets: &[u8]) -> Outcome {
    let mut server = server_with_upload();
    server.send(octets);
    server.end()
}

/// Sends fifty frames per second, slowly enough for the abuse score to decay.
fn trickle(n: u32, octets: impl Fn(u32) -> Vec<u8>) -> Outcome {
    let mut server = server_with_upload();
    for second in 0..n / 50 {
        server.sleep(Duration::from_secs(1));
        server.send(&each(50, |frame| octets(50 * second + frame)));
    }
    server.end()
}

/// A server that is receiving content on the first stream.
fn server_with_upload() -> Endpoint<Server> {
    let mut server = slow_server();
    server.send(&headers(stream(0), 0, POST));
    server.begin();
    server
}

#[test]
fn ping_flood() {
    let flooded = |n| flood(&ping(*b"12345678").repeat(n as usize));
    let by_one_who_does_not_read = |n: u32| {
        let mut server = server();
        server.set_room(0);
        server.send(&ping(*b"12345678").repeat(n as usize));
        server.set_room(usize::MAX);
        server.end()
    };
    let slowly_by_one_who_does_not_read = |n: u32| {
        let mut server = server();
        server.set_room(0);
        for _ in 0..310 {
            server.send(&ping(*b"12345678").repeat(n as usize / 310));
            server.sleep(Duration::from_secs(1));
        }
        server.set_room(usize::MAX);
        server.end()
    };
    let slowly = |n| trickle(n, |_| ping(*b"12345678"));
    check_defence(
        "ping_flood",
        &[
            (Nothing, &flooded),
            (Nothing, &by_one_who_does_not_read),
            (Connection(CALM), &slowly_by_one_who_does_not_read),
            (Nothing, &slowly),
        ],
    );
}

#[test]
fn priority_flood() {
    // A priority tree whose nodes move repeatedly.
    let churn = |n| priority(stream(n % 100), stream((n / 100) % 100 + 100));
    check_defence(
        "priority_flood",
        &[(Nothing, &|n| flood(&each(n, churn))), (Nothing, &|n| trickle(n, churn))],
    );
}

#[test]
fn settings_flood() {
    let empty = |n: u32| flood(&settings(&[]).repeat(n as usize));
    let full = |n: u32| flood(&settings(&[(0x3, 100); 32]).repeat(n as usize));
    let overfull = |n: u32| flood(&settings(&[(0x3, 100); 33]).repeat(n as usize));
    let slowly = |n| trickle(n, |n| if n % 50 < 12 { settings(&[]) } else { Vec::new() });
    check_defence(
        "settings_flood",
        &[(Nothing, &empty), (Nothing, &full), (Connection(CALM), &overfull), (Nothing, &slowly)],
    );
}

#[test]
fn empty_frames_flood() {
    let empty = |_| data(stream(0), 0, b"");
    let only_padding = |_| padded(stream(0), 0, b"", 9);
    let continuations = |n| {
        let first = frame(kind::HEADERS, 0, stream(1), b"");
        [first, each(n, |_| continuation(stream(1), b""))].concat()
    };
    let on_a_stream_that_was_reset = |n| {
        let mut server = Endpoint::server(Behaviour::Refuses);
        server.send(&headers(stream(0), 0, POST));
        server.sleep(Duration::from_secs(1));
        server.begin();
        server.send(&each(n, |_| data(stream(0), flag::END_STREAM, b"")));
        server.end()
    };
    check_defence(
        "empty_frames_flood",
        &[
            (Nothing, &|n| flood(&each(n, empty))),
            (Nothing, &|n| flood(&each(n, only_padding))),
            (Connection(CALM), &|n| flood(&continuations(n))),
            (Nothing, &|n| trickle(n, empty)),
            (Nothing, &on_a_stream_that_was_reset),
        ],
    );
}

#[test]
fn window_update_flood() {
    let of_the_connection = |_| window_update(0, 1);
    let of_a_stream = |_| window_update(stream(0), 1);
    let past_the_limit = |n| each(n, |_| window_update(0, 0x7fff_ffff));
    check_defence(
        "window_update_flood",
        &[
            (Nothing, &|n| flood(&each(n, of_the_connection))),
            (Nothing, &|n| flood(&each(n, of_a_stream))),
            (Connection(ErrorCode::FLOW_CONTROL_ERROR), &|n| flood(&past_the_limit(n))),
            (Nothing, &|n| trickle(n, of_the_connection)),
        ],
    );
}

#[test]
fn priority_update_flood() {
    let update = |id: u32| frame(kind::PRIORITY_UPDATE, 0, 0, &[&id.to_be_bytes()[..], b"u=1"].concat());
    let idle = |n| flood(&each(n, |n| update(stream(n + 1))));
    let again = |n| flood(&each(n, |_| update(stream(1))));
    check_defence("priority_update_flood", &[(Connection(PROTOCOL), &idle), (Nothing, &again)]);
}

#[test]
fn ignored_frames() {
    let unknown = |n| flood(&each(n, |n| frame(0xb0 | (n & 0xf) as u8, 0xff, n, b"")));
    let services = |n| flood(&each(n, |_| frame(kind::ALTSVC, 0, 0, b"\0\x01ax")));
    let origins = |n| flood(&each(n, |_| frame(kind::ORIGIN, 0, 0, b"\0\x01a")));
    let slowly = |n| trickle(n, |_| frame(0xbb, 0, 0, b""));
    check_defence(
        "ignored_frames",
        &[(Nothing, &unknown), (Nothing, &services), (Nothing, &origins), (Nothing, &slowly)],
    );
}

#[test]
fn go_away_flood() {
    let again = |n: u32| flood(&each(n, |_| go_away(0, 0)));
    let with_debug_data =
        |n: u32| flood(&each(n, |_| frame(kind::GOAWAY, 0, 0, &[&[0; 8][..], &[b'x'; 16_376]].concat())));
    let lowered = |n: u32| flood(&each(n, |count| go_away(2 * (n - count), 0)));
    let raised = |n: u32| flood(&each(n, |n| go_away(2 * n, 0)));
    check_defence(
        "go_away_flood",
        &[
            (Nothing, &again),
            (Nothing, &with_debug_data),
            (Connection(CALM), &lowered),
            (Connection(PROTOCOL), &raised),
        ],
    );
}

#[test]
fn continuation_flood() {
    let tiny = |n| {
        let first = frame(kind::HEADERS, 0, stream(1), b"\x82");
        flood(&[first, each(n, |_| continuation(stream(1), b"\x84"))].concat())
    };
    let large = |n| {
        let first = frame(kind::HEADERS, 0, stream(1), &[0x82; 16_384]);
        flood(&[first, each(n / 100, |_| continuation(stream(1), &[0x82; 16_384]))].concat())
    };
    // Each block is within the limits, with as many frames as allowed.
    let blocks = |n| {
        let block = |n| {
            let first = frame(kind::HEADERS, flag::END_STREAM, stream(n + 1), b"");
            let last = frame(kind::CONTINUATION, flag::END_HEADERS, stream(n + 1), b"\x82");
            [first, continuation(stream(n + 1), b"").repeat(7), last].concat()
        };
        flood(&each(n, block))
    };
    check_defence(
        "continuation_flood",
        &[(Connection(CALM), &tiny), (Connection(CALM), &large), (Streams(PROTOCOL), &blocks)],
    );
}

#[test]
fn empty_continuation_flood() {
    let empty = |n| {
        let first = frame(kind::HEADERS, 0, stream(1), b"\x82");
        flood(&[first, each(n, |_| continuation(stream(1), b""))].concat())
    };
    check_defence("empty_continuation_flood", &[(Connection(CALM), &empty)]);
}
