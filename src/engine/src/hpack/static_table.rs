//! The static table (RFC 7541, Appendix A).

use crate::fields::{Line, LineFlags, Name, PADDING, equal};

/// The number of entries. Dynamic table indices follow these (RFC 7541, 2.3.3).
pub(super) const LEN: usize = ENTRIES.len();

/// Returns the entry at `index`, which counts from 1, and its bytes, followed by others for
/// [`append`](crate::fields::append).
#[inline]
pub(super) fn get_padded(index: usize) -> Option<(&'static Line, &'static [u8])> {
    let line = LINES.get(index.checked_sub(1)?)?;
    Some((line, OCTETS.get(line.start as usize..)?))
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
    let lines = LINES.get(usize::from(first.wrapping_sub(1))..)?;
    let of_name = lines.iter().take_while(|line| line.name == name);
    let has_value = |line: &Line| {
        line.value_len as usize == value.len()
            && OCTETS.get(line.start as usize..).is_some_and(|octets| equal(line.split(octets).1, value))
    };
    (first..).zip(of_name).find(|(_, line)| has_value(line)).map(|(index, _)| index)
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

/// The entries, with their values in [`OCTETS`].
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed at compile time")]
static LINES: [Line; LEN] = {
    let mut lines = [Line::new(0, Name::SPELLED_OUT, 0, 0, LineFlags::NONE); LEN];
    let (mut index, mut start) = (0, 0);
    while index < LEN {
        let (name, value) = ENTRIES[index];
        let value_len = value.len() as u32;
        lines[index] = Line::new(start, name, 0, value_len, LineFlags::NONE);
        start += value_len;
        index += 1;
    }
    lines
};

/// The values of all entries, followed by padding.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed at compile time")]
static OCTETS: [u8; VALUES_LEN + PADDING] = {
    let mut octets = [0; VALUES_LEN + PADDING];
    let (mut index, mut end) = (0, 0);
    while index < LEN {
        let value = ENTRIES[index].1.as_bytes();
        let mut place = 0;
        while place < value.len() {
            octets[end] = value[place];
            end += 1;
            place += 1;
        }
        index += 1;
    }
    octets
};

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed at compile time")]
const VALUES_LEN: usize = {
    let (mut index, mut length) = (0, 0);
    while index < LEN {
        length += ENTRIES[index].1.len();
        index += 1;
    }
    length
};

const ENTRIES: [(Name, &str); 61] = [
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
            let (line, octets) = get_padded(index).unwrap();
            let (name, value) = line.split(octets);
            assert_eq!((line.name.as_bytes(), value), (name, ENTRIES[index - 1].1.as_bytes()));
            assert_eq!(find(line.name, value).map(usize::from), Some(index));
            assert!(find_name(line.name).is_some_and(|first| usize::from(first) <= index));
        }
        assert_eq!(find(Name::STATUS, b"201"), None);
        assert_eq!(find(Name::TE, b""), None);
        assert_eq!(find_name(Name::SPELLED_OUT), None);
    }

    #[test]
    fn indices_outside_the_table_have_no_entry() {
        assert!(get_padded(0).is_none());
        assert!(get_padded(62).is_none());
    }
}
