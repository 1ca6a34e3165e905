//! Two engines joined by two queues of frames, and every order of a handful of actions.
//!
//! Frames that pass each other on the way are where implementations of HTTP/2 go wrong: one side has ended what the other
//! still speaks of. Samples find such crossings late; here, all of them are visited, up to a depth. Both ends are the real
//! [`Connection`](http2_engine::Connection), driven as its documentation asks, by applications with good manners, and with
//! limits so low that each is reached. See the README for what must hold, and for the faults that this finds.
//!
//! ```sh
//! cargo test -p http2-enumeration -- --nocapture              # a minute: depth and states of each scenario
//! SECONDS=3600 cargo test -p http2-enumeration -- --nocapture # an hour
//! SCENARIO=drain cargo test -p http2-enumeration              # the scenarios with this in their names
//! ```

mod action;
mod acts;
mod cut;
mod endpoint;
mod joint;
mod promises;
mod scenario;
mod scenarios;
mod search;
mod stream;
mod tree;
mod view;

pub use scenario::Scenario;
pub use scenarios::scenarios;
pub use search::{Counterexample, Report, search};
