//! The end of a connection: GOAWAY from either endpoint, and the end of the transport (RFC 9113, 5.4.1 and 6.8).

use core::time::Duration;

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::connection::input::PREFACE;
use crate::error::{ConnectionError, Initiator, OpenError, SendError, Violation};
use crate::frame::{FrameType, SettingId};
use crate::{Config, ErrorCode, Event, KeepAlive, StreamError};

fn goaway(last: u32, code: ErrorCode) -> Frame {
    Frame::GoAway { last, code, debug_data: String::new() }
}

/// Returns the streams that were reset, and whether their requests are retryable.
fn retryable(events: &[Event]) -> Vec<(u32, bool)> {
    let reset = |event: &Event| match event {
        Event::Reset { id, error } => Some((id.as_u32(), error.retryable)),
        _ => None,
    };
    events.iter().filter_map(reset).collect()
}

#[test]
fn server_shutdown_names_the_last_stream_after_a_round_trip() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.engine.shutdown(raw.now);
    let sent = raw.sent();
    let [announced, Frame::Ping(payload)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(*announced, goaway(0x7fff_ffff, ErrorCode::NO_ERROR));
    assert!(!raw.engine.is_open());

    raw.post(3);
    assert_eq!(raw.events().len(), 2, "requests in transit are processed");
    raw.pong(*payload);
    assert_eq!(raw.sent(), [goaway(3, ErrorCode::NO_ERROR)]);

    let window = raw.engine.windows().receive;
    raw.post(5);
    raw.data(5, 100, false);
    raw.headers(5, true, &crate::FieldSection::new());
    raw.reset(5, ErrorCode::CANCEL);
    assert_eq!((raw.sent(), raw.events().len()), (vec![], 0), "later requests are ignored");
    assert_eq!(raw.engine.windows().receive, window - 100, "credited with the next WINDOW_UPDATE");

    raw.engine.send_response(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), None);
    raw.data(3, 0, true);
    raw.engine.send_response(id(3), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
    assert_eq!(raw.sent().len(), 2, "both responses");
    assert!(raw.engine.is_closed());
}

#[test]
fn client_sends_goaway_after_its_last_stream() {
    let mut raw = Raw::client(Config::default(), &[]);
    let stream = raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw.engine.shutdown(raw.now);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::Closed));
    assert!(raw.sent().is_empty());
    raw.respond(1, true);
    assert!(matches!(raw.events()[..], [Event::Response { .. }, Event::Closed]));
    assert_eq!(raw.sent(), [goaway(0, ErrorCode::NO_ERROR)]);
    raw.engine.release(stream);
    assert_eq!((raw.engine.close_reason(), raw.engine.stream_count()), (Some(Ok(())), 0));
}

#[test]
fn graceful_shutdown_loses_no_request() {
    let mut pair = Pair::new();
    pair.run();
    let early = pair.client.open(&request("GET", "/early"), true).unwrap();
    pair.run();
    pair.server.shutdown(pair.now);
    let late = pair.client.open(&request("GET", "/late"), true).unwrap();
    pair.run();
    assert!(!pair.client.is_open());
    for stream in [early, late] {
        pair.server.send_response(stream, &response(200), true).unwrap();
        pair.server.release(stream);
    }
    pair.run();
    assert_eq!((pair.client.close_reason(), pair.server.close_reason()), (Some(Ok(())), Some(Ok(()))));
    let responses = std::iter::from_fn(|| pair.client_event())
        .filter(|event| matches!(event, Event::Response { .. }))
        .count();
    assert_eq!(responses, 2);
}

#[test]
fn requests_above_the_last_stream_are_retryable() {
    let mut raw = Raw::client(Config::default(), &[(SettingId::MAX_CONCURRENT_STREAMS, 3)]);
    for _ in 0..5 {
        raw.engine.open(&request("GET", "/"), true).unwrap();
    }
    assert_eq!(raw.sent().len(), 3);
    raw.goaway(0x7fff_ffff, ErrorCode::NO_ERROR);
    let events = raw.events();
    assert_eq!(retryable(&events), [(7, true), (9, true)], "requests not sent yet");
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(OpenError::Closed));

    raw.goaway(3, ErrorCode::NO_ERROR);
    assert_eq!(retryable(&raw.events()), [(5, true)]);
    raw.respond(1, true);
    raw.respond(3, true);
    assert!(matches!(raw.events()[..], [Event::Response { .. }, Event::Response { .. }, Event::Closed]));
    assert_eq!(raw.sent(), [goaway(0, ErrorCode::NO_ERROR)]);
    assert_eq!(raw.engine.received_go_away().map(|goaway| goaway.last_stream_id), Some(id(3)));
}

#[test]
fn goaway_resets_each_waiting_request_once() {
    let mut raw = Raw::client(Config::default(), &[(SettingId::MAX_CONCURRENT_STREAMS, 0)]);
    for _ in 0..3 {
        raw.engine.open(&request("GET", "/"), true).unwrap();
    }
    raw.goaway(0, ErrorCode::NO_ERROR);
    let events = raw.events();
    assert_eq!(retryable(&events), [(1, true), (3, true), (5, true)]);
    assert!(matches!(events[..], [Event::GoAway, .., Event::Closed]), "{events:?}");
}

#[test]
fn shutdown_resets_waiting_requests() {
    let mut raw = Raw::client(Config::default(), &[(SettingId::MAX_CONCURRENT_STREAMS, 0)]);
    for _ in 0..2 {
        raw.engine.open(&request("GET", "/"), true).unwrap();
    }
    raw.engine.shutdown(raw.now);
    let events = raw.events();
    assert_eq!(retryable(&events), [(1, true), (3, true)]);
    assert!(matches!(events.last(), Some(Event::Closed)));
    assert_eq!(raw.sent(), [goaway(0, ErrorCode::NO_ERROR)]);
}

#[test]
fn goaway_with_an_error_lets_earlier_streams_finish() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw.goaway(1, ErrorCode::INTERNAL_ERROR);
    raw.respond(1, true);
    assert!(matches!(raw.events()[..], [Event::GoAway, Event::Response { .. }, Event::Closed]));
    let Some(Err(reason)) = raw.engine.close_reason() else { panic!() };
    assert_eq!(*reason, ConnectionError::GoAway(ErrorCode::INTERNAL_ERROR, "because".into()));
    assert_eq!((reason.code(), reason.initiator()), (Some(ErrorCode::INTERNAL_ERROR), Initiator::Peer));
}

#[test]
fn goaway_must_not_raise_the_last_stream() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.goaway(1, ErrorCode::NO_ERROR);
    raw.goaway(1, ErrorCode::NO_ERROR);
    assert_eq!(raw.engine.close_reason(), None, "the same identifier again is allowed");
    raw.goaway(3, ErrorCode::NO_ERROR);
    raw.assert_failed(Violation::GoAwayRaised);
}

#[test]
fn debug_data_is_truncated_to_a_kilobyte() {
    let mut raw = Raw::server(Config::default());
    raw.frame(FrameType::GOAWAY, 0, 0, &[b'x'; 10_000]);
    assert_eq!(raw.engine.received_go_away().unwrap().debug_data.len(), 1_024);
}

#[test]
fn server_continues_after_the_clients_goaway() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.events();
    raw.goaway(0, ErrorCode::NO_ERROR);
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    raw.engine.release(id(1));
    assert_eq!(raw.engine.close_reason(), None);
    raw.engine.recv_end(raw.now);
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
}

#[test]
fn abort_sends_goaway_and_ends_all_streams() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.events();
    raw.engine.abort(ErrorCode::INTERNAL_ERROR, b"out of coffee");
    let events = raw.events();
    let [Event::Reset { error, .. }, Event::Closed] = events[..] else { panic!("{events:?}") };
    assert_eq!((error.code, error.initiator), (ErrorCode::INTERNAL_ERROR, Initiator::Local));
    let debug_data = "out of coffee".to_owned();
    assert_eq!(raw.sent(), [Frame::GoAway { last: 1, code: ErrorCode::INTERNAL_ERROR, debug_data }]);
    assert_eq!(raw.engine.send_response(id(1), &response(200), true), Err(SendError::Reset(error)));
    raw.engine.abort(ErrorCode::NO_ERROR, b"again");
    raw.engine.release(id(1));
    assert!(raw.sent().is_empty() && raw.engine.is_closed());
    assert_eq!(raw.engine.stream_count(), 0);
}

#[test]
fn goaway_explains_an_error_unless_the_caller_does_not_want_that() {
    for explain_errors in [false, true] {
        let mut raw = Raw::server(Config { explain_errors, ..Config::default() });
        raw.data(1, 1, false);
        let sent = raw.sent();
        let [Frame::GoAway { code: ErrorCode::PROTOCOL_ERROR, debug_data, .. }] = &sent[..] else {
            panic!("{sent:?}")
        };
        assert_eq!(!debug_data.is_empty(), explain_errors);
    }
}

#[test]
fn nothing_is_sent_after_the_last_goaway() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.data(1, 60_000 / 4, false);
    for _ in 0..14 {
        raw.data(1, 16_000, false);
    }
    raw.events();
    raw.engine.abort(ErrorCode::NO_ERROR, b"");
    while let Ok(crate::Read::Data(_)) = raw.engine.read(id(1), usize::MAX) {}
    raw.engine.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 1)]).unwrap();
    raw.engine.connection_window_update(1).unwrap();
    raw.engine.send_origin(&[b"https://example.com"]).unwrap();
    assert_eq!(raw.engine.ping(*b"too late"), Err(SendError::Closed));
    assert_eq!(raw.sent(), [goaway(1, ErrorCode::NO_ERROR)]);
    assert!(raw.engine.is_closed());

    let mut client = Raw::client(Config::default(), &[]);
    client.engine.abort(ErrorCode::NO_ERROR, b"");
    assert_eq!(client.engine.open(&request("GET", "/"), true), Err(OpenError::Closed));
    assert_eq!(client.engine.open_capacity(), 0);
}

#[test]
fn abort_drops_undelivered_requests() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 1, ..Config::default() });
    raw.get(1);
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    raw.get(3);
    assert_eq!(raw.events().len(), 1, "the second waits until the first is released");
    raw.engine.abort(ErrorCode::NO_ERROR, b"");
    raw.engine.release(id(1));
    assert_eq!(raw.engine.stream_count(), 0);
    assert!(matches!(raw.events()[..], [Event::Closed]));
}

/// Returns how a connection ends if the transport ends after some input.
fn end_after(mut raw: Raw, say: impl FnOnce(&mut Raw)) -> Result<(), ConnectionError> {
    say(&mut raw);
    raw.engine.recv_end(raw.now);
    raw.engine.recv_end(raw.now);
    assert!(raw.engine.is_closed(), "the transport takes no more output");
    assert!(matches!(raw.events().last(), Some(Event::Closed)));
    raw.engine.close_reason().unwrap().map_err(Clone::clone)
}

#[test]
fn end_of_transport_is_clean_only_if_idle() {
    let cut = |inside_frame| Err(ConnectionError::TransportEnded { inside_frame });
    let server = || Raw::server(Config::default());
    let silent = || Raw::silent_server(Config::default());
    assert_eq!(end_after(server(), |_| {}), Ok(()));
    assert_eq!(end_after(silent(), |_| {}), cut(false));
    assert_eq!(end_after(silent(), |raw| raw.recv(&PREFACE[..5])), cut(true));
    assert_eq!(end_after(silent(), |raw| raw.recv(PREFACE)), cut(false));
    assert_eq!(end_after(server(), |raw| raw.recv(b"\0\0\x08\x06")), cut(true));
    assert_eq!(end_after(server(), |raw| raw.recv(b"\0\0\x08\x06\0\0\0\0\x00half")), cut(true));
    assert_eq!(end_after(server(), |raw| raw.frame(FrameType::HEADERS, 0, 1, b"\x82")), cut(true));
    assert_eq!(end_after(server(), |raw| raw.post(1)), cut(false));
    let half_of_data = |raw: &mut Raw| {
        raw.post(1);
        raw.recv(b"\0\0\x08\0\x01\0\0\0\x01half");
    };
    assert_eq!(end_after(server(), half_of_data), cut(true));
}

#[test]
fn end_of_transport_is_reported_after_received_content() {
    let mut raw = Raw::client(Config::default(), &[]);
    let stream = raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.respond(1, false);
    raw.data(1, 5, false);
    raw.engine.recv_end(raw.now);
    assert!(matches!(raw.engine.read(stream, 100), Ok(crate::Read::Data(data)) if data.len() == 5));
    let Err(StreamError { initiator, retryable, .. }) = raw.engine.read(stream, 100) else { panic!() };
    assert_eq!((initiator, retryable), (Initiator::Transport, false));
    raw.engine.release(stream);
    assert_eq!((raw.engine.stream_count(), raw.engine.is_closed()), (0, true));
}

#[test]
fn complete_requests_are_answered_after_a_half_close() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.post(3);
    raw.post(5);
    raw.data(5, 5, true);
    raw.events();
    raw.engine.recv_half_close(raw.now);
    raw.engine.recv_half_close(raw.now);
    let events = raw.events();
    let [Event::Reset { id: incomplete, error }] = events[..] else { panic!("{events:?}") };
    assert_eq!((incomplete, error.initiator), (id(3), Initiator::Transport));
    assert_eq!(raw.sent(), [goaway(5, ErrorCode::NO_ERROR)]);
    for stream in [1, 5] {
        assert_eq!(raw.engine.close_reason(), None);
        raw.engine.send_response(id(stream), &response(200), true).unwrap();
        raw.engine.release(id(stream));
    }
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
    assert!(matches!(raw.sent()[..], [Frame::Headers { id: 1, .. }, Frame::Headers { id: 5, .. }]));
    assert!(raw.engine.is_closed());
}

#[test]
fn half_close_is_the_end_without_a_complete_request() {
    let cut = |inside_frame| Some(Err(ConnectionError::TransportEnded { inside_frame }));
    let half_close = |mut raw: Raw, say: fn(&mut Raw)| {
        say(&mut raw);
        raw.engine.recv_half_close(raw.now);
        raw.engine.close_reason().map(|reason| reason.map_err(Clone::clone))
    };
    let server = || Raw::server(Config::default());
    assert_eq!(half_close(server(), |_| {}), Some(Ok(())));
    assert_eq!(half_close(server(), |raw| raw.post(1)), cut(false));
    let inside_frame = |raw: &mut Raw| {
        raw.get(1);
        raw.recv(b"\0\0\x08\x06");
    };
    assert_eq!(half_close(server(), inside_frame), cut(true));
    let strict = Raw::server(Config { half_close: false, ..Config::default() });
    assert_eq!(half_close(strict, |raw| raw.get(1)), cut(false));
    let client = Raw::client(Config::default(), &[]);
    let open = |raw: &mut Raw| _ = raw.engine.open(&request("GET", "/"), true).unwrap();
    assert_eq!(half_close(client, open), cut(false));
}

#[test]
fn half_closed_connection_ends_with_its_deadline() {
    // The client acknowledges neither SETTINGS nor a PING, which it cannot.
    let keep_alive = Some(KeepAlive::new(Duration::from_secs(5), Duration::from_secs(5)));
    let mut raw = Raw::silent_server(Config { keep_alive, ..Config::default() });
    raw.recv(PREFACE);
    raw.settings(&[]);
    raw.get(1);
    raw.engine.recv_half_close(raw.now);
    raw.sent();
    raw.events();
    raw.sleep(Duration::from_secs(1));
    assert_eq!(raw.sent(), [goaway(1, ErrorCode::NO_ERROR)], "lets a dead transport notice");
    raw.sleep(Duration::from_secs(28));
    assert_eq!(raw.engine.close_reason(), None);
    raw.sleep(Duration::from_secs(1));
    assert_eq!(raw.engine.close_reason(), Some(Err(&ConnectionError::DrainTimeout)));
}

#[test]
fn http1_is_recognized_regardless_of_splits() {
    let request = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let response = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for piece in [1, 2, 5, 100] {
        let mut server = Raw::silent_server(Config::default());
        request.chunks(piece).for_each(|octets| server.recv(octets));
        let mut client = Raw::silent_client(Config::default());
        response.chunks(piece).for_each(|octets| client.recv(octets));
        for raw in [server, client] {
            assert_eq!(raw.engine.close_reason(), Some(Err(&ConnectionError::NotHttp2)), "by {piece}");
        }
    }
    for start in ["POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ", "HEAD "] {
        let mut server = Raw::silent_server(Config::default());
        start.bytes().for_each(|octet| server.recv(&[octet]));
        assert_eq!(server.engine.close_reason(), Some(Err(&ConnectionError::NotHttp2)), "{start}");
    }
}

#[test]
fn invalid_preface_is_a_violation() {
    for preface in ["GRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", "\x16\x03\x01"] {
        for piece in [1, 100] {
            let mut server = Raw::silent_server(Config::default());
            preface.as_bytes().chunks(piece).for_each(|octets| server.recv(octets));
            server.assert_failed(Violation::BadPreface);
        }
    }
}
