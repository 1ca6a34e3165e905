//! Prints the time per request in nanoseconds.
//!
//! As a component, this program is the guest of the benchmark.

use std::env;
use std::process::ExitCode;

use small_requests::{Subject, measure};

fn main() -> ExitCode {
    let Some((subject, rounds, at_once)) = arguments() else {
        eprintln!("usage: small-requests engine|engine-http|h2 ROUNDS REQUESTS-AT-ONCE");
        return ExitCode::FAILURE;
    };
    println!("{}", measure(subject, rounds, at_once).as_nanos());
    ExitCode::SUCCESS
}

fn arguments() -> Option<(Subject, u32, u32)> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [subject, rounds, at_once] = arguments.as_slice() else { return None };
    let number = |argument: &str| argument.parse().ok().filter(|&number| number > 0);
    Some((subject.parse().ok()?, number(rounds)?, number(at_once)?))
}
