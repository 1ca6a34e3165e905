//! Requests whose response is complete before they are: the rest is read and dropped, within a bound.

use core::time::Duration;

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::{Config, ErrorCode, State};

/// A server that has refused the request on stream 1 and is done with it.
fn refused(config: Config) -> Raw {
    let mut raw = Raw::server(config);
    raw.post(1);
    raw.engine.respond(id(1), &response(401), true).unwrap();
    raw.engine.release(id(1));
    raw.events();
    assert!(matches!(raw.sent()[..], [Frame::Headers { end_stream: true, .. }]));
    raw
}

#[test]
fn a_request_that_ends_in_time_ends_in_good_order() {
    let mut raw = refused(Config::default());
    let window = raw.engine.windows().0;
    for _ in 0..60 {
        raw.data(1, 16_000, false);
    }
    raw.data(1, 0, true);
    assert!(raw.resets().is_empty() && raw.events().is_empty());
    assert_eq!((raw.engine.stream_count(), raw.engine.stats().streams_completed), (0, 1));
    assert!(window - raw.engine.windows().0 < 1 << 19, "what is dropped is given back");
    assert!(raw.engine.lingering.is_empty());
}

#[test]
fn a_request_that_goes_on_is_stopped_by_time_or_by_its_length() {
    let mut raw = refused(Config::default());
    raw.sleep(Duration::from_millis(999));
    assert!(raw.resets().is_empty());
    assert_eq!(raw.engine.state(id(1)), Some(State::HalfClosedLocal));
    raw.sleep(Duration::from_millis(1));
    assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)]);

    let mut raw = refused(Config { linger_bytes: 30_000, ..Config::default() });
    raw.data(1, 16_000, false);
    assert!(raw.resets().is_empty());
    raw.data(1, 14_000, false);
    assert_eq!((raw.resets(), raw.engine.stream_count()), (vec![(1, ErrorCode::NO_ERROR)], 0));
}

#[test]
fn without_time_or_length_a_request_is_stopped_at_once() {
    let impatient = [
        Config { linger_timeout: None, ..Config::default() },
        Config { linger_bytes: 0, ..Config::default() },
    ];
    for config in impatient {
        let mut raw = Raw::server(config);
        raw.post(1);
        raw.engine.respond(id(1), &response(401), true).unwrap();
        raw.engine.release(id(1));
        assert_eq!(raw.resets(), [(1, ErrorCode::NO_ERROR)]);
    }
}

#[test]
fn the_application_has_its_slot_back_at_once() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 1, ..Config::default() });
    for stream in [1, 3, 5] {
        raw.post(stream);
        assert_eq!(raw.events().len(), 1);
        raw.engine.respond(id(stream), &response(401), true).unwrap();
        raw.engine.release(id(stream));
        raw.data(stream, 0, true);
        raw.sent();
    }
}

#[test]
fn a_request_with_too_many_fields_may_end_in_good_order_too() {
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
fn a_shutdown_waits_for_the_rest() {
    let mut raw = refused(Config::default());
    raw.engine.shutdown(raw.now);
    raw.sleep(Duration::from_millis(999));
    assert_eq!(raw.engine.close_reason(), None);
    raw.sleep(Duration::from_millis(2));
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
}
