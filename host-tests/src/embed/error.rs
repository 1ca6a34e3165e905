//! Why a connection or a stream did not do what was asked.

use std::fmt;
use std::time::Duration;

use http2_engine::ErrorCode;

use crate::bindings::http2::engine::types;
use crate::run::OutOfMemory;

/// What went wrong, whose fault it was, and whether the request may be tried again.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    fault: Fault,
    code: Option<ErrorCode>,
    retryable: bool,
    message: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is invalid, such as a malformed message. Nothing was sent.
    InvalidArgument,
    /// The call has no place now, such as content after the end. Nothing was sent.
    InvalidState,
    /// There is no room at present, such as for one more PING.
    WouldBlock,
    /// A deadline of the connection has passed.
    Timeout,
    /// The stream was reset, by either side: [`Error::code`] says with what.
    StreamReset,
    /// The connection has ended: [`Error::code`] says with what, if a GOAWAY did.
    ConnectionClosed,
    /// The transport failed, or ended in the midst of something.
    TransportFailed,
    /// What came from the peer is not HTTP/2.
    NotHttp2,
    /// The sandbox was shut: its connection is over, all others go on.
    Trap(Trap),
    /// Anything else: see the message.
    Other,
}

/// Why a sandbox was shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trap {
    /// It wanted more memory than this limit, in octets.
    OutOfMemory(usize),
    /// A call into it took longer than this limit.
    OutOfTime(Duration),
    /// It could not be set up, or broke a rule of WebAssembly: a defect of the engine, or of the host.
    Defect,
}

/// Who has to act differently for this not to happen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The caller of this interface.
    Caller,
    /// The peer, or what stands between.
    Peer,
    /// The transport.
    Transport,
    /// Nobody: a limit or a deadline that was asked for.
    Limit,
    /// The engine, or the sandbox around it.
    Sandbox,
}

impl Error {
    /// A connection that is needed after its end in good order.
    pub(super) fn connection_over() -> Self {
        Self {
            kind: ErrorKind::ConnectionClosed,
            fault: Fault::Peer,
            code: None,
            retryable: false,
            message: "the connection has ended".to_owned(),
        }
    }

    /// A connection whose task the runtime has dropped.
    pub(super) fn abandoned() -> Self {
        let message = "the Tokio runtime that the connection was on has been shut down".to_owned();
        Self { fault: Fault::Caller, message, ..Self::connection_over() }
    }

    /// A head that passes the engine, but is nothing that the crate `http` can hold.
    pub(super) fn unusable_head(error: &http::Error) -> Self {
        Self {
            kind: ErrorKind::Other,
            fault: Fault::Peer,
            code: None,
            retryable: false,
            message: format!("the head of the message cannot be represented: {error}"),
        }
    }

    /// The sandbox failed; no call in it may take longer than `time_limit`.
    pub(super) fn trap(error: &wasmtime::Error, time_limit: Duration) -> Self {
        let (trap, fault, message) = if let Some(OutOfMemory(limit)) = error.downcast_ref() {
            let message = format!("the connection wanted more memory than its limit of {limit} octets");
            (Trap::OutOfMemory(*limit), Fault::Limit, message)
        } else if let Some(wasmtime::Trap::Interrupt) = error.downcast_ref() {
            let message = format!("a call into the sandbox took longer than its limit of {time_limit:?}");
            (Trap::OutOfTime(time_limit), Fault::Limit, message)
        } else {
            (Trap::Defect, Fault::Sandbox, format!("the sandbox failed: {}", error.root_cause()))
        };
        Self { kind: ErrorKind::Trap(trap), fault, code: None, retryable: false, message }
    }

    /// What happened.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act differently for this not to happen again.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The code that was received or sent, if one was (RFC 9113, 7).
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// Whether the peer has surely not acted on the request, so that it may be sent again on a new connection
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
