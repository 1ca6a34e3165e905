//! Sandboxed connections for Rust programs: with each other, with `h2`, with peers that violate the protocol, and at
//! their limits.

mod control;
mod exchange;
mod limits;
mod peer;
mod support;
mod with_h2;
