//! PRIORITY (RFC 9113, 6.3) and the corresponding fields of HEADERS.
//!
//! The scheme is deprecated: the fields are checked but otherwise ignored.

use super::{FrameHeader, FrameType, StreamId};
use crate::error::Violation;

/// A dependency on another stream in the scheme of RFC 7540, 5.3, deprecated by RFC 9113.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamDependency {
    /// Whether the stream is to become the only dependent of the other stream.
    pub exclusive: bool,
    /// The other stream.
    pub stream_id: StreamId,
    /// The weight on the wire, which in RFC 7540 is the actual weight minus one.
    pub weight: u8,
}

impl StreamDependency {
    pub(super) fn parse(octets: [u8; 5]) -> Self {
        let [d0, d1, d2, d3, weight] = octets;
        Self { exclusive: d0 & 0x80 != 0, stream_id: StreamId::from_bytes([d0, d1, d2, d3]), weight }
    }

    pub(super) fn to_bytes(self) -> [u8; 5] {
        let [d0, d1, d2, d3] = self.stream_id.to_bytes();
        [d0 | (u8::from(self.exclusive) << 7), d1, d2, d3, self.weight]
    }
}

/// PRIORITY: sets a stream's priority in the deprecated scheme (RFC 9113, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityFrame {
    /// The stream to prioritize, in any state.
    pub stream_id: StreamId,
    /// The dependency of that stream.
    pub dependency: StreamDependency,
}

impl PriorityFrame {
    /// Parses the payload. Error: [`Violation::PriorityLength`].
    pub fn parse(header: FrameHeader, payload: &[u8]) -> Result<Self, Violation> {
        let octets = payload.try_into().map_err(|_| Violation::PriorityLength)?;
        Ok(Self { stream_id: header.stream_id, dependency: StreamDependency::parse(octets) })
    }

    /// Returns whether the stream depends on itself, a stream error in RFC 7540, 5.3.1
    /// ([`Violation::SelfDependency`]).
    pub fn is_self_dependent(&self) -> bool {
        self.dependency.stream_id == self.stream_id
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        FrameHeader::new(FrameType::PRIORITY, 0, self.stream_id, 5).encode(out);
        out.extend_from_slice(&self.dependency.to_bytes());
    }
}
