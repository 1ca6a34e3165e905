//! Every order of a handful of actions, scenario by scenario.

use std::io::Write;
use std::sync::Mutex;
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use http2_enumeration::{Report, Scenario, scenarios, search};

/// Seconds for all scenarios together, unless `SECONDS` says otherwise.
const SECONDS: u64 = 50;

#[test]
fn no_order_of_actions_goes_wrong() {
    let seconds = std::env::var("SECONDS").map_or(SECONDS, |text| text.parse().expect("SECONDS is a number"));
    let only = std::env::var("SCENARIO").unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut chosen: Vec<_> =
        scenarios().into_iter().filter(|scenario| scenario.name().contains(&only)).collect();
    assert!(!chosen.is_empty(), "SCENARIO names none of the scenarios");
    // The small ones come first, and leave the others what they do not need of their time.
    chosen.reverse();
    let queue = Mutex::new(chosen);
    let workers = available_parallelism().map_or(1, usize::from);
    let faults: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(&queue, workers, end))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).sum()
    });
    assert_eq!(faults, 0, "orders of actions go wrong: each is told above");
}

/// Searches scenarios until none is left. Each takes its share of the time that is left. Gives the number of faults.
fn work(queue: &Mutex<Vec<Scenario>>, workers: usize, end: Instant) -> usize {
    let mut faults = 0;
    loop {
        let mut scenarios = queue.lock().expect("no worker panics here");
        let rounds = u32::try_from(scenarios.len().div_ceil(workers)).expect("a few scenarios");
        let Some(scenario) = scenarios.pop() else { return faults };
        drop(scenarios);
        let now = Instant::now();
        let report = search(&scenario, now + end.saturating_duration_since(now) / rounds);
        tell(&report, now.elapsed());
        faults += report.counterexamples.len();
    }
}

fn tell(report: &Report, time: Duration) {
    let Report { name, depth, states, histories, .. } = report;
    let end = if report.exhausted { "all there is" } else { "every order" };
    let seconds = time.as_secs_f64();
    let mut lines = vec![format!(
        "{name:24} depth {depth:2} ({end}), {states:10} states, {histories:8} histories of one end, {seconds:5.1} s"
    )];
    for found in &report.counterexamples {
        lines.push(format!("  {} steps to: {}\n{}", found.depth, found.fault, found.steps));
    }
    // Past the test harness, which shows nothing of a test that passes.
    writeln!(std::io::stderr(), "{}", lines.join("\n")).expect("standard error is open");
}
