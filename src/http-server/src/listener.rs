//! The socket that connections come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http2_wasi_http::bindings::wasi::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket,
};
use wit_bindgen::StreamReader;

/// Listens on an address, and says which one it became, if its port was 0.
pub(crate) fn listen(address: SocketAddr) -> Result<(StreamReader<TcpSocket>, SocketAddr), ErrorCode> {
    let family = if address.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
    let socket = TcpSocket::create(family)?;
    socket.bind(to_wasi(address))?;
    let connections = socket.listen()?;
    Ok((connections, from_wasi(socket.get_local_address()?)))
}

/// The peer's address, for the log.
pub(crate) fn peer(socket: &TcpSocket) -> String {
    socket.get_remote_address().map_or_else(|_| "(gone)".to_owned(), |address| from_wasi(address).to_string())
}

fn to_wasi(address: SocketAddr) -> IpSocketAddress {
    match address {
        SocketAddr::V4(address) => {
            let [a, b, c, d] = address.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: address.scope_id(),
            })
        }
    }
}

fn from_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) }) => {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port)
        }
        IpSocketAddress::Ipv6(Ipv6SocketAddress { port, address: (a, b, c, d, e, f, g, h), .. }) => {
            SocketAddr::new(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), port)
        }
    }
}
