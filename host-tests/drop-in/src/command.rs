//! The commands `stock` and `patched`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, panic, process, thread};

use crate::scenario::Scenario;
use crate::{compare, describe, scenarios};

const USAGE: &str = "\
Usage: stock [OPTION]... [NAME]...          prints the transcripts of the scenarios whose names contain NAME
       stock compare EXPECTED ACTUAL        compares two folders of transcripts

  --list       prints the names of the scenarios
  --out DIR    writes each transcript to a file in DIR
  --seed N     selects sizes (0)
  --jobs N     runs N scenarios at a time (4)
  --texts      shows the texts of errors of h2 too
  --times      prints how long each took, to stderr
";

struct Options {
    list: bool,
    out: Option<PathBuf>,
    seed: u64,
    jobs: usize,
    times: bool,
    names: Vec<String>,
}

/// Runs the command, on whichever `h2` the program was built with.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, expected, actual] = arguments.as_slice()
        && command == "compare"
    {
        return compare::folders(Path::new(expected), Path::new(actual));
    }
    let Some(options) = parse(arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let all = scenarios::all();
    let chosen: Vec<_> = all.into_iter().filter(|scenario| options.chooses(scenario)).collect();
    if options.list {
        for scenario in &chosen {
            println!("{}", short(scenario));
        }
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("no scenario has such a name: see --list");
        return ExitCode::from(2);
    }
    // reqwest needs one for every client, whether or not it speaks TLS.
    rustls::crypto::ring::default_provider().install_default().expect("no other provider");
    // Some scenarios panic on purpose, and print the message themselves.
    panic::set_hook(Box::new(|_| {}));
    run(&options, &chosen);
    // Threads of scenarios that were given up may still run.
    process::exit(0)
}

impl Options {
    fn chooses(&self, scenario: &Scenario) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| short(scenario).contains(name))
    }
}

fn parse(arguments: Vec<String>) -> Option<Options> {
    let mut options = Options { list: false, out: None, seed: 0, jobs: 4, times: false, names: Vec::new() };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => options.list = true,
            "--texts" => describe::show_texts(),
            "--times" => options.times = true,
            "--out" => options.out = Some(arguments.next()?.into()),
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--jobs" => options.jobs = arguments.next()?.parse().ok()?,
            _ if argument.starts_with('-') => return None,
            _ => options.names.push(argument),
        }
    }
    Some(options)
}

/// The name without the path of the modules that all have in common.
fn short(scenario: &Scenario) -> &'static str {
    scenario.name.rsplit_once("scenarios::").map_or(scenario.name, |(_, name)| name)
}

fn run(options: &Options, chosen: &[&Scenario]) {
    if let Some(out) = &options.out {
        fs::create_dir_all(out).expect("a folder for the transcripts");
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(scenario) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let transcript = scenario.transcript(options.seed);
                    report(options, scenario, &transcript, start.elapsed());
                }
            });
        }
    });
}

fn report(options: &Options, scenario: &Scenario, transcript: &str, took: Duration) {
    let name = short(scenario);
    if options.times {
        eprintln!("{:8.3} s  {name}", took.as_secs_f64());
    }
    match &options.out {
        Some(out) => fs::write(out.join(name.replace("::", ".")), transcript).expect("a transcript"),
        None => print!("== {name}\n{transcript}"),
    }
}
