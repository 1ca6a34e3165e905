//! Every order of a handful of actions, scenario by scenario.

use std::time::{Duration, Instant};

use http2_enumeration::{Report, scenarios, search};

/// Seconds for all scenarios together, unless `SECONDS` says otherwise.
const SECONDS: u64 = 50;

#[test]
fn every_order_of_actions_is_right() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("SECONDS is a number"));
    let end = Instant::now() + Duration::from_secs(number("SECONDS").unwrap_or(SECONDS));
    let only = std::env::var("SCENARIO").ok();
    let chosen: Vec<_> = scenarios()
        .into_iter()
        .filter(|scenario| only.as_deref().is_none_or(|only| scenario.name().contains(only)))
        .collect();
    assert!(!chosen.is_empty(), "SCENARIO names none of the scenarios");
    let (mut faults, count) = (0, chosen.len());
    for (place, scenario) in chosen.iter().enumerate() {
        let now = Instant::now();
        let share =
            end.saturating_duration_since(now) / u32::try_from(count - place).expect("a few scenarios");
        let report = search(scenario, now + share);
        tell(&report, now.elapsed());
        faults += report.counterexamples.len();
    }
    assert_eq!(faults, 0, "orders of actions that go wrong; each is told above");
}

fn tell(report: &Report, time: Duration) {
    let Report { name, depth, states, histories, .. } = report;
    let end = if report.exhausted { "all there is" } else { "every order" };
    eprintln!(
        "{name:24} depth {depth:2} ({end}), {states:10} states, {histories:8} histories of one end, {:5.1} s",
        time.as_secs_f64()
    );
    for found in &report.counterexamples {
        eprintln!("  {} steps to: {}\n{}", found.depth, found.fault, found.steps);
    }
}
