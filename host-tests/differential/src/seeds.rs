//! Many conversations, one after another.

use std::env;
use std::ops::Range;

use crate::conversation::{Summary, converse};
use crate::endpoint::{Endpoint, Start};

/// How to make the two ends of a conversation.
pub struct Pairing<'a> {
    /// Makes the client.
    pub client: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
    /// Makes the server.
    pub server: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
}

/// Holds as many conversations as `count` says, or as the environment does: `SEEDS` is another count, `SEED` is the only
/// one to be held, and shown.
///
/// # Panics
///
/// The ends do not agree: what happened is printed before, with the seed. Or many conversations were about nothing.
pub fn with_seeds(count: u64, pairing: &Pairing<'_>) {
    let number =
        |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("SEED and SEEDS are numbers"));
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count_asked) => 0..count_asked.unwrap_or(count),
    };
    let many = seeds.end - seeds.start;
    let total = run(seeds, pairing);
    if many >= 100 {
        total.assert_lively(usize::try_from(many).expect("a number of conversations"));
    }
}

fn run(seeds: Range<u64>, pairing: &Pairing<'_>) -> Summary {
    let mut total = Summary::default();
    for seed in seeds {
        // A panic inside an endpoint shows no more than this.
        let guard = Announce(seed);
        match converse(seed, |plan| [(pairing.client)(&plan.client), (pairing.server)(&plan.server)]) {
            Ok(summary) => total += summary,
            Err(disagreement) => {
                for line in &disagreement.lines {
                    eprintln!("{line}");
                }
                panic!("{}\n(SEED={seed} does it again)", disagreement.what);
            }
        }
        std::mem::forget(guard);
    }
    eprintln!("{total:?}");
    total
}

/// Says which seed it was, when it is dropped by a panic.
struct Announce(u64);

impl Drop for Announce {
    fn drop(&mut self) {
        eprintln!("the seed was {}", self.0);
    }
}
