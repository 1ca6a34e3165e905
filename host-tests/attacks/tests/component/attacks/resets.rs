//! Streams that end as soon as they begin.

use std::time::Duration;

use http2_attacks::attack::Answer::{Connection, Nothing, Streams};
use http2_engine::ErrorCode;
use http2_test_support::{
    GET, POST, PREFACE, code, data, flag, frame, headers, kind, priority, rst_stream, setting, settings,
    window_update,
};

use super::{PROTOCOL, each, open_server, requests_by_tens, server, slow_server, stream};
use crate::harness::{Behaviour, Endpoint, Outcome, Role, SHORT, Server, check_defence};

/// The most requests that an application holds at the same time.
const MAX_CONCURRENT: usize = 100;

/// A request followed by its cancellation.
fn cancelled(n: u32) -> Vec<u8> {
    [headers(stream(n), flag::END_STREAM, GET), rst_stream(stream(n), code::CANCEL)].concat()
}

fn assert_bounded_backlog(server: &Endpoint<Server>) {
    let most_held = server.application.most_held;
    assert!(most_held <= MAX_CONCURRENT, "{most_held} requests at the same time");
}

#[test]
fn reset_flood() {
    let invalid = |n| {
        let mut server = server();
        server.send(&each(n, |n| headers(stream(n), flag::END_STREAM, &[("Bad", "")])));
        assert_eq!(server.application.seen, 0);
        server.end()
    };
    check_defence("reset_flood", &[(Streams(PROTOCOL), &invalid)]);
}

#[test]
fn rapid_reset() {
    let at_once = |n| {
        let mut server = slow_server();
        server.send(&each(n, cancelled));
        assert_eq!(server.application.seen, 0);
        server.end()
    };
    let in_two_writes = |n| {
        let mut server = Endpoint::server(Behaviour::Waits);
        for n in 0..n / 4 {
            server.send(&headers(stream(n), flag::END_STREAM, GET));
            server.send(&rst_stream(stream(n), code::CANCEL));
        }
        assert_bounded_backlog(&server);
        server.end()
    };
    check_defence("rapid_reset", &[(Nothing, &at_once), (Nothing, &in_two_writes)]);
}

#[test]
fn made_you_reset() {
    use ErrorCode as E;
    type Offence = fn(u32) -> Vec<u8>;
    let variants: [(ErrorCode, Offence); 6] = [
        (E::PROTOCOL_ERROR, |stream| window_update(stream, 0)),
        (E::FLOW_CONTROL_ERROR, |stream| window_update(stream, 0x7fff_ffff)),
        (E::STREAM_CLOSED, |stream| data(stream, 0, b"late")),
        (E::STREAM_CLOSED, |stream| headers(stream, flag::END_STREAM, &[("late", "")])),
        (E::FRAME_SIZE_ERROR, |stream| frame(kind::PRIORITY, 0, stream, b"\0\0\0\0")),
        (E::PROTOCOL_ERROR, |stream| priority(stream, stream)),
    ];
    let attack = |offence: Offence, n| {
        let mut server = slow_server();
        server.send(&each(n, |n| [headers(stream(n), flag::END_STREAM, GET), offence(stream(n))].concat()));
        assert_bounded_backlog(&server);
        server.end()
    };
    let [a, b, c, d, e, f] = variants.map(|(_, offence)| move |n| attack(offence, n));
    let attacks: [&dyn Fn(u32) -> Outcome; 6] = [&a, &b, &c, &d, &e, &f];
    let answers = variants.map(|(code, _)| Streams(code));
    check_defence("made_you_reset", &Vec::from_iter(answers.into_iter().zip(attacks)));
}

#[test]
fn tiny_max_header_list_size() {
    let requests = |n| {
        let mut server = open_server(Behaviour::Answers(SHORT));
        server.send(&settings(&[(setting::MAX_HEADER_LIST_SIZE, 1)]));
        server.begin();
        for n in 0..n {
            let response = server.send(&headers(stream(n), flag::END_STREAM, GET));
            assert!(response.last().unwrap().ends_stream(), "an incomplete response");
        }
        server.end()
    };
    check_defence("tiny_max_header_list_size", &[(Nothing, &requests)]);
}

#[test]
fn early_reset() {
    let before_it_is_seen = |n: u32| {
        let mut server = server();
        for second in 0..n / 100 {
            server.sleep(Duration::from_secs(1));
            server.send(&each(100, |n| cancelled(100 * second + n)));
        }
        server.end()
    };
    let inside_the_field_block = |n: u32| {
        let mut server = server();
        let block = frame(kind::HEADERS, 0, stream(0), b"\x82");
        server.send(&[block, each(n, |n| rst_stream(stream(n), code::CANCEL))].concat());
        server.end()
    };
    check_defence(
        "early_reset",
        &[(Nothing, &before_it_is_seen), (Connection(PROTOCOL), &inside_the_field_block)],
    );
}

#[test]
fn closed_streams() {
    let requests = |n| {
        let request = |n| headers(stream(n), flag::END_STREAM, GET);
        requests_by_tens(open_server(Behaviour::Answers(SHORT)), n, request)
    };
    check_defence("closed_streams", &[(Nothing, &requests)]);
}

#[test]
fn more_streams_than_allowed() {
    let requests = |n| {
        let mut server = slow_server();
        server.send(&each(n, |n| headers(stream(n), 0, POST)));
        assert_bounded_backlog(&server);
        server.end()
    };
    check_defence("more_streams_than_allowed", &[(Streams(ErrorCode::REFUSED_STREAM), &requests)]);
}

#[test]
fn more_streams_before_settings_are_known() {
    let requests = |n| {
        let mut server = Endpoint::new(Role::Server, &[], Server::new(Behaviour::Clings));
        server.begin();
        let preface = [PREFACE, &settings(&[])].concat();
        server.send(&[preface, each(n, |n| headers(stream(n), 0, POST))].concat());
        assert_bounded_backlog(&server);
        server.end()
    };
    check_defence(
        "more_streams_before_settings_are_known",
        &[(Streams(ErrorCode::REFUSED_STREAM), &requests)],
    );
}
