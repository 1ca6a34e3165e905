//! Field blocks that expand beyond their size on the wire.

use std::collections::BTreeSet;
use std::time::Duration;

use http2_attacks::attack::Answer::{Connection, Nothing, Status, Streams};
use http2_engine::ErrorCode;
use http2_test_support::{
    GET, block, code, flag, headers, headers_block, integer, kind, literal, rst_stream, setting, settings,
};

use super::{CALM, PROTOCOL, each, open_server, requests_by_tens, server, stream};
use crate::harness::{Behaviour, Endpoint, SHORT, check_defence};

const COMPRESSION: ErrorCode = ErrorCode::COMPRESSION_ERROR;

/// The first entry of the dynamic table, as an indexed field of one byte (RFC 7541, 6.1).
const ENTRY: u8 = 0x80 | 62;

/// A literal field with incremental indexing (RFC 7541, 6.2.1).
fn indexed(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut field = literal(name, value);
    field[0] = 0x40;
    field
}

/// GET, with this fragment after its fields.
fn get(n: u32, fields: &[u8]) -> Vec<u8> {
    headers_block(stream(n), flag::END_STREAM, &[&block(GET)[..], fields].concat())
}

#[test]
fn fields_without_names() {
    let empty = |n| {
        let mut server = server();
        server.send(&each(n, |n| get(n, &literal(b"", b"").repeat(100))));
        server.end()
    };
    // Huffman code of length 0, for both name and value.
    let huffman = |n| {
        let mut server = server();
        server.send(&each(n, |n| get(n, &[0x00, 0x80, 0x80].repeat(100))));
        server.end()
    };
    let answer = Streams(PROTOCOL);
    check_defence("fields_without_names", &[(answer, &empty), (answer, &huffman)]);
}

#[test]
fn hpack_bomb() {
    let bomb = |n: u32| {
        let mut server = server();
        let block = [indexed(b"x", &[b'x'; 4_000]), vec![ENTRY; n as usize]].concat();
        server.send(&get(0, &block));
        server.end()
    };
    check_defence("hpack_bomb", &[(Connection(CALM), &bomb)]);
}

#[test]
fn http2_bomb() {
    // Seven fields of 4,000 bytes in each request: nearly as much as the server accepts.
    let held_by_a_closed_window = |n: u32| {
        let mut server = Endpoint::server(Behaviour::Answers(1 << 20));
        server.send(&settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]));
        server.send(&[get(0, &indexed(b"x", &[b'x'; 4_000])), rst_stream(stream(0), code::CANCEL)].concat());
        server.begin();
        server.send(&each(n, |n| get(n + 1, &[ENTRY; 7])));
        server.sleep(Duration::from_secs(119));
        assert_eq!(server.instance.stat("streams_open"), u64::from(n));
        server.sleep(Duration::from_secs(1));
        assert!(server.instance.stat("streams_open") <= 3, "until memory is not short");
        server.sleep(Duration::from_secs(180));
        assert_eq!(server.instance.stat("streams_open"), 0);
        server.end()
    };
    let repeated = |name: &'static [u8], times: usize| {
        move |n| {
            let mut server = server();
            server.send(&get(0, &indexed(name, b"")));
            server.begin();
            server.send(&each(n, |n| get(n + 1, &vec![ENTRY; times])));
            server.end()
        }
    };
    check_defence(
        "http2_bomb",
        &[
            (Streams(CALM), &held_by_a_closed_window),
            (Status(431), &repeated(b"x", 1_000)),
            (Status(431), &repeated(b"cookie", 1_000)),
            (Connection(CALM), &repeated(b"cookie", 1_024)),
        ],
    );
}

#[test]
fn repeated_names() {
    let requests = |n| {
        let request = |n| get(n, &literal(b"x-name", b"value").repeat(100));
        requests_by_tens(open_server(Behaviour::Answers(SHORT)), n, request)
    };
    check_defence("repeated_names", &[(Nothing, &requests)]);
}

#[test]
fn hpack_arithmetic() {
    // An unterminated integer; indices and lengths beyond 32 and 64 bits; Huffman code that is only padding.
    let endless = |n: u32| [vec![0xff], vec![0x80; n as usize]].concat();
    let beyond_32_bits = |n: u32| [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f].repeat(n as usize);
    let long_string = |n: u32| [&[0x00, 0x7f, 0xff, 0xff, 0xff, 0x7f][..], &vec![0; n as usize]].concat();
    let huffman = |n: u32| {
        let mut field = vec![0x00, 0x01, b'x'];
        integer(&mut field, 7, 0x80, n as usize);
        field.extend(vec![0xff; n as usize]);
        field
    };
    let attack = |block: Vec<u8>| {
        let mut server = server();
        server.send(&get(0, &block));
        server.end()
    };
    // A long name, referred to repeatedly.
    let long_name = |n: u32| {
        let field = [0x0f, 62 - 15, 0x00];
        attack([indexed(&[b'x'; 4_000], b""), field.repeat(n as usize / 3)].concat())
    };
    check_defence(
        "hpack_arithmetic",
        &[
            (Connection(COMPRESSION), &|n| attack(endless(n))),
            (Connection(COMPRESSION), &|n| attack(beyond_32_bits(n / 6))),
            (Connection(CALM), &|n| attack(long_string(n))),
            (Connection(COMPRESSION), &|n| attack(huffman(n))),
            (Connection(CALM), &long_name),
        ],
    );
}

#[test]
fn encoder_table() {
    let requests = |n| {
        let mut server = open_server(Behaviour::Numbers);
        server.send(&settings(&[(setting::HEADER_TABLE_SIZE, u32::MAX)]));
        server.begin();
        requests_by_tens(server, n, |n| get(n, b""))
    };
    check_defence("encoder_table", &[(Nothing, &requests)]);
}

#[test]
fn table_thrash() {
    // Empties the table, enlarges it, and fills it again.
    let thrash = |n| {
        let mut server = server();
        let updates = [0x20, 0x3f, 0xe1, 0x1f];
        let fields = [block(GET), indexed(b"x", &[b'x'; 4_000])].concat();
        server.send(&each(n, |n| {
            headers_block(stream(n), flag::END_STREAM, &[&updates[..], &fields].concat())
        }));
        server.end()
    };
    let more_than_two = |n| {
        let mut server = server();
        server.send(&each(n, |n| {
            headers_block(stream(n), flag::END_STREAM, &[&[0x20, 0x20, 0x20][..], &block(GET)].concat())
        }));
        server.end()
    };
    check_defence("table_thrash", &[(Connection(CALM), &thrash), (Connection(COMPRESSION), &more_than_two)]);
}

#[test]
fn compression_probe() {
    let probes = |n| {
        let mut client = Endpoint::client(&[]);
        let mut sizes = BTreeSet::new();
        for n in 0..n {
            let frames = client.send(&headers(2 * n + 1, flag::END_STREAM, &[(":status", "200")]));
            let request = frames.iter().find(|frame| frame.kind == kind::HEADERS).expect("the next request");
            // The name Authorization by its static index, never indexed (RFC 7541, 6.2.3).
            let secret = request.block.windows(2).any(|octets| octets == [0x1f, 23 - 15]);
            assert!(secret, "{:x?}", request.block);
            sizes.insert(request.block.len());
        }
        assert_eq!(sizes.len(), 1, "earlier fields make the next request smaller");
        client.end()
    };
    check_defence("compression_probe", &[(Nothing, &probes)]);
}
