use super::*;
use crate::signal::Signal;

/// Polls a future like a host without events; returns `None` if it does not complete.
fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    (0..20).find_map(|_| match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    })
}

type Log = Rc<RefCell<Vec<&'static str>>>;

fn note(log: &Log, entry: &'static str) -> impl Future<Output = ()> + use<> {
    let log = Rc::clone(log);
    async move { log.borrow_mut().push(entry) }
}

#[test]
fn tasks_run_beside_main_and_may_add_others() {
    let (tasks, log) = (Tasks::new(), Log::default());
    let inner = tasks.clone();
    let third = note(&log, "third");
    tasks.spawn(note(&log, "first"));
    tasks.spawn(async move { inner.spawn(third) });
    tasks.spawn(note(&log, "second"));
    assert_eq!(run(tasks.run(tasks.turn_end())), Some(()));
    assert_eq!(*log.borrow(), ["first", "second", "third"]);
}

#[test]
fn task_woken_twice_is_polled_once() {
    let (tasks, polls) = (Tasks::new(), Rc::new(Cell::new(0)));
    let (counted, wakers) = (Rc::clone(&polls), Rc::new(RefCell::new(Vec::new())));
    let kept = Rc::clone(&wakers);
    tasks.spawn(poll_fn(move |context| {
        counted.set(counted.get() + 1);
        kept.borrow_mut().push(context.waker().clone());
        Poll::Pending
    }));
    run(tasks.run(async {
        tasks.turn_end().await;
        wakers.borrow().iter().chain(wakers.borrow().iter()).for_each(Waker::wake_by_ref);
        tasks.turn_end().await;
    }));
    assert_eq!(polls.get(), 2);
}

#[test]
fn turn_ends_when_no_task_is_ready() {
    let (tasks, log, signal) = (Tasks::new(), Log::default(), Rc::new(Signal::default()));
    let (last, heard) = (note(&log, "last"), Rc::clone(&signal));
    tasks.spawn(async move {
        heard.wait().await;
        last.await;
    });
    let end = note(&log, "end of the turn");
    let main = async {
        signal.notify();
        tasks.turn_end().await;
        end.await;
    };
    assert_eq!(run(tasks.run(main)), Some(()));
    assert_eq!(*log.borrow(), ["last", "end of the turn"]);
    assert_eq!(tasks.turn(), 1);
}

#[test]
fn turn_ends_even_if_a_task_is_always_ready() {
    let tasks = Tasks::new();
    tasks.spawn(poll_fn(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    let main = async {
        for _ in 0..3 {
            tasks.turn_end().await;
        }
    };
    assert_eq!(run(tasks.run(main)), Some(()));
    assert_eq!(tasks.turn(), 3);
}

/// Returns how often control returns to the host while `main` runs.
fn rounds(tasks: &Tasks, main: impl Future<Output = ()>) -> u32 {
    let mut running = pin!(tasks.run(main));
    let mut rounds = 0;
    while running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        rounds += 1;
    }
    rounds
}

#[test]
fn control_returns_to_the_host_before_a_turn_ends_if_work_is_outstanding() {
    let tasks = Tasks::new();
    let main = async {
        let _work = tasks.outstanding();
        tasks.turn_end().await;
    };
    assert_eq!(rounds(&tasks, main), QUIET_ROUNDS);
}

#[test]
fn turn_ends_at_once_if_no_work_is_outstanding() {
    let tasks = Tasks::new();
    let main = async {
        drop(tasks.outstanding());
        tasks.turn_end().await;
    };
    assert_eq!(rounds(&tasks, main), 0);
}

#[test]
fn control_returns_to_the_host_between_turns() {
    let tasks = Tasks::new();
    let main = async {
        tasks.turn_end().await;
        tasks.turn_end().await;
    };
    assert_eq!(rounds(&tasks, main), 1);
}

/// Records that it was woken.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn only_events_from_outside_wake_the_host() {
    let (tasks, flag) = (Tasks::new(), Arc::<Flag>::default());
    let woken = || flag.0.swap(false, Ordering::Relaxed);
    let waker = Waker::from(Arc::clone(&flag));
    let context = &mut Context::from_waker(&waker);
    let (inside, outside) = (Rc::new(Signal::default()), Signal::default());
    let sender = Rc::clone(&inside);
    tasks.spawn(async move { sender.notify() });
    let mut running = pin!(tasks.run(async {
        inside.wait().await;
        outside.wait().await;
    }));
    assert!(running.as_mut().poll(context).is_pending());
    assert!(!woken());
    outside.notify();
    assert!(woken());
    assert!(running.as_mut().poll(context).is_ready());
}

#[test]
fn remaining_tasks_are_dropped_with_main() {
    let (tasks, alive) = (Tasks::new(), Rc::new(()));
    let held = Rc::clone(&alive);
    tasks.spawn(async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    assert_eq!(run(tasks.run(async { 7 })), Some(7));
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn slot_of_a_completed_task_is_reused() {
    let tasks = Tasks::new();
    let inner = tasks.clone();
    run(tasks.run(async move {
        for _ in 0..3 {
            inner.spawn(async {});
            inner.turn_end().await;
        }
        assert_eq!(inner.0.slots.borrow().len(), 1);
    }))
    .unwrap();
}
