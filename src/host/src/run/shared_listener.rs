//! One TCP listener shared by several guests.
//!
//! WASI has no SO_REUSEPORT, so several guests cannot listen on one address themselves. Instead, the host listens and
//! hands the connections over to them.

pub(super) mod engine;
pub(super) mod wasi;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::task::AbortHandle;
use wasmtime_wasi::sockets::TcpSocket;

pub use engine::Listener;

use super::Runtime;
use super::spread::Spread;

/// A TCP listener of the host, whose connections are distributed among several guests.
///
/// Once it is closed or dropped, it accepts no more connections; those that guests have taken go on.
pub struct SharedListener {
    address: SocketAddr,
    guests: usize,
    queue: Queue,
    accepting: AbortHandle,
}

/// Connections on their way to the guests.
#[derive(Clone)]
enum Queue {
    /// As sockets of `wasi:sockets` 0.3.
    Sockets(Arc<Spread<TcpSocket>>),
    /// As byte-streams of the host.
    Streams(Arc<engine::Streams>),
}

impl SharedListener {
    /// Listens on `address`, for `guests` guests that use `wasi:sockets` 0.3.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind(runtime: &Runtime, address: SocketAddr, guests: usize) -> Result<Self> {
        let (address, queue, accepting) = wasi::bind(runtime, address, guests).await?;
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { address, guests, queue, accepting })
    }

    /// Listens on `address`, for `guests` guests that are composed with the engine but without a transport, and so use
    /// the host's `http2:engine/tcp`: see [`Composition::host_transport`](crate::Composition::host_transport).
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind_byte_streams(address: SocketAddr, guests: usize) -> Result<Self> {
        let (address, queue, accepting) = engine::bind(address, guests).await?;
        let accepting = tokio::spawn(accepting).abort_handle();
        Ok(Self { address, guests, queue, accepting })
    }

    /// Returns the address on which it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the guests' shares.
    pub fn shares(&self) -> impl Iterator<Item = Share> {
        (0..self.guests).map(|guest| Share { address: self.address, queue: self.queue.clone(), guest })
    }

    /// Stops accepting connections.
    pub fn close(&self) {
        self.accepting.abort();
    }

    /// Waits until all bytes that guests have written are sent.
    ///
    /// Byte-streams of the host may still hold some of them after the guests have ended.
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

/// One guest's share of a [`SharedListener`].
///
/// A guest that listens on the listener's address gets its share of the connections. A replacement for a guest takes
/// over its share.
#[derive(Clone)]
pub struct Share {
    address: SocketAddr,
    queue: Queue,
    guest: usize,
}

impl Share {
    /// Returns the address to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of the guest, counted from 0.
    pub fn guest(&self) -> usize {
        self.guest
    }

    /// Returns how many connections the guest and its predecessors have taken.
    pub fn taken(&self) -> u64 {
        match &self.queue {
            Queue::Sockets(spread) => spread.taken(self.guest),
            Queue::Streams(streams) => streams.spread.taken(self.guest),
        }
    }
}

/// A guest's state for a shared listener.
#[derive(Default)]
pub(super) struct Listening {
    pub(super) share: Option<Share>,
    /// The socket of `wasi:sockets` that the guest has bound to the shared address.
    socket: Option<u32>,
}
