//! The cases, by what they are about.

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
use crate::frame::{GET, HEAD, OK, POST, code, flag, headers};

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

/// The same case for both roles.
fn both(
    requirements: &'static [&'static str],
    name: &'static str,
    steps: impl Fn(Case) -> Case,
) -> impl Iterator<Item = Case> {
    ROLES.into_iter().map(move |role| steps(Case::new(role, requirements, name)))
}

/// Opens stream 1, as far as the tester's side of it goes: it has sent a head, and may send content.
fn open(case: Case) -> Case {
    match case.role {
        Role::Server => {
            case.send(headers(1, 0, POST)).expect(Expected::Response { stream: 1, status: "200" }).nothing()
        }
        Role::Client => case.send(headers(1, 0, OK)).nothing(),
    }
}

/// Has stream 1 ended by both sides.
fn complete(case: Case) -> Case {
    match case.role {
        Role::Server => case.send(headers(1, flag::END_STREAM, GET)).expect(Expected::End { stream: 1 }),
        Role::Client => case.send(headers(1, flag::END_STREAM, OK)).expect(Expected::Request { stream: 5 }),
    }
    .nothing()
}

/// Has stream 1 reset by the endpoint, for what the tester has done on it.
fn reset(case: Case) -> Case {
    open(case).send(crate::frame::window_update(1, 0)).stream_error(1, code::PROTOCOL_ERROR)
}

/// Shows that the endpoint goes on with another stream.
fn goes_on(case: Case) -> Case {
    match case.role {
        Role::Server => case
            // Without content, whatever the windows are by now.
            .send(headers(101, flag::END_STREAM, HEAD))
            .expect(Expected::Response { stream: 101, status: "200" })
            .expect(Expected::End { stream: 101 }),
        Role::Client => case.send(headers(3, flag::END_STREAM, OK)),
    }
    .nothing()
}
