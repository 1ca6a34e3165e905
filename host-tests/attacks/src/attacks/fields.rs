//! Field blocks that expand beyond their size on the wire.

use super::{CALM, COMPRESSION, CONNECTION_CALM, Group, PROTOCOL, ceilings};
use crate::attack::Answer::{Connection, Nothing, Status, Streams};
use crate::attack::Replies::{ForEach, InAll};
use crate::attack::{Attack, Harm, Shown, Trial};

pub(super) const GROUP: Group =
    Group { title: "Fields: blocks that expand beyond their size on the wire", attacks: ATTACKS };

const ATTACKS: &[Attack] = &[
    Attack {
        id: "A6",
        name: "0-Length Headers Leak",
        known_as: &["CVE-2019-9516"],
        harms: &[Harm::Memory],
        peer: "sends fields with empty name and value, as plain strings or as Huffman code of length 0",
        shown: Shown::Here(Trial {
            test: "fields_without_names",
            sizes: [1_000, 10_000],
            unit: "requests with 100 such fields",
            answers: &[Streams(PROTOCOL)],
            and: "each field counts for at least 32 bytes",
            ceilings: ceilings(192, ForEach(1.0, 13.0), 3.2),
        }),
    },
    Attack {
        id: "A15",
        name: "HPACK bomb",
        known_as: &["CVE-2016-6581", "CVE-2016-1544", "CVE-2016-2525"],
        harms: &[Harm::Memory],
        peer: "puts a field of 4,000 bytes into the dynamic table, and refers to it with one byte per copy",
        shown: Shown::Here(Trial {
            test: "hpack_bomb",
            sizes: [1_000, 10_000],
            unit: "references in one request",
            answers: &[CONNECTION_CALM],
            and: "decoding stops at 64 KiB",
            ceilings: ceilings(128, InAll(1, 50), 0.3),
        }),
    },
    Attack {
        id: "A16",
        name: "HTTP/2 Bomb",
        known_as: &[
            "CVE-2026-49975",
            "CVE-2026-47774",
            "CVE-2026-105297",
            "CVE-2026-54556",
            "CVE-2026-10725",
            "CVE-2026-56846",
        ],
        harms: &[Harm::Memory],
        peer: "sends as many tiny fields or cookie crumbs as fit, and opens no window, so that the server \
               keeps all of them",
        shown: Shown::Here(Trial {
            test: "http2_bomb",
            sizes: [10, 100],
            unit: "requests",
            answers: &[Streams(CALM), Status(431), CONNECTION_CALM],
            and: "at most 128 fields and 256 crumbs of 32 KiB, otherwise status 431; 1,024 end the \
                  connection; streams without window end after 2 minutes. 100 of them hold 3.2 MiB of fields and \
                  2.5 MiB of content",
            ceilings: ceilings(6_144, InAll(204, 3_000), 23.0),
        }),
    },
    Attack {
        id: "A17",
        name: "Repeated names",
        known_as: &["CVE-2025-53020"],
        harms: &[Harm::Memory],
        peer: "repeats a name, hoping that each occurrence leaks memory until the connection ends",
        shown: Shown::Here(Trial {
            test: "repeated_names",
            sizes: [100, 1_000],
            unit: "requests with 100 such fields",
            answers: &[Nothing],
            and: "all requests are answered",
            ceilings: ceilings(128, ForEach(2.0, 120.0), 2.4),
        }),
    },
    Attack {
        id: "A18",
        name: "Arithmetic of HPACK",
        known_as: &["CVE-2023-36478", "CVE-2022-41723", "CVE-2026-59980"],
        harms: &[Harm::Work, Harm::Crash],
        peer: "sends unterminated integers and integers beyond 64 bits, lengths beyond the block, Huffman \
               code that is only padding, and long names by reference",
        shown: Shown::Here(Trial {
            test: "hpack_arithmetic",
            sizes: [1_000, 10_000],
            unit: "bytes of a block",
            answers: &[Connection(COMPRESSION), CONNECTION_CALM],
            and: "integers have at most 32 bits, in at most 5 bytes",
            ceilings: ceilings(192, InAll(1, 50), 0.6),
        }),
    },
    Attack {
        id: "A19",
        name: "Growth of the encoder's table",
        known_as: &["CVE-2026-93492", "CVE-2025-1948", "h2 0.4.17"],
        harms: &[Harm::Memory],
        peer: "allows a dynamic table of 4 GiB, and makes the server send new fields in every response",
        shown: Shown::Here(Trial {
            test: "encoder_table",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[Nothing],
            and: "the encoder's table stays at 4 KiB",
            ceilings: ceilings(64, ForEach(2.0, 140.0), 4.8),
        }),
    },
    Attack {
        id: "A20",
        name: "Thrashing of the dynamic table",
        known_as: &[],
        harms: &[Harm::Work],
        peer: "empties, enlarges and fills the table with each block, or changes its size three times in one \
               block",
        shown: Shown::Here(Trial {
            test: "table_thrash",
            sizes: [1_000, 10_000],
            unit: "requests",
            answers: &[CONNECTION_CALM, Connection(COMPRESSION)],
            and: "after 200 blocks",
            ceilings: ceilings(256, InAll(430, 26_000), 0.2),
        }),
    },
    Attack {
        id: "A21",
        name: "Guessing by compression",
        known_as: &["RFC 7541, 7.1"],
        harms: &[Harm::Leak],
        peer: "as a server, learns from the size of requests whether it guessed a secret",
        shown: Shown::Here(Trial {
            test: "compression_probe",
            sizes: [100, 1_000],
            unit: "requests",
            answers: &[Nothing],
            and: "credentials such as Authorization, and short cookies, are never indexed, so earlier \
                  requests make no later one smaller",
            ceilings: ceilings(64, ForEach(1.0, 30.0), 15.0),
        }),
    },
];
