//! Flow control on the receiving side (RFC 9113, 5.2 and 6.9).

use core::time::Duration;

use crate::settings::MAX_WINDOW;
use crate::time::Time;

/// What a frame can have besides content (RFC 9113, 6.1), so that room for content that is known is room for it padded.
const PADDING_MAX: u64 = 256;

/// A receive window: what the peer may send, what it has sent, and what is to be given back.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    /// What the peer may still send, less the window that it started with. A change of
    /// SETTINGS_INITIAL_WINDOW_SIZE costs nothing here.
    delta: i64,
    /// Received, and not consumed by the caller.
    held: u32,
    /// Consumed or discarded, and not given back.
    owed: u32,
    /// When it was last raised for what was consumed.
    updated_at: Option<Time>,
}

impl ReceiveWindow {
    /// A window that differs by `delta` from the one that new streams have.
    pub(crate) fn new(delta: i64) -> Self {
        Self { delta, held: 0, owed: 0, updated_at: None }
    }

    /// What the peer may still send.
    pub(crate) fn available(&self, initial: u32) -> i64 {
        i64::from(initial).saturating_add(self.delta)
    }

    /// What the peer may still send, what the caller has not consumed, and what was not given back.
    #[cfg(test)]
    pub(crate) fn parts(&self, initial: u32) -> (i64, u32, u32) {
        (self.available(initial), self.held, self.owed)
    }

    /// The peer has sent `octets`; false if that was more than the window allows. None at all are always allowed: the
    /// window is below 0 if it was lowered behind what had arrived (RFC 9113, 6.9.1 and 6.9.2).
    pub(crate) fn receive(&mut self, octets: u32, initial: u32) -> bool {
        if octets > 0 && i64::from(octets) > self.available(initial) {
            return false;
        }
        self.delta = self.delta.saturating_sub(i64::from(octets));
        self.held = self.held.saturating_add(octets);
        true
    }

    /// The caller has consumed `octets`, or they were discarded: they are to be given back.
    pub(crate) fn consume(&mut self, octets: u32) {
        let octets = octets.min(self.held);
        self.held = self.held.saturating_sub(octets);
        self.owed = self.owed.saturating_add(octets);
    }

    /// The caller has consumed `octets`, and gives them back as it sees fit.
    pub(crate) fn consume_manually(&mut self, octets: u32) {
        self.held = self.held.saturating_sub(octets);
    }

    /// The increment that is due: as much as makes window and content held `target` again, once that is a
    /// quarter of it. With `target` none, what is owed and no more.
    ///
    /// `awaited` tells how much content may yet come, if that is known. Where the window has room for all of it, the
    /// peer has no use for more, and may even have closed its socket behind the last octet: the answer to an increment
    /// would be a reset (RFC 9293, 3.6.1), which takes from us what has not arrived yet.
    pub(crate) fn take_due(
        &mut self,
        initial: u32,
        target: Option<u32>,
        awaited: impl FnOnce() -> Option<u64>,
    ) -> Option<u32> {
        let available = self.available(initial);
        let (due, threshold) = match target {
            Some(target) => {
                let due = i64::from(target).saturating_sub(available).saturating_sub(i64::from(self.held));
                // A quarter: a peer that sends whole windows may end each just before the next credit is due, and
                // then goes on with what is left of the window.
                (due, target / 4)
            }
            None => (i64::from(self.owed), initial / 2),
        };
        let due = u32::try_from(due.min(i64::from(MAX_WINDOW).saturating_sub(available))).ok()?;
        if due == 0 || self.owed == 0 || due < threshold {
            return None;
        }
        let room = u64::try_from(available).unwrap_or(0);
        if awaited().is_some_and(|content| content.saturating_add(PADDING_MAX) <= room) {
            return None;
        }
        self.owed = 0;
        self.delta = self.delta.saturating_add(i64::from(due));
        Some(due)
    }

    /// The window was raised for what was consumed: how long after the last time that was.
    pub(crate) fn updated(&mut self, now: Time) -> Option<Duration> {
        self.updated_at.replace(now).map(|last| now - last)
    }

    /// Raises the window; false if it would pass 2^31-1.
    pub(crate) fn raise(&mut self, octets: u32, initial: u32) -> bool {
        let raised = self.available(initial).saturating_add(i64::from(octets));
        if raised > i64::from(MAX_WINDOW) {
            return false;
        }
        self.delta = self.delta.saturating_add(i64::from(octets));
        true
    }
}

/// Grows the windows while they are what limits the peer: while a quarter of one is used up, and consumed, in less than
/// a round trip.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    /// The window that streams are given.
    stream: u32,
    stream_max: u32,
    /// The window that the connection is given.
    connection: u32,
    connection_max: u32,
    /// The shortest round trip so far.
    round_trip: Option<Duration>,
    measurement: Measurement,
}

/// How far the measurement of the round trip has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measurement {
    Wanted,
    UnderWay,
    /// Until windows have grown, and with them, perhaps, the queues on the way.
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

    /// Streams are given another window from now on: the caller has changed SETTINGS_INITIAL_WINDOW_SIZE.
    pub(crate) fn set_stream_window(&mut self, window: u32) {
        self.stream = window;
        self.stream_max = self.stream_max.max(window);
    }

    pub(crate) fn connection_window(&self) -> u32 {
        self.connection
    }

    /// Whether a PING is to be sent now, when a window was given back.
    pub(crate) fn start(&mut self) -> bool {
        let grown = self.stream >= self.stream_max && self.connection >= self.connection_max;
        let start = self.measurement == Measurement::Wanted && !grown;
        if start {
            self.measurement = Measurement::UnderWay;
        }
        start
    }

    /// The PING was answered.
    pub(crate) fn finish(&mut self, round_trip: Duration) {
        self.round_trip = Some(self.round_trip.map_or(round_trip, |shortest| shortest.min(round_trip)));
        self.measurement = Measurement::Done;
    }

    /// The window of a stream was raised again, so long after the last time. That of the connection grows with it,
    /// so that one stream does not use up all of it.
    pub(crate) fn stream_updated(&mut self, interval: Option<Duration>) {
        if self.is_limit(interval) && self.stream < self.stream_max {
            self.stream = self.stream.saturating_mul(2).min(self.stream_max);
            let wanted = self.stream.saturating_add(self.stream / 2);
            self.connection = wanted.min(self.connection_max).max(self.connection);
            self.grown();
        }
    }

    /// The window of the connection was raised again, so long after the last time.
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

    /// Nobody has said how much will come.
    fn unknown() -> Option<u64> {
        None
    }

    #[test]
    fn what_fits_into_the_window_needs_no_more_of_it() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(600, 1_000));
        window.consume(600);
        assert_eq!(window.take_due(1_000, Some(1_000), || Some(144)), None, "144 and their padding are 400");
        assert_eq!(window.take_due(1_000, Some(1_000), || Some(145)), Some(600));
        assert_eq!(window.available(1_000), 1_000);
    }

    #[test]
    fn a_window_is_given_back_when_a_quarter_of_it_was_consumed() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(60, 100));
        window.consume(24);
        assert_eq!(window.take_due(100, Some(100), unknown), None, "only 24 of 100");
        window.consume(1);
        assert_eq!(window.take_due(100, Some(100), unknown), Some(25), "35 are still held");
        assert_eq!((window.available(100), window.held), (65, 35));
    }

    #[test]
    fn a_larger_target_is_reached_at_the_next_update() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        window.consume(100);
        assert_eq!(window.take_due(100, Some(300), unknown), Some(300));
        assert_eq!(window.available(100), 300);
    }

    #[test]
    fn the_window_is_the_limit_to_the_octet() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        assert!(!window.receive(1, 100));
        assert!(window.receive(1, 101), "SETTINGS_INITIAL_WINDOW_SIZE has grown");
        assert_eq!(window.available(50), -51, "and shrunk");
    }

    #[test]
    fn by_hand_only_what_was_discarded_is_given_back() {
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
    fn windows_grow_while_a_quarter_of_one_lasts_less_than_a_round_trip() {
        let millis = |millis| Some(Duration::from_millis(millis));
        let mut bandwidth = Bandwidth::new(100, 1_000, 200, 2_000);
        bandwidth.stream_updated(millis(0));
        assert_eq!(bandwidth.stream_window(), 100, "the round trip is not known");
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
        assert!(bandwidth.start(), "it may have become longer");
        bandwidth.connection_updated(millis(20));
        assert_eq!(bandwidth.connection_window(), 2_000);
        bandwidth.finish(Duration::from_millis(70));
        assert!(!bandwidth.start(), "nothing is left to find out");
    }
}
