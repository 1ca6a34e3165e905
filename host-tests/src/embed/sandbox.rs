//! What all connections share: the compiled engine, and the limits of each.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::component::Component;

use super::client::Client;
use super::driver::Driver;
use super::error::Error;
use super::handle::Handle;
use super::instance::Instance;
use super::options::Options;
use super::server::Server;
use crate::bindings::EnginePre;
use crate::bindings::exports::http2::engine::connection::Role;
use crate::run::Guest;
use crate::{ByteStream, Runtime, components};

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

    /// The memory of a connection, in octets. An idle one has 2 MiB; to that comes what waits to be sent or read.
    #[must_use]
    pub fn memory(self, octets: usize) -> Self {
        Self { memory: octets, ..self }
    }

    /// How long a connection may compute in one go, from when octets have arrived or something was asked until it
    /// waits again. It takes microseconds; more than this limit is a defect, which then hurts nobody else.
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
        let compile = || {
            let runtime = Runtime::with_interrupts().map_err(wasmtime::Error::from_anyhow)?;
            let component = Component::new(runtime.engine(), components::ENGINE)?;
            EnginePre::new(runtime.linker().instantiate_pre(&component)?)
        };
        let engine = compile().map_err(|error: wasmtime::Error| Error::trap(&error, limits.time))?;
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
    pub async fn client(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        options: &Options,
    ) -> Result<Client, Error> {
        Ok(Client::new(self.start(io, Role::Client, options).await?))
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
    pub async fn server(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        options: &Options,
    ) -> Result<Server, Error> {
        Ok(Server::new(self.start(io, Role::Server, options).await?))
    }

    async fn start(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        role: Role,
        options: &Options,
    ) -> Result<Handle, Error> {
        let Shared { engine, limits } = &*self.shared;
        let io = ByteStream::from_io(io);
        let readiness = io.readiness();
        let started = Instance::start(engine, limits, io, role, options).await;
        let instance = started.map_err(|error| Error::trap(&error, limits.time))??;
        Ok(Driver::spawn(instance, readiness, role, limits.time))
    }
}
