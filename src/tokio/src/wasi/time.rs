//! Time by wasi:clocks.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use wasi::clocks::monotonic_clock;

use super::reactor::Interest;
use crate::Time;

/// A clock for the deadlines of connections, by wasi:clocks.
///
/// It takes part in [`block_on`](super::block_on).
#[derive(Debug)]
pub struct Clock {
    /// Nanoseconds.
    origin: u64,
    timer: Option<(Time, Interest)>,
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
        // Deadlines mostly move later. Then the timer stays armed, and is armed anew when it fires.
        let armed = self.timer.as_ref().filter(|(armed, timer)| *armed <= deadline && !timer.is_ready());
        if armed.is_none() {
            let at = self.origin.saturating_add(nanoseconds(deadline - Time::default()));
            self.timer = Some((deadline, Interest::new(monotonic_clock::subscribe_instant(at))));
        }
        if let Some((_, timer)) = &mut self.timer {
            timer.wake(cx);
        }
        Poll::Pending
    }
}

/// Waits for a time.
pub async fn sleep(duration: Duration) {
    let mut timer = Interest::new(monotonic_clock::subscribe_duration(nanoseconds(duration)));
    poll_fn(|cx| {
        if timer.is_ready() {
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
