//! The static table (RFC 7541, Appendix A).

use crate::fields::{Name, equal};

/// The number of entries. Dynamic table indices follow these (RFC 7541, 2.3.3).
pub(super) const LEN: usize = ENTRIES.len();

/// Returns the entry at `index`, which counts from 1.
#[inline]
pub(super) fn get(index: usize) -> Option<(Name, &'static str)> {
    ENTRIES.get(index.checked_sub(1)?).copied()
}

/// Returns the index of the first entry with this name.
#[inline]
pub(super) fn find_name(name: Name) -> Option<u8> {
    FIRST.get(name.number()).copied().filter(|&index| index != 0)
}

/// Returns the index of the entry with this name and value.
#[inline]
pub(super) fn find(name: Name, value: &[u8]) -> Option<u8> {
    let first = find_name(name)?;
    let entries = ENTRIES.get(usize::from(first.wrapping_sub(1))..)?;
    let of_name = entries.iter().take_while(|entry| entry.0 == name);
    (first..).zip(of_name).find(|(_, entry)| equal(entry.1.as_bytes(), value)).map(|(index, _)| index)
}

/// The index of the first entry for each known name, or 0 if the table has none.
#[allow(clippy::indexing_slicing, reason = "computed at compile time")]
static FIRST: [u8; Name::COUNT] = {
    let mut first = [0; Name::COUNT];
    let mut index = LEN;
    while index > 0 {
        first[ENTRIES[index - 1].0.number()] = index as u8;
        index -= 1;
    }
    first
};

static ENTRIES: [(Name, &str); 61] = [
    (Name::AUTHORITY, ""),
    (Name::METHOD, "GET"),
    (Name::METHOD, "POST"),
    (Name::PATH, "/"),
    (Name::PATH, "/index.html"),
    (Name::SCHEME, "http"),
    (Name::SCHEME, "https"),
    (Name::STATUS, "200"),
    (Name::STATUS, "204"),
    (Name::STATUS, "206"),
    (Name::STATUS, "304"),
    (Name::STATUS, "400"),
    (Name::STATUS, "404"),
    (Name::STATUS, "500"),
    (Name::ACCEPT_CHARSET, ""),
    (Name::ACCEPT_ENCODING, "gzip, deflate"),
    (Name::ACCEPT_LANGUAGE, ""),
    (Name::ACCEPT_RANGES, ""),
    (Name::ACCEPT, ""),
    (Name::ACCESS_CONTROL_ALLOW_ORIGIN, ""),
    (Name::AGE, ""),
    (Name::ALLOW, ""),
    (Name::AUTHORIZATION, ""),
    (Name::CACHE_CONTROL, ""),
    (Name::CONTENT_DISPOSITION, ""),
    (Name::CONTENT_ENCODING, ""),
    (Name::CONTENT_LANGUAGE, ""),
    (Name::CONTENT_LENGTH, ""),
    (Name::CONTENT_LOCATION, ""),
    (Name::CONTENT_RANGE, ""),
    (Name::CONTENT_TYPE, ""),
    (Name::COOKIE, ""),
    (Name::DATE, ""),
    (Name::ETAG, ""),
    (Name::EXPECT, ""),
    (Name::EXPIRES, ""),
    (Name::FROM, ""),
    (Name::HOST, ""),
    (Name::IF_MATCH, ""),
    (Name::IF_MODIFIED_SINCE, ""),
    (Name::IF_NONE_MATCH, ""),
    (Name::IF_RANGE, ""),
    (Name::IF_UNMODIFIED_SINCE, ""),
    (Name::LAST_MODIFIED, ""),
    (Name::LINK, ""),
    (Name::LOCATION, ""),
    (Name::MAX_FORWARDS, ""),
    (Name::PROXY_AUTHENTICATE, ""),
    (Name::PROXY_AUTHORIZATION, ""),
    (Name::RANGE, ""),
    (Name::REFERER, ""),
    (Name::REFRESH, ""),
    (Name::RETRY_AFTER, ""),
    (Name::SERVER, ""),
    (Name::SET_COOKIE, ""),
    (Name::STRICT_TRANSPORT_SECURITY, ""),
    (Name::TRANSFER_ENCODING, ""),
    (Name::USER_AGENT, ""),
    (Name::VARY, ""),
    (Name::VIA, ""),
    (Name::WWW_AUTHENTICATE, ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_name_and_value() {
        for index in 1..=LEN {
            let (name, value) = get(index).unwrap();
            assert_eq!(find(name, value.as_bytes()).map(usize::from), Some(index));
            assert!(find_name(name).is_some_and(|first| usize::from(first) <= index));
        }
        assert_eq!(find(Name::STATUS, b"201"), None);
        assert_eq!(find(Name::TE, b""), None);
        assert_eq!(find_name(Name::SPELLED_OUT), None);
    }

    #[test]
    fn indices_outside_the_table_have_no_entry() {
        assert!(get(0).is_none());
        assert!(get(62).is_none());
    }
}
