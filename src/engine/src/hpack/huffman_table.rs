//! The Huffman code (RFC 7541, Appendix B) and the tables computed from it.

/// The end-of-string symbol, which must not appear in a string (RFC 7541, 5.2).
pub(super) const EOS: usize = 256;

/// The code length of each byte and of [`EOS`], in bits.
///
/// The code is canonical: codes of the same length are consecutive numbers in symbol order, and each length
/// continues where the previous one ended. The lengths alone therefore define the code.
#[rustfmt::skip]
pub(super) static LENGTHS: [u8; EOS + 1] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The length of the longest code, in bits.
const MAX_LENGTH: usize = 30;

/// The code of one symbol, in the lowest `length` bits.
#[derive(Clone, Copy)]
pub(super) struct Code {
    pub(super) bits: u32,
    pub(super) length: u8,
}

/// Returns the code of a byte.
#[inline]
pub(super) fn code(octet: u8) -> Code {
    let place = usize::from(octet);
    match (BITS.get(place), LENGTHS.get(place)) {
        (Some(&bits), Some(&length)) => Code { bits, length },
        _ => Code { bits: 0, length: 0 },
    }
}

/// The bits of the codes in [`CODES`], without the padding that their lengths would need.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
static BITS: [u32; 256] = {
    let mut bits = [0; 256];
    let mut octet = 0;
    while octet < bits.len() {
        bits[octet] = CODES[octet].bits;
        octet += 1;
    }
    bits
};

/// The code of each byte.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
const CODES: [Code; 256] = {
    let mut codes = [Code { bits: 0, length: 0 }; 256];
    let mut place = 0;
    while place < GROUPS.symbols.len() {
        let symbol = GROUPS.symbols[place] as usize;
        let length = LENGTHS[symbol];
        let group = &GROUPS.groups[length as usize];
        if symbol != EOS {
            codes[symbol] = Code { bits: group.first_code + place as u32 - group.first_symbol, length };
        }
        place += 1;
    }
    codes
};

/// All codes of one length.
#[derive(Clone, Copy)]
struct Group {
    first_code: u32,
    /// The position of the first code's symbol in [`Groups::symbols`].
    first_symbol: u32,
    /// The lowest 32-bit number above all those that begin with one of these codes or a shorter one.
    end: u64,
}

/// The codes, grouped by length.
struct Groups {
    groups: [Group; MAX_LENGTH + 1],
    /// The symbols, in code order.
    symbols: [u16; EOS + 1],
}

#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
static GROUPS: Groups = {
    let mut groups = [Group { first_code: 0, first_symbol: 0, end: 0 }; MAX_LENGTH + 1];
    let mut symbols = [0; EOS + 1];
    let (mut code, mut count, mut length) = (0, 0, 1);
    while length <= MAX_LENGTH {
        code <<= 1;
        let (first_code, first_symbol) = (code, count);
        let mut symbol = 0;
        while symbol <= EOS {
            if LENGTHS[symbol] as usize == length {
                symbols[count as usize] = symbol as u16;
                code += 1;
                count += 1;
            }
            symbol += 1;
        }
        groups[length] = Group { first_code, first_symbol, end: (code as u64) << (32 - length) };
        length += 1;
    }
    Groups { groups, symbols }
};

/// Returns the symbol whose code `bits` begins with, and the code's length.
pub(super) fn symbol(bits: u32) -> Option<(usize, u32)> {
    let (length, group) = (0_u32..).zip(&GROUPS.groups).find(|(_, group)| u64::from(bits) < group.end)?;
    let code = bits.checked_shr(32_u32.checked_sub(length)?)?;
    let place = code.checked_sub(group.first_code)?.checked_add(group.first_symbol)?;
    let symbol = GROUPS.symbols.get(place as usize)?;
    Some((usize::from(*symbol), length))
}

/// The number of bits per look-up: natively, enough for two bytes of six bits, such as most letters. In WebAssembly,
/// the size of the table counts more.
pub(super) const LOOKUP_BITS: u32 = if cfg!(target_family = "wasm") { 11 } else { 12 };

/// The bytes decoded by a look-up or by several, in one word: their number of bits, the total length of their codes,
/// and for one look-up the one or two bytes.
#[derive(Clone, Copy)]
pub(super) struct Symbols(u32);

impl Symbols {
    /// No bytes: the code is longer than the look-up.
    pub(super) const NONE: Self = Self(0);

    /// A byte with its code.
    const fn one(octet: u8, length: u8) -> Self {
        Self((octet as u32) << 16 | 8 << 8 | length as u32)
    }

    /// Returns the decoded bytes of one look-up, the first in the lowest bits.
    #[inline]
    pub(super) const fn octets(self) -> u64 {
        (self.0 >> 16) as u64
    }

    /// Returns the number of bits in the decoded bytes, with more above the lowest six bits.
    #[inline]
    pub(super) const fn width(self) -> u32 {
        self.0 >> 8 & 0xff
    }

    /// Returns the total length of the codes in bits.
    #[inline]
    pub(super) const fn length(self) -> u32 {
        self.0 & 0xff
    }

    /// Adds widths and lengths.
    #[inline]
    pub(super) const fn then(self, other: Self) -> Self {
        Self((self.0 & 0xffff).wrapping_add(other.0 & 0xffff))
    }
}

/// The decoded bytes, indexed by the next bits of the input.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
pub(super) static LOOKUP: [Symbols; 1 << LOOKUP_BITS] = {
    let single = single_symbols();
    let mut pairs = single;
    let mut bits = 0;
    while bits < single.len() {
        let first = single[bits];
        let second = single[(bits << first.length()) % single.len()];
        let both = first.then(second);
        if first.length() != 0 && second.length() != 0 && both.length() <= LOOKUP_BITS {
            pairs[bits] = Symbols(both.0 | ((first.octets() | second.octets() << 8) as u32) << 16);
        }
        bits += 1;
    }
    pairs
};

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed at compile time")]
const fn single_symbols() -> [Symbols; 1 << LOOKUP_BITS] {
    let mut table = [Symbols::NONE; 1 << LOOKUP_BITS];
    let mut octet = 0;
    while octet < CODES.len() {
        let code = CODES[octet];
        if code.length as u32 <= LOOKUP_BITS {
            let free_bits = LOOKUP_BITS - code.length as u32;
            let mut bits = code.bits << free_bits;
            while bits < (code.bits + 1) << free_bits {
                table[bits as usize] = Symbols::one(octet as u8, code.length);
                bits += 1;
            }
        }
        octet += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_complete() {
        let sum: u64 = LENGTHS.iter().map(|&length| 1 << (MAX_LENGTH - usize::from(length))).sum();
        assert_eq!(sum, 1 << MAX_LENGTH, "the sum of Kraft's inequality is 1");
    }

    #[test]
    fn no_code_is_a_prefix_of_another() {
        for (a, one) in CODES.iter().enumerate() {
            for (b, other) in
                CODES.iter().enumerate().filter(|(b, other)| *b != a && other.length >= one.length)
            {
                assert_ne!(other.bits >> (other.length - one.length), one.bits, "{a:#x} and {b:#x}");
            }
        }
    }

    #[test]
    fn codes_match_the_rfc() {
        // Excerpt of RFC 7541, Appendix B: the first and last codes of several lengths.
        for (octet, bits, length) in [
            (b'0', 0x0, 5),
            (b't', 0x9, 5),
            (b' ', 0x14, 6),
            (b':', 0x5c, 7),
            (b'Z', 0xfd, 8),
            (b'?', 0x3fc, 10),
            (b'|', 0x7fc, 11),
            (b'>', 0xffb, 12),
            (b'}', 0x3ffd, 14),
            (b'{', 0x7ffe, 15),
            (b'\\', 0x7fff0, 19),
            (208, 0x7fff2, 19),
            (1, 0x7fffd8, 23),
            (9, 0xffffea, 24),
            (255, 0x3ffffee, 26),
            (254, 0x7fffff0, 27),
            (249, 0xffffffe, 28),
            (b'\n', 0x3ffffffc, 30),
            (22, 0x3ffffffe, 30),
        ] {
            let code = CODES[usize::from(octet)];
            assert_eq!((code.bits, code.length), (bits, length), "{octet:#x}");
        }
        assert_eq!(symbol(u32::MAX), Some((EOS, 30)));
    }

    #[test]
    fn every_symbol_is_found_by_its_code() {
        for (octet, code) in CODES.iter().enumerate() {
            let length = u32::from(code.length);
            assert_eq!(symbol(code.bits << (32 - length)), Some((octet, length)));
        }
    }
}
