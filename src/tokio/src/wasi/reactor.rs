//! Tasks that wait for pollables and for times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::Pollable;
use wasi_poll_set::PollSet;

/// Reads and writes between two looks at the clock, while tasks can run.
const TURN: u32 = 32;
/// Nanoseconds between two looks at the pollables, while tasks can run.
const LOOK: u64 = 10_000_000;
/// Ready pollables after which a host on Tokio, as Wasmtime is, reports nothing more, and reads nothing either, until it
/// has yielded to its own runtime.
const HOST_BUDGET: usize = 128;

static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    pollables: PollSet::new(),
    tasks: BTreeMap::new(),
    timers: BTreeMap::new(),
    next_id: 0,
    moved: 0,
    looked: 0,
    active: false,
});

struct Waiting {
    /// By the number of the interest.
    pollables: PollSet<u64, Arc<Pollable>>,
    /// The tasks that wait for the pollables.
    tasks: BTreeMap<u64, Waker>,
    /// The tasks that wait for a time, by this and the number of the timer.
    timers: BTreeMap<(Instant, u64), Waker>,
    /// The number of the next interest or timer.
    next_id: u64,
    /// Reads and writes since the latest look at the clock.
    moved: u32,
    /// The time of the latest look at the pollables, in nanoseconds.
    looked: u64,
    /// Whether anything has happened since the latest call of [`take_activity`].
    active: bool,
}

impl Waiting {
    fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pollable that one task at a time can wait for.
#[derive(Debug)]
pub(super) struct Interest {
    pollable: Arc<Pollable>,
    id: u64,
}

impl Interest {
    pub(super) fn new(pollable: Pollable) -> Self {
        Self { pollable: Arc::new(pollable), id: waiting().new_id() }
    }

    /// Returns whether a task waits and the pollable has not become ready since. Then the task of `cx` waits in its place: a
    /// call of the host would find nothing.
    pub(super) fn waits(&self, cx: &Context<'_>) -> bool {
        let mut waiting = waiting();
        waiting.tasks.get_mut(&self.id).map(|waker| waker.clone_from(cx.waker())).is_some()
    }

    /// Wakes the task once the pollable is ready, or earlier.
    pub(super) fn wake(&self, cx: &Context<'_>) {
        if self.waits(cx) {
            return;
        }
        let mut waiting = waiting();
        waiting.tasks.insert(self.id, cx.waker().clone());
        waiting.pollables.insert(self.id, self.pollable.clone());
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut waiting = waiting();
        // The pollable must not outlive its socket.
        let removed = (waiting.pollables.remove(&self.id), waiting.tasks.remove(&self.id));
        // A waker may run code that waits.
        drop(waiting);
        drop(removed);
    }
}

/// A time that one task can wait for.
#[derive(Debug)]
pub(super) struct Timer {
    at: Instant,
    id: u64,
}

impl Timer {
    pub(super) fn new(at: Instant) -> Self {
        Self { at, id: waiting().new_id() }
    }

    /// Returns the time.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Wakes the task at the time.
    pub(super) fn wake(&self, cx: &Context<'_>) {
        let replaced = waiting().timers.insert((self.at, self.id), cx.waker().clone());
        drop(replaced);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let removed = waiting().timers.remove(&(self.at, self.id));
        drop(removed);
    }
}

/// Notes a read or write. If tasks never pause, this is where those that wait get their turn.
pub(super) fn moved() {
    let mut waiting = waiting();
    waiting.active = true;
    waiting.moved = waiting.moved.saturating_add(1);
    if waiting.moved < TURN || waiting.tasks.is_empty() && waiting.timers.is_empty() {
        return;
    }
    waiting.moved = 0;
    if monotonic_clock::now().saturating_sub(waiting.looked) >= LOOK {
        wake(waiting, PollSet::look_now);
    }
}

/// Waits until a pollable is ready or the time of a timer has come, and wakes its task.
pub(super) fn wait() {
    wait_until(None);
}

/// Waits like [`wait`], but at most this long in nanoseconds.
#[cfg(feature = "time")]
pub(super) fn wait_at_most(nanoseconds: u64) {
    wait_until(Some(monotonic_clock::now().saturating_add(nanoseconds)));
}

/// Wakes the tasks whose pollables are ready, or whose timers are due.
#[cfg(feature = "time")]
pub(super) fn look() {
    wake(waiting(), PollSet::look_now);
}

/// Returns the number of pollables that tasks wait for.
#[cfg(feature = "time")]
pub(super) fn waiting_pollables() -> usize {
    waiting().pollables.len()
}

/// Returns whether anything has happened since the latest call: a read, a write, a pollable that became ready, a timer that
/// was due.
#[cfg(feature = "time")]
pub(super) fn take_activity() -> bool {
    std::mem::take(&mut waiting().active)
}

fn wait_until(limit: Option<Instant>) {
    let waiting = waiting();
    let timer = waiting.timers.first_key_value().map(|((at, _), _)| *at);
    let until = timer.into_iter().chain(limit).min();
    wake(waiting, |pollables| pollables.wait(until));
}

/// Wakes the tasks of the pollables that `poll` returns, and of timers that are due.
fn wake(
    mut waiting: MutexGuard<'_, Waiting>,
    poll: impl FnOnce(&mut PollSet<u64, Arc<Pollable>>) -> Vec<u64>,
) {
    waiting.moved = 0;
    let ready = poll(&mut waiting.pollables);
    if ready.len() >= HOST_BUDGET / 2 {
        renew_host_budget(&waiting, &ready);
    }
    let now = monotonic_clock::now();
    waiting.looked = now;
    let mut woken = Vec::with_capacity(ready.len());
    for id in ready {
        waiting.pollables.remove(&id);
        woken.extend(waiting.tasks.remove(&id));
    }
    while let Some(timer) = waiting.timers.first_entry().filter(|timer| timer.key().0 <= now) {
        woken.push(timer.remove());
    }
    waiting.active |= !woken.is_empty();
    // A waker may run code that waits.
    drop(waiting);
    for waker in woken {
        waker.wake();
    }
}

/// Makes the host yield.
///
/// Otherwise the reads of the woken tasks could all find nothing, and the same pollables would be ready forever.
fn renew_host_budget(waiting: &Waiting, ready: &[u64]) {
    let Some(pollable) = ready.first().and_then(|id| waiting.pollables.get(id)) else { return };
    for _ in ready.len()..=HOST_BUDGET {
        pollable.block();
    }
}
