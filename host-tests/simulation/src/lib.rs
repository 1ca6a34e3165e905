//! Two engines in one process, under a clock and a network that a seed makes up.
//!
//! A world is a client and a server with configurations at random; callers who do at random, and at any moment, what a
//! caller can do; and two links between them that are slow or narrow, that cut octets into any pieces, stall, and are lost
//! at any octet. Often there is a relay between them that pads, cuts and adds frames. First everything happens at random;
//! then everybody does what is left to be done, and the world has to come to rest with every stream ended; and then the
//! connection is ended.
//!
//! After every call of an engine, it is held against what observers outside of it know: what both ends have put on the
//! wire and heard, what their callers have done, and what time it is.
//!
//! - Both flow-control windows are what an observer counts, and all credit is given back, to the octet and in time.
//! - No frame is sent that must not be sent: in its place, of its size, on its stream, within windows and limits.
//! - Octets, fields, trailers and ends are delivered as they were sent, once, and in order.
//! - Every stream ends, once, and for a reason: nobody resets a stream or ends a connection unless a caller, the
//!   network, or a deadline that has come, is the cause. What may be tried again was not acted upon.
//! - Deadlines are where the configuration says, to the nanosecond; before they come, nothing happens.
//! - An incomplete frame makes neither an event nor output; input is taken unless output or events wait.
//! - When the connection is gone, nothing is left.
//!
//! The differential tests (`http2-differential`) hold conversations with other implementations: all that is said there is
//! valid, arrives, and is compared in the end. Here both ends are the engine; so all of it can be watched, at every step,
//! anything may go wrong, and many more worlds can be tried.
//!
//! Beside the worlds there are conversations of two applications with extreme habits ([`converse`]): one that acknowledges
//! every byte or 40 s late, cancels everything, answers everything early, refuses every upload, pings with each message,
//! pauses for 50 s, or opens 10,000 streams. Nobody may be blamed for that, in hours of simulated time.
//!
//! ```sh
//! cargo test -p http2-simulation                       # 10,000 worlds, 500 conversations
//! SEEDS=1000000 cargo test -p http2-simulation         # more of them
//! SEED=17 cargo test -p http2-simulation               # one of them again, and all that happens in it
//! ```

mod acts;
mod books;
mod caller;
mod checks;
mod config;
mod context;
mod credit;
mod deadlines;
mod end;
mod events;
mod extremes;
mod judge;
mod link;
mod message;
mod random;
mod relay;
mod seeds;
mod stream;
pub mod wire;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use context::Trace;
pub use extremes::{Conversation, Personality, converse};
pub use judge::Summary;
pub use message::content;
pub use random::Random;
pub use seeds::with_seeds;
use world::World;

/// Lets a world live, come to rest, and end.
///
/// # Panics
///
/// Something is not as it should be.
pub fn simulate(random: Random, trace: Trace) -> Summary {
    let mut world = World::new(random, trace);
    world.live();
    world.come_to_rest();
    world.judge_rest();
    world.finish();
    world.come_to_rest();
    world.judge_end();
    world.summary()
}

/// The same for a seed. When something is not as it should be, the last that has happened is printed.
///
/// # Panics
///
/// As [`simulate`].
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
