//! SETTINGS, PING and GOAWAY (RFC 9113, 6.5, 6.7, 6.8), and abuse (10.5).

use super::{ROLES, both, open, still_serves};
use crate::case::{Case, Expected, Role};
use http2_test_support::{
    GET, OK, block, code, flag, frame, go_away, headers, kind, literal, ping, setting, settings, settings_ack,
};

pub(super) fn cases() -> Vec<Case> {
    [setting_frames(), setting_values(), settings_taken(), pings(), go_aways(), abuse()].concat()
}

fn setting_frames() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, octets) in [
        ("SETTINGS of 5 bytes", frame(kind::SETTINGS, 0, 0, &[0; 5])),
        ("SETTINGS of 7 bytes", frame(kind::SETTINGS, 0, 0, &[0; 7])),
        ("an acknowledgement of SETTINGS with a parameter", frame(kind::SETTINGS, flag::ACK, 0, &[0; 6])),
    ] {
        cases.extend(both(&["N1"], name, |case| {
            case.send(octets.clone()).connection_error(code::FRAME_SIZE_ERROR)
        }));
    }
    for (name, flags) in
        [("SETTINGS on a stream", 0), ("an acknowledgement of SETTINGS on a stream", flag::ACK)]
    {
        cases.extend(both(&["N2"], name, |case| {
            open(case).send(frame(kind::SETTINGS, flags, 1, b"")).connection_error(code::PROTOCOL_ERROR)
        }));
    }
    cases.extend(both(&["N8"], "an acknowledgement of SETTINGS that were not sent", |case| {
        case.send(settings_ack()).connection_error(code::PROTOCOL_ERROR)
    }));
    cases
}

fn setting_values() -> Vec<Case> {
    use code::{FLOW_CONTROL_ERROR, PROTOCOL_ERROR};
    use setting::{ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE};
    let mut cases = Vec::new();
    let values: [(&[_], _, _, _); 6] = [
        (&["N3"], "SETTINGS_ENABLE_PUSH of 2", (ENABLE_PUSH, 2), PROTOCOL_ERROR),
        (&["N4"], "an initial window of 2^31 bytes", (INITIAL_WINDOW_SIZE, 1 << 31), FLOW_CONTROL_ERROR),
        (&["N4"], "an initial window of 2^32-1 bytes", (INITIAL_WINDOW_SIZE, u32::MAX), FLOW_CONTROL_ERROR),
        (&["N5"], "SETTINGS_MAX_FRAME_SIZE of 16,383", (MAX_FRAME_SIZE, 16_383), PROTOCOL_ERROR),
        (&["N5"], "SETTINGS_MAX_FRAME_SIZE of 2^24", (MAX_FRAME_SIZE, 1 << 24), PROTOCOL_ERROR),
        (&["N5"], "SETTINGS_MAX_FRAME_SIZE of 0", (MAX_FRAME_SIZE, 0), PROTOCOL_ERROR),
    ];
    for (requirements, name, parameter, code) in values {
        cases.extend(both(requirements, name, |case| {
            // An invalid parameter may follow a valid one.
            case.send(settings(&[(setting::MAX_CONCURRENT_STREAMS, 10), parameter])).connection_error(code)
        }));
    }
    cases.push(
        Case::client(&["N3"], "SETTINGS_ENABLE_PUSH of 1 from a server")
            .send(settings(&[(ENABLE_PUSH, 1)]))
            .connection_error(PROTOCOL_ERROR),
    );
    cases.push(still_serves(
        Case::client(&["N3"], "SETTINGS_ENABLE_PUSH of 0 from a server")
            .send(settings(&[(ENABLE_PUSH, 0)]))
            .nothing(),
    ));
    cases
}

fn settings_taken() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(both(&["N6", "X17"], "unknown settings, one of them twice", |case| {
        let unknown = settings(&[(0x7a7a, u32::MAX), (0, 0), (0x7a7a, 1), (0xffff, 7)]);
        still_serves(case.send(unknown).expect(Expected::SettingsAck).nothing())
    }));
    for role in ROLES {
        // A server may not enable push.
        let push = if role == Role::Server { 1 } else { 0 };
        let extremes = |values: [u32; 5]| {
            settings(&[
                (setting::HEADER_TABLE_SIZE, values[0]),
                (setting::ENABLE_PUSH, push),
                (setting::MAX_CONCURRENT_STREAMS, values[1]),
                (setting::INITIAL_WINDOW_SIZE, values[2]),
                (setting::MAX_FRAME_SIZE, values[3]),
                (setting::MAX_HEADER_LIST_SIZE, values[4]),
            ])
        };
        cases.push(still_serves(
            Case::new(role, &["N6"], "all settings at their minimum and maximum")
                .send(extremes([0, 0, 0, 16_384, 0]))
                .expect(Expected::SettingsAck)
                .nothing()
                .send(extremes([u32::MAX, u32::MAX, (1 << 31) - 1, (1 << 24) - 1, u32::MAX]))
                .expect(Expected::SettingsAck)
                .nothing(),
        ));
    }
    cases.push(
        Case::server(&["N6"], "the last of several values counts")
            .send(settings(&[(setting::INITIAL_WINDOW_SIZE, 0), (setting::INITIAL_WINDOW_SIZE, 3)]))
            .send(headers(1, 0, http2_test_support::POST))
            .send(http2_test_support::data(1, flag::END_STREAM, b"octets"))
            .expect(Expected::Data { stream: 1, octets: 3 })
            .never(Expected::Data { stream: 1, octets: 4 })
            .nothing(),
    );
    cases
}

fn pings() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, octets, code) in [
        ("PING on a stream", frame(kind::PING, 0, 1, b"12345678"), code::PROTOCOL_ERROR),
        ("PING of 7 bytes", frame(kind::PING, 0, 0, b"1234567"), code::FRAME_SIZE_ERROR),
        ("PING of 9 bytes", frame(kind::PING, 0, 0, b"123456789"), code::FRAME_SIZE_ERROR),
        ("PING without a payload", frame(kind::PING, 0, 0, b""), code::FRAME_SIZE_ERROR),
        (
            "a PING acknowledgement of 7 bytes",
            frame(kind::PING, flag::ACK, 0, b"1234567"),
            code::FRAME_SIZE_ERROR,
        ),
    ] {
        cases.extend(both(&["G1"], name, |case| case.send(octets.clone()).connection_error(code)));
    }
    cases.extend(both(&["G2"], "PING", |case| {
        case.send(ping(*b"\0one\xff\xfe!?")).expect(Expected::Pong(*b"\0one\xff\xfe!?"))
    }));
    cases.extend(both(&["G2"], "an acknowledgement of a PING that was not sent", |case| {
        case.send(frame(kind::PING, flag::ACK, 0, b"answered")).never(Expected::Pong(*b"answered")).nothing()
    }));
    cases
}

fn go_aways() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, octets, code) in [
        ("GOAWAY on a stream", frame(kind::GOAWAY, 0, 1, &[0; 8]), code::PROTOCOL_ERROR),
        ("GOAWAY of 7 bytes", frame(kind::GOAWAY, 0, 0, &[0; 7]), code::FRAME_SIZE_ERROR),
    ] {
        cases.extend(both(&["A1"], name, |case| case.send(octets.clone()).connection_error(code)));
    }
    cases.push(
        Case::server(&["A1", "G2", "X17"], "GOAWAY from a client, with debug data and an unknown error code")
            .send(frame(kind::GOAWAY, 0, 0, b"\0\0\0\0\xde\xad\xbe\xefthat is all"))
            .send(ping(*b"anybody?"))
            .expect(Expected::Pong(*b"anybody?"))
            .nothing(),
    );
    cases.push(
        Case::client(&["A1", "E3", "X17"], "GOAWAY from a server, with debug data and an unknown error code")
            .send(frame(kind::GOAWAY, 0, 0, b"\0\0\0\x03\xde\xad\xbe\xefthat is all"))
            .nothing()
            .send(headers(1, flag::END_STREAM, OK))
            .never(Expected::Request { stream: 5 }),
    );
    cases.push(
        Case::client(&["A2"], "GOAWAY that accepts the requests in flight")
            .send(go_away(0x7fff_ffff, code::NO_ERROR))
            .send(headers(1, flag::END_STREAM, OK))
            .never(Expected::Request { stream: 5 })
            .nothing()
            .send(go_away(3, code::NO_ERROR))
            .nothing()
            .send(headers(3, flag::END_STREAM, OK))
            .connection_error(code::NO_ERROR),
    );
    cases.push(
        Case::client(&["A2"], "GOAWAY that does not accept the second request")
            .send(go_away(1, code::NO_ERROR))
            .nothing()
            .send(headers(1, flag::END_STREAM, OK))
            .connection_error(code::NO_ERROR),
    );
    cases.push(
        Case::client(&["A2"], "GOAWAY with a higher last stream than the previous one")
            .send(go_away(1, code::NO_ERROR))
            .nothing()
            .send(go_away(3, code::NO_ERROR))
            .connection_error(code::PROTOCOL_ERROR),
    );
    cases
}

fn abuse() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(both(&["L2"], "SETTINGS with 33 parameters", |case| {
        case.send(settings(&[(0x7a7a, 0); 33])).connection_error(code::ENHANCE_YOUR_CALM)
    }));
    for role in ROLES {
        let head = block(if role == Role::Server { GET } else { OK });
        let case = |name| Case::new(role, &["L2"], name);
        let begun = frame(kind::HEADERS, flag::END_STREAM, 1, &head);
        let more = |octets: &[u8]| frame(kind::CONTINUATION, 0, 1, octets);
        let large = more(&literal(b"large", &[b'x'; 12_000]));
        cases.push(
            case("endless CONTINUATION")
                .send([begun.clone(), more(b"").repeat(9)].concat())
                .connection_error(code::ENHANCE_YOUR_CALM),
        );
        cases.push(
            case("a field section far above the limit")
                .send([begun.clone(), large.repeat(6)].concat())
                .connection_error(code::ENHANCE_YOUR_CALM),
        );
        let end = frame(kind::CONTINUATION, flag::END_HEADERS, 1, b"");
        let too_large = case("a field section above the limit").send([begun, large.repeat(3), end].concat());
        cases.push(still_serves(match role {
            // RFC 9113, 10.5.1 recommends this answer.
            Role::Server => too_large.expect(Expected::Response { stream: 1, status: "431" }).nothing(),
            Role::Client => too_large.stream_error(1, code::ENHANCE_YOUR_CALM),
        }));
    }
    cases
}
