//! Incoming connections.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use wasi::clocks::monotonic_clock::Duration;
use wasi::io::poll::Pollable;
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::network::ErrorCode;
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::address;
use crate::bindings::exports::http2::engine::tcp::{self, GuestListener};
use crate::bindings::exports::http2::engine::transport::{ByteStream, TransportError};
use crate::byte_stream::Stream;
use crate::closing;
use crate::connect;
use crate::error;

/// Maximum number of connections waiting to be accepted; hosts lower it to their own limit.
const BACKLOG: u64 = 4096;

/// A listening socket.
pub(crate) struct Listener {
    socket: Rc<TcpSocket>,
    address: SocketAddr,
    /// Whether the application got a pollable.
    subscribed: Cell<bool>,
}

impl GuestListener for Listener {
    fn listen(address: String) -> Result<tcp::Listener, TransportError> {
        closing::drop_closed_listeners();
        let wanted: SocketAddr = address.parse().map_err(|_| {
            TransportError::AddressUnusable(format!(
                "{address}: not an IP address and port, as in 127.0.0.1:8080"
            ))
        })?;
        let failed = |code| error::from_address_error(code, wanted);
        let (family, local) = address::to_wasi(wanted);
        let socket = create_tcp_socket(family).map_err(failed)?;
        // A host that cannot set the backlog works as well.
        _ = socket.set_listen_backlog_size(BACKLOG);
        socket.start_bind(&instance_network(), local).map_err(failed)?;
        block_until_finished(&socket, TcpSocket::finish_bind).map_err(failed)?;
        socket.start_listen().map_err(failed)?;
        block_until_finished(&socket, TcpSocket::finish_listen).map_err(failed)?;
        let address = address::from_wasi(socket.local_address().map_err(failed)?);
        Ok(tcp::Listener::new(Self { socket: Rc::new(socket), address, subscribed: Cell::new(false) }))
    }

    fn local_address(&self) -> String {
        self.address.to_string()
    }

    fn accept(&self) -> Result<Option<(ByteStream, String)>, TransportError> {
        closing::drop_closed_listeners();
        loop {
            match self.socket.accept() {
                Ok((socket, input, output)) => {
                    // If the peer has already disconnected, the stream reports that.
                    let peer = socket
                        .remote_address()
                        .map_or_else(|_| "unknown".to_owned(), |peer| address::from_wasi(peer).to_string());
                    return Ok(Some((ByteStream::new(Stream::new(socket, input, output)), peer)));
                }
                Err(ErrorCode::WouldBlock) => return Ok(None),
                // This peer gave up while it waited; try the next one.
                Err(ErrorCode::ConnectionAborted | ErrorCode::ConnectionReset) => {}
                Err(code) => return Err(error::from_socket_error(code)),
            }
        }
    }

    fn blocking_accept(&self, timeout: Option<Duration>) -> Result<(ByteStream, String), TransportError> {
        let deadline = connect::deadline(timeout);
        loop {
            if let Some(accepted) = self.accept()? {
                return Ok(accepted);
            }
            connect::wait(&self.socket.subscribe(), deadline)?;
        }
    }

    fn subscribe(&self) -> Pollable {
        self.subscribed.set(true);
        self.socket.subscribe()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        closing::close_listener(&self.socket, self.subscribed.get());
    }
}

/// Waits for an operation started on the socket; binding and listening need no timeout.
fn block_until_finished(
    socket: &TcpSocket,
    finish: impl Fn(&TcpSocket) -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    loop {
        match finish(socket) {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            result => return result,
        }
    }
}
