//! Server push (RFC 9113, 6.6, 8.4), to endpoints that do not accept it.

use super::reset;
use crate::case::{Case, Expected};
use http2_test_support::{GET, OK, code, flag, frame, headers, kind, push_promise, settings};

/// A client that has sent SETTINGS disabling push, and has not yet received the acknowledgement.
fn unacknowledged(requirements: &'static [&'static str], name: &'static str) -> Case {
    Case::client(requirements, name)
        .without_preface()
        .send(settings(&[]))
        .expect(Expected::Request { stream: 3 })
        .nothing()
}

pub(super) fn cases() -> Vec<Case> {
    let promise = push_promise(1, 2, GET);
    let short = frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0; 3]);
    let error = |case: Case, octets: Vec<u8>| case.send(octets).connection_error(code::PROTOCOL_ERROR);
    vec![
        error(
            Case::server(&["U2"], "PUSH_PROMISE from a client").send(headers(1, flag::END_STREAM, GET)),
            promise.clone(),
        ),
        error(Case::client(&["U2"], "PUSH_PROMISE to a client that has disabled push"), promise.clone()),
        unacknowledged(&["U2"], "PUSH_PROMISE before the server acknowledged that push is disabled")
            .send(promise.clone())
            .stream_error(2, code::CANCEL)
            .send(headers(2, flag::END_STREAM, OK))
            .nothing(),
        reset(unacknowledged(&["U3"], "PUSH_PROMISE on a stream that was reset"))
            .send(promise.clone())
            .stream_error(2, code::CANCEL),
        error(
            unacknowledged(&["U1"], "PUSH_PROMISE of an already promised stream")
                .send(promise.clone())
                .stream_error(2, code::CANCEL),
            promise,
        ),
        error(unacknowledged(&["U1"], "PUSH_PROMISE on stream 0"), push_promise(0, 2, GET)),
        error(unacknowledged(&["U1"], "PUSH_PROMISE on an idle stream"), push_promise(101, 2, GET)),
        error(unacknowledged(&["U1"], "PUSH_PROMISE of stream 0"), push_promise(1, 0, GET)),
        error(unacknowledged(&["U1"], "PUSH_PROMISE of a client's stream"), push_promise(1, 101, GET)),
        error(
            unacknowledged(&["U1"], "PUSH_PROMISE on a stream that the server has ended").send(headers(
                1,
                flag::END_STREAM,
                OK,
            )),
            push_promise(1, 2, GET),
        ),
        error(
            unacknowledged(&["D3"], "PUSH_PROMISE with padding longer than the payload"),
            frame(kind::PUSH_PROMISE, flag::PADDED | flag::END_HEADERS, 1, &[1, 0, 0, 0, 2]),
        ),
        unacknowledged(&["F2"], "PUSH_PROMISE too short for its promised stream id")
            .send(short)
            .connection_error(code::FRAME_SIZE_ERROR),
    ]
}
