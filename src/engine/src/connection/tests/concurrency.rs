//! Limits on concurrent streams, and the queues of streams waiting for a slot (RFC 9113, 5.1.2).

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id, requests};
use crate::error::OpenError;
use crate::frame::SettingId;
use crate::{Config, ConfigError, Connection, ErrorCode, Event, Read, State};

fn limit(streams: u32) -> [(SettingId, u32); 1] {
    [(SettingId::MAX_CONCURRENT_STREAMS, streams)]
}

/// Returns the streams for which the engine has sent HEADERS.
fn begun(frames: &[Frame]) -> Vec<u32> {
    let begun = |frame: &Frame| match frame {
        Frame::Headers { id, .. } => Some(*id),
        _ => None,
    };
    frames.iter().filter_map(begun).collect()
}

fn open(raw: &mut Raw, streams: usize) {
    for _ in 0..streams {
        raw.engine.open(&request("GET", "/"), true).unwrap();
    }
}

#[test]
fn a_hundred_streams_are_allowed_before_settings() {
    let mut raw = Raw::silent_client(Config::default());
    assert_eq!(raw.engine.open_capacity(), 200);
    open(&mut raw, 101);
    assert_eq!(begun(&raw.sent()).len(), 100);
    raw.settings(&[]);
    assert_eq!(begun(&raw.sent()), [201], "the peer set no limit");
}

#[test]
fn requests_beyond_the_peers_limit_wait_in_order() {
    let mut raw = Raw::client(Config::default(), &limit(2));
    open(&mut raw, 5);
    assert_eq!(begun(&raw.sent()), [1, 3]);
    assert_eq!(
        (raw.engine.state(id(3)), raw.engine.state(id(5))),
        (Some(State::HalfClosedLocal), Some(State::Idle))
    );
    raw.respond(3, true);
    assert_eq!(begun(&raw.sent()), [5]);
    raw.settings(&limit(1));
    raw.respond(1, true);
    assert!(begun(&raw.sent()).is_empty(), "one stream is still open, which is the limit");
    raw.settings(&limit(3));
    assert_eq!(begun(&raw.sent()), [7, 9]);
}

#[test]
fn request_ready_to_be_sent_counts_as_output() {
    let mut raw = Raw::client(Config::default(), &limit(1));
    open(&mut raw, 2);
    assert_eq!(begun(&raw.sent()), [1]);
    assert!(!raw.engine.has_output());
    raw.respond(1, true);
    assert!(raw.engine.has_output());
    assert_eq!(begun(&raw.sent()), [3]);
    assert!(!raw.engine.has_output());
}

#[test]
fn open_capacity_counts_streams_that_can_be_opened() {
    let mut raw = Raw::client(Config { waiting_streams: 1, ..Config::default() }, &limit(1));
    open(&mut raw, 2);
    assert_eq!(begun(&raw.sent()), [1]);
    raw.respond(1, true);
    assert_eq!(raw.engine.open_capacity(), 1, "the second can be sent, a third would wait");
    open(&mut raw, 1);
    assert_eq!(raw.engine.open_capacity(), 0);
    assert_eq!(begun(&raw.sent()), [3]);
}

#[test]
fn content_given_to_a_waiting_request_is_sent_with_it() {
    let mut raw = Raw::client(Config::default(), &limit(0));
    let ids = [(); 4].map(|()| raw.engine.open(&request("POST", "/"), false).unwrap());
    raw.engine.send_data(ids[0], &mut "content".into(), true).unwrap();
    raw.engine.send_data(ids[1], &mut "".into(), true).unwrap();
    let mut trailers = crate::FieldSection::new();
    trailers.push(b"checksum", b"0123");
    raw.engine.send_trailers(ids[2], &trailers).unwrap();
    raw.engine.window_update(ids[3], 5).unwrap();
    assert!(raw.sent().is_empty());
    raw.settings(&limit(10));
    let sent = raw.sent();
    assert!(!raw.engine.windows().send.is_negative());
    let ends = |stream: u32| {
        let of_stream = |frame: &&Frame| match frame {
            Frame::Headers { id, .. } | Frame::Data { id, .. } | Frame::WindowUpdate { id, .. } => {
                *id == stream
            }
            _ => false,
        };
        sent.iter().filter(of_stream).cloned().collect::<Vec<_>>()
    };
    assert!(matches!(
        ends(1)[..],
        [Frame::Headers { end_stream: false, .. }, Frame::Data { octets: 7, end_stream: true, .. },]
    ));
    assert!(matches!(ends(3)[..], [Frame::Headers { end_stream: true, .. }]));
    assert!(matches!(
        ends(5)[..],
        [Frame::Headers { end_stream: false, .. }, Frame::Headers { end_stream: true, .. },]
    ));
    assert!(matches!(
        ends(7)[..],
        [Frame::Headers { end_stream: false, .. }, Frame::WindowUpdate { increment: 5, .. },]
    ));
}

#[test]
fn streams_available_event_follows_would_block() {
    let mut raw = Raw::client(Config { waiting_streams: 1, ..Config::default() }, &limit(1));
    open(&mut raw, 2);
    assert_eq!(raw.engine.open_capacity(), 0);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::WouldBlock));
    raw.sent();
    assert!(raw.events().is_empty());
    raw.respond(1, true);
    assert!(matches!(raw.events()[..], [Event::Response { .. }, Event::StreamsAvailable]));
    assert_eq!(begun(&raw.sent()), [3]);
    assert!(matches!(raw.events()[..], [Event::RequestSent { .. }]));
    open(&mut raw, 1);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::WouldBlock));
    raw.settings(&limit(2));
    raw.sent();
    assert!(
        matches!(raw.events()[..], [Event::StreamsAvailable, Event::RequestSent { .. }]),
        "the limit was raised"
    );
}

#[test]
fn cancelled_waiting_request_is_never_sent() {
    let mut raw = Raw::client(Config { waiting_streams: 1, ..Config::default() }, &limit(1));
    open(&mut raw, 2);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::WouldBlock));
    raw.engine.release(id(3));
    assert_eq!(begun(&raw.sent()), [1]);
    assert!(matches!(raw.events()[..], [Event::StreamsAvailable]));
    open(&mut raw, 1);
    raw.engine.reset(id(5), ErrorCode::CANCEL);
    assert_eq!(raw.engine.state(id(5)), Some(State::Closed));
    raw.engine.release(id(5));
    raw.respond(1, true);
    assert!(raw.sent().is_empty());
    assert_eq!(raw.engine.stream_count(), 1);
    open(&mut raw, 1);
    assert_eq!(begun(&raw.sent()), [7], "the peer considers the others closed (RFC 9113, 5.1.1)");
}

#[test]
fn identifiers_begin_with_the_configured_one_and_run_out() {
    for first_stream_id in [0, 2, 1 << 31, u32::MAX] {
        let config = Config { first_stream_id, ..Config::default() };
        assert_eq!(Connection::client(config).err(), Some(ConfigError::FirstStreamId));
    }
    let mut raw = Raw::client(Config { first_stream_id: 0x7fff_ffff, ..Config::default() }, &[]);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Ok(crate::StreamId::MAX));
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::Closed));
    assert_eq!((raw.engine.open_capacity(), raw.engine.is_open()), (0, false));
    raw.respond(0x7fff_ffff, true);
    assert!(matches!(raw.events()[..], [Event::Response { .. }]));
}

#[test]
fn streams_above_the_limit_are_refused_before_settings_are_acknowledged() {
    let mut raw = Raw::silent_server(Config { max_concurrent_streams: 2, ..Config::default() });
    raw.recv(crate::connection::input::PREFACE);
    raw.settings(&[]);
    for stream in [1, 3, 5] {
        raw.get(stream);
    }
    assert_eq!(raw.resets(), [(5, ErrorCode::REFUSED_STREAM)]);
    assert_eq!(raw.events().len(), 2);
    // The peer sent this frame before it knew that the stream was refused.
    raw.window_update(5, 1);
    assert!(raw.sent().is_empty());
}

#[test]
fn refused_request_is_retryable() {
    let server = Config { max_concurrent_streams: 1, ..Config::default() };
    let mut pair = Pair::with(Config::default(), server);
    let ids = [(); 2].map(|()| pair.client.open(&request("GET", "/"), true).unwrap());
    pair.run();
    let event = pair.client_event();
    assert!(
        matches!(event, Some(Event::Reset { id, error }) if id == ids[1] && error.retryable),
        "{event:?}"
    );
}

#[test]
fn lower_limit_applies_once_acknowledged() {
    let mut raw = Raw::server(Config::default());
    raw.engine.change_settings(&limit(1)).unwrap();
    raw.get(1);
    raw.get(3);
    assert!(raw.resets().is_empty());
    raw.settings_ack();
    raw.get(5);
    assert_eq!(raw.resets(), [(5, ErrorCode::REFUSED_STREAM)]);
}

/// The content of a waiting request could use up the connection window and block the open request forever.
#[test]
fn open_requests_do_not_wait_for_each_other() {
    let mut raw = Raw::server(Config::default());
    raw.engine.change_settings(&limit(1)).unwrap();
    raw.post(1);
    raw.post(3);
    raw.settings_ack();
    assert!(matches!(raw.events()[..], [Event::Request { .. }, Event::Request { .. }]));
    // Closed requests may hold others back: they only depend on the caller to release them.
    raw.engine.reset(id(1), ErrorCode::CANCEL);
    raw.engine.reset(id(3), ErrorCode::CANCEL);
    raw.post(5);
    assert!(raw.events().is_empty());
    raw.engine.release(id(1));
    raw.engine.release(id(3));
    assert!(matches!(raw.events()[..], [Event::Request { .. }]));
}

/// Creates a server limited to one stream, whose caller holds the first although it is closed on the wire.
fn server_with_a_held_stream() -> Raw {
    let mut raw = Raw::server(Config { max_concurrent_streams: 1, ..Config::default() });
    raw.get(1);
    raw.events();
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.state(id(1)), Some(State::Closed));
    raw.sent();
    raw
}

#[test]
fn request_waits_while_the_caller_holds_closed_streams() {
    let mut raw = server_with_a_held_stream();
    raw.post(3);
    raw.data(3, 10, true);
    assert!(raw.events().is_empty() && raw.sent().is_empty());
    assert_eq!(raw.engine.stats().streams_waiting, 1);
    raw.get(5);
    assert_eq!(raw.resets(), [(5, ErrorCode::REFUSED_STREAM)], "at most one waits");
    raw.engine.release(id(1));
    let events = raw.events();
    assert!(
        matches!(events[..], [Event::Request { end_stream: false, .. }, Event::Readable { .. }]),
        "{events:?}"
    );
    assert!(matches!(raw.engine.read(id(3), 100), Ok(Read::Data(data)) if data.len() == 10));
    assert!(matches!(raw.engine.read(id(3), 100), Ok(Read::End)));
}

#[test]
fn request_reset_while_waiting_is_not_delivered() {
    let mut raw = server_with_a_held_stream();
    let window = raw.engine.windows().receive;
    for stream in (3..23).step_by(2) {
        raw.post(stream);
        raw.data(stream, 100, false);
        raw.reset(stream, ErrorCode::CANCEL);
    }
    raw.get(23);
    raw.window_update(23, 0);
    assert_eq!(raw.resets(), [(23, ErrorCode::PROTOCOL_ERROR)]);
    let stats = raw.engine.stats();
    assert_eq!((raw.engine.stream_count(), stats.streams_waiting, stats.streams_open), (1, 0, 0));
    assert_eq!(raw.engine.windows().receive, window - 1_000, "credit is owed, not lost");
    raw.engine.release(id(1));
    assert!(raw.events().is_empty());
    raw.assert_serves(25);
}

#[test]
fn resets_do_not_bypass_the_stream_limit() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 10, ..Config::default() });
    let mut seen = 0;
    for stream in (1..101).step_by(2) {
        raw.get(stream);
        seen += requests(&raw.events());
        raw.reset(stream, ErrorCode::CANCEL);
    }
    assert_eq!(seen, 10, "the other requests end before the caller has released any stream");
}

#[test]
fn request_reset_before_polling_is_not_delivered() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 10, ..Config::default() });
    for stream in (1..101).step_by(2) {
        raw.get(stream);
        raw.reset(stream, ErrorCode::CANCEL);
    }
    raw.get(101);
    assert!(matches!(raw.events()[..], [Event::Request { id: seen, .. }] if seen == id(101)));
    assert_eq!(raw.engine.stream_count(), 1);
}

/// A client that has not received our SETTINGS may open any number of streams.
#[test]
fn refusals_do_not_end_the_connection() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 0, ..Config::default() });
    for stream in (1..4_001).step_by(2) {
        raw.get(stream);
        assert_eq!(raw.resets(), [(stream, ErrorCode::REFUSED_STREAM)]);
    }
    assert_eq!((raw.engine.close_reason(), raw.engine.stats().abuse_score_peak), (None, 0));
}

#[test]
fn request_sent_event_follows_for_waiting_request() {
    let mut raw = Raw::client(Config::default(), &limit(1));
    open(&mut raw, 2);
    raw.sent();
    assert!(raw.events().is_empty());
    raw.respond(1, true);
    assert_eq!(begun(&raw.sent()), [3]);
    let events = raw.events();
    assert!(matches!(events[..], [Event::Response { .. }, Event::RequestSent { id: sent }] if sent == id(3)));
}

#[test]
fn streams_available_event_follows_without_a_queue() {
    let mut raw = Raw::client(Config { waiting_streams: 0, ..Config::default() }, &limit(1));
    open(&mut raw, 1);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::WouldBlock));
    raw.sent();
    raw.respond(1, true);
    assert!(matches!(raw.events()[..], [Event::Response { .. }, Event::StreamsAvailable]));
    open(&mut raw, 1);
}
