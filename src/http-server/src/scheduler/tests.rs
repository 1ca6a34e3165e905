use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Context;

use super::*;

/// Runs tasks to completion under a host without events.
fn run(tasks: &Tasks, main: impl Future<Output = ()>) {
    let mut running = pin!(tasks.run(main));
    let context = &mut Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if running.as_mut().poll(context).is_ready() {
            return;
        }
    }
    panic!("the tasks do not complete");
}

/// Returns the turn and the connection of every call begun, for connections with the given numbers of requests.
///
/// Calls return at once or never.
fn begun(requests: &[usize], return_at_once: bool) -> Vec<(u64, u64)> {
    let tasks = Tasks::new();
    let scheduler = Rc::new(CallScheduler::new(&tasks));
    let begun = Rc::new(RefCell::new(Vec::new()));
    for (connection, &requests) in (0..).zip(requests) {
        let (tasks, scheduler, begun) = (tasks.clone(), scheduler.clone(), begun.clone());
        tasks.clone().spawn(async move {
            let calls = ConnectionCalls::new(connection);
            for _ in 0..requests {
                scheduler.admit(&calls).await;
                begun.borrow_mut().push((tasks.turn(), connection));
                if return_at_once {
                    calls.record_return();
                }
            }
        });
    }
    let running = scheduler.clone();
    tasks.spawn(async move { running.run().await });
    let all: usize = requests.iter().sum();
    run(&tasks, async {
        while begun.borrow().len() < all {
            tasks.turn_end().await;
        }
    });
    begun.take()
}

/// The number of calls begun in each of the first `N` turns.
fn in_turns<const N: usize>(calls: &[(u64, u64)]) -> [usize; N] {
    let first = calls[0].0;
    std::array::from_fn(|n| calls.iter().filter(|(turn, _)| *turn == first + n as u64).count())
}

#[test]
fn calls_per_turn_are_limited() {
    assert_eq!(in_turns(&begun(&[16; 10], true)), [64, 64, 32, 0]);
}

#[test]
fn connection_limit_grows_with_returned_calls() {
    assert_eq!(in_turns(&begun(&[400], true)), [16, 32, 48, 64, 64, 64, 64, 48, 0]);
    assert_eq!(in_turns(&begun(&[40], false)), [16, 16, 8, 0]);
}

#[test]
fn connection_with_many_requests_does_not_delay_others() {
    let calls = begun(&[1_000, 1_000, 3, 3], true);
    let first = calls[0].0;
    for connection in [2, 3] {
        let last = calls.iter().rfind(|(_, of)| *of == connection).unwrap().0;
        assert!(last <= first + 2, "connection {connection} has waited until turn {}", last - first);
    }
}

#[test]
fn calls_wait_for_permits_in_order() {
    let tasks = Tasks::new();
    let permits = Semaphore::new(2);
    let begun = Rc::new(RefCell::new(Vec::new()));
    for number in 0..6 {
        let (tasks, permits, begun) = (tasks.clone(), Rc::clone(&permits), Rc::clone(&begun));
        tasks.clone().spawn(async move {
            let _permit = permits.acquire().await;
            begun.borrow_mut().push((tasks.turn(), number));
            tasks.turn_end().await;
        });
    }
    run(&tasks, async {
        while begun.borrow().len() < 6 {
            tasks.turn_end().await;
        }
    });
    let begun = begun.take();
    assert_eq!(begun.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    for turn in begun.iter().map(|(turn, _)| *turn) {
        assert!(begun.iter().filter(|(other, _)| *other == turn).count() <= 2, "{begun:?}");
    }
}
