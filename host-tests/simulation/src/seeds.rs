//! Many seeds, one after another.

use std::env;
use std::thread;

/// Runs as many seeds as `count` says, or as the environment does: `SEEDS` is another count, `SEED` the only one to be
/// run. If a seed fails, says which one it was.
///
/// # Panics
///
/// If `run` does, or if one of the two is no number.
pub fn with_seeds(count: u64, mut run: impl FnMut(u64)) {
    let number =
        |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("SEED and SEEDS are numbers"));
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

/// Says which seed it was, when it is dropped by a panic.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("SEED={} does it again", self.0);
        }
    }
}
