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
/// A turn lasts until no task is ready, so calls that run for long would delay every other connection.
const CALLS_OF_ONE: u32 = 16;

/// Limits the number of calls in progress, over all connections.
///
/// Every call holds handles of the component model, and a host traps an instance that holds too many: Wasmtime allows
/// 100,000 in a store. Connections wait in order.
pub(crate) struct Slots {
    /// The number of slots that no call has; 0 while a call waits.
    free: Cell<usize>,
    waiting: RefCell<VecDeque<Rc<Signal>>>,
}

/// The permission for one call; dropping it passes it on to the call that has waited longest.
pub(crate) struct Slot(Rc<Slots>);

impl Slots {
    pub(crate) fn new(count: usize) -> Rc<Self> {
        Rc::new(Self { free: Cell::new(count), waiting: RefCell::default() })
    }

    /// Waits until a call may be in progress.
    pub(crate) async fn take(self: &Rc<Self>) -> Slot {
        if let Some(free) = self.free.get().checked_sub(1) {
            self.free.set(free);
        } else {
            let passed_on = Rc::new(Signal::default());
            self.waiting.borrow_mut().push_back(Rc::clone(&passed_on));
            passed_on.wait().await;
        }
        Slot(Rc::clone(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Slots { free, waiting } = &*self.0;
        let next = waiting.borrow_mut().pop_front();
        match next {
            Some(next) => next.give(),
            None => free.set(free.get().saturating_add(1)),
        }
    }
}

/// Begins a limited number of calls per turn.
///
/// Under contention, the connection that was served least recently goes first, so that one with hundreds of
/// requests does not delay the others.
pub(crate) struct Pace {
    tasks: Tasks,
    /// A turn, and the number of calls that may still begin in it.
    left: Cell<(u64, u32)>,
    /// Connections that wait for the next turn, ordered by the turn in which they last began a call.
    waiting: RefCell<BTreeMap<(Option<u64>, u64), Waker>>,
    /// Given when a connection starts to wait.
    wanted: Signal,
}

/// The calls of one connection.
pub(crate) struct Calls {
    connection: u64,
    /// The turn in which the connection last began a call.
    last: Cell<Option<u64>>,
    /// A turn, and the number of calls that the connection may still begin in it.
    left: Cell<(u64, u32)>,
    returned: Cell<u32>,
}

impl Calls {
    pub(crate) fn new(connection: u64) -> Self {
        Self { connection, last: Cell::default(), left: Cell::default(), returned: Cell::default() }
    }

    /// Records that a call has returned.
    pub(crate) fn note_return(&self) {
        self.returned.set(self.returned.get().saturating_add(1));
    }
}

impl Pace {
    pub(crate) fn new(tasks: &Tasks) -> Self {
        Self {
            tasks: tasks.clone(),
            left: Cell::default(),
            waiting: RefCell::default(),
            wanted: Signal::default(),
        }
    }

    /// Waits until the connection may begin a call.
    pub(crate) async fn begin(&self, calls: &Calls) {
        poll_fn(|context| {
            let turn = self.tasks.turn();
            let all = left_in(turn, &self.left, || CALLS_PER_TURN);
            let own = left_in(turn, &calls.left, || CALLS_OF_ONE.saturating_add(calls.returned.take()));
            if let (Some(all), Some(own)) = (all.checked_sub(1), own.checked_sub(1)) {
                self.left.set((turn, all));
                calls.left.set((turn, own));
                calls.last.set(Some(turn));
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().insert((calls.last.get(), calls.connection), context.waker().clone());
            self.wanted.give();
            Poll::Pending
        })
        .await;
    }

    /// Wakes the waiting connections in order at the end of every turn; never completes.
    pub(crate) async fn keep(&self) {
        loop {
            self.wanted.wait().await;
            self.tasks.turn_end().await;
            mem::take(&mut *self.waiting.borrow_mut()).into_values().for_each(Waker::wake);
        }
    }
}

/// Returns how many calls may still begin in a turn; `anew` gives the number when the turn is new.
fn left_in(turn: u64, left: &Cell<(u64, u32)>, anew: impl FnOnce() -> u32) -> u32 {
    if left.get().0 != turn {
        left.set((turn, anew()));
    }
    left.get().1
}
