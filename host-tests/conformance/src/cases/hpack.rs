//! Field blocks (RFC 7541; RFC 9113, 4.3): each case adds bytes to a valid head.

use super::{ROLES, both};
use crate::case::{Case, Expected, Role};
use http2_test_support::{GET, OK, block, code, flag, headers, headers_block, integer, setting, settings};

pub(super) fn cases() -> Vec<Case> {
    [errors(), tables(), sizes(), updates_of_the_endpoint()].concat()
}

/// A valid head for the role.
fn head(role: Role) -> Vec<u8> {
    block(if role == Role::Server { GET } else { OK })
}

/// A literal with incremental indexing (RFC 7541, 6.2.1).
fn indexed(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x40];
    for string in [name, value] {
        integer(&mut octets, 7, 0, string.len());
        octets.extend(string);
    }
    octets
}

/// Sends a message on stream 1 and another on stream 3, with these bytes before and after their heads.
fn exchange(case: Case, stream: u32, before: &[u8], behind: &[u8]) -> Case {
    let block = [before, &head(case.role), behind].concat();
    case.send(headers_block(stream, flag::END_STREAM, &block))
}

/// A message that the endpoint accepts.
fn taken(case: Case, stream: u32, before: &[u8], behind: &[u8]) -> Case {
    let role = case.role;
    let case = exchange(case, stream, before, behind);
    match role {
        Role::Server => case.expect(Expected::Response { stream, status: "200" }).nothing(),
        Role::Client => case.nothing(),
    }
}

fn errors() -> Vec<Case> {
    let mut cases = Vec::new();
    // A literal with the name "x" and this value.
    let huffman = |value: &[u8]| [b"\x00\x01x", value].concat();
    let errors: Vec<(&[_], _, Vec<u8>)> = vec![
        (&["K2", "F6"], "index 0", vec![0x80]),
        (&["K2"], "the first index after the static table, with an empty dynamic table", vec![0x80 | 62]),
        (&["K2"], "an index far beyond both tables", vec![0xff, 0xff, 0x7f]),
        (&["K2"], "a name index beyond both tables", b"\x7e\x01x".to_vec()),
        (&["K8"], "an integer of too many bytes", vec![0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
        (&["K8"], "an integer above 2^32", vec![0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        (&["K8"], "an integer above 2^64", vec![0xff; 12]),
        (&["K8"], "an unterminated integer", vec![0xff, 0x80]),
        (&["K9"], "Huffman code whose padding is not all ones", huffman(&[0x81, 0x06])),
        (&["K9"], "Huffman code with 8 bits of padding", huffman(&[0x82, 0x07, 0xff])),
        (&["K9"], "Huffman code with EOS", huffman(&[0x84, 0xff, 0xff, 0xff, 0xff])),
        (&["K10"], "a name longer than its block", vec![0x00, 0x05, b'x']),
        (&["K10"], "a value longer than its block", b"\x00\x01x\x02y".to_vec()),
        (&["K10"], "a field without a value", b"\x00\x01x".to_vec()),
    ];
    for (requirements, name, octets) in errors {
        cases.extend(both(requirements, name, |case| {
            exchange(case, 1, b"", &octets).connection_error(code::COMPRESSION_ERROR)
        }));
    }
    cases.extend(both(&["K9"], "Huffman code with at most 7 bits of padding", |case| {
        // "0" twice, 5 bits each, with 6 bits of padding; then once, with 3 bits of padding.
        let right = [huffman(&[0x82, 0x00, 0x3f]), huffman(&[0x81, 0x07])].concat();
        taken(case, 1, b"", &right)
    }));
    cases.extend(both(&["K8"], "an integer of more bytes than necessary", |case| {
        taken(
            case,
            1,
            b"",
            b"\x00\x01x\x7f\x80\x80\x00".iter().chain(&[b'x'; 127]).copied().collect::<Vec<_>>().as_slice(),
        )
    }));
    cases
}

/// The dynamic table: the first message fills it, and the second refers to its entries.
fn tables() -> Vec<Case> {
    const FIRST: &[u8] = &[0x80 | 62];
    const SECOND: &[u8] = &[0x80 | 63];
    // 32 bytes more than name and value: all 4,096.
    let whole = indexed(b"x", &[b'v'; 4_063]);
    let too_large = indexed(b"x", &[b'v'; 4_064]);
    let small = indexed(b"small", b"entry");
    let mut cases = Vec::new();
    let mut there = |requirements, name, fill: &[u8], ask: &[u8]| {
        cases.extend(both(requirements, name, |case| taken(taken(case, 1, b"", fill), 3, b"", ask)));
    };
    there(&["K3"], "the same entry twice", &small.repeat(2), &[FIRST, SECOND].concat());
    there(&["K4"], "an entry as large as the table", &whole, FIRST);
    there(&["K4"], "an entry that evicts another", &[&whole[..], &small].concat(), FIRST);
    let mut by_name = whole.clone();
    by_name.extend(b"\x7e\x05other");
    there(&["K7"], "a name from the entry that its insertion evicts", &by_name, FIRST);
    there(&["F7"], "a field of a complete message", &small, FIRST);

    let mut gone = |requirements, name, fill: &[u8], ask: &[u8]| {
        cases.extend(both(requirements, name, |case| {
            exchange(taken(case, 1, b"", fill), 3, b"", ask).connection_error(code::COMPRESSION_ERROR)
        }));
    };
    gone(&["K4"], "an evicted entry", &[&whole[..], &small].concat(), SECOND);
    gone(
        &["K4"],
        "an entry larger than the table, which empties it",
        &[&small[..], &too_large].concat(),
        FIRST,
    );
    for role in ROLES {
        // The head follows the extra field, so its pseudo-header fields are late and the message is
        // malformed.
        let block = [&small[..], &head(role)].concat();
        let case = Case::new(role, &["F7", "K1"], "a field before the pseudo-header fields, and its entry")
            .send(headers_block(1, flag::END_STREAM, &block))
            .stream_error(1, code::PROTOCOL_ERROR);
        cases.push(taken(case, 3, b"", FIRST));
    }
    cases
}

/// Dynamic table sizes that the tester chooses.
fn sizes() -> Vec<Case> {
    // 4,096 and 4,097, as integers with a 5-bit prefix.
    const MOST: &[u8] = &[0x3f, 0xe1, 0x1f];
    const TOO_LARGE: &[u8] = &[0x3f, 0xe2, 0x1f];
    let mut cases = Vec::new();
    for (name, before) in [
        ("a size of 0", &[0x20][..]),
        ("the largest size", MOST),
        ("the smallest intermediate size, and the last one", &[0x20, 0x3f, 0xe1, 0x1f]),
    ] {
        cases.extend(both(&["K5", "K6"], name, |case| taken(taken(case, 1, before, b""), 3, b"", b"")));
    }
    for (requirements, name, before, behind) in [
        (&["K5"][..], "a size update after a field", &b""[..], &[0x20][..]),
        (&["K5"], "three size updates at the start of a block", &[0x20, 0x20, 0x20], b""),
        (&["K6"], "a size above SETTINGS_HEADER_TABLE_SIZE", TOO_LARGE, b""),
        (
            &["K6"],
            "a size above SETTINGS_HEADER_TABLE_SIZE, after an allowed one",
            &[0x20, 0x3f, 0xe2, 0x1f],
            b"",
        ),
    ] {
        cases.extend(both(requirements, name, |case| {
            exchange(case, 1, before, behind).connection_error(code::COMPRESSION_ERROR)
        }));
    }
    cases.extend(both(&["K4", "K5"], "an entry from before a size of 0", |case| {
        let filled = taken(case, 1, b"", &indexed(b"small", b"entry"));
        exchange(filled, 3, &[0x20], &[0x80 | 62]).connection_error(code::COMPRESSION_ERROR)
    }));
    cases
}

/// Dynamic table size updates that the endpoint sends when the tester's settings change.
fn updates_of_the_endpoint() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in ROLES {
        let next = |case: Case| match role {
            Role::Server => case.send(headers(1, flag::END_STREAM, GET)),
            Role::Client => case.send(headers(1, flag::END_STREAM, OK)),
        };
        let stream = if role == Role::Server { 1 } else { 5 };
        let size = |octets| settings(&[(setting::HEADER_TABLE_SIZE, octets)]);
        cases.push(
            next(Case::new(role, &["F8"], "a table of size 0").send(size(0)))
                .expect(Expected::Block { stream, starts_with: &[0x20] })
                .nothing(),
        );
        cases.push(
            next(Case::new(role, &["F8"], "a table of 100 bytes").send(size(100)))
                .expect(Expected::Block { stream, starts_with: &[0x3f, 69] })
                .nothing(),
        );
        cases.push(
            next(
                Case::new(role, &["K5", "F8"], "a table that shrinks and grows again")
                    .send([size(0), size(4_096)].concat()),
            )
            .expect(Expected::Block { stream, starts_with: &[0x20, 0x3f, 0xe1, 0x1f] })
            .nothing(),
        );
    }
    cases
}
