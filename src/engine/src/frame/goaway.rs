//! GOAWAY (RFC 9113, 6.8).

use super::{FrameHeader, FrameType, StreamId};
use crate::error::{ErrorCode, Violation};

/// GOAWAY: announces the end of a connection (RFC 9113, 6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoAwayFrame<'a> {
    /// The last of the receiver's streams that the sender has processed or may still process.
    pub last_stream_id: StreamId,
    /// The reason for closing the connection.
    pub code: ErrorCode,
    /// Diagnostic data in no particular format, for humans to read.
    pub debug_data: &'a [u8],
}

impl<'a> GoAwayFrame<'a> {
    /// Parses the payload. Error: [`Violation::FrameLength`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, Violation> {
        let (last_stream_id, rest) = payload.split_first_chunk().ok_or(Violation::FrameLength)?;
        let (code, debug_data) = rest.split_first_chunk().ok_or(Violation::FrameLength)?;
        Ok(Self {
            last_stream_id: StreamId::from_bytes(*last_stream_id),
            code: ErrorCode(u32::from_be_bytes(*code)),
            debug_data,
        })
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let length = self.debug_data.len().saturating_add(8);
        FrameHeader::new(FrameType::GOAWAY, 0, StreamId::CONNECTION, length).encode(out);
        out.extend_from_slice(&self.last_stream_id.to_bytes());
        out.extend_from_slice(&self.code.0.to_be_bytes());
        out.extend_from_slice(self.debug_data);
    }
}
