//! State shared by all connections: the compiled engine, and the limits of each connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::Config;
use wasmtime::component::{Component, Linker};

use super::bindings::EnginePre;
use super::bindings::exports::http2::engine::connection::Role;
use super::client::Client;
use super::driver::Driver;
use super::error::Error;
use super::handle::Handle;
use super::instance::Instance;
use super::options::Options;
use super::server::Server;
use crate::run::{self, Guest};
use crate::{ByteStream, byte_stream, components};

/// Limits on the resources of one connection.
///
/// A connection that exceeds them is ended; the others go on.
#[derive(Clone, Debug)]
pub struct SandboxLimits {
    pub(super) memory: usize,
    pub(super) time: Duration,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self { memory: 64 << 20, time: Duration::from_secs(1) }
    }
}

impl SandboxLimits {
    /// Returns the defaults: 64 MiB of memory, and one second per call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the memory limit of a connection in bytes.
    ///
    /// It starts at 1.1 MiB, and grows with data waiting to be sent or read.
    #[must_use]
    pub fn memory(self, bytes: usize) -> Self {
        Self { memory: bytes, ..self }
    }

    /// Sets how long one call into a sandbox may take, whether it processes received bytes or performs an operation.
    ///
    /// Calls normally take microseconds. A call that exceeds the limit is a bug, which then affects no other
    /// connection.
    #[must_use]
    pub fn time(self, limit: Duration) -> Self {
        Self { time: limit, ..self }
    }
}

/// The compiled engine, which creates connections, each in its own sandbox.
///
/// Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    engine: EnginePre<Guest>,
    limits: SandboxLimits,
}

impl Sandbox {
    /// Compiles the engine, or loads it from Wasmtime's cache.
    ///
    /// This takes a second or less; call it once per program.
    ///
    /// # Errors
    ///
    /// [`Trap::Defect`](super::Trap::Defect) if Wasmtime does not support the machine.
    pub fn new(limits: SandboxLimits) -> Result<Self, Error> {
        let engine = compile().map_err(|error| Error::trap(&error, limits.time))?;
        Ok(Self { shared: Arc::new(Shared { engine, limits }) })
    }

    /// Starts HTTP/2 as a client, with prior knowledge (RFC 9113, 3.3) or after ALPN has selected "h2".
    ///
    /// It does not wait for the peer; the caller may send requests at once.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for invalid options; [`Trap`](super::ErrorKind::Trap) if
    /// the limits leave no room for a connection.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with I/O and time.
    pub fn client(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        options: &Options,
    ) -> Result<Client, Error> {
        Ok(Client::new(self.start(io, Role::Client, options)?))
    }

    /// Starts HTTP/2 as a server, with prior knowledge (RFC 9113, 3.3) or after ALPN has selected "h2".
    ///
    /// It does not wait for the peer; [`Server::accept`] reports errors in the peer's preface.
    ///
    /// # Errors
    ///
    /// The errors of [`client`](Self::client).
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime with I/O and time.
    pub fn server(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        options: &Options,
    ) -> Result<Server, Error> {
        Ok(Server::new(self.start(io, Role::Server, options)?))
    }

    fn start(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        role: Role,
        options: &Options,
    ) -> Result<Handle, Error> {
        let Shared { engine, limits } = &*self.shared;
        let io = ByteStream::from_io(io);
        let readiness = io.readiness();
        let started = Instance::start(engine, limits, io, role, options);
        let instance = started.map_err(|error| Error::trap(&error, limits.time))??;
        Ok(Driver::spawn(instance, readiness, role, limits.time))
    }
}

/// Compiles the engine, and links it with its imports.
fn compile() -> wasmtime::Result<EnginePre<Guest>> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // The engine's calls never block, so none needs its own stack.
    config.concurrency_support(false);
    let engine = run::engine(&mut config)?;
    run::tick([&engine]);
    let component = Component::new(&engine, components::ENGINE)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    byte_stream::add_to_linker(&mut linker)?;
    EnginePre::new(linker.instantiate_pre(&component)?)
}
