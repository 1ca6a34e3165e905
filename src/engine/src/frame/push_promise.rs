//! PUSH_PROMISE (RFC 9113, 6.6).

use super::{FrameHeader, FrameType, StreamId, flags, padding};
use crate::error::Violation;

/// PUSH_PROMISE: starts the field block of a promised request (RFC 9113, 6.6).
///
/// An endpoint uses [`FieldBlock`](super::FieldBlock) to send a promise, which also splits a long block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushPromise<'a> {
    /// The stream of the associated request.
    pub stream_id: StreamId,
    /// The stream that the promise reserves, initiated by the server.
    pub promised_id: StreamId,
    /// Whether this fragment ends the field block. If not, CONTINUATION follows.
    pub end_headers: bool,
    /// The first fragment of the field block.
    pub fragment: &'a [u8],
}

impl<'a> PushPromise<'a> {
    /// Parses the payload. Errors: [`Violation::FrameLength`], [`Violation::PaddingTooLong`], and
    /// [`Violation::BadStreamId`] if a server can't initiate the promised stream.
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Result<Self, Violation> {
        let content = padding::strip(header, payload, 4)?;
        let (promised_id, fragment) = content.split_first_chunk().ok_or(Violation::FrameLength)?;
        let promised_id = StreamId::from_bytes(*promised_id);
        if !promised_id.is_server_initiated() {
            return Err(Violation::BadStreamId);
        }
        let end_headers = header.has(flags::END_HEADERS);
        Ok(Self { stream_id: header.stream_id, promised_id, end_headers, fragment })
    }

    /// Appends this frame without padding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = if self.end_headers { flags::END_HEADERS } else { 0 };
        let length = self.fragment.len().saturating_add(4);
        FrameHeader::new(FrameType::PUSH_PROMISE, flags, self.stream_id, length).encode(out);
        out.extend_from_slice(&self.promised_id.to_bytes());
        out.extend_from_slice(self.fragment);
    }
}
