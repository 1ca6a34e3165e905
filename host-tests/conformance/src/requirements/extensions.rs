//! Extensions, and the rules of RFC 9110 for fields.

use super::Concerns::{Both, Client, Server};
use super::Scope::{Connection, Duty, Nothing, Stream};
use super::{Requirement, row, shown, test};

pub(super) const EXTENSIONS: &[Requirement] = &[
    row(
        "X1",
        "RFC 8441, 3",
        Connection,
        "PROTOCOL_ERROR",
        Client,
        "SETTINGS_ENABLE_CONNECT_PROTOCOL is 0 or 1, and never 0 after 1 (our choice: a connection error)",
    ),
    shown(
        row(
            "X2",
            "RFC 8441, 4",
            Stream,
            "PROTOCOL_ERROR",
            Server,
            "`:protocol` appears in CONNECT only, and only after the server has enabled it",
        ),
        &[test(
            "src/engine/src/connection/tests/messages.rs",
            "extended_connect_requires_the_servers_setting",
        )],
    ),
    shown(
        row(
            "X3",
            "RFC 8441, 5",
            Duty,
            "",
            Both,
            "In an extended CONNECT, END_STREAM stands for TCP's FIN, and RST_STREAM with CANCEL for its RST",
        ),
        &[test(
            "src/engine/src/connection/tests/messages.rs",
            "extended_connect_ends_with_end_stream_or_cancel",
        )],
    ),
    row(
        "X4",
        "RFC 9218, 2.1",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "SETTINGS_NO_RFC7540_PRIORITIES is 0 or 1, and does not change (our choice where the RFC permits several: an error)",
    ),
    row("X5", "RFC 9218, 2.1", Nothing, "", Both, "RFC 7540 priorities are ignored"),
    shown(
        row("X6", "RFC 9218, 4", Nothing, "", Both, "Unknown or invalid priority parameters are ignored"),
        &[test("src/engine/src/priority/tests.rs", "values_parse_to_priorities")],
    ),
    row(
        "X7",
        "RFC 9218, 7.1",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Server,
        "PRIORITY_UPDATE on a stream, for stream 0, or shorter than 4 bytes",
    ),
    row("X8", "RFC 9218, 7.1", Connection, "PROTOCOL_ERROR", Client, "PRIORITY_UPDATE to a client"),
    row(
        "X9",
        "RFC 9218, 7.1",
        Connection,
        "PROTOCOL_ERROR",
        Server,
        "PRIORITY_UPDATE for more streams than may be open",
    ),
    row(
        "X10",
        "RFC 9218, 7.1",
        Connection,
        "PROTOCOL_ERROR",
        Server,
        "PRIORITY_UPDATE for a push that was not promised",
    ),
    row(
        "X11",
        "RFC 8336, 2",
        Nothing,
        "",
        Both,
        "ORIGIN on a stream other than 0, or to a server, is ignored",
    ),
    row(
        "X12",
        "RFC 7838, 4",
        Nothing,
        "",
        Both,
        "ALTSVC is ignored with an origin on a stream, without an origin on stream 0, and by a server",
    ),
    row(
        "X13",
        "RFC 9110, 8.6",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Content-Length is a decimal number, and repeated values are equal",
    ),
    row(
        "X14",
        "RFC 9110, 5.1, 5.5",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Field names are tokens, and field values contain no CR, LF or NUL",
    ),
    row(
        "X15",
        "RFC 9110, 7.2, 6.5.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Host appears at most once; trailers contain no fields for framing or routing",
    ),
    shown(
        row(
            "X16",
            "RFC 9110, 15.2, 9.3.6",
            Duty,
            "",
            Client,
            "Any number of informational responses is accepted; Content-Length in a response to CONNECT is ignored",
        ),
        &[
            test(
                "src/engine/src/message/content_length.rs",
                "responses_have_no_content_where_method_or_status_says_so",
            ),
            test(
                "src/engine/src/connection/tests/messages.rs",
                "total_size_of_informational_responses_is_limited",
            ),
        ],
    ),
    row(
        "X17",
        "RFC 9113, 5.5",
        Nothing,
        "",
        Both,
        "Unknown settings, frame types, error codes and parameters are ignored",
    ),
];
