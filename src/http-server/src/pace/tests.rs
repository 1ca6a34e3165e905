use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::Context;

use super::*;

/// Runs tasks as long as anything goes on, where the host has nothing for them.
fn run(tasks: &Tasks, main: impl Future<Output = ()>) {
    let mut running = pin!(tasks.run(main));
    let context = &mut Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if running.as_mut().poll(context).is_ready() {
            return;
        }
    }
    panic!("it does not come to an end");
}

/// Whose calls are begun in which turn, if connections have so many requests, and calls return at once or not at all.
fn begun(requests: &[usize], return_at_once: bool) -> Vec<(u64, u64)> {
    let tasks = Tasks::new();
    let pace = Rc::new(Pace::new(&tasks));
    let begun = Rc::new(RefCell::new(Vec::new()));
    for (connection, &requests) in (0..).zip(requests) {
        let (tasks, pace, begun) = (tasks.clone(), pace.clone(), begun.clone());
        tasks.clone().spawn(async move {
            let calls = Calls::new(connection);
            for _ in 0..requests {
                pace.begin(&calls).await;
                begun.borrow_mut().push((tasks.turn(), connection));
                if return_at_once {
                    calls.note_return();
                }
            }
        });
    }
    let keeping = pace.clone();
    tasks.spawn(async move { keeping.keep().await });
    let all: usize = requests.iter().sum();
    run(&tasks, async {
        while begun.borrow().len() < all {
            tasks.turn_end().await;
        }
    });
    begun.take()
}

/// How many calls are begun in each of these turns, from the first one on.
fn in_turns<const N: usize>(calls: &[(u64, u64)]) -> [usize; N] {
    let first = calls[0].0;
    std::array::from_fn(|n| calls.iter().filter(|(turn, _)| *turn == first + n as u64).count())
}

#[test]
fn so_many_calls_are_begun_in_a_turn() {
    assert_eq!(in_turns(&begun(&[16; 10], true)), [64, 64, 32, 0]);
}

#[test]
fn a_connection_begins_as_many_as_have_returned_and_some_more() {
    assert_eq!(in_turns(&begun(&[400], true)), [16, 32, 48, 64, 64, 64, 64, 48, 0]);
    assert_eq!(in_turns(&begun(&[40], false)), [16, 16, 8, 0]);
}

#[test]
fn a_connection_with_many_requests_does_not_hold_up_the_others() {
    let calls = begun(&[1_000, 1_000, 3, 3], true);
    let first = calls[0].0;
    for connection in [2, 3] {
        let last = calls.iter().rfind(|(_, of)| *of == connection).unwrap().0;
        assert!(last <= first + 2, "connection {connection} has waited until turn {}", last - first);
    }
}
