//! The tables of this package, held against the component in Wasmtime: each row is a test of its own.
//!
//! `cargo test --workspace --test component -- --nocapture` shows what each attack has cost, beside its ceilings.

mod attacks;
mod good_clients;
mod harness;
