//! The order in which streams send content (RFC 9218, 10).

use std::collections::BTreeSet;

use crate::frame::StreamId;
use crate::sparse::Sparse;

/// Streams that have content and a window for it, by urgency.
///
/// Within one urgency, messages that are useful only as a whole are sent one after the other, in request order.
/// Messages that are useful in parts take turns. If both kinds are waiting, the two kinds alternate.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    /// The levels that were in use since the scheduler was last empty and shrunk; most connections use one.
    levels: [Option<Box<Level>>; 8],
    len: usize,
}

#[derive(Debug, Default)]
struct Level {
    whole: Ordered,
    shared: Turns,
    /// Whether `shared` is next.
    shared_next: bool,
}

/// A stream's place in the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) urgency: u8,
    pub(crate) shared: bool,
}

/// A stream's position among those that take turns, by which it can be removed; meaningless for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn(u32);

impl Scheduler {
    /// Adds a stream that is not in the scheduler.
    pub(crate) fn push(&mut self, id: StreamId, place: Place) -> Turn {
        let Some(level) = self.levels.get_mut(usize::from(place.urgency)) else { return Turn::default() };
        let level = level.get_or_insert_default();
        self.len = self.len.saturating_add(1);
        if place.shared {
            level.shared.push(id)
        } else {
            level.whole.insert(id);
            Turn::default()
        }
    }

    /// Removes and returns the next stream to send.
    ///
    /// The caller pushes the stream again if it has content left.
    pub(crate) fn pop(&mut self) -> Option<StreamId> {
        if self.is_empty() {
            return None;
        }
        let level = self.levels.iter_mut().flatten().find(|level| !level.is_empty())?;
        self.len = self.len.saturating_sub(1);
        let shared = if level.whole.is_empty() || level.shared.queue.is_empty() {
            level.whole.is_empty()
        } else {
            level.shared_next
        };
        level.shared_next = !shared;
        if shared { level.shared.queue.pop() } else { level.whole.pop() }
    }

    /// Removes a stream, given the turn that [`push`](Self::push) returned.
    pub(crate) fn remove(&mut self, id: StreamId, place: Place, turn: Turn) {
        if let Some(Some(level)) = self.levels.get_mut(usize::from(place.urgency)) {
            let found = if place.shared {
                level.shared.queue.remove(turn.0).is_some()
            } else {
                level.whole.remove(id)
            };
            self.len = self.len.saturating_sub(usize::from(found));
        }
    }

    /// Returns all streams, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = StreamId> {
        self.levels
            .iter()
            .flatten()
            .flat_map(|level| level.whole.iter().chain(level.shared.queue.iter().copied()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives back the memory of an empty scheduler.
    pub(crate) fn shrink(&mut self) {
        if self.is_empty() && self.levels.iter().any(Option::is_some) {
            self.levels = Default::default();
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Level {
    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.shared.queue.is_empty()
    }
}

/// Streams in the order of their identifiers.
#[derive(Debug, Default)]
struct Ordered {
    /// The first stream, which is not in `rest`: most of the time it is the only one.
    first: Option<StreamId>,
    rest: BTreeSet<StreamId>,
}

impl Ordered {
    fn insert(&mut self, id: StreamId) {
        let later = match self.first {
            Some(first) if first < id => id,
            first => {
                self.first = Some(id);
                let Some(first) = first else { return };
                first
            }
        };
        self.rest.insert(later);
    }

    fn pop(&mut self) -> Option<StreamId> {
        core::mem::replace(&mut self.first, self.rest.pop_first())
    }

    fn remove(&mut self, id: StreamId) -> bool {
        if self.first == Some(id) { self.pop().is_some() } else { self.rest.remove(&id) }
    }

    fn iter(&self) -> impl Iterator<Item = StreamId> {
        self.first.iter().chain(&self.rest).copied()
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

/// Streams that take turns.
#[derive(Debug, Default)]
struct Turns {
    queue: Sparse<StreamId>,
    /// The number of the next turn, modulo 2^32.
    next: u32,
}

impl Turns {
    fn push(&mut self, id: StreamId) -> Turn {
        let turn = self.next;
        self.queue.push(turn, id);
        self.next = turn.wrapping_add(1);
        Turn(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes (id, urgency, shared), then returns the order of sending if each stream needs `turns` turns.
    fn order(streams: &[(u32, u8, bool)], turns: u32) -> Vec<u32> {
        let mut scheduler = Scheduler::default();
        let mut left: Vec<_> = streams.iter().map(|&(id, ..)| (id, turns)).collect();
        let place = |id: u32| {
            let &(_, urgency, shared) = streams.iter().find(|stream| stream.0 == id).unwrap();
            Place { urgency, shared }
        };
        for &(id, ..) in streams {
            scheduler.push(StreamId::new(id).unwrap(), place(id));
        }
        let mut order = Vec::new();
        while let Some(id) = scheduler.pop() {
            order.push(id.as_u32());
            let turns = &mut left.iter_mut().find(|stream| stream.0 == id.as_u32()).unwrap().1;
            *turns -= 1;
            if *turns > 0 {
                scheduler.push(id, place(id.as_u32()));
            }
        }
        assert!(scheduler.is_empty());
        order
    }

    #[test]
    fn the_most_urgent_goes_first() {
        assert_eq!(order(&[(1, 7, true), (3, 0, true), (5, 3, false)], 1), [3, 5, 1]);
    }

    #[test]
    fn whole_messages_are_sent_in_request_order() {
        assert_eq!(order(&[(5, 3, false), (1, 3, false), (3, 3, false)], 2), [1, 1, 3, 3, 5, 5]);
    }

    #[test]
    fn messages_in_parts_take_turns() {
        assert_eq!(order(&[(1, 3, true), (3, 3, true), (5, 3, true)], 2), [1, 3, 5, 1, 3, 5]);
    }

    #[test]
    fn both_kinds_alternate() {
        assert_eq!(order(&[(1, 3, false), (3, 3, true), (5, 3, true)], 2), [1, 3, 1, 5, 3, 5]);
    }

    #[test]
    fn removal_keeps_the_other_streams() {
        for shared in [true, false] {
            let mut scheduler = Scheduler::default();
            let place = Place { urgency: 3, shared };
            let ids = [1, 3, 5, 7].map(|id| StreamId::new(id).unwrap());
            let turns = ids.map(|id| scheduler.push(id, place));
            for at in [1, 0] {
                scheduler.remove(ids[at], place, turns[at]);
                scheduler.remove(ids[at], place, turns[at]);
            }
            assert_eq!((scheduler.len(), scheduler.iter().count()), (2, 2));
            scheduler.push(ids[1], place);
            let left: Vec<_> = std::iter::from_fn(|| scheduler.pop()).map(StreamId::as_u32).collect();
            assert_eq!(left, if shared { [5, 7, 3] } else { [3, 5, 7] });
            assert!(scheduler.is_empty());
        }
    }
}
