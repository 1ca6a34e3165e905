//! Deadlines, driven by `poll_timeout` and `handle_timeout`.

use core::time::Duration;

use bytes::Bytes;

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::connection::input::PREFACE;
use crate::error::{ConnectionError, Violation};
use crate::frame::{FrameType, SettingId, flags};
use crate::{Config, ErrorCode, Event, KeepAlive, Time};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Returns a configuration without deadlines.
fn without_deadlines() -> Config {
    Config {
        preface_timeout: None,
        settings_timeout: None,
        headers_timeout: None,
        stall_timeout: None,
        idle_timeout: None,
        drain_timeout: None,
        keep_alive: None,
        ..Config::default()
    }
}

/// Advances the time to `until`, firing each deadline as a correct driver does. A fired deadline must not remain
/// due.
#[track_caller]
fn advance_to(raw: &mut Raw, until: Time) {
    while let Some(at) = raw.engine.poll_timeout().filter(|&at| at <= until) {
        assert!(at >= raw.now, "a deadline in the past");
        raw.now = at;
        raw.engine.handle_timeout(at);
        assert!(raw.engine.poll_timeout().is_none_or(|next| next > at), "the deadline is still due");
    }
    raw.now = until;
}

/// Asserts that the connection fails with this violation after `timeout`, and not earlier.
#[track_caller]
fn assert_fails_after(raw: &mut Raw, timeout: Duration, violation: Violation) {
    let due = raw.now + timeout;
    advance_to(raw, Time::from_nanos(due.as_nanos() - 1));
    assert_eq!(raw.engine.close_reason(), None, "too early");
    advance_to(raw, due);
    raw.assert_failed(violation);
}

#[test]
fn no_timeout_without_deadlines() {
    let mut raw = Raw::server(without_deadlines());
    raw.get(1);
    raw.sent();
    assert_eq!(raw.engine.poll_timeout(), None);
}

#[test]
fn preface_must_arrive_in_time() {
    let config = || Config { preface_timeout: Some(5 * SECOND), ..without_deadlines() };
    let mut server = Raw::silent_server(config());
    assert_eq!(server.engine.poll_timeout(), None, "the engine does not know the time yet");
    server.sent();
    server.recv(&PREFACE[..10]);
    assert_fails_after(&mut server, 5 * SECOND, Violation::TooSlow);

    let mut client = Raw::silent_client(config());
    client.sent();
    assert_fails_after(&mut client, 5 * SECOND, Violation::TooSlow);

    assert_eq!(Raw::server(config()).engine.poll_timeout(), None, "the preface has arrived");
}

#[test]
fn settings_must_be_acknowledged_in_time() {
    let mut raw = Raw::silent_server(Config { settings_timeout: Some(5 * SECOND), ..without_deadlines() });
    raw.recv(PREFACE);
    raw.settings(&[]);
    raw.sent();
    assert_fails_after(&mut raw, 5 * SECOND, Violation::SettingsTimeout);
}

#[test]
fn settings_timeout_starts_when_each_frame_is_transmitted() {
    let mut raw = Raw::server(Config { settings_timeout: Some(5 * SECOND), ..without_deadlines() });
    raw.now = raw.now + HOUR;
    for _ in 0..2 {
        raw.engine.change_settings(&[(SettingId::MAX_FRAME_SIZE, 20_000)]).unwrap();
        assert_eq!(raw.sent().len(), 1);
        advance_to(&mut raw, Time::from_nanos(1) + HOUR + 3 * SECOND);
    }
    raw.settings_ack();
    assert_fails_after(&mut raw, 5 * SECOND, Violation::SettingsTimeout);
}

#[test]
fn field_block_must_be_finished_in_time() {
    let mut raw = Raw::server(Config { headers_timeout: Some(5 * SECOND), ..without_deadlines() });
    raw.frame(FrameType::HEADERS, 0, 1, b"\x82");
    advance_to(&mut raw, Time::from_nanos(1) + 4 * SECOND);
    raw.frame(FrameType::CONTINUATION, 0, 1, b"\x86");
    assert_fails_after(&mut raw, SECOND, Violation::TooSlow);
}

#[test]
fn transport_must_take_output_in_time() {
    let mut raw = Raw::server(Config { stall_timeout: Some(5 * SECOND), ..without_deadlines() });
    raw.ping(*b"anybody?");
    advance_to(&mut raw, Time::from_nanos(1) + 4 * SECOND);
    assert_eq!(raw.sent(), [Frame::Pong(*b"anybody?")]);
    assert_eq!(raw.engine.poll_timeout(), None);
    raw.ping(*b"anybody?");
    assert_fails_after(&mut raw, 5 * SECOND, Violation::TooSlow);
}

#[test]
fn write_progress_extends_the_stall_timeout() {
    let mut raw = server_with_content(300_000, 1 << 20);
    raw.window_update(0, 1 << 20);
    let start = raw.now;
    let mut output = Vec::new();
    raw.engine.poll_transmit(raw.now, &mut output, 100_000);
    for second in (10..=600).step_by(10) {
        advance_to(&mut raw, start + second * SECOND);
        raw.engine.handle_write_progress(raw.now, 2_000);
    }
    assert_eq!(raw.engine.poll_timeout(), Some(start + 660 * SECOND));
    for second in (600..660).step_by(10) {
        advance_to(&mut raw, start + second * SECOND);
        raw.engine.handle_write_progress(raw.now, 1);
    }
    advance_to(&mut raw, start + 660 * SECOND);
    raw.assert_failed(Violation::TooSlow);
}

/// Creates a server with one response of `octets` bytes and this stream window for it.
///
/// An hour passes before the engine gets the response.
fn server_with_content(octets: usize, stream_window: u32) -> Raw {
    let mut raw = Raw::server(Config { stall_timeout: Some(60 * SECOND), ..without_deadlines() });
    raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, stream_window)]);
    raw.get(1);
    raw.sent();
    raw.events();
    raw.now = raw.now + HOUR;
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.engine.send_data(id(1), &mut Bytes::from(vec![0; octets]), true).unwrap();
    raw.sent();
    raw
}

#[test]
fn stream_without_window_is_reset_after_the_stall_timeout() {
    let mut raw = server_with_content(10, 0);
    let start = raw.now;
    assert_eq!(raw.engine.poll_timeout(), Some(start + 60 * SECOND));
    raw.get(3);
    raw.events();
    raw.engine.send_response(id(3), &response(200), false).unwrap();
    raw.sent();
    advance_to(&mut raw, start + 60 * SECOND);
    let [Event::Reset { id: reset, error }] = raw.events()[..] else { panic!() };
    assert_eq!((reset, error.violation), (id(1), Some(Violation::StreamStalled)));
    assert_eq!(raw.resets(), [(1, ErrorCode::ENHANCE_YOUR_CALM)]);
    raw.engine.send_data(id(3), &mut Bytes::new(), true).unwrap();
    assert_eq!(raw.sent(), [Frame::Data { id: 3, octets: 0, end_stream: true }]);
}

#[test]
fn window_progress_of_a_kibibyte_extends_the_stall_timeout() {
    let mut raw = server_with_content(2_000, 0);
    let start = raw.now;
    advance_to(&mut raw, start + 40 * SECOND);
    for (increment, deadline) in [(1_000, 60), (23, 60), (1, 100)] {
        raw.window_update(1, increment);
        let octets = increment as usize;
        assert_eq!(raw.sent(), [Frame::Data { id: 1, octets, end_stream: false }]);
        assert_eq!(raw.engine.poll_timeout(), Some(start + deadline * SECOND));
    }
    raw.window_update(1, 976);
    assert_eq!(raw.sent(), [Frame::Data { id: 1, octets: 976, end_stream: true }]);
    assert_eq!(raw.engine.poll_timeout(), None);
}

/// The peer grants each stream one byte of window now and then. This keeps a stream alive for five minutes at most,
/// and only if memory permits.
#[test]
fn dripping_windows_do_not_keep_streams_alive() {
    let mut raw = Raw::server(Config::default());
    raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, 0)]);
    for stream in (1..200).step_by(2) {
        raw.get(stream);
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut Bytes::from(vec![0; 25_000]), true).unwrap();
    }
    raw.sent();
    raw.events();
    let mut open = Vec::new();
    for _ in 0..20 {
        raw.sleep(59 * SECOND);
        for stream in (1..200).step_by(2) {
            raw.window_update(stream, 1);
        }
        raw.sent();
        open.push((raw.engine.stats().streams_open, raw.engine.sending.pending() >> 20));
        raw.events();
    }
    // After two minutes, streams are reset until the total is below three quarters of a megabyte; after five minutes,
    // the rest.
    assert_eq!((open[1].0, open[2].1), (100, 0), "{open:?}");
    assert_eq!(open[5].0, 0, "{open:?}");
    assert_eq!(raw.engine.close_reason(), None);
}

#[test]
fn each_blocked_stream_has_its_own_deadline() {
    let mut raw = Raw::server(Config { stall_timeout: Some(60 * SECOND), ..without_deadlines() });
    raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, 0)]);
    let start = raw.now;
    for (stream, second) in [(1, 0), (3, 10), (5, 20)] {
        advance_to(&mut raw, start + second * SECOND);
        raw.get(stream);
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut Bytes::from(vec![0; 2_000]), true).unwrap();
        raw.sent();
    }
    advance_to(&mut raw, start + 30 * SECOND);
    raw.window_update(3, 1_024);
    raw.sent();
    let mut reset = |second| {
        advance_to(&mut raw, start + second * SECOND);
        raw.resets().into_iter().map(|(stream, _)| stream).collect::<Vec<_>>()
    };
    assert_eq!([reset(59), reset(60)], [vec![], vec![1]]);
    assert_eq!([reset(79), reset(80)], [vec![], vec![5]]);
    assert_eq!([reset(89), reset(90)], [vec![], vec![3]]);
}

#[test]
fn exhausted_connection_window_resets_waiting_streams() {
    let mut raw = server_with_content(70_000, 100_000);
    assert_eq!(raw.engine.windows().send, 0);
    let start = raw.now;
    advance_to(&mut raw, start + 40 * SECOND);
    raw.window_update(0, 1);
    raw.sent();
    advance_to(&mut raw, start + 59 * SECOND);
    assert!(raw.resets().is_empty());
    advance_to(&mut raw, start + 60 * SECOND);
    assert_eq!(raw.resets(), [(1, ErrorCode::ENHANCE_YOUR_CALM)], "the stream fails, not the connection");
    raw.events();
    raw.assert_serves(3);

    let mut raw = server_with_content(70_000, 100_000);
    raw.engine.reset(id(1), ErrorCode::CANCEL);
    raw.sent();
    assert_eq!(raw.engine.poll_timeout(), None, "no stream is waiting any more");
}

#[test]
fn idle_connection_is_shut_down() {
    let config = || Config { idle_timeout: Some(60 * SECOND), ..without_deadlines() };
    let mut raw = Raw::server(config());
    let start = raw.now;
    advance_to(&mut raw, start + 30 * SECOND);
    raw.ping(*b"no work ");
    advance_to(&mut raw, start + 60 * SECOND);
    let sent = raw.sent();
    let [Frame::Pong(_), Frame::GoAway { last: 0x7fff_ffff, .. }, Frame::Ping(payload)] = sent[..] else {
        panic!("{sent:?}")
    };
    raw.pong(payload);
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));

    let mut client = Raw::client(config(), &[]);
    let start = client.now;
    advance_to(&mut client, start + 60 * SECOND);
    assert_eq!(client.engine.close_reason(), Some(Ok(())));
}

#[test]
fn idle_timeout_starts_when_the_last_stream_ends() {
    let config = || Config { idle_timeout: Some(60 * SECOND), ..without_deadlines() };
    let mut raw = Raw::server(config());
    raw.get(1);
    raw.now = raw.now + HOUR;
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    raw.engine.release(id(1));
    raw.sent();
    assert_eq!(raw.engine.poll_timeout(), Some(raw.now + 60 * SECOND));

    let mut client = Raw::client(config(), &[(SettingId::MAX_CONCURRENT_STREAMS, 0)]);
    client.engine.open(&request("GET", "/"), true).unwrap();
    client.sent();
    assert_eq!(client.engine.poll_timeout(), None, "a request is waiting");
}

#[test]
fn keep_alive_fails_if_the_peer_is_silent() {
    let keep_alive = Some(KeepAlive { interval: 10 * SECOND, timeout: 3 * SECOND });
    let mut raw = Raw::client(Config { keep_alive, ..without_deadlines() }, &[]);
    for _ in 0..3 {
        let heard = raw.now;
        advance_to(&mut raw, heard + 10 * SECOND);
        let sent = raw.sent();
        let [Frame::Ping(payload)] = sent[..] else { panic!("{sent:?}") };
        advance_to(&mut raw, heard + 12 * SECOND);
        raw.pong(payload);
        assert_eq!(raw.engine.poll_timeout(), Some(raw.now + 10 * SECOND));
    }
    let heard = raw.now;
    advance_to(&mut raw, heard + 13 * SECOND);
    raw.assert_failed(Violation::PingTimeout);
}

#[test]
fn drain_timeout_aborts_remaining_streams() {
    let mut raw = Raw::server(Config { drain_timeout: Some(30 * SECOND), ..without_deadlines() });
    raw.get(1);
    raw.events();
    let start = raw.now;
    raw.engine.shutdown(start);
    raw.sent();
    advance_to(&mut raw, start + 29 * SECOND);
    assert_eq!(raw.engine.close_reason(), None);
    advance_to(&mut raw, start + 30 * SECOND);
    assert_eq!(raw.engine.close_reason(), Some(Err(&ConnectionError::DrainTimeout)));
    assert!(matches!(raw.events()[..], [Event::Reset { .. }, Event::Closed]));
    assert!(matches!(raw.sent().last(), Some(Frame::GoAway { last: 1, code: ErrorCode::NO_ERROR, .. })));
}

#[test]
fn shutdown_proceeds_without_a_ping_reply() {
    for streams in [0, 1] {
        let mut raw = Raw::server(without_deadlines());
        (0..streams).for_each(|_| raw.get(1));
        let start = raw.now;
        raw.engine.shutdown(start);
        assert!(matches!(raw.sent()[..], [Frame::GoAway { .. }, Frame::Ping(_)]));
        advance_to(&mut raw, start + 999 * MILLISECOND);
        assert_eq!(raw.sent(), []);
        advance_to(&mut raw, start + SECOND);
        assert!(matches!(raw.sent()[..], [Frame::GoAway { last, .. }] if last == streams));
        assert_eq!(raw.engine.is_closed(), streams == 0, "open streams may finish");
    }
}

#[test]
fn incomplete_frame_causes_no_output_or_deadline() {
    let mut octets = Vec::new();
    crate::frame::Ping { ack: false, opaque_data: *b"12345678" }.encode(&mut octets);
    for kind in [FrameType::PING, FrameType::HEADERS, FrameType::DATA, FrameType(0xbb)] {
        let mut raw = Raw::server(without_deadlines());
        raw.post(1);
        raw.events();
        octets[3] = kind.0;
        octets[4] = if kind == FrameType::DATA { flags::PADDED } else { 0 };
        octets[8] = u8::from(matches!(kind, FrameType::HEADERS | FrameType::DATA));
        for octet in &octets[..octets.len() - 1] {
            raw.recv(&[*octet]);
            assert!(raw.sent().is_empty() && raw.events().is_empty(), "{kind:?}");
            assert_eq!(raw.engine.poll_timeout(), None, "{kind:?}");
        }
    }
}
