//! Extensions: RFC 8441, 9218, 8336, 7838, and unknown ones (RFC 9113, 5.5).

use super::{ROLES, both, open, still_serves};
use crate::case::{Case, Expected, Role};
use http2_test_support::{GET, OK, code, flag, frame, headers, kind, priority, setting, settings};

pub(super) fn cases() -> Vec<Case> {
    [extended_connect(), deprecated_priorities(), priority_updates(), priority_fields(), services()].concat()
}

fn extended_connect() -> Vec<Case> {
    let enable = |value| settings(&[(setting::ENABLE_CONNECT_PROTOCOL, value)]);
    let refused = |name, fields: &[(&str, &str)]| {
        let case = Case::server(&["X2"], name).send(headers(1, 0, fields));
        still_serves(case.stream_error(1, code::PROTOCOL_ERROR))
    };
    let websocket = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "localhost"),
    ];
    vec![
        Case::client(&["X1"], "SETTINGS_ENABLE_CONNECT_PROTOCOL of 2")
            .send(enable(2))
            .connection_error(code::PROTOCOL_ERROR),
        Case::client(&["X1"], "SETTINGS_ENABLE_CONNECT_PROTOCOL of 0 after 1")
            .send(enable(1))
            .expect(Expected::SettingsAck)
            .send(enable(0))
            .connection_error(code::PROTOCOL_ERROR),
        still_serves(
            Case::client(&["X1"], "SETTINGS_ENABLE_CONNECT_PROTOCOL of 0, 1, and 1 again")
                .send([enable(0), enable(1), enable(1)].concat())
                .nothing(),
        ),
        refused("`:protocol` to a server that has not enabled it", &websocket),
        refused("`:protocol` on GET", &[GET, &websocket[1..2]].concat()),
        refused("`:protocol` without `:scheme` and `:path`", &[&websocket[..2], &websocket[4..]].concat()),
    ]
}

fn deprecated_priorities() -> Vec<Case> {
    let without = |value| settings(&[(setting::NO_RFC7540_PRIORITIES, value)]);
    let mut cases = Vec::new();
    cases.extend(both(&["X4"], "SETTINGS_NO_RFC7540_PRIORITIES of 2", |case| {
        case.send(without(2)).connection_error(code::PROTOCOL_ERROR)
    }));
    cases.extend(both(&["X4"], "SETTINGS_NO_RFC7540_PRIORITIES of 1 after the first SETTINGS", |case| {
        case.send(without(1)).connection_error(code::PROTOCOL_ERROR)
    }));
    cases.extend(both(&["X4", "X5"], "RFC 7540 priorities despite SETTINGS_NO_RFC7540_PRIORITIES", |case| {
        let case = case
            .without_preface()
            .send_preface(&[(setting::NO_RFC7540_PRIORITIES, 1)])
            .expect(Expected::SettingsAck)
            .send(without(1))
            .send([priority(1, 3), priority(7, 0), priority(3, 7)].concat());
        // A client must have sent its first requests.
        let case = match case.role {
            Role::Server => case,
            Role::Client => case.expect(Expected::Request { stream: 3 }),
        };
        still_serves(case.nothing())
    }));
    cases.extend(both(&["X5"], "RFC 7540 priorities for streams in all states", |case| {
        let octets = [priority(1, 99), priority(3, 1), priority(99, 3), priority(100, 2)].concat();
        still_serves(open(case).send(octets).nothing())
    }));
    cases
}

/// PRIORITY_UPDATE (RFC 9218, 7.1).
fn update(stream: u32, prioritized: u32, value: &[u8]) -> Vec<u8> {
    frame(kind::PRIORITY_UPDATE, 0, stream, &[&prioritized.to_be_bytes()[..], value].concat())
}

fn priority_updates() -> Vec<Case> {
    use code::{FRAME_SIZE_ERROR, PROTOCOL_ERROR};
    let error = |requirements, name, octets: Vec<u8>, code| {
        Case::server(requirements, name).send(octets).connection_error(code)
    };
    let idle = |streams: u32| (0..streams).flat_map(|n| update(0, 2 * n + 1, b"u=1")).collect::<Vec<u8>>();
    let bad_value = |name, value: &'static [u8]| {
        let octets = [update(0, 101, value), update(0, 103, value)].concat();
        still_serves(Case::server(&["X6", "X7"], name).send(octets).nothing())
    };
    vec![
        error(&["X7"], "PRIORITY_UPDATE on a stream", update(1, 1, b"u=1"), PROTOCOL_ERROR),
        error(&["X7"], "PRIORITY_UPDATE for stream 0", update(0, 0, b"u=1"), PROTOCOL_ERROR),
        error(
            &["X7"],
            "PRIORITY_UPDATE of 3 bytes",
            frame(kind::PRIORITY_UPDATE, 0, 0, &[0; 3]),
            FRAME_SIZE_ERROR,
        ),
        error(&["X9"], "PRIORITY_UPDATE for 101 idle streams", idle(101), PROTOCOL_ERROR),
        error(
            &["X10"],
            "PRIORITY_UPDATE for a push that was not promised",
            update(0, 2, b"u=1"),
            PROTOCOL_ERROR,
        ),
        still_serves(Case::server(&["X9"], "PRIORITY_UPDATE for 100 idle streams").send(idle(100)).nothing()),
        bad_value("PRIORITY_UPDATE with an invalid value", b"\xff, u=(,"),
        bad_value("PRIORITY_UPDATE without a value", b""),
        still_serves(
            super::complete(Case::server(&["X7"], "PRIORITY_UPDATE for a closed stream"))
                .send(update(0, 1, b"u=0"))
                .nothing(),
        ),
        Case::client(&["X8"], "PRIORITY_UPDATE to a client")
            .send(update(0, 1, b"u=1"))
            .connection_error(PROTOCOL_ERROR),
    ]
}

fn priority_fields() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in ROLES {
        for (name, value) in [
            ("a priority with unknown parameters", "u=1, i, x=y;z, foo=(1 2)"),
            ("priorities out of range and of the wrong types", "u=9, i=5"),
            ("a priority that is not a dictionary", "u=1,, ="),
        ] {
            let head = if role == Role::Server { GET } else { OK };
            let fields = [head, &[("priority", value)]].concat();
            let case = Case::new(role, &["X6", "X17"], name);
            cases.push(still_serves(case.send(headers(1, flag::END_STREAM, &fields)).nothing()));
        }
    }
    cases
}

fn services() -> Vec<Case> {
    let origin = |flags, stream, payload: &[u8]| frame(kind::ORIGIN, flags, stream, payload);
    let alt_svc = |stream, payload: &[u8]| frame(kind::ALTSVC, 0, stream, payload);
    let mut cases = Vec::new();
    let frames: [(&[_], _, _); 8] = [
        (&["X11"], "ORIGIN", origin(0, 0, b"\0\x12https://a.example/")),
        (&["X11"], "ORIGIN on a stream", origin(0, 1, b"\0\x11https://a.example")),
        (&["X11"], "ORIGIN with flags", origin(0x0f, 0, b"\0\x11https://a.example")),
        (
            &["X11"],
            "truncated and empty ORIGIN",
            [origin(0, 0, b"\0\x11https://a"), origin(0, 0, b"\0"), origin(0, 0, b"")].concat(),
        ),
        (&["X12"], "ALTSVC for an origin", alt_svc(0, b"\0\x11https://a.exampleh2=\":443\"")),
        (&["X12"], "ALTSVC on stream 0 without an origin", alt_svc(0, b"\0\0h2=\":443\"")),
        (&["X12"], "ALTSVC on a stream with an origin", alt_svc(1, b"\0\x11https://a.exampleh2=\":443\"")),
        (&["X12"], "truncated and empty ALTSVC", [alt_svc(0, b"\0\x11https://a"), alt_svc(1, b"")].concat()),
    ];
    for (requirements, name, octets) in frames {
        cases
            .extend(both(requirements, name, |case| still_serves(open(case).send(octets.clone()).nothing())));
    }
    cases.extend(both(&["F3", "X17"], "frames of all unknown types, with all flags", |case| {
        let unknown = (0x11..=0xff_u8).flat_map(|kind| frame(kind, kind, u32::from(kind), b"grease"));
        let unassigned = [0x0b, 0x0d, 0x0e, 0x0f].into_iter().flat_map(|kind| frame(kind, 0xff, 0, b""));
        still_serves(case.send(unknown.chain(unassigned).collect::<Vec<u8>>()).nothing())
    }));
    cases
}
