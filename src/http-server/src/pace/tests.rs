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

/// Whose calls are begun in which turn, if connections have so many requests.
fn begun(requests: &[usize]) -> Vec<(u64, u64)> {
    let tasks = Tasks::new();
    let pace = Rc::new(Pace::new(&tasks));
    let calls = Rc::new(RefCell::new(Vec::new()));
    for (connection, &requests) in (0..).zip(requests) {
        let (pace, calls) = (pace.clone(), calls.clone());
        tasks.spawn(async move {
            let mut last = None;
            for _ in 0..requests {
                let turn = pace.begin(connection, last).await;
                calls.borrow_mut().push((turn, connection));
                last = Some(turn);
            }
        });
    }
    let keeping = pace.clone();
    tasks.spawn(async move { keeping.keep().await });
    let all: usize = requests.iter().sum();
    run(&tasks, async {
        while calls.borrow().len() < all {
            tasks.turn_end().await;
        }
    });
    calls.take()
}

#[test]
fn so_many_calls_are_begun_in_a_turn() {
    let calls = begun(&[150]);
    let first = calls[0].0;
    let in_turn = |n: u64| calls.iter().filter(|(turn, _)| *turn == first + n).count();
    assert_eq!([in_turn(0), in_turn(1), in_turn(2), in_turn(3)], [64, 64, 22, 0]);
}

#[test]
fn a_connection_with_many_requests_does_not_hold_up_the_others() {
    let calls = begun(&[1_000, 1_000, 3, 3]);
    let first = calls[0].0;
    for connection in [2, 3] {
        let last = calls.iter().rfind(|(_, of)| *of == connection).unwrap().0;
        assert!(last <= first + 2, "connection {connection} has waited until turn {}", last - first);
    }
}
