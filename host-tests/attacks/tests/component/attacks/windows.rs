//! Windows that are small, closed or changing.

use std::time::Duration;

use http2_attacks::attack::Answer::{Connection, Nothing, Streams};
use http2_engine::ErrorCode;
use http2_test_support::{GET, POST, data, flag, headers, setting, settings, window_update};

use super::{CALM, each, open_server, padded, server, stream};
use crate::harness::{Behaviour, Credit, Endpoint, check_defence};

/// Responses of 16 MiB.
const LARGE: Behaviour = Behaviour::Answers(16 << 20);

fn window(octets: u32) -> Vec<u8> {
    settings(&[(setting::INITIAL_WINDOW_SIZE, octets)])
}

fn requests(n: u32) -> Vec<u8> {
    each(n, |n| headers(stream(n), flag::END_STREAM, GET))
}

#[test]
fn data_dribble() {
    let by_window_update = |n| {
        let mut server = open_server(LARGE);
        server.send(&[window(0), requests(100)].concat());
        server.begin();
        for _ in 0..n / 100 {
            server.send(&each(100, |n| window_update(stream(n), 1)));
        }
        server.end()
    };
    check_defence("data_dribble", &[(Nothing, &by_window_update)]);
}

#[test]
fn data_dribble_by_settings() {
    let by_settings = |n| {
        let mut server = open_server(LARGE);
        server.send(&[window(0), requests(100)].concat());
        server.begin();
        for n in 0..n {
            server.send(&window(n + 1));
        }
        server.end()
    };
    check_defence("data_dribble_by_settings", &[(Connection(CALM), &by_settings)]);
}

#[test]
fn internal_data_buffering() {
    let not_reading = |n| {
        let mut server = open_server(LARGE);
        server.send(&window(0x7fff_ffff));
        server.begin();
        server.set_room(64 << 10);
        server.send(&requests(n));
        server.sleep(Duration::from_secs(119));
        server.sleep(Duration::from_secs(2));
        server.set_room(usize::MAX);
        server.end()
    };
    check_defence("internal_data_buffering", &[(Connection(CALM), &not_reading)]);
}

#[test]
fn small_data_flood() {
    let unread = |n: u32| {
        let mut server = Endpoint::server(Behaviour::DoesNotRead);
        server.send(&headers(stream(0), 0, POST));
        server.begin();
        server.send(&data(stream(0), 0, b"x").repeat(n as usize));
        server.end()
    };
    let read = |n: u32| {
        let mut server = server();
        server.send(&headers(stream(0), 0, POST));
        server.begin();
        server.send(&data(stream(0), 0, b"x").repeat(n as usize));
        assert_eq!(server.application.read, u64::from(n));
        server.end()
    };
    check_defence("small_data_flood", &[(Nothing, &unread), (Nothing, &read)]);
}

#[test]
fn slow_read() {
    let closed_windows = |n| {
        let mut server = open_server(LARGE);
        server.send(&window(0));
        server.begin();
        server.send(&requests(n));
        assert_eq!(server.sleep(Duration::from_secs(119)), []);
        let first = server.sleep(Duration::from_secs(1)).len();
        assert!(first >= n as usize - 3, "until memory is not short: {first}");
        assert_eq!(first + server.sleep(Duration::from_secs(180)).len(), n as usize);
        server.end()
    };
    let closed_connection = |n| {
        let mut server = Endpoint::server(LARGE);
        server.send(&window(0x7fff_ffff));
        server.begin();
        server.send(&requests(n));
        assert_eq!(server.sleep(Duration::from_secs(119)), []);
        server.sleep(Duration::from_secs(181));
        server.end()
    };
    check_defence("slow_read", &[(Streams(CALM), &closed_windows), (Streams(CALM), &closed_connection)]);
}

#[test]
fn window_thrash() {
    // The connection window is used up, so the server can send no content.
    let full = || {
        let mut server = Endpoint::server(LARGE);
        server.send(&[window(0x7fff_ffff), requests(100)].concat());
        server.begin();
        server
    };
    let open_and_shut = |n| {
        let mut server = full();
        server.send(&each(n, |n| window(if n % 2 == 0 { 0 } else { 0x7fff_ffff })));
        server.end()
    };
    let past_the_limit = |n| {
        let mut server = full();
        server.send(
            &[window(0), window_update(stream(0), 0x7fff_ffff), each(n, |_| window(0x7fff_ffff))].concat(),
        );
        server.end()
    };
    check_defence(
        "window_thrash",
        &[(Nothing, &open_and_shut), (Connection(ErrorCode::FLOW_CONTROL_ERROR), &past_the_limit)],
    );
}

#[test]
fn padding() {
    // An honest sender whose frames are mostly padding never runs out of window.
    let mostly_padding = |n: u32| {
        let mut server = server();
        server.send(&headers(stream(0), 0, POST));
        server.begin();
        let mut credit = Credit::new(stream(0));
        for _ in 0..n {
            credit.spend(257);
            credit.receive(&server.send(&padded(stream(0), 0, b"x", 255)));
        }
        server.end()
    };
    check_defence("padding", &[(Nothing, &mostly_padding)]);
}
