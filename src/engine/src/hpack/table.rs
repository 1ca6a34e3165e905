//! The dynamic table (RFC 7541, 2.3.2 and 4), used by both decoder and encoder.

use std::collections::VecDeque;

use super::static_table;
use crate::fields::{Line, PADDING, append};

/// The dynamic table.
///
/// The bytes of all entries share one buffer, newest at the end. The bytes of evicted entries are removed from the
/// front once they exceed half of the buffer.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The bytes of the entries, followed by padding after the first insertion.
    octets: Vec<u8>,
    /// The position of the buffer's first byte among all bytes ever inserted, modulo 2^32.
    base: u32,
    /// The entries, newest first. Their start positions are counted like `base`.
    entries: VecDeque<Line>,
    /// The sum of the entry sizes, at most `max_size`.
    size: usize,
    max_size: u32,
    /// The number of entries ever inserted, modulo 2^32.
    inserted: u32,
}

impl Table {
    pub(super) fn new(max_size: u32) -> Self {
        Self { octets: Vec::new(), base: 0, entries: VecDeque::new(), size: 0, max_size, inserted: 0 }
    }

    /// Sets the maximum size and evicts entries beyond it (RFC 7541, 4.3).
    pub(super) fn set_max_size(&mut self, max_size: u32) {
        self.max_size = max_size;
        self.evict_down_to(max_size as usize);
    }

    /// Evicts entries to make room, then inserts a line. Returns whether it was inserted.
    ///
    /// The bytes of the line are those that `octets` begins with. A line larger than the table empties the table and is
    /// not inserted (RFC 7541, 4.4).
    pub(super) fn insert(&mut self, line: &Line, octets: &[u8]) -> bool {
        let size = line.size();
        let Some(room) = (self.max_size as usize).checked_sub(size) else {
            self.evict_down_to(0);
            return false;
        };
        self.evict_down_to(room);
        self.compact();
        let end = self.end();
        let start = self.base.wrapping_add(end as u32);
        self.octets.truncate(end);
        append(&mut self.octets, octets, line.octets());
        self.octets.extend_from_slice(&[0; PADDING]);
        self.entries.push_front(Line { start, ..*line });
        self.size = self.size.saturating_add(size);
        self.inserted = self.inserted.wrapping_add(1);
        true
    }

    /// Gives back memory beyond the maximum size.
    pub(super) fn shrink(&mut self) {
        let enough = self.max_size as usize;
        if self.octets.capacity() > enough {
            self.drop_evicted(self.evicted());
            if self.entries.is_empty() {
                self.octets.clear();
            }
            self.octets.shrink_to(enough);
        }
    }

    /// Returns the entry of the static or of this table at `index` (RFC 7541, 2.3.3), and its bytes, followed by others
    /// for [`append`].
    #[inline]
    pub(super) fn entry(&self, index: usize) -> Option<(&Line, &[u8])> {
        match index.checked_sub(static_table::LEN.wrapping_add(1)) {
            Some(newer) => self.get_padded(newer),
            None => static_table::get_padded(index),
        }
    }

    /// Returns the entry that has `newer` newer entries, and its bytes.
    #[inline]
    pub(super) fn get(&self, newer: usize) -> Option<(&Line, &[u8])> {
        let (line, octets) = self.get_padded(newer)?;
        Some((line, octets.get(..line.octets())?))
    }

    /// Returns the entry that has `newer` newer entries, and its bytes, followed by others for [`append`].
    #[inline]
    pub(super) fn get_padded(&self, newer: usize) -> Option<(&Line, &[u8])> {
        let line = self.entries.get(newer)?;
        Some((line, self.octets.get(line.start.wrapping_sub(self.base) as usize..)?))
    }

    /// Returns the sum of the entry sizes (RFC 7541, 4.1).
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn max_size(&self) -> u32 {
        self.max_size
    }

    /// Returns the number of entries ever inserted, modulo 2^32, which is also the number of the next entry.
    #[inline]
    pub(super) fn inserted(&self) -> u32 {
        self.inserted
    }

    fn evict_down_to(&mut self, size: usize) {
        while self.size > size
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size = self.size.saturating_sub(oldest.size());
        }
    }

    fn compact(&mut self) {
        let evicted = self.evicted();
        if evicted > self.end() / 2 {
            self.drop_evicted(evicted);
        }
    }

    /// Returns how many bytes at the front of the buffer belong to evicted entries.
    fn evicted(&self) -> usize {
        match self.entries.back() {
            Some(oldest) => oldest.start.wrapping_sub(self.base) as usize,
            None => self.end(),
        }
    }

    /// Returns where the bytes of the newest entry end.
    fn end(&self) -> usize {
        self.octets.len().saturating_sub(PADDING)
    }

    fn drop_evicted(&mut self, evicted: usize) {
        self.octets.drain(..evicted.min(self.octets.len()));
        self.base = self.base.wrapping_add(evicted as u32);
    }
}
