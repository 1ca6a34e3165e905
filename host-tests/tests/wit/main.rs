//! Random calls to the interface of `http2.wasm`: any function, in any order, with valid and invalid arguments, even
//! after the end, over a transport that behaves in any way within its contract.
//!
//! No call may trap.
//!
//! This resembles fuzzing without instrumentation: the component runs in Wasmtime as compiled code, in which a
//! fuzzer cannot measure coverage. The engine inside is fuzzed separately (`host-tests/fuzz`). The variables `SEEDS`
//! and `SEED` work as in the simulation.

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

/// The fuel of one call, roughly in instructions: far more than any call uses that terminates.
const FUEL: u64 = 1 << 28;

#[test]
fn no_call_traps() {
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
    eprintln!("{callers} callers, {calls} calls, {messages} complete messages");
    assert!(callers < 100 || (calls > 100 * callers && messages > callers / 2), "too few calls or messages");
}

/// Compiles the engine, and links it with its imports.
fn compile() -> wasmtime::Result<EnginePre<Host>> {
    let engine = Engine::new(Config::new().consume_fuel(true))?;
    let component = Component::new(&engine, components::ENGINE)?;
    let mut linker = Linker::new(&engine);
    host::add_to_linker(&mut linker)?;
    EnginePre::new(linker.instantiate_pre(&component)?)
}
