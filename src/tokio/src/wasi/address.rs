//! Conversions between the socket addresses of wasi:sockets and of the standard library.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use wasi::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress};

/// Converts an address for wasi:sockets, and returns the address family of its socket.
pub(super) fn to_wasi(address: SocketAddr) -> (IpAddressFamily, IpSocketAddress) {
    match address {
        SocketAddr::V4(v4) => {
            let address = v4.ip().octets().into();
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address }))
        }
        SocketAddr::V6(v6) => {
            let address = v6.ip().segments().into();
            let (flow_info, scope_id) = (v6.flowinfo(), v6.scope_id());
            let address = Ipv6SocketAddress { port: v6.port(), flow_info, address, scope_id };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    }
}

/// Converts a socket address of wasi:sockets.
pub(super) fn from_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(v4) => SocketAddrV4::new(<[u8; 4]>::from(v4.address).into(), v4.port).into(),
        IpSocketAddress::Ipv6(v6) => {
            let address = <[u16; 8]>::from(v6.address).into();
            SocketAddrV6::new(address, v6.port, v6.flow_info, v6.scope_id).into()
        }
    }
}
