//! Amplification ends the connection after a warning. Everything else is allowed indefinitely, within bounds.

use super::pair::{request, response};
use super::raw::{Frame, Raw, id, raw_frame, requests};
use crate::error::Violation;
use crate::frame::{FrameType, PushPromise, SettingId, flags};
use crate::{AbuseCause, Config, ErrorCode, Event, FieldSection};

/// Repeats an action until the connection ends.
///
/// Returns the number of repetitions, and the number of repetitions before the warning.
#[track_caller]
fn flood(raw: &mut Raw, mut once: impl FnMut(&mut Raw, u32)) -> (u32, Option<u32>) {
    let mut warned = None;
    for count in 1..10_000 {
        once(raw, count);
        // Take events and output, which would otherwise stop the engine from taking input.
        if raw.events().iter().any(|event| matches!(event, Event::Abuse { .. })) {
            warned = Some(count);
        }
        if raw.engine.close_reason().is_some() {
            return (count, warned);
        }
        raw.sent();
    }
    panic!("the connection did not end");
}

/// Returns the stream of the n-th request.
fn stream(n: u32) -> u32 {
    2 * n + 1
}

/// Receives HEADERS of a request whose fields expand to 40 KB from a block of a few bytes.
fn expanding(raw: &mut Raw, stream: u32) {
    if stream == 1 {
        let mut block = b"\x82\x86\x84\x40\x01x\x7f\xa1\x1e".to_vec();
        block.extend_from_slice(&[b'~'; 4_000]);
        raw.frame(FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, 1, &block);
    } else {
        let block = [&b"\x82\x86\x84"[..], &[0xbe; 10]].concat();
        raw.frame(FrameType::HEADERS, flags::END_HEADERS | flags::END_STREAM, stream, &block);
    }
}

#[test]
fn amplification_causes_a_warning_then_goaway() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.events();
    let (count, warned) = flood(&mut raw, |raw, n| raw.goaway(10_000 - n, ErrorCode::NO_ERROR));
    assert_eq!((count, warned), (500, Some(375)));
    let sent = raw.sent();
    let Some(Frame::GoAway { code, debug_data, .. }) = sent.last() else { panic!("{sent:?}") };
    assert_eq!((*code, debug_data.as_str()), (ErrorCode::ENHANCE_YOUR_CALM, "too many GOAWAY frames"));
}

#[test]
fn expanding_field_sections_count_as_amplification() {
    let mut raw = Raw::server(Config::default());
    let (count, warned) = flood(&mut raw, |raw, n| expanding(raw, 2 * n - 1));
    // Each is charged ten points. The response with status 431 completes a stream, which pays off one point.
    assert_eq!((count, warned), (224, Some(168)));
}

#[test]
fn settings_are_charged_for_the_streams_they_unblock() {
    let mut raw = Raw::server(Config::default());
    raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, 0)]);
    for n in 0..64 {
        raw.get(stream(n));
        raw.engine.send_response(id(stream(n)), &response(200), false).unwrap();
        raw.engine.send_data(id(stream(n)), &mut vec![0; 10_000].into(), true).unwrap();
    }
    raw.sent();
    raw.events();
    let (count, warned) = flood(&mut raw, |raw, n| {
        raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, n)]);
        raw.window_update(0, 64);
    });
    assert_eq!((count, warned), (501, Some(376)), "the first SETTINGS frame finds no stream blocked");
}

/// Frames of constant cost and frames that only cause a reply are never charged.
#[test]
fn frames_of_constant_cost_are_free() {
    use FrameType as T;
    type Once = fn(&mut Raw, u32);
    let cases: &[Once] = &[
        |raw, _| raw.ping(*b"12345678"),
        |raw, _| raw.pong(*b"12345678"),
        |raw, _| raw.settings(&[]),
        |raw, n| raw.settings(&[(SettingId::INITIAL_WINDOW_SIZE, n)]),
        |raw, n| raw.frame(T::PRIORITY, 0, n, b"\0\0\0\0\0"),
        |raw, _| raw.frame(T::PRIORITY_UPDATE, 0, 0, b"\0\0\0\x03u=1"),
        |raw, _| raw.frame(T(0xbb), 0, 0, b""),
        |raw, _| raw.frame(T::ALTSVC, 0, 0, b""),
        |raw, _| raw.frame(T::ORIGIN, 0, 0, b""),
        |raw, _| raw.data(1, 0, false),
        |raw, _| raw.frame(T::DATA, flags::PADDED, 1, b"\x02xx"),
        |raw, _| raw.window_update(0, 1),
        |raw, _| raw.window_update(1, 1),
        // A closed stream.
        |raw, _| raw.reset(3, ErrorCode::CANCEL),
        |raw, _| raw.window_update(3, 1),
        // A cancelled request and a malformed one.
        |raw, n| {
            raw.get(stream(n + 1));
            raw.reset(stream(n + 1), ErrorCode::CANCEL);
            raw.engine.release(id(stream(n + 1)));
        },
        |raw, n| raw.headers(stream(n + 1), true, &FieldSection::new()),
    ];
    for (case, once) in cases.iter().enumerate() {
        let mut raw = Raw::server(Config::default());
        raw.post(1);
        raw.get(3);
        raw.reset(3, ErrorCode::CANCEL);
        for n in 1..20_000 {
            once(&mut raw, n);
            raw.events();
            raw.sent();
        }
        assert_eq!(
            (raw.engine.close_reason(), raw.engine.stats().abuse_score_peak),
            (None, 0),
            "case {case}"
        );
        assert!(raw.engine.is_open(), "case {case}");
    }
}

#[test]
fn repeated_goaway_is_free() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    for _ in 0..10_000 {
        raw.goaway(7, ErrorCode::NO_ERROR);
    }
    assert_eq!(raw.events().iter().filter(|event| matches!(event, Event::GoAway)).count(), 1);
    assert_eq!((raw.engine.close_reason(), raw.engine.stats().abuse_score_peak), (None, 4));
}

/// Ways to make the server reset a stream (CVE-2025-8671). The slot remains taken until the application releases
/// the stream.
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
        let mut begun = 0;
        for n in 0..5_000 {
            raw.get(stream(n));
            begun += requests(&raw.events());
            raw.frame(kind, flags, stream(n), payload);
            raw.events();
            assert!(raw.sent().iter().any(|frame| matches!(frame, Frame::Reset { .. })), "{kind:?}");
        }
        assert_eq!((begun, raw.engine.close_reason()), (100, None), "{kind:?}");
        raw.engine.release(id(1));
        raw.get(stream(5_000));
        assert!(matches!(raw.events()[..], [Event::Request { .. }]), "{kind:?}: one slot is free again");
    }
}

#[test]
fn recv_takes_no_input_while_caused_output_is_pending() {
    let client = Config { enable_push: true, ..Config::default() };
    for mut raw in [Raw::server(Config::default()), Raw::client(client, &[])] {
        let is_client = raw.engine.role() == crate::Role::Client;
        if is_client {
            raw.engine.open(&request("GET", "/"), true).unwrap();
        }
        raw.sent();
        let block = raw.block(&request("GET", "/other"));
        let mut taken = 0;
        for n in 1..100_000 {
            let mut frame = Vec::new();
            if is_client {
                let (stream_id, promised_id) = (id(1), id(2 * n));
                PushPromise { stream_id, promised_id, end_headers: true, fragment: &block }
                    .encode(&mut frame);
            } else {
                raw_frame(&mut frame, FrameType::SETTINGS, 0, 0, b"");
            }
            let mut input = bytes::Bytes::from(frame);
            let whole = input.len();
            let heard = raw.engine.recv(raw.now, &mut input);
            raw.events();
            if heard < whole {
                break;
            }
            taken = n;
        }
        assert!((2_000..5_000).contains(&taken), "took {taken} frames from a peer that reads nothing");
        assert!(
            raw.engine.control.len() < (32 << 10) + 100,
            "{} bytes are pending",
            raw.engine.control.len()
        );
        assert_eq!(raw.engine.stats().abuse_score_peak, 0);
        raw.sent();
        raw.ping(*b"12345678");
        assert_eq!(raw.sent(), [Frame::Pong(*b"12345678")], "frames are taken again once the peer reads");
    }
}

#[test]
fn peer_that_heeds_the_warning_is_shut_down_gracefully() {
    let mut raw = Raw::server(Config::default());
    expanding(&mut raw, 1);
    raw.events();
    let mut stream = 3;
    let mut sent = Vec::new();
    while raw.engine.is_open() {
        expanding(&mut raw, stream);
        stream += 2;
        sent = raw.sent();
    }
    assert!(matches!(raw.events()[..], [Event::Abuse { cause: AbuseCause::FieldExpansion }]));
    let [Frame::Ping(ping)] =
        sent.into_iter().filter(|frame| matches!(frame, Frame::Ping(_))).collect::<Vec<_>>()[..]
    else {
        panic!("no PING after the first GOAWAY")
    };
    raw.pong(ping);
    raw.sent();
    raw.sleep(core::time::Duration::from_secs(3_600));
    assert_eq!(raw.engine.close_reason(), None, "open streams are not limited in time");
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), Some(Ok(())));
}

#[test]
fn closed_is_the_last_event() {
    let mut config = Config::default();
    config.limits.abuse = 5;
    let mut raw = Raw::server(config);
    raw.get(1);
    raw.events();
    for code in 0..9 {
        raw.goaway(0, ErrorCode(code));
    }
    raw.assert_failed(Violation::Abuse);
    // The warning ends a connection that has no streams.
    let mut config = Config::default();
    config.limits.abuse = 40;
    let mut raw = Raw::server(config);
    for n in 1.. {
        if raw.engine.close_reason().is_some() {
            break;
        }
        expanding(&mut raw, 2 * n - 1);
        if n == 1 {
            raw.events();
            raw.engine.send_response(id(1), &response(200), true).unwrap();
            raw.engine.release(id(1));
        }
    }
    let events: Vec<_> = std::iter::from_fn(|| raw.engine.poll_event()).collect();
    assert!(matches!(events[..], [.., Event::Abuse { .. }, Event::Closed]), "{events:?}");
}

#[test]
fn field_blocks_are_limited_in_frames_and_bytes() {
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

/// A field of 4,000 bytes in the dynamic table, referenced by one byte each.
#[test]
fn hpack_bomb_is_rejected() {
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

/// Requests above the limit on streams, as before its SETTINGS have arrived, are not held against the peer.
#[test]
fn stream_errors_end_the_connection_only_beyond_their_limit() {
    for limit in [None, Some(10)] {
        let mut config = Config::default();
        config.limits.stream_errors = limit;
        config.max_concurrent_streams = 1;
        let mut raw = Raw::server(config);
        let zero_increment = |raw: &mut Raw, n| {
            raw.post(stream(n));
            raw.window_update(stream(n), 0);
        };
        for n in 0..10 {
            zero_increment(&mut raw, n);
            raw.sent();
            raw.events();
            raw.engine.release(id(stream(n)));
        }
        (10..100).for_each(|n| raw.post(stream(n)));
        raw.engine.reset(id(stream(10)), ErrorCode::CANCEL);
        raw.engine.release(id(stream(10)));
        raw.sent();
        assert_eq!((raw.engine.close_reason(), raw.engine.stats().stream_errors), (None, 10));
        zero_increment(&mut raw, 100);
        match limit {
            Some(_) => raw.assert_failed(Violation::TooManyStreamErrors),
            None => assert_eq!(raw.engine.close_reason(), None),
        }
    }
}

#[test]
fn busy_well_behaved_peer_is_never_limited() {
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
        raw.engine.send_response(id(stream(n)), &response(200), false).unwrap();
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
