//! One TCP listener for several guests.
//!
//! WASI has no SO_REUSEPORT, so that guests cannot listen on one address by themselves. Here the host does, and hands
//! the connections over to them.

mod engine;
mod wasi;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::task::AbortHandle;
use wasmtime::component::Linker;
use wasmtime_wasi::sockets::TcpSocket;

pub use engine::Listener;

use super::spread::Spread;
use super::{Guest, Runtime};

/// A TCP listener of the host, whose connections are spread over several guests. When it is closed or dropped, it takes
/// no more connections; those that guests have taken go on.
pub struct SharedListener {
    address: SocketAddr,
    guests: usize,
    queue: Queue,
    accepting: AbortHandle,
}

/// Connections on their way to the guests, as these take them.
#[derive(Clone)]
enum Queue {
    /// As sockets of `wasi:sockets` 0.3.
    Sockets(Arc<Spread<TcpSocket>>),
    /// As byte-streams of the host.
    Streams(Arc<engine::Streams>),
}

impl SharedListener {
    /// Listens on `address`, for so many guests that use `wasi:sockets` 0.3.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind(runtime: &Runtime, address: SocketAddr, guests: usize) -> Result<Self> {
        let (address, queue, accepting) = wasi::bind(runtime, address, guests).await?;
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { address, guests, queue, accepting })
    }

    /// Listens on `address`, for so many guests that are composed with the engine but without a transport, and so get
    /// `http2:engine/tcp` from the host: see [`Composition::host_transport`](crate::Composition::host_transport).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind_byte_streams(address: SocketAddr, guests: usize) -> Result<Self> {
        let (address, queue, accepting) = engine::bind(address, guests).await?;
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { address, guests, queue, accepting })
    }

    /// The address on which it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// The shares of the guests.
    pub fn shares(&self) -> impl Iterator<Item = Share> {
        (0..self.guests).map(|guest| Share { address: self.address, queue: self.queue.clone(), guest })
    }

    /// Takes no more connections.
    pub fn close(&self) {
        self.accepting.abort();
    }

    /// Waits until all is sent that guests have written: byte-streams of the host may still have some of it when the
    /// guests have ended.
    pub async fn sent(&self) {
        if let Queue::Streams(streams) = &self.queue {
            streams.sent().await;
        }
    }
}

impl Drop for SharedListener {
    fn drop(&mut self) {
        self.close();
    }
}

/// What one guest gets of a [`SharedListener`]: when it listens on the address of that one, its share of the
/// connections. A guest that takes the place of another takes over its share.
#[derive(Clone)]
pub struct Share {
    address: SocketAddr,
    queue: Queue,
    guest: usize,
}

impl Share {
    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of the guest, from 0.
    pub fn guest(&self) -> usize {
        self.guest
    }

    /// How many connections the guest, and those before it, have taken.
    pub fn taken(&self) -> u64 {
        match &self.queue {
            Queue::Sockets(spread) => spread.taken(self.guest),
            Queue::Streams(streams) => streams.spread.taken(self.guest),
        }
    }
}

/// What a guest has of a shared listener.
#[derive(Default)]
pub(super) struct Listening {
    pub(super) share: Option<Share>,
    /// The socket of `wasi:sockets` that the guest has bound to the shared address.
    socket: Option<u32>,
}

/// Lets guests that have a share listen on it.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasi::add_to_linker(linker)?;
    engine::add_to_linker(linker)
}
