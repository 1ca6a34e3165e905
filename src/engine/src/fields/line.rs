//! One field line: where its octets are, and what is known about it.

use super::Name;

/// What a field line costs beyond its octets (RFC 9113, 6.5.2; RFC 7541, 4.1).
pub(crate) const LINE_OVERHEAD: usize = 32;

/// The description of a field line whose octets stand in an arena: the name, unless it is known by number, and
/// the value directly behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Where the octets start. The owner of the arena says from which point that is counted.
    pub(crate) start: u32,
    /// How many octets the spelled-out name has in the arena: none for a known one.
    pub(crate) name_len: u32,
    pub(crate) value_len: u32,
    pub(crate) name: Name,
    pub(crate) flags: LineFlags,
}

/// What is known about a field line; it is kept in the dynamic table, so that nothing is found out twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineFlags(u8);

impl LineFlags {
    pub(crate) const NONE: Self = Self(0);
    /// The line came, or is to be sent, as a literal that is never indexed (RFC 7541, 6.2.3).
    pub(crate) const NEVER_INDEXED: Self = Self(1);
    /// The name has octets that no field name has.
    pub(crate) const BAD_NAME: Self = Self(1 << 1);
    /// The value has octets that no field value has.
    pub(crate) const BAD_VALUE: Self = Self(1 << 2);

    #[inline]
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[inline]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags if the condition holds.
    #[inline]
    pub(crate) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

impl Line {
    /// How many octets the line has in its arena.
    #[inline]
    pub(crate) fn octets(&self) -> usize {
        (self.name_len as usize).saturating_add(self.value_len as usize)
    }

    /// The length of name and value, and 32 (RFC 7541, 4.1).
    #[inline]
    pub(crate) fn size(&self) -> usize {
        Self::size_of(self.name, self.octets())
    }

    /// The size of a line that has so many octets beside its known name.
    #[inline]
    pub(crate) fn size_of(name: Name, octets: usize) -> usize {
        octets.saturating_add(name.as_bytes().len()).saturating_add(LINE_OVERHEAD)
    }

    /// Name and value, from the octets of an arena that begin with those of this line.
    #[inline]
    pub(crate) fn split<'a>(&self, octets: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let (spelled_out, behind) = octets.split_at_checked(self.name_len as usize).unwrap_or_default();
        let value = behind.get(..self.value_len as usize).unwrap_or_default();
        (if self.name.is_known() { self.name.as_bytes() } else { spelled_out }, value)
    }
}
