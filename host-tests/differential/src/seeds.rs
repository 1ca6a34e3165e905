//! Many conversations, one after another.

use crate::conversation::{Summary, converse};
use crate::endpoint::{Endpoint, Start};

/// How to make the two ends of a conversation.
pub struct Pairing<'a> {
    /// Makes the client.
    pub client: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
    /// Makes the server.
    pub server: &'a dyn Fn(&Start) -> Box<dyn Endpoint>,
}

/// Holds as many conversations as `count` says, or as the [environment](http2_simulation::with_seeds) does.
///
/// # Panics
///
/// The ends do not agree: what happened is printed before, with the seed. Or many conversations were about nothing.
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
        total.assert_lively(conversations);
    }
}
