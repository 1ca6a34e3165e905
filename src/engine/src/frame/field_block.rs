//! Encoding a field block into HEADERS or PUSH_PROMISE and, if it is long, CONTINUATION frames (RFC 9113, 4.3).

use super::{FrameHeader, FrameType, HEADER_LEN, StreamId, flags};

/// A field block being written after the header of its first frame.
///
/// The block is encoded in place. In the common case it fits in one frame and is not moved.
#[derive(Debug)]
#[must_use = "the frames are incomplete until the block is finished"]
pub struct FieldBlock {
    start: usize,
}

impl FieldBlock {
    /// Starts a HEADERS frame on `stream_id`.
    pub fn headers(out: &mut Vec<u8>, stream_id: StreamId, end_stream: bool) -> Self {
        let end_stream = if end_stream { flags::END_STREAM } else { 0 };
        Self::start(out, FrameType::HEADERS, end_stream, stream_id)
    }

    /// Starts a PUSH_PROMISE frame on `stream_id` that promises a response on `promised_id`.
    pub fn push_promise(out: &mut Vec<u8>, stream_id: StreamId, promised_id: StreamId) -> Self {
        let block = Self::start(out, FrameType::PUSH_PROMISE, 0, stream_id);
        out.extend_from_slice(&promised_id.to_bytes());
        block
    }

    fn start(out: &mut Vec<u8>, kind: FrameType, flags: u8, stream_id: StreamId) -> Self {
        let start = out.len();
        FrameHeader { length: 0, kind, flags: flags | flags::END_HEADERS, stream_id }.encode(out);
        Self { start }
    }

    /// Finishes the block, which consists of the bytes appended to `out` since it was started.
    ///
    /// `max_frame_size` is the peer's SETTINGS_MAX_FRAME_SIZE.
    pub fn finish(self, out: &mut Vec<u8>, max_frame_size: u32) {
        let frame = out.get_mut(self.start..).unwrap_or_default();
        let Some((header, payload)) = frame.split_first_chunk_mut::<HEADER_LEN>() else { return };
        let first = FrameHeader::parse(header);
        match u32::try_from(payload.len()) {
            Ok(length) if length <= max_frame_size => *header = FrameHeader { length, ..first }.to_bytes(),
            _ => {
                let flags = first.flags & !flags::END_HEADERS;
                *header = FrameHeader { length: max_frame_size, flags, ..first }.to_bytes();
                let end = self.start.saturating_add(HEADER_LEN).saturating_add(max_frame_size as usize);
                continue_block(out, end, first.stream_id, max_frame_size);
            }
        }
    }
}

/// Moves the bytes after `end` into CONTINUATION frames.
#[cold]
fn continue_block(out: &mut Vec<u8>, end: usize, stream_id: StreamId, max_frame_size: u32) {
    let rest = out.split_off(end.min(out.len()));
    let mut fragments = rest.chunks((max_frame_size as usize).max(1)).peekable();
    while let Some(fragment) = fragments.next() {
        let flags = if fragments.peek().is_none() { flags::END_HEADERS } else { 0 };
        FrameHeader::new(FrameType::CONTINUATION, flags, stream_id, fragment.len()).encode(out);
        out.extend_from_slice(fragment);
    }
}

#[cfg(test)]
mod tests {
    use super::FieldBlock;
    use crate::frame::StreamId;

    fn id(id: u32) -> StreamId {
        StreamId::new(id).unwrap()
    }

    #[test]
    fn short_block_is_appended_as_one_frame() {
        let mut out = b"before".to_vec();
        let block = FieldBlock::headers(&mut out, id(1), true);
        out.extend_from_slice(b"\x82\x86\x84");
        block.finish(&mut out, 16_384);
        assert_eq!(out, b"before\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84");
    }

    #[test]
    fn block_of_exactly_the_frame_size_is_not_split() {
        let mut out = Vec::new();
        let block = FieldBlock::headers(&mut out, id(1), false);
        out.extend_from_slice(b"12345");
        block.finish(&mut out, 5);
        assert_eq!(out, b"\0\0\x05\x01\x04\0\0\0\x0112345");
    }

    #[test]
    fn long_block_is_split_into_continuation_frames() {
        let mut out = Vec::new();
        let block = FieldBlock::headers(&mut out, id(3), true);
        out.extend_from_slice(b"1234567890ab");
        block.finish(&mut out, 5);
        let headers = b"\0\0\x05\x01\x01\0\0\0\x0312345";
        let continuation = b"\0\0\x05\x09\x00\0\0\0\x0367890";
        let last = b"\0\0\x02\x09\x04\0\0\0\x03ab";
        assert_eq!(out, [&headers[..], continuation, last].concat());
    }

    #[test]
    fn promised_stream_id_counts_towards_the_frame_size() {
        let mut out = Vec::new();
        let block = FieldBlock::push_promise(&mut out, id(1), id(2));
        out.extend_from_slice(b"123");
        block.finish(&mut out, 5);
        let promise = b"\0\0\x05\x05\x00\0\0\0\x01\0\0\0\x021";
        let last = b"\0\0\x02\x09\x04\0\0\0\x0123";
        assert_eq!(out, [&promise[..], last].concat());
    }
}
