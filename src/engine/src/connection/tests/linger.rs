//! Requests whose response completes first: the engine reads and discards the rest, up to a limit.

use core::time::Duration;

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::{Config, ErrorCode, State};

/// Creates a server that has refused the request on stream 1 and released the stream.
fn refused(config: Config) -> Raw {
    let mut raw = Raw::server(config);
    raw.post(1);
    raw.engine.send_response(id(1), &response(401), true).unwrap();
    raw.engine.release(id(1));
    raw.events();
    assert!(matches!(raw.sent()[..], [Frame::Headers { end_stream: true, .. }]));
    raw
}

#[test]
fn rest_of_a_request_is_discarded_without_reset() {
    let mut raw = refused(Config::default());
    let window = raw.engine.windows().receive;
    for _ in 0..60 {
        raw.data(1, 16_000, false);
    }
    raw.data(1, 0, true);
    assert!(raw.resets().is_empty() && raw.events().is_empty());
    assert_eq!((raw.engine.stream_count(), raw.engine.stats().streams_completed), (0, 1));
    assert!(window - raw.engine.windows().receive < 1 << 19, "discarded data is credited");
    assert!(raw.engine.lingering.first().is_none());
}

#[test]
fn lingering_ends_after_timeout_or_byte_limit() {
    let mut raw = refused(Config::default());
    raw.sleep(Duration::from_millis(999));
    assert!(raw.resets().is_empty());
    assert_eq!(raw.engine.state(id(1)), Some(State::HalfClosedLocal));
    raw.sleep(Duration::from_millis(1));
    assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)]);

    let mut raw = refused(Config::default());
    for _ in 0..33 {
        raw.sleep(Duration::from_millis(900));
        raw.data(1, 100, false);
        assert!(raw.resets().is_empty(), "content postpones the deadline");
    }
    raw.sleep(Duration::from_millis(300));
    assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)], "but not by more than half a minute");

    let mut raw = refused(Config { linger_bytes: 30_000, ..Config::default() });
    raw.data(1, 16_000, false);
    assert!(raw.resets().is_empty());
    raw.data(1, 14_000, false);
    assert_eq!((raw.resets(), raw.engine.stream_count()), (vec![(1, ErrorCode::NO_ERROR)], 0));
}

#[test]
fn content_of_another_request_postpones_the_deadline() {
    let mut raw = refused(Config::default());
    raw.post(3);
    for _ in 0..33 {
        raw.sleep(Duration::from_millis(900));
        raw.data(3, 100, false);
        assert!(raw.resets().is_empty(), "the peer is sending");
    }
    raw.sleep(Duration::from_millis(300));
    assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)], "but not by more than half a minute");

    let mut raw = refused(Config::default());
    raw.post(3);
    raw.sleep(Duration::from_millis(900));
    raw.data(3, 100, false);
    raw.sleep(Duration::from_millis(999));
    assert!(raw.resets().is_empty());
    raw.sleep(Duration::from_millis(1));
    assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)]);
}

#[test]
fn without_lingering_a_request_is_reset_immediately() {
    let impatient = [
        Config { linger_timeout: None, ..Config::default() },
        Config { linger_bytes: 0, ..Config::default() },
    ];
    for config in impatient {
        let mut raw = Raw::server(config);
        raw.post(1);
        raw.engine.send_response(id(1), &response(401), true).unwrap();
        raw.engine.release(id(1));
        assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)]);
    }
}

#[test]
fn lingering_stream_does_not_occupy_the_applications_slot() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 1, ..Config::default() });
    for stream in [1, 3, 5] {
        raw.post(stream);
        assert_eq!(raw.events().len(), 1);
        raw.engine.send_response(id(stream), &response(401), true).unwrap();
        raw.engine.release(id(stream));
        raw.data(stream, 0, true);
        raw.sent();
    }
}

#[test]
fn oversized_request_may_finish_after_431() {
    let mut raw = Raw::server(Config { max_header_list_size: 100, ..Config::default() });
    let mut large = request("POST", "/");
    large.push(b"x-large", &[b'x'; 200]);
    raw.headers(1, false, &large);
    assert!(
        matches!(&raw.sent()[..], [Frame::Headers { fields, end_stream: true, .. }] if fields[0].1 == "431")
    );
    raw.data(1, 1_000, true);
    assert!(raw.resets().is_empty() && raw.events().is_empty());
    assert_eq!(raw.engine.stream_count(), 0);
}

#[test]
fn shutdown_waits_for_lingering_streams() {
    let mut raw = refused(Config::default());
    raw.engine.shutdown(raw.now);
    raw.sleep(Duration::from_millis(999));
    assert_eq!(raw.engine.close_reason(), None);
    raw.sleep(Duration::from_millis(2));
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
}
