//! Tests of the decoder's errors and limits.

use super::*;

/// Decodes a block with a new decoder.
fn try_decode(hex: &str) -> Result<Decoded, DecodeError> {
    Decoder::default().decode(&from_hex(hex), &NO_LIMITS, &mut FieldSection::new())
}

/// Encodes a literal field with indexing, without Huffman coding.
fn literal_with_indexing(name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![0x40];
    for string in [name, value] {
        integer::encode(string.len() as u32, 0, 7, &mut block);
        block.extend_from_slice(string.as_bytes());
    }
    block
}

const COMPRESSION: Result<Decoded, DecodeError> = Err(DecodeError::Compression);

#[test]
fn index_without_entry_is_an_error() {
    assert_eq!(try_decode("80"), COMPRESSION, "index 0");
    assert_eq!(try_decode("bd"), Ok(Decoded::Whole), "the last static entry");
    assert_eq!(try_decode("be"), COMPRESSION, "the first dynamic entry of an empty table");
    assert_eq!(try_decode("7e 01 61"), COMPRESSION, "a name from an empty table");
    assert_eq!(try_decode("ff ff ff ff ff 0f"), COMPRESSION, "an index above 2^32");
    assert_eq!(try_decode("ff 80 fe ff ff 0f"), COMPRESSION, "the largest index");
}

#[test]
fn truncated_block_is_an_error() {
    let block = from_hex("4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
    for length in 1..block.len() {
        let result = Decoder::default().decode(&block[..length], &NO_LIMITS, &mut FieldSection::new());
        assert_eq!(result, COMPRESSION, "{length} bytes");
    }
    assert_eq!(try_decode("ff"), COMPRESSION, "truncated integer");
    assert_eq!(try_decode(""), Ok(Decoded::Whole), "an empty block is an empty section");
}

#[test]
fn overlong_integer_is_an_error() {
    assert_eq!(try_decode("ff 80 80 80 80 80 00"), COMPRESSION);
    assert_eq!(try_decode("00 7f 80 80 80 80 80 00"), COMPRESSION);
}

#[test]
fn string_longer_than_the_block_is_an_error() {
    assert_eq!(try_decode("00 02 61"), COMPRESSION);
    assert_eq!(try_decode("00 01 61 7f ff ff ff 07"), COMPRESSION);
}

#[test]
fn invalid_huffman_code_is_an_error() {
    assert_eq!(try_decode("04 81 07"), Ok(Decoded::Whole));
    assert_eq!(try_decode("04 81 06"), COMPRESSION, "padding with a 0 bit");
    assert_eq!(try_decode("04 82 07 ff"), COMPRESSION, "padding of more than seven bits");
    assert_eq!(try_decode("04 84 ff ff ff ff"), COMPRESSION, "EOS");
}

#[test]
fn disallowed_size_update_is_an_error() {
    assert_eq!(try_decode("20 3f e1 1f 82"), Ok(Decoded::Whole), "0, then 4,096");
    assert_eq!(try_decode("3f e2 1f 82"), COMPRESSION, "4,097");
    assert_eq!(try_decode("20 20 20 82"), COMPRESSION, "three updates");
    assert_eq!(try_decode("82 20"), COMPRESSION, "after a field");
}

#[test]
fn entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(64);
    decode(&mut decoder, &literal_with_indexing("a", "b"));
    assert_eq!(decoder.table.size(), 34);
    let long = "x".repeat(64);
    let section = decode(&mut decoder, &literal_with_indexing("a", &long));
    assert_eq!(texts(&section), [format!("a: {long}")]);
    assert_eq!(decoder.table.size(), 0);
}

#[test]
fn entry_as_large_as_the_table_fits() {
    let mut decoder = Decoder::new(34);
    decode(&mut decoder, &literal_with_indexing("a", "b"));
    assert_eq!(texts(&decode(&mut decoder, &from_hex("be"))), ["a: b"]);
    decode(&mut decoder, &literal_with_indexing("a", "c"));
    assert_eq!(texts(&decode(&mut decoder, &from_hex("be"))), ["a: c"]);
    assert_eq!(decoder.table.size(), 34);
}

#[test]
fn name_taken_from_an_evicted_entry_remains_valid() {
    let mut decoder = Decoder::new(40);
    decode(&mut decoder, &literal_with_indexing("name", "old"));
    // A literal with indexing that takes its name from the entry it evicts.
    let section = decode(&mut decoder, &from_hex("7e 03 6e6577"));
    assert_eq!(texts(&section), ["name: new"]);
    assert_eq!(texts(&decode(&mut decoder, &from_hex("be"))), ["name: new"]);
    assert_eq!(decoder.table.size(), 39);
}

#[test]
fn duplicate_entries_are_allowed() {
    let mut decoder = Decoder::default();
    decode(&mut decoder, &literal_with_indexing("a", "b"));
    decode(&mut decoder, &literal_with_indexing("a", "b"));
    assert_eq!(texts(&decode(&mut decoder, &from_hex("be bf"))), ["a: b", "a: b"]);
}

#[test]
fn smaller_table_requires_a_size_update() {
    let mut decoder = Decoder::default();
    decoder.set_max_table_size(100);
    let try_decode = |hex| decoder.clone().decode(&from_hex(hex), &NO_LIMITS, &mut FieldSection::new());
    assert_eq!(try_decode("82"), COMPRESSION, "no size update");
    assert_eq!(try_decode(""), COMPRESSION, "no size update in an empty block");
    assert_eq!(try_decode("3f 46 82"), COMPRESSION, "101");
    assert_eq!(try_decode("3f 45 82"), Ok(Decoded::Whole), "100");
    assert_eq!(try_decode("20 3f 45 82"), Ok(Decoded::Whole), "0, then 100");
    assert_eq!(try_decode("20 3f 46 82"), COMPRESSION, "0, then 101");
}

#[test]
fn smallest_table_requires_a_size_update() {
    let mut decoder = Decoder::default();
    decoder.set_max_table_size(0);
    decoder.set_max_table_size(4096);
    let try_decode = |hex| decoder.clone().decode(&from_hex(hex), &NO_LIMITS, &mut FieldSection::new());
    assert_eq!(try_decode("3f e1 1f 82"), COMPRESSION, "4,096 alone");
    assert_eq!(try_decode("20 82"), Ok(Decoded::Whole), "0 alone");
    assert_eq!(try_decode("20 3f e1 1f 82"), Ok(Decoded::Whole), "0, then 4,096");
}

#[test]
fn larger_table_requires_no_size_update() {
    let mut decoder = Decoder::default();
    decoder.set_max_table_size(8192);
    decode(&mut decoder, &from_hex("82"));
    assert_eq!(decoder.table.max_size(), 4096);
    decode(&mut decoder, &from_hex("3f e1 3f 82"));
    assert_eq!(decoder.table.max_size(), 8192);
}

#[test]
fn size_updates_report_evicted_bytes() {
    let mut decoder = Decoder::default();
    decode(&mut decoder, &literal_with_indexing("a", "b"));
    assert_eq!(decoder.evicted_by_updates(), 0);
    decode(&mut decoder, &from_hex("20 3f e1 1f 82"));
    assert_eq!(decoder.evicted_by_updates(), 34);
    decode(&mut decoder, &from_hex("82"));
    assert_eq!(decoder.evicted_by_updates(), 0);
}

#[test]
fn invalid_fields_are_defects_not_errors() {
    let mut decoder = Decoder::default();
    let mut defect = |block: &[u8]| decode(&mut decoder, block).defect();
    assert_eq!(defect(&literal_with_indexing("Upper", "a")), Some(Malformed::FieldName));
    assert_eq!(defect(&from_hex("be")), Some(Malformed::FieldName), "by index");
    assert_eq!(defect(&from_hex("7e 01 61")), Some(Malformed::FieldName), "the name by index");
    assert_eq!(defect(&literal_with_indexing("a", "b\nc")), Some(Malformed::FieldValue));
    assert_eq!(defect(&from_hex("82 be 86")), Some(Malformed::FieldValue), "by index");
    assert_eq!(defect(&from_hex("7e 01 61")), None, "the name by index, with a valid value");
    assert_eq!(defect(&literal_with_indexing("", "")), Some(Malformed::FieldName));
    assert_eq!(defect(&from_hex("82")), None, "the next section");
}

#[test]
fn never_indexed_flag_survives_forwarding() {
    let mut section = FieldSection::new();
    section.push_never_indexed(b"x-token", b"abc");
    section.push(b"x-other", b"def");
    let block = encode(&mut Encoder::default(), &section);
    let mut decoder = Decoder::default();
    let first = decode(&mut decoder, &block);
    assert_eq!(first, section);
    // Encode again, as an intermediary would.
    let second = decode(&mut Decoder::default(), &encode(&mut Encoder::default(), &first));
    assert_eq!(second.iter().map(|field| field.never_indexed).collect::<Vec<_>>(), [true, false]);
    assert_eq!(decoder.table.size(), "x-other".len() + "def".len() + 32);
}

/// Four fields (":method: GET"), each of which counts as 42 bytes towards SETTINGS_MAX_HEADER_LIST_SIZE.
const FOUR_FIELDS: &str = "82 82 82 82";

#[test]
fn soft_limit_drops_fields() {
    let keep_two = [
        SectionLimits { list_size: 2 * 42, ..NO_LIMITS },
        SectionLimits { list_size: 3 * 42 - 1, ..NO_LIMITS },
        SectionLimits { fields: 2, ..NO_LIMITS },
    ];
    for limits in keep_two {
        let mut section = FieldSection::new();
        let result = Decoder::default().decode(&from_hex(FOUR_FIELDS), &limits, &mut section);
        assert_eq!(result, Ok(Decoded::TooLarge), "{limits:?}");
        assert_eq!(section.len(), 2, "{limits:?}");
    }
}

#[test]
fn section_exactly_at_the_limits_is_kept() {
    for limits in [
        SectionLimits { list_size: 4 * 42, list_size_hard: 4 * 42, ..NO_LIMITS },
        SectionLimits { fields: 4, fields_hard: 4, ..NO_LIMITS },
    ] {
        let mut section = FieldSection::new();
        let result = Decoder::default().decode(&from_hex(FOUR_FIELDS), &limits, &mut section);
        assert_eq!(result, Ok(Decoded::Whole), "{limits:?}");
        assert_eq!(section.size(), 4 * 42);
    }
}

#[test]
fn hard_limit_is_an_error() {
    for limits in [
        SectionLimits { list_size_hard: 4 * 42 - 1, ..NO_LIMITS },
        SectionLimits { fields_hard: 3, ..NO_LIMITS },
    ] {
        let result = Decoder::default().decode(&from_hex(FOUR_FIELDS), &limits, &mut FieldSection::new());
        assert_eq!(result, Err(DecodeError::TooLarge), "{limits:?}");
    }
    let limits = SectionLimits { list_size_hard: 10, ..NO_LIMITS };
    // The length alone, 11 bytes, exceeds the limit; the string is missing.
    let result = Decoder::default().decode(&from_hex("00 0b"), &limits, &mut FieldSection::new());
    assert_eq!(result, Err(DecodeError::TooLarge));
}

#[test]
fn cookie_crumbs_have_their_own_limit() {
    // Three crumbs with empty values, and another field.
    let block = from_hex("a0 a0 a0 82");
    let decode = |limits: SectionLimits| Decoder::default().decode(&block, &limits, &mut FieldSection::new());
    assert_eq!(decode(SectionLimits { fields: 1, cookie_crumbs: 3, ..NO_LIMITS }), Ok(Decoded::Whole));
    assert_eq!(decode(SectionLimits { cookie_crumbs: 2, ..NO_LIMITS }), Ok(Decoded::TooLarge));
    assert_eq!(decode(SectionLimits { fields_hard: 3, ..NO_LIMITS }), Err(DecodeError::TooLarge));
}

#[test]
fn dropped_fields_are_inserted_into_the_table() {
    let mut decoder = Decoder::default();
    let mut block = from_hex("82");
    block.extend(literal_with_indexing("a", "b"));
    let limits = SectionLimits { fields: 1, ..NO_LIMITS };
    let mut section = FieldSection::new();
    assert_eq!(decoder.decode(&block, &limits, &mut section), Ok(Decoded::TooLarge));
    assert_eq!(texts(&section), [":method: GET"]);
    assert_eq!(texts(&decode(&mut decoder, &from_hex("be"))), ["a: b"]);
}

#[test]
fn decompression_bomb_stays_within_the_limits() {
    // An entry about as large as the table, then many one-byte references to it.
    let mut block = literal_with_indexing("a", &"x".repeat(4000));
    block.extend([0xbe; 10_000]);
    let limits = SectionLimits { list_size: 32_768, list_size_hard: 65_536, ..NO_LIMITS };
    let mut section = FieldSection::new();
    assert_eq!(Decoder::default().decode(&block, &limits, &mut section), Err(DecodeError::TooLarge));
    assert!(section.size() <= 32_768);
}

#[test]
fn random_bytes_are_decoded_or_refused() {
    let mut random = Generator::new(2);
    let limits = SectionLimits {
        list_size: 2000,
        list_size_hard: 4000,
        fields: 20,
        fields_hard: 40,
        cookie_crumbs: 10,
    };
    let mut section = FieldSection::new();
    for _ in 0..20_000 {
        let mut decoder = Decoder::new(200);
        for _ in 0..4 {
            let length = random.below(40);
            let block: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
            let result = decoder.decode(&block, &limits, &mut section);
            assert!(section.size() <= 2000 && section.len() <= 30);
            assert!(decoder.table.size() <= 200);
            if result.is_err() {
                break;
            }
        }
    }
}
