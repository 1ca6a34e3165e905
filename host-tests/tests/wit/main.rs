//! The interface of `http2.wasm` with calls at random: any function, in any order, with right and wrong arguments, also
//! after the end, on a transport that gives any answer within its contract. Whatever is called, nothing traps.
//!
//! This is what a fuzzer would do, without its instrumentation: what is tried is the component in Wasmtime, which is
//! compiled code to a fuzzer's eyes, and the engine inside is fuzzed by itself (`host-tests/fuzz`). `SEEDS` and `SEED` are
//! those of the simulation.

mod arguments;
mod calls;
mod host;
mod peer;

use http2_simulation::{Random, with_seeds};
use wasi_http2::components;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

use calls::Caller;
use host::{EnginePre, Host};

/// Instructions, or so, that one call may take: far more than any needs that does not go round for ever.
const FUEL: u64 = 1 << 28;

#[test]
fn whatever_is_called_nothing_traps() {
    let component = compile().unwrap();
    let (mut callers, mut calls, mut messages) = (0, 0, 0);
    with_seeds(2_000, |seed| {
        let mut store = Store::new(component.engine(), Host::new(Random::from_seed(seed)));
        store.limiter(|host| host.limits());
        store.set_fuel(FUEL).unwrap();
        let engine = component.instantiate(&mut store).unwrap();
        let mut caller = Caller::new(store, engine);
        caller.run().unwrap_or_else(|trap| panic!("{trap:?}"));
        callers += 1;
        calls += caller.calls;
        messages += caller.messages;
    });
    eprintln!("{callers} callers, {calls} calls, {messages} messages complete");
    assert!(callers < 100 || (calls > 100 * callers && messages > callers / 2), "too little happens");
}

/// Compiles the engine, and links it with what it imports.
fn compile() -> wasmtime::Result<EnginePre<Host>> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let component = Component::new(&engine, components::ENGINE)?;
    let mut linker = Linker::new(&engine);
    host::add_to_linker(&mut linker)?;
    EnginePre::new(linker.instantiate_pre(&component)?)
}
