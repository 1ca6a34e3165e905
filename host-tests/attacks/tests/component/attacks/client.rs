//! Attacks by a server on a client.

use http2_attacks::attack::Answer::{Connection, Nothing, Streams};
use http2_engine::ErrorCode;
use http2_test_support::{GET, frame, headers, kind, push_promise, setting};

use super::{CALM, PROTOCOL, each};
use crate::harness::{Client, Endpoint, check_defence};

/// A client that accepts pushes.
fn client_with_push() -> Endpoint<Client> {
    Endpoint::client(&[(setting::ENABLE_PUSH, 1)])
}

#[test]
fn origin_set() {
    let origin = |length: usize| {
        let entry = [&u16::try_from(length).unwrap().to_be_bytes()[..], &vec![b'x'; length]].concat();
        entry.repeat(16_384 / (length + 2))
    };
    let attack = |n, payload: Vec<u8>| {
        let mut client = Endpoint::client(&[]);
        client.send(&each(n, |_| frame(kind::ORIGIN, 0, 0, &payload)));
        client.end()
    };
    check_defence(
        "origin_set",
        &[
            (Nothing, &|n| attack(n, origin(126))),
            (Nothing, &|n| attack(n, origin(16_382))),
            (Nothing, &|n| attack(n, origin(0))),
        ],
    );
}

#[test]
fn alternative_services() {
    let attack = |n| {
        let mut client = Endpoint::client(&[]);
        let payload = [&b"\0\x01a"[..], &[b'x'; 16_000]].concat();
        client.send(&each(n, |_| frame(kind::ALTSVC, 0, 0, &payload)));
        client.end()
    };
    check_defence("alternative_services", &[(Nothing, &attack)]);
}

#[test]
fn informational_flood() {
    let attack = |n| {
        let mut client = Endpoint::client(&[]);
        client.send(&each(n, |_| headers(1, 0, &[(":status", "103"), ("link", "</style.css>")])));
        client.end()
    };
    check_defence("informational_flood", &[(Streams(CALM), &attack)]);
}

#[test]
fn push_abuse() {
    let promise =
        |n, authority| push_promise(1, 2 * n + 2, &[&GET[..3], &[(":authority", authority)]].concat());
    let not_wanted = |n| {
        let mut client = Endpoint::client(&[]);
        client.send(&each(n, |n| promise(n, "localhost")));
        client.end()
    };
    let foreign = |n| {
        let mut client = client_with_push();
        client.send(&each(n, |n| promise(n, "elsewhere.example")));
        assert_eq!(client.application.pushed, 0);
        client.end()
    };
    let too_many = |n| {
        let mut client = client_with_push();
        client.send(&each(n, |n| promise(n, "localhost")));
        assert_eq!(client.application.pushed, 100);
        client.end()
    };
    check_defence(
        "push_abuse",
        &[
            (Connection(PROTOCOL), &not_wanted),
            (Streams(PROTOCOL), &foreign),
            (Streams(ErrorCode::REFUSED_STREAM), &too_many),
        ],
    );
}
