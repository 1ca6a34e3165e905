//! CONTINUATION (RFC 9113, 6.10).

use super::{FrameHeader, FrameType, StreamId, flags};

/// CONTINUATION: continues a field block (RFC 9113, 6.10). Any payload is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continuation<'a> {
    /// The stream of the frame that started the field block.
    pub stream_id: StreamId,
    /// Whether this fragment ends the field block. If not, another CONTINUATION frame follows.
    pub end_headers: bool,
    /// The next fragment of the field block.
    pub fragment: &'a [u8],
}

impl<'a> Continuation<'a> {
    /// Parses the payload.
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
