//! RST_STREAM (RFC 9113, 6.4).

use super::{FrameHeader, FrameType, StreamId};
use crate::error::{ErrorCode, Violation};

/// RST_STREAM: terminates a stream immediately (RFC 9113, 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RstStream {
    /// The stream to terminate.
    pub stream_id: StreamId,
    /// The reason for terminating it.
    pub code: ErrorCode,
}

impl RstStream {
    /// Parses the payload. Error: [`Violation::FrameLength`].
    pub fn parse(header: FrameHeader, payload: &[u8]) -> Result<Self, Violation> {
        let code = payload.try_into().map_err(|_| Violation::FrameLength)?;
        Ok(Self { stream_id: header.stream_id, code: ErrorCode(u32::from_be_bytes(code)) })
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        FrameHeader::new(FrameType::RST_STREAM, 0, self.stream_id, 4).encode(out);
        out.extend_from_slice(&self.code.0.to_be_bytes());
    }
}
