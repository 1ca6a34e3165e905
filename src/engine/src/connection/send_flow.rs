//! The flow of sent content: the windows that admit it, the streams that wait, and the total that is pending.

mod blocked;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::frame::StreamId;
use crate::priority::Priority;
use crate::scheduler::Scheduler;
use crate::settings::{DEFAULT_WINDOW, MAX_WINDOW};
use crate::stream::{Stream, Streams};
use crate::time::Time;
use blocked::Blocked;

/// Send-buffer limit of each stream, in bytes, while the total pending content is too high.
const CROWDED: usize = 16 << 10;

/// The flow of sent content.
///
/// A stream with pending content that may send is either scheduled, or blocked by its own window. The connection's
/// window is checked when a scheduled stream gets its turn.
#[derive(Debug)]
pub(super) struct SendFlow {
    /// Bytes this endpoint may send on the connection (RFC 9113, 6.9.1).
    window: i64,
    /// The peer's SETTINGS_INITIAL_WINDOW_SIZE, from which the windows of all streams are counted.
    initial: i64,
    /// Upper bound of the [`window_delta`](crate::stream::Sending::window_delta) of all streams.
    highest_delta: i64,
    scheduler: Scheduler,
    blocked: Blocked,
    /// Total content pending on all streams, in bytes.
    pending: usize,
    /// Streams that may lose their room, or have lost it, when the limit is lowered: those with more pending content
    /// than half of the lowered limit.
    full: BTreeSet<StreamId>,
    /// Whether `pending` is so high that the send-buffer limit of each stream is lowered.
    crowded: bool,
    /// Send-buffer limit of each stream, in bytes.
    buffer: usize,
    /// Total pending content at which the send-buffer limits are lowered, in bytes.
    enough: usize,
}

impl SendFlow {
    /// Creates the flow of a new connection, whose streams have send buffers of `buffer` bytes while the total is
    /// below `enough` bytes.
    pub(super) fn new(buffer: usize, enough: usize) -> Self {
        Self {
            window: i64::from(DEFAULT_WINDOW),
            initial: i64::from(DEFAULT_WINDOW),
            highest_delta: 0,
            scheduler: Scheduler::default(),
            blocked: Blocked::default(),
            pending: 0,
            full: BTreeSet::new(),
            crowded: false,
            buffer,
            enough,
        }
    }

    /// Returns the bytes this endpoint may send on the connection.
    pub(super) fn window(&self) -> i64 {
        self.window
    }

    /// Returns the bytes this endpoint may send on the connection, beyond those pending.
    pub(super) fn window_left(&self) -> i64 {
        self.window.saturating_sub_unsigned(u64::try_from(self.pending).unwrap_or(u64::MAX))
    }

    /// Returns the bytes this endpoint may send on a stream; negative after the peer has lowered the window below the
    /// bytes already sent (RFC 9113, 6.9.2).
    pub(super) fn stream_window(&self, stream: &Stream) -> i64 {
        self.initial.saturating_add(stream.send.window_delta)
    }

    /// Returns the bytes that the windows allow a stream to send now.
    pub(super) fn allowance(&self, stream: &Stream) -> usize {
        usize::try_from(self.stream_window(stream).min(self.window)).unwrap_or(0)
    }

    /// Raises the connection's window; returns false if it exceeds 2^31-1 (RFC 9113, 6.9.1).
    #[must_use]
    pub(super) fn raise(&mut self, increment: u32) -> bool {
        self.window = self.window.saturating_add(increment.into());
        self.window <= i64::from(MAX_WINDOW)
    }

    /// Raises a stream's window; returns false, without effect, if it would exceed 2^31-1 (RFC 9113, 6.9.1).
    #[must_use]
    pub(super) fn raise_stream(&mut self, stream: &mut Stream, increment: u32) -> bool {
        let delta = stream.send.window_delta.saturating_add(increment.into());
        if delta.saturating_add(self.initial) > i64::from(MAX_WINDOW) {
            return false;
        }
        self.highest_delta = self.highest_delta.max(delta);
        if delta.saturating_add(self.initial) <= 0 {
            self.blocked.set_delta(stream, delta);
            return true;
        }
        let blocked = self.blocked.remove(stream);
        stream.send.window_delta = delta;
        if blocked {
            self.schedule(stream);
        }
        true
    }

    /// Changes the windows of all streams (RFC 9113, 6.9.2), and returns how many streams that takes work for: those
    /// that it unblocks, or all if the highest window is in question.
    ///
    /// Returns `None` if a window would exceed 2^31-1.
    #[must_use]
    pub(super) fn set_initial_window(&mut self, streams: &mut Streams, initial: u32) -> Option<usize> {
        let initial = i64::from(initial);
        let exceeds = |delta: i64| initial.saturating_add(delta) > i64::from(MAX_WINDOW);
        let mut visited = 0;
        if exceeds(self.highest_delta) {
            // The stream that had the highest window may have ended or have used it.
            visited = streams.len();
            let open = streams.iter().filter(|stream| !stream.is_closed());
            self.highest_delta = open.map(|stream| stream.send.window_delta).max().unwrap_or(0).max(0);
            if exceeds(self.highest_delta) {
                return None;
            }
        }
        let grows = initial > self.initial;
        self.initial = initial;
        if !grows {
            return Some(visited);
        }
        let unblocked = self.blocked.take_above(initial.saturating_neg());
        for &id in &unblocked {
            let Some(stream) = streams.get_mut(id) else { continue };
            if let Some(stall) = &mut stream.send.stall {
                stall.blocked = false;
            }
            self.schedule(stream);
        }
        Some(visited.saturating_add(unblocked.len()))
    }

    /// Gives back the memory of the scheduler, if no stream is scheduled.
    pub(super) fn shrink(&mut self) {
        self.scheduler.shrink();
    }

    /// Returns whether no content is pending.
    pub(super) fn is_flushed(&self) -> bool {
        self.pending == 0
    }

    /// Returns whether a stream is scheduled.
    pub(super) fn is_scheduled(&self) -> bool {
        !self.scheduler.is_empty()
    }

    /// Returns whether content can be sent now.
    pub(super) fn can_send(&self) -> bool {
        self.window > 0 && self.is_scheduled()
    }

    /// Returns whether content waits only for the connection's window.
    pub(super) fn is_window_closed(&self) -> bool {
        self.window <= 0 && self.is_scheduled()
    }

    /// Returns the scheduled streams, in no particular order.
    pub(super) fn scheduled(&self) -> Vec<StreamId> {
        self.scheduler.iter().collect()
    }

    /// Returns the blocked stream that has stalled for the longest time, and the start of the stall.
    pub(super) fn first_stalled(&self) -> Option<(Time, StreamId)> {
        self.blocked.first()
    }

    /// Returns whether the send-buffer limits are lowered.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Returns the current send-buffer limit of each stream, in bytes.
    pub(super) fn limit(&self) -> usize {
        if self.crowded { self.crowded_limit() } else { self.buffer }
    }

    fn crowded_limit(&self) -> usize {
        self.buffer.min(CROWDED)
    }

    /// Records that the pending content of a stream changed from `before` bytes.
    fn resized(&mut self, stream: &Stream, before: usize) {
        let after = stream.send.content.len();
        self.pending = self.pending.saturating_sub(before).saturating_add(after);
        let threshold = self.crowded_limit() / 2;
        match (before > threshold, after > threshold) {
            (false, true) => drop(self.full.insert(stream.id())),
            (true, false) => drop(self.full.remove(&stream.id())),
            _ => {}
        }
    }

    /// Appends a piece to the pending content of a stream.
    pub(super) fn queue(&mut self, streams: &mut Streams, id: StreamId, piece: Bytes) {
        let Some(stream) = streams.get_mut(id) else { return };
        let before = stream.send.content.len();
        stream.send.content.push(piece);
        self.resized(stream, before);
        if !self.crowded && self.pending >= self.enough {
            self.crowded = true;
            // A stream that loses its room waits for it as if it had filled the buffer.
            let limit = self.limit();
            for &id in &self.full {
                if let Some(stream) = streams.get_mut(id) {
                    stream.send.notify_writable |=
                        stream.can_take_content() && stream.send.content.len() >= limit;
                }
            }
        }
    }

    /// Records that `content` bytes of a stream were sent, which used `used` bytes of the windows.
    ///
    /// Returns whether to tell the caller that the stream has room again.
    pub(super) fn sent(&mut self, stream: &mut Stream, content: usize, used: i64) -> bool {
        let send = &mut stream.send;
        send.window_delta = send.window_delta.saturating_sub(used);
        send.stall = send.stall.filter(|_| !send.content.is_empty()).and_then(|stall| stall.after(content));
        self.window = self.window.saturating_sub(used);
        self.resized(stream, stream.send.content.len().saturating_add(content));
        stream.has_room(self.limit()) && core::mem::take(&mut stream.send.notify_writable)
    }

    /// Drops the content of a stream that has ended, which then waits for nothing any more.
    pub(super) fn remove(&mut self, stream: &mut Stream) {
        if core::mem::take(&mut stream.send.scheduled) {
            self.scheduler.remove(stream.id(), stream.place(), stream.send.turn);
        }
        self.blocked.remove(stream);
        let dropped = stream.send.content.clear();
        self.resized(stream, dropped);
    }

    /// Restores the send-buffer limits if the total has fallen enough, and returns the streams to tell.
    ///
    /// Streams regain their room once the total is a quarter below the limit, so that they do not lose it again at
    /// once.
    pub(super) fn make_room(&mut self, streams: &mut Streams) -> Vec<StreamId> {
        if !self.crowded || self.pending >= self.enough.saturating_sub(self.enough / 4) {
            return Vec::new();
        }
        self.crowded = false;
        let limit = self.limit();
        let mut regained = |&id: &StreamId| {
            streams.get_mut(id).is_some_and(|stream| {
                stream.has_room(limit) && core::mem::take(&mut stream.send.notify_writable)
            })
        };
        self.full.iter().copied().filter(|id| regained(id)).collect()
    }

    /// Schedules a stream that has content; its window is checked when its turn comes.
    pub(super) fn schedule(&mut self, stream: &mut Stream) {
        let send = &stream.send;
        let waits = send.scheduled || stream.blocked_since().is_some();
        if waits || send.content.is_empty() || !stream.state().can_send() {
            return;
        }
        stream.send.scheduled = true;
        stream.send.turn = self.scheduler.push(stream.id(), stream.place());
    }

    /// Returns the next stream to send, which is no longer scheduled, if the connection's window is open.
    pub(super) fn next(&mut self, streams: &mut Streams) -> Option<StreamId> {
        if self.window <= 0 {
            return None;
        }
        let id = self.scheduler.pop()?;
        if let Some(stream) = streams.get_mut(id) {
            stream.send.scheduled = false;
        }
        Some(id)
    }

    /// Changes the priority of a stream, and its place if it is scheduled.
    pub(super) fn prioritize(&mut self, stream: &mut Stream, priority: Priority) {
        let old = stream.place();
        stream.prioritize(priority);
        let new = stream.place();
        if stream.send.scheduled && new != old {
            self.scheduler.remove(stream.id(), old, stream.send.turn);
            stream.send.turn = self.scheduler.push(stream.id(), new);
        }
    }

    /// Records that a stream has content but no window.
    pub(super) fn block(&mut self, stream: &mut Stream, now: Time) {
        if !stream.send.content.is_empty() {
            self.blocked.insert(stream, now);
        }
    }

    /// Asserts that this state agrees with the streams.
    #[cfg(test)]
    pub(super) fn check(&self, streams: &Streams) {
        let count = |holds: &dyn Fn(&Stream) -> bool| streams.iter().filter(|stream| holds(stream)).count();
        let content: usize = streams.iter().map(|stream| stream.send.content.len()).sum();
        assert_eq!(self.pending, content, "content waiting to be sent");
        assert_eq!(self.blocked.len(), count(&|stream| stream.blocked_since().is_some()), "blocked");
        let full = |stream: &&Stream| stream.send.content.len() > self.crowded_limit() / 2;
        let full: BTreeSet<_> = streams.iter().filter(full).map(Stream::id).collect();
        assert_eq!(self.full, full, "streams with much content");
        assert_eq!(self.scheduler.len(), count(&|stream| stream.send.scheduled), "scheduled");
    }

    /// Returns whether no stream is scheduled or blocked.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.scheduler.is_empty() && self.blocked.len() == 0
    }

    #[cfg(test)]
    pub(super) fn pending(&self) -> usize {
        self.pending
    }
}
