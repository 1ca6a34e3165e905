//! Two engines joined by two queues of frames, and every order of a handful of actions.

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
