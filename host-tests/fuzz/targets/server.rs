//! Feeds a server with arbitrary bytes from its client, after the preface.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| http2_fuzz::harness::feed(http2_engine::Role::Server, input));
