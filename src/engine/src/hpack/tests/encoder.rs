//! Tests of the blocks the encoder sends and the entries it keeps.

use super::*;

#[test]
fn repeated_request_is_encoded_in_one_byte_per_field() {
    let request = section(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/helloworld.Greeter/SayHello"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "tests"),
        ("x-custom", "value"),
    ]);
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let lengths: Vec<usize> = (0..3)
        .map(|_| {
            let block = encode(&mut encoder, &request);
            assert_eq!(decode(&mut decoder, &block), request);
            block.len()
        })
        .collect();
    // The path is indexed the second time it is sent.
    assert!(lengths[0] > lengths[1] && lengths[1] > lengths[2], "{lengths:?}");
    assert_eq!(lengths[2], request.len());
}

#[test]
fn static_entries_are_encoded_in_one_byte() {
    let fields = [(":method", "GET"), (":status", "404"), ("accept-encoding", "gzip, deflate"), ("via", "")];
    assert_eq!(encode(&mut Encoder::default(), &section(&fields)), [0x82, 0x8d, 0x90, 0xbc]);
}

#[test]
fn varying_fields_are_not_indexed_when_first_sent() {
    let mut encoder = Encoder::default();
    for number in 0..100 {
        let path = format!("/{number}");
        encode(&mut encoder, &section(&[(":path", &path), ("content-length", &path[1..])]));
    }
    assert_eq!(encoder.table.size(), 0);
}

#[test]
fn paths_that_differ_in_the_last_byte_are_indexed_when_sent_again() {
    let mut encoder = Encoder::default();
    let paths: Vec<_> = (2_040..2_050).map(|number| format!("/v1/accounts/17/orders/{number}")).collect();
    let mut send_all = || -> usize {
        paths.iter().map(|path| encode(&mut encoder, &section(&[(":path", path)])).len()).sum()
    };
    send_all();
    send_all();
    assert_eq!(send_all(), paths.len());
}

#[test]
fn secrets_are_never_indexed() {
    let mut encoder = Encoder::default();
    let secrets = section(&[
        ("authorization", "Basic YWxhZGRpbjpvcGVuc2VzYW1l"),
        ("proxy-authorization", "Bearer x"),
        ("cookie", "id=1234567890"),
    ]);
    for _ in 0..3 {
        let decoded = decode(&mut Decoder::default(), &encode(&mut encoder, &secrets));
        assert!(decoded.iter().all(|field| field.never_indexed));
    }
    assert_eq!(encoder.table.size(), 0);
    let cookie = section(&[("cookie", "id=12345678901234567890")]);
    encode(&mut encoder, &cookie);
    assert_eq!(encode(&mut encoder, &cookie), [0xbe], "a long cookie is indexed");
}

#[test]
fn repeated_names_are_sent_by_index() {
    let mut encoder = Encoder::default();
    encode(&mut encoder, &section(&[("x-custom", "one"), ("te", "one")]));
    let block = encode(&mut encoder, &section(&[("x-custom", "two"), ("te", "two")]));
    // Literals with indexing. Both names have index 63, because the first literal becomes an entry itself.
    assert_eq!(block, from_hex("7f00 03 74776f 7f00 03 74776f"));
}

#[test]
fn strings_are_huffman_coded_if_shorter() {
    let mut out = Vec::new();
    string::encode(b"aaaaaaaa", &mut out);
    assert_eq!(out, [0x85, 0x18, 0xc6, 0x31, 0x8c, 0x63]);
    out.clear();
    string::encode(b"XZ", &mut out);
    assert_eq!(out, *b"\x02XZ", "both forms have 16 bits");
    out.clear();
    string::encode(b"\x01\x02", &mut out);
    assert_eq!(out, [2, 1, 2]);
}

#[test]
fn field_larger_than_half_the_table_is_not_indexed() {
    let mut encoder = Encoder::default();
    encode(&mut encoder, &section(&[("x-large", &"x".repeat(2100))]));
    assert_eq!(encoder.table.size(), 0);
    encode(&mut encoder, &section(&[("x-large", &"x".repeat(2000))]));
    assert_eq!(encoder.table.size(), 2000 + 7 + 32);
}

#[test]
fn size_updates_contain_smallest_and_final_size() {
    let empty = FieldSection::new();
    let mut encoder = Encoder::default();
    assert_eq!(encode(&mut encoder, &empty), b"", "4,096 is the initial size");
    encoder.set_max_table_size(4096);
    assert_eq!(encode(&mut encoder, &empty), b"", "unchanged size");
    encoder.set_max_table_size(10);
    assert_eq!(encode(&mut encoder, &empty), [0x2a]);
    assert_eq!(encode(&mut encoder, &empty), b"", "sent only once");
    encoder.set_max_table_size(20);
    encoder.set_max_table_size(0);
    encoder.set_max_table_size(30);
    assert_eq!(encode(&mut encoder, &empty), [0x20, 0x3e]);
}

#[test]
fn peers_table_size_is_capped() {
    let mut encoder = Encoder::new(1000);
    assert_eq!(encode(&mut encoder, &FieldSection::new()), from_hex("3fc907"), "our own cap is below 4,096");
    encoder.set_max_table_size(u32::MAX);
    for number in 0..1000 {
        encode(&mut encoder, &section(&[("x-number", &number.to_string())]));
        assert!(encoder.table.size() <= 1000);
    }
    assert_eq!(encode(&mut encoder, &FieldSection::new()), b"");
}

#[test]
fn empty_table_is_supported() {
    let mut encoder = Encoder::new(0);
    let mut decoder = Decoder::default();
    let fields = section(&[("x-a", "b"), (":path", "/x")]);
    for _ in 0..3 {
        assert_eq!(decode(&mut decoder, &encode(&mut encoder, &fields)), fields);
    }
    assert_eq!(decoder.table.max_size(), 0);
}

#[test]
fn random_sections_round_trip() {
    let names = [":path", ":status", "te", "cookie", "x-a", "x-b", "x-c", "content-length", "authorization"];
    for seed in 0..30 {
        let mut random = Generator::new(seed);
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for _ in 0..200 {
            if random.below(20) == 0 {
                let size = random.below(5000) as u32;
                encoder.set_max_table_size(size);
                decoder.set_max_table_size(size);
            }
            let mut section = FieldSection::new();
            for _ in 0..random.below(12) {
                let name = names[random.below(names.len() as u64) as usize];
                // Short values of two letters recur; long ones evict entries.
                let value = if random.below(2) == 0 {
                    random.string(b"ab", 3)
                } else {
                    random.string(b"xyz012", 200)
                };
                section.push(name.as_bytes(), &value);
            }
            let decoded = decode(&mut decoder, &encode(&mut encoder, &section));
            assert_eq!(texts(&decoded), texts(&section));
            assert_eq!(decoder.table.size(), encoder.table.size());
        }
    }
}
