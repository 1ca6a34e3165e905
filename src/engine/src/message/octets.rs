//! Which octets the parts of a request's target may have (RFC 3986; RFC 9110, 5.6.2).

/// An octet of a token (RFC 9110, 5.6.2).
const TOKEN: u8 = 1;
/// An octet of a scheme behind its first letter (RFC 3986, 3.1).
const SCHEME: u8 = 1 << 1;
/// An octet of a registered name or an IPv4 address (RFC 3986, 3.2.2).
const REG_NAME: u8 = 1 << 2;
/// An octet of an address in brackets (RFC 3986, 3.2.2; RFC 6874, 2).
const ADDRESS: u8 = 1 << 3;

/// The classes of each octet.
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

/// Whether all octets are in a class, and there are any. It looks at each of them, so as not to branch on each.
fn all(octets: &[u8], class: u8) -> bool {
    let classes_of = |octet: u8| CLASSES.get(usize::from(octet)).copied().unwrap_or(0);
    !octets.is_empty() && octets.iter().fold(class, |classes, &octet| classes & classes_of(octet)) != 0
}

/// Whether this is a token: a method, say (RFC 9110, 9.1).
pub(super) fn is_token(octets: &[u8]) -> bool {
    all(octets, TOKEN)
}

/// Whether this is a name of a protocol, with or without a version (RFC 9110, 7.8).
pub(super) fn is_protocol(octets: &[u8]) -> bool {
    octets.splitn(2, |&octet| octet == b'/').all(is_token)
}

/// Whether this is a scheme (RFC 3986, 3.1).
pub(super) fn is_scheme(octets: &[u8]) -> bool {
    octets.first().is_some_and(u8::is_ascii_alphabetic) && all(octets, SCHEME)
}

/// Whether this is a host other than an address in brackets (RFC 3986, 3.2.2), and not an empty one.
pub(super) fn is_reg_name(octets: &[u8]) -> bool {
    all(octets, REG_NAME)
}

/// Whether this can be the address between the brackets of a host (RFC 3986, 3.2.2).
pub(super) fn is_address(octets: &[u8]) -> bool {
    all(octets, ADDRESS)
}

/// A number of one digit or more and nothing else; `None` also beyond 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        let digit = digit.is_ascii_digit().then_some(digit & 0x0f)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// Whether a path and query have no white space, control character or fragment: nothing that ends a request
/// line.
///
/// RFC 3986 forbids more, such as quotes and octets above 0x7f, which clients do send as they were typed.
pub(super) fn is_path(octets: &[u8]) -> bool {
    // Without an early exit, so that the compiler can take many octets at a time.
    !octets.iter().fold(false, |bad, &octet| bad | (octet <= b' ') | (octet == 0x7f) | (octet == b'#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets that make a text of one octet good.
    fn good(is_good: fn(&[u8]) -> bool) -> String {
        (0..=127).filter(|&octet| is_good(&[octet])).map(char::from).collect()
    }

    #[test]
    fn classes_are_those_of_the_rfcs() {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let lower = LETTERS.to_lowercase();
        assert_eq!(good(is_token), format!("!#$%&'*+-.0123456789{LETTERS}^_`{lower}|~"));
        assert_eq!(good(is_reg_name), format!("!$%&'()*+,-.0123456789;={LETTERS}_{lower}~"));
        assert_eq!(good(is_address), format!("!$%&'()*+,-.0123456789:;={LETTERS}_{lower}~"));
        assert_eq!(good(is_scheme), format!("{LETTERS}{lower}"));
        assert_eq!(good(is_path).len(), 128 - 33 - 2);
    }

    #[test]
    fn only_paths_have_octets_above_0x7f() {
        for octet in 0x80..=0xff {
            let octets = [octet];
            assert!(is_path(&octets));
            assert!(!is_token(&octets) && !is_scheme(&octets) && !is_reg_name(&octets));
        }
    }
}
