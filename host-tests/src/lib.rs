//! What the tests and benchmarks of this package share.
//!
//! Each test guest is a package in `guests`. It is built on its own, is available as `guests::ITS_NAME`, and must have a
//! test of the same name in `tests/guests`.

#[cfg(unix)]
pub mod support;

/// The test guests, and the examples on `http2-tokio`, as binaries.
pub mod guests {
    include!(concat!(env!("OUT_DIR"), "/guests.rs"));
}
