//! Receive-side flow control (RFC 9113, 5.2 and 6.9).

use core::num::NonZeroU64;
use core::time::Duration;

use crate::settings::MAX_WINDOW;
use crate::time::Time;

/// Largest padding overhead of a frame, in bytes (RFC 9113, 6.1).
///
/// Content of known length fits a window only if it fits with padding.
const PADDING_MAX: u64 = 256;

/// A receive window: what the peer may still send, and the credit to return to it.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    /// Bytes the peer may still send, minus the initial window.
    ///
    /// A change of SETTINGS_INITIAL_WINDOW_SIZE therefore needs no update here.
    delta: i64,
    /// Bytes received but not yet consumed by the caller.
    unconsumed: u32,
    /// Bytes consumed or discarded, but not yet credited to the peer.
    pending_credit: u32,
    /// When the window was last raised for consumed bytes.
    updated_at: Updated,
}

impl ReceiveWindow {
    /// Creates a window that differs by `delta` from the window of new streams.
    pub(crate) fn new(delta: i64) -> Self {
        Self { delta, unconsumed: 0, pending_credit: 0, updated_at: Updated::default() }
    }

    /// Returns the bytes the peer may still send.
    pub(crate) fn available(&self, initial: u32) -> i64 {
        i64::from(initial).saturating_add(self.delta)
    }

    /// Returns the credit that the peer will get along with later credit, in bytes.
    pub(crate) fn pending_credit(&self) -> u32 {
        self.pending_credit
    }

    /// Returns the bytes the peer may still send, the unconsumed bytes, and the pending credit.
    #[cfg(test)]
    pub(crate) fn parts(&self, initial: u32) -> (i64, u32, u32) {
        (self.available(initial), self.unconsumed, self.pending_credit)
    }

    /// Records `bytes` sent by the peer; returns false if they exceed the window.
    ///
    /// An empty frame is always allowed: the window is negative after SETTINGS lowered it below the bytes already
    /// received (RFC 9113, 6.9.1 and 6.9.2).
    pub(crate) fn receive(&mut self, bytes: u32, initial: u32) -> bool {
        if bytes > 0 && i64::from(bytes) > self.available(initial) {
            return false;
        }
        self.delta = self.delta.saturating_sub(i64::from(bytes));
        self.unconsumed = self.unconsumed.saturating_add(bytes);
        true
    }

    /// Records that `bytes` were consumed by the caller or discarded, and owes the peer credit for them.
    pub(crate) fn consume(&mut self, bytes: u32) {
        let bytes = bytes.min(self.unconsumed);
        self.unconsumed = self.unconsumed.saturating_sub(bytes);
        self.pending_credit = self.pending_credit.saturating_add(bytes);
    }

    /// Records that the caller consumed `bytes`, for which it returns the credit itself.
    pub(crate) fn consume_manually(&mut self, bytes: u32) {
        self.unconsumed = self.unconsumed.saturating_sub(bytes);
    }

    /// Returns the increment to send now, if one is due.
    ///
    /// With a `target`, the increment restores window plus unconsumed bytes to `target`, and is due once it is a
    /// quarter of `target`. Without one, the increment is exactly the pending credit.
    ///
    /// `awaited` returns the bytes of content still to come, if known. If the window has room for all of them, the
    /// peer has no use for an increment, and may already have closed its socket after the last byte. It would then
    /// answer the increment with a reset (RFC 9293, 3.6.1), which destroys data that has not reached this endpoint
    /// yet.
    pub(crate) fn take_due(
        &mut self,
        initial: u32,
        target: Option<u32>,
        awaited: impl FnOnce() -> Option<u64>,
    ) -> Option<u32> {
        let available = self.available(initial);
        let (due, threshold) = match target {
            Some(target) => {
                let due =
                    i64::from(target).saturating_sub(available).saturating_sub(i64::from(self.unconsumed));
                // A quarter: a peer that sends whole windows may finish one just before the next credit is due, and
                // then continues with the rest of the window.
                (due, target / 4)
            }
            None => (i64::from(self.pending_credit), initial / 2),
        };
        let due = u32::try_from(due.min(i64::from(MAX_WINDOW).saturating_sub(available))).ok()?;
        if due == 0 || self.pending_credit == 0 || due < threshold {
            return None;
        }
        let room = u64::try_from(available).unwrap_or(0);
        if awaited().is_some_and(|content| content.saturating_add(PADDING_MAX) <= room) {
            return None;
        }
        self.pending_credit = 0;
        self.delta = self.delta.saturating_add(i64::from(due));
        Some(due)
    }

    /// Returns the increment that raises window plus unconsumed bytes to `target` at once.
    pub(crate) fn take_raise(&mut self, initial: u32, target: u32) -> Option<u32> {
        let due =
            i64::from(target).saturating_sub(self.available(initial)).saturating_sub(self.unconsumed.into());
        let due = u32::try_from(due).ok().filter(|&due| due > 0)?;
        self.pending_credit = 0;
        self.delta = self.delta.saturating_add(i64::from(due));
        Some(due)
    }

    /// Records that the window was raised for consumed bytes, and returns the time since the previous raise.
    pub(crate) fn updated(&mut self, now: Time) -> Option<Duration> {
        self.updated_at.replace(now).map(|last| now - last)
    }

    /// Raises the window; returns false if it would exceed 2^31-1.
    pub(crate) fn raise(&mut self, bytes: u32, initial: u32) -> bool {
        let raised = self.available(initial).saturating_add(i64::from(bytes));
        if raised > i64::from(MAX_WINDOW) {
            return false;
        }
        self.delta = self.delta.saturating_add(i64::from(bytes));
        true
    }
}

/// A point in time, or none, in the space of a point in time.
#[derive(Clone, Copy, Debug, Default)]
struct Updated(Option<NonZeroU64>);

impl Updated {
    fn replace(&mut self, now: Time) -> Option<Time> {
        let last = core::mem::replace(&mut self.0, NonZeroU64::new(now.as_nanos().saturating_add(1)));
        last.map(|last| Time::from_nanos(last.get().saturating_sub(1)))
    }
}

/// Grows the windows while they limit the peer.
///
/// A window is the limit if a quarter of it is used up, and consumed by the caller, in less than a round trip.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    /// Window given to streams.
    stream: u32,
    stream_max: u32,
    /// Window given to the connection.
    connection: u32,
    connection_max: u32,
    /// Shortest round trip measured so far.
    round_trip: Option<Duration>,
    measurement: Measurement,
}

/// Progress of the round-trip measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measurement {
    Wanted,
    UnderWay,
    /// Measured; valid until the windows grow, since that may lengthen the queues on the path.
    Done,
}

impl Bandwidth {
    pub(crate) fn new(stream: u32, stream_max: u32, connection: u32, connection_max: u32) -> Self {
        let measurement = Measurement::Wanted;
        Self { stream, stream_max, connection, connection_max, round_trip: None, measurement }
    }

    pub(crate) fn stream_window(&self) -> u32 {
        self.stream
    }

    /// Sets the window given to streams from now on, after the caller changed SETTINGS_INITIAL_WINDOW_SIZE.
    pub(crate) fn set_stream_window(&mut self, window: u32) {
        self.stream = window;
        self.stream_max = self.stream_max.max(window);
    }

    pub(crate) fn connection_window(&self) -> u32 {
        self.connection
    }

    /// Sets the window given to the connection from now on.
    pub(crate) fn set_connection_window(&mut self, window: u32) {
        self.connection = window;
        self.connection_max = self.connection_max.max(window);
    }

    /// Returns whether to send a PING now that a window was raised.
    pub(crate) fn start(&mut self) -> bool {
        let grown = self.stream >= self.stream_max && self.connection >= self.connection_max;
        let start = self.measurement == Measurement::Wanted && !grown;
        if start {
            self.measurement = Measurement::UnderWay;
        }
        start
    }

    /// Records the round trip of the PING.
    pub(crate) fn finish(&mut self, round_trip: Duration) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |shortest| shortest.min(round_trip)));
        self.measurement = Measurement::Done;
    }

    /// Records that a stream's window was raised, `interval` after the previous time.
    ///
    /// The connection's window grows with the stream's, so that one stream does not use up all of it.
    pub(crate) fn stream_updated(&mut self, interval: Option<Duration>) {
        if self.is_limit(interval) && self.stream < self.stream_max {
            self.stream = self.stream.saturating_mul(2).min(self.stream_max);
            let wanted = self.stream.saturating_add(self.stream / 2);
            self.connection = wanted.min(self.connection_max).max(self.connection);
            self.grown();
        }
    }

    /// Records that the connection's window was raised, `interval` after the previous time.
    pub(crate) fn connection_updated(&mut self, interval: Option<Duration>) {
        if self.is_limit(interval) && self.connection < self.connection_max {
            self.connection = self.connection.saturating_mul(2).min(self.connection_max);
            self.grown();
        }
    }

    fn is_limit(&self, interval: Option<Duration>) -> bool {
        let Some((interval, round_trip)) = interval.zip(self.round_trip) else { return false };
        interval < round_trip
    }

    fn grown(&mut self) {
        if self.measurement == Measurement::Done {
            self.measurement = Measurement::Wanted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the content is unknown.
    fn unknown() -> Option<u64> {
        None
    }

    #[test]
    fn no_increment_if_remaining_content_fits_the_window() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(600, 1_000));
        window.consume(600);
        assert_eq!(window.take_due(1_000, Some(1_000), || Some(144)), None, "144 plus padding is 400");
        assert_eq!(window.take_due(1_000, Some(1_000), || Some(145)), Some(600));
        assert_eq!(window.available(1_000), 1_000);
    }

    #[test]
    fn increment_is_due_once_a_quarter_was_consumed() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(60, 100));
        window.consume(24);
        assert_eq!(window.take_due(100, Some(100), unknown), None, "only 24 of 100");
        window.consume(1);
        assert_eq!(window.take_due(100, Some(100), unknown), Some(25), "35 are still unconsumed");
        assert_eq!((window.available(100), window.unconsumed), (65, 35));
    }

    #[test]
    fn next_increment_reaches_a_larger_target() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        window.consume(100);
        assert_eq!(window.take_due(100, Some(300), unknown), Some(300));
        assert_eq!(window.available(100), 300);
    }

    #[test]
    fn window_is_enforced_to_the_byte() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        assert!(!window.receive(1, 100));
        assert!(window.receive(1, 101), "SETTINGS_INITIAL_WINDOW_SIZE has grown");
        assert_eq!(window.available(50), -51, "and shrunk");
    }

    #[test]
    fn manual_mode_credits_only_discarded_bytes() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        window.consume_manually(60);
        assert_eq!(window.take_due(100, None, unknown), None);
        window.consume(40);
        assert_eq!(window.take_due(80, None, unknown), Some(40));
        assert!(window.raise(MAX_WINDOW - 40, 100));
        assert!(!window.raise(1, 100));
    }

    #[test]
    fn windows_grow_while_a_quarter_lasts_less_than_a_round_trip() {
        let millis = |millis| Some(Duration::from_millis(millis));
        let mut bandwidth = Bandwidth::new(100, 1_000, 200, 2_000);
        bandwidth.stream_updated(millis(0));
        assert_eq!(bandwidth.stream_window(), 100, "the round trip is unknown");
        assert!(bandwidth.start() && !bandwidth.start(), "one PING at a time");
        bandwidth.finish(Duration::from_millis(50));
        let mut sizes = Vec::new();
        for interval in [None, millis(50), millis(49), millis(49), millis(5), millis(5), millis(5)] {
            bandwidth.stream_updated(interval);
            sizes.push((bandwidth.stream_window(), bandwidth.connection_window()));
        }
        assert_eq!(
            sizes,
            [(100, 200), (100, 200), (200, 300), (400, 600), (800, 1_200), (1_000, 1_500), (1_000, 1_500)]
        );
        bandwidth.connection_updated(millis(200));
        assert_eq!(bandwidth.connection_window(), 1_500);
        assert!(bandwidth.start(), "the round trip may have become longer");
        bandwidth.connection_updated(millis(20));
        assert_eq!(bandwidth.connection_window(), 2_000);
        bandwidth.finish(Duration::from_millis(70));
        assert!(!bandwidth.start(), "both windows are at their maximum");
    }
}
