//! The cases, by topic.

mod connection;
mod extensions;
mod flow_control;
mod frames;
mod hpack;
mod push;
mod requests;
mod responses;
mod stream_frames;
mod streams;

use crate::case::{Case, Expected, Role};
use http2_test_support::{GET, HEAD, OK, POST, code, flag, headers};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// All cases.
pub fn cases() -> Vec<Case> {
    [
        frames::cases(),
        streams::cases(),
        stream_frames::cases(),
        connection::cases(),
        push::cases(),
        flow_control::cases(),
        requests::cases(),
        responses::cases(),
        hpack::cases(),
        extensions::cases(),
    ]
    .concat()
}

/// Builds the same case for both roles.
fn both(
    requirements: &'static [&'static str],
    name: &'static str,
    steps: impl Fn(Case) -> Case,
) -> impl Iterator<Item = Case> {
    ROLES.into_iter().map(move |role| steps(Case::new(role, requirements, name)))
}

/// Opens stream 1 from the tester's side: the tester has sent a head, and may send content.
fn open(case: Case) -> Case {
    match case.role {
        Role::Server => {
            case.send(headers(1, 0, POST)).expect(Expected::Response { stream: 1, status: "200" }).nothing()
        }
        Role::Client => case.send(headers(1, 0, OK)).nothing(),
    }
}

/// Completes stream 1 in both directions.
fn complete(case: Case) -> Case {
    match case.role {
        Role::Server => case.send(headers(1, flag::END_STREAM, GET)).expect(Expected::End { stream: 1 }),
        Role::Client => case.send(headers(1, flag::END_STREAM, OK)).expect(Expected::Request { stream: 5 }),
    }
    .nothing()
}

/// Makes the endpoint reset stream 1 for a stream error of the tester.
fn reset(case: Case) -> Case {
    open(case).send(http2_test_support::window_update(1, 0)).stream_error(1, code::PROTOCOL_ERROR)
}

/// Checks that the endpoint still serves another stream.
fn still_serves(case: Case) -> Case {
    match case.role {
        Role::Server => case
            // A request without content, so that the current windows do not matter.
            .send(headers(101, flag::END_STREAM, HEAD))
            .expect(Expected::Response { stream: 101, status: "200" })
            .expect(Expected::End { stream: 101 }),
        Role::Client => case.send(headers(3, flag::END_STREAM, OK)),
    }
    .nothing()
}
