//! Programs built on hyper, hyper-util, reqwest, axum, tonic and `h2` itself, whose transcripts must not depend on which
//! package named `h2` is below them.
//!
//! Each [scenario](scenario::Scenario) writes a deterministic transcript of everything that a program can see: statuses,
//! fields, content, trailers, classes of errors. The command `stock` runs them on the crate `h2`, `patched` on its
//! replacement, and `stock compare` compares the transcripts.

mod command;
mod compare;
mod describe;
mod differences;
mod echo;
mod h2_pair;
mod net;
mod raw;
mod scenario;
mod scenarios;
mod tonic_echo;

pub use command::main;
