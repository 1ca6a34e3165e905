//! The tasks of one component, all on its single thread.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use http2_engine::Time;

use crate::bindings::wasi::clocks::monotonic_clock;

/// How often control returns to the host, with no task becoming ready, before a turn with outstanding work ends.
const QUIET_ROUNDS: u32 = 2;
/// The largest number of polls in one turn, so that busy tasks cannot keep others waiting for the end
/// of the turn.
const POLLS_PER_TURN: u32 = 256;

/// A set of tasks, run by the future of [`run`](Self::run).
///
/// Tasks run in turns. A turn lasts while any task is ready and, while work is [outstanding](Self::outstanding), while
/// any becomes ready after control returned to the host, up to a bound. [Its end](Self::turn_end) is the time for work
/// best done once for many events, above all writing to a socket.
#[derive(Clone, Default)]
pub struct Tasks(Rc<Inner>);

#[derive(Default)]
struct Inner {
    slots: RefCell<Vec<Option<Task>>>,
    free: RefCell<Vec<usize>>,
    ready: Arc<Ready>,
    /// The tasks waiting for the end of the turn.
    turn_end_wakers: RefCell<Vec<Waker>>,
    /// The number of the current turn.
    turn: Cell<u64>,
    /// How many [`Outstanding`] there are.
    outstanding: Cell<usize>,
    clock: Clock,
}

/// Work outside of the tasks, such as a call of the application: see [`Tasks::outstanding`].
#[must_use]
pub struct Outstanding(Tasks);

/// The time, read from the host once while tasks run without a break.
#[derive(Default)]
struct Clock {
    is_running: Cell<bool>,
    time: Cell<Option<Time>>,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The queue of tasks ready to be polled.
#[derive(Default)]
struct Ready {
    queue: Mutex<VecDeque<Arc<TaskWaker>>>,
    /// Wakes the future of [`Tasks::run`]; `None` while that is being polled or is woken already.
    runner: Mutex<Option<Waker>>,
}

/// The slot of the future passed to [`Tasks::run`].
const MAIN_SLOT: usize = usize::MAX;

struct TaskWaker {
    slot: usize,
    /// Whether the task is in the queue.
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Tasks {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task, which is dropped when it completes or when the future of [`run`](Self::run) is dropped.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let inner = &*self.0;
        let slot = inner.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut slots = inner.slots.borrow_mut();
            slots.push(None);
            slots.len().saturating_sub(1)
        });
        inner.put(slot, Box::pin(future));
        inner.ready.waker(slot).wake();
    }

    /// The number of the current turn.
    pub fn turn(&self) -> u64 {
        self.0.turn.get()
    }

    /// The current time on the clock of all connections, which stands still until control returns to the host or the turn
    /// ends.
    pub(crate) fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Gives the host time in every turn to deliver results of work outside of the tasks, until the returned value is
    /// dropped.
    ///
    /// Without such work, a turn ends as soon as no task is ready.
    pub fn outstanding(&self) -> Outstanding {
        let outstanding = &self.0.outstanding;
        outstanding.set(outstanding.get().saturating_add(1));
        Outstanding(self.clone())
    }

    /// Waits until no task is ready and the host has no further events for [outstanding](Self::outstanding) work, or until
    /// the turn reaches its bound.
    pub async fn turn_end(&self) {
        let turn = self.0.turn.get();
        poll_fn(|context| {
            if self.0.turn.get() != turn {
                return Poll::Ready(());
            }
            self.0.turn_end_wakers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs `main` and all tasks until `main` completes, then drops the remaining tasks.
    pub async fn run<T>(&self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        self.0.ready.waker(MAIN_SLOT).wake();
        let (mut quiet, mut polls) = (0, 0_u32);
        let _drop_tasks = DropTasks(&self.0);
        poll_fn(|context| {
            let _running = self.0.clock.start();
            self.0.ready.take_runner();
            // Whether the host has had control since a turn last ended for lack of ready tasks: a peer that always has
            // input cannot starve other connections.
            let mut returned = true;
            loop {
                while let Some(ready) = self.0.ready.pop() {
                    quiet = 0;
                    polls = polls.saturating_add(1);
                    if polls >= POLLS_PER_TURN {
                        polls = 0;
                        self.0.end_turn();
                    }
                    let slot = ready.slot;
                    let waker = Waker::from(ready);
                    let context = &mut Context::from_waker(&waker);
                    if slot != MAIN_SLOT {
                        self.0.poll(slot, context);
                    } else if let Poll::Ready(done) = main.as_mut().poll(context) {
                        return Poll::Ready(done);
                    }
                }
                if self.0.turn_end_wakers.borrow().is_empty() {
                    self.0.ready.set_runner(context.waker());
                    return Poll::Pending;
                }
                if quiet < QUIET_ROUNDS && (self.0.outstanding.get() > 0 || !returned) {
                    // The host delivers its events, and runs other tasks, before it resumes this one.
                    quiet = quiet.saturating_add(1);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                polls = 0;
                returned = false;
                self.0.end_turn();
            }
        })
        .await
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        let outstanding = &self.0.0.outstanding;
        outstanding.set(outstanding.get().saturating_sub(1));
    }
}

impl Inner {
    fn put(&self, slot: usize, task: Task) {
        if let Some(place) = self.slots.borrow_mut().get_mut(slot) {
            *place = Some(task);
        }
    }

    /// Polls a task outside its slot, because the task may add others.
    fn poll(&self, slot: usize, context: &mut Context<'_>) {
        let task = self.slots.borrow_mut().get_mut(slot).and_then(Option::take);
        // The waker of a completed task may still exist.
        let Some(mut task) = task else { return };
        match task.as_mut().poll(context) {
            Poll::Pending => self.put(slot, task),
            Poll::Ready(()) => {
                drop(task);
                self.free.borrow_mut().push(slot);
            }
        }
    }

    fn end_turn(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.clock.time.set(None);
        for waker in self.turn_end_wakers.take() {
            waker.wake();
        }
    }
}

impl Clock {
    /// Stops the clock until the result is dropped.
    fn start(&self) -> Running<'_> {
        self.is_running.set(true);
        Running(self)
    }

    fn now(&self) -> Time {
        if let Some(time) = self.time.get() {
            return time;
        }
        let time = Time::from_nanos(monotonic_clock::now());
        if self.is_running.get() {
            self.time.set(Some(time));
        }
        time
    }
}

/// Tasks are running.
struct Running<'a>(&'a Clock);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_running.set(false);
        self.0.time.set(None);
    }
}

/// Drops the tasks, which would otherwise form a reference cycle with the set.
struct DropTasks<'a>(&'a Inner);

impl Drop for DropTasks<'_> {
    fn drop(&mut self) {
        // Dropping a task may add another.
        loop {
            let task = self.0.slots.borrow_mut().pop();
            if task.is_none() {
                break;
            }
        }
        self.0.free.borrow_mut().clear();
    }
}

impl Ready {
    fn waker(self: &Arc<Self>, slot: usize) -> Arc<TaskWaker> {
        Arc::new(TaskWaker { slot, queued: AtomicBool::new(false), ready: Arc::clone(self) })
    }

    fn pop(&self) -> Option<Arc<TaskWaker>> {
        let ready = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        ready.queued.store(false, Ordering::Relaxed);
        Some(ready)
    }

    fn set_runner(&self, waker: &Waker) {
        *self.runner.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }

    fn take_runner(&self) -> Option<Waker> {
        self.runner.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::Relaxed) {
            return;
        }
        self.ready.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(Arc::clone(self));
        if let Some(runner) = self.ready.take_runner() {
            runner.wake();
        }
    }
}
