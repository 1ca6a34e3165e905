//! ALTSVC (RFC 7838, 4).

use super::{FrameHeader, FrameType, StreamId};

/// ALTSVC: advertises an alternative service for an origin (RFC 7838, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AltSvc<'a> {
    /// The stream whose origin the service is for. On stream 0, `origin` names the origin.
    pub stream_id: StreamId,
    /// The origin in ASCII serialization, not validated; empty except on stream 0.
    pub origin: &'a [u8],
    /// The value in the syntax of the `Alt-Svc` field (RFC 7838, 3), not validated.
    pub field_value: &'a [u8],
}

impl<'a> AltSvc<'a> {
    /// Parses the payload.
    ///
    /// Returns `None` if the receiver must ignore the frame: if it is truncated, lacks an origin on stream 0, or
    /// has an origin on another stream.
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let (length, rest) = payload.split_first_chunk()?;
        let (origin, field_value) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let valid = header.stream_id.is_connection() != origin.is_empty();
        valid.then_some(Self { stream_id: header.stream_id, origin, field_value })
    }

    /// Appends the frame, or nothing if the origin exceeds 65,535 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Ok(origin_length) = u16::try_from(self.origin.len()) else { return };
        let length = self.origin.len().saturating_add(self.field_value.len()).saturating_add(2);
        FrameHeader::new(FrameType::ALTSVC, 0, self.stream_id, length).encode(out);
        out.extend_from_slice(&origin_length.to_be_bytes());
        out.extend_from_slice(self.origin);
        out.extend_from_slice(self.field_value);
    }
}
