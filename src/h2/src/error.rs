//! Errors, with the texts of h2: they appear in logs and in the tests of programs.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http2_tokio::{
    ConnectionError, Error as EngineError, ErrorCode, Initiator, OpenError, SendError, StreamError, Violation,
};

use crate::{Reason, StreamId};

/// An error of a stream, of a connection, or of the caller.
#[derive(Debug)]
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

#[derive(Debug)]
enum Kind {
    Reset(#[expect(dead_code, reason = "Debug shows it")] StreamId, Reason, Party),
    GoAway(Bytes, Reason, Party),
    Reason(Reason),
    User(User),
    Io(Arc<io::Error>),
}

/// A misuse by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    InactiveStreamId,
    UnexpectedFrameType,
    PayloadTooBig,
    Rejected,
    ReleaseCapacityTooBig,
    MalformedHeaders,
    MissingUriSchemeAndAuthority,
    PollResetAfterSendResponse,
    SendPingWhilePending,
    SendSettingsWhilePending,
    PeerDisabledServerPush,
    InvalidInformationalStatusCode,
    OverflowedStreamId,
    InvalidSetting,
}

impl User {
    fn text(self) -> &'static str {
        match self {
            Self::InactiveStreamId => "inactive stream",
            Self::UnexpectedFrameType => "unexpected frame type",
            Self::PayloadTooBig => "payload too big",
            Self::Rejected => "rejected",
            Self::ReleaseCapacityTooBig => "release capacity too big",
            Self::MalformedHeaders => "malformed headers",
            Self::MissingUriSchemeAndAuthority => "request URI missing scheme and authority",
            Self::PollResetAfterSendResponse => "poll_reset after send_response is illegal",
            Self::SendPingWhilePending => "send_ping before received previous pong",
            Self::SendSettingsWhilePending => "sending SETTINGS before received previous ACK",
            Self::PeerDisabledServerPush => "sending PUSH_PROMISE to peer who disabled server push",
            Self::InvalidInformationalStatusCode => "invalid informational status code",
            Self::OverflowedStreamId => "stream ID overflowed",
            Self::InvalidSetting => "invalid value of a setting",
        }
    }
}

impl Error {
    /// Returns the error code, if the error was caused by one: of RST_STREAM, of GOAWAY, or a [`Reason`] itself.
    pub fn reason(&self) -> Option<Reason> {
        match &self.kind {
            Kind::Reset(_, reason, _) | Kind::GoAway(_, reason, _) | Kind::Reason(reason) => Some(*reason),
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
            Kind::Reset(_, _, party) | Kind::GoAway(_, _, party) => Some(*party),
            _ => None,
        }
    }

    fn broken_pipe(text: &'static str) -> Self {
        Kind::Io(Arc::new(io::Error::new(io::ErrorKind::BrokenPipe, text))).into()
    }

    /// Returns the error of a connection whose preface has not arrived.
    pub(crate) fn of_handshake(error: EngineError) -> Self {
        match error {
            EngineError::Connection(ConnectionError::TransportEnded { .. }) => {
                Kind::Io(Arc::new(io::ErrorKind::UnexpectedEof.into())).into()
            }
            EngineError::Connection(ConnectionError::NotHttp2) => {
                Kind::GoAway(Bytes::new(), Reason::PROTOCOL_ERROR, Party::Library).into()
            }
            error => error.into(),
        }
    }

    /// Returns the error of a stream.
    ///
    /// As in h2, a GOAWAY that named the stream as processed is an error of the connection only, and a field section that
    /// is too large is a PROTOCOL_ERROR.
    pub(crate) fn of_stream(id: StreamId, error: EngineError) -> Self {
        const CLOSED: &str = "stream closed because of a broken pipe";
        let error = match error {
            EngineError::Connection(
                ConnectionError::GoAway(..) | ConnectionError::TransportEnded { inside_frame: false },
            )
            | EngineError::Open(OpenError::Closed)
            | EngineError::Dropped => return Self::broken_pipe(CLOSED),
            EngineError::Stream(error) => error,
            error => return error.into(),
        };
        // The status of gRPC depends on the code.
        let is_too_large = error.violation == Some(Violation::FieldSectionTooLarge);
        let reason = if is_too_large { Reason::PROTOCOL_ERROR } else { error.code.into() };
        match party(error) {
            Some(party) => Kind::Reset(id, reason, party).into(),
            None => Self::broken_pipe(CLOSED),
        }
    }

    /// Returns the error of sending content.
    pub(crate) fn of_content(error: EngineError) -> Self {
        match error {
            EngineError::Send(SendError::Malformed(_)) => User::MalformedHeaders.into(),
            EngineError::Send(SendError::Reset(_)) => User::InactiveStreamId.into(),
            EngineError::Send(_) => User::UnexpectedFrameType.into(),
            _ => User::InactiveStreamId.into(),
        }
    }

    /// Returns the error of sending a head or trailers.
    pub(crate) fn of_fields(error: EngineError) -> Self {
        match error {
            EngineError::Send(SendError::Malformed(_)) => User::MalformedHeaders.into(),
            _ => User::UnexpectedFrameType.into(),
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

/// Returns the party that ended a stream; `None` if that was the transport.
fn party(error: StreamError) -> Option<Party> {
    match (error.initiator, error.violation) {
        (Initiator::Peer, _) => Some(Party::Remote),
        (_, Some(_)) => Some(Party::Library),
        (Initiator::Local, None) => Some(Party::User),
        (Initiator::Transport, None) => None,
    }
}

impl From<EngineError> for Error {
    /// Converts an error that belongs to no stream.
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Connection(error) => of_connection(error),
            EngineError::GoAway(goaway) => {
                Kind::GoAway(goaway.debug_data, goaway.code.into(), Party::Remote).into()
            }
            EngineError::Io(error) => Kind::Io(error).into(),
            EngineError::Open(OpenError::PushDisabled) => User::PeerDisabledServerPush.into(),
            EngineError::Open(OpenError::WouldBlock) => User::Rejected.into(),
            EngineError::Open(OpenError::Parent) => User::InactiveStreamId.into(),
            EngineError::Open(OpenError::Closed) | EngineError::Dropped => {
                Self::broken_pipe("connection closed because of a broken pipe")
            }
            EngineError::Open(_) | EngineError::Send(SendError::Malformed(_)) => {
                User::MalformedHeaders.into()
            }
            EngineError::Send(SendError::UnknownStream | SendError::Closed) | EngineError::Stream(_) => {
                User::InactiveStreamId.into()
            }
            EngineError::Send(_) => User::UnexpectedFrameType.into(),
            EngineError::ReleasedTooMuch => User::ReleaseCapacityTooBig.into(),
            EngineError::Config(_) | EngineError::Window(_) => User::InvalidSetting.into(),
            _ => Self::broken_pipe("connection closed because of a broken pipe"),
        }
    }
}

fn of_connection(error: ConnectionError) -> Error {
    let code = error.code().unwrap_or(ErrorCode::NO_ERROR).into();
    match error {
        ConnectionError::GoAway(_, debug_data) => Kind::GoAway(debug_data, code, Party::Remote).into(),
        ConnectionError::Aborted(_) => Kind::GoAway(Bytes::new(), code, Party::User).into(),
        ConnectionError::TransportEnded { inside_frame: true } => {
            Kind::Io(Arc::new(io::Error::other("bytes remaining on stream"))).into()
        }
        ConnectionError::TransportEnded { .. } => {
            Error::broken_pipe("connection closed because of a broken pipe")
        }
        // For h2, the beginning of "HTTP/1.1" is the length of a frame, and the text of that is well known.
        ConnectionError::NotHttp2 => {
            Kind::GoAway(Bytes::new(), Reason::FRAME_SIZE_ERROR, Party::Library).into()
        }
        _ => Kind::GoAway(Bytes::new(), code, Party::Library).into(),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caused = |party: &Party| match party {
            Party::User => "sent by user",
            Party::Library => "detected",
            Party::Remote => "received",
        };
        match &self.kind {
            Kind::Reset(_, reason, party) => write!(f, "stream error {}: {reason}", caused(party)),
            Kind::GoAway(debug_data, reason, party) => {
                write!(f, "connection error {}: {reason}", caused(party))?;
                if debug_data.is_empty() { Ok(()) } else { write!(f, " ({debug_data:?})") }
            }
            Kind::Reason(reason) => write!(f, "protocol error: {reason}"),
            Kind::User(user) => write!(f, "user error: {}", user.text()),
            Kind::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
