//! Incoming connections.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};

use wasi::sockets::instance_network::instance_network;
use wasi::sockets::network::ErrorCode;
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use super::reactor::{self, Interest};
use super::stream::TcpStream;
use super::{address, error};

/// Maximum number of connections waiting to be accepted; hosts lower it to their own limit.
const BACKLOG: u64 = 4096;

/// A TCP socket that accepts connections.
///
/// One task at a time can wait for the next one.
#[derive(Debug)]
pub struct TcpListener {
    /// Dropped before its socket, as the host requires.
    ready: Interest,
    socket: TcpSocket,
    address: SocketAddr,
}

impl TcpListener {
    /// Listens on the first of the addresses that can be bound. The look-up of a name blocks.
    ///
    /// # Errors
    ///
    /// Returns why the last address cannot be bound.
    pub async fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = ErrorKind::InvalidInput.into();
        for address in addresses.to_socket_addrs()? {
            match Self::listen(address).await {
                Ok(listener) => return Ok(listener),
                Err(code) => last = error::from_socket(code),
            }
        }
        Err(last)
    }

    async fn listen(address: SocketAddr) -> Result<Self, ErrorCode> {
        let (family, local) = address::to_wasi(address);
        let socket = create_tcp_socket(family)?;
        // A host that cannot set the backlog works as well.
        let _ = socket.set_listen_backlog_size(BACKLOG);
        let ready = Interest::new(socket.subscribe());
        socket.start_bind(&instance_network(), local)?;
        poll_fn(|cx| poll_finished(cx, &ready, || socket.finish_bind())).await?;
        socket.start_listen()?;
        poll_fn(|cx| poll_finished(cx, &ready, || socket.finish_listen())).await?;
        let address = address::from_wasi(socket.local_address()?);
        Ok(Self { ready, socket, address })
    }

    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Returns no error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    /// Waits for a connection, and returns it with the address of the peer.
    ///
    /// If the future is dropped, no connection is lost.
    ///
    /// # Errors
    ///
    /// Returns the host's error, for example if it allows no more sockets.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            let accepted = poll_fn(|cx| poll_finished(cx, &self.ready, || self.socket.accept()));
            match accepted.await {
                Ok((socket, input, output)) => {
                    // A peer that has already left has no address.
                    let Ok(peer) = socket.remote_address() else { continue };
                    return Ok((TcpStream::new(socket, input, output), address::from_wasi(peer)));
                }
                // The peer gave up while it waited.
                Err(ErrorCode::ConnectionAborted | ErrorCode::ConnectionReset) => {}
                Err(code) => return Err(error::from_socket(code)),
            }
        }
    }
}

/// Waits for an operation of a socket; `ready` is the socket's pollable.
pub(super) fn poll_finished<T>(
    cx: &Context<'_>,
    ready: &Interest,
    finish: impl Fn() -> Result<T, ErrorCode>,
) -> Poll<Result<T, ErrorCode>> {
    // The task may have been woken for other reasons.
    if ready.waits(cx) {
        return Poll::Pending;
    }
    match finish() {
        Err(ErrorCode::WouldBlock) => {
            ready.wake(cx);
            Poll::Pending
        }
        result => {
            reactor::moved();
            Poll::Ready(result)
        }
    }
}
