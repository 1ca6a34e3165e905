//! A transport in memory, without tasks, clocks, or buffers hidden from the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi::p2::DynPollable;

use super::bindings::http2::engine::transport::{self, Host, HostByteStream, TransportError};

/// The `byte-stream` of a connection.
///
/// Clones refer to the same stream: the component has one, and the peer another.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the bindings export it once more")]
pub struct Wire(Arc<Mutex<Pipes>>);

/// The bytes in flight.
pub(crate) struct Pipes {
    /// Bytes that the peer has sent, and the component has not read.
    pub(crate) input: VecDeque<u8>,
    /// Bytes that the component has written, and the peer has not read.
    pub(crate) output: Vec<u8>,
    /// The number of bytes that the component may still write.
    pub(crate) room: usize,
    /// Whether the component has ended its direction.
    pub(crate) finished: bool,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let (input, output) = (VecDeque::new(), Vec::new());
        Self(Arc::new(Mutex::new(Pipes { input, output, room: usize::MAX, finished: false })))
    }

    pub(crate) fn pipes(&self) -> MutexGuard<'_, Pipes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn add_to_linker<T: WasiView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    transport::add_to_linker::<T, Table>(linker, |data| data.ctx().table)
}

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

impl Host for ResourceTable {}

impl HostByteStream for ResourceTable {
    fn read(&mut self, wire: Resource<Wire>, max: u32) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        let mut pipes = self.get(&wire)?.pipes();
        let taken = pipes.input.len().min(max as usize);
        Ok(Ok(pipes.input.drain(..taken).collect()))
    }

    fn write(
        &mut self,
        wire: Resource<Wire>,
        octets: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, TransportError>> {
        let mut pipes = self.get(&wire)?.pipes();
        let taken = octets.len().min(pipes.room);
        pipes.room -= taken;
        pipes.output.extend(&octets[..taken]);
        Ok(Ok(u32::try_from(taken)?))
    }

    fn finish(&mut self, wire: Resource<Wire>) -> wasmtime::Result<Result<(), TransportError>> {
        self.get(&wire)?.pipes().finished = true;
        Ok(Ok(()))
    }

    fn subscribe_read(&mut self, _wire: Resource<Wire>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime::bail!("the host never blocks")
    }

    fn subscribe_write(&mut self, _wire: Resource<Wire>) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime::bail!("the host never blocks")
    }

    fn drop(&mut self, wire: Resource<Wire>) -> wasmtime::Result<()> {
        self.delete(wire)?;
        Ok(())
    }
}
