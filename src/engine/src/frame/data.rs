//! DATA (RFC 9113, 6.1). Its payload is read as it arrives, so there is no frame that holds all of it: a
//! receiver asks for the [`layout`], a sender writes the header and then the content.

use super::{FrameHeader, FrameType, StreamId, flags, padding};
use crate::error::Violation;

/// How the payload of a DATA frame is divided. Content and padding together are what flow control counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Octets of content.
    pub content: u32,
    /// Octets of padding, with the one before the content that tells the length of those behind it.
    pub padding: u32,
}

/// How the payload behind `header` is divided, by its first octet, which only a padded frame must show.
///
/// Errors: [`Violation::FrameLength`] for a padded frame without a first octet,
/// [`Violation::PaddingTooLong`].
pub fn layout(header: FrameHeader, first: Option<u8>) -> Result<Layout, Violation> {
    let pad_length = match first {
        _ if !header.has(flags::PADDED) => None,
        None => return Err(Violation::FrameLength),
        first => first,
    };
    let content = padding::content_length(header.length, pad_length, 0)?;
    Ok(Layout { content, padding: header.length.saturating_sub(content) })
}

/// Appends the header of a DATA frame with `length` octets of content, which are to follow.
pub fn encode_header(out: &mut Vec<u8>, stream_id: StreamId, length: u32, end_stream: bool) {
    let flags = if end_stream { flags::END_STREAM } else { 0 };
    FrameHeader { length, kind: FrameType::DATA, flags, stream_id }.encode(out);
}

/// Appends the header of a DATA frame with `content` bytes, which are to follow, and `padding` bytes behind them,
/// which are to follow as zeros (RFC 9113, 6.1).
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
    fn padding_counts_with_the_octet_that_tells_its_length() {
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
            assert_eq!(layout(header, first), expected, "{header:?}, first octet {first:?}");
        }
    }

    #[test]
    fn the_header_stands_before_the_content() {
        let mut out = Vec::new();
        encode_header(&mut out, StreamId::new(3).unwrap(), 0x01_0203, true);
        assert_eq!(out, [1, 2, 3, 0, 1, 0, 0, 0, 3]);
    }
}
