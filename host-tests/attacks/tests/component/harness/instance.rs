//! An instance of the component with one connection, and its use of resources.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use wasi_http2::components;
use wasi_http2::run::Guest;
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{HostMonotonicClock, WasiCtx, WasiView};

use super::bindings::exports::http2::engine::connection::{GuestConnection, GuestHttp2Stream};
use super::bindings::{self, EnginePre};
use super::wire::{self, Wire};

pub(crate) use super::bindings::exports::http2::engine::connection::Role;

/// The component, compiled once.
static COMPONENT: LazyLock<EnginePre<Guest>> = LazyLock::new(|| {
    let mut config = Config::new();
    config.consume_fuel(true).concurrency_support(false);
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, components::ENGINE).unwrap();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
    wire::add_to_linker(&mut linker).unwrap();
    EnginePre::new(linker.instantiate_pre(&component).unwrap()).unwrap()
});

/// A connection in its own instance.
pub(crate) struct Instance {
    store: Store<Guest>,
    exports: bindings::Engine,
    connection: ResourceAny,
    clock: Clock,
}

impl Instance {
    /// Starts HTTP/2 on a wire, with these settings.
    pub(crate) fn start(role: Role, settings: &[(u16, u32)], wire: Wire) -> Self {
        let clock = Clock(Arc::new(AtomicU64::new(0)));
        let wasi = WasiCtx::builder().monotonic_clock(clock.clone()).build();
        let mut store = Store::new(COMPONENT.engine(), Guest::new(wasi, usize::MAX));
        store.limiter(|guest| guest);
        store.set_fuel(u64::MAX).unwrap();
        let exports = COMPONENT.instantiate(&mut store).unwrap();
        let interface = exports.http2_engine_connection();
        let options = interface.options().call_constructor(&mut store).unwrap();
        interface.options().call_settings(&mut store, options, settings).unwrap().unwrap();
        let wire = store.data_mut().ctx().table.push(wire).unwrap();
        let handshake = interface.connection().call_handshake(&mut store, wire, role, Some(options));
        let connection = handshake.unwrap().unwrap();
        Self { store, exports, connection, clock }
    }

    /// The handles for calls on the connection.
    pub(crate) fn connection(&mut self) -> (GuestConnection<'_>, &mut Store<Guest>, ResourceAny) {
        (self.exports.http2_engine_connection().connection(), &mut self.store, self.connection)
    }

    /// The handles for calls on a stream.
    pub(crate) fn stream(&mut self) -> (GuestHttp2Stream<'_>, &mut Store<Guest>) {
        (self.exports.http2_engine_connection().http2_stream(), &mut self.store)
    }

    /// Drops a stream.
    pub(crate) fn release(&mut self, stream: ResourceAny) {
        stream.resource_drop(&mut self.store).unwrap();
    }

    /// Lets time pass on the clock of the instance.
    pub(crate) fn sleep(&mut self, time: Duration) {
        self.clock.0.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
    }

    /// The size of its memory in bytes; WebAssembly memory never shrinks, so this is the peak.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().memory()
    }

    /// The fuel used since the start; one unit is about one instruction.
    pub(crate) fn fuel(&self) -> u64 {
        u64::MAX - self.store.get_fuel().unwrap()
    }

    /// A counter of the connection.
    pub(crate) fn stat(&mut self, name: &str) -> u64 {
        let (exports, store, connection) = self.connection();
        let stats = exports.call_stats(store, connection).unwrap();
        stats.into_iter().find(|(counter, _)| counter == name).unwrap().1
    }
}

/// A clock that advances only when the test says so.
#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
