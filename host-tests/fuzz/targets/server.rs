//! A server, and octets as from a client: what follows the preface.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| http2_fuzz::watched::feed(http2_engine::Role::Server, input));
