//! Clocks for the deadlines of a connection.

use std::task::{Context, Poll};

use http2_engine::Time;

/// A monotonic clock that wakes a task at a deadline.
///
/// [`TokioClock`] is the usual one. A program without Tokio's timer supplies its own, or one that stands still: then
/// no deadline of [`Config`](crate::Config) ever passes.
///
/// ```
/// use std::task::{Context, Poll};
/// use http2_tokio::{Clock, Time};
///
/// /// A clock that stands still.
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> Time {
///         Time::default()
///     }
///     fn poll_deadline(&mut self, _: &mut Context<'_>, _: Time) -> Poll<()> {
///         Poll::Pending
///     }
/// }
/// ```
pub trait Clock {
    /// Returns the time, which never goes back.
    fn now(&self) -> Time;

    /// Returns `Ready` once `deadline` has passed; otherwise arranges for the task to be woken then.
    ///
    /// A later call may name another deadline, which replaces the former. The task may be woken early.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Time) -> Poll<()>;
}

/// Tokio's clock, which needs a runtime with the time driver enabled.
///
/// It can be paused and advanced in tests (`tokio::time::pause`).
#[cfg(feature = "time")]
#[derive(Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
    sleep: Option<(Time, std::pin::Pin<Box<tokio::time::Sleep>>)>,
}

#[cfg(feature = "time")]
impl TokioClock {
    /// Creates a clock with its origin now.
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now(), sleep: None }
    }

    fn instant(&self, time: Time) -> tokio::time::Instant {
        // A deadline that no clock reaches.
        const FAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 60 * 60);
        let after = time - Time::default();
        self.origin.checked_add(after).unwrap_or_else(|| self.origin + FAR)
    }
}

#[cfg(feature = "time")]
impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "time")]
impl Clock for TokioClock {
    fn now(&self) -> Time {
        Time::default() + self.origin.elapsed()
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Time) -> Poll<()> {
        loop {
            // Deadlines mostly move later. Then the timer stays armed, and is armed anew when it fires: that spares a
            // change of the runtime's timers for every frame.
            match &mut self.sleep {
                Some((armed, sleep)) if *armed <= deadline => match sleep.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) if *armed == deadline => {
                        self.sleep = None;
                        return Poll::Ready(());
                    }
                    Poll::Ready(()) => {}
                },
                _ => {}
            }
            let instant = self.instant(deadline);
            match &mut self.sleep {
                Some((armed, sleep)) => {
                    *armed = deadline;
                    sleep.as_mut().reset(instant);
                }
                None => self.sleep = Some((deadline, Box::pin(tokio::time::sleep_until(instant)))),
            }
        }
    }
}
