//! Look-up of the encoder's dynamic table entries by hash.

use super::table::Table;

/// The number of slots an entry may occupy.
const PROBES: u32 = 4;

/// A hash table of entry numbers.
///
/// Nothing is removed explicitly. Once an entry is evicted, its number falls outside the range of the dynamic table
/// and its slot is free.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Length is a power of two, or zero before the first entry.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    /// The entry's insertion number, modulo 2^32.
    number: u32,
}

impl Index {
    /// Finds an entry that has this hash and matches. Returns its position, counted from the newest entry.
    #[inline]
    pub(super) fn find<F>(&self, hash: u32, table: &Table, matches: F) -> Option<usize>
    where
        F: Fn(usize) -> bool,
    {
        let newest = table.inserted().wrapping_sub(1);
        (0..PROBES)
            .filter_map(|probe| self.slots.get(self.place(hash, probe)))
            .filter(|slot| slot.hash == hash)
            .map(|slot| newest.wrapping_sub(slot.number) as usize)
            .find(|&newer| matches(newer))
    }

    /// Adds the newest entry of `table` under `hash`, replacing the oldest of its candidate slots.
    pub(super) fn add_newest(&mut self, hash: u32, table: &Table) {
        if self.slots.is_empty() {
            // Each entry uses up to two hashes and counts as at least 32 bytes.
            let slots = (table.max_size() / 16).next_power_of_two();
            self.slots.resize(slots as usize, Slot::default());
        }
        let newest = table.inserted().wrapping_sub(1);
        let age = |place: &usize| self.slots.get(*place).map(|slot| newest.wrapping_sub(slot.number));
        let oldest = (0..PROBES).map(|probe| self.place(hash, probe)).max_by_key(age);
        if let Some(slot) = oldest.and_then(|place| self.slots.get_mut(place)) {
            *slot = Slot { hash, number: newest };
        }
    }

    #[inline]
    fn place(&self, hash: u32, probe: u32) -> usize {
        hash.wrapping_add(probe) as usize & self.slots.len().wrapping_sub(1)
    }
}
