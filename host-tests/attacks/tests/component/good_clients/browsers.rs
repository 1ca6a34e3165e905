//! The traffic of browsers.

use http2_test_support::{GET, block, flag, frame, kind, window_update};

use super::Client;
use crate::harness::{Behaviour, SHORT};

#[test]
fn cookie_crumbs() {
    let crumbs = Vec::from_iter((0..90).map(|n| format!("cookie-{n}=value-{n}")));
    let crumbs = crumbs.iter().map(|crumb| ("cookie", crumb.as_str()));
    let request = Vec::from_iter(GET.iter().copied().chain(crumbs));
    let mut client = Client::new(Behaviour::Answers(SHORT));
    for _ in 0..1_000 {
        let requests = client.requests(10, &request);
        client.exchange(&[requests, window_update(0, 10 * SHORT as u32)].concat());
        client.assert_served();
    }
    client.end();
}

#[test]
fn large_heads() {
    // Nearly as much as the server accepts, in as many frames as that takes.
    let token = "x".repeat(30_000);
    let fields = block(&[GET, &[("authorization", token.as_str())]].concat());
    let mut client = Client::new(Behaviour::Answers(SHORT));
    for _ in 0..3_000 {
        let stream = client.next;
        client.next += 2;
        client.waiting.insert(stream, 0);
        let (first, rest) = fields.split_at(16_384);
        let octets = [
            frame(kind::HEADERS, flag::END_STREAM, stream, first),
            frame(kind::CONTINUATION, flag::END_HEADERS, stream, rest),
            window_update(0, SHORT as u32),
        ];
        client.exchange(&octets.concat());
        client.assert_served();
    }
    client.end();
}

#[test]
fn reprioritised_images() {
    // A page with a hundred images, whose priorities change twice as they scroll into view (RFC 9218, 7.1).
    let mut client = Client::new(Behaviour::Waits);
    let update = |stream: u32, value: &[u8]| {
        frame(kind::PRIORITY_UPDATE, 0, 0, &[&stream.to_be_bytes()[..], value].concat())
    };
    for _ in 0..200 {
        client.server.set_behaviour(Behaviour::Waits);
        let first = client.next;
        let requests = client.requests(100, GET);
        client.exchange(&requests);
        for value in [b"u=2", b"u=5"] {
            let updates: Vec<u8> = (0..100).flat_map(|n| update(first + 2 * n, value)).collect();
            client.exchange(&updates);
        }
        let answers = client.server.set_behaviour(Behaviour::Answers(SHORT));
        client.check(&answers);
        client.assert_served();
        client.exchange(&window_update(0, 100 * SHORT as u32));
    }
    client.end();
}
