//! Shared listeners for guests that use `wasi:sockets` 0.3.
//!
//! The host listens with Wasmtime's own implementation of `wasi:sockets`, and moves the accepted sockets into the
//! stores of the guests: bytes take the same path as with a single guest.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use anyhow::Result;
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

use super::{Listening, Queue};
use crate::run::spread::Spread;
use crate::run::{Guest, Network, Runtime};

/// Listens on `address`, for `guests` guests.
///
/// Returns the actual address, the guests' queue, and a future that accepts connections while it is polled.
pub(super) async fn bind(
    runtime: &Runtime,
    address: SocketAddr,
    guests: usize,
) -> Result<(SocketAddr, Queue, impl Future<Output = ()> + Send + use<>)> {
    let mut wasi = WasiCtx::builder();
    Network::Listen(address).apply(&mut wasi);
    let mut store = Store::new(runtime.engine(), Guest::new(wasi.build(), 0));
    let (connections, address) = listen(&mut store, address).await.map_err(|error| {
        let reason = error.downcast().map_or_else(|error| error.to_string(), words);
        anyhow::anyhow!("{address}: {reason}")
    })?;
    let spread = Arc::new(Spread::new(guests));
    connections.pipe(&mut store, Acceptor(spread.clone()))?;
    let accepting = async move {
        // The store forwards connections while this future runs.
        _ = store.run_concurrent(async |_| std::future::pending::<()>().await).await;
    };
    Ok((address, Queue::Sockets(spread), accepting))
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

/// Moves accepted sockets out of the accepting store, and distributes them.
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

/// The sockets of one guest, which are added to its store as the guest takes them.
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
        // A read of zero items asks whether an item is available.
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

/// Lets guests that have a share listen on the shared address.
///
/// Replaces three functions of `wasi:sockets/types`, which behave as before for all other sockets.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance("wasi:sockets/types@0.3.0")?;
    types.func_wrap_async("[method]tcp-socket.bind", |store, (socket, address)| {
        Box::new(async move { Ok((bind_to(store, socket, address).await?,)) })
    })?;
    types.func_wrap_async("[method]tcp-socket.listen", |store, (socket,)| {
        Box::new(async move { Ok((listen_on(store, socket).await?,)) })
    })?;
    types.func_wrap(
        "[method]tcp-socket.get-local-address",
        |mut store, (socket,): (Resource<TcpSocket>,)| {
            let guest: &mut Guest = store.data_mut();
            let number = socket.rep();
            match (guest.sockets().get_local_address(socket), &guest.listening) {
                // The socket is not really bound. If it is, it was created later and reuses the number.
                (Err(_), Listening { share: Some(share), socket: Some(bound) }) if *bound == number => {
                    Ok((Ok(share.address.into()),))
                }
                (address, _) => Ok((of_the_guest(guest, address)?,)),
            }
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Returns the connections of the guest's share, if `socket` is bound to it.
fn connections(listening: &Listening, socket: &Resource<TcpSocket>) -> Option<Connections> {
    let share = listening.share.as_ref().filter(|_| listening.socket == Some(socket.rep()))?;
    let Queue::Sockets(spread) = &share.queue else { return None };
    Some(Connections { spread: spread.clone(), guest: share.guest })
}

async fn bind_to(
    mut store: StoreContextMut<'_, Guest>,
    socket: Resource<TcpSocket>,
    address: IpSocketAddress,
) -> wasmtime::Result<Result<(), ErrorCode>> {
    let guest = store.data_mut();
    let Listening { share, socket: bound } = &mut guest.listening;
    let share = share.as_ref().filter(|share| matches!(share.queue, Queue::Sockets(_)));
    if bound.is_none() && share.is_some_and(|share| share.address == address.into()) {
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
    if let Some(connections) = connections(&store.data().listening, &socket) {
        return Ok(Ok(StreamReader::new(store, connections)?));
    }
    let access = Access::<_, WasiSockets>::new(store.as_context_mut(), Guest::sockets);
    let result = <WasiSockets as HostTcpSocketWithStore<Guest>>::listen(access, socket).await;
    of_the_guest(store.data_mut(), result)
}

/// Returns an error to the guest, unless it is an error of the host.
fn of_the_guest<T>(guest: &mut Guest, result: SocketResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => guest.sockets().convert_error_code(error).map(Err),
    }
}
