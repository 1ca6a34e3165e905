//! Feeds a client that has sent requests with arbitrary bytes from its server.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| http2_fuzz::harness::feed(http2_engine::Role::Client, input));
