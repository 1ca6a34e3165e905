//! WINDOW_UPDATE (RFC 9113, 6.9).

use super::{FrameHeader, FrameType, StreamId};
use crate::error::Violation;

/// WINDOW_UPDATE: allows the receiver to send additional DATA (RFC 9113, 6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowUpdate {
    /// The stream whose window grows. Stream 0 stands for the connection's window.
    pub stream_id: StreamId,
    /// The number of bytes by which the window grows, 1 to 2^31-1.
    pub increment: u32,
}

impl WindowUpdate {
    /// Parses the payload, ignoring the reserved bit.
    ///
    /// An increment of 0 parses successfully: see [`check`](Self::check). Error: [`Violation::FrameLength`].
    pub fn parse(header: FrameHeader, payload: &[u8]) -> Result<Self, Violation> {
        let increment = payload.try_into().map_err(|_| Violation::FrameLength)?;
        Ok(Self { stream_id: header.stream_id, increment: u32::from_be_bytes(increment) & 0x7fff_ffff })
    }

    /// Rejects an increment of 0: a stream error, or a connection error for the connection's window.
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
