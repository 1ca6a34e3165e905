//! `http2:engine/transport` supplied by the host: byte-streams over anything that Tokio can read and write.

mod receiver;
mod sender;

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::bindings::http2::engine::transport::{self, Host, HostByteStream, TransportError};
use receiver::Receiver;
use sender::Sender;

/// A `byte-stream` of the host, which a guest can use as a resource once it is in the table of the guest's store.
///
/// When the guest drops it, or when the store is dropped after the guest trapped, the bytes already written are still
/// sent, provided that the Tokio runtime stays alive and the peer takes them within 30 seconds.
pub struct ByteStream {
    receiver: Receiver,
    sender: Sender,
}

impl ByteStream {
    /// Creates a byte-stream that receives from `reader` and sends to `writer`.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, because it spawns a task for sending.
    pub fn new(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self { receiver: Receiver::new(Box::new(reader)), sender: Sender::spawn(Box::new(writer)) }
    }

    /// Creates a byte-stream over a bidirectional connection.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, because it spawns a task for sending.
    pub fn from_io(io: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(io);
        Self::new(reader, writer)
    }

    /// Returns a view for a host that drives the guest itself and waits for the byte-stream's readiness.
    pub(crate) fn readiness(&self) -> Readiness {
        Readiness { receiver: self.receiver.clone(), sender: self.sender.clone() }
    }
}

impl Drop for ByteStream {
    fn drop(&mut self) {
        // On a broken connection, nothing is left to finish.
        _ = self.sender.finish();
    }
}

/// The host's view of a guest's byte-stream: waits until the guest can make progress on it.
pub(crate) struct Readiness {
    receiver: Receiver,
    sender: Sender,
}

impl Readiness {
    /// Waits until bytes have arrived, or an end of the stream that the guest has not seen yet.
    pub(crate) async fn readable(&self) {
        self.receiver.news().await;
    }

    /// Waits for room if the last write was accepted only in part; otherwise never completes.
    pub(crate) async fn writable(&self) {
        self.sender.room().await;
    }
}

/// Supplies `http2:engine/transport` to the components that the linker instantiates.
///
/// # Errors
///
/// If the linker already defines that interface.
pub fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    transport::add_to_linker::<T, Table>(linker, |data| data.ctx().table)
}

/// Byte-streams need only the table of a store.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

impl Host for ResourceTable {}

impl HostByteStream for ResourceTable {
    fn read(
        &mut self,
        stream: Resource<ByteStream>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Ok(self.get(&stream)?.receiver.read(max))
    }

    fn write(
        &mut self,
        stream: Resource<ByteStream>,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, TransportError>> {
        let taken = self.get(&stream)?.sender.write(&bytes);
        Ok(taken.map(|taken| u32::try_from(taken).unwrap_or(u32::MAX)))
    }

    fn finish(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Result<(), TransportError>> {
        Ok(self.get(&stream)?.sender.finish())
    }

    fn subscribe_read(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Resource<DynPollable>> {
        let receiver = self.get(&stream)?.receiver.clone();
        subscribe_to(self, receiver)
    }

    fn subscribe_write(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Resource<DynPollable>> {
        let sender = self.get(&stream)?.sender.clone();
        subscribe_to(self, sender)
    }

    fn drop(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<()> {
        self.delete(stream)?;
        Ok(())
    }
}

/// Creates a pollable that shares ownership of the stream, and so may outlive the resource.
fn subscribe_to(
    table: &mut ResourceTable,
    direction: impl Pollable,
) -> wasmtime::Result<Resource<DynPollable>> {
    let direction = table.push(direction)?;
    subscribe(table, direction)
}

/// Maps the error that broke a stream to an error of the transport.
impl From<&io::Error> for TransportError {
    fn from(error: &io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut};
        match error.kind() {
            ConnectionReset | ConnectionAborted | BrokenPipe => Self::ConnectionReset,
            ConnectionRefused => Self::ConnectionRefused,
            TimedOut => Self::Timeout,
            _ => Self::Other(error.to_string()),
        }
    }
}
