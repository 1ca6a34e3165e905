//! Errors of the engine as errors of the interface.

use http2_engine::{
    ConnectionError, Initiator, Malformed, OpenError, SendError, StreamError, Violation, WindowError,
};

use crate::bindings::http2::engine::types::{Error, ErrorKind, Fault};
use crate::io::TransportError;

#[cfg(test)]
mod tests;

/// The caller passed an invalid argument.
pub(crate) fn invalid_argument(message: impl ToString) -> Error {
    caller_error(ErrorKind::InvalidArgument, message)
}

/// The call is not permitted in the current state.
pub(crate) fn invalid_state(message: impl ToString) -> Error {
    caller_error(ErrorKind::InvalidState, message)
}

/// The engine has no room for the call at present.
pub(crate) fn would_block(message: impl ToString) -> Error {
    Error { fault: Fault::Limit, ..caller_error(ErrorKind::WouldBlock, message) }
}

/// Requests wait for streams that the application holds.
pub(crate) fn streams_exhausted() -> Error {
    would_block(
        "the application holds all the streams that SETTINGS_MAX_CONCURRENT_STREAMS permits, and more requests wait: \
         answer these streams and read their content, or drop them",
    )
}

/// The timeout of the call has passed.
pub(crate) fn timeout() -> Error {
    Error { fault: Fault::Limit, ..caller_error(ErrorKind::Timeout, "the call timed out") }
}

/// The call needs a connection, but it has ended without error.
pub(crate) fn connection_closed() -> Error {
    Error { fault: Fault::Peer, ..caller_error(ErrorKind::ConnectionClosed, "the connection has ended") }
}

/// The stream ended early, on a connection that continues.
pub(crate) fn from_stream_error(error: &StreamError) -> Error {
    let kind = match (error.violation, error.initiator) {
        (Some(violation), _) if is_deadline(violation) => ErrorKind::Timeout,
        (_, Initiator::Transport) => ErrorKind::TransportFailed,
        _ => ErrorKind::StreamReset,
    };
    let fault = match (error.violation, error.initiator) {
        (Some(violation), _) => fault_of(violation),
        (None, Initiator::Local) => Fault::Caller,
        (None, Initiator::Peer) => Fault::Peer,
        (None, Initiator::Transport) => Fault::Transport,
    };
    let code = (error.initiator != Initiator::Transport).then_some(error.code.0);
    Error { kind, fault, code, retryable: error.retryable, message: error.to_string() }
}

/// The connection ended with an error; `transport` is the transport's error, if it failed.
pub(crate) fn from_connection_error(error: &ConnectionError, transport: Option<&TransportError>) -> Error {
    let kind = match error {
        ConnectionError::NotHttp2
        | ConnectionError::Violation(Violation::BadPreface | Violation::FirstFrameNotSettings) => {
            ErrorKind::NotHttp2
        }
        ConnectionError::Violation(violation) if is_deadline(*violation) => ErrorKind::Timeout,
        ConnectionError::DrainTimeout => ErrorKind::Timeout,
        ConnectionError::TransportEnded { .. } => ErrorKind::TransportFailed,
        _ => ErrorKind::ConnectionClosed,
    };
    let fault = match error {
        ConnectionError::Violation(violation) => fault_of(*violation),
        ConnectionError::Aborted(_) => Fault::Caller,
        ConnectionError::DrainTimeout => Fault::Limit,
        ConnectionError::TransportEnded { .. } => Fault::Transport,
        _ => Fault::Peer,
    };
    let message = match transport {
        Some(cause) => format!("{error}: {}", transport_reason(cause)),
        None => error.to_string(),
    };
    Error { kind, fault, code: error.code().map(|code| code.0), retryable: false, message }
}

/// A stream was not opened; `malformed` describes the defect of a malformed head.
pub(crate) fn from_open_error(error: OpenError, malformed: impl FnOnce(Malformed) -> String) -> Error {
    match error {
        OpenError::WouldBlock => would_block(error),
        OpenError::Closed => {
            Error { retryable: true, fault: Fault::Peer, ..caller_error(ErrorKind::ConnectionClosed, error) }
        }
        OpenError::Malformed(cause) => invalid_argument(malformed(cause)),
        OpenError::Promise => invalid_argument(error),
        _ => invalid_state(error),
    }
}

/// The engine did not accept something for sending.
pub(crate) fn from_send_error(error: SendError) -> Error {
    match error {
        SendError::Reset(reset) => from_stream_error(&reset),
        SendError::Malformed(_) => invalid_argument(error),
        SendError::WouldBlock => would_block(error),
        _ => invalid_state(error),
    }
}

/// The engine did not raise a window.
pub(crate) fn from_window_error(error: WindowError) -> Error {
    invalid_argument(error)
}

#[expect(clippy::needless_pass_by_value, reason = "its callers are passed to map_err")]
fn caller_error(kind: ErrorKind, message: impl ToString) -> Error {
    Error { kind, fault: Fault::Caller, code: None, retryable: false, message: message.to_string() }
}

/// Returns whether the violation is a missed deadline.
fn is_deadline(violation: Violation) -> bool {
    matches!(
        violation,
        Violation::TooSlow | Violation::StreamStalled | Violation::SettingsTimeout | Violation::PingTimeout
    )
}

fn fault_of(violation: Violation) -> Fault {
    if is_deadline(violation) { Fault::Limit } else { Fault::Peer }
}

/// Describes an error of the transport.
pub(crate) fn transport_reason(error: &TransportError) -> &str {
    match error {
        TransportError::Closed => "closed",
        TransportError::ConnectionReset => "connection reset",
        TransportError::ConnectionRefused => "connection refused",
        TransportError::Timeout => "timed out",
        TransportError::NameUnresolvable(words)
        | TransportError::AddressUnusable(words)
        | TransportError::Other(words) => words,
    }
}
