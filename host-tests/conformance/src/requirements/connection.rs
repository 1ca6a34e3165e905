//! PING, GOAWAY, flow control and CONTINUATION (RFC 9113, 6.7 to 6.10).

use super::Concerns::{Both, Client, Server};
use super::Scope::{Connection, Duty, Either, Nothing};
use super::{Requirement, row, shown, test};

pub(super) const CONNECTION: &[Requirement] = &[
    row(
        "G1",
        "RFC 9113, 6.7",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Both,
        "PING on a stream, or with a length other than 8 bytes",
    ),
    row(
        "G2",
        "RFC 9113, 6.7",
        Duty,
        "",
        Both,
        "PING is answered with the same payload; its acknowledgement is not answered",
    ),
    row(
        "A1",
        "RFC 9113, 6.8, 4.2",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Both,
        "GOAWAY on a stream, or shorter than 8 bytes",
    ),
    row(
        "A2",
        "RFC 9113, 6.8",
        Duty,
        "",
        Client,
        "After GOAWAY, no stream is opened; requests above its last stream may be retried on another connection",
    ),
    shown(
        row(
            "A3",
            "RFC 9113, 6.8",
            Duty,
            "",
            Server,
            "A graceful shutdown begins with a GOAWAY that still accepts all streams; the final one follows a round trip later",
        ),
        &[test(
            "src/engine/src/connection/tests/endings.rs",
            "server_shutdown_names_the_last_stream_after_a_round_trip",
        )],
    ),
    shown(
        row(
            "A4",
            "RFC 9113, 6.8",
            Duty,
            "",
            Server,
            "Frames on streams above the last one of our GOAWAY still count for field compression and the connection window",
        ),
        &[test(
            "src/engine/src/connection/tests/endings.rs",
            "server_shutdown_names_the_last_stream_after_a_round_trip",
        )],
    ),
    shown(
        row(
            "A5",
            "RFC 9113, 8.7",
            Duty,
            "",
            Both,
            "REFUSED_STREAM promises that the request was not processed; only then is it retried automatically",
        ),
        &[
            test("src/engine/src/connection/tests/concurrency.rs", "refused_request_is_retryable"),
            test(
                "src/engine/src/connection/tests/endings.rs",
                "requests_above_the_last_stream_are_retryable",
            ),
        ],
    ),
    row("W1", "RFC 9113, 6.9", Either, "PROTOCOL_ERROR", Both, "WINDOW_UPDATE with an increment of 0"),
    row(
        "W2",
        "RFC 9113, 6.9",
        Connection,
        "FRAME_SIZE_ERROR",
        Both,
        "WINDOW_UPDATE with a length other than 4 bytes",
    ),
    row("W3", "RFC 9113, 6.9.1", Either, "FLOW_CONTROL_ERROR", Both, "A window that grows beyond 2^31-1"),
    shown(
        row("W4", "RFC 9113, 6.9, 6.9.1", Either, "FLOW_CONTROL_ERROR", Both, "DATA beyond the window"),
        &[
            test("src/engine/src/connection/tests/violations.rs", "data_beyond_a_servers_window_is_an_error"),
            test("src/engine/src/connection/tests/violations.rs", "data_beyond_a_clients_window_is_an_error"),
        ],
    ),
    row(
        "W5",
        "RFC 9113, 6.9",
        Duty,
        "",
        Both,
        "Every DATA frame counts against the connection window, even an erroneous one",
    ),
    row(
        "W6",
        "RFC 9113, 6.9.2",
        Connection,
        "FLOW_CONTROL_ERROR",
        Both,
        "A change of SETTINGS_INITIAL_WINDOW_SIZE adjusts the windows of all streams, below 0 if necessary, but not beyond 2^31-1",
    ),
    row("W7", "RFC 9113, 6.9", Nothing, "", Both, "WINDOW_UPDATE on a closed stream is not an error"),
    row(
        "C1",
        "RFC 9113, 6.10",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "CONTINUATION without an unfinished field block before it, or on stream 0",
    ),
];
