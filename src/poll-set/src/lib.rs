//! Waits for many pollables of `wasi:io` 0.2, most of which are idle.
//!
//! `poll` costs the host time for each pollable in its list, ready or not: Wasmtime 48 takes 0.5 µs. Beside a thousand idle
//! connections, that is ten times as much as a small request. A [`PollSet`] notes which of its members become ready again and
//! again. While few of them account for nearly all that happens, it waits for these alone, and looks at all members at
//! intervals.
//!
//! It runs only in components; elsewhere, it compiles.
//!
//! ```no_run
//! use wasi::cli::stdin::get_stdin;
//! use wasi_poll_set::PollSet;
//!
//! let input = get_stdin();
//! let mut pollables = PollSet::new();
//! pollables.insert("input", input.subscribe());
//! assert_eq!(pollables.wait(None), ["input"]);
//! // Its pollable must not outlive the stream.
//! drop(pollables);
//! ```

#![forbid(unsafe_code)]

mod recent;

use std::borrow::Borrow;
use std::collections::BTreeMap;

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::recent::Recent;

/// The time between two looks at all members, while the recent ones are waited for alone: this many times as long as a look.
const PAUSE: u64 = 16;
/// The longest time between two looks at all members, in nanoseconds.
const LONGEST_PAUSE: u64 = 20_000_000;
/// The shortest time to wait, in nanoseconds. Without any, a host on Tokio, as Wasmtime is, would report only what it
/// already knows, and after 128 ready pollables nothing.
const SHORTEST: u64 = 1;

/// Pollables, each under a key of its own.
///
/// If nearly all that happens belongs to few members, the others may be reported late: by 16 times as long as a call of `poll`
/// with all members takes, and at most by 20 ms.
#[derive(Debug)]
pub struct PollSet<K, P> {
    members: BTreeMap<K, P>,
    recent: Recent<K>,
    /// The time of the next look at all members, while the recent ones are waited for alone.
    next_look: Instant,
    /// The timer of the latest wait, which often serves the next one as well, and its time.
    timer: Option<(Instant, Pollable)>,
    /// The first key that the latest wait returned.
    first: Option<K>,
}

impl<K: Copy + Ord, P: Borrow<Pollable>> PollSet<K, P> {
    /// Creates an empty set.
    pub const fn new() -> Self {
        Self { members: BTreeMap::new(), recent: Recent::new(), next_look: 0, timer: None, first: None }
    }

    /// Adds a pollable, and returns the one that had the key before.
    pub fn insert(&mut self, key: K, pollable: P) -> Option<P> {
        self.members.insert(key, pollable)
    }

    /// Removes and returns a pollable.
    ///
    /// The set still knows whether it has been ready lately: the caller can insert it again whenever it waits.
    pub fn remove(&mut self, key: &K) -> Option<P> {
        self.members.remove(key)
    }

    /// Returns a member.
    pub fn get(&self, key: &K) -> Option<&P> {
        self.members.get(key)
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether the set has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Waits until a member is ready or the time has come (`None`: without limit), and returns the keys of ready members.
    ///
    /// They are in ascending order, beginning behind the first one of the previous call: if the caller handles only some of
    /// them each time, all have their turn. If there is nothing to wait for, the call returns at once.
    pub fn wait(&mut self, until: Option<Instant>) -> Vec<K> {
        if self.recent.suffice() && self.recent.keys().any(|key| self.members.contains_key(key)) {
            let now = monotonic_clock::now();
            if now >= self.next_look {
                let ready = self.look_now();
                let end = monotonic_clock::now();
                let pause = end.saturating_sub(now).saturating_mul(PAUSE).min(LONGEST_PAUSE);
                self.next_look = end.saturating_add(pause);
                if !ready.is_empty() || until.is_some_and(|until| until <= now) {
                    return ready;
                }
            }
            let limit = until.map_or(self.next_look, |until| until.min(self.next_look));
            self.set_timer(Some(limit));
            let ready = self.wait_for_recent();
            if !ready.is_empty() || until == Some(limit) {
                return ready;
            }
        }
        self.set_timer(until);
        self.look()
    }

    /// Returns the keys of the members that are ready now, in the order of [`wait`](Self::wait).
    ///
    /// The host looks for events of its own before it answers.
    pub fn look_now(&mut self) -> Vec<K> {
        self.timer = Some((0, monotonic_clock::subscribe_duration(SHORTEST)));
        self.look()
    }

    /// Waits for all members.
    fn look(&mut self) -> Vec<K> {
        let ready = wait_for(self.members.iter(), self.timer.as_ref());
        self.recent.look(&ready, self.members.len());
        self.in_turn(ready)
    }

    /// Waits for the members that have been ready lately.
    fn wait_for_recent(&mut self) -> Vec<K> {
        let recent = self.recent.keys().filter_map(|key| self.members.get_key_value(key));
        let ready = wait_for(recent, self.timer.as_ref());
        self.recent.add(&ready, self.members.len());
        self.in_turn(ready)
    }

    /// Moves the keys up to the first one of the previous call to the end.
    fn in_turn(&mut self, mut ready: Vec<K>) -> Vec<K> {
        let behind = self.first.map_or(0, |first| ready.partition_point(|key| *key <= first));
        ready.rotate_left(behind);
        self.first = ready.first().copied().or(self.first);
        ready
    }

    fn set_timer(&mut self, until: Option<Instant>) {
        if self.timer.as_ref().map(|(at, _)| *at) != until {
            self.timer = until.map(|until| (until, monotonic_clock::subscribe_instant(until)));
        }
    }
}

impl<K: Copy + Ord, P: Borrow<Pollable>> Default for PollSet<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits for pollables or the timer, and returns the keys of those that are ready, in ascending order.
fn wait_for<'a, K: Copy + Ord + 'a, P: Borrow<Pollable> + 'a>(
    members: impl Iterator<Item = (&'a K, &'a P)>,
    timer: Option<&(Instant, Pollable)>,
) -> Vec<K> {
    let (keys, mut pollables): (Vec<K>, Vec<&Pollable>) =
        members.map(|(key, pollable)| (*key, pollable.borrow())).unzip();
    pollables.extend(timer.map(|(_, pollable)| pollable));
    // The host refuses an empty list.
    if pollables.is_empty() {
        return Vec::new();
    }
    let ready = poll(&pollables);
    // The index of the timer follows those of the keys. The host reports the others in any order.
    let mut ready: Vec<K> =
        ready.into_iter().filter_map(|index| keys.get(usize::try_from(index).ok()?).copied()).collect();
    ready.sort_unstable();
    ready
}
