//! CONTINUATION (RFC 9113, 6.10).

use super::{FrameHeader, FrameType, StreamId, flags};

/// CONTINUATION: a further fragment of a field block (RFC 9113, 6.10). Any payload is a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation<'a> {
    /// The stream of the frame that began the field block.
    pub stream_id: StreamId,
    /// Whether the field block ends with this fragment; otherwise CONTINUATION follows.
    pub end_headers: bool,
    /// The fragment.
    pub fragment: &'a [u8],
}

impl<'a> Continuation<'a> {
    /// Reads the payload.
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Self {
        let end_headers = header.has(flags::END_HEADERS);
        Self { stream_id: header.stream_id, end_headers, fragment: payload }
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = if self.end_headers { flags::END_HEADERS } else { 0 };
        FrameHeader::new(FrameType::CONTINUATION, flags, self.stream_id, self.fragment.len()).encode(out);
        out.extend_from_slice(self.fragment);
    }
}
