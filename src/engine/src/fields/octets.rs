//! Fast hashing, comparison and copying of short byte strings, many bytes at a time.

/// An odd constant with well-mixed bits, derived from the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes a byte string.
///
/// An attacker can construct collisions. For all users of this function, a collision only costs some compression,
/// never time.
#[inline]
pub(crate) const fn hash(seed: u64, octets: &[u8]) -> u64 {
    let state = high_hash(seed, octets);
    // A multiplication carries differences only to higher bits, so a second one carries them from the highest to all.
    let state = (state ^ state >> 32).wrapping_mul(MULTIPLIER);
    state ^ state >> 32
}

/// Hashes a byte string, eight bytes at a time. Only the highest bits depend on all bytes.
#[inline]
pub(crate) const fn high_hash(seed: u64, octets: &[u8]) -> u64 {
    let mut state = mix(seed, octets.len() as u64);
    let mut rest = octets;
    while rest.len() > 8
        && let Some((chunk, behind)) = rest.split_first_chunk::<8>()
    {
        state = mix(state, u64::from_le_bytes(*chunk));
        rest = behind;
    }
    mix(state, last_word(octets, rest))
}

/// Returns a word with the last eight bytes, or with all bytes and spaces if there are fewer.
///
/// `rest` holds the bytes that follow the whole words before it. The last word overlaps the previous one, which avoids a
/// loop over single bytes.
#[inline]
pub(crate) const fn last_word(octets: &[u8], rest: &[u8]) -> u64 {
    const SPACES: u64 = 0x2020_2020_2020_2020;
    match (octets.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>(), rest) {
        (Some(chunk), ..) => u64::from_le_bytes(*chunk),
        (None, Some(head), Some(tail), _) => {
            (u32::from_le_bytes(*head) as u64) << 32 | u32::from_le_bytes(*tail) as u64
        }
        (.., [a, b, c]) => SPACES << 24 | (*a as u64) << 16 | (*b as u64) << 8 | *c as u64,
        (.., [a, b]) => SPACES << 16 | (*a as u64) << 8 | *b as u64,
        (.., [a]) => SPACES << 8 | *a as u64,
        _ => SPACES,
    }
}

/// Returns whether `test`, shown eight bytes at a time, finds any; a shorter string is padded with spaces.
#[inline]
pub(crate) fn any_word(octets: &[u8], test: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = octets.as_chunks::<8>();
    // No early exit, which would cost a branch per word.
    let of_words = words.iter().fold(0, |found, word| found | test(u64::from_le_bytes(*word)));
    (of_words | test(last_word(octets, rest))) != 0
}

#[inline]
const fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER)
}

/// Returns whether two slices are equal.
///
/// Replaces `==`, which in WebAssembly calls a `memcmp` that compares byte by byte.
#[inline]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (a_words, a_rest) = a.as_chunks::<8>();
    let (b_words, b_rest) = b.as_chunks::<8>();
    a_words.iter().zip(b_words).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && last_word(a, a_rest) == last_word(b, b_rest)
}

/// Bytes that should follow a byte string in its buffer, so that [`append`] can copy it fast.
pub(crate) const PADDING: usize = 32;

/// Appends the first `length` bytes of `source`.
///
/// Copies a fixed number of bytes if `source` has as many, and truncates the result. A call of `memcpy` would branch
/// on the length, which no processor predicts for short strings.
#[inline]
pub(crate) fn append(out: &mut Vec<u8>, source: &[u8], length: usize) {
    match source.first_chunk::<PADDING>() {
        Some(chunk) if length <= PADDING => {
            let end = out.len().saturating_add(length);
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(source.get(..length).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_length_is_appended() {
        let source: Vec<u8> = (0..100).collect();
        for length in 0..=100 {
            for source in [&source[..], &source[..length]] {
                let mut out = b"before".to_vec();
                append(&mut out, source, length);
                assert_eq!(out, [b"before", &source[..length]].concat());
            }
        }
    }

    #[test]
    fn every_byte_counts() {
        for length in 0..40 {
            let octets: Vec<u8> = (0..length).collect();
            assert!(equal(&octets, &octets.clone()));
            assert!(!equal(&octets, &[&octets[..], b"x"].concat()));
            for place in 0..octets.len() {
                let mut other = octets.clone();
                other[place] ^= 0x80;
                assert!(!equal(&octets, &other), "{place} of {length}");
                assert_ne!(hash(0, &octets), hash(0, &other), "{place} of {length}");
            }
        }
    }
}
