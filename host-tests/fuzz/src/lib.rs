//! Code shared by the fuzz targets; `host-tests/fuzz/run` runs them.

pub mod harness;
pub mod memory;
