//! Shared listeners for guests that use `http2:engine/tcp`, which the host supplies as byte-streams over its own
//! sockets.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::AsyncWrite;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiView, async_trait};

use super::{Queue, Share};
use crate::bindings::http2::engine::transport::TransportError;
use crate::bindings::tcp::http2::engine::tcp::{self, Host, HostListener};
use crate::byte_stream::ByteStream;
use crate::run::Guest;
use crate::run::spread::Spread;

/// The pause after a connection could not be accepted, for example for lack of file descriptors.
const RESPITE: Duration = Duration::from_millis(100);

/// Connections for the guests.
pub(super) struct Streams {
    pub(super) spread: Spread<(TcpStream, SocketAddr)>,
    /// How many connections taken by guests are still sending.
    sending: watch::Sender<usize>,
}

impl Streams {
    /// Waits until all bytes that guests have written are sent.
    pub(super) async fn sent(&self) {
        _ = self.sending.subscribe().wait_for(|&sending| sending == 0).await;
    }
}

/// The sending direction of a connection, which is counted while it is in use.
struct Writer {
    half: OwnedWriteHalf,
    sending: watch::Sender<usize>,
}

impl Writer {
    fn new(half: OwnedWriteHalf, sending: &watch::Sender<usize>) -> Self {
        sending.send_modify(|sending| *sending += 1);
        Self { half, sending: sending.clone() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.sending.send_modify(|sending| *sending -= 1);
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.half).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.half).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.half).poll_shutdown(context)
    }
}

/// Listens on `address`, for `guests` guests.
///
/// Returns the actual address, the guests' queue, and a future that accepts connections while it is polled.
pub(super) async fn bind(
    address: SocketAddr,
    guests: usize,
) -> Result<(SocketAddr, Queue, impl Future<Output = ()> + Send + use<>)> {
    let listener = TcpListener::bind(address).await.with_context(|| address.to_string())?;
    let address = listener.local_addr()?;
    let streams = Arc::new(Streams { spread: Spread::new(guests), sending: watch::Sender::new(0) });
    let given = streams.clone();
    let accepting = async move {
        loop {
            poll_fn(|context| given.spread.poll_room(context)).await;
            match listener.accept().await {
                Ok(connection) => given.spread.give(connection),
                Err(_) => tokio::time::sleep(RESPITE).await,
            }
        }
    };
    Ok((address, Queue::Streams(streams), accepting))
}

/// Supplies `http2:engine/tcp`.
///
/// It makes no outgoing connections, and listens only on addresses of a guest's share.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    tcp::add_to_linker::<Guest, HasSelf<Guest>>(linker, |guest| guest)
}

/// One guest's `listener`, which yields its share of the connections.
pub struct Listener {
    address: SocketAddr,
    streams: Arc<Streams>,
    guest: usize,
}

#[async_trait]
impl Pollable for Listener {
    async fn ready(&mut self) {
        poll_fn(|context| self.streams.spread.poll_ready(self.guest, context)).await;
    }
}

impl Guest {
    /// Gives the guest an accepted connection.
    fn add(&mut self, stream: TcpStream, streams: &Streams) -> wasmtime::Result<Resource<ByteStream>> {
        // If the option cannot be set, small messages may be delayed.
        _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let writer = Writer::new(writer, &streams.sending);
        Ok(self.ctx().table.push(ByteStream::new(reader, writer))?)
    }
}

impl Host for Guest {
    fn connect(
        &mut self,
        _host: String,
        _port: u16,
        _timeout: Option<u64>,
    ) -> wasmtime::Result<Result<Resource<ByteStream>, TransportError>> {
        Ok(Err(TransportError::AddressUnusable("the host makes no outgoing connections".to_owned())))
    }
}

impl HostListener for Guest {
    fn listen(&mut self, address: String) -> wasmtime::Result<Result<Resource<Listener>, TransportError>> {
        let shared = |share: &&Share| address.parse() == Ok(share.address);
        let Some(Share { address, queue: Queue::Streams(streams), guest }) =
            self.listening.share.as_ref().filter(shared)
        else {
            return Ok(Err(TransportError::AddressUnusable(format!("{address}: not permitted"))));
        };
        let listener = Listener { address: *address, streams: streams.clone(), guest: *guest };
        Ok(Ok(self.ctx().table.push(listener)?))
    }

    fn local_address(&mut self, listener: Resource<Listener>) -> wasmtime::Result<String> {
        Ok(self.ctx().table.get(&listener)?.address.to_string())
    }

    fn accept(
        &mut self,
        listener: Resource<Listener>,
    ) -> wasmtime::Result<Result<Option<(Resource<ByteStream>, String)>, TransportError>> {
        let Listener { streams, guest, .. } = self.ctx().table.get(&listener)?;
        let (streams, guest) = (streams.clone(), *guest);
        let Poll::Ready((stream, peer)) =
            streams.spread.poll_take(guest, &Context::from_waker(Waker::noop()))
        else {
            return Ok(Ok(None));
        };
        Ok(Ok(Some((self.add(stream, &streams)?, peer.to_string()))))
    }

    async fn blocking_accept(
        &mut self,
        listener: Resource<Listener>,
        timeout: Option<u64>,
    ) -> wasmtime::Result<Result<(Resource<ByteStream>, String), TransportError>> {
        let Listener { streams, guest, .. } = self.ctx().table.get(&listener)?;
        let (streams, guest) = (streams.clone(), *guest);
        let accepting = poll_fn(|context| streams.spread.poll_take(guest, context));
        let accepted = match timeout {
            Some(timeout) => tokio::time::timeout(Duration::from_nanos(timeout), accepting).await.ok(),
            None => Some(accepting.await),
        };
        match accepted {
            Some((stream, peer)) => Ok(Ok((self.add(stream, &streams)?, peer.to_string()))),
            None => Ok(Err(TransportError::Timeout)),
        }
    }

    fn subscribe(&mut self, listener: Resource<Listener>) -> wasmtime::Result<Resource<DynPollable>> {
        let table = self.ctx().table;
        let Listener { address, streams, guest } = table.get(&listener)?;
        // The pollable shares ownership of the queue, and so may outlive the listener.
        let waiting = Listener { address: *address, streams: streams.clone(), guest: *guest };
        let waiting = table.push(waiting)?;
        subscribe(table, waiting)
    }

    fn drop(&mut self, listener: Resource<Listener>) -> wasmtime::Result<()> {
        self.ctx().table.delete(listener)?;
        Ok(())
    }
}
