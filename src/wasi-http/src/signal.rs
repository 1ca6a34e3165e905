//! Signals between tasks.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A repeatable event, awaited by one task.
#[derive(Default)]
pub struct Signal {
    notified: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Signal {
    /// Sets the signal and wakes the waiting task; it stays set until a task takes it.
    pub fn notify(&self) {
        self.notified.set(true);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Takes the signal if it is set.
    pub fn clear(&self) {
        self.notified.set(false);
    }

    /// Takes the signal, or registers the task to be woken by it.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.notified.take() {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waiting = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Waits for the signal and takes it.
    pub async fn wait(&self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Runs a future to completion, or returns `None` when the signal is set first.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        race(future, |context| self.poll(context)).await
    }
}

/// Runs a future to completion, or returns `None` when `poll` is ready first.
pub(crate) async fn race<T>(
    future: impl Future<Output = T>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<()>,
) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(context).map(Some),
    })
    .await
}

/// Runs a future to completion, or returns `None` when `end` completes first.
pub async fn run_until<T>(future: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let mut end = pin!(end);
    race(future, |context| end.as_mut().poll(context)).await
}

/// Polls a future once, and returns its output if it is ready.
pub async fn now_or_never<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A one-time event, awaited by any number of tasks.
#[derive(Default)]
pub struct Latch {
    set: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Latch {
    /// Records the event and wakes every waiting task.
    pub fn set(&self) {
        self.set.set(true);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Whether the event has occurred.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Whether the event has occurred; if not, registers the task to be woken by it.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.set.get() {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Waits for the event.
    pub async fn wait(&self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Runs a future to completion, or returns `None` when the event occurs first.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        race(future, |context| self.poll(context)).await
    }
}
