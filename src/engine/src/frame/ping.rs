//! PING (RFC 9113, 6.7).

use super::{FrameHeader, FrameType, StreamId, flags};
use crate::error::Violation;

/// PING: checks that the connection is alive, or replies with the same data (RFC 9113, 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// Whether this is a reply.
    pub ack: bool,
    /// Arbitrary data chosen by the endpoint that initiates the exchange.
    pub opaque_data: [u8; 8],
}

impl Ping {
    /// Parses the payload. Error: [`Violation::FrameLength`].
    pub fn parse(header: FrameHeader, payload: &[u8]) -> Result<Self, Violation> {
        let opaque_data = payload.try_into().map_err(|_| Violation::FrameLength)?;
        Ok(Self { ack: header.has(flags::ACK), opaque_data })
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flags = if self.ack { flags::ACK } else { 0 };
        FrameHeader::new(FrameType::PING, flags, StreamId::CONNECTION, self.opaque_data.len()).encode(out);
        out.extend_from_slice(&self.opaque_data);
    }
}
