//! The bytes allowed in the parts of a request target (RFC 3986; RFC 9110, 5.6.2).

use crate::fields::any_word;

/// A byte of a token (RFC 9110, 5.6.2).
const TOKEN: u8 = 1;
/// A byte of a scheme after its first letter (RFC 3986, 3.1).
const SCHEME: u8 = 1 << 1;
/// A byte of a registered name or an IPv4 address (RFC 3986, 3.2.2).
const REG_NAME: u8 = 1 << 2;
/// A byte of an address in brackets (RFC 3986, 3.2.2; RFC 6874, 2).
const ADDRESS: u8 = 1 << 3;

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut rest = table.as_mut_slice();
    let mut octet = 0_u8;
    while let Some((classes, behind)) = rest.split_first_mut() {
        *classes = classes_of(octet);
        octet = octet.wrapping_add(1);
        rest = behind;
    }
    table
};

const fn classes_of(octet: u8) -> u8 {
    match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.' => TOKEN | SCHEME | REG_NAME | ADDRESS,
        b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'*' | b'%' => TOKEN | REG_NAME | ADDRESS,
        b'(' | b')' | b',' | b';' | b'=' => REG_NAME | ADDRESS,
        b':' => ADDRESS,
        b'#' | b'^' | b'`' | b'|' => TOKEN,
        _ => 0,
    }
}

/// Returns whether `octets` is not empty and all its bytes are in a class.
///
/// It looks at every byte, because an early exit would cost a branch per byte.
fn all(octets: &[u8], class: u8) -> bool {
    let classes_of = |octet: u8| CLASSES.get(usize::from(octet)).copied().unwrap_or(0);
    !octets.is_empty() && octets.iter().fold(class, |classes, &octet| classes & classes_of(octet)) != 0
}

/// Returns whether this is a token, such as a method (RFC 9110, 9.1).
pub(super) fn is_token(octets: &[u8]) -> bool {
    all(octets, TOKEN)
}

/// Returns whether this is a protocol name, with or without a version (RFC 9110, 7.8).
pub(super) fn is_protocol(octets: &[u8]) -> bool {
    octets.splitn(2, |&octet| octet == b'/').all(is_token)
}

/// Returns whether this is a scheme (RFC 3986, 3.1).
pub(super) fn is_scheme(octets: &[u8]) -> bool {
    octets.first().is_some_and(u8::is_ascii_alphabetic) && all(octets, SCHEME)
}

/// Returns whether this is a non-empty host other than an address in brackets (RFC 3986, 3.2.2).
pub(super) fn is_reg_name(octets: &[u8]) -> bool {
    all(octets, REG_NAME)
}

/// Returns whether this can be the address between the brackets of a host (RFC 3986, 3.2.2).
pub(super) fn is_address(octets: &[u8]) -> bool {
    all(octets, ADDRESS)
}

/// Parses a number of one or more digits; returns `None` for anything else, and beyond 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = digit.is_ascii_digit().then_some(digit & 0x0f)?;
        // In WebAssembly, `checked_mul` would multiply 128 bits.
        let tens = (number <= u64::MAX / 10).then_some(number.wrapping_mul(10))?;
        tens.checked_add(digit.into())
    })
}

/// Returns whether a path and query have no white space, control character or fragment, so that they cannot end a
/// request line.
///
/// RFC 3986 forbids more, such as quotes and bytes above 0x7f, which clients do send as they were typed.
pub(super) fn is_path(octets: &[u8]) -> bool {
    let is_bad = |octet: &u8| matches!(octet, 0..=b' ' | b'#' | 0x7f);
    !(any_word(octets, rare_octets) && octets.iter().any(is_bad))
}

/// Returns a word other than 0 if any of the eight bytes of `word` is at most '#' or at least 0x7f.
fn rare_octets(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // A borrow or a carry can only come from a byte that counts itself.
    (word.wrapping_sub(ONES * 0x24) | word.wrapping_add(ONES)) & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the ASCII characters that are valid on their own.
    fn good(is_good: fn(&[u8]) -> bool) -> String {
        (0..=127).filter(|&octet| is_good(&[octet])).map(char::from).collect()
    }

    #[test]
    fn classes_match_the_rfcs() {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let lower = LETTERS.to_lowercase();
        assert_eq!(good(is_token), format!("!#$%&'*+-.0123456789{LETTERS}^_`{lower}|~"));
        assert_eq!(good(is_reg_name), format!("!$%&'()*+,-.0123456789;={LETTERS}_{lower}~"));
        assert_eq!(good(is_address), format!("!$%&'()*+,-.0123456789:;={LETTERS}_{lower}~"));
        assert_eq!(good(is_scheme), format!("{LETTERS}{lower}"));
        assert_eq!(good(is_path).len(), 128 - 33 - 2);
    }

    #[test]
    fn bad_bytes_of_paths_are_found_anywhere() {
        for length in 1..20 {
            for place in 0..length {
                for filler in [b'a', b'~', 0xff] {
                    for octet in 0..=255_u8 {
                        let mut path = vec![filler; length];
                        path[place] = octet;
                        let bad = octet <= b' ' || octet == b'#' || octet == 0x7f;
                        assert_eq!(is_path(&path), !bad, "{octet:#x} at {place} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_paths_allow_bytes_above_0x7f() {
        for octet in 0x80..=0xff {
            let octets = [octet];
            assert!(is_path(&octets));
            assert!(!is_token(&octets) && !is_scheme(&octets) && !is_reg_name(&octets));
        }
    }
}
