//! ORIGIN (RFC 8336, 2).

use super::{FrameHeader, FrameType, StreamId};

/// Flags reserved for incompatible extensions of the frame (RFC 8336, 2).
const INCOMPATIBLE_FLAGS: u8 = 0x0f;

/// ORIGIN: lists the origins that a server makes available on the connection (RFC 8336, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    entries: &'a [u8],
}

impl<'a> Origin<'a> {
    /// Parses the payload.
    ///
    /// Returns `None` if the receiver must ignore the frame: if it is not on stream 0, or if a flag changes its
    /// meaning.
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let valid = header.stream_id.is_connection() && header.flags & INCOMPATIBLE_FLAGS == 0;
        valid.then_some(Self { entries: payload })
    }

    /// Iterates over the origins, each in ASCII serialization (RFC 6454, 6.2), not validated.
    ///
    /// A truncated entry ends the iteration.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.entries;
        core::iter::from_fn(move || {
            let (length, entry) = rest.split_first_chunk()?;
            let (origin, behind) = entry.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = behind;
            Some(origin)
        })
    }

    /// Appends a frame with these origins, leaving out any that exceed 65,535 bytes.
    pub fn encode(origins: &[&[u8]], out: &mut Vec<u8>) {
        let entries =
            || origins.iter().filter_map(|origin| Some((u16::try_from(origin.len()).ok()?, origin)));
        let length =
            entries().fold(0_usize, |sum, (length, _)| sum.saturating_add(2).saturating_add(length.into()));
        FrameHeader::new(FrameType::ORIGIN, 0, StreamId::CONNECTION, length).encode(out);
        for (length, origin) in entries() {
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(origin);
        }
    }
}
