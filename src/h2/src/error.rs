//! Errors.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http2_tokio::{
    ConnectionError, Error as EngineError, ErrorCode, Initiator, OpenError, SendError, StreamError,
};

use crate::Reason;

/// An error of a stream, of a connection, or of the caller.
///
/// The text of an error is not part of the API.
pub struct Error {
    kind: Kind,
}

/// The party that caused an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Party {
    /// The caller.
    User,
    /// This implementation, because of a violation by the peer.
    Library,
    /// The peer.
    Remote,
}

enum Kind {
    Reset(Reason, Party, String),
    GoAway(Reason, Party, Bytes),
    Reason(Reason),
    User(User),
    Io(Arc<io::Error>),
}

/// A misuse by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    InactiveStream,
    UnexpectedFrame,
    PayloadTooBig,
    Rejected,
    ReleaseTooBig,
    Malformed,
    PollResetAfterResponse,
    PingPending,
    SettingsPending,
    PushDisabled,
    StreamsExhausted,
    InvalidSetting,
}

impl User {
    fn text(self) -> &'static str {
        match self {
            Self::InactiveStream => "the stream is not active",
            Self::UnexpectedFrame => "the stream cannot send this now",
            Self::PayloadTooBig => "the content exceeds 2^31-1 bytes",
            Self::Rejected => "an earlier request of this handle still waits: await `ready` first",
            Self::ReleaseTooBig => "more capacity was released than data was received",
            Self::Malformed => "the head or the trailers are malformed",
            Self::PollResetAfterResponse => "the stream that `send_response` returned tells of resets",
            Self::PingPending => "a PING is not answered yet",
            Self::SettingsPending => "SETTINGS are not acknowledged yet",
            Self::PushDisabled => "the peer has disabled server push",
            Self::StreamsExhausted => "no stream can be opened",
            Self::InvalidSetting => "the setting cannot have this value",
        }
    }
}

impl Error {
    /// Returns the error code, if the error was caused by one: of RST_STREAM, of GOAWAY, or a [`Reason`] itself.
    pub fn reason(&self) -> Option<Reason> {
        match &self.kind {
            Kind::Reset(reason, ..) | Kind::GoAway(reason, ..) | Kind::Reason(reason) => Some(*reason),
            Kind::User(_) | Kind::Io(_) => None,
        }
    }

    /// Returns whether the transport failed.
    pub fn is_io(&self) -> bool {
        matches!(self.kind, Kind::Io(_))
    }

    /// Returns the transport's error, if that is the cause.
    pub fn get_io(&self) -> Option<&io::Error> {
        match &self.kind {
            Kind::Io(error) => Some(error),
            _ => None,
        }
    }

    /// Converts to the transport's error, if that is the cause.
    pub fn into_io(self) -> Option<io::Error> {
        match self.kind {
            Kind::Io(error) => {
                // Other handles of the connection may share it.
                Some(Arc::try_unwrap(error).unwrap_or_else(|shared| io::Error::new(shared.kind(), shared)))
            }
            _ => None,
        }
    }

    /// Returns whether GOAWAY ended the connection, in either direction.
    pub fn is_go_away(&self) -> bool {
        matches!(self.kind, Kind::GoAway(..))
    }

    /// Returns whether RST_STREAM ended the stream, in either direction.
    pub fn is_reset(&self) -> bool {
        matches!(self.kind, Kind::Reset(..))
    }

    /// Returns whether the frame that caused the error came from the peer.
    pub fn is_remote(&self) -> bool {
        self.party() == Some(Party::Remote)
    }

    /// Returns whether this implementation caused the frame, because of a violation by the peer.
    pub fn is_library(&self) -> bool {
        self.party() == Some(Party::Library)
    }

    fn party(&self) -> Option<Party> {
        match &self.kind {
            Kind::Reset(_, party, _) | Kind::GoAway(_, party, _) => Some(*party),
            _ => None,
        }
    }

    fn io(kind: io::ErrorKind, text: &'static str) -> Self {
        Kind::Io(Arc::new(io::Error::new(kind, text))).into()
    }

    /// Returns the error of sending on a stream: however that has ended, the caller should know.
    pub(crate) fn of_sending(error: EngineError) -> Self {
        match error {
            EngineError::Send(SendError::Malformed(_)) => User::Malformed.into(),
            EngineError::Send(SendError::Reset(_)) => User::InactiveStream.into(),
            EngineError::Send(_) => User::UnexpectedFrame.into(),
            _ => User::InactiveStream.into(),
        }
    }

    /// Returns the result of a connection: one that the peer closed between frames, or this endpoint ended at once, has
    /// ended well.
    pub(crate) fn of_connection(result: Result<(), EngineError>) -> Result<(), Self> {
        match result {
            Err(EngineError::Connection(
                ConnectionError::TransportEnded { inside_frame: false } | ConnectionError::Aborted(_),
            )) => Ok(()),
            result => Ok(result?),
        }
    }

    /// Returns the code with which a stream ended, if one is known.
    pub(crate) fn into_reason(self) -> Result<Reason, Self> {
        self.reason().ok_or(self)
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl From<User> for Error {
    fn from(user: User) -> Self {
        Kind::User(user).into()
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Kind::Reason(reason).into()
    }
}

impl From<StreamError> for Error {
    fn from(error: StreamError) -> Self {
        let party = match (error.initiator, error.violation) {
            (Initiator::Peer, _) => Party::Remote,
            (_, Some(_)) => Party::Library,
            (Initiator::Local, None) => Party::User,
            (Initiator::Transport, None) => {
                return Self::io(io::ErrorKind::BrokenPipe, "the transport has ended");
            }
        };
        Kind::Reset(error.code.into(), party, error.to_string()).into()
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Stream(error) => error.into(),
            EngineError::Connection(error) => of_connection(error),
            EngineError::GoAway(goaway) => {
                Kind::GoAway(goaway.code.into(), Party::Remote, goaway.debug_data).into()
            }
            EngineError::Io(error) => Kind::Io(error).into(),
            EngineError::Open(OpenError::Closed) => {
                Kind::GoAway(Reason::NO_ERROR, Party::Library, Bytes::new()).into()
            }
            EngineError::Open(OpenError::PushDisabled) => User::PushDisabled.into(),
            EngineError::Open(OpenError::WouldBlock) => User::StreamsExhausted.into(),
            EngineError::Open(OpenError::Parent) => User::InactiveStream.into(),
            EngineError::Open(_) | EngineError::Send(SendError::Malformed(_)) => User::Malformed.into(),
            EngineError::Send(SendError::UnknownStream | SendError::Closed) => User::InactiveStream.into(),
            EngineError::Send(_) => User::UnexpectedFrame.into(),
            EngineError::ReleasedTooMuch => User::ReleaseTooBig.into(),
            EngineError::Config(_) | EngineError::Window(_) => User::InvalidSetting.into(),
            _ => Self::io(io::ErrorKind::BrokenPipe, "the connection was dropped"),
        }
    }
}

fn of_connection(error: ConnectionError) -> Error {
    let code = error.code().unwrap_or(ErrorCode::NO_ERROR).into();
    match error {
        ConnectionError::GoAway(_, debug_data) => Kind::GoAway(code, Party::Remote, debug_data).into(),
        ConnectionError::Aborted(_) => Kind::GoAway(code, Party::User, Bytes::new()).into(),
        ConnectionError::TransportEnded { .. } => {
            Error::io(io::ErrorKind::UnexpectedEof, "the peer closed the transport")
        }
        error => Kind::GoAway(code, Party::Library, error.to_string().into()).into(),
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = f.debug_struct("Error");
        match &self.kind {
            Kind::Reset(reason, party, _) => error.field("reset", reason).field("by", party),
            Kind::GoAway(reason, party, debug) => {
                error.field("go_away", reason).field("by", party).field("debug_data", debug)
            }
            Kind::Reason(reason) => error.field("reason", reason),
            Kind::User(user) => error.field("user", user),
            Kind::Io(io) => error.field("io", io),
        };
        error.finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Reset(_, _, text) => f.write_str(text),
            Kind::GoAway(reason, party, debug) => {
                match party {
                    Party::Remote => write!(f, "the peer ended the connection: {reason}")?,
                    Party::Library | Party::User => write!(f, "the connection was ended: {reason}")?,
                }
                if debug.is_empty() { Ok(()) } else { write!(f, " ({})", debug.escape_ascii()) }
            }
            Kind::Reason(reason) => reason.fmt(f),
            Kind::User(user) => f.write_str(user.text()),
            Kind::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
