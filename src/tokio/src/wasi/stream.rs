//! Connections.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::task::coop;
use wasi::io::streams::{InputStream, OutputStream};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::network::ErrorCode;
use wasi::sockets::tcp::{ShutdownType, TcpSocket};
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use super::listener::poll_finished;
use super::reactor::{self, Interest};
use super::{address, error};

/// Bytes moved at most by one call of the host.
const PIECE: usize = 64 << 10;

/// A TCP connection.
///
/// If output is still waiting in the host when the stream is dropped, a task of the runtime keeps the socket until it
/// has been sent: the host would block the whole component.
#[derive(Debug)]
pub struct TcpStream {
    /// `None` only while the stream is dropped.
    socket: Option<Socket>,
    /// Whether this end has finished sending.
    finished: bool,
}

/// In the order in which the host requires its parts to be dropped.
#[derive(Debug)]
struct Socket {
    readable: Interest,
    /// Whether the latest read has just found less than it had room for, so that another one would find nothing.
    drained: bool,
    writable: Interest,
    input: InputStream,
    output: OutputStream,
    socket: TcpSocket,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers. The look-up of a name blocks.
    ///
    /// # Errors
    ///
    /// Returns why the last address cannot be connected to.
    pub async fn connect(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = ErrorKind::InvalidInput.into();
        for address in addresses.to_socket_addrs()? {
            match Self::connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(code) => last = error::from_socket(code),
            }
        }
        Err(last)
    }

    async fn connect_to(address: SocketAddr) -> Result<Self, ErrorCode> {
        let (family, remote) = address::to_wasi(address);
        let socket = create_tcp_socket(family)?;
        let ready = Interest::new(socket.subscribe());
        socket.start_connect(&instance_network(), remote)?;
        let connected = poll_fn(|cx| poll_finished(cx, &ready, || socket.finish_connect())).await;
        drop(ready);
        let (input, output) = connected?;
        Ok(Self::new(socket, input, output))
    }

    pub(super) fn new(socket: TcpSocket, input: InputStream, output: OutputStream) -> Self {
        let readable = Interest::new(input.subscribe());
        let writable = Interest::new(output.subscribe());
        let socket = Socket { readable, drained: false, writable, input, output, socket };
        Self { socket: Some(socket), finished: false }
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// Returns the host's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        socket.socket.local_address().map(address::from_wasi).map_err(error::from_socket)
    }

    /// Returns the address of the peer.
    ///
    /// # Errors
    ///
    /// Returns the host's error.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        socket.socket.remote_address().map(address::from_wasi).map_err(error::from_socket)
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let budget = ready!(coop::poll_proceed(cx));
        let socket = self.socket.as_mut().ok_or(ErrorKind::NotConnected)?;
        let room = buffer.remaining().min(PIECE);
        if room == 0 {
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut socket.drained) {
            socket.readable.wake(cx);
            return Poll::Pending;
        }
        match socket.input.read(room as u64) {
            Ok(bytes) if bytes.is_empty() => {
                socket.readable.wake(cx);
                Poll::Pending
            }
            Ok(bytes) => {
                socket.drained = bytes.len() < room;
                let taken = bytes.get(..room).unwrap_or(&bytes);
                buffer.put_slice(taken);
                budget.made_progress();
                reactor::moved();
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(error::from_stream(&error).map_or(Ok(()), Err)),
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let budget = ready!(coop::poll_proceed(cx));
        // The host says so only after it has sent everything.
        if self.finished {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let socket = self.socket.as_mut().ok_or(ErrorKind::NotConnected)?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = socket.output.check_write().and_then(|permit| {
            let permit = usize::try_from(permit).unwrap_or(PIECE).min(PIECE);
            let permitted = bytes.get(..permit).unwrap_or(bytes);
            if !permitted.is_empty() {
                socket.output.write(permitted)?;
            }
            Ok(permitted.len())
        });
        match written {
            Ok(0) => {
                socket.writable.wake(cx);
                Poll::Pending
            }
            Ok(written) => {
                budget.made_progress();
                reactor::moved();
                Poll::Ready(Ok(written))
            }
            Err(error) => {
                Poll::Ready(Err(error::from_stream(&error).unwrap_or_else(|| ErrorKind::BrokenPipe.into())))
            }
        }
    }

    /// Does nothing: the host sends its output without being asked.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends the direction to the peer, after all output.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finished = true;
        let socket = self.socket.as_ref().ok_or(ErrorKind::NotConnected)?;
        Poll::Ready(socket.socket.shutdown(ShutdownType::Send).map_err(error::from_socket))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        let Some(socket) = self.socket.take() else { return };
        // It fails only if the connection is broken.
        let _ = socket.socket.shutdown(ShutdownType::Both);
        if socket.is_flushed() {
            return;
        }
        // If the runtime ends first, only the host closes the socket.
        let socket = ManuallyDrop::new(socket);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(close(socket));
        }
    }
}

impl Socket {
    /// Returns whether all output was sent; only for a socket that was shut down, to which nothing more can be written.
    fn is_flushed(&self) -> bool {
        !matches!(self.output.check_write(), Ok(0))
    }
}

/// Closes a socket once its output was sent.
async fn close(socket: ManuallyDrop<Socket>) {
    poll_fn(|cx| {
        if socket.is_flushed() {
            return Poll::Ready(());
        }
        socket.writable.wake(cx);
        Poll::Pending
    })
    .await;
    drop(ManuallyDrop::into_inner(socket));
}
