//! The socket that connections come from.

use std::net::SocketAddr;

use http2_wasi_http::address::{family, from_wasi, to_wasi};
use http2_wasi_http::bindings::wasi::sockets::types::{ErrorCode, TcpSocket};
use wit_bindgen::StreamReader;

/// A socket that listens as long as this is there.
pub(crate) struct Listener {
    /// The connections, one after another.
    pub(crate) connections: StreamReader<TcpSocket>,
    /// Kept for hosts that end the stream with it, which WASI does not want them to do.
    socket: TcpSocket,
}

impl Listener {
    /// Listens on an address.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, ErrorCode> {
        let socket = TcpSocket::create(family(address))?;
        socket.bind(to_wasi(address))?;
        Ok(Self { connections: socket.listen()?, socket })
    }

    /// Where it listens: the port is another one, if that of the address was 0.
    pub(crate) fn address(&self) -> Result<SocketAddr, ErrorCode> {
        self.socket.get_local_address().map(from_wasi)
    }
}

/// The peer's address, for the log.
pub(crate) fn peer(socket: &TcpSocket) -> String {
    socket.get_remote_address().map_or_else(|_| "(gone)".to_owned(), |address| from_wasi(address).to_string())
}
