//! The nine octets before every payload (RFC 9113, 4.1), and what can be judged by them alone.

use core::fmt;

use super::{StreamId, padding};
use crate::error::Violation;

/// The octets of a frame header (RFC 9113, 4.1).
pub const HEADER_LEN: usize = 9;

/// Flags of frames (RFC 9113, 6). What a bit means depends on the type of the frame; unused bits are ignored.
pub mod flags {
    /// SETTINGS, PING: the frame acknowledges one of the same type.
    pub const ACK: u8 = 0x01;
    /// DATA, HEADERS: the sender's last frame on the stream, but for CONTINUATION.
    pub const END_STREAM: u8 = 0x01;
    /// HEADERS, PUSH_PROMISE, CONTINUATION: the field block ends here.
    pub const END_HEADERS: u8 = 0x04;
    /// DATA, HEADERS, PUSH_PROMISE: the payload starts with the length of the padding at its end.
    pub const PADDED: u8 = 0x08;
    /// HEADERS: the fields of RFC 7540's priorities stand before the field block fragment.
    pub const PRIORITY: u8 = 0x20;
}

/// The type of a frame (RFC 9113, 6). Unknown types survive, to be ignored (RFC 9113, 5.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameType(pub u8);

impl FrameType {
    /// Content of a message (RFC 9113, 6.1).
    pub const DATA: Self = Self(0x00);
    /// Starts a field block, and usually a stream (RFC 9113, 6.2).
    pub const HEADERS: Self = Self(0x01);
    /// A priority in the deprecated scheme (RFC 9113, 6.3).
    pub const PRIORITY: Self = Self(0x02);
    /// Ends a stream at once (RFC 9113, 6.4).
    pub const RST_STREAM: Self = Self(0x03);
    /// The sender's settings, or the acknowledgement of the receiver's (RFC 9113, 6.5).
    pub const SETTINGS: Self = Self(0x04);
    /// Announces a pushed response (RFC 9113, 6.6).
    pub const PUSH_PROMISE: Self = Self(0x05);
    /// Asks for a sign of life, or gives it (RFC 9113, 6.7).
    pub const PING: Self = Self(0x06);
    /// Announces the end of the connection (RFC 9113, 6.8).
    pub const GOAWAY: Self = Self(0x07);
    /// Lets the receiver send more DATA (RFC 9113, 6.9).
    pub const WINDOW_UPDATE: Self = Self(0x08);
    /// Continues a field block (RFC 9113, 6.10).
    pub const CONTINUATION: Self = Self(0x09);
    /// An alternative service (RFC 7838, 4).
    pub const ALTSVC: Self = Self(0x0a);
    /// The origins that the connection is for (RFC 8336, 2).
    pub const ORIGIN: Self = Self(0x0c);
    /// Changes the priority of a response (RFC 9218, 7.1).
    pub const PRIORITY_UPDATE: Self = Self(0x10);

    /// The registered name of the type; `None` for one that is not known here.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::DATA => "DATA",
            Self::HEADERS => "HEADERS",
            Self::PRIORITY => "PRIORITY",
            Self::RST_STREAM => "RST_STREAM",
            Self::SETTINGS => "SETTINGS",
            Self::PUSH_PROMISE => "PUSH_PROMISE",
            Self::PING => "PING",
            Self::GOAWAY => "GOAWAY",
            Self::WINDOW_UPDATE => "WINDOW_UPDATE",
            Self::CONTINUATION => "CONTINUATION",
            Self::ALTSVC => "ALTSVC",
            Self::ORIGIN => "ORIGIN",
            Self::PRIORITY_UPDATE => "PRIORITY_UPDATE",
            _ => return None,
        })
    }
}

impl fmt::Display for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "frame type {:#x}", self.0),
        }
    }
}

impl fmt::Debug for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A frame header (RFC 9113, 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Octets of the payload, at most 2^24-1.
    pub length: u32,
    /// The type of the frame.
    pub kind: FrameType,
    /// The flags, by the bits of [`flags`].
    pub flags: u8,
    /// The stream that the frame belongs to.
    pub stream_id: StreamId,
}

/// On which streams a type of frame may stand.
enum StreamRule {
    /// On a stream, not on the connection.
    Stream,
    /// On stream 0; elsewhere it is this offence.
    Connection(Violation),
    /// On either, or wherever it does not matter because the frame is ignored there.
    Any,
}

/// How long the payload of a type of frame may be.
enum LengthRule {
    /// As many octets as these, or this offence.
    Exactly(u32, Violation),
    /// Not fewer octets than these.
    AtLeast(u32),
    /// Not fewer octets than these, and the pad length where the flag says that there is one.
    Padded(u32),
    /// Whole parameters, and none in an acknowledgement (RFC 9113, 6.5).
    Settings,
}

impl FrameHeader {
    /// The header of a frame with a payload of `length` octets, which the caller keeps below 2^24.
    pub(crate) fn new(kind: FrameType, flags: u8, stream_id: StreamId, length: usize) -> Self {
        debug_assert!(length < 1 << 24, "no frame holds {length} octets");
        Self { length: u32::try_from(length).unwrap_or(u32::MAX), kind, flags, stream_id }
    }

    /// Reads a frame header. The reserved bit is ignored (RFC 9113, 4.1).
    pub const fn parse(octets: &[u8; HEADER_LEN]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *octets;
        Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind: FrameType(kind),
            flags,
            stream_id: StreamId::from_bytes([s0, s1, s2, s3]),
        }
    }

    /// The header as it goes on the wire.
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [_, l0, l1, l2] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream_id.to_bytes();
        [l0, l1, l2, self.kind.0, self.flags, s0, s1, s2, s3]
    }

    /// Appends the header.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// Whether all these flags are set.
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// Whether the frame is one of those that carry a field block (RFC 9113, 4.3).
    pub const fn carries_field_block(self) -> bool {
        matches!(self.kind, FrameType::HEADERS | FrameType::PUSH_PROMISE | FrameType::CONTINUATION)
    }

    /// Judges what the header alone tells, before any octet of the payload has come: first the length against
    /// `max_frame_size`, our SETTINGS_MAX_FRAME_SIZE (RFC 9113, 4.2), then the stream and the length that the
    /// type allows (RFC 9113, 6). Of unknown types only the first is asked.
    pub fn check(self, max_frame_size: u32) -> Result<(), Violation> {
        if self.length > max_frame_size {
            return Err(self.too_large());
        }
        let Some((stream, length)) = self.rules() else { return Ok(()) };
        match stream {
            StreamRule::Stream if self.stream_id.is_connection() => return Err(Violation::StreamZero),
            StreamRule::Connection(offence) if !self.stream_id.is_connection() => return Err(offence),
            _ => {}
        }
        match length {
            LengthRule::Exactly(octets, offence) if self.length != octets => Err(offence),
            LengthRule::AtLeast(octets) if self.length < octets => Err(Violation::FrameLength),
            LengthRule::Padded(octets)
                if self.length < octets.saturating_add(padding::length_octets(self)) =>
            {
                Err(Violation::FrameLength)
            }
            LengthRule::Settings if !self.length.is_multiple_of(6) => Err(Violation::FrameLength),
            LengthRule::Settings if self.has(flags::ACK) && self.length != 0 => Err(Violation::FrameLength),
            _ => Ok(()),
        }
    }

    /// Octets that the PRIORITY flag of HEADERS asks for (RFC 9113, 6.2).
    pub(super) fn dependency_octets(self) -> u32 {
        if self.has(flags::PRIORITY) { 5 } else { 0 }
    }

    /// What each type asks of its stream and its length (RFC 9113, 4.2, 6.1, 6.2, 6.3, 6.4, 6.5, 6.6, 6.7, 6.8, 6.9, 6.10;
    /// RFC 9218, 7.1). Extensions that are ignored when they are wrong are not here.
    #[rustfmt::skip]
    fn rules(self) -> Option<(StreamRule, LengthRule)> {
        use LengthRule::{AtLeast, Exactly, Padded};
        use StreamRule::{Any, Connection, Stream};
        use Violation::{BadPriorityUpdate, FrameLength, NotStreamZero, PriorityLength};

        Some(match self.kind {
            FrameType::DATA            => (Stream,                        Padded(0)),
            FrameType::HEADERS         => (Stream,                        Padded(self.dependency_octets())),
            FrameType::PRIORITY        => (Stream,                        Exactly(5, PriorityLength)),
            FrameType::RST_STREAM      => (Stream,                        Exactly(4, FrameLength)),
            FrameType::SETTINGS        => (Connection(NotStreamZero),     LengthRule::Settings),
            FrameType::PUSH_PROMISE    => (Stream,                        Padded(4)),
            FrameType::PING            => (Connection(NotStreamZero),     Exactly(8, FrameLength)),
            FrameType::GOAWAY          => (Connection(NotStreamZero),     AtLeast(8)),
            FrameType::WINDOW_UPDATE   => (Any,                           Exactly(4, FrameLength)),
            FrameType::CONTINUATION    => (Stream,                        AtLeast(0)),
            FrameType::PRIORITY_UPDATE => (Connection(BadPriorityUpdate), AtLeast(4)),
            _ => return None,
        })
    }

    /// The offence of an over-long frame: an error of the stream only where the frame cannot touch more than
    /// its stream (RFC 9113, 4.2), and where a wrong length is not an error of the connection anyway.
    fn too_large(self) -> Violation {
        match self.rules() {
            _ if self.stream_id.is_connection() || self.carries_field_block() => Violation::FrameTooLarge,
            Some((StreamRule::Connection(_), _) | (_, LengthRule::Exactly(_, Violation::FrameLength))) => {
                Violation::FrameTooLarge
            }
            _ => Violation::StreamFrameTooLarge,
        }
    }
}
