//! What the RFCs require of an endpoint, in our own words.

/// A requirement.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    /// Its name in this project.
    pub id: &'static str,
    /// The RFC and its sections.
    pub source: &'static str,
    /// What is required.
    pub text: &'static str,
    /// The error code that is due where it is broken.
    pub code: &'static str,
    /// What ends where it is broken.
    pub scope: Scope,
    /// Whom it concerns.
    pub concerns: Concerns,
    /// Where it is shown, if no case can show it: the function of a test, or why there is none.
    pub elsewhere: &'static [Elsewhere],
}

/// What ends where a requirement is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The connection, with GOAWAY (RFC 9113, 5.4.1).
    Connection,
    /// One stream, with RST_STREAM (RFC 9113, 5.4.2).
    Stream,
    /// The connection or the stream, as it is about the one or the other.
    Either,
    /// Nothing: it is passed over.
    Nothing,
    /// A duty of the endpoint itself.
    Duty,
}

/// Whom a requirement concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// Servers and clients.
    Both,
    /// Servers.
    Server,
    /// Clients.
    Client,
}

/// Where a requirement is shown, if not in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// A test function in this file of the workspace.
    Test {
        /// The file.
        file: &'static str,
        /// The function.
        function: &'static str,
    },
    /// It does not concern an engine without TLS and HTTP/1, for this reason.
    NotOurs(&'static str),
}

/// The requirement of this name.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|requirement| requirement.id == id)
}

const fn row(
    id: &'static str,
    source: &'static str,
    scope: Scope,
    code: &'static str,
    concerns: Concerns,
    text: &'static str,
) -> Requirement {
    Requirement { id, source, text, code, scope, concerns, elsewhere: &[] }
}

const fn shown(requirement: Requirement, elsewhere: &'static [Elsewhere]) -> Requirement {
    Requirement { elsewhere, ..requirement }
}

const fn test(file: &'static str, function: &'static str) -> Elsewhere {
    Elsewhere::Test { file, function }
}

use Concerns::{Both, Client, Server};
use Scope::{Connection, Duty, Either, Nothing, Stream};

/// All requirements, in the order of the RFCs.
pub const REQUIREMENTS: &[Requirement] = &[
    row(
        "P1",
        "RFC 9113, 3.4",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "A client begins with the preface of 24 octets and SETTINGS, a server with SETTINGS",
    ),
    row("P2", "RFC 9113, 3.4", Duty, "", Both, "The first SETTINGS are acknowledged"),
    shown(
        row(
            "P3",
            "RFC 9113, 3.1, 3.2",
            Duty,
            "",
            Both,
            "«h2c» is never negotiated, and Upgrade need not be supported",
        ),
        &[Elsewhere::NotOurs("ALPN is the transport's; the engine has no HTTP/1.1 that could upgrade")],
    ),
    row(
        "F1",
        "RFC 9113, 4.1, 4.2",
        Duty,
        "",
        Both,
        "Frames are no longer than the peer allows, and those of 16,384 octets are taken",
    ),
    row(
        "F2",
        "RFC 9113, 4.2",
        Either,
        "FRAME_SIZE_ERROR",
        Both,
        "A frame that is longer than allowed, or too short for its fixed part, is an error of the connection if it could change its state (our choice: also where DATA has no room for the length of its padding)",
    ),
    row(
        "F3",
        "RFC 9113, 4.1, 5.5",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "Frames of unknown types are passed over, but not inside a field block",
    ),
    row("F4", "RFC 9113, 4.1", Nothing, "", Both, "Unknown flags and the reserved bit are passed over"),
    row(
        "F5",
        "RFC 9113, 4.3, 6.10",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "Nothing but CONTINUATION of the same stream follows a field block that has not ended",
    ),
    row(
        "F6",
        "RFC 9113, 4.3",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "A field block that cannot be decoded ends the connection",
    ),
    row(
        "F7",
        "RFC 9113, 4.3",
        Duty,
        "",
        Both,
        "Every field block is decoded, also those of streams that are refused, reset or gone",
    ),
    shown(
        row(
            "F8",
            "RFC 9113, 4.3.1",
            Connection,
            "COMPRESSION_ERROR",
            Both,
            "Once a smaller table was acknowledged, the next field block begins with its size",
        ),
        &[
            test(
                "src/engine/src/connection/tests/settings.rs",
                "after_a_smaller_table_is_acknowledged_the_peer_says_so_in_its_next_block",
            ),
            test("src/engine/src/hpack/tests/errors.rs", "the_smallest_table_has_to_be_acknowledged"),
        ],
    ),
    row(
        "T1",
        "RFC 9113, 5.1",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "On an idle stream, nothing but HEADERS and PRIORITY may come",
    ),
    row(
        "T2",
        "RFC 9113, 5.1",
        Connection,
        "PROTOCOL_ERROR",
        Client,
        "HEADERS on a stream that the server cannot have opened",
    ),
    shown(
        row(
            "T3",
            "RFC 9113, 5.1",
            Connection,
            "PROTOCOL_ERROR",
            Server,
            "On a stream that we have promised, nothing but RST_STREAM, PRIORITY and WINDOW_UPDATE may come",
        ),
        &[test("src/engine/src/connection/tests/push.rs", "reserved_streams_allow_little")],
    ),
    shown(
        row(
            "T4",
            "RFC 9113, 5.1",
            Connection,
            "PROTOCOL_ERROR",
            Client,
            "On a stream that the peer has promised, nothing but HEADERS, RST_STREAM and PRIORITY may come",
        ),
        &[test("src/engine/src/connection/tests/push.rs", "reserved_streams_allow_little")],
    ),
    row(
        "T5",
        "RFC 9113, 5.1",
        Stream,
        "STREAM_CLOSED",
        Server,
        "After END_STREAM, nothing but WINDOW_UPDATE, PRIORITY and RST_STREAM may come",
    ),
    row(
        "T6",
        "RFC 9113, 5.1",
        Nothing,
        "",
        Both,
        "What comes on a stream that we have reset is counted, decoded and thrown away",
    ),
    row(
        "T7",
        "RFC 9113, 5.1",
        Either,
        "STREAM_CLOSED",
        Both,
        "On a stream that both have ended, WINDOW_UPDATE and RST_STREAM may still come, and nothing else (our choice: HEADERS is an error of the connection, DATA of the stream)",
    ),
    row(
        "T8",
        "RFC 9113, 5.1",
        Either,
        "STREAM_CLOSED",
        Both,
        "After RST_STREAM, the peer sends nothing but PRIORITY (our choice: HEADERS and DATA are errors of the stream, WINDOW_UPDATE and RST_STREAM are passed over)",
    ),
    row(
        "T9",
        "RFC 9113, 5.1, 5.4.2",
        Duty,
        "",
        Both,
        "RST_STREAM is never answered with RST_STREAM, and never sent on an idle stream",
    ),
    row(
        "T10",
        "RFC 9113, 5.1.1",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "The identifiers of new streams are odd from clients, even from servers, and grow; those left out are closed",
    ),
    shown(
        row(
            "T11",
            "RFC 9113, 5.1.1",
            Duty,
            "",
            Both,
            "When identifiers are used up, another connection is needed",
        ),
        &[test("src/engine/src/connection/tests/concurrency.rs", "identifiers_run_out")],
    ),
    shown(
        row("T12", "RFC 9113, 5.1.2", Duty, "", Client, "No more streams are opened than the peer allows"),
        &[test(
            "src/engine/src/connection/tests/concurrency.rs",
            "requests_wait_for_the_peers_limit_and_go_in_order",
        )],
    ),
    row("T13", "RFC 9113, 5.1.2", Stream, "REFUSED_STREAM", Server, "Streams beyond our limit are refused"),
    shown(
        row(
            "T14",
            "RFC 9113, 5.2.2",
            Duty,
            "",
            Both,
            "The transport is read also while nothing can be sent: WINDOW_UPDATE must not wait behind DATA",
        ),
        &[
            test(
                "src/engine/src/connection/tests/flow_control.rs",
                "large_heads_both_ways_do_not_stop_each_other",
            ),
            test("src/engine/src/connection/tests/pings.rs", "a_blocked_connection_still_answers"),
        ],
    ),
    row(
        "E1",
        "RFC 9113, 5.4.1",
        Duty,
        "",
        Both,
        "A connection that ends for an error says GOAWAY first, with the last stream that was processed",
    ),
    row(
        "E2",
        "RFC 9113, 5.4.2, 6.9",
        Duty,
        "",
        Both,
        "After our RST_STREAM, frames in flight are taken, and their DATA counts for the window of the connection",
    ),
    row("E3", "RFC 9113, 7", Nothing, "", Both, "Error codes that are not known mean nothing special"),
    row("D1", "RFC 9113, 6.1", Connection, "PROTOCOL_ERROR", Both, "DATA on stream 0"),
    row(
        "D2",
        "RFC 9113, 6.1",
        Stream,
        "STREAM_CLOSED",
        Both,
        "DATA on a stream that the peer may not send on any more",
    ),
    row(
        "D3",
        "RFC 9113, 6.1, 6.2, 6.6",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "Padding that is longer than the payload",
    ),
    row("D4", "RFC 9113, 6.1", Duty, "", Both, "Padding counts for flow control"),
    row("H1", "RFC 9113, 6.2", Connection, "PROTOCOL_ERROR", Both, "HEADERS on stream 0"),
    row(
        "H2",
        "RFC 9113, 6.2, 5.3.2",
        Connection,
        "FRAME_SIZE_ERROR",
        Both,
        "HEADERS with the flag PRIORITY is long enough for its priority (our choice: a stream that depends on itself is reset with PROTOCOL_ERROR, as RFC 7540, 5.3.1 has it)",
    ),
    row(
        "H3",
        "RFC 9113, 8.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "A second HEADERS of a message, without END_STREAM",
    ),
    row("R1", "RFC 9113, 6.3", Connection, "PROTOCOL_ERROR", Both, "PRIORITY on stream 0"),
    row(
        "R2",
        "RFC 9113, 6.3",
        Stream,
        "FRAME_SIZE_ERROR",
        Both,
        "PRIORITY of another length than 5 octets, and on an idle stream an error of the connection, since that takes no RST_STREAM (our choice: a stream that depends on itself is reset with PROTOCOL_ERROR)",
    ),
    row(
        "R3",
        "RFC 9113, 6.4",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "RST_STREAM on stream 0 or on an idle stream",
    ),
    row(
        "R4",
        "RFC 9113, 6.4",
        Connection,
        "FRAME_SIZE_ERROR",
        Both,
        "RST_STREAM of another length than 4 octets",
    ),
    row(
        "N1",
        "RFC 9113, 6.5",
        Connection,
        "FRAME_SIZE_ERROR",
        Both,
        "SETTINGS of a length that is no multiple of 6, or an acknowledgement with a payload",
    ),
    row("N2", "RFC 9113, 6.5", Connection, "PROTOCOL_ERROR", Both, "SETTINGS on a stream"),
    row(
        "N3",
        "RFC 9113, 6.5.2",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "SETTINGS_ENABLE_PUSH is 0 or 1, and 0 from a server",
    ),
    row(
        "N4",
        "RFC 9113, 6.5.2",
        Connection,
        "FLOW_CONTROL_ERROR",
        Both,
        "SETTINGS_INITIAL_WINDOW_SIZE is at most 2^31-1",
    ),
    row(
        "N5",
        "RFC 9113, 6.5.2",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "SETTINGS_MAX_FRAME_SIZE is 2^14 to 2^24-1",
    ),
    row(
        "N6",
        "RFC 9113, 6.5.2, 6.5.3",
        Nothing,
        "",
        Both,
        "Unknown settings are passed over, known ones taken in their order and acknowledged",
    ),
    shown(
        row(
            "N7",
            "RFC 9113, 6.5.3",
            Connection,
            "SETTINGS_TIMEOUT",
            Both,
            "Who does not acknowledge SETTINGS in time is given up",
        ),
        &[test("src/engine/src/connection/tests/deadlines.rs", "settings_are_acknowledged_in_time")],
    ),
    row(
        "N8",
        "RFC 9113, 6.5.3",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "An acknowledgement of SETTINGS that were not sent (our choice: an error)",
    ),
    shown(
        row(
            "N9",
            "RFC 9113, 6.5.3, 6.9.3",
            Duty,
            "",
            Both,
            "New values of ours bind the peer once it has acknowledged them",
        ),
        &[
            test("src/engine/src/connection/tests/settings.rs", "our_own_hold_once_they_are_acknowledged"),
            test(
                "src/engine/src/connection/tests/flow_control.rs",
                "a_new_initial_window_binds_the_peer_once_it_knows_it",
            ),
        ],
    ),
    row(
        "U1",
        "RFC 9113, 6.6",
        Connection,
        "PROTOCOL_ERROR",
        Client,
        "PUSH_PROMISE on stream 0, on a stream that is not open, or of an identifier that cannot be promised",
    ),
    row(
        "U2",
        "RFC 9113, 6.6, 8.4",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "PUSH_PROMISE to a server, or to a client that does not take it",
    ),
    row(
        "U3",
        "RFC 9113, 6.6",
        Duty,
        "",
        Client,
        "A promise on a stream that we have reset is decoded, and its stream reset",
    ),
    shown(
        row(
            "U4",
            "RFC 9113, 8.4, 8.4.1",
            Stream,
            "PROTOCOL_ERROR",
            Client,
            "A promised request is safe, cacheable, complete, without content, and from an authority of the server",
        ),
        &[
            test(
                "src/engine/src/connection/tests/push.rs",
                "promises_that_a_client_cannot_take_end_their_stream_only",
            ),
            test("src/engine/src/message/validate/tests.rs", "promised_requests"),
        ],
    ),
    row(
        "G1",
        "RFC 9113, 6.7",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Both,
        "PING on a stream, or of another length than 8 octets",
    ),
    row(
        "G2",
        "RFC 9113, 6.7",
        Duty,
        "",
        Both,
        "PING is answered with the same octets, and its answer is not",
    ),
    row(
        "A1",
        "RFC 9113, 6.8, 4.2",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Both,
        "GOAWAY on a stream, or shorter than 8 octets",
    ),
    row(
        "A2",
        "RFC 9113, 6.8",
        Duty,
        "",
        Client,
        "After GOAWAY no stream is opened; requests above its last stream may be sent again elsewhere",
    ),
    shown(
        row(
            "A3",
            "RFC 9113, 6.8",
            Duty,
            "",
            Server,
            "A graceful end begins with a GOAWAY that still takes all streams, and the real one follows a round trip later",
        ),
        &[test(
            "src/engine/src/connection/tests/endings.rs",
            "a_server_announces_the_end_and_names_the_last_request_a_round_trip_later",
        )],
    ),
    shown(
        row(
            "A4",
            "RFC 9113, 6.8",
            Duty,
            "",
            Server,
            "What comes on streams above the last one of our GOAWAY still counts for field compression and the window of the connection",
        ),
        &[test(
            "src/engine/src/connection/tests/endings.rs",
            "a_server_announces_the_end_and_names_the_last_request_a_round_trip_later",
        )],
    ),
    shown(
        row(
            "A5",
            "RFC 9113, 8.7",
            Duty,
            "",
            Both,
            "REFUSED_STREAM promises that nothing was processed; only then is a request sent again by itself",
        ),
        &[
            test("src/engine/src/connection/tests/concurrency.rs", "a_refused_request_may_be_tried_again"),
            test(
                "src/engine/src/connection/tests/endings.rs",
                "requests_above_the_last_one_may_be_tried_again",
            ),
        ],
    ),
    row("W1", "RFC 9113, 6.9", Either, "PROTOCOL_ERROR", Both, "WINDOW_UPDATE by 0"),
    row(
        "W2",
        "RFC 9113, 6.9",
        Connection,
        "FRAME_SIZE_ERROR",
        Both,
        "WINDOW_UPDATE of another length than 4 octets",
    ),
    row("W3", "RFC 9113, 6.9.1", Either, "FLOW_CONTROL_ERROR", Both, "A window that grows beyond 2^31-1"),
    shown(
        row("W4", "RFC 9113, 6.9, 6.9.1", Either, "FLOW_CONTROL_ERROR", Both, "DATA beyond the window"),
        &[
            test("src/engine/src/connection/tests/violations.rs", "more_data_than_a_window_allows"),
            test(
                "src/engine/src/connection/tests/violations.rs",
                "more_data_than_a_window_of_a_client_allows",
            ),
        ],
    ),
    row(
        "W5",
        "RFC 9113, 6.9",
        Duty,
        "",
        Both,
        "Every DATA frame counts for the window of the connection, also one that is in error",
    ),
    row(
        "W6",
        "RFC 9113, 6.9.2",
        Connection,
        "FLOW_CONTROL_ERROR",
        Both,
        "A change of SETTINGS_INITIAL_WINDOW_SIZE moves the windows of all streams, below 0 if need be, but not beyond 2^31-1",
    ),
    row("W7", "RFC 9113, 6.9", Nothing, "", Both, "WINDOW_UPDATE on a stream that has ended is no error"),
    row(
        "C1",
        "RFC 9113, 6.10",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "CONTINUATION without a field block before it, or on stream 0",
    ),
    row(
        "M1",
        "RFC 9113, 8.1.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "A malformed message ends its stream, and nothing else",
    ),
    row(
        "M2",
        "RFC 9113, 8.2.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Names of fields are not empty, and have neither upper case, controls, space, octets from 0x7f on, nor a colon inside",
    ),
    row(
        "M3",
        "RFC 9113, 8.2.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Values of fields have neither NUL, LF nor CR, nor white space at their ends",
    ),
    row(
        "M4",
        "RFC 9113, 8.2.2",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Fields of an HTTP/1.1 connection, and TE other than «trailers»",
    ),
    shown(
        row(
            "M5",
            "RFC 9113, 8.2.3",
            Duty,
            "",
            Both,
            "Crumbs of Cookie are joined with «; » before they leave HTTP/2",
        ),
        &[
            test("src/engine/src/connection/tests/messages.rs", "cookie_crumbs_are_joined"),
            test("src/engine/src/fields/tests.rs", "crumbs_are_joined_at_the_place_of_the_first"),
        ],
    ),
    row(
        "M6",
        "RFC 9113, 8.3",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Pseudo-header fields are known, of the right kind of message, once, before all others, and not in trailers",
    ),
    row(
        "M7",
        "RFC 9113, 8.3.1",
        Stream,
        "PROTOCOL_ERROR",
        Server,
        "A request has one `:method`, `:scheme` and `:path`, which is not empty; all are of the octets that they may have",
    ),
    row(
        "M8",
        "RFC 9113, 8.3.1",
        Stream,
        "PROTOCOL_ERROR",
        Server,
        "`:authority` has no user information, and Host says the same (our choice: else malformed)",
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
            "Content is as long as Content-Length says, but for HEAD, 204 and 304",
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
        "An informational response does not end the stream, and DATA comes after the final one",
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
            "RST_STREAM with NO_ERROR after a complete response loses nothing of it",
        ),
        &[test(
            "src/engine/src/connection/tests/messages.rs",
            "a_response_may_come_before_the_request_is_complete",
        )],
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
        &[test("src/engine/src/connection/tests/violations.rs", "a_tunnel_has_no_trailers")],
    ),
    shown(
        row(
            "M15",
            "RFC 9113, 8.1.1, 10.3",
            Duty,
            "",
            Server,
            "An intermediary forwards nothing that is malformed",
        ),
        &[
            test("src/engine/src/connection/tests/violations.rs", "a_malformed_message_ends_its_stream_only"),
            test("src/engine/src/connection/tests/malformed.rs", "a_request_that_is_malformed_is_not_sent"),
        ],
    ),
    shown(
        row(
            "L1",
            "RFC 9113, 9.2",
            Connection,
            "INADEQUATE_SECURITY",
            Both,
            "TLS is of version 1.2 or later, with SNI, and without renegotiation and compression",
        ),
        &[Elsewhere::NotOurs("TLS is the transport's: a byte-stream of the host")],
    ),
    shown(
        row(
            "L2",
            "RFC 9113, 10.5",
            Connection,
            "ENHANCE_YOUR_CALM",
            Both,
            "A peer that abuses the protocol is cut off",
        ),
        &[
            test("src/engine/src/connection/tests/abuse.rs", "floods_of_frames"),
            test("src/engine/src/connection/tests/abuse.rs", "rapid_reset"),
            test("src/engine/src/connection/tests/abuse.rs", "made_you_reset"),
        ],
    ),
    shown(
        row("K1", "RFC 7541, 2.1, 3.1", Duty, "", Both, "Fields keep their order"),
        &[
            test("src/engine/src/hpack/tests/examples.rs", "c_3_requests"),
            test("src/engine/src/fields/tests.rs", "fields_keep_their_order"),
        ],
    ),
    row(
        "K2",
        "RFC 7541, 2.3.3, 6.1",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "Index 0, and indices beyond both tables",
    ),
    row("K3", "RFC 7541, 2.3.2", Nothing, "", Both, "The same entry twice in the table is no error"),
    row(
        "K4",
        "RFC 7541, 4.1, 4.3, 4.4",
        Duty,
        "",
        Both,
        "An entry takes 32 octets more than name and value; it evicts others before it is inserted, and empties the table if it is too large",
    ),
    row(
        "K5",
        "RFC 7541, 4.2",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "The size of the table changes at the start of a block alone",
    ),
    row(
        "K6",
        "RFC 7541, 6.3",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "The size of the table is within what SETTINGS allow",
    ),
    row(
        "K7",
        "RFC 7541, 4.4",
        Duty,
        "",
        Both,
        "A name may be taken from the entry that its insertion evicts",
    ),
    row(
        "K8",
        "RFC 7541, 5.1",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "Integers that are too large or too long",
    ),
    row(
        "K9",
        "RFC 7541, 5.2",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "Huffman code with more than 7 bits of padding, with padding other than ones, or with EOS",
    ),
    row(
        "K10",
        "RFC 7541, 5.2",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "A string that is longer than its block",
    ),
    shown(
        row(
            "K11",
            "RFC 7541, 6.2.3, 7.1.3",
            Duty,
            "",
            Both,
            "What came as never indexed goes on as never indexed",
        ),
        &[
            test("src/engine/src/hpack/tests/errors.rs", "never_indexed_fields_stay_so"),
            test("src/engine/src/hpack/tests/encoder.rs", "secrets_are_never_indexed"),
        ],
    ),
    row(
        "X1",
        "RFC 8441, 3",
        Connection,
        "PROTOCOL_ERROR",
        Client,
        "SETTINGS_ENABLE_CONNECT_PROTOCOL is 0 or 1, and not 0 after 1 (our choice: an error of the connection)",
    ),
    shown(
        row(
            "X2",
            "RFC 8441, 4",
            Stream,
            "PROTOCOL_ERROR",
            Server,
            "`:protocol` stands on CONNECT alone, and only once the server has allowed it",
        ),
        &[test(
            "src/engine/src/connection/tests/messages.rs",
            "extended_connect_needs_the_word_of_the_server",
        )],
    ),
    shown(
        row(
            "X3",
            "RFC 8441, 5",
            Duty,
            "",
            Both,
            "In an extended CONNECT, END_STREAM is FIN, and RST_STREAM with CANCEL is RST of TCP",
        ),
        &[test("src/engine/src/connection/tests/messages.rs", "an_extended_connect_ends_as_tcp_does")],
    ),
    row(
        "X4",
        "RFC 9218, 2.1",
        Connection,
        "PROTOCOL_ERROR",
        Both,
        "SETTINGS_NO_RFC7540_PRIORITIES is 0 or 1, and does not change (where the RFC leaves the choice, our choice: an error)",
    ),
    row("X5", "RFC 9218, 2.1", Nothing, "", Both, "The priorities of RFC 7540 are passed over"),
    shown(
        row("X6", "RFC 9218, 4", Nothing, "", Both, "In a priority, what is unknown or bad is passed over"),
        &[test("src/engine/src/priority/tests.rs", "values_and_what_they_mean")],
    ),
    row(
        "X7",
        "RFC 9218, 7.1",
        Connection,
        "PROTOCOL_ERROR, FRAME_SIZE_ERROR",
        Server,
        "PRIORITY_UPDATE on a stream, for stream 0, or shorter than 4 octets",
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
        "ORIGIN that is not on stream 0, or comes to a server, is passed over",
    ),
    row(
        "X12",
        "RFC 7838, 4",
        Nothing,
        "",
        Both,
        "ALTSVC with an origin on a stream, without one on stream 0, or to a server, is passed over",
    ),
    row(
        "X13",
        "RFC 9110, 8.6",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Content-Length is a number, and the same one if it stands more than once",
    ),
    row(
        "X14",
        "RFC 9110, 5.1, 5.5",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Names of fields are tokens, and values have no CR, LF and NUL",
    ),
    row(
        "X15",
        "RFC 9110, 7.2, 6.5.1",
        Stream,
        "PROTOCOL_ERROR",
        Both,
        "Host stands once; fields of framing and routing do not stand in trailers",
    ),
    shown(
        row(
            "X16",
            "RFC 9110, 15.2, 9.3.6",
            Duty,
            "",
            Client,
            "Any number of informational responses is taken; Content-Length means nothing in the answer to CONNECT",
        ),
        &[
            test(
                "src/engine/src/message/content_length.rs",
                "responses_have_no_content_where_method_or_status_says_so",
            ),
            test(
                "src/engine/src/connection/tests/messages.rs",
                "informational_responses_together_are_no_larger_than_a_response_may_be",
            ),
        ],
    ),
    row(
        "X17",
        "RFC 9113, 5.5",
        Nothing,
        "",
        Both,
        "Unknown settings, types of frames, error codes and parameters do no harm",
    ),
];
