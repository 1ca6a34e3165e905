//! Conversions of the errors of wasi:sockets to `transport-error`.

use std::net::SocketAddr;

use wasi::io::streams;
use wasi::sockets::network::ErrorCode;

use crate::bindings::exports::http2::engine::transport::TransportError;

/// Converts an error from connecting to or listening on `address`.
pub(crate) fn from_address_error(code: ErrorCode, address: SocketAddr) -> TransportError {
    let reason = match code {
        ErrorCode::ConnectionRefused => return TransportError::ConnectionRefused,
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => return TransportError::ConnectionReset,
        ErrorCode::Timeout => return TransportError::Timeout,
        ErrorCode::AccessDenied => "not permitted",
        ErrorCode::AddressInUse => "already in use",
        ErrorCode::AddressNotBindable => "not an address of this host",
        ErrorCode::InvalidArgument => "not usable for this purpose",
        ErrorCode::NotSupported => "not supported by the host",
        ErrorCode::RemoteUnreachable => "not reachable",
        other => return from_socket_error(other),
    };
    TransportError::AddressUnusable(format!("{address}: {reason}"))
}

/// Converts an error from creating or using a socket, without an address at fault.
pub(crate) fn from_socket_error(code: ErrorCode) -> TransportError {
    match code {
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => TransportError::ConnectionReset,
        ErrorCode::NewSocketLimit => TransportError::Other("the host allows no more sockets".to_owned()),
        ErrorCode::OutOfMemory => TransportError::Other("the host is out of memory".to_owned()),
        ErrorCode::AccessDenied => TransportError::Other("the host does not permit TCP".to_owned()),
        other => TransportError::Other(format!("the socket failed: {}", other.name())),
    }
}

/// Converts the final error of one direction of a connection; `None` if it ended without error.
pub(crate) fn from_stream_error(error: &streams::StreamError) -> Option<TransportError> {
    match error {
        streams::StreamError::Closed => None,
        streams::StreamError::LastOperationFailed(error) => Some(from_debug_string(&error.to_debug_string())),
    }
}

/// Converts the text of a stream error, the only information in WASI 0.2; each host words it differently.
fn from_debug_string(text: &str) -> TransportError {
    let lower = text.to_ascii_lowercase();
    if ["reset", "abort", "broken"].iter().any(|word| lower.contains(word)) {
        TransportError::ConnectionReset
    } else {
        TransportError::Other(text.lines().next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resets_are_detected_in_every_wording() {
        for text in
            ["ConnectionReset", "Connection reset by peer (os error 104)", "Broken pipe", "ECONNABORTED"]
        {
            assert!(matches!(from_debug_string(text), TransportError::ConnectionReset), "{text}");
        }
        assert!(
            matches!(from_debug_string("Timeout\nat …"), TransportError::Other(text) if text == "Timeout")
        );
    }
}
