//! Failures, and the errors that report them.

use std::time::Instant;

use crate::bindings::http2::engine::tcp::{self, Listener};
use crate::bindings::http2::engine::transport::TransportError;
use crate::{listen, read, write};

/// Connections to the port of a dropped listener are refused.
pub(crate) fn refused() {
    let (listener, port) = listen("127.0.0.1:0");
    drop(listener);
    let error = tcp::connect("127.0.0.1", port, None).unwrap_err();
    assert!(matches!(error, TransportError::ConnectionRefused), "{error:?}");
}

/// The top-level domain `invalid` has no names (RFC 6761, 6.4).
pub(crate) fn unresolvable() {
    for name in ["nowhere.invalid", "not a name", ""] {
        let error = tcp::connect(name, 80, Some(10_000_000_000)).unwrap_err();
        assert!(
            matches!(&error, TransportError::NameUnresolvable(words) if words.contains(name)),
            "{error:?}"
        );
    }
}

pub(crate) fn unusable() {
    let (_listener, port) = listen("127.0.0.1:0");
    let taken = format!("127.0.0.1:{port}");
    // The test's host permits only loopback; 198.51.100.1 is reserved for documentation (RFC 5737).
    for (address, reason) in [
        (taken.as_str(), "already in use"),
        ("198.51.100.1:80", "not permitted"),
        ("localhost:80", "not an IP address"),
    ] {
        let error = Listener::listen(address).unwrap_err();
        assert!(
            matches!(&error, TransportError::AddressUnusable(words) if words.contains(address) && words.contains(reason)),
            "{error:?}"
        );
    }
    for (host, port) in [("198.51.100.1", 80), ("127.0.0.1", 0), ("[ff02::1]", 80)] {
        let error = tcp::connect(host, port, None).unwrap_err();
        assert!(matches!(error, TransportError::AddressUnusable(_)), "{error:?}");
    }
}

/// Connecting to `port`, whose listener does not answer, times out.
pub(crate) fn timeout(port: u16) {
    let start = Instant::now();
    let error = tcp::connect("127.0.0.1", port, Some(200_000_000)).unwrap_err();
    assert!(matches!(error, TransportError::Timeout), "{error:?}");
    assert!(start.elapsed().as_millis() >= 200);
    let (listener, _) = listen("127.0.0.1:0");
    assert!(listener.accept().unwrap().is_none());
    let error = listener.blocking_accept(Some(1_000_000)).unwrap_err();
    assert!(matches!(error, TransportError::Timeout), "{error:?}");
}

/// The peer on `port` resets the connection after its first byte.
pub(crate) fn reset(port: u16) {
    let stream = tcp::connect("127.0.0.1", port, None).unwrap();
    write(&stream, b"?").unwrap();
    for _ in 0..2 {
        let error = read(&stream).unwrap_err();
        assert!(matches!(error, TransportError::ConnectionReset), "{error:?}");
    }
    for _ in 0..2 {
        let error = write(&stream, b"?").unwrap_err();
        assert!(matches!(error, TransportError::ConnectionReset), "{error:?}");
    }
}
