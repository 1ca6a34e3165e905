//! Messages (RFC 9113, 8 to 10).

use super::Concerns::{Both, Client, Server};
use super::Scope::{Connection, Duty, Stream};
use super::{Elsewhere, Requirement, row, shown, test};

pub(super) const MESSAGES: &[Requirement] = &[
    row("M1", "RFC 9113, 8.1.1", Stream, "PROTOCOL_ERROR", Both, "A malformed message is a stream error"),
    row(
        "M2",
        "RFC 9113, 8.2.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Field names are not empty, and contain no upper case, controls, spaces, bytes from 0x7f up, or colons after the first byte",
    ),
    row(
        "M3",
        "RFC 9113, 8.2.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Field values contain no NUL, LF or CR, and do not begin or end with white space",
    ),
    row(
        "M4",
        "RFC 9113, 8.2.2",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Connection-specific fields of HTTP/1.1, and TE other than \"trailers\"",
    ),
    shown(
        row(
            "M5",
            "RFC 9113, 8.2.3",
            Duty,
            "",
            Both,
            "Several Cookie fields are joined with \"; \" before they leave HTTP/2",
        ),
        &[
            test("src/engine/src/connection/tests/messages.rs", "cookie_crumbs_are_joined"),
            test("src/engine/src/fields/tests.rs", "crumbs_are_joined_at_the_position_of_the_first"),
        ],
    ),
    row(
        "M6",
        "RFC 9113, 8.3",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Pseudo-header fields are known, fit the kind of message, appear once and before all other fields, and not in trailers",
    ),
    row(
        "M7",
        "RFC 9113, 8.3.1",
        Stream,
        "PROTOCOL_ERROR",
        Server,
        "A request has one `:method`, one `:scheme` and one non-empty `:path`, each of valid characters",
    ),
    row(
        "M8",
        "RFC 9113, 8.3.1",
        Stream,
        "PROTOCOL_ERROR",
        Server,
        "`:authority` has no user information, and Host equals it (our choice: otherwise malformed)",
    ),
    row(
        "M9",
        "RFC 9113, 8.3.2, 8.6",
        Stream,
        "PROTOCOL_ERROR",
        Client,
        "A response has one `:status` of three digits, which is not 101",
    ),
    shown(
        row(
            "M10",
            "RFC 9113, 8.1.1",
            Stream,
            "PROTOCOL_ERROR",
            Both,
            "The content is as long as Content-Length says, except for HEAD, 204 and 304",
        ),
        &[test(
            "src/engine/src/message/content_length.rs",
            "responses_have_no_content_where_method_or_status_says_so",
        )],
    ),
    row(
        "M11",
        "RFC 9113, 8.1",
        Stream,
        "PROTOCOL_ERROR",
        Client,
        "An informational response does not end the stream, and DATA follows the final response",
    ),
    row(
        "M12",
        "RFC 9113, 8.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Trailers end the stream; informational responses do not end the message",
    ),
    shown(
        row(
            "M13",
            "RFC 9113, 8.1",
            Duty,
            "",
            Client,
            "RST_STREAM with NO_ERROR after a complete response discards nothing of it",
        ),
        &[test("src/engine/src/connection/tests/messages.rs", "response_may_precede_the_end_of_the_request")],
    ),
    shown(
        row(
            "M14",
            "RFC 9113, 8.5",
            Stream,
            "PROTOCOL_ERROR",
            Server,
            "CONNECT has `:authority` with a port, and neither `:scheme` nor `:path`",
        ),
        &[test("src/engine/src/connection/tests/violations.rs", "trailers_in_a_tunnel_are_a_stream_error")],
    ),
    shown(
        row(
            "M15",
            "RFC 9113, 8.1.1, 10.3",
            Duty,
            "",
            Server,
            "An intermediary forwards no malformed message",
        ),
        &[
            test("src/engine/src/connection/tests/violations.rs", "malformed_request_is_a_stream_error"),
            test("src/engine/src/connection/tests/malformed.rs", "malformed_request_is_not_sent"),
        ],
    ),
    shown(
        row(
            "L1",
            "RFC 9113, 9.2",
            Connection,
            "INADEQUATE_SECURITY",
            Both,
            "TLS has version 1.2 or later, with SNI, and without renegotiation and compression",
        ),
        &[Elsewhere::NotOurs("TLS belongs to the transport: the host supplies the byte stream")],
    ),
    shown(
        row(
            "L2",
            "RFC 9113, 10.5",
            Connection,
            "ENHANCE_YOUR_CALM",
            Both,
            "A peer that abuses the protocol is disconnected",
        ),
        &[
            test("src/engine/src/connection/tests/abuse.rs", "amplification_causes_a_warning_then_goaway"),
            test(
                "src/engine/src/connection/tests/abuse.rs",
                "recv_takes_no_input_while_caused_output_is_pending",
            ),
            test("src/engine/src/connection/tests/abuse.rs", "made_you_reset"),
        ],
    ),
];
