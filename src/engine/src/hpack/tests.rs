//! Decoder and encoder against the examples of the RFC, against each other, and against other implementations.

mod encoder;
mod errors;
mod examples;
mod stories;

use super::*;
use crate::{error::Malformed, fields::FieldSection};

/// Limits that no test passes by accident.
pub(super) const NO_LIMITS: Limits = Limits {
    list_size: usize::MAX,
    list_size_hard: usize::MAX,
    fields: usize::MAX,
    fields_hard: usize::MAX,
    cookie_crumbs: usize::MAX,
};

/// A small generator of pseudo-random numbers (splitmix64), so that a failure can be repeated.
pub(super) struct Generator(u64);

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A string of up to `max_len` of the given octets.
    pub(super) fn string(&mut self, alphabet: &[u8], max_len: u64) -> Vec<u8> {
        let length = self.below(max_len + 1);
        (0..length).map(|_| alphabet[self.below(alphabet.len() as u64) as usize]).collect()
    }
}

/// The octets of a string of hexadecimal digits; white space does not count.
pub(super) fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// Decodes a block that has to decode.
fn decode(decoder: &mut Decoder, block: &[u8]) -> FieldSection {
    let mut section = FieldSection::new();
    assert_eq!(decoder.decode(block, &NO_LIMITS, &mut section), Ok(Decoded::Whole));
    section
}

/// The fields of a section as text, one "name: value" each.
fn texts(section: &FieldSection) -> Vec<String> {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    section.iter().map(|field| format!("{}: {}", text(field.name), text(field.value))).collect()
}

/// A section from pairs of text.
fn section(fields: &[(&str, &str)]) -> FieldSection {
    fields.iter().copied().collect()
}

/// The block that an encoder makes.
fn encode(encoder: &mut Encoder, section: &FieldSection) -> Vec<u8> {
    let mut block = Vec::new();
    encoder.encode(section, &mut block);
    block
}
