//! The listening socket.

use std::net::SocketAddr;

use http2_wasi_http::address::{family, from_wasi, to_wasi};
use http2_wasi_http::bindings::wasi::sockets::types::{ErrorCode, TcpSocket};
use wit_bindgen::StreamReader;

/// A socket, listening until it is dropped.
pub(crate) struct Listener {
    /// The accepted connections.
    pub(crate) connections: StreamReader<TcpSocket>,
    /// Kept open because some hosts, contrary to WASI, end the stream when the socket is dropped.
    socket: TcpSocket,
}

impl Listener {
    /// Listens on an address.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, ErrorCode> {
        let socket = TcpSocket::create(family(address))?;
        socket.bind(to_wasi(address))?;
        Ok(Self { connections: socket.listen()?, socket })
    }

    /// The address of the socket, with the port chosen by the host if port 0 was requested.
    pub(crate) fn address(&self) -> Result<SocketAddr, ErrorCode> {
        self.socket.get_local_address().map(from_wasi)
    }
}

/// The peer's address, for the log.
pub(crate) fn peer(socket: &TcpSocket) -> String {
    socket.get_remote_address().map_or_else(|_| "(gone)".to_owned(), |address| from_wasi(address).to_string())
}
