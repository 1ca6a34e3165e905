//! Encoding of field blocks (RFC 7541, 6), and the choice of fields to index.

use super::{DEFAULT_TABLE_SIZE, index::Index, integer, static_table, string, table::Table};
use crate::fields::{FieldSection, Line, LineFlags, Name, equal, hash};

/// Cookies shorter than this are never indexed: an attacker could guess them byte by byte (RFC 7541, 7.1.3).
const SHORT_COOKIE: u32 = 20;

/// The number of fields sent without indexing to remember.
const RECENT: usize = 64;

/// The number of fields of the last block for which to remember the entry.
const LAST: usize = 20;

/// Encodes field blocks and holds the dynamic table they share.
///
/// A field is indexed when it is first sent. A field whose value tends to vary, such as `:path`, is indexed when it
/// is sent again. Credentials and short cookies are never indexed.
#[derive(Clone, Debug)]
pub struct Encoder {
    pub(super) table: Table,
    index: Index,
    /// Our own limit on the table size, whatever the peer allows.
    own_cap: u32,
    /// The smallest maximum size since the last block, if it changed (RFC 7541, 4.2).
    smallest_size: Option<u32>,
    /// Hashes of varying fields sent without indexing. Part of the hash selects the slot.
    recent: [u32; RECENT],
    /// The entries to which the last block referred, in the order of its fields. Messages of one kind have the same fields
    /// in the same order, which spares most look-ups.
    last: [Entry; LAST],
}

/// An entry of a table.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// The entry of the static table with this index.
    Static(u8),
    /// The entry of the dynamic table with this insertion number, modulo 2^32.
    Dynamic(u32),
}

impl Encoder {
    /// Creates an encoder whose dynamic table never exceeds `own_cap` bytes, whatever the peer allows.
    ///
    /// The peer allows 4,096 bytes until its SETTINGS_HEADER_TABLE_SIZE arrives.
    pub fn new(own_cap: u32) -> Self {
        let max_size = DEFAULT_TABLE_SIZE.min(own_cap);
        Self {
            table: Table::new(max_size),
            index: Index::default(),
            own_cap,
            smallest_size: (max_size < DEFAULT_TABLE_SIZE).then_some(max_size),
            recent: [0; RECENT],
            last: [Entry::Static(0); LAST],
        }
    }

    /// Applies the peer's SETTINGS_HEADER_TABLE_SIZE.
    ///
    /// If the table size changes, the next block begins with a size update (RFC 7541, 4.2).
    pub fn set_max_table_size(&mut self, peer_max: u32) {
        let max_size = peer_max.min(self.own_cap);
        if max_size != self.table.max_size() {
            self.smallest_size = Some(self.smallest_size.map_or(max_size, |earlier| earlier.min(max_size)));
            self.table.set_max_size(max_size);
            // The index is sized for the table, so start a new one. The encoder no longer finds the remaining entries;
            // they only take up space until they are evicted.
            self.index = Index::default();
        }
    }

    /// Gives back memory that the table does not need for its size.
    pub(crate) fn shrink(&mut self) {
        self.table.shrink();
    }

    /// Appends the field block for `section` to `out`.
    pub fn encode(&mut self, section: &FieldSection, out: &mut Vec<u8>) {
        self.size_updates(out);
        for (place, (line, octets)) in section.lines().enumerate() {
            match self.predicted(place, line, octets) {
                Some(index) => integer::encode(index, 0x80, 7, out),
                None => self.line(place, line, octets, out),
            }
        }
    }

    fn size_updates(&mut self, out: &mut Vec<u8>) {
        let Some(smallest) = self.smallest_size.take() else { return };
        let final_size = self.table.max_size();
        integer::encode(smallest, 0x20, 5, out);
        if final_size != smallest {
            integer::encode(final_size, 0x20, 5, out);
        }
    }

    /// Returns the index of the entry to which the last block referred at this place, if it has this line.
    #[inline]
    fn predicted(&self, place: usize, line: &Line, octets: &[u8]) -> Option<u32> {
        let index = match *self.last.get(place)? {
            Entry::Static(index) => index.into(),
            Entry::Dynamic(number) => {
                let newest = self.table.inserted().wrapping_sub(1);
                dynamic_index(newest.wrapping_sub(number) as usize)
            }
        };
        let found = is_line(self.table.entry(index as usize)?, line, octets) && !is_secret(line);
        found.then_some(index)
    }

    /// Appends a line that was not predicted.
    // Inlined, it would leave the loop for predicted lines too few registers.
    #[inline(never)]
    fn line(&mut self, place: usize, line: &Line, octets: &[u8], out: &mut Vec<u8>) {
        if is_secret(line) {
            let name = self.find_name(line, octets);
            literal(0x10, 4, name, line, octets, out);
            return;
        }
        if line.name.is_known()
            && let Some(index) = static_table::find(line.name, octets)
        {
            self.remember(place, Entry::Static(index));
            out.push(0x80 | index);
            return;
        }
        let newest = self.table.inserted().wrapping_sub(1);
        let key = line_hash(line, octets);
        let has_line = |newer| self.table.get_padded(newer).is_some_and(|entry| is_line(entry, line, octets));
        if let Some(newer) = self.index.find(key as u32, &self.table, has_line) {
            self.remember(place, Entry::Dynamic(newest.wrapping_sub(newer as u32)));
            integer::encode(dynamic_index(newer), 0x80, 7, out);
            return;
        }
        let name = self.find_name(line, octets);
        if self.is_worth_indexing(line, key) {
            literal(0x40, 6, name, line, octets, out);
            self.insert(line, octets, key as u32, name.is_none());
            self.remember(place, Entry::Dynamic(newest.wrapping_add(1)));
        } else {
            literal(0x00, 4, name, line, octets, out);
        }
    }

    /// Returns whether a line should be inserted into the table.
    ///
    /// A line that would evict most other entries is not worth it, nor is a line unlikely to be repeated.
    fn is_worth_indexing(&mut self, line: &Line, key: u64) -> bool {
        if line.size() > self.table.max_size() as usize / 2 {
            return false;
        }
        !line.flags.has(LineFlags::VARYING) || self.was_sent_recently(key)
    }

    /// Returns whether a varying field was sent recently, and remembers it either way.
    fn was_sent_recently(&mut self, key: u64) -> bool {
        let (place, tag) = ((key >> 32) as usize % RECENT, key as u32);
        self.recent.get_mut(place).is_some_and(|recent| core::mem::replace(recent, tag) == tag)
    }

    /// Records the entry for the line at `place`.
    fn remember(&mut self, place: usize, entry: Entry) {
        if let Some(last) = self.last.get_mut(place) {
            *last = entry;
        }
    }

    fn insert(&mut self, line: &Line, octets: &[u8], key: u32, new_name: bool) {
        if self.table.insert(line, octets) {
            self.index.add_newest(key, &self.table);
            if new_name {
                self.index.add_newest(name_hash(line, octets), &self.table);
            }
        }
    }

    /// Returns the index of an entry with the line's name.
    fn find_name(&self, line: &Line, octets: &[u8]) -> Option<u32> {
        if let Some(index) = static_table::find_name(line.name) {
            return Some(index.into());
        }
        let newer = self
            .index
            .find(name_hash(line, octets), &self.table, |newer| self.has_name(newer, line, octets))?;
        Some(dynamic_index(newer))
    }

    fn has_name(&self, newer: usize, line: &Line, octets: &[u8]) -> bool {
        self.table.get(newer).is_some_and(|(entry, entry_octets)| {
            entry.name == line.name && entry.split(entry_octets).0 == line.split(octets).0
        })
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new(DEFAULT_TABLE_SIZE)
    }
}

/// Returns whether an entry, given with its bytes and others behind them, has a line.
#[inline(always)]
fn is_line((entry, padded): (&Line, &[u8]), line: &Line, octets: &[u8]) -> bool {
    entry.name == line.name
        && entry.name_len == line.name_len
        && padded.get(..entry.octets()).is_some_and(|entry_octets| equal(entry_octets, octets))
}

/// Returns whether to send a line as a never-indexed literal (RFC 7541, 7.1.3).
#[inline]
fn is_secret(line: &Line) -> bool {
    let long_cookie = line.name == Name::COOKIE && line.value_len >= SHORT_COOKIE;
    line.flags.has(LineFlags::NEVER_INDEXED) || line.flags.has(LineFlags::SECRET) && !long_cookie
}

/// Appends a literal field (RFC 7541, 6.2).
fn literal(pattern: u8, prefix_bits: u32, name: Option<u32>, line: &Line, octets: &[u8], out: &mut Vec<u8>) {
    let (spelled_out, value) = line.split(octets);
    integer::encode(name.unwrap_or(0), pattern, prefix_bits, out);
    if name.is_none() {
        string::encode(spelled_out, out);
    }
    string::encode(value, out);
}

/// Returns the index of a dynamic table entry (RFC 7541, 2.3.3).
#[inline]
fn dynamic_index(newer: usize) -> u32 {
    newer.wrapping_add(static_table::LEN).wrapping_add(1) as u32
}

/// Hashes the name and the value.
#[inline]
fn line_hash(line: &Line, octets: &[u8]) -> u64 {
    hash((line.name.number() as u64) << 32 | u64::from(line.name_len), octets)
}

/// Hashes the name alone.
fn name_hash(line: &Line, octets: &[u8]) -> u32 {
    hash(0, line.split(octets).0) as u32
}
