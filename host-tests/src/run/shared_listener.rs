//! One TCP listener for several guests of WASI 0.3.
//!
//! WASI has no SO_REUSEPORT, so that guests cannot listen on one address by themselves. Here the host listens, with
//! Wasmtime's own implementation of `wasi:sockets` 0.3, and moves the sockets that it accepts into the stores of the
//! guests: no octet passes through anything that would not be there with one guest.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anyhow::Result;
use tokio::task::AbortHandle;
use wasmtime::component::{
    Access, Destination, Linker, Resource, Source, StreamConsumer, StreamProducer, StreamReader, StreamResult,
};
use wasmtime::{AsContextMut, Store, StoreContextMut};
use wasmtime_wasi::p3::bindings::sockets::types::{
    ErrorCode, Host, HostTcpSocket, HostTcpSocketWithStore, IpAddressFamily, IpSocketAddress,
};
use wasmtime_wasi::p3::sockets::SocketResult;
use wasmtime_wasi::sockets::{TcpSocket, WasiSockets, WasiSocketsView};
use wasmtime_wasi::{WasiCtx, WasiView};

use super::spread::Spread;
use super::{Guest, Network, Runtime};

/// A TCP listener of the host, whose connections are spread over several guests. When it is dropped, it takes no more
/// connections; those that guests have taken go on.
pub struct SharedListener {
    address: SocketAddr,
    guests: usize,
    spread: Arc<Spread<TcpSocket>>,
    accepting: AbortHandle,
}

impl SharedListener {
    /// Listens on `address`, for so many guests.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind(runtime: &Runtime, address: SocketAddr, guests: usize) -> Result<Self> {
        let mut wasi = WasiCtx::builder();
        Network::Listen(address).apply(&mut wasi);
        let mut store = Store::new(runtime.engine(), Guest::new(wasi.build(), 0));
        let (connections, address) = listen(&mut store, address).await.map_err(|error| {
            let reason = error.downcast().map_or_else(|error| error.to_string(), words);
            anyhow::anyhow!("{address}: {reason}")
        })?;
        let spread = Arc::new(Spread::new(guests));
        connections.pipe(&mut store, Acceptor(spread.clone()))?;
        let accepting = tokio::spawn(async move {
            // The store moves the connections along for as long as this lasts.
            _ = store.run_concurrent(async |_| std::future::pending::<()>().await).await;
        });
        Ok(Self { address, guests, spread, accepting: accepting.abort_handle() })
    }

    /// The address on which it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// The shares of the guests.
    pub fn shares(&self) -> impl Iterator<Item = Share> {
        (0..self.guests).map(|guest| Share { address: self.address, spread: self.spread.clone(), guest })
    }
}

impl Drop for SharedListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn listen(
    store: &mut Store<Guest>,
    address: SocketAddr,
) -> SocketResult<(StreamReader<Resource<TcpSocket>>, SocketAddr)> {
    let family = if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
    let socket = store.data_mut().sockets().create(family)?;
    let again = || Resource::new_borrow(socket.rep());
    store.data_mut().sockets().bind(again(), address.into()).await?;
    let access = Access::<_, WasiSockets>::new(store.as_context_mut(), Guest::sockets);
    let connections = <WasiSockets as HostTcpSocketWithStore<Guest>>::listen(access, again()).await?;
    let address = store.data_mut().sockets().get_local_address(again())?;
    Ok((connections, address.into()))
}

fn words(error: ErrorCode) -> String {
    match error {
        ErrorCode::AddressInUse => "already in use".to_owned(),
        ErrorCode::AddressNotBindable => "not an address of this machine".to_owned(),
        ErrorCode::AccessDenied => "not permitted".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Takes accepted sockets out of the store that accepts, and spreads them.
struct Acceptor(Arc<Spread<TcpSocket>>);

impl StreamConsumer<Guest> for Acceptor {
    type Item = Resource<TcpSocket>;

    fn poll_consume(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'_, Guest>,
        mut source: Source<'_, Self::Item>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.0.poll_room(context).is_pending() {
            return if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending };
        }
        let mut accepted = Vec::with_capacity(1);
        source.read(&mut store, &mut accepted)?;
        for socket in accepted {
            self.0.give(store.data_mut().ctx().table.delete(socket)?);
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// What one guest gets of a [`SharedListener`]: when it listens on the address of that one, its share of the
/// connections. A guest that takes the place of another takes over its share.
#[derive(Clone)]
pub struct Share {
    address: SocketAddr,
    spread: Arc<Spread<TcpSocket>>,
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
        self.spread.taken(self.guest)
    }

    fn connections(&self) -> Connections {
        Connections { spread: self.spread.clone(), guest: self.guest }
    }
}

/// The sockets of one guest, put into its store as it takes them.
struct Connections {
    spread: Arc<Spread<TcpSocket>>,
    guest: usize,
}

impl StreamProducer<Guest> for Connections {
    type Item = Resource<TcpSocket>;
    type Buffer = Option<Self::Item>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, Guest>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Self { spread, guest } = &*self;
        // A read of nothing asks whether something is there.
        let only_ready = destination.remaining(&mut store) == Some(0);
        if spread.poll_ready(*guest, context).is_pending() {
            return if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending };
        }
        if !only_ready {
            let socket = ready!(spread.poll_take(*guest, context));
            destination.set_buffer(Some(store.data_mut().ctx().table.push(socket)?));
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// What a guest has of a shared listener.
#[derive(Default)]
pub(super) struct Listening {
    pub(super) share: Option<Share>,
    /// The socket that the guest has bound to the shared address.
    socket: Option<u32>,
}

impl Listening {
    /// The share, if `socket` is the one that is bound to it.
    fn share_of(&self, socket: &Resource<TcpSocket>) -> Option<&Share> {
        self.share.as_ref().filter(|_| self.socket == Some(socket.rep()))
    }
}

/// Lets guests that have a share listen on it: replaces three functions of `wasi:sockets/types`, which for all other
/// sockets do what they did.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:sockets/types@0.3.0")?;
    types.func_wrap_async("[method]tcp-socket.bind", |store, (socket, address)| {
        Box::new(async move { Ok((bind(store, socket, address).await?,)) })
    })?;
    types.func_wrap_async("[method]tcp-socket.listen", |store, (socket,)| {
        Box::new(async move { Ok((listen_on(store, socket).await?,)) })
    })?;
    types.func_wrap("[method]tcp-socket.get-local-address", |mut store, (socket,)| {
        let guest: &mut Guest = store.data_mut();
        if let Some(share) = guest.listening.share_of(&socket) {
            return Ok((Ok(share.address.into()),));
        }
        let address = guest.sockets().get_local_address(socket);
        Ok((of_the_guest(guest, address)?,))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn bind(
    mut store: StoreContextMut<'_, Guest>,
    socket: Resource<TcpSocket>,
    address: IpSocketAddress,
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let guest = store.data_mut();
    let Listening { share, socket: bound } = &mut guest.listening;
    if bound.is_none() && share.as_ref().is_some_and(|share| share.address == address.into()) {
        *bound = Some(socket.rep());
        return Ok(Ok(()));
    }
    let result = guest.sockets().bind(socket, address).await;
    of_the_guest(guest, result)
}

async fn listen_on(
    mut store: StoreContextMut<'_, Guest>,
    socket: Resource<TcpSocket>,
) -> wasmtime::Result<Result<StreamReader<Resource<TcpSocket>>, ErrorCode>> {
    if let Some(share) = store.data().listening.share_of(&socket) {
        let connections = share.connections();
        return Ok(Ok(StreamReader::new(store, connections)?));
    }
    let access = Access::<_, WasiSockets>::new(store.as_context_mut(), Guest::sockets);
    let result = <WasiSockets as HostTcpSocketWithStore<Guest>>::listen(access, socket).await;
    of_the_guest(store.data_mut(), result)
}

/// An error as the guest sees it, unless it is one of the host.
fn of_the_guest<T>(guest: &mut Guest, result: SocketResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => guest.sockets().convert_error_code(error).map(Err),
    }
}
