//! Streams that end as soon as they begin, and more streams than allowed.

use super::{CONNECTION_PROTOCOL, FLOW_CONTROL, Group, PROTOCOL, REFUSED, ceilings};
use crate::attack::Answer::{Connection, Nothing, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Test, Trial};
use http2_engine::ErrorCode;

pub(super) const GROUP: Group =
    Group { title: "Streams: ended as soon as they begin, or more than allowed", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A4",
        name: "Reset Flood",
        known_as: &["CVE-2019-9514"],
        harms: &[Harm::Memory],
        peer: "sends malformed requests on many streams, so that the server has to reset each",
        shown: Shown::Here(Trial {
            test: "reset_flood",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[Streams(PROTOCOL)],
            and: "the application sees none of them",
            ceilings: ceilings(64, ForEach(1.0, 13.0), 1.5),
        }),
    },
    Attack {
        id: "A10",
        name: "Rapid Reset",
        known_as: &["CVE-2023-44487", "CVE-2023-45802", "CVE-2023-39325", "CVE-2023-26964"],
        harms: &[Harm::Amplification, Harm::Work],
        peer: "cancels each request immediately, in the same write or in the next one",
        shown: Shown::Here(Trial {
            test: "rapid_reset",
            sizes: [10_000, 100_000],
            unit: "requests",
            answers: &[Nothing],
            and: "the application sees no request that was cancelled before it accepts one, and holds at \
                  most 100; the next one waits until the application releases one",
            ceilings: ceilings(256, InAll(3, 120), 4.0),
        }),
    },
    Attack {
        id: "A11",
        name: "MadeYouReset",
        known_as: &["CVE-2025-8671", "CVE-2025-55163", "CVE-2025-5115", "VU#767506"],
        harms: &[Harm::Amplification],
        peer: "makes the server reset each request: WINDOW_UPDATE by 0 or beyond the limit, DATA and HEADERS \
               after the end, PRIORITY of 4 bytes or depending on itself",
        shown: Shown::Here(Trial {
            test: "made_you_reset",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[
                Streams(PROTOCOL),
                Streams(FLOW_CONTROL),
                Streams(ErrorCode::STREAM_CLOSED),
                Streams(ErrorCode::FRAME_SIZE_ERROR),
            ],
            and: "the application sees no request that was reset before it accepts one, and holds at most \
                  100",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.8),
        }),
    },
    Attack {
        id: "A12",
        name: "Reset by a tiny SETTINGS_MAX_HEADER_LIST_SIZE",
        known_as: &["CVE-2026-50560"],
        harms: &[Harm::Amplification],
        peer: "allows field sections of 1 byte, so that no response fits",
        shown: Shown::Here(Trial {
            test: "tiny_max_header_list_size",
            sizes: [100, 1_000],
            unit: "requests",
            answers: &[Nothing],
            and: "the setting is advisory (RFC 9113, 10.5.1): the server sends its responses anyway",
            ceilings: ceilings(64, ForEach(2.0, 120.0), 5.0),
        }),
    },
    Attack {
        id: "A33",
        name: "Reset before the request is registered",
        known_as: &["CVE-2026-23918", "CVE-2026-48913"],
        harms: &[Harm::Crash],
        peer: "cancels requests in the same write, no faster than allowed, or inside their field blocks",
        shown: Shown::Here(Trial {
            test: "early_reset",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[Nothing, CONNECTION_PROTOCOL],
            and: "100 per second are allowed indefinitely",
            ceilings: ceilings(128, InAll(1, 70), 3.6),
        }),
    },
    Attack {
        id: "A34",
        name: "Memory of closed streams",
        known_as: &["CVE-2026-16028"],
        harms: &[Harm::Memory],
        peer: "sends endless requests, hoping that each leaks memory",
        shown: Shown::Here(Trial {
            test: "closed_streams",
            sizes: [10_000, 100_000],
            unit: "requests",
            answers: &[Nothing],
            and: "all requests are answered",
            ceilings: ceilings(64, ForEach(2.0, 120.0), 4.1),
        }),
    },
    Attack {
        id: "A35",
        name: "Unlimited streams",
        known_as: &["CVE-2026-47244"],
        harms: &[Harm::Memory, Harm::Amplification],
        peer: "opens streams and ends none",
        shown: Shown::Here(Trial {
            test: "more_streams_than_allowed",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[Streams(REFUSED)],
            and: "the application holds at most 100",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.5),
        }),
    },
    Attack {
        id: "A36",
        name: "Streams before SETTINGS are known",
        known_as: &[],
        harms: &[Harm::Amplification],
        peer: "opens streams in its first write, before it can know the limit",
        shown: Shown::Here(Trial {
            test: "more_streams_before_settings_are_known",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[Streams(REFUSED)],
            and: "the limit applies from the first byte",
            ceilings: ceilings(256, ForEach(1.0, 13.1), 1.5),
        }),
    },
    Attack {
        id: "A40",
        name: "Push abuse",
        known_as: &["GHSA-36w4-95hv-5vwg", "RFC 9113, 10.5"],
        harms: &[Harm::Memory, Harm::Smuggling],
        peer: "as a server, promises streams to a client that disabled push, for a foreign authority, or \
               more than allowed",
        shown: Shown::Here(Trial {
            test: "push_abuse",
            sizes: [1_000, 10_000],
            unit: "PUSH_PROMISE frames",
            answers: &[CONNECTION_PROTOCOL, Streams(PROTOCOL), Streams(REFUSED)],
            and: "push is off unless the client enables it; then at most 100 promised streams are open",
            ceilings: ceilings(256, ForEach(1.0, 13.0), 1.8),
        }),
    },
    Attack {
        id: "A41",
        name: "Endless shutdown",
        known_as: &["CVE-2022-27664", "h2 0.4.14"],
        harms: &[Harm::Hang],
        peer: "keeps its streams open during shutdown, and opens new ones",
        shown: Shown::Here(Trial {
            test: "endless_shutdown",
            sizes: [10, 100],
            unit: "requests, and as many after the last stream, of 256,000 bytes each",
            answers: &[Connection(ErrorCode::NO_ERROR)],
            and: "after 30 s; the connection window gets back the bytes of requests that are no longer \
                  accepted",
            ceilings: ceilings(192, ForEach(1.5, 24.0), 0.1),
        }),
    },
    Attack {
        id: "A45",
        name: "Colliding stream identifiers",
        known_as: &["nghttp2 rand_callback, 2025"],
        harms: &[Harm::Work],
        peer: "skips identifiers so as to hit the worst case of a hash table or an index",
        shown: Shown::Here(Trial {
            test: "stream_identifiers",
            sizes: [100, 1_000],
            unit: "requests",
            answers: &[Nothing],
            and: "the work equals that for consecutive identifiers; the engine hashes nothing that a peer \
                  chooses",
            ceilings: ceilings(192, ForEach(2.0, 120.0), 5.0),
        }),
    },
    Attack {
        id: "A46",
        name: "One pool for encrypted and plaintext connections",
        known_as: &["CVE-2026-94441"],
        harms: &[Harm::Leak],
        peer: "answers a request for `https` on a connection made for `http`",
        shown: Shown::Elsewhere {
            answers: &[],
            and: "an engine has no pool; the pool of `http2_client.wasm` includes the scheme in its key",
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
