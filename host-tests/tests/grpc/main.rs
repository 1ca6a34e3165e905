//! gRPC: the cases of the public interoperability tests, and some more, between guests made with tonic and grpcio,
//! which is gRPC's C core. README.md has the table.
//!
//! grpcio comes from PyPI; without it, the tests that need it are skipped with a word, unless the environment has
//! `CI=true`.

#![cfg(unix)]

#[allow(dead_code, unused_imports, reason = "what it has is shared with other tests")]
#[path = "../interop/support/mod.rs"]
mod support;

mod client;
mod server;

use std::path::{Path, PathBuf};

/// A script of this folder.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc").join(name)
}

/// What is printed of a case that passes.
fn passed(case: &str) -> String {
    format!("{case}: passed\n")
}

/// A test for each case, named like it.
macro_rules! tests_of {
    ($($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                passes(stringify!($case));
            }
        )*
    };
}

use tests_of;
