//! Explores every order of a few actions, scenario by scenario.

use std::io::Write;
use std::sync::Mutex;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use http2_enumeration::{Report, Scenario, scenarios, search};

/// The time for all scenarios together in seconds, unless `SECONDS` is set.
const SECONDS: u64 = 50;

#[test]
fn no_order_of_actions_causes_a_fault() {
    let seconds =
        std::env::var("SECONDS").map_or(SECONDS, |text| text.parse().expect("SECONDS must be a number"));
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut chosen: Vec<_> =
        scenarios().into_iter().filter(|scenario| scenario.name().contains(&only)).collect();
    assert!(!chosen.is_empty(), "SCENARIO matches no scenario");
    // Small scenarios come first, and leave their unused time to the others.
    chosen.reverse();
    let queue = Mutex::new(chosen);
    let workers = available_parallelism().map_or(1, usize::from);
    let faults: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&queue, workers, end))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).sum()
    });
    assert_eq!(faults, 0, "some orders of actions cause faults, listed above");
}

/// Searches scenarios until none is left, giving each its share of the remaining time; returns the number of
/// faults.
fn work(queue: &Mutex<Vec<Scenario>>, workers: usize, end: Instant) -> usize {
    let mut faults = 0;
    loop {
        let mut scenarios = queue.lock().expect("no worker panics while holding the lock");
        let rounds = u32::try_from(scenarios.len().div_ceil(workers)).expect("few scenarios");
        let Some(scenario) = scenarios.pop() else { return faults };
        drop(scenarios);
        let now = Instant::now();
        let report = search(&scenario, now + end.saturating_duration_since(now) / rounds);
        describe_path(&report, now.elapsed());
        faults += report.counterexamples.len();
    }
}

fn describe_path(report: &Report, time: Duration) {
    let Report { name, depth, states, histories, .. } = report;
    let end = if report.exhausted { "complete" } else { "every order" };
    let seconds = time.as_secs_f64();
    let mut lines = vec![format!(
        "{name:24} depth {depth:2} ({end}), {states:10} states, {histories:8} histories of one end, {seconds:5.1} s"
    )];
    for found in &report.counterexamples {
        lines.push(format!("  {} steps to: {}\n{}", found.depth, found.fault, found.steps));
    }
    // The test harness captures the output of tests that pass, except for direct writes.
    writeln!(std::io::stderr(), "{}", lines.join("\n")).expect("standard error is open");
}
