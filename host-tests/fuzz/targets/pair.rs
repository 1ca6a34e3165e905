//! Runs two engines with a clock and a network that the input determines: see `http2-simulation`.
//!
//! With the environment variable `TRACE`, prints every event.
#![no_main]

use http2_simulation::{Random, Trace, simulate};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let trace = if std::env::var_os("TRACE").is_some() { Trace::Print } else { Trace::Off };
    simulate(Random::from_octets(input.to_vec()), trace);
});
