//! Clients that cancel requests, and services that refuse or fail them.

use std::time::Duration;

use http2_test_support::{GET, POST, code, data, flag, kind, ping, rst_stream, setting, window_update};

use super::Client;
use crate::harness::{Behaviour, SHORT};

/// RST_STREAM with CANCEL for every request whose response is outstanding.
fn cancel_all(client: &mut Client) -> Vec<u8> {
    let waiting = std::mem::take(&mut client.waiting);
    waiting.into_keys().flat_map(|stream| rst_stream(stream, code::CANCEL)).collect()
}

#[test]
fn cancelled_over_time() {
    // A user is typing: each keystroke sends a request and cancels the previous one. Go's client checks by
    // PING whether the server is alive.
    let mut client = Client::new(Behaviour::Waits);
    for letter in 0..20_000_u64 {
        client.server.sleep(Duration::from_millis(20));
        let mut octets = cancel_all(&mut client);
        octets.extend(ping(letter.to_be_bytes()));
        octets.extend(client.requests(1, GET));
        client.exchange(&octets);
    }
    let answer = client.server.set_behaviour(Behaviour::Answers(SHORT));
    client.check(&answer);
    assert_eq!((client.complete, client.server.application.seen), (1, 20_000));
    client.end();
}

#[test]
fn cancelled_beside_others() {
    // A proxy with many clients: a thousand requests per second, of which it cancels every third.
    let mut client = Client::new(Behaviour::Waits).round_trip(Duration::from_millis(50));
    for _ in 0..1_000 {
        client.server.set_behaviour(Behaviour::Waits);
        let kept = client.requests(34, GET);
        let waiting = std::mem::take(&mut client.waiting);
        let others = client.requests(16, GET);
        client.exchange(&[kept, others].concat());
        let cancel = cancel_all(&mut client);
        client.waiting = waiting;
        client.exchange(&[cancel, window_update(0, 34 * SHORT as u32)].concat());
        let answers = client.server.set_behaviour(Behaviour::Answers(SHORT));
        client.check(&answers);
        client.assert_served();
    }
    assert_eq!(client.complete, 34_000);
    client.end();
}

#[test]
fn reload_storm() {
    // A page of 300 parts, reloaded five times within a second with all 300 requests in flight each time, as
    // many as the server allows.
    let client = Client::with(&[(setting::MAX_CONCURRENT_STREAMS, 300)], Behaviour::Answers(SHORT));
    let mut client = client.round_trip(Duration::from_millis(200));
    let page = client.requests(300, GET);
    client.exchange(&page);
    client.assert_served();
    client.server.set_behaviour(Behaviour::Waits);
    for _ in 0..6 {
        let mut octets = cancel_all(&mut client);
        octets.extend(client.requests(300, GET));
        client.exchange(&octets);
    }
    let answers = client.server.set_behaviour(Behaviour::Answers(SHORT));
    client.check(&answers);
    assert_eq!(client.complete, 600);
    // Some time later, the client cancels another request.
    client.server.sleep(Duration::from_secs(20));
    client.server.set_behaviour(Behaviour::Waits);
    let request = client.requests(1, GET);
    client.exchange(&request);
    let cancel = cancel_all(&mut client);
    client.exchange(&cancel);
    client.end();
}

#[test]
fn cancelled_when_enough_has_come() {
    // A player that seeks: it wants no more of each response than the window has let through.
    let mut client = Client::new(Behaviour::Answers(16 << 20)).round_trip(Duration::from_millis(1));
    for _ in 0..5_000 {
        let stream = client.next;
        let request = client.requests(1, GET);
        let frames = client.exchange(&request);
        let received: usize =
            frames.iter().filter(|frame| frame.kind == kind::DATA).map(|frame| frame.payload.len()).sum();
        assert_eq!(received, 65_535, "a window at once");
        client.exchange(&[rst_stream(stream, code::CANCEL), window_update(0, 65_535)].concat());
        client.waiting.clear();
    }
    client.end();
}

#[test]
fn refused_uploads() {
    // The server answers before the content arrives, and reads none of it: a whole window is then in flight,
    // in frames as small as the messages.
    let mut client = Client::new(Behaviour::Refuses).round_trip(Duration::from_millis(200));
    for _ in 0..20 {
        let stream = client.next;
        let head = client.request(0, POST);
        client.exchange(&head);
        client.assert_served();
        let under_way = data(stream, 0, &[0; 100]).repeat(2_600);
        let answer = client.exchange(&[under_way, data(stream, flag::END_STREAM, b"")].concat());
        assert!(answer.iter().all(|frame| frame.kind != kind::RST_STREAM), "the response ends with NO_ERROR");
    }
    client.end();
}

#[test]
fn service_that_fails() {
    // The application resets each request; the client is not to blame.
    let mut client = Client::new(Behaviour::Answers(SHORT));
    client.server.set_behaviour(Behaviour::Fails);
    for _ in 0..10_000 {
        let request = client.requests(1, GET);
        let frames = client.server.send(&request);
        let resets = frames.iter().filter(|frame| frame.kind == kind::RST_STREAM);
        assert!(resets.map(|frame| frame.number(0)).eq([code::INTERNAL_ERROR]));
        client.waiting.clear();
    }
    client.server.set_behaviour(Behaviour::Answers(SHORT));
    let request = client.requests(1, GET);
    client.exchange(&request);
    client.end();
}
