//! Conversions between the socket addresses of wasi:sockets and of the standard library.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use wasi::sockets::network::{
    IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};

/// Converts an address for wasi:sockets, and returns the address family of its socket.
pub(crate) fn to_wasi(address: SocketAddr) -> (IpAddressFamily, IpSocketAddress) {
    match address {
        SocketAddr::V4(v4) => {
            let address = v4.ip().octets().into();
            (IpAddressFamily::Ipv4, IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address }))
        }
        SocketAddr::V6(v6) => {
            let address = v6.ip().segments().into();
            let address = Ipv6SocketAddress {
                port: v6.port(),
                flow_info: v6.flowinfo(),
                address,
                scope_id: v6.scope_id(),
            };
            (IpAddressFamily::Ipv6, IpSocketAddress::Ipv6(address))
        }
    }
}

/// Converts a socket address of wasi:sockets.
pub(crate) fn from_wasi(address: IpSocketAddress) -> SocketAddr {
    match address {
        IpSocketAddress::Ipv4(v4) => SocketAddr::new(from_wasi_ip(IpAddress::Ipv4(v4.address)), v4.port),
        IpSocketAddress::Ipv6(v6) => SocketAddr::V6(SocketAddrV6::new(
            <[u16; 8]>::from(v6.address).into(),
            v6.port,
            v6.flow_info,
            v6.scope_id,
        )),
    }
}

/// Converts an IP address of wasi:sockets.
pub(crate) fn from_wasi_ip(address: IpAddress) -> IpAddr {
    match address {
        IpAddress::Ipv4(v4) => <[u8; 4]>::from(v4).into(),
        IpAddress::Ipv6(v6) => <[u16; 8]>::from(v6).into(),
    }
}

/// Parses `host` as an IP address: IPv4, or IPv6 with or without brackets; returns `None` for a name.
pub(crate) fn parse_ip(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_ip_distinguishes_addresses_from_names() {
        assert_eq!(parse_ip("127.0.0.1"), Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(parse_ip("::1"), Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        assert_eq!(parse_ip("[::1]"), Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        for name in ["localhost", "[127.0.0.1]", "[::1", "127.0.0.1:80", ""] {
            assert_eq!(parse_ip(name), None, "{name}");
        }
    }

    #[test]
    fn addresses_round_trip() {
        for address in ["127.0.0.1:80", "[2001:db8::1]:65535", "[fe80::1%3]:0"] {
            let address: SocketAddr = address.parse().unwrap();
            let (family, there) = to_wasi(address);
            assert_eq!(matches!(family, IpAddressFamily::Ipv6), address.is_ipv6());
            assert_eq!(from_wasi(there), address);
        }
    }
}
