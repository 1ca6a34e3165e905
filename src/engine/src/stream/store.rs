//! Streams by identifier, without hashing data that a peer chooses.

use std::collections::VecDeque;

use super::{ClosedBy, Stream};
use crate::frame::StreamId;
use crate::sparse::Sparse;

/// Number of closed streams to remember.
///
/// They tell frames that the peer must not send from those that it may have sent before it knew of the end
/// (RFC 9113, 5.1). On a forgotten stream, the latter is assumed.
const RECENT: usize = 64;
/// Number of ranges of skipped identifiers to remember.
const SKIPPED: usize = 16;
/// Number of identifiers that a ring covers even if most of their streams are gone.
///
/// A stream that outlives so many later ones moves aside, unless at least half of the ring is in use.
const RING: usize = 1_024;
/// Number of places that an empty ring keeps.
const RING_KEPT: usize = 16;

/// All streams that are not both closed and released, and the last ones that were.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// The server's streams, then the client's.
    indices: [Index; 2],
    recent: Recent,
    /// Ranges of skipped identifiers, between these two; the endpoint is that of the second.
    skipped: VecDeque<(StreamId, StreamId)>,
}

impl Store {
    #[inline]
    pub(super) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.index(id).get(id)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.index_mut(id).get_mut(id)
    }

    /// Adds a stream; the identifiers of one endpoint only grow (RFC 9113, 5.1.1).
    pub(super) fn insert(&mut self, stream: Box<Stream>) {
        self.index_mut(stream.id).insert(stream);
    }

    /// Removes a stream, but remembers how it was closed.
    pub(super) fn remove(&mut self, id: StreamId) {
        if let Some(stream) = self.index_mut(id).remove(id) {
            self.remember(id, stream.closed_by);
        }
    }

    /// Remembers how a stream was closed that is not stored.
    pub(super) fn remember(&mut self, id: StreamId, closed_by: ClosedBy) {
        self.recent.push(id, closed_by);
    }

    /// Records that the peer has opened `next` after `last`, and so closed all idle streams between
    /// (RFC 9113, 5.1.1).
    pub(super) fn skip(&mut self, last: StreamId, next: StreamId) {
        if next.as_u32().saturating_sub(last.as_u32()) > 2 {
            if self.skipped.len() >= SKIPPED {
                self.skipped.pop_front();
            }
            self.skipped.push_back((last, next));
        }
    }

    /// Returns how a stream was closed, if that is remembered; the stream must not be idle.
    pub(super) fn closed_by(&self, id: StreamId) -> Option<ClosedBy> {
        if let Some(stream) = self.get(id) {
            return stream.is_closed().then_some(stream.closed_by);
        }
        let same_side = |next: StreamId| next.is_client_initiated() == id.is_client_initiated();
        let skipped = |&(last, next): &(StreamId, StreamId)| same_side(next) && last < id && id < next;
        self.recent.find(id).or_else(|| self.skipped.iter().any(skipped).then_some(ClosedBy::Skipped))
    }

    pub(super) fn len(&self) -> usize {
        self.indices.iter().map(Index::len).fold(0, usize::saturating_add)
    }

    /// Returns the streams, those of each endpoint in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.indices.iter().flat_map(Index::iter)
    }

    /// Returns the streams above `last` that the same endpoint has opened as a stream `id`, the highest first.
    pub(super) fn above(&self, client_initiated: bool, last: StreamId) -> impl Iterator<Item = &Stream> {
        let [server, client] = &self.indices;
        let index = if client_initiated { client } else { server };
        index.iter_back().take_while(move |stream| stream.id > last)
    }

    /// Gives back memory that a set without streams does not need.
    pub(super) fn shrink(&mut self) {
        self.indices.iter_mut().for_each(Index::shrink);
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

/// The streams of one endpoint, by number: half of the identifier.
#[derive(Debug, Default)]
struct Index {
    /// The number at the front of the ring.
    base: u32,
    ring: VecDeque<Option<Box<Stream>>>,
    /// How many streams the ring holds.
    in_ring: usize,
    /// Streams that have outlived the ring.
    aside: Sparse<Box<Stream>>,
}

impl Index {
    #[inline]
    fn get(&self, id: StreamId) -> Option<&Stream> {
        let number = number(id);
        match number.checked_sub(self.base) {
            Some(place) => self.ring.get(place as usize)?.as_deref(),
            None => self.aside.get(number).map(Box::as_ref),
        }
    }

    #[inline]
    fn get_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        let number = number(id);
        match number.checked_sub(self.base) {
            Some(place) => self.ring.get_mut(place as usize)?.as_deref_mut(),
            None => self.aside.get_mut(number).map(Box::as_mut),
        }
    }

    fn insert(&mut self, stream: Box<Stream>) {
        let number = number(stream.id);
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
            self.ring.push_back(None);
        }
        self.ring.push_back(Some(stream));
        self.in_ring = self.in_ring.saturating_add(1);
        while self.ring.len() > self.in_ring.saturating_mul(2).max(RING) {
            self.move_front_aside();
        }
    }

    fn move_front_aside(&mut self) {
        if let Some(stream) = self.ring.pop_front().flatten() {
            self.aside.push(self.base, stream);
            self.in_ring = self.in_ring.saturating_sub(1);
        }
        self.base = self.base.saturating_add(1);
    }

    fn remove(&mut self, id: StreamId) -> Option<Box<Stream>> {
        let number = number(id);
        let Some(place) = number.checked_sub(self.base) else {
            return self.aside.remove(number);
        };
        let stream = self.ring.get_mut(place as usize)?.take()?;
        self.in_ring = self.in_ring.saturating_sub(1);
        while let Some(None) = self.ring.front() {
            self.ring.pop_front();
            self.base = self.base.saturating_add(1);
        }
        if self.ring.capacity() > self.ring.len().saturating_mul(4).max(RING) {
            self.ring.shrink_to(self.ring.len().saturating_mul(2));
        }
        Some(stream)
    }

    fn len(&self) -> usize {
        self.in_ring.saturating_add(self.aside.len())
    }

    fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.aside.iter().chain(self.ring.iter().flatten()).map(Box::as_ref)
    }

    fn iter_back(&self) -> impl Iterator<Item = &Stream> {
        self.ring.iter().flatten().rev().chain(self.aside.iter().rev()).map(Box::as_ref)
    }

    fn shrink(&mut self) {
        if self.ring.capacity() > RING_KEPT && self.ring.is_empty() {
            self.ring = VecDeque::new();
        }
    }
}

fn number(id: StreamId) -> u32 {
    id.as_u32() >> 1
}

/// The last closed streams, in bounded memory.
#[derive(Debug)]
struct Recent {
    ids: [StreamId; RECENT],
    closed_by: [ClosedBy; RECENT],
    next: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self { ids: [StreamId::CONNECTION; RECENT], closed_by: [ClosedBy::EndStream; RECENT], next: 0 }
    }
}

impl Recent {
    fn push(&mut self, id: StreamId, closed_by: ClosedBy) {
        if let (Some(entry), Some(how)) = (self.ids.get_mut(self.next), self.closed_by.get_mut(self.next)) {
            (*entry, *how) = (id, closed_by);
        }
        self.next = self.next.saturating_add(1) % RECENT;
    }

    fn find(&self, id: StreamId) -> Option<ClosedBy> {
        self.closed_by.get(self.ids.iter().position(|&known| known == id)?).copied()
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
        assert_eq!(store.len(), 1);
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
    fn many_streams_at_once_stay_in_the_ring_and_leave_no_memory() {
        let mut store = store(&(1..20_001).step_by(2).collect::<Vec<_>>());
        assert_eq!((store.indices[1].ring.len(), store.indices[1].aside.len()), (10_000, 0));
        assert_eq!(
            store.above(true, id(19_995)).map(|stream| stream.id).collect::<Vec<_>>(),
            [id(19_999), id(19_997)]
        );
        for n in (1..20_001).step_by(2) {
            store.remove(id(n));
            assert!(store.get(id(n)).is_none());
        }
        store.shrink();
        assert_eq!((store.len(), store.indices[1].ring.capacity()), (0, 0));
    }

    #[test]
    fn streams_are_found_wherever_they_are_kept() {
        let mut store = Store::default();
        let mut kept = Vec::new();
        for n in (1..40_001).step_by(2) {
            store.insert(Stream::new(id(n), MethodKind::Get));
            if n % 97 == 0 { kept.push(id(n)) } else { store.remove(id(n)) }
        }
        assert!(!store.indices[1].aside.is_empty() && store.indices[1].in_ring > 0);
        assert_eq!(store.iter().map(|stream| stream.id).collect::<Vec<_>>(), kept);
        let last = kept[kept.len() / 3];
        assert_eq!(store.above(true, last).count(), kept.iter().filter(|&&id| id > last).count());
        for &n in &kept {
            assert_eq!(store.get_mut(n).map(|stream| stream.id), Some(n));
            store.remove(n);
        }
        assert_eq!(store.len(), 0);
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
