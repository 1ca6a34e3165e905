//! Flow control (RFC 9113, 5.2 and 6.9): how windows move, grow and block streams.

use core::time::Duration;

use bytes::Bytes;

use super::pair::{Pair, carry, request, response};
use super::raw::{Frame, Raw, id};
use crate::connection::input::PREFACE;
use crate::error::{Violation, WindowError};
use crate::frame::{FrameType, SettingId, flags};
use crate::settings::{DEFAULT_WINDOW, MAX_WINDOW};
use crate::{Config, ErrorCode, Event, Read, StreamId};

fn initial_window(size: u32) -> [(SettingId, u32); 1] {
    [(SettingId::INITIAL_WINDOW_SIZE, size)]
}

/// Returns the stream and the size of each DATA frame sent.
fn data(frames: &[Frame]) -> Vec<(u32, usize)> {
    let data = |frame: &Frame| match frame {
        Frame::Data { id, octets, .. } => Some((*id, *octets)),
        _ => None,
    };
    frames.iter().filter_map(data).collect()
}

/// Creates a server with `octets` bytes of pending content on each of these streams, whose peer has set this
/// initial window.
fn server_with_content(streams: &[u32], octets: usize, window: u32) -> Raw {
    let mut raw = Raw::server(Config::default());
    raw.settings(&initial_window(window));
    for &stream in streams {
        raw.get(stream);
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
    }
    raw.sent();
    raw.events();
    for &stream in streams {
        raw.engine.send_data(id(stream), &mut Bytes::from(vec![0; octets]), false).unwrap();
    }
    raw
}

/// Reads all available content and returns its length.
fn read_all(engine: &mut crate::Connection, id: StreamId) -> usize {
    let mut octets = 0;
    while let Ok(Read::Data(data)) = engine.read(id, usize::MAX) {
        octets += data.len();
    }
    octets
}

#[test]
fn content_is_split_by_frame_size_and_windows() {
    let mut raw = server_with_content(&[1], 50_000, 40_000);
    assert_eq!(data(&raw.sent()), [(1, 16_384), (1, 16_384), (1, 7_232)]);
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().send, 0);
    raw.window_update(1, 1);
    assert_eq!(data(&raw.sent()), [(1, 1)]);
    raw.window_update(1, 100_000);
    assert_eq!(data(&raw.sent()), [(1, 9_999)]);
    assert!(raw.engine.is_flushed());
}

#[test]
fn streams_share_the_connection_window() {
    let mut raw = server_with_content(&[1, 3], 50_000, 100_000);
    let sent = data(&raw.sent());
    assert_eq!(sent.iter().map(|(_, octets)| octets).sum::<usize>(), 65_535);
    assert!(sent.iter().any(|&(stream, _)| stream == 1) && sent.iter().any(|&(stream, _)| stream == 3));
    raw.window_update(1, 10_000);
    assert!(raw.sent().is_empty(), "the connection window is used up");
    raw.window_update(0, 34_465);
    assert_eq!(data(&raw.sent()).iter().map(|(_, octets)| octets).sum::<usize>(), 34_465);
}

#[test]
fn blocked_stream_does_not_block_others() {
    let mut raw = server_with_content(&[1, 3], 1_000, 0);
    raw.window_update(3, 1_000);
    assert_eq!(data(&raw.sent()), [(3, 1_000)]);
    raw.window_update(1, 1_000);
    assert_eq!(data(&raw.sent()), [(1, 1_000)]);
}

#[test]
fn settings_can_make_stream_windows_negative() {
    let mut raw = server_with_content(&[1, 3], 2_000, 1_000);
    assert_eq!(data(&raw.sent()), [(1, 1_000), (3, 1_000)]);
    raw.settings(&initial_window(200));
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().send, -800);
    raw.window_update(1, 800);
    assert!(data(&raw.sent()).is_empty(), "a window of 0 allows no content");
    raw.window_update(1, 5);
    assert_eq!(data(&raw.sent()), [(1, 5)]);
    raw.settings(&initial_window(1_100));
    assert_eq!(data(&raw.sent()), [(1, 900), (3, 100)]);
    assert_eq!(raw.engine.windows().send, 65_535 - 3_005, "the connection window is not affected");
}

#[test]
fn lowered_window_holds_back_pending_content() {
    let mut raw = server_with_content(&[1], 100, 1_000);
    raw.settings(&initial_window(0));
    assert!(data(&raw.sent()).is_empty());
    raw.settings(&initial_window(60));
    assert_eq!(data(&raw.sent()), [(1, 60)]);
}

#[test]
fn window_overflow_is_a_connection_error() {
    let mut raw = server_with_content(&[1], 0, 0);
    raw.window_update(1, MAX_WINDOW);
    raw.settings(&[]);
    assert_eq!(raw.engine.close_reason(), None);
    raw.settings(&initial_window(1));
    raw.assert_failed(Violation::ConnectionWindowOverflow);

    // Ended streams don't count.
    let mut raw = server_with_content(&[1], 0, 0);
    raw.window_update(1, MAX_WINDOW);
    raw.engine.send_data(id(1), &mut Bytes::new(), true).unwrap();
    raw.settings(&initial_window(1));
    assert_eq!(raw.engine.close_reason(), None);

    let mut raw = Raw::server(Config::default());
    raw.window_update(0, MAX_WINDOW - DEFAULT_WINDOW);
    assert_eq!(raw.engine.windows().send, i64::from(MAX_WINDOW));
    raw.window_update(0, 1);
    raw.assert_failed(Violation::ConnectionWindowOverflow);
}

#[test]
fn window_update_is_sent_per_quarter_of_the_window() {
    let mut raw =
        Raw::server(Config { initial_window_size: 1_000, stream_window_max: 1_000, ..Config::default() });
    raw.post(1);
    raw.data(1, 249, false);
    assert_eq!(read_all(&mut raw.engine, id(1)), 249);
    assert!(raw.sent().is_empty());
    raw.data(1, 1, false);
    assert!(raw.sent().is_empty(), "not read yet");
    assert_eq!(read_all(&mut raw.engine, id(1)), 1);
    assert!(raw.sent().contains(&Frame::WindowUpdate { id: 1, increment: 250 }));
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, 1_000);
    raw.data(1, 1_000, true);
    assert_eq!(read_all(&mut raw.engine, id(1)), 1_000);
    assert!(raw.sent().is_empty(), "the peer sends no more on this stream");
}

/// Creates a client that has received and read part of each response, given as Content-Length and number of bytes.
///
/// Stream windows are 80,000 bytes, the connection window is 120,000 bytes.
fn client_that_reads(responses: &[(Option<&str>, usize)]) -> Raw {
    let config = Config {
        initial_window_size: 80_000,
        stream_window_max: 80_000,
        connection_window: 120_000,
        connection_window_max: 120_000,
        ..Config::default()
    };
    let mut raw = Raw::client(config, &[]);
    let streams: Vec<_> =
        responses.iter().map(|_| raw.engine.open(&request("GET", "/"), true).unwrap()).collect();
    raw.sent();
    for (&stream, &(length, octets)) in streams.iter().zip(responses) {
        let mut head = response(200);
        if let Some(length) = length {
            head.push(b"content-length", length.as_bytes());
        }
        raw.headers(stream.as_u32(), false, &head);
        for piece in vec![0; octets].chunks(16_384) {
            raw.data(stream.as_u32(), piece.len(), false);
        }
    }
    for stream in streams {
        read_all(&mut raw.engine, stream);
    }
    raw
}

/// Returns the stream and the increment of each WINDOW_UPDATE sent.
fn raised(frames: &[Frame]) -> Vec<(u32, u32)> {
    let raised = |frame: &Frame| match frame {
        Frame::WindowUpdate { id, increment } => Some((*id, *increment)),
        _ => None,
    };
    frames.iter().filter_map(raised).collect()
}

#[test]
fn window_with_room_for_the_rest_of_a_message_is_not_raised() {
    // 55,000 bytes of the window remain, of which a frame may use 256 for padding.
    for (length, updates) in [("79744", &[][..]), ("79745", &[(1, 25_000)]), ("90000", &[(1, 25_000)])] {
        let mut raw = client_that_reads(&[(Some(length), 25_000)]);
        assert_eq!(raised(&raw.sent()), updates, "{length}");
        let rest = length.parse::<usize>().unwrap() - 25_000;
        for at in (0..rest).step_by(16_384) {
            raw.data(1, 16_384.min(rest - at), at + 16_384 >= rest);
        }
        assert_eq!(read_all(&mut raw.engine, id(1)), rest);
    }
    let mut raw = client_that_reads(&[(None, 25_000)]);
    assert_eq!(raised(&raw.sent()), [(1, 25_000)], "the length of the rest is unknown");
}

#[test]
fn connection_window_is_raised_if_more_may_arrive_than_fits() {
    let with = |first, second| raised(&client_that_reads(&[first, second]).sent());
    // 80,000 bytes of the window remain at the end. The first piece of the second response uses up a quarter.
    let known = (Some("20000"), 20_000);
    assert_eq!(with(known, (Some("30000"), 20_000)), []);
    assert_eq!(with(known, (None, 20_000)), [(0, 36_384), (3, 20_000)]);
    assert_eq!(with((Some("75000"), 20_000), (Some("75000"), 20_000)), [(0, 36_384)]);

    let mut raw = client_that_reads(&[known, (Some("30000"), 20_000)]);
    assert_eq!(raised(&raw.sent()), []);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    assert_eq!(raised(&raw.sent()), [(0, 40_000)], "the response to the request may need more");

    let mut raw = Raw::server(Config { connection_window: 120_000, ..Config::default() });
    raw.post(1);
    raw.data(1, 16_384, false);
    raw.data(1, 16_384, true);
    read_all(&mut raw.engine, id(1));
    assert_eq!(raised(&raw.sent()), [(0, 32_768)], "clients can always send more requests");
}

#[test]
fn window_update_compensates_for_padding() {
    let mut raw = client_that_reads(&[(Some("79700"), 25_000)]);
    assert_eq!(raised(&raw.sent()), []);
    let mut payload = vec![0; 257];
    (payload[0], payload[1]) = (255, b'x');
    raw.frame(FrameType::DATA, flags::PADDED, 1, &payload);
    assert_eq!(raised(&raw.sent()), [(1, 25_256)]);
}

#[test]
fn padding_is_counted_and_credited_immediately() {
    let mut raw =
        Raw::server(Config { initial_window_size: 2_000, stream_window_max: 2_000, ..Config::default() });
    raw.post(1);
    let mut payload = vec![0; 257];
    payload[0] = 255;
    payload[1] = b'x';
    raw.frame(FrameType::DATA, flags::PADDED, 1, &payload);
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, 2_000 - 257);
    raw.frame(FrameType::DATA, flags::PADDED, 1, &payload);
    let sent = raw.sent();
    let [Frame::WindowUpdate { id: 1, increment: 512 }, Frame::Ping(_)] = sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(read_all(&mut raw.engine, id(1)), 2);
    assert_eq!(raw.engine.receiving.parts().1, 0, "no credit is held back");
}

#[test]
fn content_is_padded_to_multiples_if_windows_allow() {
    let mut raw = Raw::server(Config { pad_to: 100, ..Config::default() });
    raw.settings(&initial_window(450));
    raw.get(1);
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.sent();
    raw.engine.send_data(id(1), &mut Bytes::from(vec![7; 430]), true).unwrap();
    // 399 bytes of content and the Pad Length field make four hundred, which leaves 50 bytes of the window.
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().send, 450);
    let mut out = Vec::new();
    raw.engine.poll_transmit(raw.now, &mut out, usize::MAX);
    let (first, rest) = out.split_at(9 + 400);
    assert_eq!(first[..10], *b"\0\x01\x90\0\x08\0\0\0\x01\0");
    assert_eq!(rest, [&b"\0\0\x1f\0\x01\0\0\0\x01"[..], &[7; 31]].concat());
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().send, 450 - 400 - 31);

    let mut raw = Raw::server(Config { pad_to: 256, ..Config::default() });
    raw.get(1);
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.engine.send_data(id(1), &mut Bytes::from_static(b"x"), true).unwrap();
    raw.sent();
    assert_eq!(raw.engine.windows().send, i64::from(DEFAULT_WINDOW) - 256);
}

#[test]
fn manual_mode_leaves_windows_to_the_caller() {
    let config = Config { manual_window_update: true, initial_window_size: 100, ..Config::default() };
    let mut raw = Raw::server(config);
    raw.post(1);
    raw.data(1, 100, false);
    assert_eq!(read_all(&mut raw.engine, id(1)), 100);
    assert!(raw.sent().is_empty());
    raw.engine.window_update(id(1), 30).unwrap();
    raw.engine.connection_window_update(70).unwrap();
    assert_eq!(
        raw.sent(),
        [Frame::WindowUpdate { id: 1, increment: 30 }, Frame::WindowUpdate { id: 0, increment: 70 }]
    );
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, 30);
    assert_eq!(raw.engine.window_update(id(1), 0), Err(WindowError::Zero));
    assert_eq!(raw.engine.connection_window_update(0), Err(WindowError::Zero));
    assert_eq!(raw.engine.window_update(id(1), MAX_WINDOW), Err(WindowError::Overflow));
    assert_eq!(raw.engine.connection_window_update(MAX_WINDOW), Err(WindowError::Overflow));
    raw.data(1, 30, true);
    assert_eq!(raw.engine.window_update(id(1), 30), Ok(()));
    assert!(raw.sent().is_empty(), "the message has ended");
}

#[test]
fn manual_mode_credits_content_that_was_never_read() {
    let config =
        Config { manual_window_update: true, connection_window: DEFAULT_WINDOW, ..Config::default() };
    let mut raw = Raw::server(config);
    for stream in [1, 3, 5] {
        raw.post(stream);
        raw.data(stream, 16_384, false);
        raw.engine.release(id(stream));
    }
    assert!(raw.sent().contains(&Frame::WindowUpdate { id: 0, increment: 32_768 }));
    assert_eq!(raw.engine.receiving.parts(), (65_535 - 16_384, 0, 16_384));
}

#[test]
fn lower_initial_window_releases_owed_credit() {
    let mut raw =
        Raw::server(Config { initial_window_size: 1_000, stream_window_max: 1_000, ..Config::default() });
    raw.post(1);
    raw.data(1, 200, false);
    assert_eq!(read_all(&mut raw.engine, id(1)), 200);
    assert!(raw.sent().is_empty(), "less than a quarter of the window");
    raw.engine.change_settings(&initial_window(100)).unwrap();
    assert!(matches!(raw.sent()[..], [Frame::Settings(_), Frame::WindowUpdate { id: 1, increment: 200 }]));
    raw.settings_ack();
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, 100);
}

#[test]
fn new_initial_window_applies_once_acknowledged() {
    let mut raw = Raw::server(Config { initial_window_size: 1_000, ..Config::default() });
    raw.post(1);
    raw.engine.change_settings(&initial_window(10)).unwrap();
    raw.data(1, 600, false);
    assert!(raw.resets().is_empty(), "the old window applies");
    raw.settings_ack();
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, -590);
    raw.data(1, 1, false);
    assert_eq!(raw.resets().len(), 1);
}

/// When the peer receives the credit, it has received the settings, whether it has acknowledged them or not.
#[test]
fn credit_is_relative_to_the_initial_window_sent_before() {
    let config =
        Config { initial_window_size: MAX_WINDOW, stream_window_max: MAX_WINDOW, ..Config::default() };
    let mut raw = Raw::silent_server(config);
    raw.recv(PREFACE);
    raw.settings(&[]);
    raw.post(1);
    raw.data(1, 10_000, false);
    assert_eq!(read_all(&mut raw.engine, id(1)), 10_000);
    let updated = |frame: &Frame| matches!(frame, Frame::WindowUpdate { id: 1, .. });
    assert!(!raw.sent().iter().any(updated), "the settings raise the window by far more");
    assert_eq!(raw.engine.window_update(id(1), 10_001), Err(WindowError::Overflow));
    raw.engine.window_update(id(1), 10_000).unwrap();
    raw.settings_ack();
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, i64::from(MAX_WINDOW));
}

#[test]
fn empty_data_frame_is_allowed_with_a_negative_window() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.data(1, 1_000, false);
    raw.engine.change_settings(&initial_window(10)).unwrap();
    raw.settings_ack();
    assert_eq!(raw.engine.stream_windows(id(1)).unwrap().receive, -990);
    raw.data(1, 0, false);
    raw.data(1, 0, true);
    assert_eq!(raw.resets(), []);
    assert_eq!(read_all(&mut raw.engine, id(1)), 1_000);
    assert!(matches!(raw.engine.read(id(1), 1), Ok(Read::End)));
}

#[test]
fn initial_window_that_would_overflow_a_stream_is_refused() {
    let mut raw = Raw::server(Config { initial_window_size: 1_000, ..Config::default() });
    raw.post(1);
    raw.engine.window_update(id(1), MAX_WINDOW - 1_000).unwrap();
    assert!(raw.engine.change_settings(&initial_window(1_001)).is_err());
    raw.engine.change_settings(&initial_window(999)).unwrap();
}

#[test]
fn slow_reader_does_not_block_other_streams() {
    let mut pair = Pair::new();
    let ids = [(); 2].map(|()| pair.client.open(&request("GET", "/"), true).unwrap());
    pair.run();
    for id in ids {
        pair.server.send_response(id, &response(200), false).unwrap();
    }
    let [slow, fast] = ids;
    let (mut sent, mut read) = ([0, 0], 0);
    for _ in 0..50 {
        for (id, sent) in [slow, fast].into_iter().zip(&mut sent) {
            let mut data = Bytes::from(vec![0; pair.server.send_capacity(id)]);
            *sent += pair.server.send_data(id, &mut data, false).unwrap();
        }
        pair.run();
        read += read_all(&mut pair.client, fast);
    }
    assert_eq!(sent[0], 2 * (256 << 10), "a window plus a send buffer");
    assert!(read > 10 << 20, "only {read}");
    assert_eq!(read_all(&mut pair.client, slow), 256 << 10);
}

#[test]
fn windows_grow_with_the_bandwidth_delay_product() {
    let config = || Config {
        initial_window_size: DEFAULT_WINDOW,
        connection_window: DEFAULT_WINDOW,
        send_buffer: 16 << 20,
        stream_window_max: 1 << 20,
        connection_window_max: 1 << 20,
        ..Config::default()
    };
    let mut pair = Pair::with(config(), config());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut Bytes::from(vec![0; 16 << 20]), true).unwrap();
    let mut in_a_round_trip = Vec::new();
    while !pair.client.is_finished(id) {
        pair.now = pair.now + Duration::from_millis(50);
        while carry(&mut pair.server, &mut pair.client, pair.now) > 0 {}
        in_a_round_trip.push(read_all(&mut pair.client, id));
        pair.now = pair.now + Duration::from_millis(50);
        while carry(&mut pair.client, &mut pair.server, pair.now) > 0 {}
    }
    assert_eq!(in_a_round_trip[0], 65_535);
    assert!(*in_a_round_trip.iter().max().unwrap() > 1 << 19, "{in_a_round_trip:?}");
    assert_eq!(pair.client.stats().connection_window_target, 1 << 20, "the configured maximum");
    assert!(in_a_round_trip.len() < 40, "{in_a_round_trip:?}");
}

#[test]
fn windows_do_not_grow_if_they_are_not_the_bottleneck() {
    let mut pair = Pair::new();
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    pair.server.send_response(id, &response(200), false).unwrap();
    for _ in 0..500 {
        pair.server.send_data(id, &mut Bytes::from(vec![0; 10_000]), false).unwrap();
        pair.run();
        read_all(&mut pair.client, id);
        pair.now = pair.now + Duration::from_millis(10);
    }
    assert_eq!(pair.client.stats().connection_window_target, 1 << 20);
}

#[test]
fn writable_event_follows_when_half_the_buffer_is_free() {
    let mut raw = server_with_content(&[1], 0, 0);
    let mut data = Bytes::from(vec![0; 300 << 10]);
    raw.engine.send_data(id(1), &mut data, true).unwrap();
    assert_eq!(data.len(), 44 << 10, "data beyond the buffer is not taken");
    raw.window_update(1, (128 << 10) - 1);
    raw.window_update(0, 1 << 20);
    raw.sent();
    assert!(raw.events().is_empty());
    raw.window_update(1, 1);
    raw.sent();
    assert!(matches!(raw.events()[..], [Event::Writable { .. }]));
    raw.engine.send_data(id(1), &mut data, true).unwrap();
    raw.window_update(1, 1 << 20);
    assert!(matches!(raw.sent().last(), Some(Frame::Data { end_stream: true, .. })));
}

#[test]
fn pending_content_of_many_streams_is_bounded_without_blocking() {
    let streams: Vec<u32> = (0..100).map(|n| 2 * n + 1).collect();
    let mut raw = server_with_content(&streams, 1 << 20, 0);
    let waiting = |raw: &Raw| raw.engine.sending.pending() >> 10;
    assert_eq!(
        waiting(&raw),
        4 * 256 + 96 * 16,
        "KiB: four full buffers, and one frame for each other stream"
    );
    raw.window_update(0, 1 << 20);
    for _ in 0..3 {
        raw.window_update(199, 16 << 10);
        assert_eq!(data(&raw.sent()), [(199, 16 << 10)]);
        assert!(matches!(raw.events()[..], [Event::Writable { .. }]));
        assert_eq!(raw.engine.send_capacity(id(199)), 16 << 10);
        raw.engine.send_data(id(199), &mut Bytes::from(vec![0; 1 << 20]), false).unwrap();
    }
    raw.reset(1, ErrorCode::CANCEL);
    for stream in (101..199).step_by(2) {
        raw.engine.reset(id(stream), ErrorCode::CANCEL);
    }
    assert_eq!((waiting(&raw), raw.engine.send_capacity(id(199))), (3 * 256 + 47 * 16, 0));
    raw.events();
    raw.engine.reset(id(3), ErrorCode::CANCEL);
    raw.engine.reset(id(5), ErrorCode::CANCEL);
    raw.engine.reset(id(7), ErrorCode::CANCEL);
    assert_eq!(raw.engine.send_capacity(id(199)), 240 << 10, "the full buffer is available again");
    let writable = |event: &Event| matches!(event, Event::Writable { id: stream } if *stream == id(199));
    assert_eq!(raw.events().iter().filter(|event| writable(event)).count(), 1, "the caller is notified");
}

#[test]
fn writable_event_follows_after_exceeding_the_total_limit() {
    let mut raw = server_with_content(&[1, 3, 5, 7, 9], 250 << 10, 0);
    assert_eq!(raw.engine.sending.pending(), 1_250 << 10, "all of it was taken, exceeding the limit");
    assert_eq!(raw.engine.send_capacity(id(9)), 0);
    raw.window_update(0, 1 << 20);
    raw.window_update(9, 250 << 10);
    raw.sent();
    assert!(matches!(raw.events()[..], [Event::Writable { id: stream }] if stream == id(9)));
}

#[test]
fn no_writable_event_after_the_end_of_the_message() {
    let mut raw = Raw::server(Config { send_buffer: 10, ..Config::default() });
    raw.get(1);
    raw.engine.shutdown(raw.now);
    let sent = raw.sent();
    let Some(Frame::Ping(payload)) = sent.last() else { panic!("{sent:?}") };
    raw.pong(*payload);
    raw.events();
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    raw.engine.send_data(id(1), &mut Bytes::from_static(b"to the brim"), false).unwrap();
    let mut trailers = crate::FieldSection::new();
    trailers.push(b"checksum", b"0123");
    raw.engine.send_trailers(id(1), &trailers).unwrap();
    raw.sent();
    assert!(
        matches!(raw.events()[..], [Event::Closed]),
        "no Writable event, in particular none after Closed"
    );
}

#[test]
fn large_heads_in_both_directions_do_not_deadlock() {
    let mut pair = Pair::new();
    pair.run();
    let mut head = request("GET", "/");
    head.push(b"authorization", &[b'~'; 3_000]);
    let mut answer = response(200);
    answer.push(b"set-cookie", &[b'~'; 3_000]);
    let first: Vec<_> = (0..50).map(|_| pair.client.open(&head, true).unwrap()).collect();
    while carry(&mut pair.client, &mut pair.server, pair.now) > 0 {}
    for id in first {
        pair.server.send_response(id, &answer, true).unwrap();
        pair.server.release(id);
    }
    for _ in 0..50 {
        pair.client.open(&head, true).unwrap();
    }
    // Neither transport can take more output. If either endpoint stopped reading now, both would wait forever.
    let mut octets = Vec::new();
    pair.server.poll_transmit(pair.now, &mut octets, usize::MAX);
    let mut input = Bytes::from(octets);
    let whole = input.len();
    assert_eq!(pair.client.recv(pair.now, &mut input), whole, "a client reads regardless of pending output");
}

/// A small piece of content in a 64 KiB read buffer must not keep the whole buffer alive.
#[test]
fn small_pieces_do_not_retain_the_read_buffer() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    let mut input = Vec::with_capacity(64 << 10);
    super::raw::raw_frame(&mut input, FrameType(0xbb), 0, 0, &[0; 4_078]);
    super::raw::raw_frame(&mut input, FrameType::DATA, 0, 1, &[7; 1_025]);
    let mut input = Bytes::from(input);
    let buffer = input.as_ptr_range();
    assert_eq!(raw.engine.recv(raw.now, &mut input), buffer.end.addr() - buffer.start.addr());
    let Ok(Read::Data(piece)) = raw.engine.read(id(1), usize::MAX) else { panic!("no content") };
    assert_eq!(piece, [7; 1_025][..]);
    assert!(!buffer.contains(&piece.as_ptr()));
}

/// Four frames of 16 KiB fill a buffer, so none of them needs a copy.
#[test]
fn large_frames_are_slices_of_the_input() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    let mut input = Vec::new();
    for _ in 0..4 {
        super::raw::raw_frame(&mut input, FrameType::DATA, 0, 1, &[7; 16_384]);
    }
    let mut input = Bytes::from(input);
    let (buffer, length) = (input.as_ptr_range(), input.len());
    assert_eq!(raw.engine.recv(raw.now, &mut input), length);
    for _ in 0..4 {
        let Ok(Read::Data(piece)) = raw.engine.read(id(1), usize::MAX) else { panic!("no content") };
        assert_eq!(piece.len(), 16_384);
        assert!(buffer.contains(&piece.as_ptr()), "kept, not copied");
    }
}

#[test]
fn credit_is_returned_when_the_caller_has_used_the_content() {
    let mut pair = Pair::new();
    let stream = pair.client.open(&request("POST", "/"), false).unwrap();
    pair.run();
    pair.client.queue_data(stream, Bytes::from(vec![0; 256 << 10]), false).unwrap();
    pair.run();
    let mut used = 0;
    while let Ok(Read::Data(piece)) = pair.server.read_uncredited(stream, usize::MAX) {
        used += u32::try_from(piece.len()).unwrap();
    }
    pair.run();
    assert_eq!((used, pair.client.stream_windows(stream).unwrap().send), (256 << 10, 0));
    pair.server.credit(stream, used);
    pair.run();
    assert_eq!(pair.client.stream_windows(stream).unwrap().send, 256 << 10);

    // More than was received is not credited.
    pair.server.credit(stream, 1 << 30);
    pair.server.credit(StreamId::CONNECTION, 1 << 30);
    pair.run();
    assert_eq!(pair.client.stream_windows(stream).unwrap().send, 256 << 10);
    assert_eq!(pair.client.windows().send, 1 << 20);
}

#[test]
fn send_window_leaves_out_what_is_pending_anywhere() {
    let mut raw = server_with_content(&[1, 3], 30_000, 100_000);
    assert_eq!(raw.engine.send_window(id(1)), 5_535, "of the connection's 65,535");
    assert_eq!((raw.engine.send_pending(id(1)), raw.engine.send_pending(id(5))), (30_000, 0));
    raw.engine.queue_data(id(1), Bytes::from(vec![0; 10_000]), true).unwrap();
    assert_eq!(raw.engine.send_window(id(3)), 0);
    assert!(!raw.engine.takes_content(id(1)) && raw.engine.takes_content(id(3)));
    assert_eq!(data(&raw.sent()).iter().map(|&(_, octets)| octets).sum::<usize>(), 65_535);
}

#[test]
fn connection_window_is_raised_at_once_and_lowered_as_it_is_used() {
    let mut pair = Pair::new();
    pair.run();
    pair.server.set_connection_window(2 << 20).unwrap();
    pair.run();
    assert_eq!(pair.client.windows().send, 2 << 20);
    pair.server.set_connection_window(1 << 20).unwrap();
    assert_eq!(pair.server.set_connection_window(1 << 31), Err(WindowError::Overflow));
    pair.run();
    assert_eq!(pair.client.windows().send, 2 << 20, "a window cannot be taken back");

    let stream = pair.client.open(&request("POST", "/"), false).unwrap();
    for _ in 0..30 {
        pair.client.queue_data(stream, Bytes::from(vec![0; 100_000]), false).unwrap();
        pair.run();
        while let Ok(Read::Data(_)) = pair.server.read(stream, usize::MAX) {}
        pair.run();
    }
    assert!(pair.client.windows().send <= 1 << 20);
}
