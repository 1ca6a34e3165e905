//! Code shared by the fuzz targets; `host-tests/fuzz/run` runs them.

pub mod memory;
pub mod watched;
