//! PRIORITY_UPDATE (RFC 9218, 7.1).

use super::{FrameHeader, FrameType, StreamId};
use crate::error::Violation;

/// PRIORITY_UPDATE: a client's new priority for a response (RFC 9218, 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityUpdate<'a> {
    /// The stream of the response or of the promised response.
    pub prioritized_id: StreamId,
    /// The priority in the syntax of the `priority` field: see
    /// [`Priority::parse`](crate::priority::Priority::parse).
    pub field_value: &'a [u8],
}

impl<'a> PriorityUpdate<'a> {
    /// Parses the payload. Errors: [`Violation::FrameLength`], and [`Violation::BadPriorityUpdate`] for stream 0.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Violation> {
        let (prioritized_id, field_value) = payload.split_first_chunk().ok_or(Violation::FrameLength)?;
        let prioritized_id = StreamId::from_bytes(*prioritized_id);
        if prioritized_id.is_connection() {
            return Err(Violation::BadPriorityUpdate);
        }
        Ok(Self { prioritized_id, field_value })
    }

    /// Appends the frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let length = self.field_value.len().saturating_add(4);
        FrameHeader::new(FrameType::PRIORITY_UPDATE, 0, StreamId::CONNECTION, length).encode(out);
        out.extend_from_slice(&self.prioritized_id.to_bytes());
        out.extend_from_slice(self.field_value);
    }
}
