//! DATA (RFC 9113, 6.1).
//!
//! The payload is processed as it arrives, so no type holds a whole frame. A receiver calls [`layout`]; a sender
//! writes the header, then the content.

use super::{FrameHeader, FrameType, StreamId, flags, padding};
use crate::error::Violation;

/// The division of a DATA frame's payload into content and padding. Both count against flow control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Length of the content in bytes.
    pub content: u32,
    /// Length of the padding in bytes, including the Pad Length field before the content.
    pub padding: u32,
}

/// Computes the layout of a DATA frame's payload.
///
/// `first` is the first byte of the payload, required only if the frame is padded.
///
/// Errors: [`Violation::FrameLength`] for a padded frame without a first byte, [`Violation::PaddingTooLong`].
pub fn layout(header: FrameHeader, first: Option<u8>) -> Result<Layout, Violation> {
    let pad_length = match first {
        _ if !header.has(flags::PADDED) => None,
        None => return Err(Violation::FrameLength),
        first => first,
    };
    let content = padding::content_length(header.length, pad_length, 0)?;
    Ok(Layout { content, padding: header.length.saturating_sub(content) })
}

/// Appends the header of a DATA frame. The caller appends the `length` bytes of content.
pub fn encode_header(out: &mut Vec<u8>, stream_id: StreamId, length: u32, end_stream: bool) {
    let flags = if end_stream { flags::END_STREAM } else { 0 };
    FrameHeader { length, kind: FrameType::DATA, flags, stream_id }.encode(out);
}

/// Appends the header of a padded DATA frame (RFC 9113, 6.1).
///
/// The caller appends the `content` bytes, then `padding` zero bytes.
pub fn encode_padded_header(
    out: &mut Vec<u8>,
    stream_id: StreamId,
    content: u32,
    padding: u8,
    end_stream: bool,
) {
    let flags = flags::PADDED | if end_stream { flags::END_STREAM } else { 0 };
    let length = content.saturating_add(u32::from(padding)).saturating_add(1);
    FrameHeader { length, kind: FrameType::DATA, flags, stream_id }.encode(out);
    out.push(padding);
}

#[cfg(test)]
mod tests {
    use super::{Layout, encode_header, layout};
    use crate::error::Violation;
    use crate::frame::{FrameHeader, FrameType, StreamId, flags};

    fn header(flags: u8, length: u32) -> FrameHeader {
        FrameHeader { length, kind: FrameType::DATA, flags, stream_id: StreamId::new(1).unwrap() }
    }

    #[test]
    fn padding_includes_the_pad_length_field() {
        let cases = [
            (header(0, 0), None, Ok(Layout { content: 0, padding: 0 })),
            (header(0, 5), Some(200), Ok(Layout { content: 5, padding: 0 })),
            (header(flags::PADDED, 5), Some(0), Ok(Layout { content: 4, padding: 1 })),
            (header(flags::PADDED, 5), Some(3), Ok(Layout { content: 1, padding: 4 })),
            (header(flags::PADDED, 256), Some(255), Ok(Layout { content: 0, padding: 256 })),
            (header(flags::PADDED, 5), Some(5), Err(Violation::PaddingTooLong)),
            (header(flags::PADDED, 0), None, Err(Violation::FrameLength)),
        ];
        for (header, first, expected) in cases {
            assert_eq!(layout(header, first), expected, "{header:?}, first byte {first:?}");
        }
    }

    #[test]
    fn header_is_encoded_with_length_and_end_stream() {
        let mut out = Vec::new();
        encode_header(&mut out, StreamId::new(3).unwrap(), 0x01_0203, true);
        assert_eq!(out, [1, 2, 3, 0, 1, 0, 0, 0, 3]);
    }
}
