//! The results of a phase, and the conditions that they must meet.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Error;
use hdrhistogram::Histogram;

/// The maximum ratio of the latencies at the 99th percentile, with attackers to without.
const LATENCY: f64 = 2.0;
/// The maximum ratio of the memory peaks, in the last quarter of the phase to before.
const PLATEAU: f64 = 1.05;
/// The largest latency that is recorded, in microseconds.
const LONGEST: u64 = 60_000_000;
/// How many failures are printed in full.
const TOLD: u64 = 5;

/// Counters that the participants update.
pub(crate) struct Seen {
    /// The latencies of busy clients, from when a request was due to the last byte of its response, in microseconds.
    latency: Mutex<Histogram<u64>>,
    /// Responses received by slow readers and idle clients.
    others: AtomicU64,
    /// Requests of good clients that failed.
    failures: AtomicU64,
    /// Clients that were killed.
    killed: AtomicU64,
    attacks: AtomicU64,
    /// Attacks that the server ended.
    ended: AtomicU64,
    /// Bytes sent by attackers.
    octets: AtomicU64,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            latency: Mutex::new(Histogram::new_with_max(LONGEST, 3).expect("three digits")),
            others: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            killed: AtomicU64::new(0),
            attacks: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            octets: AtomicU64::new(0),
        }
    }
}

impl Seen {
    /// Records a response to a busy client.
    pub(crate) fn response(&self, latency: Duration) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency.lock().expect("no panic").saturating_record(microseconds);
    }

    /// Discards the latencies recorded so far.
    pub(crate) fn forget_latency(&self) {
        self.latency.lock().expect("no panic").reset();
    }

    /// Records a response to another good client.
    pub(crate) fn other_response(&self) {
        self.others.fetch_add(1, Relaxed);
    }

    /// Records a failed request of a good client.
    pub(crate) fn failure(&self, who: &str, error: &Error) {
        if self.failures.fetch_add(1, Relaxed) < TOLD {
            eprintln!("a {who} client failed: {error:#}");
        }
    }

    pub(crate) fn killed(&self) {
        self.killed.fetch_add(1, Relaxed);
    }

    /// Records the end of an attack of `octets` bytes.
    pub(crate) fn attack(&self, octets: u64, by_the_server: bool) {
        self.attacks.fetch_add(1, Relaxed);
        self.octets.fetch_add(octets, Relaxed);
        if by_the_server {
            self.ended.fetch_add(1, Relaxed);
        }
    }

    /// Returns all results, together with the server's memory in KiB for each second.
    pub(crate) fn figures(&self, length: Duration, memory: Vec<u64>) -> Figures {
        Figures {
            length,
            latency: self.latency.lock().expect("no panic").clone(),
            others: self.others.load(Relaxed),
            failures: self.failures.load(Relaxed),
            killed: self.killed.load(Relaxed),
            attacks: self.attacks.load(Relaxed),
            ended: self.ended.load(Relaxed),
            octets: self.octets.load(Relaxed),
            memory,
        }
    }
}

/// Formats the progress so far.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { latency, others, failures, killed, attacks, .. } =
            self.figures(Duration::ZERO, Vec::new());
        write!(f, "{} + {others} responses, {failures} failures, ", latency.len())?;
        write!(f, "99 % within {:.1} ms, ", milliseconds(&latency, 0.99))?;
        write!(f, "{attacks} attacks, {killed} killed")
    }
}

/// The results of a phase.
pub(crate) struct Figures {
    length: Duration,
    latency: Histogram<u64>,
    others: u64,
    failures: u64,
    killed: u64,
    attacks: u64,
    ended: u64,
    octets: u64,
    /// The memory of the server in KiB, for each second.
    memory: Vec<u64>,
}

fn milliseconds(latency: &Histogram<u64>, quantile: f64) -> f64 {
    latency.value_at_quantile(quantile) as f64 / 1_000.0
}

/// Prints the results of both phases as a table, and every condition that is not met.
///
/// Returns false if one is not.
pub(crate) fn print(before: &Figures, during: &Figures) -> bool {
    let row = |name: &str, cell: &dyn Fn(&Figures) -> String| {
        println!("| {name} | {} | {} |", cell(before), cell(during));
    };
    let mib = |kib: Option<&u64>| format!("{} MiB", kib.unwrap_or(&0) >> 10);
    println!("| | without attackers | with attackers |\n|---|---|---|");
    row("seconds", &|figures| figures.length.as_secs().to_string());
    row("requests of busy clients", &|figures| figures.latency.len().to_string());
    row("responses to slow readers and idle clients", &|figures| figures.others.to_string());
    row("lost by good clients", &|figures| figures.failures.to_string());
    for (name, quantile) in [("half", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)] {
        row(&format!("{name} of the busy clients' responses within"), &|figures| {
            format!("{:.1} ms", milliseconds(&figures.latency, quantile))
        });
    }
    row("attacks, and how many of them the server ended", &|figures| {
        format!("{}, {}", figures.attacks, figures.ended)
    });
    row("sent by attackers", &|figures| format!("{} MiB", figures.octets >> 20));
    row("clients killed", &|figures| figures.killed.to_string());
    row("memory of the server at the end", &|figures| mib(figures.memory.last()));
    row("peak memory of the server", &|figures| mib(figures.memory.iter().max()));
    println!();

    let mut all_well = true;
    let mut demand = |holds: bool, otherwise: String| {
        if !holds {
            println!("FAILED: {otherwise}");
            all_well = false;
        }
    };
    for (name, figures) in [("without attackers", before), ("with attackers", during)] {
        demand(figures.failures == 0, format!("{name}, good clients lost responses"));
        demand(!figures.latency.is_empty(), format!("{name}, no busy client received a response"));
    }
    let rise = milliseconds(&during.latency, 0.99) / milliseconds(&before.latency, 0.99);
    println!("Latency at the 99th percentile, ratio with attackers to without: {rise:.2}");
    demand(rise <= LATENCY, format!("the ratio exceeds {LATENCY}"));
    let (earlier, last) = during.memory.split_at(during.memory.len() * 3 / 4);
    if let (Some(earlier), Some(last)) = (earlier.iter().max(), last.iter().max()) {
        let growth = *last as f64 / *earlier as f64;
        println!("Peak memory, ratio of the last quarter to before: {growth:.2}\n");
        demand(growth <= PLATEAU, format!("memory does not level off: the ratio exceeds {PLATEAU}"));
    }
    all_well
}
