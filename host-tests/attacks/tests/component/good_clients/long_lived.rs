//! Connections that live long.

use std::time::Duration;

use http2_conformance::frame::{GET, ping, window_update};

use super::Client;
use crate::harness::{Manner, SHORT};

#[test]
fn a_million_requests() {
    let mut client = Client::new(Manner::Answers(SHORT));
    for _ in 0..10_000 {
        let requests = client.requests(100, GET);
        client.exchange(&[requests, window_update(0, 100 * SHORT as u32)].concat());
        client.assert_served();
    }
    assert_eq!(client.complete, 1_000_000);
    let memory = client.server.memory_growth();
    assert!(memory <= 256 << 10, "memory grows by {memory} octets");
    client.end();
}

#[test]
fn months_of_life() {
    const DAY: u64 = 24 * 60;
    let mut client = Client::new(Manner::Answers(SHORT)).round_trip(Duration::from_secs(60));
    for minute in 0..120 * DAY {
        // A PING each minute, to keep the connection alive; a few requests each hour; and now and then a holiday.
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
