//! Streams by identifier, without hashing data that a peer chooses.

use std::collections::VecDeque;

use super::{ClosedBy, Stream};
use crate::frame::StreamId;

/// Number of closed streams to remember.
///
/// They tell frames that the peer must not send from those that it may have sent before it knew of the end
/// (RFC 9113, 5.1). On a forgotten stream, the latter is assumed.
const RECENT: usize = 64;
/// Number of ranges of skipped identifiers to remember.
const SKIPPED: usize = 16;
/// Number of identifiers that a ring covers; a stream that outlives so many later ones moves aside.
const RING: usize = 1_024;
/// Largest number of streams to visit for each piece of content read.
const FEW: usize = 256;

/// All streams that are not both closed and released, and the last ones that were.
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Vec<Option<Stream>>,
    vacant: Vec<u32>,
    /// The index of the server's streams, then that of the client's.
    indices: [Index; 2],
    recent: Recent,
    /// Ranges of skipped identifiers, between these two; the endpoint is that of the second.
    skipped: VecDeque<(StreamId, StreamId)>,
}

impl Store {
    pub(crate) fn get(&self, id: StreamId) -> Option<&Stream> {
        let slot = self.index(id).find(id)?;
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        let slot = self.index(id).find(id)?;
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Adds a stream; the identifiers of one endpoint only grow (RFC 9113, 5.1.1).
    pub(crate) fn insert(&mut self, stream: Stream) {
        let id = stream.id;
        let slot = match self.vacant.pop() {
            Some(slot) => {
                if let Some(place) = self.slots.get_mut(slot as usize) {
                    *place = Some(stream);
                }
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
                self.slots.push(Some(stream));
                slot
            }
        };
        self.index_mut(id).insert(id, slot);
    }

    /// Removes a stream, but remembers how it was closed.
    pub(crate) fn remove(&mut self, id: StreamId) {
        let Some(slot) = self.index_mut(id).remove(id) else { return };
        let stream = self.slots.get_mut(slot as usize).and_then(Option::take);
        self.vacant.push(slot);
        if let Some(stream) = stream {
            self.remember(id, stream.closed_by);
        }
    }

    /// Remembers how a stream was closed that is not stored.
    pub(crate) fn remember(&mut self, id: StreamId, closed_by: ClosedBy) {
        self.recent.push(id, closed_by);
    }

    /// Records that the peer has opened `next` after `last`, and so closed all idle streams between
    /// (RFC 9113, 5.1.1).
    pub(crate) fn skip(&mut self, last: StreamId, next: StreamId) {
        if next.as_u32().saturating_sub(last.as_u32()) > 2 {
            if self.skipped.len() >= SKIPPED {
                self.skipped.pop_front();
            }
            self.skipped.push_back((last, next));
        }
    }

    /// Returns how a stream was closed, if that is remembered; the stream must not be idle.
    pub(crate) fn closed_by(&self, id: StreamId) -> Option<ClosedBy> {
        if let Some(stream) = self.get(id) {
            return stream.is_closed().then_some(stream.closed_by);
        }
        let same_side = |next: StreamId| next.is_client_initiated() == id.is_client_initiated();
        let skipped = |&(last, next): &(StreamId, StreamId)| same_side(next) && last < id && id < next;
        self.recent.find(id).or_else(|| self.skipped.iter().any(skipped).then_some(ClosedBy::Skipped))
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len().saturating_sub(self.vacant.len())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.slots.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().flatten()
    }

    /// Returns the bytes of content still to come on all streams, if known and if the streams are few enough to visit.
    pub(crate) fn awaited(&self) -> Option<u64> {
        if self.slots.len() > FEW {
            return None;
        }
        self.iter().try_fold(0_u64, |sum, stream| Some(sum.saturating_add(stream.awaited()?)))
    }

    /// Returns the identifiers of all streams, for loops that change the streams.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        self.iter().map(|stream| stream.id).collect()
    }

    fn index(&self, id: StreamId) -> &Index {
        let [server, client] = &self.indices;
        if id.is_client_initiated() { client } else { server }
    }

    fn index_mut(&mut self, id: StreamId) -> &mut Index {
        let [server, client] = &mut self.indices;
        if id.is_client_initiated() { client } else { server }
    }
}

/// Slots by identifier, for the streams of one endpoint.
#[derive(Debug, Default)]
struct Index {
    /// The number (half the identifier) at the front of the ring.
    base: u32,
    ring: VecDeque<u32>,
    /// Streams that have outlived the ring, by number.
    aside: Vec<(u32, u32)>,
}

/// A place in the ring whose stream was removed.
const GONE: u32 = u32::MAX;

impl Index {
    fn find(&self, id: StreamId) -> Option<u32> {
        let number = id.as_u32() >> 1;
        match number.checked_sub(self.base) {
            Some(place) => self.ring.get(place as usize).copied().filter(|&slot| slot != GONE),
            None => {
                let at = self.aside.binary_search_by_key(&number, |&(number, _)| number).ok()?;
                self.aside.get(at).map(|&(_, slot)| slot)
            }
        }
    }

    fn insert(&mut self, id: StreamId, slot: u32) {
        let number = id.as_u32() >> 1;
        let place = number.saturating_sub(self.base) as usize;
        if place > self.ring.len().saturating_add(RING) {
            // The peer has skipped more identifiers than the ring may hold.
            while !self.ring.is_empty() {
                self.move_front_aside();
            }
        }
        if self.ring.is_empty() {
            self.base = number;
        }
        let place = number.saturating_sub(self.base) as usize;
        while self.ring.len() < place {
            self.ring.push_back(GONE);
        }
        self.ring.push_back(slot);
        while self.ring.len() > RING {
            self.move_front_aside();
        }
    }

    fn move_front_aside(&mut self) {
        if let Some(slot) = self.ring.pop_front().filter(|&slot| slot != GONE) {
            self.aside.push((self.base, slot));
        }
        self.base = self.base.saturating_add(1);
    }

    fn remove(&mut self, id: StreamId) -> Option<u32> {
        let number = id.as_u32() >> 1;
        let Some(place) = number.checked_sub(self.base) else {
            let at = self.aside.binary_search_by_key(&number, |&(number, _)| number).ok()?;
            return Some(self.aside.remove(at).1);
        };
        let found = self.ring.get_mut(place as usize)?;
        let slot = core::mem::replace(found, GONE);
        while self.ring.front() == Some(&GONE) {
            self.ring.pop_front();
            self.base = self.base.saturating_add(1);
        }
        Some(slot).filter(|&slot| slot != GONE)
    }
}

/// The last closed streams, in bounded memory.
#[derive(Debug)]
struct Recent {
    entries: [(StreamId, ClosedBy); RECENT],
    next: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self { entries: [(StreamId::CONNECTION, ClosedBy::EndStream); RECENT], next: 0 }
    }
}

impl Recent {
    fn push(&mut self, id: StreamId, closed_by: ClosedBy) {
        if let Some(entry) = self.entries.get_mut(self.next) {
            *entry = (id, closed_by);
        }
        self.next = self.next.saturating_add(1) % RECENT;
    }

    fn find(&self, id: StreamId) -> Option<ClosedBy> {
        self.entries.iter().find(|&&(known, _)| known == id).map(|&(_, closed_by)| closed_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MethodKind;

    fn id(n: u32) -> StreamId {
        StreamId::new(n).unwrap()
    }

    fn store(ids: &[u32]) -> Store {
        let mut store = Store::default();
        for &n in ids {
            store.insert(Stream::new(id(n), MethodKind::Get));
        }
        store
    }

    #[test]
    fn streams_of_both_endpoints_are_found() {
        let store = store(&[1, 2, 3, 7, 4]);
        for n in [1, 2, 3, 4, 7] {
            assert_eq!(store.get(id(n)).map(|stream| stream.id), Some(id(n)));
        }
        assert!(store.get(id(5)).is_none() && store.get(id(9)).is_none() && store.get(id(6)).is_none());
    }

    #[test]
    fn long_lived_stream_is_found_in_bounded_memory() {
        let mut store = store(&[1]);
        for n in (3..20_003).step_by(2) {
            store.insert(Stream::new(id(n), MethodKind::Get));
            store.remove(id(n));
        }
        assert!(store.get(id(1)).is_some());
        assert!(store.indices[1].ring.len() <= RING);
        assert_eq!((store.slots.len(), store.len()), (2, 1));
        store.remove(id(1));
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn skipped_identifiers_take_no_memory() {
        let mut store = store(&[1, 3, 0x7fff_ffff]);
        assert!(store.indices[1].ring.len() <= RING);
        for n in [1, 3, 0x7fff_ffff] {
            assert!(store.get(id(n)).is_some(), "{n}");
            store.remove(id(n));
            assert!(store.get(id(n)).is_none(), "{n}");
        }
    }

    #[test]
    fn last_closed_streams_are_remembered() {
        let mut store = store(&[1, 3]);
        store.get_mut(id(1)).unwrap().closed_by = ClosedBy::PeerReset;
        store.remove(id(1));
        assert_eq!(store.closed_by(id(1)), Some(ClosedBy::PeerReset));
        for n in 0..64 {
            store.remember(id(101 + 2 * n), ClosedBy::LocalReset);
        }
        assert_eq!(store.closed_by(id(1)), None);
    }
}
