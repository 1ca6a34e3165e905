//! Streams that have content but no window.

use std::collections::{BTreeMap, BTreeSet};

use crate::frame::StreamId;
use crate::stream::{Stall, Stream};
use crate::time::Time;

/// The blocked streams, by the start of their stall and by their window.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    by_start: BTreeSet<(Time, StreamId)>,
    /// The start of the stall by `window_delta`: when the initial window grows, the highest are unblocked first.
    by_window: BTreeMap<(i64, StreamId), Time>,
}

impl Blocked {
    pub(super) fn insert(&mut self, stream: &mut Stream, now: Time) {
        let stall = stream.send.stall.get_or_insert(Stall::new(now));
        stall.blocked = true;
        let since = stall.since;
        self.by_start.insert((since, stream.id()));
        self.by_window.insert((stream.send.window_delta, stream.id()), since);
    }

    /// Removes a stream, and returns whether it was blocked.
    pub(super) fn remove(&mut self, stream: &mut Stream) -> bool {
        let Some(stall) = stream.send.stall.as_mut().filter(|stall| stall.blocked) else { return false };
        stall.blocked = false;
        self.by_start.remove(&(stall.since, stream.id()));
        self.by_window.remove(&(stream.send.window_delta, stream.id()));
        true
    }

    /// Changes the `window_delta` of a stream, which stays blocked if it is.
    pub(super) fn set_delta(&mut self, stream: &mut Stream, delta: i64) {
        let before = core::mem::replace(&mut stream.send.window_delta, delta);
        if let Some(since) = self.by_window.remove(&(before, stream.id())) {
            self.by_window.insert((delta, stream.id()), since);
        }
    }

    /// Removes all streams whose `window_delta` is above `delta`, and returns them by the start of their stall.
    ///
    /// The caller marks them as no longer blocked.
    pub(super) fn take_above(&mut self, delta: i64) -> Vec<StreamId> {
        let lowest = self.by_window.first_key_value();
        let mut taken: Vec<_> = if lowest.is_some_and(|(&(lowest, _), _)| lowest > delta) {
            self.by_window.clear();
            core::mem::take(&mut self.by_start).into_iter().collect()
        } else {
            let mut taken = Vec::new();
            while let Some(last) = self.by_window.last_entry().filter(|last| last.key().0 > delta) {
                let ((_, id), since) = last.remove_entry();
                self.by_start.remove(&(since, id));
                taken.push((since, id));
            }
            taken
        };
        taken.sort_unstable();
        taken.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns the stream that has stalled for the longest time, and the start of the stall.
    pub(super) fn first(&self) -> Option<(Time, StreamId)> {
        self.by_start.first().copied()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_start.len(), self.by_window.len());
        self.by_start.len()
    }
}
