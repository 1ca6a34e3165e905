//! The components that are built with the harness, as binaries.
//!
//! The engine and the socket component are what an application is composed with; `ECHO_SERVER` and `FETCH` are the
//! examples; the others are guests of the tests.

include!(concat!(env!("OUT_DIR"), "/components.rs"));
