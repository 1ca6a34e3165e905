//! Words from one task to another.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Something that is said any number of times, and that one task waits for.
#[derive(Default)]
pub struct Signal {
    given: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Signal {
    /// Gives the signal; it stays until somebody has waited for it.
    pub fn give(&self) {
        self.given.set(true);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }

    /// Takes the signal, or waits for it.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.given.take() {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waiting = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Takes the signal, or waits for it.
    pub async fn wait(&self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Runs a future until it is done or the signal is there, which is `None`.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        race(future, |context| self.poll(context)).await
    }
}

/// Runs a future until it is done or `poll` is ready, which is `None`.
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

/// Runs a future until it is done or another one is, which is `None`.
pub async fn before<T>(future: impl Future<Output = T>, end: impl Future<Output = ()>) -> Option<T> {
    let mut end = pin!(end);
    race(future, |context| end.as_mut().poll(context)).await
}

/// What a future gives if it is polled once.
pub async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Something that happens once, and that any number of tasks wait for.
#[derive(Default)]
pub struct Latch {
    set: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Latch {
    /// It has happened.
    pub fn set(&self) {
        self.set.set(true);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Whether it has happened.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Whether it has happened; if not, the task is woken when it does.
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

    /// Waits until it has happened.
    pub async fn wait(&self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Runs a future until it is done or this happens, which is `None`.
    pub async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        race(future, |context| self.poll(context)).await
    }
}
