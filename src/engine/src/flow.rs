//! Flow control on the receiving side (RFC 9113, 5.2 and 6.9).

use crate::settings::MAX_WINDOW;

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
}

impl ReceiveWindow {
    /// A window that differs by `delta` from the one that new streams have.
    pub(crate) fn new(delta: i64) -> Self {
        Self { delta, held: 0, owed: 0 }
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

    /// The peer has sent `octets`; false if that was more than the window allows.
    pub(crate) fn receive(&mut self, octets: u32, initial: u32) -> bool {
        if i64::from(octets) > self.available(initial) {
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

    /// The increment that is due: as much as makes window and content held `target` again, once that is half
    /// of it. With `target` none, what is owed and no more.
    pub(crate) fn take_due(&mut self, initial: u32, target: Option<u32>) -> Option<u32> {
        let available = self.available(initial);
        let (due, threshold) = match target {
            Some(target) => {
                let due = i64::from(target).saturating_sub(available).saturating_sub(i64::from(self.held));
                (due, target / 2)
            }
            None => (i64::from(self.owed), initial / 2),
        };
        let due = u32::try_from(due.min(i64::from(MAX_WINDOW).saturating_sub(available))).ok()?;
        if due == 0 || self.owed == 0 || due < threshold {
            return None;
        }
        self.owed = 0;
        self.delta = self.delta.saturating_add(i64::from(due));
        Some(due)
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

/// Measures how much arrives in a round trip, and grows the windows while they are what limits it.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    /// The window that streams are given.
    stream: u32,
    stream_max: u32,
    /// The window that the connection is given.
    connection: u32,
    connection_max: u32,
    /// What has arrived since the PING that measures, if one is under way.
    arrived: Option<u64>,
}

impl Bandwidth {
    pub(crate) fn new(stream: u32, stream_max: u32, connection: u32, connection_max: u32) -> Self {
        Self { stream, stream_max, connection, connection_max, arrived: None }
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

    pub(crate) fn arrived(&mut self, octets: u32) {
        if let Some(arrived) = &mut self.arrived {
            *arrived = arrived.saturating_add(u64::from(octets));
        }
    }

    /// Half a window was used up: whether a PING is to be sent to find out if the window was the limit.
    pub(crate) fn start(&mut self) -> bool {
        let grown = self.stream >= self.stream_max && self.connection >= self.connection_max;
        if grown || self.arrived.is_some() {
            return false;
        }
        self.arrived = Some(0);
        true
    }

    /// The PING was answered.
    pub(crate) fn finish(&mut self) {
        let Some(arrived) = self.arrived.take() else { return };
        // What a stream was allowed was nearly used up in one round trip, so more would have come.
        if arrived.saturating_mul(3) >= u64::from(self.stream).saturating_mul(2) {
            let wanted = u32::try_from(arrived.saturating_mul(2)).unwrap_or(u32::MAX);
            self.stream = wanted.min(self.stream_max).max(self.stream);
            let wanted = wanted.saturating_add(wanted / 2);
            self.connection = wanted.min(self.connection_max).max(self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_given_back_when_half_of_it_was_consumed() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(60, 100));
        window.consume(40);
        assert_eq!(window.take_due(100, Some(100)), None, "only 40 of 100");
        window.consume(10);
        assert_eq!(window.take_due(100, Some(100)), Some(50), "10 are still held");
        assert_eq!((window.available(100), window.held), (90, 10));
    }

    #[test]
    fn a_larger_target_is_reached_at_the_next_update() {
        let mut window = ReceiveWindow::new(0);
        assert!(window.receive(100, 100));
        window.consume(100);
        assert_eq!(window.take_due(100, Some(300)), Some(300));
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
        assert_eq!(window.take_due(100, None), None);
        window.consume(40);
        assert_eq!(window.take_due(80, None), Some(40));
        assert!(window.raise(MAX_WINDOW - 40, 100));
        assert!(!window.raise(1, 100));
    }

    #[test]
    fn windows_grow_while_they_are_the_limit() {
        let mut bandwidth = Bandwidth::new(100, 1_000, 200, 2_000);
        let mut sizes = Vec::new();
        for arrived in [50, 100, 200, 400, 5_000] {
            assert!(bandwidth.start());
            bandwidth.arrived(arrived);
            bandwidth.finish();
            sizes.push((bandwidth.stream_window(), bandwidth.connection_window()));
        }
        assert_eq!(sizes, [(100, 200), (200, 300), (400, 600), (800, 1_200), (1_000, 2_000)]);
        assert!(!bandwidth.start(), "nothing is left to find out");
    }
}
