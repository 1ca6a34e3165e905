//! HEADERS (RFC 9113, 6.2).

use super::{FrameHeader, FrameType, StreamDependency, StreamId, flags, padding};
use crate::error::Violation;

/// HEADERS: the start of a field block (RFC 9113, 6.2). An endpoint that has a section to send uses
/// [`FieldBlock`](super::FieldBlock), which splits a long block as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// The stream of the message.
    pub stream_id: StreamId,
    /// Whether the message ends with this section.
    pub end_stream: bool,
    /// Whether the field block ends with this fragment; otherwise CONTINUATION follows.
    pub end_headers: bool,
    /// The priority of RFC 7540's scheme, where the frame carries one.
    pub dependency: Option<StreamDependency>,
    /// The first fragment of the field block.
    pub fragment: &'a [u8],
}

impl<'a> Headers<'a> {
    /// Reads the payload. Errors: [`Violation::FrameLength`], [`Violation::PaddingTooLong`].
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

    /// Whether the stream depends on itself, an error of the stream in RFC 7540, 5.3.1
    /// ([`Violation::SelfDependency`]). The field block must be decoded all the same.
    pub fn is_self_dependent(&self) -> bool {
        self.dependency.is_some_and(|dependency| dependency.stream_id == self.stream_id)
    }

    /// Appends this one frame, without padding.
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
