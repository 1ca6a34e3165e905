//! Odd, misplaced and incomplete frames.

use std::time::Duration;

use http2_attacks::attack::Answer::{Connection, Nothing, Streams};
use http2_engine::ErrorCode;
use http2_test_support::Frame;
use http2_test_support::{
    GET, POST, PREFACE, data, flag, frame, headers, kind, ping, priority, setting, settings,
};

use super::{CALM, PROTOCOL, each, open_server, server, slow_server, stream};
use crate::harness::{Behaviour, Endpoint, Role, SHORT, Server, check_defence};

/// A server that has received no input.
fn new_server() -> Endpoint<Server> {
    let mut server = Endpoint::new(Role::Server, &[], Server::new(Behaviour::Answers(SHORT)));
    server.sleep(Duration::ZERO);
    server.begin();
    server
}

#[test]
fn dependency_cycle() {
    let cycles = |n| {
        let mut server = slow_server();
        server.send(&[headers(stream(0), 0, POST), headers(stream(1), 0, POST)].concat());
        server.begin();
        server.send(&each(n, |n| {
            let (a, b) = (stream(n), stream(n + 1));
            [priority(a, b), priority(b, a)].concat()
        }));
        server.end()
    };
    let itself = |n| {
        let mut server = slow_server();
        server.send(&each(100, |n| headers(stream(n), 0, POST)));
        server.begin();
        server.send(&each(n / 10, |n| priority(stream(n), stream(n))));
        server.end()
    };
    check_defence("dependency_cycle", &[(Nothing, &cycles), (Streams(PROTOCOL), &itself)]);
}

#[test]
fn max_frame_size() {
    let to = |value| {
        move |n: u32| {
            let mut server = server();
            server.send(&settings(&[(setting::MAX_FRAME_SIZE, value)]).repeat(n as usize));
            server.end()
        }
    };
    let to_a_client = |n: u32| {
        let mut client = Endpoint::client(&[]);
        client.send(&settings(&[(setting::MAX_FRAME_SIZE, 0)]).repeat(n as usize));
        client.end()
    };
    check_defence(
        "max_frame_size",
        &[
            (Connection(PROTOCOL), &to(0)),
            (Connection(PROTOCOL), &to(1 << 24)),
            (Connection(PROTOCOL), &to_a_client),
        ],
    );
}

#[test]
fn unassigned_types() {
    // All types that RFC 9113, 9218, 8336 and 7838 do not assign.
    let types = (0x0b..=0xff).filter(|kind| ![kind::ORIGIN, kind::PRIORITY_UPDATE].contains(kind));
    let types = Vec::from_iter(types);
    let all = |n| {
        let mut server = slow_server();
        server.send(&headers(stream(0), 0, POST));
        server.begin();
        server.send(&each(n, |n| {
            let flags = [0x00, 0xff, 0x05, 0x28, 0x01][n as usize % 5];
            types.iter().flat_map(|kind| frame(*kind, flags, stream(n % 2), &[*kind; 5])).collect()
        }));
        server.end()
    };
    check_defence("unassigned_types", &[(Nothing, &all)]);
}

#[test]
fn wrong_first_frame() {
    let large = |n: u32| {
        let mut server = new_server();
        let header = [0xff, 0xff, 0xff, kind::HEADERS, 0, 0, 0, 0, 1];
        server.send(&[PREFACE, &header, &vec![0; n as usize]].concat());
        assert_eq!(server.application.seen, 0);
        server.end()
    };
    check_defence("wrong_first_frame", &[(Connection(PROTOCOL), &large)]);
}

#[test]
fn truncated_frames() {
    let octet_by_octet = |n: u32| {
        let mut server = server();
        let frames = each(n, |n| [ping(*b"12345678"), headers(stream(n), flag::END_STREAM, GET)].concat());
        for octet in frames {
            server.send(&[octet]);
            assert!(!server.drive(), "the endpoint reports work but makes no progress");
        }
        server.end()
    };
    check_defence("truncated_frames", &[(Nothing, &octet_by_octet)]);
}

#[test]
fn after_the_end() {
    let frames = |n| {
        let mut server = server();
        // A misplaced CONTINUATION ends the connection.
        server.send(&frame(kind::CONTINUATION, 0, 1, b""));
        server.begin_cost();
        let received = server.send(&each(n, |n| {
            [
                headers(stream(n), flag::END_STREAM, GET),
                data(stream(n), 0, b"x"),
                ping(*b"12345678"),
                settings(&[]),
                vec![0xff; 9],
            ]
            .concat()
        }));
        assert_eq!(received, []);
        assert_eq!(server.application.seen, 0);
        server.end()
    };
    check_defence("after_the_end", &[(Connection(PROTOCOL), &frames)]);
}

#[test]
fn slow_preface() {
    let an_octet_a_second = |n: u32| {
        let mut server = new_server();
        for octet in &PREFACE[..PREFACE.len().min(n as usize)] {
            server.send(&[*octet]);
            server.sleep(Duration::from_secs(1));
        }
        server.end()
    };
    let a_field_block_that_does_not_go_on = |n: u32| {
        let mut server = server();
        server.send(&frame(kind::HEADERS, 0, stream(0), &vec![0x82; n as usize]));
        assert_eq!(server.sleep(Duration::from_secs(29)), []);
        server.sleep(Duration::from_secs(1));
        server.end()
    };
    check_defence(
        "slow_preface",
        &[(Connection(CALM), &an_octet_a_second), (Connection(CALM), &a_field_block_that_does_not_go_on)],
    );
}

#[test]
fn stream_identifiers() {
    // Keeps a hundred streams open, so that lookups have to search among them.
    let with_gaps = |gap: u32, n: u32| {
        let mut server = open_server(Behaviour::Answers(SHORT));
        for batch in 0..n / 100 {
            let streams = Vec::from_iter((0..100).map(|n| stream((100 * batch + n) * gap)));
            server.send(&Vec::from_iter(streams.iter().flat_map(|stream| headers(*stream, 0, POST))));
            server.send(&Vec::from_iter(
                streams.iter().flat_map(|stream| data(*stream, flag::END_STREAM, b"x")),
            ));
        }
        assert_eq!((server.application.seen, server.application.read), (n.into(), n.into()));
        server
    };
    let far_apart = |n: u32| {
        let (near, far) = (with_gaps(1, n), with_gaps(10_000, n));
        assert!(far.work() < 1.25 * near.work(), "{} instead of {}", far.work(), near.work());
        far.end()
    };
    check_defence("stream_identifiers", &[(Nothing, &far_apart)]);
}

#[test]
fn endless_shutdown() {
    let held_open = |n: u32| {
        let mut server = slow_server();
        server.send(&each(n, |n| headers(stream(n), 0, POST)));
        server.begin();
        let announced = server.shutdown();
        let ping =
            announced.iter().find(|frame| frame.kind == kind::PING).expect("shutdown waits one round trip");
        server.send(&frame(kind::PING, flag::ACK, 0, &ping.payload));
        // Content of requests that the server no longer accepts: the connection window must get its bytes
        // back.
        let (mut sent, mut credited) = (0, 0);
        for n in n..2 * n {
            let content = data(stream(n), 0, &[0; 16_000]).repeat(16);
            sent += 16 * 16_000;
            let frames = server.send(&[headers(stream(n), 0, POST), content].concat());
            let of_connection = |frame: &&Frame| frame.kind == kind::WINDOW_UPDATE && frame.stream == 0;
            credited += frames.iter().filter(of_connection).map(|frame| frame.number(0)).sum::<u32>();
            assert!(sent - credited < 1 << 20, "the window has run out");
        }
        server.sleep(Duration::from_secs(30));
        server.end()
    };
    check_defence("endless_shutdown", &[(Connection(ErrorCode::NO_ERROR), &held_open)]);
}
