//! The imports of the engine: a simulated clock and a simulated transport.
//!
//! No call blocks: whenever the engine waits, simulated time and I/O advance.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use http2_simulation::Random;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::bindings::sync::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, async_trait};

use crate::peer::Peer;
use bindings::http2::engine::transport::{self, HostByteStream, TransportError};
use bindings::http2::engine::types;

pub(crate) use bindings::EnginePre;

pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "http2:engine/engine",
        with: {
            "wasi": wasmtime_wasi::p2::bindings::sync,
            "http2:engine/transport.byte-stream": super::ByteStream,
        },
        imports: { default: trappable },
    });
}

/// The memory limit of an instance, in bytes.
const MEMORY: usize = 64 << 20;

/// The state of an instance.
pub(crate) struct Host {
    pub(crate) table: ResourceTable,
    world: Arc<Mutex<World>>,
    wasi: WasiCtx,
    limits: StoreLimits,
}

/// State shared by all parts of an instance.
pub(crate) struct World {
    pub(crate) random: Random,
    now: u64,
    /// Whether time and I/O also advance without a caller that waits. If they do not, a caller that polls in a loop
    /// never makes progress.
    eager: bool,
}

/// A transport, with the peer at its other end.
#[allow(unreachable_pub, reason = "the bindings make it public")]
pub struct ByteStream(Arc<Mutex<Link>>);

struct Link {
    peer: Peer,
    /// Bytes in transit.
    coming: VecDeque<u8>,
    /// Bytes that have arrived but were not read yet.
    arrived: VecDeque<u8>,
    /// How many bytes can be written now.
    room: usize,
    /// The error of reads, once all bytes that have arrived were read.
    read_error: Option<TransportError>,
    /// The error of writes.
    write_error: Option<TransportError>,
}

/// A condition that the engine waits for.
enum Wait {
    Until(u64),
    Readable(Arc<Mutex<Link>>),
    Writable(Arc<Mutex<Link>>),
}

/// A pollable of the engine.
struct Waiting {
    world: Arc<Mutex<World>>,
    wait: Wait,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("no holder panics")
}

impl Link {
    fn is_readable(&self) -> bool {
        !self.arrived.is_empty() || self.read_error.is_some()
    }

    fn is_writable(&self) -> bool {
        self.room > 0 || self.write_error.is_some()
    }

    /// Advances the transport at random: bytes, room, the end, or an error.
    fn advance(&mut self, world: &mut World) {
        let random = &mut world.random;
        if random.one_in(100) {
            self.fail(random);
        }
        self.room += random.size(1 << 16);
        self.coming.extend(self.peer.speak(world.now, random));
        let arriving = self.coming.len().min(1 + random.size(1 << 14));
        self.arrived.extend(self.coming.drain(..arriving));
        if arriving == 0 && random.one_in(4) {
            self.read_error.get_or_insert(TransportError::Closed);
        }
    }

    fn fail(&mut self, random: &mut Random) {
        let error = match random.below(3) {
            0 => TransportError::ConnectionReset,
            1 => TransportError::Timeout,
            _ => TransportError::Other("simulated failure".to_owned()),
        };
        if random.one_in(2) {
            self.read_error.get_or_insert(error.clone());
        }
        self.write_error.get_or_insert(error);
    }
}

impl Waiting {
    fn is_over(&self) -> bool {
        match &self.wait {
            Wait::Until(at) => *at <= lock(&self.world).now,
            Wait::Readable(link) => lock(link).is_readable(),
            Wait::Writable(link) => lock(link).is_writable(),
        }
    }

    /// Lets time or I/O advance, unless another waiting caller has its turn.
    fn advance(&self) {
        let mut world = lock(&self.world);
        if world.random.one_in(2) {
            match &self.wait {
                Wait::Until(at) => world.now = world.now.max(*at),
                Wait::Readable(link) | Wait::Writable(link) => lock(link).advance(&mut world),
            }
        }
    }
}

#[async_trait]
impl wasmtime_wasi::p2::Pollable for Waiting {
    async fn ready(&mut self) {
        while !self.is_over() {
            self.advance();
            tokio::task::yield_now().await;
        }
    }
}

impl Host {
    pub(crate) fn new(mut random: Random) -> Self {
        let eager = random.one_in(2);
        Self {
            table: ResourceTable::new(),
            world: Arc::new(Mutex::new(World { random, now: 1, eager })),
            wasi: WasiCtx::builder().build(),
            limits: StoreLimitsBuilder::new().memory_size(MEMORY).build(),
        }
    }

    pub(crate) fn limits(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.limits
    }

    /// Returns the shared state, which includes the random numbers.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Creates a transport to a peer.
    pub(crate) fn connect(&mut self, peer: Peer) -> wasmtime::Result<Resource<ByteStream>> {
        let link = Link {
            peer,
            coming: VecDeque::new(),
            arrived: VecDeque::new(),
            room: 0,
            read_error: None,
            write_error: None,
        };
        Ok(self.table.push(ByteStream(Arc::new(Mutex::new(link))))?)
    }

    fn wait(&mut self, wait: Wait) -> wasmtime::Result<Resource<DynPollable>> {
        let waiting = self.table.push(Waiting { world: Arc::clone(&self.world), wait })?;
        subscribe(&mut self.table, waiting)
    }

    fn link(&self, stream: &Resource<ByteStream>) -> wasmtime::Result<Arc<Mutex<Link>>> {
        Ok(Arc::clone(&self.table.get(stream)?.0))
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl monotonic_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let mut world = self.world();
        let passed = if world.eager { u64::from(world.random.size_u32(1 << 20)) } else { 0 };
        world.now = world.now.saturating_add(passed);
        Ok(world.now)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.wait(Wait::Until(when))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let until = self.world().now.saturating_add(duration);
        self.wait(Wait::Until(until))
    }
}

impl types::Host for Host {}

impl transport::Host for Host {}

impl HostByteStream for Host {
    fn read(
        &mut self,
        stream: Resource<ByteStream>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, TransportError>> {
        let link = self.link(&stream)?;
        let (mut link, mut world) = (lock(&link), self.world());
        if world.eager && world.random.one_in(4) {
            link.advance(&mut world);
        }
        if link.arrived.is_empty() {
            return Ok(link.read_error.clone().map_or(Ok(Vec::new()), Err));
        }
        let most = link.arrived.len().min(max as usize);
        let octets = if world.random.one_in(4) { 1 + world.random.below(most) } else { most };
        Ok(Ok(link.arrived.drain(..octets.min(most)).collect()))
    }

    fn write(
        &mut self,
        stream: Resource<ByteStream>,
        octets: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, TransportError>> {
        let link = self.link(&stream)?;
        let (mut link, mut world) = (lock(&link), self.world());
        if let Some(error) = &link.write_error {
            return Ok(Err(error.clone()));
        }
        if world.eager && world.random.one_in(2) {
            link.room += world.random.size(1 << 16);
        }
        let taken = link.room.min(octets.len());
        link.room -= taken;
        link.peer.hear(world.now, &octets[..taken]);
        Ok(Ok(u32::try_from(taken).expect("`octets` is longer than a u32 can hold")))
    }

    fn finish(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Result<(), TransportError>> {
        let link = self.link(&stream)?;
        Ok(match lock(&link).write_error.get_or_insert(TransportError::Closed) {
            TransportError::Closed => Ok(()),
            error => Err(error.clone()),
        })
    }

    fn subscribe_read(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Resource<DynPollable>> {
        let link = self.link(&stream)?;
        self.wait(Wait::Readable(link))
    }

    fn subscribe_write(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<Resource<DynPollable>> {
        let link = self.link(&stream)?;
        self.wait(Wait::Writable(link))
    }

    fn drop(&mut self, stream: Resource<ByteStream>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

/// Links the imports of an instance.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)?;
    types::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)?;
    transport::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host)
}
