//! Explores every order of a few actions by two engines that are joined by two queues of frames.
//!
//! Implementations of HTTP/2 often go wrong when frames cross in flight: one side still refers to something
//! that the other has already ended. Random tests find such crossings late; this one visits all of them, up
//! to a depth. Both ends are the real [`Connection`](http2_engine::Connection), driven as its documentation
//! requires, by well-behaved applications, with limits so low that each is reached. The README lists the
//! invariants, and the faults that the search finds.
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
