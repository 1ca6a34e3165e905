//! Padding of DATA, HEADERS and PUSH_PROMISE (RFC 9113, 6.1).

use super::{FrameHeader, flags};
use crate::error::Violation;

/// Returns the length of the Pad Length field in bytes: 1 if the PADDED flag is set, otherwise 0.
pub(super) fn length_octets(header: FrameHeader) -> u32 {
    u32::from(header.has(flags::PADDED))
}

/// Returns the length of a payload in bytes without its padding and Pad Length field.
///
/// `pad_length` is the value of that field if the PADDED flag is set. `mandatory` is the length of the fixed fields
/// of the frame type, which must fit in addition to the padding.
pub(super) fn content_length(length: u32, pad_length: Option<u8>, mandatory: u32) -> Result<u32, Violation> {
    let (content, padding) = match pad_length {
        None => (length, 0),
        Some(padding) => (length.checked_sub(1).ok_or(Violation::FrameLength)?, u32::from(padding)),
    };
    let room = content.checked_sub(mandatory).ok_or(Violation::FrameLength)?;
    if padding > room { Err(Violation::PaddingTooLong) } else { Ok(content.saturating_sub(padding)) }
}

/// Returns the payload of a frame without its padding.
pub(super) fn strip(header: FrameHeader, payload: &[u8], mandatory: u32) -> Result<&[u8], Violation> {
    let (pad_length, content) = match payload.split_first() {
        Some((&pad_length, rest)) if header.has(flags::PADDED) => (Some(pad_length), rest),
        None if header.has(flags::PADDED) => return Err(Violation::FrameLength),
        _ => (None, payload),
    };
    let length = u32::try_from(payload.len()).map_err(|_| Violation::FrameLength)?;
    let length = content_length(length, pad_length, mandatory)?;
    content.get(..length as usize).ok_or(Violation::FrameLength)
}
