//! Huffman-coded strings (RFC 7541, 5.2).

use super::huffman_table::{Code, LENGTHS, LOOKUP, LOOKUP_BITS, Symbols, code, symbol};

/// The number of look-ups between two refills. Together they yield at most 8 bytes and consume at most
/// `LOOKUPS_PER_REFILL * LOOKUP_BITS` bits, fewer than a refill provides.
const LOOKUPS_PER_REFILL: u32 = 4;

/// Returns up to eight bytes, the first one highest, followed by ones.
#[cold]
fn padded(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(u64::MAX, |word, &octet| word >> 8 | u64::from(octet) << 56)
}

/// Decodes the string in the first `length` bytes of `input`, and appends the result to `out`.
///
/// Returns whether the result consists of visible characters and spaces, as far as the decoder can tell for free.
/// Returns `None` if the string contains EOS, or if its padding is too long or not all ones (RFC 7541, 5.2).
#[inline]
pub(super) fn decode(input: &[u8], length: usize, out: &mut Vec<u8>) -> Option<bool> {
    // The number of bits of the string that are left.
    let mut left = u32::try_from(length).ok()?.checked_mul(8)?;
    // The next bits, the first one highest. `count` of them come from the first `taken` bytes; those below are 0, or
    // the first ones of the next bytes.
    let (mut word, mut count, mut taken) = (0_u64, 0_u32, 0_usize);
    let mut visible = true;
    loop {
        // Fill the word to at least 56 bits. No code begins with so many ones: those behind the string extend its
        // padding, and need no check for its end.
        let rest = input.get(taken..).unwrap_or_default();
        let next = rest.first_chunk().map_or_else(|| padded(rest), |chunk| u64::from_be_bytes(*chunk));
        word |= next.wrapping_shr(count) | u64::MAX.unbounded_shr(left);
        taken = taken.wrapping_add((63_u32.wrapping_sub(count) / 8) as usize);
        count |= 56;
        if word == u64::MAX {
            return (left < 8).then_some(visible);
        }
        let (mut octets, mut sum) = (0_u64, Symbols::NONE);
        for _ in 0..LOOKUPS_PER_REFILL {
            // A code longer than the look-up has zero width and length here, so the position doesn't advance.
            let symbols = *LOOKUP.get(word.wrapping_shr(u64::BITS.wrapping_sub(LOOKUP_BITS)) as usize)?;
            octets |= symbols.octets().wrapping_shl(sum.width());
            word = word.wrapping_shl(symbols.length());
            sum = sum.then(symbols);
        }
        let mut consumed = sum.length();
        if consumed == 0 {
            let (symbol, length) = symbol(word.wrapping_shr(32) as u32)?;
            out.push(u8::try_from(symbol).ok()?);
            visible = false;
            word = word.wrapping_shl(length);
            consumed = length;
        } else {
            // Writing all eight bytes and truncating is cheaper than writing the exact number.
            let end = out.len().wrapping_add((sum.width() / 8) as usize);
            out.extend_from_slice(&octets.to_le_bytes());
            out.truncate(end);
        }
        count = count.wrapping_sub(consumed);
        left = left.checked_sub(consumed)?;
    }
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
    let mut bits = Unwritten::default();
    let (groups, rest) = string.as_chunks::<4>();
    for group in groups {
        let codes = group.map(code);
        let length = codes.iter().fold(0_u32, |length, code| length.wrapping_add(code.length.into()));
        if length <= Unwritten::ROOM {
            codes.into_iter().for_each(|code| bits.push(code));
            bits.write_bytes(out);
        } else {
            for code in codes {
                bits.push(code);
                bits.write_bytes(out);
            }
        }
    }
    for &octet in rest {
        bits.push(code(octet));
        bits.write_bytes(out);
    }
    if bits.count > 0 {
        out.push((bits.word << 8 | 0xff).wrapping_shr(bits.count) as u8);
    }
}

/// Bits that are not yet written.
#[derive(Default)]
struct Unwritten {
    /// The bits, the last one lowest; those above are written.
    word: u64,
    count: u32,
}

impl Unwritten {
    /// The number of bits that there is room for besides those of an incomplete byte.
    const ROOM: u32 = 56;

    #[inline]
    fn push(&mut self, code: Code) {
        self.word = self.word.wrapping_shl(code.length.into()) | u64::from(code.bits);
        self.count = self.count.wrapping_add(code.length.into());
    }

    /// Writes all complete bytes: always eight, of which it takes the incomplete ones back.
    #[inline]
    fn write_bytes(&mut self, out: &mut Vec<u8>) {
        let end = out.len().wrapping_add((self.count / 8) as usize);
        out.extend_from_slice(&self.word.wrapping_shl(u64::BITS.wrapping_sub(self.count)).to_be_bytes());
        out.truncate(end);
        self.count %= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpack::tests::{Generator, from_hex};

    /// Decodes a string, which has the same result whatever follows it.
    fn decoded(string: &[u8]) -> Option<Vec<u8>> {
        let results = [&[][..], &[0], &[0xff], &[0; 20], &[0xff; 20], b"behind"].map(|behind| {
            let mut out = b"before ".to_vec();
            let visible = decode(&[string, behind].concat(), string.len(), &mut out)?;
            let result = out.strip_prefix(b"before ").unwrap().to_vec();
            assert!(!visible || result.iter().all(|octet| matches!(octet, b' '..=b'~')));
            Some(result)
        });
        assert!(results.iter().all(|result| *result == results[0]));
        results.into_iter().next().flatten()
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
