//! gRPC: the cases of the public interoperability tests, and some of this project, between guests built with
//! tonic and grpcio, which is gRPC's C core.
//!
//! README.md has the table. grpcio comes from PyPI; without it, the tests that need it are skipped with a
//! message, unless `CI=true` is set.

#![cfg(unix)]

mod client;
mod server;

use std::path::{Path, PathBuf};

/// The path of a script in this folder.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc").join(name)
}

/// The output of a case that passes.
fn passed(case: &str) -> String {
    format!("{case}: passed\n")
}

/// Defines a test for each case of both directions, and for each of the given cases.
macro_rules! tests_of_all_cases {
    ($($more:ident)*) => {
        $crate::tests_of! {
            empty_unary
            large_unary
            client_streaming
            server_streaming
            ping_pong
            empty_stream
            custom_metadata
            status_code_and_message
            special_status_message
            unimplemented_method
            unimplemented_service
            cancel_after_begin
            cancel_after_first_response
            timeout_on_sleeping_server
            message_sizes
            compressed_messages
            concurrent_calls
            concurrent_streams
            trailers_only_error
            response_before_request_ends
            $($more)*
        }
    };
}

/// Defines a test for each of the given cases.
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

use {tests_of, tests_of_all_cases};
