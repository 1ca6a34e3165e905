//! A client that has sent requests, and octets as from a server.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| http2_fuzz::watched::feed(http2_engine::Role::Client, input));
