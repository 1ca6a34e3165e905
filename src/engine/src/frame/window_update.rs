//! WINDOW_UPDATE (RFC 9113, 6.9).

use super::{FrameHeader, FrameType, StreamId};
use crate::error::Violation;

/// WINDOW_UPDATE: how many octets of DATA the receiver may send beyond what it already may (RFC 9113, 6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUpdate {
    /// The stream, or the connection, that the window belongs to.
    pub stream_id: StreamId,
    /// Octets by which the window grows, 1 to 2^31-1.
    pub increment: u32,
}

impl WindowUpdate {
    /// Reads the payload. The reserved bit is ignored. An increment of 0 parses: see [`check`](Self::check).
    /// Error: [`Violation::FrameLength`].
    pub fn parse(header: FrameHeader, payload: &[u8]) -> Result<Self, Violation> {
        let increment = payload.try_into().map_err(|_| Violation::FrameLength)?;
        Ok(Self { stream_id: header.stream_id, increment: u32::from_be_bytes(increment) & 0x7fff_ffff })
    }

    /// An increment of 0 is an error of the stream, or of the connection where the window is the
    /// connection's.
    pub fn check(&self) -> Result<(), Violation> {
        match self.increment {
            0 if self.stream_id.is_connection() => Err(Violation::ZeroConnectionIncrement),
            0 => Err(Violation::ZeroStreamIncrement),
            _ => Ok(()),
        }
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        FrameHeader::new(FrameType::WINDOW_UPDATE, 0, self.stream_id, 4).encode(out);
        out.extend_from_slice(&self.increment.to_be_bytes());
    }
}
