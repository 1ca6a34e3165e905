//! Limits and paces calls of the application, and decides which connection is next.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::mem;
use std::rc::Rc;
use std::task::{Poll, Waker};

use http2_wasi_http::Tasks;
use http2_wasi_http::signal::Signal;

/// Calls of the application begun in one turn.
///
/// With a thousand calls begun at once, each costs the host twice as much, because they do not fit into the
/// processor's caches.
const CALLS_PER_TURN: u32 = 64;
/// Calls that one connection may begin in a turn, in addition to those that have returned since its last turn.
///
/// A turn lasts until no task is ready, so long calls would delay every other connection.
const CALLS_PER_CONNECTION: u32 = 16;

/// Limits the number of calls in progress, over all connections.
///
/// Every call holds handles of the component model, and a host traps an instance with too many: Wasmtime allows
/// 100,000 in a store. Connections wait in order.
pub(crate) struct Semaphore {
    /// Available permits; 0 while a call waits.
    available: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Signal>>>,
}

/// Permission for one call; dropping it passes it on to the longest-waiting call.
pub(crate) struct Permit(Rc<Semaphore>);

impl Semaphore {
    pub(crate) fn new(count: usize) -> Rc<Self> {
        Rc::new(Self { available: Cell::new(count), waiting: RefCell::default() })
    }

    /// Waits for a permit.
    pub(crate) async fn acquire(self: &Rc<Self>) -> Permit {
        if let Some(available) = self.available.get().checked_sub(1) {
            self.available.set(available);
        } else {
            let released = Rc::new(Signal::default());
            self.waiting.borrow_mut().push_back(Rc::clone(&released));
            released.wait().await;
        }
        Permit(Rc::clone(self))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Semaphore { available, waiting } = &*self.0;
        let next = waiting.borrow_mut().pop_front();
        match next {
            Some(next) => next.notify(),
            None => available.set(available.get().saturating_add(1)),
        }
    }
}

/// Begins a limited number of calls per turn.
///
/// Under contention, the connection served least recently goes first, so one with hundreds of
/// requests does not delay the others.
pub(crate) struct CallScheduler {
    tasks: Tasks,
    /// A turn, and its remaining number of calls.
    remaining: Cell<(u64, u32)>,
    /// Connections waiting for the next turn, ordered by the turn in which they last began a call.
    waiting: RefCell<BTreeMap<(Option<u64>, u64), Waker>>,
    /// Given when a connection starts to wait.
    contended: Signal,
}

/// The calls of one connection.
pub(crate) struct ConnectionCalls {
    connection: u64,
    /// The turn in which the connection last began a call.
    last_turn: Cell<Option<u64>>,
    /// A turn, and the connection's remaining number of calls in it.
    remaining: Cell<(u64, u32)>,
    returned: Cell<u32>,
}

impl ConnectionCalls {
    pub(crate) fn new(connection: u64) -> Self {
        Self { connection, last_turn: Cell::default(), remaining: Cell::default(), returned: Cell::default() }
    }

    /// Records the return of a call.
    pub(crate) fn record_return(&self) {
        self.returned.set(self.returned.get().saturating_add(1));
    }
}

impl CallScheduler {
    pub(crate) fn new(tasks: &Tasks) -> Self {
        Self {
            tasks: tasks.clone(),
            remaining: Cell::default(),
            waiting: RefCell::default(),
            contended: Signal::default(),
        }
    }

    /// Waits until the connection may begin a call.
    pub(crate) async fn admit(&self, calls: &ConnectionCalls) {
        poll_fn(|context| {
            let turn = self.tasks.turn();
            let all = remaining_in(turn, &self.remaining, || CALLS_PER_TURN);
            let own = remaining_in(turn, &calls.remaining, || {
                CALLS_PER_CONNECTION.saturating_add(calls.returned.take())
            });
            if let (Some(all), Some(own)) = (all.checked_sub(1), own.checked_sub(1)) {
                self.remaining.set((turn, all));
                calls.remaining.set((turn, own));
                calls.last_turn.set(Some(turn));
                return Poll::Ready(());
            }
            self.waiting
                .borrow_mut()
                .insert((calls.last_turn.get(), calls.connection), context.waker().clone());
            self.contended.notify();
            Poll::Pending
        })
        .await;
    }

    /// Wakes the waiting connections in order at the end of every turn; never completes.
    pub(crate) async fn run(&self) {
        loop {
            self.contended.wait().await;
            self.tasks.turn_end().await;
            mem::take(&mut *self.waiting.borrow_mut()).into_values().for_each(Waker::wake);
        }
    }
}

/// Returns how many calls may still begin in a turn; `limit` gives the number when the turn is new.
fn remaining_in(turn: u64, remaining: &Cell<(u64, u32)>, limit: impl FnOnce() -> u32) -> u32 {
    if remaining.get().0 != turn {
        remaining.set((turn, limit()));
    }
    remaining.get().1
}
