//! Decoding of field blocks (RFC 7541, 3.2 and 6).

use core::fmt;

use super::{DEFAULT_TABLE_SIZE, integer, string, table::Table};
use crate::{
    error::Violation,
    fields::{FieldSection, LineFlags, Name, PADDING, append, check_name, check_value, check_value_ends},
};

/// The maximum number of size updates at the start of a block: the smallest size since the last block, then the
/// final size (RFC 7541, 4.2).
const MAX_SIZE_UPDATES: u32 = 2;

/// Decodes field blocks and holds the dynamic table they share.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(super) table: Table,
    /// Our SETTINGS_HEADER_TABLE_SIZE as acknowledged by the peer, which no size update may exceed.
    max_table_size: u32,
    /// If set, the next block must begin with a size update to at most this many bytes (RFC 9113, 4.3.1).
    required_update: Option<u32>,
    /// Table size, in bytes, evicted by the size updates of the last block.
    evicted_by_updates: usize,
}

/// Limits on the size of a field section, enforced while a block is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionLimits {
    /// Soft size limit in bytes, as counted by SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 6.5.2). Further fields are
    /// decoded but dropped.
    pub list_size: usize,
    /// Hard size limit in bytes: decoding fails beyond it. Also limits the encoded length of each string literal.
    pub list_size_hard: usize,
    /// Maximum number of field lines to keep, not counting Cookie.
    pub fields: usize,
    /// Maximum number of field lines, including Cookie: decoding fails beyond it.
    pub fields_hard: usize,
    /// Maximum number of Cookie lines to keep. Browsers split one field into many (RFC 9113, 8.2.3).
    pub cookie_crumbs: usize,
}

/// The outcome of decoding a field block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Decoded {
    /// The field section is complete.
    Whole,
    /// The section exceeded a soft limit.
    ///
    /// The remaining fields were decoded to keep the dynamic table in sync, then dropped.
    TooLarge,
}

/// The reason a field block could not be decoded.
///
/// The dynamic table is out of sync afterwards, so the connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The block breaks the rules of HPACK.
    Compression,
    /// The section exceeded a hard limit.
    TooLarge,
}

/// The state of the limits while a block is decoded.
struct Tally<'a> {
    limits: &'a SectionLimits,
    /// The size and the number of lines up to which a section cannot exceed a limit.
    safe_size: usize,
    safe_lines: usize,
    /// The size and the number of the fields that were dropped, since the section has reached a soft limit.
    dropped_size: usize,
    dropped: usize,
}

impl Decoder {
    /// Creates a decoder whose dynamic table holds up to `max_table_size` bytes.
    ///
    /// This is our SETTINGS_HEADER_TABLE_SIZE as the peer knows it: 4,096 until the peer acknowledges another
    /// value.
    pub fn new(max_table_size: u32) -> Self {
        Self {
            table: Table::new(max_table_size),
            max_table_size,
            required_update: None,
            evicted_by_updates: 0,
        }
    }

    /// Applies our SETTINGS_HEADER_TABLE_SIZE once the peer has acknowledged it.
    ///
    /// If it is smaller than the current table size, the next block must begin with a size update
    /// (RFC 9113, 4.3.1).
    pub fn set_max_table_size(&mut self, max_table_size: u32) {
        self.max_table_size = max_table_size;
        if max_table_size < self.table.max_size() {
            let smallest = self.required_update.map_or(max_table_size, |earlier| earlier.min(max_table_size));
            self.required_update = Some(smallest);
        }
    }

    /// Decodes a complete field block into `section`, which is cleared first.
    ///
    /// Fields keep their order (RFC 7541, 2.1 and 3.1). Invalid names and values are not errors here: they make the
    /// message malformed, not the connection, and [`FieldSection::defect`] reports them.
    // Inlined in its caller, the loop would have too few registers.
    #[inline(never)]
    pub fn decode(
        &mut self,
        block: &[u8],
        limits: &SectionLimits,
        section: &mut FieldSection,
    ) -> Result<Decoded, DecodeError> {
        section.clear();
        let mut input = block;
        self.size_updates(&mut input)?;
        let mut tally = Tally::new(limits);
        while let Some((&first, rest)) = input.split_first() {
            input = rest;
            if first & 0x80 != 0 {
                // An indexed field (RFC 7541, 6.1).
                let index = integer::decode(first, 7, &mut input).ok_or(DecodeError::Compression)?;
                let (line, octets) = self.table.entry(index as usize).ok_or(DecodeError::Compression)?;
                if !section.push_copy(line, octets) {
                    return Err(DecodeError::TooLarge);
                }
            } else {
                self.literal(first, &mut input, limits, section)?;
            }
            if section.size() > tally.safe_size || section.len() > tally.safe_lines {
                tally.check(section)?;
            }
        }
        Ok(if tally.dropped > 0 { Decoded::TooLarge } else { Decoded::Whole })
    }

    /// Gives back memory that the table does not need for its size.
    pub(crate) fn shrink(&mut self) {
        self.table.shrink();
    }

    /// Returns the table size, in bytes, evicted by the size updates of the last block.
    ///
    /// A peer that keeps emptying the table causes work without benefit.
    pub fn evicted_by_updates(&self) -> usize {
        self.evicted_by_updates
    }

    /// Reads the size updates at the front of a block (RFC 7541, 6.3).
    fn size_updates(&mut self, input: &mut &[u8]) -> Result<(), DecodeError> {
        self.evicted_by_updates = 0;
        for _ in 0..MAX_SIZE_UPDATES {
            let Some((&first, mut rest)) = input.split_first() else { break };
            if first & 0xe0 != 0x20 {
                break;
            }
            let size = integer::decode(first, 5, &mut rest).ok_or(DecodeError::Compression)?;
            *input = rest;
            let allowed = self.required_update.take().unwrap_or(self.max_table_size);
            if size > allowed {
                return Err(DecodeError::Compression);
            }
            let before = self.table.size();
            self.table.set_max_size(size);
            let evicted = before.saturating_sub(self.table.size());
            self.evicted_by_updates = self.evicted_by_updates.saturating_add(evicted);
        }
        if self.required_update.is_some() { Err(DecodeError::Compression) } else { Ok(()) }
    }

    /// Decodes a literal field, with or without indexing (RFC 7541, 6.2).
    fn literal(
        &mut self,
        first: u8,
        input: &mut &[u8],
        limits: &SectionLimits,
        section: &mut FieldSection,
    ) -> Result<(), DecodeError> {
        // Size updates are only allowed at the start of the block.
        if first & 0xe0 == 0x20 {
            return Err(DecodeError::Compression);
        }
        let indexing = first & 0x40 != 0;
        let prefix_bits = if indexing { 6 } else { 4 };
        let index = integer::decode(first, prefix_bits, input).ok_or(DecodeError::Compression)?;
        let start = section.arena().len();
        let (name, name_flags) = self.literal_name(index as usize, input, limits, section)?;
        let value_start = section.arena().len();
        let visible = string::decode(input, limits.list_size_hard, section.arena())?;
        let value = section.arena().get(value_start..).unwrap_or_default();
        let value_flags = if visible { check_value_ends(value) } else { check_value(value) };

        let name_len = value_start.saturating_sub(start);
        let flags = LineFlags::NEVER_INDEXED.when(first & 0xf0 == 0x10).with(name_flags).with(value_flags);
        let line = section.line_from(start, name, name_len, flags).ok_or(DecodeError::TooLarge)?;
        section.push_line(line);
        if indexing {
            let arena = section.arena();
            let end = arena.len();
            arena.extend_from_slice(&[0; PADDING]);
            self.table.insert(&line, arena.get(start..).unwrap_or_default());
            arena.truncate(end);
        }
        Ok(())
    }

    /// Reads the name of a literal field, either by index or as a string.
    ///
    /// A spelled-out name is appended to the section's buffer, so it remains valid if inserting this field evicts
    /// the entry it was taken from (RFC 7541, 4.4).
    fn literal_name(
        &self,
        index: usize,
        input: &mut &[u8],
        limits: &SectionLimits,
        section: &mut FieldSection,
    ) -> Result<(Name, LineFlags), DecodeError> {
        let arena = section.arena();
        if index == 0 {
            let start = arena.len();
            string::decode(input, limits.list_size_hard, arena)?;
            let literal = arena.get(start..).unwrap_or_default();
            let name = Name::of(literal);
            if name.is_known() {
                arena.truncate(start);
                return Ok((name, LineFlags::NONE));
            }
            return Ok((name, check_name(literal)));
        }
        let (line, octets) = self.table.entry(index).ok_or(DecodeError::Compression)?;
        append(arena, octets, line.name_len as usize);
        Ok((line.name, line.flags.of_name()))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DEFAULT_TABLE_SIZE)
    }
}

impl<'a> Tally<'a> {
    fn new(limits: &'a SectionLimits) -> Self {
        let safe_size = limits.list_size.min(limits.list_size_hard);
        let safe_lines = limits.fields.min(limits.cookie_crumbs).min(limits.fields_hard);
        Self { limits, safe_size, safe_lines, dropped_size: 0, dropped: 0 }
    }

    /// Checks the limits, and drops the last line if it exceeds a soft one.
    #[cold]
    fn check(&mut self, section: &mut FieldSection) -> Result<(), DecodeError> {
        let (limits, crumbs) = (self.limits, section.cookies());
        if self.dropped > 0
            || section.size() > limits.list_size
            || section.len().saturating_sub(crumbs) > limits.fields
            || crumbs > limits.cookie_crumbs
        {
            self.dropped_size =
                self.dropped_size.saturating_add(section.pop_line().map_or(0, |line| line.size()));
            self.dropped = self.dropped.saturating_add(1);
            // Drop all further lines.
            self.safe_size = 0;
        }
        let size = self.dropped_size.saturating_add(section.size());
        let lines = self.dropped.saturating_add(section.len());
        if size > limits.list_size_hard || lines > limits.fields_hard {
            return Err(DecodeError::TooLarge);
        }
        Ok(())
    }
}

impl From<DecodeError> for Violation {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Compression => Self::Compression,
            DecodeError::TooLarge => Self::FieldBlockTooLarge,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Violation::from(*self).reason())
    }
}

impl core::error::Error for DecodeError {}
