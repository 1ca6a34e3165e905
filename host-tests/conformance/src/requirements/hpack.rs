//! Field compression (RFC 7541).

use super::Concerns::Both;
use super::Scope::{Connection, Duty, Nothing};
use super::{Requirement, row, shown, test};

pub(super) const HPACK: &[Requirement] = &[
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
    row(
        "K3",
        "RFC 7541, 2.3.2",
        Nothing,
        "",
        Both,
        "Duplicate entries in the dynamic table are not an error",
    ),
    row(
        "K4",
        "RFC 7541, 4.1, 4.3, 4.4",
        Duty,
        "",
        Both,
        "An entry takes 32 bytes more than its name and value; others are evicted before it is inserted, and one that is too large empties the table",
    ),
    row(
        "K5",
        "RFC 7541, 4.2",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "The size of the dynamic table changes only at the start of a field block",
    ),
    row(
        "K6",
        "RFC 7541, 6.3",
        Connection,
        "COMPRESSION_ERROR",
        Both,
        "The size of the dynamic table stays within SETTINGS_HEADER_TABLE_SIZE",
    ),
    row("K7", "RFC 7541, 4.4", Duty, "", Both, "A name may refer to the entry that its insertion evicts"),
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
        "A string longer than its field block",
    ),
    shown(
        row(
            "K11",
            "RFC 7541, 6.2.3, 7.1.3",
            Duty,
            "",
            Both,
            "A field received as never indexed is forwarded as never indexed",
        ),
        &[
            test("src/engine/src/hpack/tests/errors.rs", "never_indexed_flag_survives_forwarding"),
            test("src/engine/src/hpack/tests/encoder.rs", "secrets_are_never_indexed"),
        ],
    ),
];
