//! HEADERS (RFC 9113, 6.2).

use super::{FrameHeader, FrameType, StreamDependency, StreamId, flags, padding};
use crate::error::Violation;

/// HEADERS: starts a field block (RFC 9113, 6.2).
///
/// An endpoint uses [`FieldBlock`](super::FieldBlock) to send a field section, which also splits a long block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The stream of the message.
    pub stream_id: StreamId,
    /// Whether this section ends the message.
    pub end_stream: bool,
    /// Whether this fragment ends the field block. If not, CONTINUATION follows.
    pub end_headers: bool,
    /// The RFC 7540 priority, if the frame contains one.
    pub dependency: Option<StreamDependency>,
    /// The first fragment of the field block.
    pub fragment: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Parses the payload. Errors: [`Violation::FrameLength`], [`Violation::PaddingTooLong`].
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Result<Self, Violation> {
        let content = padding::strip(header, payload, header.dependency_octets())?;
        let (dependency, fragment) = match content.split_first_chunk() {
            Some((octets, fragment)) if header.has(flags::PRIORITY) => {
                (Some(StreamDependency::parse(*octets)), fragment)
            }
            _ => (None, content),
        };
        Ok(Self {
            stream_id: header.stream_id,
            end_stream: header.has(flags::END_STREAM),
            end_headers: header.has(flags::END_HEADERS),
            dependency,
            fragment,
        })
    }

    /// Returns whether the stream depends on itself, a stream error in RFC 7540, 5.3.1
    /// ([`Violation::SelfDependency`]).
    ///
    /// The receiver must decode the field block even so.
    pub fn is_self_dependent(&self) -> bool {
        self.dependency.is_some_and(|dependency| dependency.stream_id == self.stream_id)
    }

    /// Appends this frame without padding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = 0;
        let mut length = self.fragment.len();
        if self.end_stream {
            flags |= flags::END_STREAM;
        }
        if self.end_headers {
            flags |= flags::END_HEADERS;
        }
        if self.dependency.is_some() {
            flags |= flags::PRIORITY;
            length = length.saturating_add(5);
        }
        FrameHeader::new(FrameType::HEADERS, flags, self.stream_id, length).encode(out);
        if let Some(dependency) = self.dependency {
            out.extend_from_slice(&dependency.to_bytes());
        }
        out.extend_from_slice(self.fragment);
    }
}
