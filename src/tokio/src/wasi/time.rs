//! Time by wasi:clocks.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use wasi::clocks::monotonic_clock;

use super::reactor::Timer;
use crate::Time;

/// A clock for the deadlines of connections, by wasi:clocks.
///
/// It takes part in [`block_on`](super::block_on).
#[derive(Debug)]
pub struct Clock {
    /// Nanoseconds.
    origin: u64,
    timer: Option<Timer>,
}

impl Clock {
    /// Creates a clock with its origin now.
    pub fn new() -> Self {
        Self { origin: monotonic_clock::now(), timer: None }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl crate::Clock for Clock {
    fn now(&self) -> Time {
        Time::default() + Duration::from_nanos(monotonic_clock::now().saturating_sub(self.origin))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Time) -> Poll<()> {
        if deadline <= self.now() {
            self.timer = None;
            return Poll::Ready(());
        }
        let at = self.origin.saturating_add(nanoseconds(deadline - Time::default()));
        let timer = self.timer.take().filter(|timer| timer.at() == at);
        self.timer.insert(timer.unwrap_or_else(|| Timer::new(at))).wake(cx);
        Poll::Pending
    }
}

/// Waits for a time.
pub async fn sleep(duration: Duration) {
    let timer = Timer::new(monotonic_clock::now().saturating_add(nanoseconds(duration)));
    poll_fn(|cx| {
        if monotonic_clock::now() >= timer.at() {
            return Poll::Ready(());
        }
        timer.wake(cx);
        Poll::Pending
    })
    .await;
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
