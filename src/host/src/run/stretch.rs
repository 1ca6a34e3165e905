//! Measures how long a guest computes without waiting and without calling the host: a stretch.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::TICK;

/// The current stretch of a guest.
#[derive(Default)]
pub(super) struct Stretch {
    /// How many ticks have passed in the stretch.
    ticks: AtomicU64,
    /// Whether the guest was interrupted only to yield to others.
    interrupted: AtomicBool,
    /// Whether the guest runs, rather than waits.
    running: AtomicBool,
}

impl Stretch {
    /// Records a tick that passed while the guest computed.
    pub(super) fn tick(&self, limit: Option<Duration>) -> Result<(), Unresponsive> {
        self.interrupted.store(true, Relaxed);
        limit.map_or(Ok(()), |limit| self.count(limit))
    }

    /// Counts a tick against the limit.
    fn count(&self, limit: Duration) -> Result<(), Unresponsive> {
        let ticks = self.ticks.fetch_add(1, Relaxed).saturating_add(1);
        let computed = TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
        if computed > limit { Err(Unresponsive(limit)) } else { Ok(()) }
    }

    /// Ends the process with a message once the guest has computed longer than `limit`.
    ///
    /// This works without interrupting the guest.
    pub(super) fn watch(self: &Arc<Self>, limit: Duration) {
        let stretch = Arc::downgrade(self);
        thread::spawn(move || {
            while let Some(stretch) = stretch.upgrade() {
                if stretch.running.load(Relaxed)
                    && let Err(unresponsive) = stretch.count(limit)
                {
                    eprintln!("wasi-http2: {unresponsive}");
                    process::exit(1);
                }
                drop(stretch);
                thread::sleep(TICK);
            }
        });
    }

    /// Ends the stretch, because the guest called the host or waits for it.
    pub(super) fn end(&self) {
        self.ticks.store(0, Relaxed);
    }

    /// Runs a guest, and ends the stretch when it waits.
    pub(super) async fn of<T>(&self, run: impl Future<Output = T>) -> T {
        let mut run = pin!(run);
        poll_fn(|context| {
            self.running.store(true, Relaxed);
            let poll = run.as_mut().poll(context);
            self.running.store(false, Relaxed);
            if poll.is_pending() && !self.interrupted.swap(false, Relaxed) {
                self.end();
            }
            poll
        })
        .await
    }
}

/// A guest computed longer than its limit.
#[derive(Debug)]
pub(super) struct Unresponsive(pub(super) Duration);

impl fmt::Display for Unresponsive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest computed for longer than its limit of {:?} without calling the host", self.0)
    }
}

impl std::error::Error for Unresponsive {}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const LIMIT: Option<Duration> = Some(TICK.saturating_mul(3));

    fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_stretch_ends_at_its_limit() {
        let stretch = Stretch::default();
        assert!((0..3).all(|_| stretch.tick(LIMIT).is_ok()));
        assert!(stretch.tick(LIMIT).is_err());
        assert!(stretch.tick(None).is_ok(), "without a limit, the stretch goes on");
    }

    #[test]
    fn a_call_to_the_host_ends_a_stretch() {
        let stretch = Stretch::default();
        for _ in 0..10 {
            assert!(stretch.tick(LIMIT).is_ok());
            stretch.end();
        }
    }

    #[test]
    fn waiting_ends_a_stretch_and_yielding_does_not() {
        let stretch = Stretch::default();
        for _ in 0..3 {
            let interrupted = stretch.of(poll_fn(|_| {
                stretch.tick(LIMIT).unwrap();
                Poll::<()>::Pending
            }));
            assert!(poll(interrupted).is_pending());
        }
        assert!(poll(stretch.of(pending::<()>())).is_pending());
        assert!(stretch.tick(LIMIT).is_ok(), "the guest has waited");
        assert_eq!(poll(stretch.of(ready(1))), Poll::Ready(1));
    }
}
