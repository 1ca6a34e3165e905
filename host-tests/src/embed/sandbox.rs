//! What all connections share: the compiled engine, and the limits of each.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::Config;
use wasmtime::component::{Component, HasData, Linker, Resource};
use wasmtime_wasi::p2::DynOutputStream;
use wasmtime_wasi::p2::bindings::cli::stderr;

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

/// What one connection may use up. A connection that wants more is ended; the others go on.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) memory: usize,
    pub(super) time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, time: Duration::from_secs(1) }
    }
}

impl Limits {
    /// 64 MiB of memory, and a second for a call.
    pub fn new() -> Self {
        Self::default()
    }

    /// The memory of a connection, in octets. It begins with 1.1 MiB; to that comes what waits to be sent or read.
    #[must_use]
    pub fn memory(self, octets: usize) -> Self {
        Self { memory: octets, ..self }
    }

    /// How long one call into a sandbox may take: to deal with what has arrived, or to carry out what was asked. That is
    /// a matter of microseconds; more than this limit is a defect, which then hurts nobody else.
    #[must_use]
    pub fn time(self, limit: Duration) -> Self {
        Self { time: limit, ..self }
    }
}

/// The compiled engine: makes connections, each in a sandbox of its own. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    engine: EnginePre<Guest>,
    limits: Limits,
}

impl Sandbox {
    /// Compiles the engine, or takes it from Wasmtime's cache. It takes a second or less, once in a program.
    ///
    /// # Errors
    ///
    /// [`Trap::Defect`](super::Trap::Defect), if Wasmtime does not support the machine.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let engine = compile().map_err(|error| Error::trap(&error, limits.time))?;
        Ok(Self { shared: Arc::new(Shared { engine, limits }) })
    }

    /// Starts HTTP/2 as a client: prior knowledge (RFC 9113, 3.3), or after ALPN has chosen «h2». It does not wait for
    /// the peer; requests may be sent at once.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for options that cannot be;
    /// [`Trap`](super::ErrorKind::Trap) where the limits leave no room for a connection.
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

    /// Starts HTTP/2 as a server: prior knowledge (RFC 9113, 3.3), or after ALPN has chosen «h2». It does not wait for
    /// the peer: what is wrong with its preface is told by [`Server::accept`].
    ///
    /// # Errors
    ///
    /// Those of [`client`](Self::client).
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

/// Compiles the engine, and links it with all that it gets of the host.
fn compile() -> wasmtime::Result<EnginePre<Guest>> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // No call of the engine waits, so that none needs a stack of its own.
    config.concurrency_support(false);
    let engine = run::engine(&mut config)?;
    run::tick(&engine);
    let component = Component::new(&engine, components::ENGINE)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    byte_stream::add_to_linker(&mut linker)?;
    linker.allow_shadowing(true);
    stderr::add_to_linker::<Guest, Panic>(&mut linker, |_| Panic)?;
    EnginePre::new(linker.instantiate_pre(&component)?)
}

/// Standard error, to which the engine writes only to say that it panics.
struct Panic;

impl HasData for Panic {
    type Data<'a> = Self;
}

impl stderr::Host for Panic {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        wasmtime::bail!("the engine has panicked")
    }
}
