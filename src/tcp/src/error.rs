//! What wasi:sockets reports, as a `transport-error`.

use std::net::SocketAddr;

use wasi::io::streams;
use wasi::sockets::network::ErrorCode;

use crate::bindings::exports::http2::engine::transport::TransportError;

/// Why `address` cannot be connected to, or listened on.
pub(crate) fn of_address(code: ErrorCode, address: SocketAddr) -> TransportError {
    let reason = match code {
        ErrorCode::ConnectionRefused => return TransportError::ConnectionRefused,
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => return TransportError::ConnectionReset,
        ErrorCode::Timeout => return TransportError::Timeout,
        ErrorCode::AccessDenied => "not permitted",
        ErrorCode::AddressInUse => "already in use",
        ErrorCode::AddressNotBindable => "not an address of this host",
        ErrorCode::InvalidArgument => "not an address that can be used so",
        ErrorCode::NotSupported => "not supported by the host",
        ErrorCode::RemoteUnreachable => "not reachable",
        other => return of_socket(other),
    };
    TransportError::AddressUnusable(format!("{address}: {reason}"))
}

/// Why a socket cannot be had, or no longer works, where no address is at fault.
pub(crate) fn of_socket(code: ErrorCode) -> TransportError {
    match code {
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => TransportError::ConnectionReset,
        ErrorCode::NewSocketLimit => {
            TransportError::Other("the host has no room for more sockets".to_owned())
        }
        ErrorCode::OutOfMemory => TransportError::Other("the host is out of memory".to_owned()),
        ErrorCode::AccessDenied => TransportError::Other("the host does not permit TCP".to_owned()),
        other => TransportError::Other(format!("the socket failed: {}", other.name())),
    }
}

/// What ended a direction of a connection; none if it ended in good order.
pub(crate) fn of_stream(error: &streams::StreamError) -> Option<TransportError> {
    match error {
        streams::StreamError::Closed => None,
        streams::StreamError::LastOperationFailed(error) => Some(of_words(&error.to_debug_string())),
    }
}

/// WASI 0.2 gives the error of a stream in words alone, which each host chooses for itself.
fn of_words(words: &str) -> TransportError {
    let lower = words.to_ascii_lowercase();
    if ["reset", "abort", "broken"].iter().any(|word| lower.contains(word)) {
        TransportError::ConnectionReset
    } else {
        TransportError::Other(words.lines().next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_known_however_the_host_words_it() {
        for words in
            ["ConnectionReset", "Connection reset by peer (os error 104)", "Broken pipe", "ECONNABORTED"]
        {
            assert!(matches!(of_words(words), TransportError::ConnectionReset), "{words}");
        }
        assert!(matches!(of_words("Timeout\nat …"), TransportError::Other(words) if words == "Timeout"));
    }
}
