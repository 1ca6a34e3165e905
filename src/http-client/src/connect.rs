//! Connects to a host: name lookup, and "happy eyeballs" (RFC 8305).

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use http2_wasi_http::address::{family, ip_from_wasi, to_wasi};
use http2_wasi_http::bindings::wasi::clocks::monotonic_clock;
use http2_wasi_http::bindings::wasi::http::types::ErrorCode;
use http2_wasi_http::bindings::wasi::sockets::ip_name_lookup;
use http2_wasi_http::bindings::wasi::sockets::types::TcpSocket;
use http2_wasi_http::error;
use http2_wasi_http::signal::run_until;

use crate::target::Address;

/// Head start of an attempt before the next begins, in nanoseconds (RFC 8305, 5).
const ATTEMPT_DELAY: u64 = 250_000_000;

/// Connects to the first of the host's addresses to answer.
///
/// # Errors
///
/// The error of the last attempt to fail.
pub(crate) async fn connect(address: &Address) -> Result<TcpSocket, ErrorCode> {
    let hosts = match address.ip() {
        Some(ip) => vec![ip],
        None => {
            let found = ip_name_lookup::resolve_addresses(address.host.clone()).await;
            found.map_err(error::from_lookup)?.into_iter().map(ip_from_wasi).collect()
        }
    };
    let mut remaining = interleave(hosts).into_iter().map(|host| SocketAddr::new(host, address.port));
    let mut attempts = Attempts(Vec::new());
    let mut error = ErrorCode::DestinationNotFound;
    loop {
        if let Some(next) = remaining.next() {
            attempts.0.push(Box::pin(connect_to(next)));
        }
        if attempts.0.is_empty() {
            return Err(error);
        }
        let first = poll_fn(|context| attempts.poll(context));
        let ended = if remaining.len() == 0 {
            Some(first.await)
        } else {
            run_until(first, monotonic_clock::wait_for(ATTEMPT_DELAY)).await
        };
        match ended {
            Some(Ok(socket)) => return Ok(socket),
            Some(Err(failed)) => error = failed,
            None => {}
        }
    }
}

/// The attempts in progress.
struct Attempts(Vec<Attempt>);

type Attempt = Pin<Box<dyn Future<Output = Result<TcpSocket, ErrorCode>>>>;

impl Attempts {
    /// Waits until one of the attempts ends.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<TcpSocket, ErrorCode>> {
        for (index, attempt) in self.0.iter_mut().enumerate() {
            if let Poll::Ready(result) = attempt.as_mut().poll(context) {
                drop(self.0.swap_remove(index));
                return Poll::Ready(result);
            }
        }
        Poll::Pending
    }
}

async fn connect_to(address: SocketAddr) -> Result<TcpSocket, ErrorCode> {
    let socket = TcpSocket::create(family(address)).map_err(|failed| error::from_socket(&failed))?;
    socket.connect(to_wasi(address)).await.map_err(|failed| error::from_socket(&failed))?;
    Ok(socket)
}

/// Interleaves the addresses of both families, keeping the order within each (RFC 8305, 4).
fn interleave(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v6 = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return ordered;
        }
        ordered.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_interleaved() {
        let ips = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        assert_eq!(interleave(ips(&["::1", "::2", "1.1.1.1"])), ips(&["::1", "1.1.1.1", "::2"]));
        assert_eq!(interleave(ips(&["1.1.1.1", "::1", "::2"])), ips(&["1.1.1.1", "::1", "::2"]));
        assert_eq!(interleave(ips(&[])), ips(&[]));
    }
}
