//! Small requests in memory: client and server in one thread, on one connection, without sockets.
//!
//! Each request is a GET with 8 field lines, including pseudo-header fields; each response has 6 field lines and
//! 100 bytes of content. Both heads are built anew for each message; the server reads method and path, the client
//! status and content. Heads are built from, and parsed into, the types of each implementation. As h2 supports
//! only those of the `http` crate, the engine is measured with these types as well.

mod messages;
mod with_engine;
mod with_h2;

use std::str::FromStr;
use std::time::Duration;

use with_engine::{Heads, HttpTypes, Pair, Sections};

/// The HTTP/2 implementation to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This project's engine, with heads in its own type.
    Engine,
    /// This project's engine, with heads in the types of the `http` crate.
    EngineHttp,
    /// The crate h2.
    H2,
}

impl Subject {
    /// All subjects.
    pub const ALL: [Self; 3] = [Self::Engine, Self::EngineHttp, Self::H2];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::EngineHttp => "engine-http",
            Self::H2 => "h2",
        }
    }
}

impl FromStr for Subject {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|subject| subject.name() == name).ok_or(())
    }
}

/// Measures `rounds` rounds of `at_once` concurrent requests, after a warm-up of a tenth as many rounds.
///
/// Returns the time per request, client and server together.
///
/// # Panics
///
/// If a message differs from the one that was sent.
pub fn measure(subject: Subject, rounds: u32, at_once: u32) -> Duration {
    let elapsed = match subject {
        Subject::Engine => run(Pair::new(Sections::default(), at_once), rounds),
        Subject::EngineHttp => run(Pair::new(HttpTypes::new(), at_once), rounds),
        Subject::H2 => with_h2::run(warm_up(rounds), rounds, at_once),
    };
    elapsed / (rounds * at_once)
}

fn run(mut pair: Pair<impl Heads>, rounds: u32) -> Duration {
    pair.run(warm_up(rounds));
    pair.run(rounds)
}

/// Number of rounds before buffers have grown and tables are full.
fn warm_up(rounds: u32) -> u32 {
    rounds.div_ceil(10)
}
