//! Our servers and clients against independent implementations, in both roles; README.md describes cases and
//! drivers.
//!
//! ```sh
//! cargo test --workspace --test peers                                  # each case briefly
//! cargo test --workspace --test peers -- --seconds 60                  # a minute for each case
//! cargo test --workspace --test peers -- --seconds 60 --all --peer go  # likewise, against every part of the project
//! ```

#![cfg(unix)]

mod cancel;
mod driver;
mod get;
mod go;
mod java;
mod node;
mod ours;
mod peer;
mod plan;
mod process;
mod python;
mod sources;
mod table;
mod tools;
mod worker;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::Result;
use clap::Parser;

use crate::ours::{Ours, Workshop};
use crate::plan::{Plan, plans};
use crate::sources::SOURCES;
use crate::worker::Worker;

/// Test our servers and clients against independent implementations
#[derive(Parser)]
pub(crate) struct Options {
    /// Run each case for this long, or once if that takes longer
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    seconds: u64,

    /// Run each case against each part of this project, and those affected by concurrency with 1, 10 and 100
    /// concurrent requests; by default, the cases take turns
    #[arg(long)]
    all: bool,

    /// Only peers whose name contains this; may be repeated
    #[arg(long, value_name = "NAME")]
    peer: Vec<String>,

    /// Only this configuration; may be repeated
    #[arg(long, value_name = "CONFIG")]
    config: Vec<String>,

    /// Only this case; may be repeated
    #[arg(long, value_name = "CASE")]
    case: Vec<String>,

    /// Only this part of the project; may be repeated
    #[arg(long, value_name = "PART")]
    ours: Vec<Ours>,

    /// Test this many peers at the same time
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,

    /// Print the cases without running them
    #[arg(long)]
    list: bool,

    /// Test this command instead of the one of this build
    #[arg(long, value_name = "WASI_HTTP2")]
    command: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    let (mut peers, mut skipped) = (Vec::new(), Vec::new());
    for source in SOURCES {
        println!("preparing {}", source.name);
        match (source.peers)() {
            Ok(found) => peers.extend(found),
            Err(error) => skipped.push(format!("{}: {error:#}", source.name)),
        }
    }
    for reason in &skipped {
        println!("skipped {reason}");
    }
    let plans = plans(&peers, &options);
    if options.list {
        for plan in &plans {
            plan.cases.iter().for_each(|case| println!("{}: {}", plan.title(), case.title()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let workshop = Workshop::new(ours::command(options.command.as_deref())?)?;
    let outcomes = run(plans.into(), &workshop, options.seconds, options.jobs);
    println!("\n{}", table::table(&outcomes));
    for (peer, case, reason) in peers
        .iter()
        .flat_map(|peer| peer.omitted.iter().map(move |(case, reason)| (&peer.name, case, reason)))
    {
        println!("{peer} without {case}: {reason}");
    }
    let failures: Vec<_> = outcomes.iter().filter(|outcome| outcome.result.is_err()).collect();
    for failure in &failures {
        println!("{}", failure.line());
    }
    let passed = outcomes.len() - failures.len();
    println!("\n{passed} passed, {} failed, {} skipped", failures.len(), skipped.len());
    let is_success = failures.is_empty() && passed > 0 && (!is_ci || skipped.is_empty());
    Ok(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs all plans, `jobs` at a time.
fn run(plans: VecDeque<Plan>, workshop: &Workshop, seconds: u64, jobs: usize) -> Vec<table::Outcome> {
    let plans = Mutex::new(plans);
    let work = || {
        let mut worker = Worker::new(workshop, seconds);
        let mut outcomes = Vec::new();
        loop {
            let plan = plans.lock().expect("no worker panics").pop_front();
            let Some(plan) = plan else { break };
            outcomes.extend(worker.run(&plan));
        }
        outcomes.extend(worker.finish());
        outcomes
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    })
}
