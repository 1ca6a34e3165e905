//! Small requests in memory: client and server in one thread, on one connection, without sockets.
//!
//! Each request is a GET with 8 field lines, pseudo-header fields among them, and each response has 6 field lines
//! and 100 octets of content. Both heads are made anew for each message; the server reads method and path, the
//! client status and content. What the heads are made of, and read as, is the types of the implementation: h2 knows
//! only those of the `http` crate, so the engine is measured with these, too.

mod messages;
mod with_engine;
mod with_h2;

use std::str::FromStr;
use std::time::Duration;

use with_engine::{Heads, HttpTypes, Pair, Sections};

/// Whose HTTP/2 is measured.
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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Engine, Self::EngineHttp, Self::H2];

    /// What it is called on the command line.
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

/// Makes `rounds` times `at_once` requests after a warm-up of a tenth of that. Gives the time for one request, both
/// ends counted.
///
/// # Panics
///
/// If a message is not the one that was sent.
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

/// Rounds until buffers have grown and tables are full.
fn warm_up(rounds: u32) -> u32 {
    rounds.div_ceil(10)
}
