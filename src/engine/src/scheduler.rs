//! The order in which streams send content (RFC 9218, 10).

use std::collections::VecDeque;

use crate::frame::StreamId;

/// Streams that have content and a window for it, by urgency.
///
/// Within one urgency, messages that are useful only as a whole are sent one after the other, in request order.
/// Messages that are useful in parts take turns. If both kinds are waiting, the two kinds alternate.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    levels: [Level; 8],
}

#[derive(Debug, Default)]
struct Level {
    whole: VecDeque<StreamId>,
    shared: VecDeque<StreamId>,
    /// Whether `shared` is next.
    shared_next: bool,
}

/// A stream's place in the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) urgency: u8,
    pub(crate) shared: bool,
}

impl Scheduler {
    /// Adds a stream that is not in the scheduler.
    pub(crate) fn push(&mut self, id: StreamId, place: Place) {
        let Some(level) = self.level(place) else { return };
        if place.shared {
            level.shared.push_back(id);
        } else {
            let at = level.whole.partition_point(|&other| other < id);
            level.whole.insert(at, id);
        }
    }

    /// Removes and returns the next stream to send.
    ///
    /// The caller pushes the stream again if it has content left.
    pub(crate) fn pop(&mut self) -> Option<StreamId> {
        let level = self.levels.iter_mut().find(|level| !level.is_empty())?;
        let shared = if level.whole.is_empty() || level.shared.is_empty() {
            level.whole.is_empty()
        } else {
            level.shared_next
        };
        level.shared_next = !shared;
        if shared { level.shared.pop_front() } else { level.whole.pop_front() }
    }

    /// Removes a stream from any position of its level.
    pub(crate) fn remove(&mut self, id: StreamId, place: Place) {
        if let Some(level) = self.level(place) {
            let queue = if place.shared { &mut level.shared } else { &mut level.whole };
            queue.retain(|&other| other != id);
        }
    }

    /// Returns all streams, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = StreamId> {
        self.levels.iter().flat_map(|level| level.whole.iter().chain(&level.shared).copied())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.levels.iter().all(Level::is_empty)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.levels.iter().map(|level| level.whole.len() + level.shared.len()).sum()
    }

    fn level(&mut self, place: Place) -> Option<&mut Level> {
        self.levels.get_mut(usize::from(place.urgency))
    }
}

impl Level {
    fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.shared.is_empty()
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
        let mut scheduler = Scheduler::default();
        let place = Place { urgency: 3, shared: true };
        for id in [1, 3, 5] {
            scheduler.push(StreamId::new(id).unwrap(), place);
        }
        scheduler.remove(StreamId::new(3).unwrap(), place);
        let left: Vec<_> = std::iter::from_fn(|| scheduler.pop()).map(StreamId::as_u32).collect();
        assert_eq!(left, [1, 5]);
    }
}
