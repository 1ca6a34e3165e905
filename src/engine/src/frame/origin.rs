//! ORIGIN (RFC 8336, 2).

use super::{FrameHeader, FrameType, StreamId};

/// The flags that are kept for changes which a receiver must understand (RFC 8336, 2).
const INCOMPATIBLE_FLAGS: u8 = 0x0f;

/// ORIGIN: the origins that a server declares the connection to be for (RFC 8336, 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    entries: &'a [u8],
}

impl<'a> Origin<'a> {
    /// Reads the payload; `None` for a frame that is to be ignored: on a stream, or with flags that change
    /// its meaning.
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Option<Self> {
        let valid = header.stream_id.is_connection() && header.flags & INCOMPATIBLE_FLAGS == 0;
        valid.then_some(Self { entries: payload })
    }

    /// The origins, each in its ASCII serialisation (RFC 6454, 6.2), unchecked. An entry that is cut off ends
    /// the list.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.entries;
        core::iter::from_fn(move || {
            let (length, entry) = rest.split_first_chunk()?;
            let (origin, behind) = entry.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            rest = behind;
            Some(origin)
        })
    }

    /// Appends a frame with these origins. One of more than 65,535 octets has no entry, and is left out.
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
