//! SETTINGS (RFC 9113, 6.5).

use core::fmt;

use super::{FrameHeader, FrameType, StreamId, flags};
use crate::error::Violation;

/// Length of a parameter in bytes.
const PARAMETER_LEN: usize = 6;

/// The identifier of a setting (RFC 9113, 6.5.2). Unknown settings are preserved so that they can be ignored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SettingId(pub u16);

impl SettingId {
    /// Size in bytes of the table that the sender uses to decode field blocks. Initially 4,096.
    pub const HEADER_TABLE_SIZE: Self = Self(0x1);
    /// Whether the sender accepts pushed responses, 0 or 1. Initially 1.
    pub const ENABLE_PUSH: Self = Self(0x2);
    /// The number of streams that the receiver may have open concurrently. Initially unlimited.
    pub const MAX_CONCURRENT_STREAMS: Self = Self(0x3);
    /// The number of bytes that the receiver may send on a new stream, at most 2^31-1. Initially 65,535.
    pub const INITIAL_WINDOW_SIZE: Self = Self(0x4);
    /// The longest payload in bytes that the sender accepts, 2^14 to 2^24-1. Initially 2^14.
    pub const MAX_FRAME_SIZE: Self = Self(0x5);
    /// The largest field section in bytes that the sender accepts, counting 32 extra for each line. Initially
    /// unlimited.
    pub const MAX_HEADER_LIST_SIZE: Self = Self(0x6);
    /// Whether the sender accepts extended CONNECT, 0 or 1. Initially 0 (RFC 8441, 3).
    pub const ENABLE_CONNECT_PROTOCOL: Self = Self(0x8);
    /// Whether the sender ignores RFC 7540 priorities, 0 or 1. Initially 0 (RFC 9218, 2.1).
    pub const NO_RFC7540_PRIORITIES: Self = Self(0x9);

    /// Returns the registered name of the setting, or `None` if it is unknown.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::HEADER_TABLE_SIZE => "SETTINGS_HEADER_TABLE_SIZE",
            Self::ENABLE_PUSH => "SETTINGS_ENABLE_PUSH",
            Self::MAX_CONCURRENT_STREAMS => "SETTINGS_MAX_CONCURRENT_STREAMS",
            Self::INITIAL_WINDOW_SIZE => "SETTINGS_INITIAL_WINDOW_SIZE",
            Self::MAX_FRAME_SIZE => "SETTINGS_MAX_FRAME_SIZE",
            Self::MAX_HEADER_LIST_SIZE => "SETTINGS_MAX_HEADER_LIST_SIZE",
            Self::ENABLE_CONNECT_PROTOCOL => "SETTINGS_ENABLE_CONNECT_PROTOCOL",
            Self::NO_RFC7540_PRIORITIES => "SETTINGS_NO_RFC7540_PRIORITIES",
            _ => return None,
        })
    }

    /// Checks whether the value is valid for the setting, regardless of the sender and earlier values.
    ///
    /// Errors: [`Violation::InitialWindowTooLarge`], [`Violation::BadSetting`].
    pub fn check(self, value: u32) -> Result<(), Violation> {
        let valid = match self {
            Self::ENABLE_PUSH | Self::ENABLE_CONNECT_PROTOCOL | Self::NO_RFC7540_PRIORITIES => value <= 1,
            Self::INITIAL_WINDOW_SIZE if value > 0x7fff_ffff => return Err(Violation::InitialWindowTooLarge),
            Self::MAX_FRAME_SIZE => (0x4000..=0xff_ffff).contains(&value),
            _ => true,
        };
        if valid { Ok(()) } else { Err(Violation::BadSetting) }
    }
}

impl fmt::Display for SettingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "setting {:#x}", self.0),
        }
    }
}

impl fmt::Debug for SettingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SETTINGS: conveys the sender's settings, or acknowledges that the sender applied the receiver's (RFC 9113, 6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingsFrame<'a> {
    ack: bool,
    parameters: &'a [[u8; PARAMETER_LEN]],
}

impl<'a> SettingsFrame<'a> {
    /// Parses the payload without validating the values: see [`SettingId::check`]. Error:
    /// [`Violation::FrameLength`].
    pub fn parse(header: FrameHeader, payload: &'a [u8]) -> Result<Self, Violation> {
        let ack = header.has(flags::ACK);
        match payload.as_chunks() {
            (parameters, []) if !ack || parameters.is_empty() => Ok(Self { ack, parameters }),
            _ => Err(Violation::FrameLength),
        }
    }

    /// Returns whether the frame acknowledges the receiver's settings.
    pub fn is_ack(&self) -> bool {
        self.ack
    }

    /// Iterates over the parameters in the order in which they take effect (RFC 9113, 6.5.3).
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SettingId, u32)> + use<'a> {
        self.parameters.iter().map(|&[i0, i1, v0, v1, v2, v3]| {
            (SettingId(u16::from_be_bytes([i0, i1])), u32::from_be_bytes([v0, v1, v2, v3]))
        })
    }

    /// Appends a frame with these parameters.
    pub fn encode(parameters: &[(SettingId, u32)], out: &mut Vec<u8>) {
        let length = parameters.len().saturating_mul(PARAMETER_LEN);
        FrameHeader::new(FrameType::SETTINGS, 0, StreamId::CONNECTION, length).encode(out);
        for (id, value) in parameters {
            out.extend_from_slice(&id.0.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    }

    /// Appends an acknowledgement.
    pub fn encode_ack(out: &mut Vec<u8>) {
        FrameHeader::new(FrameType::SETTINGS, flags::ACK, StreamId::CONNECTION, 0).encode(out);
    }
}
