//! Runs many seeds in turn.

use std::env;
use std::thread;

/// Runs `count` seeds, or `SEEDS` of them if that variable is set, or only the seed `SEED`; if a seed fails,
/// prints it.
///
/// # Panics
///
/// Panics if `run` panics, or if a variable is not a number.
pub fn with_seeds(count: u64, mut run: impl FnMut(u64)) {
    let number =
        |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("SEED and SEEDS must be numbers"));
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, asked) => 0..asked.unwrap_or(count),
    };
    for seed in seeds.clone() {
        if seed > 0 && seed.is_multiple_of(50_000) {
            eprintln!("{seed} of {} seeds", seeds.end);
        }
        let _guard = Announce(seed);
        run(seed);
    }
}

/// Prints its seed when a panic drops it.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("SEED={} replays this failure", self.0);
        }
    }
}
