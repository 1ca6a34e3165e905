//! Checks the HPACK decoder: for any block, its limits hold, and its result equals that of another decoder.
#![no_main]

use fluke_hpack::decoder::DecoderError::{IntegerDecodingError, SizeUpdateAtEnd};
use fluke_hpack::decoder::IntegerDecodingError::TooManyOctets;
use http2_engine::FieldSection;
use http2_engine::hpack::{Decoded, Decoder, SectionLimits};

/// The initial size of the dynamic table in both decoders.
const TABLE: u32 = 4_096;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&[fields, size, crumbs], mut blocks)) = input.split_first_chunk() else { return };
    let limits = SectionLimits {
        list_size: 200 * usize::from(size),
        list_size_hard: 60_000,
        fields: fields.into(),
        fields_hard: 300,
        cookie_crumbs: crumbs.into(),
    };
    let (mut decoder, mut other) = (Decoder::new(TABLE), fluke_hpack::Decoder::new());
    other.set_max_allowed_table_size(TABLE as usize);
    let mut section = FieldSection::new();
    // Each block is preceded by its length.
    while let Some((length, rest)) = blocks.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (block, behind) = rest.split_at(length);
        blocks = behind;
        let decoded = decoder.decode(block, &limits, &mut section);
        assert!(section.size() <= limits.list_size && section.len() <= limits.fields + limits.cookie_crumbs);
        let Ok(decoded) = decoded else { break };
        let expected = match other.decode(block) {
            Ok(expected) => expected,
            // The other decoder is stricter here.
            Err(SizeUpdateAtEnd | IntegerDecodingError(TooManyOctets)) => break,
            Err(error) => panic!("the other decoder rejects the block: {error:?}"),
        };
        if decoded == Decoded::Whole {
            let fields = section.iter().map(|field| (field.name.to_vec(), field.value.to_vec()));
            assert_eq!(fields.collect::<Vec<_>>(), expected);
        }
    }
});
