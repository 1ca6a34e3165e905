//! How fast calls of the application are begun, and whose turn it is.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::task::{Poll, Waker};

use http2_wasi_http::Tasks;
use http2_wasi_http::signal::Signal;

/// How many calls of the application are begun in one turn. A thousand half-done ones cost the host twice as much
/// each as these: they do not fit into the processor's caches.
const CALLS_PER_TURN: u32 = 64;
/// How many of these one connection may begin, beside as many as have returned since it was its turn. A turn lasts
/// until nothing goes on any more: calls that take long, and do not return, hold up all others.
const CALLS_OF_ONE: u32 = 16;

/// Begins calls, so many in a turn. Where more are wanted, connections that were not served for longest come first:
/// one with hundreds of requests does not hold up the others.
pub(crate) struct Pace {
    tasks: Tasks,
    /// A turn, and how many calls may still be begun in it.
    left: Cell<(u64, u32)>,
    /// Connections that have to wait for the next turn, by the turn in which they last began a call.
    waiting: RefCell<BTreeMap<(Option<u64>, u64), Waker>>,
    /// One has to wait.
    wanted: Signal,
}

/// The calls of one connection.
pub(crate) struct Calls {
    connection: u64,
    /// The turn in which one was last begun.
    last: Cell<Option<u64>>,
    /// A turn, and how many may still be begun in it.
    left: Cell<(u64, u32)>,
    returned: Cell<u32>,
}

impl Calls {
    pub(crate) fn new(connection: u64) -> Self {
        Self { connection, last: Cell::default(), left: Cell::default(), returned: Cell::default() }
    }

    /// A call has returned.
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

    /// Waits until a connection may begin a call.
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

    /// Wakes those who wait, in their order, whenever a turn has ended. It never ends.
    pub(crate) async fn keep(&self) {
        loop {
            self.wanted.wait().await;
            self.tasks.turn_end().await;
            mem::take(&mut *self.waiting.borrow_mut()).into_values().for_each(Waker::wake);
        }
    }
}

/// What is left of a turn's calls; in a turn that is new, what may be begun in it.
fn left_in(turn: u64, left: &Cell<(u64, u32)>, anew: impl FnOnce() -> u32) -> u32 {
    if left.get().0 != turn {
        left.set((turn, anew()));
    }
    left.get().1
}
