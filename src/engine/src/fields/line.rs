//! The location and properties of a field line.

use super::Name;
use crate::error::Malformed;

/// The size in bytes that a field line counts in addition to its name and value (RFC 9113, 6.5.2; RFC 7541, 4.1).
pub(crate) const LINE_OVERHEAD: usize = 32;

/// A field line whose bytes are stored in an arena: the name, unless it is a known one, directly followed by the
/// value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The position of the first byte. The owner of the arena defines the origin.
    pub(crate) start: u32,
    /// The length of the spelled-out name in the arena, or 0 for a known name.
    pub(crate) name_len: u32,
    pub(crate) value_len: u32,
    pub(crate) name: Name,
    /// The length of a known name, or 0 for a spelled-out name.
    pub(crate) known_len: u8,
    pub(crate) flags: LineFlags,
}

/// Properties of a field line: of its name and value, and of its representation.
///
/// Tables keep them, so that they are determined only once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineFlags(u8);

impl LineFlags {
    pub(crate) const NONE: Self = Self(0);
    /// The line was received as a never-indexed literal, or must be sent as one (RFC 7541, 6.2.3).
    pub(crate) const NEVER_INDEXED: Self = Self(1);
    /// The name is not a valid field name.
    pub(crate) const BAD_NAME: Self = Self(1 << 1);
    /// The value is not a valid field value.
    pub(crate) const BAD_VALUE: Self = Self(1 << 2);
    /// The field is a pseudo-header field that RFC 9113, 8.3, or RFC 8441, 4, defines.
    pub(crate) const PSEUDO: Self = Self(1 << 3);
    /// The field is specific to HTTP/1.1 connections and makes a message malformed (RFC 9113, 8.2.2).
    pub(crate) const CONNECTION_SPECIFIC: Self = Self(1 << 4);
    /// The value tends to differ in each message, and would only fill up a dynamic table.
    pub(crate) const VARYING: Self = Self(1 << 5);
    /// The value is a secret that must not enter a dynamic table (RFC 7541, 7.1.3), unless it is a long cookie.
    pub(crate) const SECRET: Self = Self(1 << 6);
    /// The field may make a header section malformed, or has a meaning to the engine. Of spelled-out names, only those
    /// of pseudo-header fields are checked.
    pub(crate) const CHECKED: Self = Self(1 << 7);

    #[inline]
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[inline]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the flags that follow from the name.
    #[inline]
    pub(crate) const fn of_name(self) -> Self {
        Self(self.0 & !(Self::NEVER_INDEXED.0 | Self::BAD_VALUE.0))
    }

    /// Returns these flags if the condition holds.
    #[inline]
    pub(crate) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

impl Line {
    /// Creates a line with the flags of its name and those given.
    #[inline]
    pub(crate) const fn new(start: u32, name: Name, name_len: u32, value_len: u32, flags: LineFlags) -> Self {
        let known_len = name.as_bytes().len() as u8;
        Self { start, name_len, value_len, name, known_len, flags: flags.with(name.flags()) }
    }

    /// Returns the number of bytes the line occupies in its arena.
    #[inline]
    pub(crate) fn octets(&self) -> usize {
        // The arena holds them, so the sum does not overflow.
        (self.name_len as usize).wrapping_add(self.value_len as usize)
    }

    /// Returns the length of name and value plus 32 (RFC 7541, 4.1).
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.octets().wrapping_add(self.known_len.into()).wrapping_add(LINE_OVERHEAD)
    }

    /// Returns the defect of the name or the value.
    #[inline]
    pub(crate) fn defect(&self) -> Option<Malformed> {
        if !self.flags.has(LineFlags::BAD_NAME.with(LineFlags::BAD_VALUE)) {
            return None;
        }
        let bad_name = self.flags.has(LineFlags::BAD_NAME);
        Some(if bad_name { Malformed::FieldName } else { Malformed::FieldValue })
    }

    /// Returns name and value, given the arena from the start of this line.
    #[inline]
    pub(crate) fn split<'a>(&self, octets: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let (spelled_out, behind) = octets.split_at_checked(self.name_len as usize).unwrap_or_default();
        let value = behind.get(..self.value_len as usize).unwrap_or_default();
        (if self.name.is_known() { self.name.as_bytes() } else { spelled_out }, value)
    }

    /// Returns the value, given the arena.
    #[inline]
    pub(crate) fn value<'a>(&self, arena: &'a [u8]) -> &'a [u8] {
        let start = (self.start as usize).wrapping_add(self.name_len as usize);
        arena.get(start..).and_then(|behind| behind.get(..self.value_len as usize)).unwrap_or_default()
    }
}
