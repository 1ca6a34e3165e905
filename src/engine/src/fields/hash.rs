//! One quick hash for field names and values.

/// An odd constant with well-mixed bits: the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes octets, eight at a time.
///
/// It does not withstand collisions made on purpose. Wherever it is used, a collision costs a little compression
/// and never time.
#[inline]
pub(crate) const fn hash(seed: u64, octets: &[u8]) -> u64 {
    let mut state = mix(seed, octets.len() as u64);
    let mut rest = octets;
    while rest.len() > 8
        && let Some((chunk, behind)) = rest.split_first_chunk::<8>()
    {
        state = mix(state, u64::from_le_bytes(*chunk));
        rest = behind;
    }
    // The last octets overlap with those before, so that no loop over single octets is needed.
    let last = match (octets.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>(), rest) {
        (Some(chunk), ..) => u64::from_le_bytes(*chunk),
        (None, Some(head), Some(tail), _) => {
            (u32::from_le_bytes(*head) as u64) << 32 | u32::from_le_bytes(*tail) as u64
        }
        (.., [a, b, c]) => (*a as u64) << 16 | (*b as u64) << 8 | *c as u64,
        (.., [a, b]) => (*a as u64) << 8 | *b as u64,
        (.., [a]) => *a as u64,
        _ => 0,
    };
    let state = mix(state, last);
    state ^ (state >> 32)
}

#[inline]
const fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(5) ^ word).wrapping_mul(MULTIPLIER)
}
