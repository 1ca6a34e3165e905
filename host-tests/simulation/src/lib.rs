//! Two engines in one process, with a simulated clock and network that a seed determines.
//!
//! A world consists of a client and a server with random configurations; their callers, which make any
//! possible call at any time; and two links, which are slow or narrow, cut bytes into pieces of any size,
//! stall, and fail at any byte. In many worlds, a relay between them pads, splits and adds frames. A world
//! first acts at random. Then each side finishes all remaining work, and the world must come to rest with
//! every stream ended. Finally, the connection ends.
//!
//! After every call of an engine, the simulation checks it against the knowledge of outside observers: the
//! bytes that both ends have sent and received, the actions of their callers, and the time.
//!
//! - Both flow-control windows equal those of the observer, and all credit is returned, to the byte and in
//!   time.
//! - An engine sends only allowed frames: in order, of valid size, on the right stream, within windows and
//!   limits.
//! - Bytes, fields, trailers and ends are delivered as they were sent, once, and in order.
//! - Every stream ends once and for a reason: an engine resets a stream or ends a connection only because of
//!   a caller, the network, or an expired deadline. A request reported as safe to retry was not processed.
//! - Deadlines are those of the configuration, to the nanosecond; before they expire, nothing happens.
//! - An incomplete frame causes neither an event nor output; input is accepted unless output or events are
//!   pending.
//! - After the end of the connection, nothing is left.
//!
//! The differential tests (`http2-differential`) hold conversations with other implementations, in which
//! everything is valid, arrives, and is compared in the end. Here both ends are the engine, so that every
//! step can be checked, anything may go wrong, and many more worlds can be tried.
//!
//! In addition, two applications with extreme habits hold conversations ([`converse`]): they acknowledge
//! every byte or 40 s late, cancel everything, answer everything early, refuse every upload, send a PING with
//! each message, pause for 50 s, or open 10,000 streams. Neither engine may blame them, in hours of simulated
//! time.
//!
//! ```sh
//! cargo test -p http2-simulation                       # 10,000 worlds, 500 conversations
//! SEEDS=1000000 cargo test -p http2-simulation         # more of them
//! SEED=17 cargo test -p http2-simulation               # replays one seed, and prints all that happens
//! ```

mod acts;
mod caller;
mod checks;
mod config;
mod context;
mod credit;
mod deadlines;
mod end;
mod events;
mod extremes;
mod link;
mod message;
mod random;
mod relay;
mod seeds;
mod stream;
mod verdict;
pub mod wire;
mod wire_model;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use context::Trace;
pub use extremes::{Conversation, Personality, converse};
pub use message::content;
pub use random::Random;
pub use seeds::with_seeds;
pub use verdict::Summary;
use world::World;

/// Runs a world through all phases, and returns its totals.
///
/// # Panics
///
/// Panics if a check fails.
pub fn simulate(random: Random, trace: Trace) -> Summary {
    let mut world = World::new(random, trace);
    world.run_random();
    world.run_until_quiescent();
    world.check_quiescent();
    world.finish();
    world.run_until_quiescent();
    world.check_final();
    world.summary()
}

/// Like [`simulate`], for a seed; if a check fails, prints the last events.
///
/// # Panics
///
/// Panics if a check fails.
pub fn simulate_seed(seed: u64) -> Summary {
    let world = |trace| catch_unwind(AssertUnwindSafe(|| simulate(Random::from_seed(seed), trace)));
    if std::env::var_os("SEED").is_some() {
        return world(Trace::Print).unwrap_or_else(|cause| resume_unwind(cause));
    }
    world(Trace::Off).unwrap_or_else(|cause| {
        let lines = std::rc::Rc::default();
        _ = world(Trace::Last(std::rc::Rc::clone(&lines)));
        lines.borrow().iter().for_each(|line| eprintln!("{line}"));
        resume_unwind(cause)
    })
}
