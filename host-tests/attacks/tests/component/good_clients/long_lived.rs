//! Long-lived connections.

use std::time::Duration;

use http2_test_support::Frame;
use http2_test_support::{GET, PREFACE, flag, headers, ping, settings, settings_ack, window_update};

use super::Client;
use crate::harness::{Behaviour, Endpoint, Role, SHORT, Server};

#[test]
fn a_million_requests() {
    let mut client = Client::new(Behaviour::Answers(SHORT));
    for _ in 0..10_000 {
        let requests = client.requests(100, GET);
        client.exchange(&[requests, window_update(0, 100 * SHORT as u32)].concat());
        client.assert_served();
    }
    assert_eq!(client.complete, 1_000_000);
    let memory = client.server.memory_growth();
    assert!(memory <= 256 << 10, "memory grows by {memory} bytes");
    client.end();
}

#[test]
fn delayed_server() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let mut server = Endpoint::new(Role::Server, &[], Server::new(Behaviour::Answers(1 << 20)));
    server.send(&[PREFACE, &settings(&[])].concat());
    server.begin();
    // The client acknowledges the SETTINGS meanwhile.
    server.instance.sleep(HOUR);
    server.send(&settings_ack());
    // The client opens windows meanwhile.
    server.send(&headers(1, flag::END_STREAM, GET));
    server.instance.sleep(HOUR);
    let frames = server.send(&[window_update(0, 2 << 20), window_update(1, 1 << 20)].concat());
    assert!(frames.iter().any(Frame::ends_stream), "the rest of the response is due");
    let outcome = server.end();
    assert!(outcome.is_alive && outcome.received.go_aways.is_empty() && outcome.received.resets.is_empty());
}

#[test]
fn months_of_life() {
    const DAY: u64 = 24 * 60;
    let mut client = Client::new(Behaviour::Answers(SHORT)).round_trip(Duration::from_secs(60));
    for minute in 0..120 * DAY {
        // One PING per minute to keep the connection alive, a few requests per hour, and a long pause now and
        // then.
        let mut octets = ping(minute.to_be_bytes());
        if minute % 60 == 0 {
            octets.extend(client.requests(10, GET));
            octets.extend(window_update(0, 10 * SHORT as u32));
        }
        if minute % (30 * DAY) == 0 {
            client.server.sleep(Duration::from_secs(60 * 60 * 24 * 14));
        }
        let answers = client.exchange(&octets);
        assert!(!answers.is_empty());
        client.assert_served();
    }
    client.end();
}
