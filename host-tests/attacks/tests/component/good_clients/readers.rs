//! Clients that read slowly, or are far away.

use std::time::Duration;

use http2_test_support::Frame;
use http2_test_support::{GET, POST, data, flag, frame, kind, setting, settings, window_update};

use super::Client;
use crate::harness::{Behaviour, Credit, SHORT};

/// The bytes of content in these frames.
fn content(frames: &[Frame]) -> usize {
    frames.iter().filter(|frame| frame.kind == kind::DATA).map(|frame| frame.payload.len()).sum()
}

/// The PING acknowledgements among these frames.
fn answers(frames: &[Frame]) -> Vec<u8> {
    let pings = frames.iter().filter(|frame| frame.kind == kind::PING && frame.flags == 0);
    pings.flat_map(|ping| frame(kind::PING, flag::ACK, 0, &ping.payload)).collect()
}

#[test]
fn slow_but_steady() {
    // 1 KiB every 30 seconds: 1 MiB takes more than eight hours.
    let mut client = Client::new(Behaviour::Answers(1 << 20)).round_trip(Duration::from_secs(30));
    client.exchange(&settings(&[(setting::INITIAL_WINDOW_SIZE, 1_024)]));
    let stream = client.next;
    let request = client.requests(1, GET);
    let mut received = content(&client.exchange(&request));
    assert_eq!(received, 1_024);
    while received < 1 << 20 {
        let credit = [window_update(stream, 1_024), window_update(0, 1_024)].concat();
        let came = content(&client.exchange(&credit));
        assert_eq!(came, 1_024, "as much as the window allows, immediately");
        received += came;
    }
    client.end();
}

#[test]
fn far_away_with_large_windows() {
    // 600 milliseconds by satellite: all content that the windows allow arrives within one round trip.
    let mut client = Client::new(Behaviour::Answers(64 << 20)).round_trip(Duration::from_millis(600));
    client.exchange(&settings(&[(setting::INITIAL_WINDOW_SIZE, 8 << 20)]));
    let stream = client.next;
    let request = client.requests(1, GET);
    let mut received = content(&client.exchange(&request));
    let mut round_trips = 1;
    while received < 64 << 20 {
        let credit = [window_update(stream, 8 << 20), window_update(0, 8 << 20)].concat();
        received += content(&client.exchange(&credit));
        round_trips += 1;
    }
    assert_eq!(round_trips, 8, "eight windows");
    client.end();
}

#[test]
fn uploads_from_far_away() {
    // The server's windows grow to what the distance requires, and only they limit the client.
    let mut client = Client::new(Behaviour::Answers(SHORT)).round_trip(Duration::from_millis(600));
    let stream = client.next;
    let head = client.request(0, POST);
    client.exchange(&head);
    let mut credit = Credit::new(stream);
    let (mut left, mut round_trips, mut pongs) = (64_usize << 20, 0, Vec::new());
    while left > 0 {
        let burst = credit.left().min(left);
        let mut octets = std::mem::take(&mut pongs);
        for at in (0..burst).step_by(16_384) {
            octets.extend(data(stream, 0, &vec![0; 16_384.min(burst - at)]));
        }
        credit.spend(burst);
        left -= burst;
        round_trips += 1;
        let frames = client.exchange(&octets);
        credit.receive(&frames);
        // The acknowledgement of its PING tells the server how long a round trip takes.
        pongs = answers(&frames);
    }
    assert_eq!(round_trips, 23, "windows of 4 MiB at the end");
    client.exchange(&data(stream, flag::END_STREAM, b""));
    client.end();
}
