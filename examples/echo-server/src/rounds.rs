//! Which connections to poll.
//!
//! In WASI 0.2, each `poll` looks at every pollable. With thousands of idle connections, that would take many times longer
//! than the request for which it returns. So a server with many connections polls all of them only at the beginning of a
//! round, and then, until the round is over, those that have had a turn lately.

use std::collections::BTreeSet;
use std::mem;

use wasi::clocks::monotonic_clock::Instant;

/// Up to this many connections, every poll includes all of them.
pub(crate) const FEW: usize = 64;

/// If so many connections are ready in a poll of all, there may be more of them, which the host does not report at once
/// (Wasmtime's Tokio: 128). Then no round starts, and the next poll has all connections again.
pub(crate) const CROWD: usize = 100;

/// How long a round takes for each connection, in nanoseconds: some twenty times as long as it takes to poll one.
const TIME_FOR_EACH: u64 = 10_000;

/// How long a round takes at most, in nanoseconds: so long may a connection wait for its first turn beside busy ones.
const LONGEST: u64 = 50_000_000;

/// The rounds of polling.
#[derive(Default)]
pub(crate) struct Rounds {
    /// Connections that have had a turn in this round.
    busy: BTreeSet<u64>,
    /// Connections that had a turn in the previous round.
    busy_before: BTreeSet<u64>,
    end: Instant,
}

impl Rounds {
    /// Starts a round after all connections were polled.
    pub(crate) fn start(&mut self, now: Instant, connections: usize) {
        self.busy_before = mem::take(&mut self.busy);
        self.end = now.saturating_add(TIME_FOR_EACH.saturating_mul(connections as u64).min(LONGEST));
    }

    /// Records that a connection has had a turn.
    pub(crate) fn had_turn(&mut self, connection: u64) {
        self.busy.insert(connection);
    }

    /// Returns the time at which all connections are polled again.
    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    /// Returns the connections to poll until then, in order.
    pub(crate) fn busy(&self) -> impl Iterator<Item = u64> {
        self.busy.union(&self.busy_before).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(rounds: &Rounds) -> Vec<u64> {
        rounds.busy().collect()
    }

    #[test]
    fn a_connection_is_busy_until_a_round_passes_without_its_turn() {
        let mut rounds = Rounds::default();
        rounds.start(0, 1_000);
        rounds.had_turn(7);
        rounds.had_turn(3);
        assert_eq!(busy(&rounds), [3, 7]);
        rounds.start(rounds.end(), 1_000);
        rounds.had_turn(5);
        assert_eq!(busy(&rounds), [3, 5, 7]);
        rounds.start(rounds.end(), 1_000);
        assert_eq!(busy(&rounds), [5]);
        rounds.start(rounds.end(), 1_000);
        assert_eq!(busy(&rounds), []);
    }

    #[test]
    fn a_round_takes_longer_the_more_connections_there_are() {
        let mut rounds = Rounds::default();
        rounds.start(500, 1_000);
        assert_eq!(rounds.end(), 10_000_500);
        rounds.start(500, 10_000);
        assert_eq!(rounds.end(), 50_000_500);
    }
}
