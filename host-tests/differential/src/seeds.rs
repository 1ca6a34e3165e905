//! Runs many conversations in turn.

use crate::conversation::{Summary, converse};
use crate::endpoint::{Endpoint, Start};

/// The constructors of the two ends of a conversation.
pub struct Pairing<'a> {
    /// Creates the client.
    pub client: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
    /// Creates the server.
    pub server: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
}

/// Runs `count` conversations, or as many as the [environment](http2_simulation::with_seeds) requests.
///
/// # Panics
///
/// Panics if the ends disagree, after printing the seed and the history, or if many conversations together
/// cover too little.
pub fn with_seeds(count: u64, pairing: &Pairing<'_>) {
    let (mut total, mut conversations) = (Summary::default(), 0);
    http2_simulation::with_seeds(count, |seed| {
        match converse(seed, |plan| [(pairing.client)(&plan.client), (pairing.server)(&plan.server)]) {
            Ok(summary) => total += summary,
            Err(disagreement) => {
                disagreement.lines.iter().for_each(|line| eprintln!("{line}"));
                panic!("{}", disagreement.what);
            }
        }
        conversations += 1;
    });
    eprintln!("{total:?}");
    if conversations >= 100 {
        total.assert_coverage(conversations);
    }
}
