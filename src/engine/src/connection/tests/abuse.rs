//! Useless work: a peer is warned, and then shown the door. Useful work goes on for ever.

use core::time::Duration;

use super::pair::{request, response};
use super::raw::{Frame, Raw, id};
use crate::error::Violation;
use crate::frame::{FrameType, SettingId, flags};
use crate::{Config, ErrorCode, Event, FieldSection};

/// Repeats something until the connection ends. Says how often that was, and after how many times a warning came.
#[track_caller]
fn flood(raw: &mut Raw, mut once: impl FnMut(&mut Raw, u32)) -> (u32, Option<u32>) {
    let mut warned = None;
    for count in 1..10_000 {
        once(raw, count);
        // What it brings about is taken, so that nothing else holds the peer up.
        if raw.events().iter().any(|event| matches!(event, Event::Abuse { .. })) {
            warned = Some(count);
        }
        if raw.engine.close_reason().is_some() {
            return (count, warned);
        }
        raw.sent();
    }
    panic!("nobody has had enough");
}

/// The stream that this is the n-th request on.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

#[test]
fn floods_of_frames() {
    use FrameType as T;
    type Once = fn(&mut Raw, u32);
    // Of 2,204, 204 are free: 200 to begin with, and 4 for the stream.
    let cases: &[(&str, u32, Once)] = &[
        ("too many PING frames", 2_204, |raw, _| raw.ping(*b"12345678")),
        ("too many SETTINGS frames", 500, |raw, _| raw.settings(&[])),
        ("too many SETTINGS frames", 500, |raw, n| raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, n)])),
        ("too many PRIORITY frames", 2_204, |raw, n| raw.frame(T::PRIORITY, 0, n, b"\0\0\0\0\0")),
        ("too many PRIORITY_UPDATE frames", 2_204, |raw, _| {
            raw.frame(T::PRIORITY_UPDATE, 0, 0, b"\0\0\0\x03u=1");
        }),
        ("too many empty DATA frames", 2_000, |raw, _| raw.data(1, 0, false)),
        ("too many empty DATA frames", 2_000, |raw, _| raw.frame(T::DATA, flags::PADDED, 1, b"\x02xx")),
        ("too many frames of extensions", 2_000, |raw, _| raw.frame(T(0xbb), 0, 0, b"")),
        ("too many frames of extensions", 2_000, |raw, _| raw.frame(T::ALTSVC, 0, 0, b"")),
        ("too many frames of extensions", 2_000, |raw, _| raw.frame(T::ORIGIN, 0, 0, b"")),
        ("too many frames without any effect", 2_000, |raw, _| raw.pong(*b"12345678")),
        ("too many GOAWAY frames", 500, |raw, _| raw.goaway(0, ErrorCode::NO_ERROR)),
        ("too many WINDOW_UPDATE frames", 2_204, |raw, _| raw.window_update(0, 1)),
        ("too many WINDOW_UPDATE frames", 2_204, |raw, _| raw.window_update(1, 1)),
    ];
    for &(cause, times, once) in cases {
        let mut raw = Raw::server(Config::default());
        raw.post(1);
        raw.events();
        let (count, warned) = flood(&mut raw, once);
        // The SETTINGS of the handshake have cost their share.
        assert!(count <= times && times - count < 5, "{cause}: {count} times");
        let warned = warned.expect(cause);
        assert!(
            (count * 7 / 10..=count * 4 / 5).contains(&warned),
            "{cause}: warned after {warned} of {count}"
        );
        let sent = raw.sent();
        let Some(Frame::GoAway { code, debug_data, .. }) = sent.last() else { panic!("{cause}: {sent:?}") };
        assert_eq!((*code, debug_data.as_str()), (ErrorCode::ENHANCE_YOUR_CALM, cause));
    }
}

#[test]
fn floods_on_streams_that_are_over() {
    type Once = fn(&mut Raw, u32);
    let cases: &[(u32, Once)] = &[
        (2_000, |raw, _| raw.reset(1, ErrorCode::CANCEL)),
        (2_204, |raw, _| raw.window_update(1, 1)),
        (182, |raw, _| raw.data(1, 0, true)),
    ];
    for &(times, once) in cases {
        let mut raw = Raw::server(Config::default());
        raw.get(1);
        raw.reset(1, ErrorCode::CANCEL);
        let (count, _) = flood(&mut raw, once);
        assert!(count <= times && times < count + 10, "{count} instead of {times} times");
    }
}

#[test]
fn what_was_under_way_when_a_stream_was_reset_is_no_abuse() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.engine.reset(id(1), ErrorCode::CANCEL);
    for _ in 0..10_000 {
        raw.data(1, 10, false);
    }
    raw.data(1, 0, true);
    assert_eq!(raw.engine.stats().abuse_score, 4, "the SETTINGS of the handshake");
}

#[test]
fn rapid_reset() {
    let mut raw = Raw::server(Config::default());
    let (count, warned) = flood(&mut raw, |raw, n| {
        raw.get(stream(n));
        raw.reset(stream(n), ErrorCode::CANCEL);
        raw.engine.release(id(stream(n)));
    });
    assert_eq!((count, warned), (2_000, Some(1_500)));
}

#[test]
fn cancelled_requests_beside_completed_ones_are_no_attack() {
    let mut raw = Raw::server(Config::default());
    for n in 0..2_000 {
        let (kept, cancelled) = (stream(2 * n), stream(2 * n + 1));
        raw.get(kept);
        raw.get(cancelled);
        raw.reset(cancelled, ErrorCode::CANCEL);
        raw.engine.respond(id(kept), &response(200), true).unwrap();
        raw.engine.release(id(kept));
        raw.engine.release(id(cancelled));
        raw.sent();
        raw.events();
    }
    assert_eq!(raw.engine.close_reason(), None);
    assert_eq!(raw.engine.stats().abuse_score, 0);
}

/// Ways to make the server reset a stream (CVE-2025-8671): none takes it further than the others.
#[test]
fn made_you_reset() {
    use FrameType as T;
    let ways: &[(T, u8, &[u8])] = &[
        (T::WINDOW_UPDATE, 0, b"\0\0\0\0"),
        (T::WINDOW_UPDATE, 0, b"\x7f\xff\xff\xff"),
        (T::DATA, flags::END_STREAM, b"late"),
        (T::HEADERS, flags::END_HEADERS | flags::END_STREAM, b""),
        (T::PRIORITY, 0, b"\0\0\0"),
    ];
    for &(kind, flags, payload) in ways {
        let mut raw = Raw::server(Config::default());
        let (count, _) = flood(&mut raw, |raw, n| {
            raw.get(stream(n));
            raw.frame(kind, flags, stream(n), payload);
            raw.engine.release(id(stream(n)));
        });
        assert!(count <= 200, "{kind:?}: {count} times");
    }
    let mut raw = Raw::server(Config::default());
    let (count, _) = flood(&mut raw, |raw, n| raw.headers(stream(n), true, &FieldSection::new()));
    assert!(count <= 200, "malformed requests: {count}");
}

#[test]
fn time_pays() {
    let mut raw = Raw::server(Config::default());
    for _ in 0..100 {
        for _ in 0..50 {
            raw.ping(*b"12345678");
        }
        raw.sent();
        raw.sleep(Duration::from_secs(1));
    }
    assert!(raw.events().is_empty());
}

#[test]
fn a_peer_that_stops_when_it_is_warned_parts_in_good_order() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.events();
    while raw.engine.is_open() {
        raw.ping(*b"12345678");
    }
    assert!(matches!(raw.events()[..], [Event::Abuse { cause: "too many PING frames" }]));
    let ping = raw.sent().into_iter().find_map(|frame| match frame {
        Frame::Ping(payload) => Some(payload),
        _ => None,
    });
    raw.pong(ping.unwrap());
    raw.engine.respond(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
}

#[test]
fn nothing_is_told_behind_the_end() {
    for frame in [FrameType(0xbb), FrameType::PRIORITY_UPDATE, FrameType::GOAWAY, FrameType::SETTINGS] {
        let mut config = Config { unknown_frames: true, ..Config::default() };
        config.limits.abuse = 5;
        let mut raw = Raw::server(config);
        raw.get(1);
        raw.events();
        // 204 of PRIORITY_UPDATE are free.
        for _ in 0..209 {
            raw.frame(frame, 0, 0, if frame == FrameType::SETTINGS { b"" } else { b"\0\0\0\x01u=1 " });
        }
        raw.assert_failed(Violation::Abuse);
    }
    // A warning ends a connection without streams.
    let mut config = Config::default();
    config.limits.abuse = 40;
    let mut raw = Raw::client(config, &[]);
    while raw.engine.close_reason().is_none() {
        raw.settings(&[]);
    }
    let events: Vec<_> = std::iter::from_fn(|| raw.engine.poll_event()).collect();
    assert!(matches!(events[..], [.., Event::Abuse { .. }, Event::Closed]), "{events:?}");
    // The frame that is one too many completes a request.
    let mut config = Config::default();
    config.limits.abuse = 5;
    let mut raw = Raw::server(config);
    let block = raw.block(&request("GET", "/"));
    raw.frame(FrameType::HEADERS, flags::END_STREAM, 1, &block);
    raw.engine.abuse = crate::abuse::Abuse::new(&crate::Limits { abuse: 1, ..Default::default() });
    raw.frame(FrameType::CONTINUATION, flags::END_HEADERS, 1, b"");
    raw.assert_failed(Violation::Abuse);
    assert_eq!((raw.engine.stream_count(), raw.engine.stats().streams_open), (0, 0));
}

#[test]
fn field_blocks_have_an_end() {
    let mut raw = Raw::server(Config::default());
    raw.frame(FrameType::HEADERS, 0, 1, b"\x82");
    for _ in 0..8 {
        raw.frame(FrameType::CONTINUATION, 0, 1, b"");
    }
    assert_eq!(raw.engine.close_reason(), None);
    raw.frame(FrameType::CONTINUATION, flags::END_HEADERS, 1, b"");
    raw.assert_failed(Violation::TooManyContinuations);

    let mut raw = Raw::server(Config::default());
    raw.frame(FrameType::HEADERS, 0, 1, &[0; 16_384]);
    for _ in 0..3 {
        raw.frame(FrameType::CONTINUATION, 0, 1, &[0; 16_384]);
    }
    assert_eq!(raw.engine.close_reason(), None, "64 KiB");
    raw.frame(FrameType::CONTINUATION, 0, 1, &[0; 1]);
    raw.assert_failed(Violation::FieldBlockTooLarge);
}

/// A field of 4,000 octets in the dynamic table, and one octet for each time that it is referred to.
#[test]
fn an_hpack_bomb_does_not_go_off() {
    let mut block = b"\x82\x86\x84\x40\x01x\x7f\xa1\x1e".to_vec();
    block.extend_from_slice(&[b'~'; 4_000]);
    let soft = [&block[..], &[0xbe; 10]].concat();
    let mut raw = Raw::server(Config::default());
    raw.frame(FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, 1, &soft);
    assert!(matches!(&raw.sent()[..], [Frame::Headers { fields, .. }] if fields[0].1 == "431"));
    let hard = [&block[..], &[0xbe; 16]].concat();
    let mut raw = Raw::server(Config::default());
    raw.frame(FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, 1, &hard);
    raw.assert_failed(Violation::FieldBlockTooLarge);
}

#[test]
fn a_busy_and_honest_peer_is_never_limited() {
    let mut raw = Raw::server(Config::default());
    let mut messages = 0;
    for n in 0..3_000 {
        raw.post(stream(n));
        for _ in 0..5 {
            raw.data(stream(n), 5, false);
            messages += 1;
        }
        raw.data(stream(n), 0, true);
        raw.window_update(stream(n), 100);
        raw.window_update(0, 100);
        while let Ok(crate::Read::Data(_)) = raw.engine.read(id(stream(n)), 100) {}
        raw.engine.respond(id(stream(n)), &response(200), false).unwrap();
        raw.engine.send_data(id(stream(n)), &mut "answer".into(), true).unwrap();
        raw.engine.release(id(stream(n)));
        if n % 100 == 0 {
            raw.ping(*b"12345678");
        }
        raw.sent();
        raw.events();
    }
    assert_eq!((messages, raw.engine.close_reason()), (15_000, None));
    assert_eq!(raw.engine.stats().streams_completed, 3_000);
}
