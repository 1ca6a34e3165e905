//! Programs whose clock counts instructions.

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Result, Store, StoreContextMut};
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A program for which a nanosecond passes with each unit of Wasmtime's fuel, which counts instructions.
///
/// What it measures is exact: neither other programs nor caches have an influence.
pub struct InstructionClock(CommandPre<Host>);

/// The interface that tells the time, in the version of `wasmtime_wasi`.
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.12";

/// The program's state in the host.
struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl InstructionClock {
    /// Compiles a command of WASI 0.2 that reads the monotonic clock.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn new(command: &[u8]) -> Self {
        Self::compile(command).unwrap_or_else(|error| panic!("the program cannot be measured: {error:?}"))
    }

    fn compile(command: &[u8]) -> Result<Self> {
        let engine = Engine::new(Config::new().consume_fuel(true))?;
        let component = Component::new(&engine, command)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        linker.allow_shadowing(true);
        linker.instance(CLOCK)?.func_wrap("now", |store: StoreContextMut<'_, Host>, (): ()| {
            Ok((u64::MAX - store.get_fuel()?,))
        })?;
        Ok(Self(CommandPre::new(linker.instantiate_pre(&component)?)?))
    }

    /// Runs the program, and returns the number that it prints.
    ///
    /// # Panics
    ///
    /// If it fails, or prints no number.
    pub fn run(&self, arguments: &[&str]) -> f64 {
        let stdout = MemoryOutputPipe::new(1 << 16);
        let wasi = WasiCtx::builder().arg("program").args(arguments).stdout(stdout.clone()).build();
        let mut store = Store::new(self.0.engine(), Host { wasi, table: ResourceTable::new() });
        store.set_fuel(u64::MAX).expect("fuel is enabled");
        let outcome =
            self.0.instantiate(&mut store).and_then(|program| program.wasi_cli_run().call_run(&mut store));
        assert!(matches!(outcome, Ok(Ok(()))), "{arguments:?}: {outcome:?}");
        let printed = stdout.contents();
        let number = str::from_utf8(&printed).ok().and_then(|text| text.trim_end().parse().ok());
        number.unwrap_or_else(|| panic!("{arguments:?}: no number: {printed:?}"))
    }
}
