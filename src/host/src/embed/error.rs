//! Errors of connections and streams.

use std::fmt;
use std::time::Duration;

use http2_engine::ErrorCode;

use crate::bindings::http2::engine::types;
use crate::run::OutOfMemory;

/// The error of a connection or stream: what happened, whose fault it was, and whether the request may be retried.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    fault: Fault,
    code: Option<ErrorCode>,
    retryable: bool,
    message: String,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is invalid, for example a malformed message. Nothing was sent.
    InvalidArgument,
    /// The call is not allowed in the present state, for example content after the end. Nothing was sent.
    InvalidState,
    /// No room at present, for example for one more PING.
    WouldBlock,
    /// A deadline of the connection expired.
    Timeout,
    /// Either side reset the stream; [`Error::code`] returns the error code.
    StreamReset,
    /// The connection ended; [`Error::code`] returns the error code of the GOAWAY frame, if one was exchanged.
    ConnectionClosed,
    /// The transport failed, or ended in the middle of a frame or message.
    TransportFailed,
    /// The peer does not speak HTTP/2.
    NotHttp2,
    /// The sandbox trapped. Its connection has ended; all others go on.
    Trap(Trap),
    /// Any other error; see the message.
    Other,
}

/// The reason why a sandbox trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trap {
    /// The connection needed more memory than this limit, in bytes.
    OutOfMemory(usize),
    /// A call into the sandbox took longer than this limit.
    OutOfTime(Duration),
    /// The sandbox could not be set up, or violated a rule of WebAssembly. This is a bug in the engine or the host.
    Defect,
}

/// The party at fault, which has to change its behavior to avoid the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The caller of this API.
    Caller,
    /// The peer, or an intermediary.
    Peer,
    /// The transport.
    Transport,
    /// No party: a configured limit or deadline was reached.
    Limit,
    /// The engine, or the sandbox around it.
    Sandbox,
}

impl Error {
    /// The error of using a connection after it ended gracefully.
    pub(super) fn connection_over() -> Self {
        Self {
            kind: ErrorKind::ConnectionClosed,
            fault: Fault::Peer,
            code: None,
            retryable: false,
            message: "the connection has ended".to_owned(),
        }
    }

    /// The error of a connection whose task was dropped by the runtime.
    pub(super) fn abandoned() -> Self {
        let message = "the Tokio runtime that the connection was on has been shut down".to_owned();
        Self { fault: Fault::Caller, message, ..Self::connection_over() }
    }

    /// The error for a head that is valid for the engine but cannot be represented by the crate `http`.
    pub(super) fn unusable_head(error: &http::Error) -> Self {
        Self {
            kind: ErrorKind::Other,
            fault: Fault::Peer,
            code: None,
            retryable: false,
            message: format!("the head of the message cannot be represented: {error}"),
        }
    }

    /// Converts a failure of the sandbox, in which a call may take no longer than `time_limit`.
    pub(super) fn trap(error: &wasmtime::Error, time_limit: Duration) -> Self {
        let (trap, fault, message) = if let Some(OutOfMemory(limit)) = error.downcast_ref() {
            let message = format!("the connection exceeded its memory limit of {limit} bytes");
            (Trap::OutOfMemory(*limit), Fault::Limit, message)
        } else if let Some(wasmtime::Trap::Interrupt) = error.downcast_ref() {
            let message = format!("a call into the sandbox exceeded its time limit of {time_limit:?}");
            (Trap::OutOfTime(time_limit), Fault::Limit, message)
        } else {
            (Trap::Defect, Fault::Sandbox, format!("the sandbox failed: {}", error.root_cause()))
        };
        Self { kind: ErrorKind::Trap(trap), fault, code: None, retryable: false, message }
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the party at fault.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Returns the error code that was received or sent, if any (RFC 9113, 7).
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// Returns whether the peer has certainly not processed the request, so that it may be retried on a new connection
    /// whatever its method (RFC 9113, 8.7).
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        use types::ErrorKind as Kind;
        let kind = match error.kind {
            Kind::InvalidArgument => ErrorKind::InvalidArgument,
            Kind::InvalidState => ErrorKind::InvalidState,
            Kind::WouldBlock => ErrorKind::WouldBlock,
            Kind::Timeout => ErrorKind::Timeout,
            Kind::StreamReset => ErrorKind::StreamReset,
            Kind::ConnectionClosed => ErrorKind::ConnectionClosed,
            Kind::TransportFailed => ErrorKind::TransportFailed,
            Kind::NotHttp2 => ErrorKind::NotHttp2,
            Kind::Other => ErrorKind::Other,
        };
        let fault = match error.fault {
            types::Fault::Caller => Fault::Caller,
            types::Fault::Peer => Fault::Peer,
            types::Fault::Transport => Fault::Transport,
            types::Fault::Limit => Fault::Limit,
        };
        let code = error.code.map(ErrorCode);
        Self { kind, fault, code, retryable: error.retryable, message: error.message }
    }
}
