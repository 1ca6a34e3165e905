//! Runs a component that is a command (`wasi:cli/run`, WASI 0.2 or 0.3) in Wasmtime, within limits.

mod hooks;
mod nodelay;
mod shared_listener;
mod spread;
mod stretch;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::error::Context;
use wasmtime::{Cache, Config, Engine, EngineWeak, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::cli::{StdinStream, StdoutStream};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, p2, p3};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::byte_stream;
use hooks::NoClient;
use shared_listener::Listening;
pub use shared_listener::{Listener, Share, SharedListener};
use stretch::{Stretch, Unresponsive};

/// The interval at which a computing guest yields to others, and is checked against its limits.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The maximum number of elements in a function table, far more than any compiler requests.
const TABLE_LIMIT: usize = 1 << 20;
/// The maximum number of handles in a store, which is what tens of thousands of concurrent requests need.
const HANDLES: usize = 1_000_000;

/// Wasmtime with every interface that a composed component may import: WASI 0.2 and 0.3, `wasi:http` 0.3, and
/// `http2:engine/transport` supplied by the host.
///
/// The host's own `wasi:http/client` refuses every request: an application sends requests through the client that it is
/// composed with.
#[derive(Clone)]
pub struct Runtime {
    /// Runs components of WASI 0.2, whose calls to each other it does not track as concurrent tasks: that would cost
    /// more than most of the calls themselves.
    sequential: Platform,
    /// Runs components of WASI 0.3.
    concurrent: Platform,
    interrupts: bool,
}

/// An engine, and the imports of its components.
#[derive(Clone)]
struct Platform {
    engine: Engine,
    linker: Linker<Guest>,
}

impl Platform {
    /// Creates a platform for components of WASI 0.2.
    fn new(config: &mut Config) -> wasmtime::Result<Self> {
        let engine = engine(config)?;
        let mut linker = Linker::new(&engine);
        p2::add_to_linker_async(&mut linker)?;
        shared_listener::engine::add_to_linker(&mut linker)?;
        byte_stream::add_to_linker(&mut linker)?;
        Ok(Self { engine, linker })
    }

    /// Creates a platform for components of WASI 0.3, which may also use WASI 0.2.
    fn concurrent(config: &mut Config) -> wasmtime::Result<Self> {
        let mut platform = Self::new(config.wasm_component_model_async(true))?;
        p3::add_to_linker(&mut platform.linker)?;
        shared_listener::wasi::add_to_linker(&mut platform.linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut platform.linker)?;
        Ok(platform)
    }

    fn load(&self, component: &[u8]) -> Result<InstancePre<Guest>> {
        let component = Component::new(&self.engine, component).context("the component is not valid")?;
        Ok(self.linker.instantiate_pre(&component).context("the component cannot be linked")?)
    }
}

impl Runtime {
    /// Creates a runtime that behaves like `wasmtime run`: a guest runs until it ends or waits.
    ///
    /// # Errors
    ///
    /// If Wasmtime does not support the machine.
    pub fn new() -> Result<Self> {
        Self::with_config(false)
    }

    /// Creates a runtime that interrupts guests while they compute.
    ///
    /// Guests yield to each other even in the middle of a computation, [`Invocation::time_limit`] applies to computing
    /// guests as well, and [`Invocation::compute_limit`] takes effect. This costs guests a sixth of their speed.
    ///
    /// # Errors
    ///
    /// If Wasmtime does not support the machine.
    pub fn with_interrupts() -> Result<Self> {
        let runtime = Self::with_config(true)?;
        tick([&runtime.sequential.engine, &runtime.concurrent.engine]);
        Ok(runtime)
    }

    fn with_config(interrupts: bool) -> Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(interrupts);
        Ok(Self {
            sequential: Platform::new(config.clone().concurrency_support(false))?,
            concurrent: Platform::concurrent(&mut config)?,
            interrupts,
        })
    }

    /// Compiles a component, or loads it from the cache.
    ///
    /// # Errors
    ///
    /// If the component is invalid, is not a command, or has an import that the runtime does not supply.
    pub fn load(&self, component: &[u8]) -> Result<Program> {
        // Components of WASI 0.3 are not valid without concurrency, which shows before anything is compiled.
        let pre = self.sequential.load(component).or_else(|_| self.concurrent.load(component))?;
        let command = Command::new(&pre)
            .context("the component is no command: it exports wasi:cli/run neither of WASI 0.2 nor of 0.3")?;
        Ok(Program { command, interrupts: self.interrupts })
    }

    /// Returns the engine for components of WASI 0.3, for embedders that link and run components themselves.
    pub fn engine(&self) -> &Engine {
        &self.concurrent.engine
    }

    /// Returns the linker of [`engine`](Self::engine), with the imports for components.
    pub fn linker(&self) -> &Linker<Guest> {
        &self.concurrent.linker
    }
}

/// Creates a Wasmtime engine with its cache of compiled components.
pub(crate) fn engine(config: &mut Config) -> wasmtime::Result<Engine> {
    // Without a cache directory, every start compiles again. This takes seconds but is not an error.
    if let Ok(cache) = Cache::from_file(None) {
        config.cache(Some(cache));
    }
    Engine::new(config).context("Wasmtime cannot be started")
}

/// Advances the epochs of engines every [`TICK`], for as long as one of the engines exists.
pub(crate) fn tick<const N: usize>(engines: [&Engine; N]) {
    let engines = engines.map(Engine::weak);
    thread::spawn(move || {
        let advance = |engine: Engine| engine.increment_epoch();
        while engines.iter().filter_map(EngineWeak::upgrade).map(advance).count() > 0 {
            thread::sleep(TICK);
        }
    });
}

/// A linked command of either WASI version, for embedders that have an engine and a linker of their own.
#[derive(Clone)]
pub enum Command {
    /// A command of WASI 0.2.
    Wasi02(p2::bindings::CommandPre<Guest>),
    /// A command of WASI 0.3.
    Wasi03(p3::bindings::CommandPre<Guest>),
}

impl Command {
    /// Finds the WASI version of a command.
    ///
    /// # Errors
    ///
    /// If the component exports `wasi:cli/run` neither of WASI 0.2 nor of 0.3.
    pub fn new(pre: &InstancePre<Guest>) -> wasmtime::Result<Self> {
        p3::bindings::CommandPre::new(pre.clone())
            .map(Self::Wasi03)
            .or_else(|_| p2::bindings::CommandPre::new(pre.clone()).map(Self::Wasi02))
    }

    /// Runs until the guest's `run` returns.
    ///
    /// WASI 0.3 tasks that are still running then end with the store.
    ///
    /// # Errors
    ///
    /// If the command cannot be instantiated, traps, or exits by `wasi:cli/exit`.
    pub async fn run(&self, store: &mut Store<Guest>) -> wasmtime::Result<Result<(), ()>> {
        match self {
            Self::Wasi02(pre) => {
                pre.instantiate_async(&mut *store).await?.wasi_cli_run().call_run(store).await
            }
            Self::Wasi03(pre) => {
                let command = pre.instantiate_async(&mut *store).await?;
                store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await?
            }
        }
    }

    /// Returns the engine that has compiled the command.
    pub fn engine(&self) -> &Engine {
        match self {
            Self::Wasi02(pre) => pre.engine(),
            Self::Wasi03(pre) => pre.engine(),
        }
    }
}

/// A compiled command, which can be run any number of times, also concurrently.
#[derive(Clone)]
pub struct Program {
    command: Command,
    interrupts: bool,
}

impl Program {
    /// Runs the command until it exits or reaches a limit.
    ///
    /// # Errors
    ///
    /// If the command cannot be started. The [`Outcome`] tells how it ended.
    pub async fn run(&self, invocation: Invocation) -> Result<Outcome> {
        let Invocation { mut wasi, memory_limit, time_limit, compute_limit, process_limit, share } =
            invocation;
        let mut guest = Guest::new(wasi.build(), memory_limit);
        guest.listening.share = share;
        let stretch = guest.stretch.clone();
        if let Some(limit) = process_limit {
            stretch.watch(limit);
        }
        let mut store = Store::new(self.command.engine(), guest);
        store.limiter(|guest| guest);
        store.set_max_component_handles(HANDLES);
        if self.interrupts {
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(move |store| {
                store.data().stretch.tick(compute_limit)?;
                Ok(UpdateDeadline::Yield(1))
            });
        }
        let run = stretch.of(self.command.run(&mut store));
        let result = match time_limit {
            Some(limit) => match tokio::time::timeout(limit, run).await {
                Ok(result) => result,
                Err(_) => return Ok(Outcome::OutOfTime(limit)),
            },
            None => run.await,
        };
        Ok(Outcome::of(result))
    }
}

/// The resources of one run.
///
/// A guest has only those that are added here.
pub struct Invocation {
    wasi: WasiCtxBuilder,
    memory_limit: usize,
    time_limit: Option<Duration>,
    compute_limit: Option<Duration>,
    process_limit: Option<Duration>,
    share: Option<Share>,
}

impl Invocation {
    /// Creates a run under `name`, without arguments, input, output, network or files, and with 1 GiB of memory.
    pub fn new(name: &str) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.arg(name);
        Self {
            wasi,
            memory_limit: 1 << 30,
            time_limit: None,
            compute_limit: None,
            process_limit: None,
            share: None,
        }
    }

    /// Appends arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for arg in args {
            self.wasi.arg(arg);
        }
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.wasi.env(name, value);
        self
    }

    /// Sets standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: impl StdinStream + 'static) -> Self {
        self.wasi.stdin(stdin);
        self
    }

    /// Sets standard output.
    #[must_use]
    pub fn stdout(mut self, stdout: impl StdoutStream + 'static) -> Self {
        self.wasi.stdout(stdout);
        self
    }

    /// Sets standard error.
    #[must_use]
    pub fn stderr(mut self, stderr: impl StdoutStream + 'static) -> Self {
        self.wasi.stderr(stderr);
        self
    }

    /// Makes the host's directory `host` available to the guest under the name `guest`.
    ///
    /// # Errors
    ///
    /// If the directory cannot be opened.
    pub fn directory(mut self, host: &Path, guest: &str, permissions: FsPerms) -> Result<Self> {
        self.wasi
            .preopened_dir(host, guest, permissions)
            .with_context(|| format!("the directory {} cannot be opened", host.display()))?;
        Ok(self)
    }

    /// Permits access to the network.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        network.apply(&mut self.wasi);
        self
    }

    /// Lets the guest listen on a shared address, in addition to its other network permissions.
    #[must_use]
    pub fn listener(mut self, share: Share) -> Self {
        self.wasi.allow_tcp(true);
        Self { share: Some(share), ..self }
    }

    /// Limits the memory of all components together, in bytes.
    #[must_use]
    pub fn memory_limit(self, bytes: usize) -> Self {
        Self { memory_limit: bytes, ..self }
    }

    /// Limits the total time of the run; see [`Runtime::with_interrupts`].
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { time_limit: Some(limit), ..self }
    }

    /// Limits how long the guest may compute without waiting and without calling the host; see
    /// [`Runtime::with_interrupts`].
    ///
    /// This distinguishes a server that is stuck from one that is busy.
    #[must_use]
    pub fn compute_limit(self, limit: Duration) -> Self {
        Self { compute_limit: Some(limit), ..self }
    }

    /// Ends the process, with a message and the exit code 1, if the guest computes longer than this limit without waiting
    /// and without calling the host.
    ///
    /// For a program with one guest, this does what [`compute_limit`](Self::compute_limit) does, without the cost of
    /// interrupts: see [`Runtime::with_interrupts`].
    #[must_use]
    pub fn process_limit(self, limit: Duration) -> Self {
        Self { process_limit: Some(limit), ..self }
    }
}

/// The network permissions of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Connect to any host.
    Connect,
    /// Listen on this address, and accept connections there.
    Listen(SocketAddr),
    /// Listen on this address, and connect to any host.
    ListenAndConnect(SocketAddr),
    /// Listen and connect on the loopback interface only.
    Loopback,
}

impl Network {
    fn apply(self, wasi: &mut WasiCtxBuilder) {
        wasi.allow_tcp(true).allow_ip_name_lookup(self.looks_up_names());
        wasi.socket_addr_check(move |address, usage| {
            let permitted = self.permits(address, usage);
            if permitted && matches!(usage, SocketAddrUse::TcpConnect | SocketAddrUse::TcpListen) {
                nodelay::set_on_new_sockets();
            }
            Box::pin(async move { permitted })
        });
    }

    fn looks_up_names(self) -> bool {
        !matches!(self, Self::Listen(_))
    }

    fn permits(self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        // Before it connects, the host binds the socket to a free port.
        let implicit_bind =
            matches!(usage, SocketAddrUse::TcpBind) && address.ip().is_unspecified() && address.port() == 0;
        match self {
            Self::Connect => implicit_bind || matches!(usage, SocketAddrUse::TcpConnect),
            Self::Listen(listen) => match usage {
                SocketAddrUse::TcpBind => address == listen,
                SocketAddrUse::TcpListen => address.ip() == listen.ip(),
                SocketAddrUse::TcpAccept => true,
                _ => false,
            },
            Self::ListenAndConnect(listen) => {
                Self::Listen(listen).permits(address, usage) || Self::Connect.permits(address, usage)
            }
            Self::Loopback => implicit_bind || is_loopback(address.ip()),
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// How a guest ended.
#[derive(Debug)]
pub enum Outcome {
    /// It exited with this code.
    Exited(i32),
    /// It needed more memory than this limit, in bytes.
    OutOfMemory(usize),
    /// It ran longer than this limit.
    OutOfTime(Duration),
    /// It computed longer than this limit without waiting and without calling the host.
    Unresponsive(Duration),
    /// It trapped, because of its own bug or a violation of the component model.
    Trapped(wasmtime::Error),
}

impl Outcome {
    fn of(result: wasmtime::Result<Result<(), ()>>) -> Self {
        match result {
            Ok(result) => Self::Exited(result.is_err().into()),
            Err(error) => {
                if let Some(I32Exit(code)) = error.downcast_ref() {
                    Self::Exited(*code)
                } else if let Some(OutOfMemory(limit)) = error.downcast_ref() {
                    Self::OutOfMemory(*limit)
                } else if let Some(Unresponsive(limit)) = error.downcast_ref() {
                    Self::Unresponsive(*limit)
                } else {
                    Self::Trapped(error)
                }
            }
        }
    }

    /// Returns whether the guest exited with success.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exited(0))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "the guest ended with exit code {code}"),
            Self::OutOfMemory(limit) => OutOfMemory(*limit).fmt(f),
            Self::Unresponsive(limit) => Unresponsive(*limit).fmt(f),
            Self::OutOfTime(limit) => write!(f, "the guest exceeded its time limit of {limit:?}"),
            // The root cause is the error itself; its context only tells where it occurred.
            Self::Trapped(error) => write!(f, "the guest trapped: {}", error.root_cause()),
        }
    }
}

/// A guest needed more memory than its limit, in bytes.
#[derive(Debug)]
pub(crate) struct OutOfMemory(pub(crate) usize);

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest exceeded its memory limit of {} MiB", self.0 >> 20)
    }
}

impl std::error::Error for OutOfMemory {}

/// The host's state for a running guest.
pub struct Guest {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoClient,
    listening: Listening,
    table: ResourceTable,
    stretch: Arc<Stretch>,
    /// The size of all memories together, in bytes, and its limit.
    memory: usize,
    memory_limit: usize,
}

impl Guest {
    /// Creates a guest with `wasi`, and a limit of `memory_limit` bytes for all its components together.
    pub fn new(wasi: WasiCtx, memory_limit: usize) -> Self {
        Self {
            wasi,
            http: WasiHttpCtx::new(),
            hooks: NoClient,
            listening: Listening::default(),
            table: ResourceTable::new(),
            stretch: Arc::default(),
            memory: 0,
            memory_limit,
        }
    }

    /// Returns the size of its memories together, in bytes.
    ///
    /// Memories do not shrink, so this is also the peak.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.stretch.end();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.stretch.end();
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let memory = self.memory.saturating_add(desired.saturating_sub(current));
        if memory > self.memory_limit {
            // Return an error, because a guest whose allocation is merely refused traps without a message.
            return Err(OutOfMemory(self.memory_limit).into());
        }
        self.memory = memory;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_LIMIT)
    }
}
