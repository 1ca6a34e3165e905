//! Time, as provided by the caller.

use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time on the caller's monotonic clock, in nanoseconds from an arbitrary origin.
///
/// The engine has no clock: the caller passes the time to each call that needs it. All calls for one connection use
/// the same clock.
///
/// ```
/// use std::time::{Duration, Instant};
/// use http2_engine::Time;
///
/// let start = Instant::now();
/// let now = || Time::default() + start.elapsed();
/// let deadline = now() + Duration::from_secs(60);
/// assert!(deadline - now() <= Duration::from_secs(60));
/// assert_eq!(Time::from_nanos(1) - Time::from_nanos(2), Duration::ZERO, "the time until then has passed");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// Creates the time `nanos` nanoseconds after the clock's origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the clock's origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Saturates at the end of the clock.
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Returns the time since `earlier`, or zero if `earlier` is not earlier.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
