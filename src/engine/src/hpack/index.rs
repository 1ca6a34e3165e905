//! Finds the entries of the encoder's dynamic table by hash.

use super::table::Table;

/// How many slots an entry may be in.
const PROBES: u32 = 4;

/// A hash table of entry numbers. Nothing is ever removed: the number of an entry that was evicted is out of the
/// range of those in the dynamic table, and its slot is free.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A power of two, or none before the first entry.
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    /// Which of all insertions the entry was, modulo 2^32.
    number: u32,
}

impl Index {
    /// The newest-first place of an entry that has the hash and matches.
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

    /// Adds the newest entry of the table under a hash, in the place of the oldest of those that it could have.
    pub(super) fn add_newest(&mut self, hash: u32, table: &Table) {
        if self.slots.is_empty() {
            // An entry has two hashes and counts 32 octets at least.
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
