//! What the targets of the fuzzer have in common. `host-tests/fuzz/run` runs them.

pub mod memory;
pub mod watched;
