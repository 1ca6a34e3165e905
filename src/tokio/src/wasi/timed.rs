//! A Tokio runtime with timers that waits for WASI.
//!
//! When no task can run, Tokio calls `on_thread_park`, where the reactor waits instead of Tokio: the callback wakes the
//! root future, so that Tokio only looks at its timers, and goes on. A timer has the root future look at the pollables
//! now and then while the tasks never pause, so that none of them keeps the others from their input.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Interval, MissedTickBehavior, interval};
use wasi::clocks::monotonic_clock;

use super::reactor;

/// Nanoseconds in a millisecond, the resolution of Tokio's timers.
const MILLISECOND: u64 = 1_000_000;
/// The longest delay of a Tokio timer with few pollables, in nanoseconds.
const LATE: u64 = 20 * MILLISECOND;
/// Nanoseconds by which each pollable lengthens the delay, so that looking takes only about a hundredth of the time.
const LATE_BY_POLLABLE: u64 = MILLISECOND / 10;
/// How much longer than the delay nothing has happened.
const PATIENCE: u64 = 16;
/// How often the pollables are looked at while the tasks never pause.
const BUSY: Duration = Duration::from_millis(10);

/// Runs a future, and all tasks that it spawns with `tokio::spawn`, in a Tokio runtime of the current thread with timers.
///
/// It is [`block_on`](super::block_on) for programs that use `tokio::time`, or whose tasks compute for long and yield:
/// sockets and timers get their turns beside these.
///
/// Tokio does not tell when its next timer expires. While nothing happens, the component wakes up to look, at most 50
/// times a second: Tokio's timers may be late by 20 ms, or by 0.1 ms for each waiting task if these are more than 200.
/// [`sleep`](super::sleep) and [`Clock`](super::Clock) are exact.
///
/// # Errors
///
/// Returns an error if the runtime cannot be created.
///
/// # Panics
///
/// Panics if it is called within a Tokio runtime.
pub fn block_on_with_timers<F: Future>(future: F) -> io::Result<F::Output> {
    let state = Arc::new(State::new());
    let parked = Arc::clone(&state);
    let runtime =
        Builder::new_current_thread().enable_time().on_thread_park(move || parked.wait()).build()?;
    let future = pin!(future);
    Ok(runtime.block_on(async {
        let mut busy = interval(BUSY);
        busy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Root { future, waker: Waker::from(Arc::clone(&state)), state, busy }.await
    }))
}

/// State shared by the root future and the callback.
struct State {
    /// Whether the caller's future was woken.
    is_woken: AtomicBool,
    /// Whether the reactor has waited since the root future was.
    is_polled: AtomicBool,
    /// Wakes the root future.
    root: Mutex<Option<Waker>>,
    /// When something last happened, in nanoseconds.
    active: Mutex<u64>,
}

impl State {
    fn new() -> Self {
        Self {
            is_woken: AtomicBool::new(true),
            is_polled: AtomicBool::new(true),
            root: Mutex::new(None),
            active: Mutex::new(0),
        }
    }

    fn wake_root(&self) {
        if let Some(root) = &*self.root.lock().unwrap_or_else(PoisonError::into_inner) {
            root.wake_by_ref();
        }
    }

    /// Waits until a task can go on, or Tokio has to look at its timers.
    fn wait(&self) {
        reactor::wait_at_most(self.longest_wait());
        self.is_polled.store(true, Ordering::Relaxed);
        self.wake_root();
    }

    /// Returns how long Tokio's timers can wait, in nanoseconds.
    ///
    /// A timer set a moment ago is probably short, and has to be more exact than one that has waited for long.
    fn longest_wait(&self) -> u64 {
        let now = monotonic_clock::now();
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if reactor::take_activity() {
            *active = now;
        }
        let share = LATE_BY_POLLABLE.saturating_mul(reactor::waiting_pollables() as u64);
        (now.saturating_sub(*active) / PATIENCE).clamp(MILLISECOND, LATE).max(share)
    }
}

/// Wakes the caller's future.
impl Wake for State {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        self.wake_root();
    }
}

/// The future that Tokio runs beside the tasks.
struct Root<'a, F> {
    future: Pin<&'a mut F>,
    /// Wakes `future`.
    waker: Waker,
    state: Arc<State>,
    busy: Interval,
}

impl<F: Future> Future for Root<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        {
            let mut root = this.state.root.lock().unwrap_or_else(PoisonError::into_inner);
            if !root.as_ref().is_some_and(|root| root.will_wake(cx.waker())) {
                *root = Some(cx.waker().clone());
            }
        }
        while this.busy.poll_tick(cx).is_ready() {
            if !this.state.is_polled.swap(false, Ordering::Relaxed) {
                reactor::look();
            }
        }
        if this.state.is_woken.swap(false, Ordering::Relaxed) {
            return this.future.as_mut().poll(&mut Context::from_waker(&this.waker));
        }
        Poll::Pending
    }
}
