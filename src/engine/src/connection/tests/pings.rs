//! PING (RFC 9113, 6.7).

use core::time::Duration;

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::error::SendError;
use crate::frame::SettingId;
use crate::{Config, Event};

#[test]
fn replies_echo_the_payload_and_are_sent_first() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.engine.send_data(id(1), &mut vec![0; 50_000].into(), true).unwrap();
    raw.ping(*b"question");
    raw.ping(*b"another ");
    let sent = raw.sent();
    assert_eq!(sent[..2], [Frame::Pong(*b"question"), Frame::Pong(*b"another ")]);
    assert!(matches!(sent[2], Frame::Headers { .. }));
}

#[test]
fn reply_never_precedes_the_preface() {
    let mut raw = Raw::silent_server(Config::default());
    raw.recv(crate::connection::input::PREFACE);
    raw.settings(&[]);
    raw.ping(*b"question");
    let sent = raw.sent();
    assert!(matches!(sent[..], [Frame::Settings(_), .., Frame::Pong(_)]), "{sent:?}");
}

#[test]
fn concurrent_pings_measure_separate_round_trips() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.ping(*b"first  1").unwrap();
    raw.sent();
    raw.now = raw.now + Duration::from_millis(10);
    raw.engine.ping(*b"second 2").unwrap();
    assert_eq!(raw.sent(), [Frame::Ping(*b"second 2")]);
    raw.now = raw.now + Duration::from_millis(20);
    raw.pong(*b"second 2");
    raw.pong(*b"first  1");
    let pongs = raw.events().into_iter().map(|event| match event {
        Event::Pong { payload, round_trip } => (payload, round_trip.as_millis()),
        other => panic!("{other:?}"),
    });
    assert!(pongs.eq([(*b"second 2", 20), (*b"first  1", 30)]));
    assert_eq!(raw.engine.stats().round_trip_nanos, 30_000_000);
    raw.pong(*b"first  1");
    assert!(raw.events().is_empty(), "a second reply is ignored");
}

#[test]
fn outstanding_pings_are_limited() {
    let mut raw = Raw::client(Config::default(), &[]);
    for _ in 0..16 {
        raw.engine.ping(*b"the same").unwrap();
    }
    assert_eq!(raw.engine.ping(*b"the same"), Err(SendError::WouldBlock));
    raw.sent();
    raw.pong(*b"the same");
    raw.engine.ping(*b"the same").unwrap();
}

#[test]
fn pings_are_answered_in_both_directions() {
    let mut pair = Pair::new();
    pair.client.ping(*b"question").unwrap();
    pair.server.ping(*b"question").unwrap();
    pair.run();
    for event in [pair.client_event(), pair.server_event()] {
        assert!(matches!(event, Some(Event::Pong { payload, .. }) if payload == *b"question"));
    }
}

#[test]
fn pings_are_answered_while_content_is_blocked() {
    let mut raw = Raw::server(Config::default());
    raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, 0)]);
    raw.headers(1, true, &request("GET", "/"));
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.engine.send_data(id(1), &mut "content".into(), true).unwrap();
    raw.sent();
    raw.ping(*b"question");
    assert_eq!(raw.sent(), [Frame::Pong(*b"question")]);
}
