//! Messages that two parties interpret differently.
//!
//! Validation (RFC 9113, 8) rejects all of them; no setting disables it.

use http2_conformance::Role;

use super::{CONNECTION_PROTOCOL, Group, PROTOCOL};
use crate::attack::Answer::Streams;
use crate::attack::{Answer, Attack, Harm, Shown, Test};

pub(super) const GROUP: Group =
    Group { title: "Smuggling: messages that two parties interpret differently", attacks: ATTACKS };

/// A malformed message (RFC 9113, 8.1.1).
const MALFORMED: &[Answer] = &[Streams(PROTOCOL)];

const fn validated(functions: &'static [&'static str]) -> Test {
    Test::Functions("src/engine/src/message/validate/tests.rs", functions)
}

const fn cases(names: &'static [&'static str]) -> Test {
    Test::Cases(Role::Server, names)
}

const fn attack(
    id: &'static str,
    name: &'static str,
    known_as: &'static [&'static str],
    peer: &'static str,
    answers: &'static [Answer],
    and: &'static str,
    by: &'static [Test],
) -> Attack {
    Attack {
        id,
        name,
        known_as,
        harms: &[Harm::Smuggling],
        peer,
        shown: Shown::Elsewhere { answers, and, by },
    }
}

const ATTACKS: &[Attack] = &[
    attack(
        "S1",
        "Lines in names and values",
        &["CVE-2021-33193", "CVE-2025-57804", "CVE-2026-93579"],
        "sends names and values with CR, LF, NUL, upper case, colons or white space, which have a meaning in \
         HTTP/1",
        MALFORMED,
        "the engine applies the same checks to the messages it sends",
        &[
            validated(&["invalid_field_names_and_values"]),
            Test::Functions(
                "src/engine/src/connection/tests/malformed.rs",
                &["malformed_request_is_not_sent"],
            ),
            cases(&[
                "an empty name",
                "upper case in a name",
                "NUL in a name",
                "a line feed in a name",
                "a whole field in a name",
                "a space in a name",
                "a colon inside a name",
                "NUL in a value",
                "a line feed in a value",
                "a carriage return in a value",
                "a whole request in a value",
            ]),
        ],
    ),
    attack(
        "S2",
        "A request line in `:path`, `:method` or `:scheme`",
        &["Kettle 2021"],
        "sends pseudo-header fields with spaces, line feeds or whole URIs",
        MALFORMED,
        "",
        &[
            validated(&["methods_are_tokens", "schemes", "paths"]),
            cases(&[
                "an empty `:path`",
                "`:path` of *, for GET",
                "`:path` with a space",
                "`:path` with a line feed",
                "`:path` with a fragment",
                "`:method` with a space",
                "`:method` with a line feed",
                "`:scheme` with a whole URI",
                "`:scheme` with a line feed",
            ]),
        ],
    ),
    attack(
        "S3",
        "Pseudo-header fields twice, late, or unknown",
        &["nginx a277069b1"],
        "lets two parties choose which of two fields counts",
        MALFORMED,
        "",
        &[
            validated(&["pseudo_header_fields_of_requests", "pseudo_header_fields_of_responses"]),
            cases(&[
                "`:method` twice",
                "`:path` twice",
                "`:authority` twice",
                "`:path` after a regular field",
                "a second `:path` after the regular fields",
                "an unknown pseudo-header field",
                "a pseudo-header field of responses",
            ]),
        ],
    ),
    attack(
        "S4",
        "`:authority` and Host",
        &["CVE-2026-59900", "haproxy 9a05c1f57", "haproxy 29fa2667a"],
        "names one host in `:authority` and another in Host, two in Host, or hides one behind user information",
        MALFORMED,
        "",
        &[
            validated(&["authorities", "host_agrees_with_authority"]),
            cases(&[
                "Host that differs from `:authority`",
                "Host with a port that `:authority` lacks",
                "Host twice",
                "Host twice, without `:authority`",
                "user information in `:authority`",
                "a path in `:authority`",
                "a query in `:authority`",
                "a fragment in `:authority`",
                "a backslash in `:authority`",
            ]),
        ],
    ),
    attack(
        "S5",
        "Content-Length",
        &["H2.CL", "haproxy d12edebe4", "haproxy 7e09e2a91"],
        "declares one length and sends another, however its message ends, or declares two lengths",
        MALFORMED,
        "",
        &[
            validated(&["content_length_is_one_number"]),
            cases(&[
                "Content-Length with a sign",
                "two different Content-Length fields",
                "a Content-Length list of different values",
                "content longer than Content-Length",
                "content shorter than Content-Length",
                "content shorter than Content-Length, ended by an empty DATA",
                "content shorter than Content-Length, ended by trailers",
                "Content-Length without content",
            ]),
        ],
    ),
    attack(
        "S6",
        "Connection-specific fields of HTTP/1.1",
        &["H2.TE"],
        "sends Transfer-Encoding, Connection and similar fields, or TE other than trailers",
        MALFORMED,
        "",
        &[
            validated(&["connection_specific_fields"]),
            cases(&[
                "Connection",
                "Keep-Alive",
                "Proxy-Connection",
                "Transfer-Encoding",
                "Upgrade",
                "TE other than trailers",
                "TE twice, the second other than trailers",
            ]),
        ],
    ),
    attack(
        "S7",
        "Trailers that change the head",
        &["h2 0.4.16"],
        "sends pseudo-header fields, lengths or hosts in trailers",
        MALFORMED,
        "",
        &[
            validated(&["trailer_sections"]),
            cases(&[
                "a pseudo-header field in trailers",
                "Transfer-Encoding in trailers",
                "Content-Length in trailers",
                "Host in trailers",
                "TE in trailers",
            ]),
        ],
    ),
    attack(
        "S8",
        "White space around values, folded lines",
        &["RFC 9113, 8.2.1"],
        "sends values that some parties trim and others do not",
        MALFORMED,
        "",
        &[
            validated(&["invalid_field_names_and_values"]),
            cases(&[
                "a space before a value",
                "a space after a value",
                "a tab before a value",
                "a tab after a value",
                "a folded line in a value",
            ]),
        ],
    ),
    attack(
        "S9",
        "CONNECT to the wrong place",
        &["haproxy b52a0e678", "python h2 4.4.0"],
        "sends CONNECT without `:authority` or with `:path`, and `:protocol` where it is not allowed",
        MALFORMED,
        "",
        &[
            validated(&[
                "connect_has_a_host_and_a_port_and_nothing_else",
                "extended_connect_has_a_whole_target",
            ]),
            cases(&[
                "CONNECT without `:authority`",
                "CONNECT without a port",
                "CONNECT with `:path`",
                "CONNECT with `:scheme`",
                "`:protocol` to a server that has not enabled it",
                "`:protocol` on GET",
            ]),
        ],
    ),
    attack(
        "S10",
        "Upgrade to h2c through a proxy",
        &["CVE-2022-41721", "CVE-2024-36387"],
        "asks for HTTP/2 in HTTP/1.1, past a proxy that does not understand it",
        &[CONNECTION_PROTOCOL, Streams(PROTOCOL)],
        "Upgrade is not supported: HTTP/2 begins with its preface (RFC 9113, 3.3)",
        &[cases(&["an HTTP/1.1 request to upgrade", "Upgrade"])],
    ),
];
