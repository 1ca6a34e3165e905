//! A listener for WebAssembly components.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream, ToSocketAddrs};
use std::os::fd::OwnedFd;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A TCP listener whose connections are Tokio's, for components with wasi:sockets 0.2 (`wasm32-wasip2`).
///
/// Tokio's own listener cannot accept there: see the [crate's documentation](crate#in-webassembly). This one needs a
/// Tokio runtime with the I/O driver enabled, like Tokio's.
///
/// ```no_run
/// use http2_tokio::wasi::TcpListener;
/// use http2_tokio::{Config, server};
///
/// # async fn run() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (socket, _) = listener.accept().await?;
///     tokio::spawn(async move {
///         let mut connection = server::handshake(socket, Config::default())?;
///         while let Some(request) = connection.accept().await {
///             let (_, respond) = request?;
///             respond.respond(http::Response::new("hello".into()))?;
///         }
///         Ok::<_, http2_tokio::Error>(())
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct TcpListener {
    /// The listening socket. Only as a stream does Tokio tell when it is readable, and leave the rest to the caller.
    socket: TcpStream,
}

impl TcpListener {
    /// Listens on the first of the addresses that can be bound.
    ///
    /// The look-up of a name blocks.
    ///
    /// # Errors
    ///
    /// Returns why none of the addresses can be bound.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime with the I/O driver enabled.
    pub async fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        Self::from_std(StdListener::bind(addresses)?)
    }

    /// Takes over a listener of the standard library.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket cannot be registered with the runtime.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime with the I/O driver enabled.
    pub fn from_std(listener: StdListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let socket = TcpStream::from_std(StdStream::from(OwnedFd::from(listener)))?;
        Ok(Self { socket })
    }

    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Returns the host's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits for a connection, and returns it with the address of the peer.
    ///
    /// If the future is dropped, no connection is lost.
    ///
    /// # Errors
    ///
    /// Returns the host's error. That may concern a single peer, which has left while it waited: the listener can
    /// still be used.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accept = || SockRef::from(&self.socket).accept_raw();
        let (socket, _) = self.socket.async_io(Interest::READABLE, accept).await?;
        let stream = StdStream::from(socket);
        // Unlike fcntl, by which Tokio does it, this works on sockets of wasi:sockets.
        stream.set_nonblocking(true)?;
        let peer = stream.peer_addr()?;
        Ok((TcpStream::from_std(stream)?, peer))
    }
}
