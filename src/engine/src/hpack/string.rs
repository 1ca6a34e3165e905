//! String literals (RFC 7541, 5.2).

use super::{decoder::DecodeError, huffman, integer};

/// The bit before the length that marks a Huffman-coded string.
const HUFFMAN: u8 = 0x80;
const LENGTH_BITS: u32 = 7;
/// The shortest length that takes more than one byte.
const LONG: usize = 127;

/// Decodes a string literal from the front of `input` and appends it to `out`.
///
/// Returns whether it is known to consist of visible characters and spaces. Rejects a string whose encoded length exceeds `limit` without decoding it.
pub(super) fn decode(input: &mut &[u8], limit: usize, out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let (&first, mut rest) = input.split_first().ok_or(DecodeError::Compression)?;
    let length = integer::decode(first, LENGTH_BITS, &mut rest).ok_or(DecodeError::Compression)? as usize;
    if length > limit {
        return Err(DecodeError::TooLarge);
    }
    let (string, behind) = rest.split_at_checked(length).ok_or(DecodeError::Compression)?;
    *input = behind;
    if first & HUFFMAN == 0 {
        out.extend_from_slice(string);
        Ok(false)
    } else {
        // Passing what follows the string spares the decoder a special case near its end.
        huffman::decode(rest, length, out).ok_or(DecodeError::Compression)
    }
}

/// Appends a string literal, Huffman-coded if that is shorter.
pub(super) fn encode(string: &[u8], out: &mut Vec<u8>) {
    if string.len() < LONG {
        // A shorter result has a length of one byte, so there is no need to know it in advance.
        let start = out.len();
        out.push(0);
        huffman::encode(string, out);
        let coded_length = out.len().wrapping_sub(start).wrapping_sub(1);
        if coded_length < string.len()
            && let Some(length) = out.get_mut(start)
        {
            *length = HUFFMAN | coded_length as u8;
            return;
        }
        out.truncate(start);
    } else {
        let coded_length = huffman::encoded_len(string);
        if coded_length < string.len() {
            encode_length(coded_length, HUFFMAN, out);
            return huffman::encode(string, out);
        }
    }
    encode_length(string.len(), 0, out);
    out.extend_from_slice(string);
}

fn encode_length(length: usize, pattern: u8, out: &mut Vec<u8>) {
    // A field section is smaller than 4 GiB.
    integer::encode(u32::try_from(length).unwrap_or(u32::MAX), pattern, LENGTH_BITS, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_length_round_trip() {
        // A byte with a short code, one with a code of eight bits, and one with a long code.
        for octet in [b'a', b'&', 1] {
            for length in 0..400 {
                let string = vec![octet; length];
                let mut encoded = b"before".to_vec();
                encode(&string, &mut encoded);
                let raw_length = if length < LONG { 1 } else { 2 + usize::from(length >= LONG + 128) };
                assert!(
                    encoded.len() <= "before".len() + raw_length + length,
                    "no longer than without a code"
                );
                let is_coded = encoded["before".len()] & HUFFMAN != 0;
                assert_eq!(is_coded, octet == b'a' && length > 2, "{length} times {octet}");
                let (mut input, mut decoded) = (encoded.strip_prefix(b"before").unwrap(), Vec::new());
                assert!(decode(&mut input, usize::MAX, &mut decoded).is_ok());
                assert_eq!((decoded, input), (string, &[][..]));
            }
        }
    }
}
