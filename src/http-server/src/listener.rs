//! The socket that connections come from.

use std::net::SocketAddr;

use http2_wasi_http::address::{family, from_wasi, to_wasi};
use http2_wasi_http::bindings::wasi::sockets::types::{ErrorCode, TcpSocket};
use wit_bindgen::StreamReader;

/// Listens on an address, and says which one it became, if its port was 0.
pub(crate) fn listen(address: SocketAddr) -> Result<(StreamReader<TcpSocket>, SocketAddr), ErrorCode> {
    let socket = TcpSocket::create(family(address))?;
    socket.bind(to_wasi(address))?;
    let connections = socket.listen()?;
    Ok((connections, from_wasi(socket.get_local_address()?)))
}

/// The peer's address, for the log.
pub(crate) fn peer(socket: &TcpSocket) -> String {
    socket.get_remote_address().map_or_else(|_| "(gone)".to_owned(), |address| from_wasi(address).to_string())
}
