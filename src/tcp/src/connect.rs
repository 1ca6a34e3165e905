//! Connections to a peer given by name or address.

use std::net::{IpAddr, SocketAddr};

use wasi::clocks::monotonic_clock::{self, Duration, Instant};
use wasi::io::poll::{self, Pollable};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::ip_name_lookup;
use wasi::sockets::network::ErrorCode;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::address;
use crate::bindings::exports::http2::engine::transport::{ByteStream, TransportError};
use crate::byte_stream::Stream;
use crate::closing;
use crate::error;

/// Connects to the first address of `host` to answer, within `timeout` nanoseconds in total.
pub(crate) fn connect(
    host: &str,
    port: u16,
    timeout: Option<Duration>,
) -> Result<ByteStream, TransportError> {
    closing::drop_closed_listeners();
    let deadline = deadline(timeout);
    let addresses = resolve(host, deadline)?;
    let mut result = Err(TransportError::NameUnresolvable(format!("{host} has no address")));
    for (remaining, ip) in (1..=addresses.len()).rev().zip(&addresses) {
        let deadline = deadline.map(|deadline| address_deadline(deadline, remaining));
        result = connect_to(SocketAddr::new(*ip, port), deadline);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Returns the deadline for one address: an equal share of the time left for each of the `remaining` addresses.
///
/// A silent address must not use up the time of the others.
fn address_deadline(deadline: Instant, remaining: usize) -> Instant {
    let now = monotonic_clock::now();
    let remaining = u64::try_from(remaining).unwrap_or(u64::MAX);
    now.saturating_add(deadline.saturating_sub(now).checked_div(remaining).unwrap_or_default())
}

/// Looks up the addresses of `host`, in the order of the resolver.
fn resolve(host: &str, deadline: Option<Instant>) -> Result<Vec<IpAddr>, TransportError> {
    if let Some(address) = address::parse_ip(host) {
        return Ok(vec![address]);
    }
    let unresolvable = |code: ErrorCode| {
        TransportError::NameUnresolvable(match code {
            ErrorCode::InvalidArgument => format!("{host} is not a valid name"),
            ErrorCode::NameUnresolvable => format!("{host} has no address"),
            ErrorCode::TemporaryResolverFailure => {
                format!("{host} could not be looked up: temporary failure")
            }
            _ => format!("{host} could not be looked up"),
        })
    };
    let stream = ip_name_lookup::resolve_addresses(&instance_network(), host).map_err(unresolvable)?;
    let mut addresses = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => addresses.push(address::from_wasi_ip(address)),
            Ok(None) => return Ok(addresses),
            Err(ErrorCode::WouldBlock) => wait(&stream.subscribe(), deadline)?,
            Err(code) => return Err(unresolvable(code)),
        }
    }
}

fn connect_to(address: SocketAddr, deadline: Option<Instant>) -> Result<ByteStream, TransportError> {
    let failed = |code| error::from_address_error(code, address);
    let (family, remote) = address::to_wasi(address);
    let socket = create_tcp_socket(family).map_err(failed)?;
    socket.start_connect(&instance_network(), remote).map_err(failed)?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => return Ok(ByteStream::new(Stream::new(socket, input, output))),
            Err(ErrorCode::WouldBlock) => wait(&socket.subscribe(), deadline)?,
            Err(code) => return Err(failed(code)),
        }
    }
}

/// Returns the time at which `timeout` will have passed.
pub(crate) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.map(|timeout| monotonic_clock::now().saturating_add(timeout))
}

/// Waits until `pollable` is ready, at most until `deadline`.
pub(crate) fn wait(pollable: &Pollable, deadline: Option<Instant>) -> Result<(), TransportError> {
    let Some(deadline) = deadline else {
        pollable.block();
        return Ok(());
    };
    let timer = monotonic_clock::subscribe_instant(deadline);
    if poll::poll(&[pollable, &timer]).contains(&0) { Ok(()) } else { Err(TransportError::Timeout) }
}
