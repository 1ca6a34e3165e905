//! Tasks that wait for pollables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use wasi::clocks::monotonic_clock;
use wasi::io::poll::{Pollable, poll};

/// Reads and writes between two looks at the clock, while tasks can run.
const TURN: u32 = 32;
/// Nanoseconds between two looks at the pollables, while tasks can run.
const LOOK: u64 = 10_000_000;
/// The shortest time to wait, in nanoseconds. Without any, Wasmtime would report only what it already knows, and soon
/// nothing (see [`HOST_BUDGET`]).
pub(super) const SHORTEST: u64 = 1;
/// Ready pollables after which a host on Tokio, as Wasmtime is, reports nothing more, and reads nothing either, until it
/// has yielded to its own runtime.
const HOST_BUDGET: usize = 128;

static WAITING: Mutex<Waiting> =
    Mutex::new(Waiting { tasks: BTreeMap::new(), next_ticket: 0, moved: 0, looked: 0, active: false });

struct Waiting {
    /// In the order in which they began to wait: a host may report only a part of many ready pollables.
    tasks: BTreeMap<u64, (Arc<Pollable>, Waker)>,
    next_ticket: u64,
    /// Reads and writes since the latest look at the clock.
    moved: u32,
    /// The time of the latest look at the pollables, in nanoseconds.
    looked: u64,
    /// Whether anything has happened since the latest call of [`take_activity`].
    active: bool,
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pollable that one task at a time can wait for.
#[derive(Debug)]
pub(super) struct Interest {
    pollable: Arc<Pollable>,
    /// The place among the waiting tasks, which the task has left when it is woken.
    ticket: Option<u64>,
}

impl Interest {
    pub(super) fn new(pollable: Pollable) -> Self {
        Self { pollable: Arc::new(pollable), ticket: None }
    }

    /// Returns whether the pollable is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.pollable.ready()
    }

    /// Returns whether a task waits and the pollable has not become ready since. Then the task of `cx` waits in its place: a
    /// call of the host would find nothing.
    pub(super) fn waits(&self, cx: &Context<'_>) -> bool {
        self.ticket.is_some_and(|ticket| {
            let mut waiting = waiting();
            let task = waiting.tasks.get_mut(&ticket);
            task.map(|(_, waker)| waker.clone_from(cx.waker())).is_some()
        })
    }

    /// Wakes the task once the pollable is ready, or earlier.
    pub(super) fn wake(&mut self, cx: &Context<'_>) {
        if self.waits(cx) {
            return;
        }
        let mut waiting = waiting();
        let ticket = waiting.next_ticket;
        waiting.next_ticket = ticket.wrapping_add(1);
        waiting.tasks.insert(ticket, (self.pollable.clone(), cx.waker().clone()));
        self.ticket = Some(ticket);
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        // The pollable must not outlive its socket.
        let removed = self.ticket.and_then(|ticket| waiting().tasks.remove(&ticket));
        drop(removed);
    }
}

/// Notes a read or write. If tasks never pause, this is where those that wait get their turn.
pub(super) fn moved() {
    let mut waiting = waiting();
    waiting.active = true;
    waiting.moved = waiting.moved.saturating_add(1);
    if waiting.moved < TURN || waiting.tasks.is_empty() {
        return;
    }
    waiting.moved = 0;
    if monotonic_clock::now().saturating_sub(waiting.looked) >= LOOK {
        let limit = monotonic_clock::subscribe_duration(SHORTEST);
        wake_ready(waiting, Some(&limit));
    }
}

/// Waits until a pollable is ready, and wakes its task.
pub(super) fn wait() {
    let waiting = waiting();
    if !waiting.tasks.is_empty() {
        wake_ready(waiting, None);
    }
}

/// Waits like [`wait`], but at most this long in nanoseconds.
#[cfg(feature = "time")]
pub(super) fn wait_at_most(nanoseconds: u64) {
    let limit = monotonic_clock::subscribe_duration(nanoseconds);
    wake_ready(waiting(), Some(&limit));
}

/// Returns the number of tasks that wait.
#[cfg(feature = "time")]
pub(super) fn waiting_tasks() -> usize {
    waiting().tasks.len()
}

/// Returns whether anything has happened since the latest call: a read, a write, or a pollable that became ready.
#[cfg(feature = "time")]
pub(super) fn take_activity() -> bool {
    std::mem::take(&mut waiting().active)
}

fn wake_ready(mut waiting: MutexGuard<'_, Waiting>, other: Option<&Pollable>) {
    waiting.moved = 0;
    let (tickets, pollables): (Vec<u64>, Vec<&Pollable>) = waiting
        .tasks
        .iter()
        .map(|(&ticket, (pollable, _))| (ticket, &**pollable))
        .chain(other.map(|other| (u64::MAX, other)))
        .unzip();
    let ready = poll(&pollables);
    if ready.len() >= HOST_BUDGET / 2 {
        renew_host_budget(&pollables, &ready);
    }
    waiting.looked = monotonic_clock::now();
    let mut woken = Vec::with_capacity(ready.len());
    for at in ready {
        let ticket = usize::try_from(at).ok().and_then(|at| tickets.get(at));
        woken.extend(ticket.and_then(|ticket| waiting.tasks.remove(ticket)));
    }
    waiting.active |= !woken.is_empty();
    // A waker may run code that waits.
    drop(waiting);
    for (_, waker) in woken {
        waker.wake();
    }
}

/// Makes the host yield.
///
/// Otherwise the reads of the woken tasks could all find nothing, and the same pollables would be ready forever.
fn renew_host_budget(pollables: &[&Pollable], ready: &[u32]) {
    let Some(pollable) = ready.first().and_then(|&at| pollables.get(usize::try_from(at).ok()?)) else {
        return;
    };
    for _ in ready.len()..=HOST_BUDGET {
        pollable.block();
    }
}
