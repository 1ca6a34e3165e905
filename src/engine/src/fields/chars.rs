//! Validation of field names and field values (RFC 9113, 8.2.1; RFC 9110, 5.1 and 5.5).

use super::octets::any_word;

/// Whether each byte may appear in a field name: a token (RFC 9110, 5.6.2) without upper-case letters.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
const NAME_OCTETS: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = matches!(
            octet as u8,
            b'a'..=b'z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
                | b'`' | b'|' | b'~'
        );
        octet += 1;
    }
    table
};

/// Returns whether a field name is a lower-case token, with at most one leading colon.
///
/// This is stricter than RFC 9113 requires, but HTTP/1.1 receivers rely on it.
pub(crate) fn is_name(name: &[u8]) -> bool {
    let token = name.strip_prefix(b":").unwrap_or(name);
    !token.is_empty()
        && token.iter().all(|&octet| NAME_OCTETS.get(usize::from(octet)).copied().unwrap_or(false))
}

/// Returns whether a field value contains no NUL, CR or LF, and no white space at either end.
#[inline]
pub(crate) fn is_value(value: &[u8]) -> bool {
    is_trimmed(value) && !has_line_break(value)
}

/// Returns whether there is no white space at either end.
#[inline]
pub(crate) fn is_trimmed(value: &[u8]) -> bool {
    match (value.first(), value.last()) {
        // Both are above the space, as a rule.
        (Some(&first), Some(&last)) => {
            first.min(last) > b' ' || !is_white_space(first) && !is_white_space(last)
        }
        _ => true,
    }
}

fn is_white_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Returns whether the bytes include NUL, CR or LF.
#[inline]
fn has_line_break(octets: &[u8]) -> bool {
    // All three are below 0x10, unlike almost any other byte of a value, so test for low bytes eight at a time.
    any_word(octets, low_octets) && octets.iter().any(is_line_break)
}

fn is_line_break(octet: &u8) -> bool {
    matches!(octet, 0 | b'\r' | b'\n')
}

/// Returns a word other than 0 if any of the eight bytes of `word` is below 0x10.
#[inline]
fn low_octets(word: u64) -> u64 {
    const LIMITS: u64 = 0x1010_1010_1010_1010;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    // A borrow can only come from a byte that counts itself.
    word.wrapping_sub(LIMITS) & !word & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_tokens() {
        for name in ["te", "x-1", ":method", "a!#$%&'*+-.^_`|~0"] {
            assert!(is_name(name.as_bytes()), "{name}");
        }
        for name in ["", ":", "Te", "te:", "a:b", "::a", "a b", "a\t", "a\r", "a\0", "(a)", "a\x7f", "\u{e9}"]
        {
            assert!(!is_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn values_have_no_line_break_at_any_position() {
        for length in 1..40 {
            for place in 0..length {
                for octet in 0..=255_u8 {
                    let mut value = vec![b'x'; length];
                    value[place] = octet;
                    let at_an_end = place == 0 || place == length - 1;
                    let bad =
                        matches!(octet, 0 | b'\r' | b'\n') || at_an_end && matches!(octet, b' ' | b'\t');
                    assert_eq!(is_value(&value), !bad, "{octet:#x} at {place} of {length}");
                }
            }
        }
        assert!(is_value(b""));
    }
}
