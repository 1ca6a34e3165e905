//! Runs the tables of this package against the component in Wasmtime, one test per row.
//!
//! `cargo test --workspace --test component -- --nocapture` prints the cost of each attack beside its
//! ceilings.

mod attacks;
mod good_clients;
mod harness;
