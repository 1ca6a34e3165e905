//! Errors.

use std::fmt;
use std::io;
use std::sync::Arc;

use http2_engine::{
    ConfigError, ConnectionError, ErrorCode, GoAway, Initiator, OpenError, SendError, StreamError,
    WindowError,
};

/// Why an operation, a stream or a connection failed.
///
/// Cloning is cheap: every handle of a connection that has ended returns the same error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The stream ended early: by RST_STREAM in either direction, or because the peer broke the protocol on it.
    Stream(StreamError),
    /// The connection ended, and with it the stream.
    Connection(ConnectionError),
    /// The peer has sent GOAWAY, and has not processed this request (RFC 9113, 6.8).
    GoAway(GoAway),
    /// The transport failed.
    Io(Arc<io::Error>),
    /// The caller cannot open the stream.
    Open(OpenError),
    /// The caller cannot send this now.
    Send(SendError),
    /// The caller's configuration or settings are invalid.
    Config(ConfigError),
    /// The caller cannot raise the window so.
    Window(WindowError),
    /// The caller releases more flow-control capacity than it was given data.
    ReleasedTooMuch,
    /// The connection's future was dropped before it was complete.
    Dropped,
}

impl Error {
    /// Returns the error code that was sent or received, if any (RFC 9113, 7).
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Stream(error) | Self::Send(SendError::Reset(error)) => Some(error.code),
            Self::Connection(error) => error.code(),
            Self::GoAway(goaway) => Some(goaway.code),
            _ => None,
        }
    }

    /// Returns the party that caused the failure; `None` if the caller misused an operation.
    pub fn initiator(&self) -> Option<Initiator> {
        match self {
            Self::Stream(error) | Self::Send(SendError::Reset(error)) => Some(error.initiator),
            Self::Connection(error) => Some(error.initiator()),
            Self::GoAway(_) => Some(Initiator::Peer),
            Self::Io(_) => Some(Initiator::Transport),
            Self::Dropped => Some(Initiator::Local),
            _ => None,
        }
    }

    /// Returns whether the peer certainly has not processed the request.
    ///
    /// If true, the request may be sent again on another connection, whatever its method (RFC 9113, 8.7).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Stream(error) | Self::Send(SendError::Reset(error)) => error.retryable,
            Self::GoAway(_) | Self::Open(OpenError::Closed | OpenError::WouldBlock) => true,
            _ => false,
        }
    }

    /// Returns the transport's error, if that caused the failure.
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::GoAway(goaway) if goaway.debug_data.is_empty() => {
                write!(
                    f,
                    "the peer ended the connection with {} and has not processed the request",
                    goaway.code
                )
            }
            Self::GoAway(goaway) => write!(
                f,
                "the peer ended the connection with {} and has not processed the request: {}",
                goaway.code,
                goaway.debug_data.escape_ascii()
            ),
            Self::Io(error) => write!(f, "the transport failed: {error}"),
            Self::Open(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
            Self::Window(error) => error.fmt(f),
            Self::ReleasedTooMuch => f.write_str("more capacity was released than data was read"),
            Self::Dropped => f.write_str("the connection was dropped before it was complete"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stream(error) => Some(error),
            Self::Connection(error) => Some(error),
            Self::Io(error) => Some(&**error),
            Self::Open(error) => Some(error),
            Self::Send(error) => Some(error),
            Self::Config(error) => Some(error),
            Self::Window(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    /// Keeps the kind of a transport's error, and names the others after their closest relative.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Io(error) => error.kind(),
            Error::Stream(_) => io::ErrorKind::ConnectionReset,
            Error::Connection(_) | Error::GoAway(_) | Error::Dropped => io::ErrorKind::ConnectionAborted,
            Error::Send(_) => io::ErrorKind::BrokenPipe,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Reset(error) => Self::Stream(error),
            error => Self::Send(error),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<WindowError> for Error {
    fn from(error: WindowError) -> Self {
        Self::Window(error)
    }
}
