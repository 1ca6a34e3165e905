//! Integers with a prefix of one to eight bits (RFC 7541, 5.1).

/// The most bytes that may follow the prefix: enough for any 32-bit integer. Without a limit, a peer could pad an
/// integer with zeros indefinitely.
const MAX_CONTINUATION: u32 = 5;

/// Decodes an integer whose first byte was already taken from `input`.
///
/// Returns `None` if the input ends too early, or if the integer exceeds 32 bits or the byte limit.
#[inline]
pub(super) fn decode(first: u8, prefix_bits: u32, input: &mut &[u8]) -> Option<u32> {
    let mask = prefix_mask(prefix_bits);
    let prefix = first & mask;
    if prefix < mask { Some(prefix.into()) } else { decode_long(mask, input) }
}

#[inline(never)]
fn decode_long(mask: u8, input: &mut &[u8]) -> Option<u32> {
    let mut value = u64::from(mask);
    for place in 0..MAX_CONTINUATION {
        let (&octet, rest) = input.split_first()?;
        *input = rest;
        // Five groups of seven bits on top of a prefix fit in 64 bits.
        let group = u64::from(octet & 0x7f).checked_shl(place.wrapping_mul(7))?;
        value = value.checked_add(group)?;
        if octet & 0x80 == 0 {
            return u32::try_from(value).ok();
        }
    }
    None
}

/// Appends an integer. `pattern` holds the bits that precede the prefix in the first byte.
#[inline]
pub(super) fn encode(value: u32, pattern: u8, prefix_bits: u32, out: &mut Vec<u8>) {
    let mask = prefix_mask(prefix_bits);
    match u8::try_from(value) {
        Ok(small) if small < mask => out.push(pattern | small),
        _ => encode_long(value.saturating_sub(mask.into()), pattern | mask, out),
    }
}

fn encode_long(mut value: u32, first: u8, out: &mut Vec<u8>) {
    out.push(first);
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
const fn prefix_mask(bits: u32) -> u8 {
    u8::MAX.unbounded_shr(8_u32.saturating_sub(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_all(octets: &[u8], prefix_bits: u32) -> Option<u32> {
        let (first, mut rest) = octets.split_first()?;
        let value = decode(*first, prefix_bits, &mut rest)?;
        assert!(rest.is_empty());
        Some(value)
    }

    #[test]
    fn rfc_examples() {
        // RFC 7541, C.1.1 to C.1.3.
        for (value, prefix_bits, octets) in
            [(10, 5, &[0b01010][..]), (1337, 5, &[0b11111, 0b10011010, 0b00001010]), (42, 8, &[0b00101010])]
        {
            let mut out = Vec::new();
            encode(value, 0, prefix_bits, &mut out);
            assert_eq!(out, octets);
            assert_eq!(decode_all(octets, prefix_bits), Some(value));
        }
    }

    #[test]
    fn every_prefix_and_magnitude_round_trips() {
        for prefix_bits in 1..=8 {
            for shift in 0..32 {
                for value in [(1_u32 << shift) - 1, 1 << shift, u32::MAX - shift] {
                    let mut out = Vec::new();
                    encode(value, 0, prefix_bits, &mut out);
                    assert_eq!(decode_all(&out, prefix_bits), Some(value), "{value} with {prefix_bits} bits");
                }
            }
        }
    }

    #[test]
    fn bits_before_the_prefix_are_ignored() {
        let mut out = Vec::new();
        encode(3, 0b0100_0000, 6, &mut out);
        assert_eq!(out, [0b0100_0011]);
        assert_eq!(decode_all(&[0b1110_0011], 4), Some(3));
    }

    #[test]
    fn oversized_overlong_and_truncated_integers_are_rejected() {
        // 2^32 with an eight-bit prefix is rejected; 2^32 - 1, the largest valid value, is accepted.
        assert_eq!(decode_all(&[0xff, 0x81, 0xfe, 0xff, 0xff, 0x0f], 8), None);
        assert_eq!(decode_all(&[0xff, 0x80, 0xfe, 0xff, 0xff, 0x0f], 8), Some(u32::MAX));
        // Redundant zeros are accepted up to the fifth byte.
        assert_eq!(decode_all(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x00], 8), Some(255));
        assert_eq!(decode(0xff, 8, &mut &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..]), None);
        assert_eq!(decode(0xff, 8, &mut &[0x80][..]), None);
        assert_eq!(decode(0xff, 8, &mut &[][..]), None);
    }
}
