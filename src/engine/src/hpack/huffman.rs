//! Huffman-coded strings (RFC 7541, 5.2).

use super::huffman_table::{CODES, LENGTHS, LOOKUP, LOOKUP_BITS, Symbols, symbol};

/// The number of look-ups between two refills. Together they yield at most 8 bytes.
const LOOKUPS_PER_REFILL: u32 = 4;

/// The most bits these look-ups can consume. A refill provides at least 56.
const BITS_PER_REFILL: u32 = LOOKUPS_PER_REFILL * LOOKUP_BITS;

/// The shortest code has 5 bits, so 5 bytes can expand to 8.
const MAX_EXPANSION: usize = 8;
const MAX_EXPANSION_OF: usize = 5;

/// The next bits of the input, highest first.
struct Bits<'a> {
    word: u64,
    /// The number of valid bits in `word`. Lower bits are 0 or the first bits of `input`.
    count: u32,
    input: &'a [u8],
}

impl Bits<'_> {
    /// Fills `word` to at least 56 bits, or until `input` is empty.
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

    /// Looks up the bytes whose codes the bits begin with, up to the limit of one look-up.
    #[inline]
    fn look_up(&self) -> Option<&'static Symbols> {
        LOOKUP.get(self.word.wrapping_shr(64_u32.wrapping_sub(LOOKUP_BITS)) as usize)
    }

    #[inline]
    fn skip(&mut self, bits: u32) {
        self.word = self.word.wrapping_shl(bits);
        self.count = self.count.wrapping_sub(bits);
    }

    /// Returns whether only padding is left: fewer than eight bits, all of them 1 (RFC 7541, 5.2).
    fn is_padding(&self) -> bool {
        self.count < 8 && self.word == !u64::MAX.wrapping_shr(self.count)
    }
}

/// Up to eight decoded bytes, not yet written to the output.
#[derive(Default)]
struct Octets {
    word: u64,
    /// The number of bits used in `word`, from the lowest.
    width: u32,
}

impl Octets {
    #[inline]
    fn push(&mut self, symbols: &Symbols) {
        self.word |= u64::from(symbols.octets).wrapping_shl(self.width);
        self.width = self.width.wrapping_add(symbols.width.into());
    }

    /// Appends the decoded bytes. Writing all eight and truncating is cheaper than writing the exact number.
    #[inline]
    fn flush(self, out: &mut Vec<u8>) {
        let length = out.len().wrapping_add((self.width / 8) as usize);
        out.extend_from_slice(&self.word.to_le_bytes());
        out.truncate(length);
    }
}

/// Decodes `input` and appends the result to `out`.
///
/// Returns `None` if `input` contains EOS, or if its padding is too long or not all ones (RFC 7541, 5.2).
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
            // A code longer than the look-up has zero width and length here, so the position doesn't advance.
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

/// Decodes a single code of any length. Returns `false` if the remaining bits don't form a complete code.
fn decode_one(bits: &mut Bits<'_>, out: &mut Vec<u8>) -> Option<bool> {
    let (symbol, length) = symbol(bits.word.wrapping_shr(32) as u32)?;
    if length > bits.count {
        return Some(false);
    }
    out.push(u8::try_from(symbol).ok()?);
    bits.skip(length);
    Some(true)
}

/// Returns the Huffman-coded length of `string` in bytes.
pub(super) fn encoded_len(string: &[u8]) -> usize {
    let bits = string.iter().fold(0_usize, |bits, &octet| {
        bits.saturating_add(LENGTHS.get(usize::from(octet)).copied().unwrap_or_default().into())
    });
    bits.div_ceil(8)
}

/// Appends the Huffman-coded string, padded with ones.
pub(super) fn encode(string: &[u8], out: &mut Vec<u8>) {
    let mut word = 0_u64;
    // The number of low bits of `word` not yet written: fewer than 32 between two bytes.
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
    fn rfc_examples() {
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
    fn every_byte_round_trips_at_every_bit_offset() {
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
    fn random_strings_round_trip() {
        let mut random = Generator::new(1);
        for length in 0..2000 {
            // Alternate between arbitrary bytes and frequent ones.
            let highest = if length % 2 == 0 { 256 } else { 32 };
            let string: Vec<u8> =
                (0..length % 300).map(|_| (random.below(highest) as u8).wrapping_add(96)).collect();
            assert_eq!(decoded(&encoded(&string)).unwrap(), string);
        }
    }

    #[test]
    fn padding_must_be_under_eight_bits_and_all_ones() {
        assert_eq!(decoded(b""), Some(vec![]));
        // "0" is 00000; three bits of padding follow.
        assert_eq!(decoded(&[0b0000_0111]), Some(b"0".to_vec()));
        assert_eq!(decoded(&[0b0000_0011]), None);
        assert_eq!(decoded(&[0b0000_0110]), None);
        assert_eq!(decoded(&[0b0000_0111, 0xff]), None);
        assert_eq!(decoded(&[0xff]), None);
        // The same checks past the first refill.
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
        // EOS after "0", followed by more bytes.
        assert_eq!(decoded(&[0b0000_0111, 0xff, 0xff, 0xff, 0b1110_0000, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn truncated_code_is_an_error() {
        // Byte 1 has a 23-bit code.
        let input = encoded(&[1]);
        assert_eq!(decoded(&input), Some(vec![1]));
        assert_eq!(decoded(&input[..2]), None);
    }
}
