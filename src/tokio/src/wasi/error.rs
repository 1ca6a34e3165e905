//! Conversions of the errors of wasi:sockets and wasi:io.

use std::io::{self, ErrorKind};

use wasi::io::streams::StreamError;
use wasi::sockets::network::ErrorCode;

/// Converts the error of an operation on a socket.
pub(super) fn from_socket(code: ErrorCode) -> io::Error {
    let kind = match code {
        ErrorCode::AccessDenied => ErrorKind::PermissionDenied,
        ErrorCode::AddressInUse => ErrorKind::AddrInUse,
        ErrorCode::AddressNotBindable => ErrorKind::AddrNotAvailable,
        ErrorCode::ConnectionAborted => ErrorKind::ConnectionAborted,
        ErrorCode::ConnectionRefused => ErrorKind::ConnectionRefused,
        ErrorCode::ConnectionReset => ErrorKind::ConnectionReset,
        ErrorCode::InvalidArgument => ErrorKind::InvalidInput,
        ErrorCode::InvalidState => ErrorKind::NotConnected,
        ErrorCode::NotSupported => ErrorKind::Unsupported,
        ErrorCode::OutOfMemory => ErrorKind::OutOfMemory,
        ErrorCode::RemoteUnreachable => ErrorKind::HostUnreachable,
        ErrorCode::Timeout => ErrorKind::TimedOut,
        ErrorCode::WouldBlock => ErrorKind::WouldBlock,
        other => return io::Error::other(other.name()),
    };
    kind.into()
}

/// Converts the error of a stream; `None` if it has ended without one.
pub(super) fn from_stream(error: &StreamError) -> Option<io::Error> {
    let StreamError::LastOperationFailed(error) = error else { return None };
    // The text is the only information, and each host words it differently.
    let text = error.to_debug_string();
    let lower = text.to_ascii_lowercase();
    let words = [
        ("reset", ErrorKind::ConnectionReset),
        ("abort", ErrorKind::ConnectionAborted),
        ("broken", ErrorKind::BrokenPipe),
        ("timed", ErrorKind::TimedOut),
    ];
    let known = words.iter().find(|(word, _)| lower.contains(word));
    let text = text.lines().next().unwrap_or_default().to_owned();
    Some(io::Error::new(known.map_or(ErrorKind::Other, |&(_, kind)| kind), text))
}
