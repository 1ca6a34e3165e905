//! gRPC: many small messages, on streams of any length.

use std::time::Duration;

use http2_test_support::{OK, POST, data, flag, headers, kind, ping, window_update};

use super::{Client, SCORE};
use crate::harness::{Behaviour, Credit, Endpoint, SHORT};

/// A message of 7 bytes, after its prefix.
const MESSAGE: &[u8] = b"\0\0\0\0\x07message";

#[test]
fn tiny_messages_both_ways() {
    // Like grpc-go, sends a PING with the acknowledgement of DATA, and the next when the PING is answered:
    // thousands per second in a data centre.
    let mut client = Client::new(Behaviour::Echoes).round_trip(Duration::from_micros(200));
    let stream = client.next;
    let head = client.request(0, POST);
    client.exchange(&head);
    let mut received = 0;
    for message in 0..50_000_u64 {
        let octets = [data(stream, 0, MESSAGE), ping(message.to_be_bytes())].concat();
        let answer = client.exchange(&octets);
        let content = answer.iter().filter(|frame| frame.kind == kind::DATA);
        received += content.map(|frame| frame.payload.len()).sum::<usize>();
        assert_eq!(received, MESSAGE.len() * (message as usize + 1), "the answer arrives immediately");
        if message % 2_000 == 1_999 {
            let credit = 2_000 * MESSAGE.len() as u32;
            client.exchange(&[window_update(0, credit), window_update(stream, credit)].concat());
        }
    }
    client.exchange(&data(stream, flag::END_STREAM, b""));
    client.end();
}

#[test]
fn tiny_messages_in_bulk() {
    let mut client = Client::new(Behaviour::Answers(SHORT));
    let stream = client.next;
    let head = client.request(0, POST);
    client.exchange(&head);
    let mut credit = Credit::new(stream);
    for _ in 0..10_000 {
        credit.spend(100 * MESSAGE.len());
        credit.receive(&client.exchange(&data(stream, 0, MESSAGE).repeat(100)));
    }
    assert_eq!(client.server.application.read, 1_000_000 * MESSAGE.len() as u64);
    client.exchange(&data(stream, flag::END_STREAM, b""));
    client.end();
}

#[test]
fn unary_calls() {
    // Ends each request with an empty DATA frame.
    let mut client = Client::new(Behaviour::Answers(SHORT));
    for _ in 0..500 {
        let mut calls = Vec::new();
        for _ in 0..100 {
            let stream = client.next;
            calls.extend(client.request(0, POST));
            calls.extend(data(stream, 0, MESSAGE));
            calls.extend(data(stream, flag::END_STREAM, b""));
        }
        client.exchange(&[calls, window_update(0, 100 * SHORT as u32)].concat());
        client.assert_served();
    }
    client.end();
}

#[test]
fn messages_to_a_client() {
    let mut client = Endpoint::client(&[]);
    client.send(&headers(1, 0, OK));
    let mut credit = Credit::new(1);
    for _ in 0..10_000 {
        credit.spend(100 * MESSAGE.len());
        let frames = client.send(&data(1, 0, MESSAGE).repeat(100));
        assert!(
            frames.iter().all(|frame| [kind::WINDOW_UPDATE, kind::PING].contains(&frame.kind)),
            "{frames:?}"
        );
        credit.receive(&frames);
    }
    assert_eq!(client.instance.stat("content_received"), 1_000_000 * MESSAGE.len() as u64);
    assert_eq!(client.instance.stat("streams_completed"), 0);
    client.send(&data(1, flag::END_STREAM, b""));
    assert_eq!(client.instance.stat("streams_completed"), 1);
    let score = client.instance.stat("abuse_score");
    assert!(score <= SCORE, "an abuse score of {score}");
}

#[test]
fn credit_for_every_message() {
    // Credit for each small DATA frame, for stream and connection; over a long distance, most of it arrives
    // after the stream has ended.
    let mut client = Client::new(Behaviour::Echoes).round_trip(Duration::from_millis(1));
    for _ in 0..20 {
        let stream = client.next;
        let head = client.request(0, POST);
        client.exchange(&head);
        for _ in 0..1_000 {
            client.exchange(&data(stream, 0, MESSAGE));
        }
        client.exchange(&data(stream, flag::END_STREAM, b""));
        client.assert_served();
        let length = MESSAGE.len() as u32;
        let credit = [window_update(stream, length), window_update(0, length)].concat();
        client.exchange(&credit.repeat(1_000));
    }
    client.end();
}
