//! Distributes connections among workers.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many connections may wait for each worker.
///
/// Further ones wait in the listener's backlog.
const WAITING: usize = 16;

/// Accepted connections on their way to the workers, each of which takes them at its own pace.
///
/// Workers take turns, because HTTP/2 connections are long-lived: the fastest worker must not get them all. A worker
/// that does not take its connections, because it is busy, full or about to be replaced, is skipped while others take
/// theirs.
pub(super) struct Spread<T>(Mutex<State<T>>);

struct State<T> {
    workers: Vec<Worker<T>>,
    /// The worker whose turn is next.
    next: usize,
    /// Wakes the acceptor when it waits for room.
    accepting: Option<Waker>,
}

struct Worker<T> {
    waiting: VecDeque<T>,
    waker: Option<Waker>,
    /// How many connections the worker has taken.
    taken: u64,
}

impl<T> Spread<T> {
    /// Creates a queue for `workers` workers.
    pub(super) fn new(workers: usize) -> Self {
        let worker = || Worker { waiting: VecDeque::new(), waker: None, taken: 0 };
        Self(Mutex::new(State {
            workers: (0..workers).map(|_| worker()).collect(),
            next: 0,
            accepting: None,
        }))
    }

    /// Waits until there is room for another connection.
    pub(super) fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.workers.iter().any(|worker| worker.waiting.len() < WAITING) {
            return Poll::Ready(());
        }
        state.accepting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Gives a connection to one of the workers with the fewest waiting connections.
    pub(super) fn give(&self, connection: T) {
        let mut state = self.lock();
        let (workers, next) = (state.workers.len(), state.next);
        let turns = (0..workers).map(|turn| (next + turn) % workers);
        let Some(index) = turns.min_by_key(|&index| state.workers[index].waiting.len()) else { return };
        state.next = index + 1;
        state.workers[index].waiting.push_back(connection);
        if let Some(waker) = state.workers[index].waker.take() {
            waker.wake();
        }
    }

    /// Waits until a connection is available for `worker`.
    pub(super) fn poll_ready(&self, worker: usize, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let Some(worker) = state.workers.get_mut(worker) else { return Poll::Pending };
        if worker.waiting.is_empty() {
            worker.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Waits for the next connection for `worker`, and takes it.
    pub(super) fn poll_take(&self, worker: usize, context: &Context<'_>) -> Poll<T> {
        let mut state = self.lock();
        let Some(worker) = state.workers.get_mut(worker) else { return Poll::Pending };
        let Some(connection) = worker.waiting.pop_front() else {
            worker.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        worker.taken += 1;
        if let Some(waker) = state.accepting.take() {
            waker.wake();
        }
        Poll::Ready(connection)
    }

    /// Returns how many connections `worker` has taken.
    pub(super) fn taken(&self, worker: usize) -> u64 {
        self.lock().workers.get(worker).map_or(0, |worker| worker.taken)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the next connection of `worker`, if there is one.
    fn take(spread: &Spread<u32>, worker: usize) -> Option<u32> {
        match spread.poll_take(worker, &Context::from_waker(Waker::noop())) {
            Poll::Ready(connection) => Some(connection),
            Poll::Pending => None,
        }
    }

    fn has_room(spread: &Spread<u32>) -> bool {
        spread.poll_room(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn workers_take_turns() {
        let spread = Spread::new(3);
        for connection in 0..6 {
            spread.give(connection);
        }
        assert_eq!([take(&spread, 0), take(&spread, 1), take(&spread, 2)], [Some(0), Some(1), Some(2)]);
        assert_eq!([take(&spread, 0), take(&spread, 1), take(&spread, 2)], [Some(3), Some(4), Some(5)]);
        assert_eq!(take(&spread, 0), None);
        assert_eq!(spread.taken(0), 2);
    }

    #[test]
    fn workers_that_take_connections_at_once_take_turns() {
        let spread = Spread::new(2);
        spread.give(0);
        assert_eq!(take(&spread, 0), Some(0));
        spread.give(1);
        assert_eq!(take(&spread, 1), Some(1));
        spread.give(2);
        assert_eq!(take(&spread, 0), Some(2));
    }

    #[test]
    fn a_worker_that_takes_no_connections_is_skipped() {
        let spread = Spread::new(2);
        spread.give(0);
        for connection in 1..10 {
            spread.give(connection);
            assert_eq!(take(&spread, 1), Some(connection));
        }
        assert_eq!(take(&spread, 0), Some(0));
    }

    #[test]
    fn there_is_room_until_all_workers_are_full() {
        let spread = Spread::new(2);
        for connection in 0..32 {
            assert!(has_room(&spread));
            spread.give(connection);
        }
        assert!(!has_room(&spread));
        take(&spread, 1);
        assert!(has_room(&spread));
    }
}
