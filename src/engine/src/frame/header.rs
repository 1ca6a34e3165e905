//! The frame header (RFC 9113, 4.1), and the checks that need nothing else.

use core::fmt;

use super::{StreamId, padding};
use crate::error::Violation;

/// Length of a frame header in bytes (RFC 9113, 4.1).
pub const HEADER_LEN: usize = 9;

/// Frame flags (RFC 9113, 6). The meaning of a bit depends on the frame type; undefined bits are ignored.
pub mod flags {
    /// SETTINGS, PING: acknowledges a frame of the same type.
    pub const ACK: u8 = 0x01;
    /// DATA, HEADERS: the sender's last frame on the stream, apart from CONTINUATION.
    pub const END_STREAM: u8 = 0x01;
    /// HEADERS, PUSH_PROMISE, CONTINUATION: this frame ends the field block.
    pub const END_HEADERS: u8 = 0x04;
    /// DATA, HEADERS, PUSH_PROMISE: the payload starts with the Pad Length field and ends with padding.
    pub const PADDED: u8 = 0x08;
    /// HEADERS: the RFC 7540 priority fields precede the field block fragment.
    pub const PRIORITY: u8 = 0x20;
}

/// The type of a frame (RFC 9113, 6). Unknown types are preserved so that they can be ignored (RFC 9113, 5.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameType(pub u8);

impl FrameType {
    /// Carries the content of a message (RFC 9113, 6.1).
    pub const DATA: Self = Self(0x00);
    /// Starts a field block and usually opens a stream (RFC 9113, 6.2).
    pub const HEADERS: Self = Self(0x01);
    /// Sets a priority in the deprecated scheme (RFC 9113, 6.3).
    pub const PRIORITY: Self = Self(0x02);
    /// Terminates a stream immediately (RFC 9113, 6.4).
    pub const RST_STREAM: Self = Self(0x03);
    /// Conveys the sender's settings or acknowledges the receiver's (RFC 9113, 6.5).
    pub const SETTINGS: Self = Self(0x04);
    /// Announces a pushed response (RFC 9113, 6.6).
    pub const PUSH_PROMISE: Self = Self(0x05);
    /// Checks that the connection is alive, or confirms it (RFC 9113, 6.7).
    pub const PING: Self = Self(0x06);
    /// Announces the end of the connection (RFC 9113, 6.8).
    pub const GOAWAY: Self = Self(0x07);
    /// Allows the receiver to send more DATA (RFC 9113, 6.9).
    pub const WINDOW_UPDATE: Self = Self(0x08);
    /// Continues a field block (RFC 9113, 6.10).
    pub const CONTINUATION: Self = Self(0x09);
    /// Advertises an alternative service (RFC 7838, 4).
    pub const ALTSVC: Self = Self(0x0a);
    /// Lists the origins available on the connection (RFC 8336, 2).
    pub const ORIGIN: Self = Self(0x0c);
    /// Changes the priority of a response (RFC 9218, 7.1).
    pub const PRIORITY_UPDATE: Self = Self(0x10);

    /// Returns the registered name of the type, or `None` if it is unknown.
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
    /// Length of the payload in bytes, at most 2^24-1.
    pub length: u32,
    /// The type of the frame.
    pub kind: FrameType,
    /// The flags (RFC 9113, 6); what a bit means depends on the type.
    pub flags: u8,
    /// The stream the frame belongs to.
    pub stream_id: StreamId,
}

/// The streams that may carry a frame type.
enum StreamRule {
    /// Any stream except stream 0.
    Stream,
    /// Only stream 0. A frame on another stream is this offence.
    Connection(Violation),
    /// Any stream, or the frame is ignored on the wrong stream.
    Any,
}

/// The payload lengths that a frame type allows.
enum LengthRule {
    /// Exactly this many bytes. Any other length is this offence.
    Exactly(u32, Violation),
    /// At least this many bytes.
    AtLeast(u32),
    /// At least this many bytes, plus the Pad Length field if the PADDED flag is set.
    Padded(u32),
    /// A multiple of the parameter length, or empty in an acknowledgement (RFC 9113, 6.5).
    Settings,
}

impl FrameHeader {
    /// Creates the header of a frame with a payload of `length` bytes, which must be below 2^24.
    pub(crate) fn new(kind: FrameType, flags: u8, stream_id: StreamId, length: usize) -> Self {
        debug_assert!(length < 1 << 24, "no frame holds {length} bytes");
        Self { length: u32::try_from(length).unwrap_or(u32::MAX), kind, flags, stream_id }
    }

    /// Parses a frame header. The reserved bit is ignored (RFC 9113, 4.1).
    pub const fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *bytes;
        Self {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind: FrameType(kind),
            flags,
            stream_id: StreamId::from_bytes([s0, s1, s2, s3]),
        }
    }

    /// Returns the wire format of the header.
    pub const fn to_bytes(self) -> [u8; HEADER_LEN] {
        let [_, l0, l1, l2] = self.length.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream_id.to_bytes();
        [l0, l1, l2, self.kind.0, self.flags, s0, s1, s2, s3]
    }

    /// Appends the header.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    /// Returns whether all of the given flags are set.
    pub const fn has(self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// Returns whether frames of this type carry a field block (RFC 9113, 4.3).
    pub const fn carries_field_block(self) -> bool {
        matches!(self.kind, FrameType::HEADERS | FrameType::PUSH_PROMISE | FrameType::CONTINUATION)
    }

    /// Validates the header before any payload arrives.
    ///
    /// First checks the length against `max_frame_size`, our SETTINGS_MAX_FRAME_SIZE (RFC 9113, 4.2), then the
    /// stream and the length against the rules of the frame type (RFC 9113, 6). Frames of unknown types only
    /// undergo the first check.
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
            LengthRule::Exactly(bytes, offence) if self.length != bytes => Err(offence),
            LengthRule::AtLeast(bytes) if self.length < bytes => Err(Violation::FrameLength),
            LengthRule::Padded(bytes) if self.length < bytes.saturating_add(padding::length_octets(self)) => {
                Err(Violation::FrameLength)
            }
            LengthRule::Settings if !self.length.is_multiple_of(6) => Err(Violation::FrameLength),
            LengthRule::Settings if self.has(flags::ACK) && self.length != 0 => Err(Violation::FrameLength),
            _ => Ok(()),
        }
    }

    /// Returns the length in bytes of the fields that the PRIORITY flag adds to HEADERS (RFC 9113, 6.2).
    pub(super) fn dependency_octets(self) -> u32 {
        if self.has(flags::PRIORITY) { 5 } else { 0 }
    }

    /// Returns the stream and length rules of the frame type (RFC 9113, 4.2, 6.1, 6.2, 6.3, 6.4, 6.5, 6.6, 6.7,
    /// 6.8, 6.9, 6.10; RFC 9218, 7.1).
    ///
    /// Extension frames that are ignored if invalid have no rules.
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

    /// Returns the offence of a frame that exceeds the maximum frame size.
    ///
    /// It is a stream error only if the frame affects nothing but its stream (RFC 9113, 4.2) and if a wrong length
    /// of this frame type is not a connection error anyway.
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
