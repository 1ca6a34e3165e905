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

/// Begins calls, so many in a turn. Where more are wanted, connections that were not served for longest come first:
/// one with hundreds of requests does not hold up the others.
pub(crate) struct Pace {
    tasks: Tasks,
    /// A turn, and how many calls were begun in it.
    begun: Cell<(u64, u32)>,
    /// Connections that have to wait for the next turn, by the turn in which they last began a call.
    waiting: RefCell<BTreeMap<(Option<u64>, u64), Waker>>,
    /// One has to wait.
    wanted: Signal,
}

impl Pace {
    pub(crate) fn new(tasks: &Tasks) -> Self {
        Self {
            tasks: tasks.clone(),
            begun: Cell::default(),
            waiting: RefCell::default(),
            wanted: Signal::default(),
        }
    }

    /// Waits until a connection may begin a call, and says in which turn that is; `last` is what it was told before.
    pub(crate) async fn begin(&self, connection: u64, last: Option<u64>) -> u64 {
        poll_fn(|context| {
            let turn = self.tasks.turn();
            let calls = if self.begun.get().0 == turn { self.begun.get().1 } else { 0 };
            if calls < CALLS_PER_TURN {
                self.begun.set((turn, calls.saturating_add(1)));
                return Poll::Ready(turn);
            }
            self.waiting.borrow_mut().insert((last, connection), context.waker().clone());
            self.wanted.give();
            Poll::Pending
        })
        .await
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
