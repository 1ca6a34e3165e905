//! Streams that end as soon as they have begun, and more of them than there may be.

use super::{CONNECTION_PROTOCOL, FLOW_CONTROL, Group, PROTOCOL, REFUSED, ceilings};
use crate::attack::Answer::{Connection, Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Test, Trial};
use http2_engine::ErrorCode;

pub(super) const GROUP: Group =
    Group { title: "Streams: ended as soon as they have begun, or more than there may be", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A4",
        name: "Reset Flood",
        known_as: &["CVE-2019-9514"],
        harms: &[Harm::Memory],
        peer: "sends a malformed request on each of many streams, each of which has to be reset",
        shown: Shown::Here(Trial {
            test: "reset_flood",
            sizes: [1_000, 10_000],
            of: "requests",
            answers: &[Streams(PROTOCOL)],
            and: "the application is given none of them",
            ceilings: ceilings(64, ForEach(1.0, 13.0), 1.5),
        }),
    },
    Attack {
        id: "A10",
        name: "Rapid Reset",
        known_as: &["CVE-2023-44487", "CVE-2023-45802", "CVE-2023-39325", "CVE-2023-26964"],
        harms: &[Harm::Amplification, Harm::Work],
        peer: "cancels each request as soon as it was sent, in the same write or in the next one",
        shown: Shown::Here(Trial {
            test: "rapid_reset",
            sizes: [10_000, 100_000],
            of: "requests",
            answers: &[Nothing],
            and: "the application is given none that is cancelled before it asks, and has 100 at a time: the next one \
                  waits until it has let go of one",
            ceilings: ceilings(256, InAll(3, 120), 4.0),
        }),
    },
    Attack {
        id: "A11",
        name: "MadeYouReset",
        known_as: &["CVE-2025-8671", "CVE-2025-55163", "CVE-2025-5115", "VU#767506"],
        harms: &[Harm::Amplification],
        peer: "makes the server reset each request: WINDOW_UPDATE of 0 or past the limit, DATA and HEADERS behind the \
               end, PRIORITY of 4 octets or on itself",
        shown: Shown::Here(Trial {
            test: "made_you_reset",
            sizes: [1_000, 10_000],
            of: "requests",
            answers: &[
                Streams(PROTOCOL),
                Streams(FLOW_CONTROL),
                Streams(ErrorCode::STREAM_CLOSED),
                Streams(ErrorCode::FRAME_SIZE_ERROR),
            ],
            and: "the application is given none that is reset before it asks, and has 100 at a time",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.8),
        }),
    },
    Attack {
        id: "A12",
        name: "Reset by a tiny SETTINGS_MAX_HEADER_LIST_SIZE",
        known_as: &["CVE-2026-50560"],
        harms: &[Harm::Amplification],
        peer: "takes field sections of one octet, so that no response fits",
        shown: Shown::Here(Trial {
            test: "tiny_max_header_list_size",
            sizes: [100, 1_000],
            of: "requests",
            answers: &[Nothing],
            and: "the setting is advice (RFC 9113, 10.5.1): the responses are sent",
            ceilings: ceilings(64, ForEach(2.0, 120.0), 5.0),
        }),
    },
    Attack {
        id: "A33",
        name: "Reset before the request is registered",
        known_as: &["CVE-2026-23918", "CVE-2026-48913"],
        harms: &[Harm::Crash],
        peer: "cancels requests in the write that they come in, no faster than is allowed, or inside their field blocks",
        shown: Shown::Here(Trial {
            test: "early_reset",
            sizes: [1_000, 10_000],
            of: "requests",
            answers: &[Nothing, CONNECTION_PROTOCOL],
            and: "100 a second may come for ever",
            ceilings: ceilings(128, InAll(1, 70), 3.6),
        }),
    },
    Attack {
        id: "A34",
        name: "Memory of closed streams",
        known_as: &["CVE-2026-16028"],
        harms: &[Harm::Memory],
        peer: "sends requests for ever, each of which leaves something behind",
        shown: Shown::Here(Trial {
            test: "closed_streams",
            sizes: [10_000, 100_000],
            of: "requests",
            answers: &[Nothing],
            and: "all are answered",
            ceilings: ceilings(64, ForEach(2.0, 120.0), 4.1),
        }),
    },
    Attack {
        id: "A35",
        name: "No limit of streams",
        known_as: &["CVE-2026-47244"],
        harms: &[Harm::Memory, Harm::Amplification],
        peer: "opens streams and ends none",
        shown: Shown::Here(Trial {
            test: "more_streams_than_allowed",
            sizes: [1_000, 10_000],
            of: "requests",
            answers: &[Streams(REFUSED)],
            and: "the application is given 100 at the most",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.5),
        }),
    },
    Attack {
        id: "A36",
        name: "Streams before SETTINGS are known",
        known_as: &[],
        harms: &[Harm::Amplification],
        peer: "opens streams in its first write, when it cannot know how many it may",
        shown: Shown::Here(Trial {
            test: "more_streams_before_settings_are_known",
            sizes: [1_000, 10_000],
            of: "requests",
            answers: &[Streams(REFUSED)],
            and: "the limit holds from the first octet",
            ceilings: ceilings(256, ForEach(1.0, 13.1), 1.5),
        }),
    },
    Attack {
        id: "A40",
        name: "Push abuse",
        known_as: &["GHSA-36w4-95hv-5vwg", "RFC 9113, 10.5"],
        harms: &[Harm::Memory, Harm::Smuggling],
        peer: "as a server, promises streams that were not asked for, of a foreign authority, or more than are allowed",
        shown: Shown::Here(Trial {
            test: "push_abuse",
            sizes: [1_000, 10_000],
            of: "PUSH_PROMISE",
            answers: &[CONNECTION_PROTOCOL, Streams(PROTOCOL), Streams(REFUSED)],
            and: "off unless the client enables it; then 100 at a time",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.8),
        }),
    },
    Attack {
        id: "A41",
        name: "Shutdown without end",
        known_as: &["CVE-2022-27664", "h2 0.4.14"],
        harms: &[Harm::Hang],
        peer: "keeps its streams open when the connection is shut down, and goes on with new ones",
        shown: Shown::Here(Trial {
            test: "endless_shutdown",
            sizes: [10, 100],
            of: "requests, and as many behind the last one, with 256,000 octets each",
            answers: &[Connection(ErrorCode::NO_ERROR)],
            and: "after 30 s; the connection is given back the octets of requests that are not taken up any more",
            ceilings: ceilings(192, ForEach(1.5, 24.0), 0.1),
        }),
    },
    Attack {
        id: "A45",
        name: "Stream identifiers that collide",
        known_as: &["nghttp2 rand_callback, 2025"],
        harms: &[Harm::Work],
        peer: "leaves out identifiers, so that a hash or an index of them is at its worst",
        shown: Shown::Here(Trial {
            test: "stream_identifiers",
            sizes: [100, 1_000],
            of: "requests",
            answers: &[Nothing],
            and: "no more work than for identifiers in a row; nothing that a peer chooses is hashed",
            ceilings: ceilings(192, ForEach(2.0, 120.0), 5.0),
        }),
    },
    Attack {
        id: "A46",
        name: "One pool for encrypted connections and others",
        known_as: &["CVE-2026-94441"],
        harms: &[Harm::Leak],
        peer: "answers a request of `https` on a connection that was made for `http`",
        shown: Shown::Elsewhere {
            answers: &[],
            and: "an engine has no pool; that of `http2_client.wasm` has the scheme in its key",
            by: &[
                Test::Functions(
                    "host-tests/tests/wasi_http/client/pool.rs",
                    &["one_scheme_never_uses_the_connection_of_another"],
                ),
                Test::Functions("src/http-client/src/target.rs", &["https_says_that_there_is_no_tls"]),
            ],
        },
    },
];
