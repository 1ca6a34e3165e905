//! Connections of Rust programs, the protocol of which runs in a sandbox: with each other, with `h2`, with peers that
//! break the rules, and at their limits.

mod control;
mod exchange;
mod limits;
mod peer;
mod support;
mod with_h2;
