//! Huffman-coded strings (RFC 7541, 5.2).

use super::huffman_table::{CODES, LENGTHS, LOOKUP, LOOKUP_BITS, Symbols, symbol};

/// How many look-ups are made between two refills: together they give at most 8 octets.
const LOOKUPS_PER_REFILL: u32 = 4;

/// How many bits these look-ups may take; a refill gives 56 at least.
const BITS_PER_REFILL: u32 = LOOKUPS_PER_REFILL * LOOKUP_BITS;

/// The shortest code has 5 bits: 8 octets may come of 5.
const MAX_EXPANSION: usize = 8;
const MAX_EXPANSION_OF: usize = 5;

/// The bits that come next, from the highest one on.
struct Bits<'a> {
    word: u64,
    /// How many bits of `word` count. Lower ones are 0, or what `input` begins with.
    count: u32,
    input: &'a [u8],
}

impl Bits<'_> {
    /// Fills the word to 56 bits or more, or as far as the input goes.
    #[inline]
    fn refill(&mut self) {
        let wanted = 63_u32.saturating_sub(self.count) / 8;
        if let Some(chunk) = self.input.first_chunk::<8>() {
            self.word |= u64::from_be_bytes(*chunk).wrapping_shr(self.count);
            self.input = self.input.get(wanted as usize..).unwrap_or_default();
            self.count |= 56;
        } else {
            let (taken, rest) = self.input.split_at_checked(wanted as usize).unwrap_or((self.input, &[]));
            for &octet in taken {
                self.word |= u64::from(octet).wrapping_shl(56_u32.wrapping_sub(self.count));
                self.count = self.count.wrapping_add(8);
            }
            self.input = rest;
        }
    }

    /// The octets whose codes the bits begin with, as far as one look-up tells.
    #[inline]
    fn look_up(&self) -> Option<&'static Symbols> {
        LOOKUP.get(self.word.wrapping_shr(64_u32.wrapping_sub(LOOKUP_BITS)) as usize)
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.word = self.word.wrapping_shl(bits);
        self.count = self.count.wrapping_sub(bits);
    }

    /// Whether only padding is left: fewer than eight bits, all of them 1 (RFC 7541, 5.2).
    fn is_padding(&self) -> bool {
        self.count < 8 && self.word == !u64::MAX.wrapping_shr(self.count)
    }
}

/// Up to eight octets on their way to the output.
#[derive(Default)]
struct Octets {
    word: u64,
    /// How many bits of `word` are taken, from the lowest on.
    width: u32,
}

impl Octets {
    #[inline]
    fn push(&mut self, symbols: &Symbols) {
        self.word |= u64::from(symbols.octets).wrapping_shl(self.width);
        self.width = self.width.wrapping_add(symbols.width.into());
    }

    /// Appends all eight octets at once, which is cheap, and takes back those that are too many.
    #[inline]
    fn flush(self, out: &mut Vec<u8>) {
        let length = out.len().wrapping_add((self.width / 8) as usize);
        out.extend_from_slice(&self.word.to_le_bytes());
        out.truncate(length);
    }
}

/// Appends the octets that `input` stands for; `None` if it has EOS in it, or padding that is too long or not of
/// ones (RFC 7541, 5.2).
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.reserve((input.len() / MAX_EXPANSION_OF).saturating_add(2).saturating_mul(MAX_EXPANSION));
    let mut bits = Bits { word: 0, count: 0, input };
    loop {
        bits.refill();
        let mut octets = Octets::default();
        if bits.count < BITS_PER_REFILL {
            // The input ends within these bits.
            while let Some(symbols) =
                bits.look_up().filter(|found| found.width != 0 && u32::from(found.length) <= bits.count)
            {
                octets.push(symbols);
                bits.skip(symbols.length.into());
            }
            octets.flush(out);
            if !decode_one(&mut bits, out)? {
                return bits.is_padding().then_some(());
            }
            continue;
        }
        for _ in 0..LOOKUPS_PER_REFILL {
            // A code that is longer than the look-up has neither width nor length here, and stops the progress.
            let symbols = bits.look_up()?;
            octets.push(symbols);
            bits.skip(symbols.length.into());
        }
        let stopped = octets.width == 0;
        octets.flush(out);
        if stopped {
            decode_one(&mut bits, out)?;
        }
    }
}

/// Decodes a single code of any length; `false` if the bits do not make a whole one.
fn decode_one(bits: &mut Bits<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let (symbol, length) = symbol(bits.word.wrapping_shr(32) as u32)?;
    if length > bits.count {
        return Some(false);
    }
    out.push(u8::try_from(symbol).ok()?);
    bits.skip(length);
    Some(true)
}

/// How many octets the string has when Huffman-coded.
pub(super) fn encoded_len(string: &[u8]) -> usize {
    let bits = string.iter().fold(0_usize, |bits, &octet| {
        bits.saturating_add(LENGTHS.get(usize::from(octet)).copied().unwrap_or_default().into())
    });
    bits.div_ceil(8)
}

/// Appends the string, Huffman-coded and padded with ones.
pub(super) fn encode(string: &[u8], out: &mut Vec<u8>) {
    let mut word = 0_u64;
    // The lowest bits of `word` that are still to be written: fewer than 32 between two octets.
    let mut count = 0_u32;
    for &octet in string {
        let Some(code) = CODES.get(usize::from(octet)) else { continue };
        word = word.wrapping_shl(code.length.into()) | u64::from(code.bits);
        count = count.wrapping_add(code.length.into());
        if count >= 32 {
            count = count.wrapping_sub(32);
            out.extend_from_slice(&(word.wrapping_shr(count) as u32).to_be_bytes());
        }
    }
    let padded = (word.wrapping_shl(8) | 0xff).wrapping_shl(56_u32.wrapping_sub(count)).to_be_bytes();
    out.extend_from_slice(padded.get(..count.div_ceil(8) as usize).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpack::tests::{Generator, from_hex};

    fn decoded(input: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"before ".to_vec();
        decode(input, &mut out)?;
        Some(out.strip_prefix(b"before ").unwrap().to_vec())
    }

    fn encoded(string: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(string, &mut out);
        assert_eq!(out.len(), encoded_len(string));
        out
    }

    #[test]
    fn examples_of_the_rfc() {
        // RFC 7541, C.4 and C.6.
        for (string, hex) in [
            ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"),
            ("no-cache", "a8eb10649cbf"),
            ("custom-key", "25a849e95ba97d7f"),
            ("custom-value", "25a849e95bb8e8b4bf"),
            ("302", "6402"),
            ("private", "aec3771a4b"),
            ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
            ("https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"),
            ("gzip", "9bd9ab"),
            (
                "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
                "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ),
        ] {
            assert_eq!(encoded(string.as_bytes()), from_hex(hex), "{string}");
            assert_eq!(decoded(&from_hex(hex)).unwrap(), string.as_bytes());
        }
    }

    #[test]
    fn every_octet_comes_back_at_every_bit_offset() {
        for octet in 0..=255_u8 {
            for before in 0..16 {
                for behind in 0..4 {
                    let mut string = vec![b'a'; before];
                    string.extend([octet, octet]);
                    string.extend(vec![b'Z'; behind]);
                    assert_eq!(decoded(&encoded(&string)).unwrap(), string);
                }
            }
        }
    }

    #[test]
    fn random_strings_come_back() {
        let mut random = Generator::new(1);
        for length in 0..2000 {
            // Strings of any octets, and of frequent ones.
            let highest = if length % 2 == 0 { 256 } else { 32 };
            let string: Vec<u8> =
                (0..length % 300).map(|_| (random.below(highest) as u8).wrapping_add(96)).collect();
            assert_eq!(decoded(&encoded(&string)).unwrap(), string);
        }
    }

    #[test]
    fn padding_is_less_than_an_octet_of_ones() {
        assert_eq!(decoded(b""), Some(vec![]));
        // "0" is 00000; three bits of padding follow.
        assert_eq!(decoded(&[0b0000_0111]), Some(b"0".to_vec()));
        assert_eq!(decoded(&[0b0000_0011]), None);
        assert_eq!(decoded(&[0b0000_0110]), None);
        assert_eq!(decoded(&[0b0000_0111, 0xff]), None);
        assert_eq!(decoded(&[0xff]), None);
        // The same behind more octets than one refill takes.
        for length in 5..40 {
            let string = vec![b'0'; length * 8];
            let mut input = encoded(&string);
            assert_eq!(decoded(&input), Some(string));
            input.push(0xff);
            assert_eq!(decoded(&input), None);
        }
    }

    #[test]
    fn eos_is_an_error() {
        assert_eq!(decoded(&[0xff; 4]), None);
        assert_eq!(decoded(&[0xff; 100]), None);
        // EOS behind "0", and more octets behind it.
        assert_eq!(decoded(&[0b0000_0111, 0xff, 0xff, 0xff, 0b1110_0000, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn a_code_that_is_cut_off_is_an_error() {
        // Octet 1 has a code of 23 bits.
        let input = encoded(&[1]);
        assert_eq!(decoded(&input), Some(vec![1]));
        assert_eq!(decoded(&input[..2]), None);
    }
}
