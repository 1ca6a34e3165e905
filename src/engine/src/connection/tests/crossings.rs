//! Frames that cross: the peer sent them before it knew how a stream had ended, however long ago that was here.

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::error::Violation;
use crate::{Config, ErrorCode, Event};

/// More streams than are remembered once they are closed.
const MANY: u32 = 200;

#[track_caller]
fn assert_goes_on(raw: &mut Raw) {
    assert_eq!((raw.engine.close_reason(), raw.engine.stats().abuse_score_peak), (None, 0));
    assert!(raw.engine.is_open() && raw.resets().is_empty());
}

/// The streams of `count` requests.
fn streams(count: u32) -> impl Iterator<Item = u32> + Clone {
    (0..count).map(|n| 2 * n + 1)
}

#[test]
fn responses_to_requests_that_were_cancelled_are_ignored() {
    let mut raw = Raw::client(Config { initial_max_send_streams: MANY, ..Config::default() }, &[]);
    for stream in streams(MANY) {
        raw.engine.open(&request("GET", "/"), true).unwrap();
        raw.sent();
        raw.engine.release(id(stream));
        assert_eq!(raw.resets(), [(stream, ErrorCode::CANCEL)]);
    }
    let window = raw.engine.windows().0;
    for stream in streams(MANY) {
        raw.respond(stream, false);
        raw.data(stream, 1_000, false);
        raw.headers(stream, true, &crate::FieldSection::new());
    }
    assert!(raw.events().is_empty());
    assert_goes_on(&mut raw);
    assert!(window - raw.engine.windows().0 < 1 << 19, "what is dropped is given back");
}

#[test]
fn a_late_response_may_come_when_others_have_been_completed_since() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw.engine.release(id(1));
    raw.sent();
    for stream in streams(MANY).skip(1) {
        raw.engine.open(&request("GET", "/"), true).unwrap();
        raw.sent();
        raw.respond(stream, true);
        raw.engine.release(id(stream));
    }
    raw.respond(1, true);
    assert_goes_on(&mut raw);
}

#[test]
fn the_rest_of_requests_that_were_answered_early_is_ignored() {
    let mut raw = Raw::server(Config { linger_timeout: None, ..Config::default() });
    for stream in streams(MANY) {
        raw.post(stream);
        raw.engine.respond(id(stream), &response(401), true).unwrap();
        raw.engine.release(id(stream));
        assert_eq!(raw.resets(), [(stream, ErrorCode::NO_ERROR)]);
    }
    for stream in streams(MANY) {
        for _ in 0..64 {
            raw.data(stream, 1_000, false);
            raw.window_update(stream, 100);
        }
        raw.headers(stream, true, &crate::FieldSection::new());
        raw.reset(stream, ErrorCode::NO_ERROR);
    }
    raw.events();
    assert_goes_on(&mut raw);
    raw.assert_serves(2 * MANY + 1);
}

#[test]
fn both_may_reset_a_stream_at_once() {
    let mut raw = Raw::server(Config { linger_timeout: None, ..Config::default() });
    for stream in streams(5_000) {
        raw.post(stream);
        raw.engine.respond(id(stream), &response(200), true).unwrap();
        raw.engine.release(id(stream));
        raw.sent();
        raw.reset(stream, ErrorCode::NO_ERROR);
        raw.events();
    }
    assert_goes_on(&mut raw);
}

#[test]
fn cancelled_calls_do_not_end_innocent_streams() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    for stream in streams(50_000).skip(1) {
        raw.post(stream);
        raw.data(stream, 10, false);
        raw.engine.respond(id(stream), &response(200), false).unwrap();
        raw.reset(stream, ErrorCode::CANCEL);
        raw.engine.release(id(stream));
        raw.sent();
        raw.events();
    }
    assert_goes_on(&mut raw);
    raw.data(1, 10, true);
    raw.engine.respond(id(1), &response(200), true).unwrap();
    assert!(matches!(raw.sent()[..], [Frame::Headers { id: 1, end_stream: true, .. }]));
}

#[test]
fn promises_on_streams_that_are_forgotten_are_refused() {
    let client = Config { enable_push: true, initial_max_send_streams: MANY, ..Config::default() };
    let mut raw = Raw::client(client, &[]);
    for stream in streams(MANY) {
        raw.engine.open(&request("GET", "/"), true).unwrap();
        raw.engine.release(id(stream));
    }
    raw.sent();
    for n in 1..=1_000 {
        raw.promise(1, 2 * n, &request("GET", "/style.css"));
        assert_eq!(raw.resets(), [(2 * n, ErrorCode::CANCEL)]);
    }
    // The server may not know yet that its promises were refused.
    raw.respond(2, false);
    raw.data(2, 100, true);
    assert_goes_on(&mut raw);
}

#[test]
fn promises_beyond_what_there_is_room_for_are_refused_without_blame() {
    let mut raw = Raw::client(Config { enable_push: true, ..Config::default() }, &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    for n in 1..=1_000 {
        raw.promise(1, 2 * n, &request("GET", "/style.css"));
        if n <= 100 {
            // Complete, and kept by the application.
            raw.respond(2 * n, true);
        } else {
            assert_eq!(raw.resets(), [(2 * n, ErrorCode::REFUSED_STREAM)]);
        }
    }
    assert_eq!(raw.events().iter().filter(|event| matches!(event, Event::Push { .. })).count(), 100);
    assert_goes_on(&mut raw);
}

#[test]
fn what_the_peer_has_surely_ended_stays_an_error() {
    type Close = fn(&mut Raw);
    let complete: Close = |raw| {
        raw.get(1);
        raw.engine.respond(id(1), &response(200), true).unwrap();
        raw.engine.release(id(1));
    };
    let reset: Close = |raw| {
        raw.get(1);
        raw.reset(1, ErrorCode::CANCEL);
        raw.engine.release(id(1));
    };
    let skipped: Close = |raw| raw.get(3);
    let cases: [(Close, Violation); 3] = [
        (complete, Violation::HeadersOnClosed),
        (reset, Violation::StreamClosed),
        (skipped, Violation::BadStreamId),
    ];
    for (close, violation) in cases {
        let mut raw = Raw::server(Config::default());
        close(&mut raw);
        raw.sent();
        raw.data(1, 10, true);
        assert_eq!(raw.resets(), [(1, ErrorCode::STREAM_CLOSED)], "{violation:?}");
        let mut raw = Raw::server(Config::default());
        close(&mut raw);
        raw.sent();
        raw.headers(1, true, &request("GET", "/"));
        match violation.scope() {
            crate::Scope::Connection => raw.assert_failed(violation),
            crate::Scope::Stream => assert_eq!(raw.resets(), [(1, violation.code())]),
        }
    }
}
