//! Frames that the peer sent before it knew that a stream was closed, however long ago the engine closed it.

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::error::Violation;
use crate::{Config, ErrorCode, Event};

/// More streams than the engine remembers after they are closed.
const MANY: u32 = 200;

#[track_caller]
fn assert_unaffected(raw: &mut Raw) {
    assert_eq!((raw.engine.close_reason(), raw.engine.stats().abuse_score_peak), (None, 0));
    assert!(raw.engine.is_open() && raw.resets().is_empty());
}

/// Returns the streams of `count` requests.
fn streams(count: u32) -> impl Iterator<Item = u32> + Clone {
    (0..count).map(|n| 2 * n + 1)
}

#[test]
fn responses_to_cancelled_requests_are_ignored() {
    let mut raw = Raw::client(Config { initial_max_send_streams: MANY, ..Config::default() }, &[]);
    for stream in streams(MANY) {
        raw.engine.open(&request("GET", "/"), true).unwrap();
        raw.sent();
        raw.engine.release(id(stream));
        assert_eq!(raw.resets(), [(stream, ErrorCode::CANCEL)]);
    }
    let window = raw.engine.windows().receive;
    for stream in streams(MANY) {
        raw.respond(stream, false);
        raw.data(stream, 1_000, false);
        raw.headers(stream, true, &crate::FieldSection::new());
    }
    assert!(raw.events().is_empty());
    assert_unaffected(&mut raw);
    assert!(window - raw.engine.windows().receive < 1 << 19, "discarded data is credited");
}

#[test]
fn late_response_is_ignored_after_many_completed_streams() {
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
    assert_unaffected(&mut raw);
}

#[test]
fn rest_of_requests_answered_early_is_ignored() {
    let mut raw = Raw::server(Config { linger_timeout: None, ..Config::default() });
    for stream in streams(MANY) {
        raw.post(stream);
        raw.engine.send_response(id(stream), &response(401), true).unwrap();
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
    assert_unaffected(&mut raw);
    raw.assert_serves(2 * MANY + 1);
}

#[test]
fn crossing_resets_are_not_abuse() {
    let mut raw = Raw::server(Config { linger_timeout: None, ..Config::default() });
    for stream in streams(5_000) {
        raw.post(stream);
        raw.engine.send_response(id(stream), &response(200), true).unwrap();
        raw.engine.release(id(stream));
        raw.sent();
        raw.reset(stream, ErrorCode::NO_ERROR);
        raw.events();
    }
    assert_unaffected(&mut raw);
}

#[test]
fn cancelled_calls_do_not_affect_other_streams() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    for stream in streams(50_000).skip(1) {
        raw.post(stream);
        raw.data(stream, 10, false);
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.reset(stream, ErrorCode::CANCEL);
        raw.engine.release(id(stream));
        raw.sent();
        raw.events();
    }
    assert_unaffected(&mut raw);
    raw.data(1, 10, true);
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    assert!(matches!(raw.sent()[..], [Frame::Headers { id: 1, end_stream: true, .. }]));
}

#[test]
fn promises_on_forgotten_streams_are_cancelled() {
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
    assert_unaffected(&mut raw);
}

#[test]
fn promises_beyond_the_limit_are_refused_but_not_abuse() {
    let mut raw = Raw::client(Config { enable_push: true, ..Config::default() }, &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    for n in 1..=1_000 {
        raw.promise(1, 2 * n, &request("GET", "/style.css"));
        if n <= 100 {
            // Complete, but the application holds it.
            raw.respond(2 * n, true);
        } else {
            assert_eq!(raw.resets(), [(2 * n, ErrorCode::REFUSED_STREAM)]);
        }
    }
    assert_eq!(raw.events().iter().filter(|event| matches!(event, Event::Push { .. })).count(), 100);
    assert_unaffected(&mut raw);
}

#[test]
fn frames_on_streams_closed_by_the_peer_are_errors() {
    type Close = fn(&mut Raw);
    let complete: Close = |raw| {
        raw.get(1);
        raw.engine.send_response(id(1), &response(200), true).unwrap();
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
