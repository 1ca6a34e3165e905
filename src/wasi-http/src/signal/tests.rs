use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

use super::*;

/// Counts its wake-ups.
#[derive(Default)]
struct Counter(AtomicU32);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counter {
    fn woken(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll_once<T>(future: impl Future<Output = T>, waker: &Waker) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

#[test]
fn signal_stays_until_taken() {
    let signal = Signal::default();
    signal.notify();
    signal.notify();
    assert_eq!(poll_once(signal.wait(), Waker::noop()), Poll::Ready(()));
    assert_eq!(poll_once(signal.wait(), Waker::noop()), Poll::Pending);
}

#[test]
fn cleared_signal_is_not_set() {
    let signal = Signal::default();
    signal.notify();
    signal.clear();
    assert_eq!(poll_once(signal.wait(), Waker::noop()), Poll::Pending);
}

#[test]
fn signal_wakes_the_waiting_task() {
    let (signal, counter) = (Signal::default(), Arc::<Counter>::default());
    let waker = Waker::from(Arc::clone(&counter));
    assert_eq!(poll_once(signal.wait(), &waker), Poll::Pending);
    signal.notify();
    signal.notify();
    assert_eq!(counter.woken(), 1);
}

#[test]
fn latch_wakes_every_task_once_and_stays_set() {
    let (latch, counter) = (Latch::default(), Arc::<Counter>::default());
    let wakers = [Waker::from(Arc::clone(&counter)), Waker::from(Arc::<Counter>::default())];
    for waker in wakers.iter().chain(&wakers) {
        assert_eq!(poll_once(latch.wait(), waker), Poll::Pending);
    }
    latch.set();
    assert_eq!(counter.woken(), 1);
    assert!(latch.is_set());
    assert_eq!(poll_once(latch.wait(), Waker::noop()), Poll::Ready(()));
}

#[test]
fn latch_takes_precedence_over_the_future_it_limits() {
    let latch = Latch::default();
    assert_eq!(poll_once(latch.or(ready(1)), Waker::noop()), Poll::Ready(Some(1)));
    assert_eq!(poll_once(latch.or(pending::<()>()), Waker::noop()), Poll::Pending);
    latch.set();
    assert_eq!(poll_once(latch.or(ready(1)), Waker::noop()), Poll::Ready(None));
}

#[test]
fn now_or_never_polls_a_future_once() {
    assert_eq!(poll_once(now_or_never(pin!(ready(1))), Waker::noop()), Poll::Ready(Some(1)));
    assert_eq!(poll_once(now_or_never(pin!(pending::<()>())), Waker::noop()), Poll::Ready(None));
}
