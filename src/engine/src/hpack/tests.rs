//! Tests of the decoder and the encoder against the RFC's examples, each other, and other implementations.

mod encoder;
mod errors;
mod examples;
mod stories;

use super::*;
use crate::{error::Malformed, fields::FieldSection};

/// Limits too high for any test to exceed by accident.
pub(super) const NO_LIMITS: SectionLimits = SectionLimits {
    list_size: usize::MAX,
    list_size_hard: usize::MAX,
    fields: usize::MAX,
    fields_hard: usize::MAX,
    cookie_crumbs: usize::MAX,
};

/// A small pseudo-random number generator (splitmix64), seeded so that failures are reproducible.
pub(super) struct Generator(u64);

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Returns a string of up to `max_len` bytes from `alphabet`.
    pub(super) fn string(&mut self, alphabet: &[u8], max_len: u64) -> Vec<u8> {
        let length = self.below(max_len + 1);
        (0..length).map(|_| alphabet[self.below(alphabet.len() as u64) as usize]).collect()
    }
}

/// Parses a string of hexadecimal digits, ignoring white space.
pub(super) fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Decodes a block, asserting success.
fn decode(decoder: &mut Decoder, block: &[u8]) -> FieldSection {
    let mut section = FieldSection::new();
    assert_eq!(decoder.decode(block, &NO_LIMITS, &mut section), Ok(Decoded::Whole));
    section
}

/// Formats the fields of a section, each as "name: value".
fn texts(section: &FieldSection) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    section.iter().map(|field| format!("{}: {}", text(field.name), text(field.value))).collect()
}

/// Builds a section from name and value pairs.
fn section(fields: &[(&str, &str)]) -> FieldSection {
    fields.iter().copied().collect()
}

/// Encodes a section into a new block.
fn encode(encoder: &mut Encoder, section: &FieldSection) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.encode(section, &mut block);
    block
}
