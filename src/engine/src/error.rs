//! Error codes, violations by the peer, and errors returned to the caller.
//!
//! `Display` of an error includes its cause, and `source` returns the cause as a value: print one or walk the other.

use core::fmt;

/// An HTTP/2 error code, as carried in RST_STREAM and GOAWAY frames (RFC 9113, 7).
///
/// Unknown codes have no special meaning and are passed on unchanged.
///
/// ```
/// use http2_engine::ErrorCode;
///
/// assert_eq!(ErrorCode::CANCEL, ErrorCode(8));
/// assert_eq!(ErrorCode::CANCEL.to_string(), "CANCEL");
/// assert_eq!((ErrorCode(0xbad).name(), ErrorCode(0xbad).to_string()), (None, "error code 0xbad".to_owned()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// No error; also used for graceful shutdown.
    pub const NO_ERROR: Self = Self(0x0);
    /// Unspecific protocol violation.
    pub const PROTOCOL_ERROR: Self = Self(0x1);
    /// The endpoint encountered an unexpected internal error.
    pub const INTERNAL_ERROR: Self = Self(0x2);
    /// The peer violated the flow-control protocol.
    pub const FLOW_CONTROL_ERROR: Self = Self(0x3);
    /// The peer did not acknowledge SETTINGS in time.
    pub const SETTINGS_TIMEOUT: Self = Self(0x4);
    /// A frame arrived on a half-closed stream.
    pub const STREAM_CLOSED: Self = Self(0x5);
    /// A frame had an invalid size.
    pub const FRAME_SIZE_ERROR: Self = Self(0x6);
    /// The endpoint refused the stream before the application processed it.
    pub const REFUSED_STREAM: Self = Self(0x7);
    /// The stream is no longer needed.
    pub const CANCEL: Self = Self(0x8);
    /// The endpoint cannot maintain the field section compression state.
    pub const COMPRESSION_ERROR: Self = Self(0x9);
    /// The connection established for a CONNECT request was reset or closed abnormally.
    pub const CONNECT_ERROR: Self = Self(0xa);
    /// The peer's behaviour may cause excessive load.
    pub const ENHANCE_YOUR_CALM: Self = Self(0xb);
    /// The transport does not meet the minimum security requirements.
    pub const INADEQUATE_SECURITY: Self = Self(0xc);
    /// HTTP/1.1 is required instead of HTTP/2.
    pub const HTTP_1_1_REQUIRED: Self = Self(0xd);

    /// Returns the name of the code, or `None` if RFC 9113, 7 does not define it.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NO_ERROR => "NO_ERROR",
            Self::PROTOCOL_ERROR => "PROTOCOL_ERROR",
            Self::INTERNAL_ERROR => "INTERNAL_ERROR",
            Self::FLOW_CONTROL_ERROR => "FLOW_CONTROL_ERROR",
            Self::SETTINGS_TIMEOUT => "SETTINGS_TIMEOUT",
            Self::STREAM_CLOSED => "STREAM_CLOSED",
            Self::FRAME_SIZE_ERROR => "FRAME_SIZE_ERROR",
            Self::REFUSED_STREAM => "REFUSED_STREAM",
            Self::CANCEL => "CANCEL",
            Self::COMPRESSION_ERROR => "COMPRESSION_ERROR",
            Self::CONNECT_ERROR => "CONNECT_ERROR",
            Self::ENHANCE_YOUR_CALM => "ENHANCE_YOUR_CALM",
            Self::INADEQUATE_SECURITY => "INADEQUATE_SECURITY",
            Self::HTTP_1_1_REQUIRED => "HTTP_1_1_REQUIRED",
            _ => return None,
        })
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {:#x}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Extent of an error (RFC 9113, 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Connection error: the endpoint sends GOAWAY and ends the connection.
    Connection,
    /// Stream error: the endpoint sends RST_STREAM; the connection and its other streams continue.
    Stream,
}

/// Declares [`Violation`] with a single table of error codes, scopes and descriptions.
macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident => $code:ident, $scope:ident, $text:literal;)+) => {
        /// A protocol violation by the peer.
        ///
        /// Only this type chooses an error code and its scope.
        ///
        /// ```
        /// use http2_engine::{ErrorCode, Scope, Violation};
        ///
        /// let violation = Violation::StreamWindowExceeded;
        /// assert_eq!((violation.code(), violation.scope()), (ErrorCode::FLOW_CONTROL_ERROR, Scope::Stream));
        /// // Of the connection's window, everything that follows would be in doubt.
        /// assert_eq!(Violation::ConnectionWindowExceeded.scope(), Scope::Connection);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Violation {
            $($(#[$doc])* $name,)+
            /// The message breaks the rules of HTTP (RFC 9113, 8.1.1).
            Malformed(Malformed),
        }

        impl Violation {
            /// Returns the error code to send.
            pub fn code(self) -> ErrorCode {
                match self {
                    $(Self::$name => ErrorCode::$code,)+
                    Self::Malformed(_) => ErrorCode::PROTOCOL_ERROR,
                }
            }

            /// Returns whether the stream or the whole connection ends.
            pub fn scope(self) -> Scope {
                match self {
                    $(Self::$name => Scope::$scope,)+
                    Self::Malformed(_) => Scope::Stream,
                }
            }

            /// Describes the violation; GOAWAY carries the text as debug data.
            pub fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Malformed(malformed) => malformed.reason(),
                }
            }
        }
    };
}

violations! {
    /// The client connection preface is not the 24 bytes of RFC 9113, 3.4.
    BadPreface => PROTOCOL_ERROR, Connection, "the connection preface is not that of HTTP/2";
    /// The first frame after the preface is not SETTINGS (RFC 9113, 3.4).
    FirstFrameNotSettings => PROTOCOL_ERROR, Connection, "the first frame is not SETTINGS";
    /// A frame exceeds the local SETTINGS_MAX_FRAME_SIZE and affects connection state (RFC 9113, 4.2).
    FrameTooLarge => FRAME_SIZE_ERROR, Connection, "a frame exceeds SETTINGS_MAX_FRAME_SIZE";
    /// A frame of a single stream exceeds the local SETTINGS_MAX_FRAME_SIZE (RFC 9113, 4.2).
    StreamFrameTooLarge => FRAME_SIZE_ERROR, Stream, "a frame exceeds SETTINGS_MAX_FRAME_SIZE";
    /// A frame has a length that its type does not allow (RFC 9113, 4.2 and 6).
    FrameLength => FRAME_SIZE_ERROR, Connection, "a frame has a length that its type does not allow";
    /// A PRIORITY frame is not five bytes long (RFC 9113, 6.3).
    PriorityLength => FRAME_SIZE_ERROR, Stream, "a PRIORITY frame is not five bytes long";
    /// A stream depends on itself (RFC 7540, 5.3.1).
    SelfDependency => PROTOCOL_ERROR, Stream, "a stream depends on itself";
    /// A frame that requires a stream arrived on stream 0 (RFC 9113, 6).
    StreamZero => PROTOCOL_ERROR, Connection, "a frame that needs a stream came on stream 0";
    /// A frame that requires stream 0 arrived on another stream (RFC 9113, 6).
    NotStreamZero => PROTOCOL_ERROR, Connection, "a frame of the connection came on a stream";
    /// The padding is at least as long as the payload (RFC 9113, 6.1).
    PaddingTooLong => PROTOCOL_ERROR, Connection, "the padding is as long as the payload";
    /// Another frame interrupted a field block (RFC 9113, 4.3).
    FieldBlockInterrupted => PROTOCOL_ERROR, Connection, "a field block was interrupted by another frame";
    /// CONTINUATION arrived without an open field block (RFC 9113, 6.10).
    UnexpectedContinuation => PROTOCOL_ERROR, Connection, "CONTINUATION without an open field block";
    /// A field block cannot be decoded (RFC 9113, 4.3; RFC 7541).
    Compression => COMPRESSION_ERROR, Connection, "a field block does not decode";
    /// A frame arrived on an idle stream (RFC 9113, 5.1).
    IdleStream => PROTOCOL_ERROR, Connection, "a frame came on an idle stream";
    /// A stream identifier has the wrong parity, or is lower than an earlier one (RFC 9113, 5.1.1).
    BadStreamId => PROTOCOL_ERROR, Connection, "a stream was opened with an invalid identifier";
    /// A frame arrived on a stream whose remote side was already closed (RFC 9113, 5.1).
    StreamClosed => STREAM_CLOSED, Stream, "a frame came on a closed stream";
    /// HEADERS arrived on a stream that was closed in both directions (RFC 9113, 5.1).
    HeadersOnClosed => STREAM_CLOSED, Connection, "HEADERS came on a closed stream";
    /// A frame arrived on a reserved stream that does not allow it (RFC 9113, 5.1).
    ReservedStream => PROTOCOL_ERROR, Connection, "a frame came on a reserved stream that does not allow it";
    /// The peer opened more streams than SETTINGS_MAX_CONCURRENT_STREAMS allows (RFC 9113, 5.1.2).
    TooManyStreams => REFUSED_STREAM, Stream, "more streams than SETTINGS_MAX_CONCURRENT_STREAMS allows";
    /// A setting has an invalid value (RFC 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1).
    BadSetting => PROTOCOL_ERROR, Connection, "a setting has an invalid value";
    /// SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1 (RFC 9113, 6.5.2).
    InitialWindowTooLarge => FLOW_CONTROL_ERROR, Connection, "SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1";
    /// A SETTINGS frame has more parameters than [`Limits::settings`](crate::Limits::settings).
    TooManySettings => ENHANCE_YOUR_CALM, Connection, "a SETTINGS frame has too many parameters";
    /// The peer acknowledged SETTINGS that were not sent (RFC 9113, 6.5.3).
    UnexpectedSettingsAck => PROTOCOL_ERROR, Connection, "an acknowledgement of SETTINGS that were not sent";
    /// The peer did not acknowledge the local SETTINGS in time (RFC 9113, 6.5.3).
    SettingsTimeout => SETTINGS_TIMEOUT, Connection, "SETTINGS were not acknowledged in time";
    /// PUSH_PROMISE arrived where it is not allowed: at a server, with push disabled, or on a wrong stream
    /// (RFC 9113, 6.6).
    UnexpectedPush => PROTOCOL_ERROR, Connection, "PUSH_PROMISE where it is not allowed";
    /// The client cannot accept a promised request (RFC 9113, 8.4).
    BadPromise => PROTOCOL_ERROR, Stream, "a promised request is not safe, cacheable and of this authority";
    /// WINDOW_UPDATE with an increment of 0 arrived on a stream (RFC 9113, 6.9).
    ZeroStreamIncrement => PROTOCOL_ERROR, Stream, "WINDOW_UPDATE with an increment of 0";
    /// WINDOW_UPDATE with an increment of 0 arrived on the connection (RFC 9113, 6.9).
    ZeroConnectionIncrement => PROTOCOL_ERROR, Connection, "WINDOW_UPDATE with an increment of 0";
    /// WINDOW_UPDATE raised a stream's send window above 2^31-1 (RFC 9113, 6.9.1).
    StreamWindowOverflow => FLOW_CONTROL_ERROR, Stream, "the window of a stream exceeds 2^31-1";
    /// WINDOW_UPDATE raised the connection's send window, or SETTINGS a stream's, above 2^31-1
    /// (RFC 9113, 6.9.1, 6.9.2).
    ConnectionWindowOverflow => FLOW_CONTROL_ERROR, Connection, "a window exceeds 2^31-1";
    /// The peer sent more than the stream's window allows (RFC 9113, 6.9.1).
    StreamWindowExceeded => FLOW_CONTROL_ERROR, Stream, "more DATA than the window of the stream allows";
    /// The peer sent more than the connection's window allows (RFC 9113, 6.9.1).
    ConnectionWindowExceeded => FLOW_CONTROL_ERROR, Connection, "more DATA than the window of the connection allows";
    /// GOAWAY raised the last stream identifier (RFC 9113, 6.8).
    GoAwayRaised => PROTOCOL_ERROR, Connection, "GOAWAY raised the last stream identifier";
    /// PRIORITY_UPDATE arrived on a stream, for stream 0, or from a server (RFC 9218, 7.1).
    BadPriorityUpdate => PROTOCOL_ERROR, Connection, "PRIORITY_UPDATE where it is not allowed";
    /// DATA arrived before the HEADERS of its message (RFC 9113, 8.1).
    DataBeforeHeaders => PROTOCOL_ERROR, Stream, "DATA before HEADERS";
    /// A field section exceeds the local SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 10.5.1).
    FieldSectionTooLarge => ENHANCE_YOUR_CALM, Stream, "a field section is too large";
    /// A field section or field block is so large that decoding stopped (RFC 9113, 10.5.1).
    FieldBlockTooLarge => ENHANCE_YOUR_CALM, Connection, "a field block is far too large";
    /// A field block spans too many CONTINUATION frames (CVE-2024-27316 and similar attacks).
    TooManyContinuations => ENHANCE_YOUR_CALM, Connection, "a field block has too many CONTINUATION frames";
    /// The peer has caused more stream errors than [`Limits::stream_errors`](crate::Limits::stream_errors) allows.
    TooManyStreamErrors => ENHANCE_YOUR_CALM, Connection, "too many stream errors";
    /// The abuse score reached its limit (RFC 9113, 10.5).
    Abuse => ENHANCE_YOUR_CALM, Connection, "too much useless work";
    /// The peer missed a deadline for the preface, a field block or the transport's progress.
    TooSlow => ENHANCE_YOUR_CALM, Connection, "the peer is too slow";
    /// A stream had data to send, but the peer opened no window for too long.
    StreamStalled => ENHANCE_YOUR_CALM, Stream, "the peer opened no window for too long";
    /// The peer did not answer a keep-alive PING (RFC 9113, 6.7).
    PingTimeout => NO_ERROR, Connection, "a PING was not answered";
}

/// Why a message is malformed (RFC 9113, 8.1.1).
///
/// In a received message, it is a stream error of type PROTOCOL_ERROR; in a message to be sent, it is an error for
/// the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A field name is empty, or has an upper-case letter or a byte that a token cannot have (RFC 9113, 8.2.1).
    FieldName,
    /// A field value contains NUL, CR or LF, or starts or ends with white space (RFC 9113, 8.2.1).
    FieldValue,
    /// A field is specific to HTTP/1.1 connections, or TE is not "trailers" (RFC 9113, 8.2.2).
    ConnectionField,
    /// A pseudo-header field is unknown or belongs to the other kind of message (RFC 9113, 8.3).
    UnknownPseudo,
    /// A pseudo-header field appears twice (RFC 9113, 8.3).
    DuplicatePseudo,
    /// A pseudo-header field follows a regular field (RFC 9113, 8.3).
    LatePseudo,
    /// A trailer section has a pseudo-header field (RFC 9113, 8.1).
    PseudoInTrailers,
    /// A required pseudo-header field is missing (RFC 9113, 8.3.1, 8.3.2).
    MissingPseudo,
    /// `:method` is not a token (RFC 9110, 9.1).
    Method,
    /// `:scheme` is not a scheme (RFC 3986, 3.1).
    Scheme,
    /// `:path` is empty or contains bytes that a path cannot have (RFC 9113, 8.3.1).
    Path,
    /// `:authority` or Host contains user information or bytes that an authority cannot have (RFC 9113, 8.3.1).
    Authority,
    /// Host differs from `:authority` or appears twice (RFC 9113, 8.3.1; RFC 9110, 7.2).
    Host,
    /// CONNECT lacks an authority with a port, or has `:scheme` or `:path` (RFC 9113, 8.5).
    Connect,
    /// `:protocol` appears without CONNECT, or extended CONNECT was not enabled (RFC 8441, 4).
    Protocol,
    /// `:status` is not three digits, or is 101 (RFC 9113, 8.3.2, 8.6).
    Status,
    /// Content-Length is not a number, or its copies differ (RFC 9110, 8.6).
    ContentLength,
    /// The content is longer or shorter than Content-Length (RFC 9113, 8.1.1).
    ContentLengthMismatch,
    /// An informational response ends the stream (RFC 9113, 8.1).
    InformationalEnd,
    /// A second HEADERS does not end the stream (RFC 9113, 8.1).
    TrailersWithoutEnd,
    /// A field for framing or routing appears in a trailer section (RFC 9110, 6.5.1).
    TrailerField,
    /// A response to HEAD, or with status 204 or 304, has content (RFC 9110, 6.4.1).
    UnexpectedContent,
}

impl Malformed {
    /// Describes the offence.
    pub fn reason(self) -> &'static str {
        match self {
            Self::FieldName => "a field name is invalid",
            Self::FieldValue => "a field value is invalid",
            Self::ConnectionField => "a field belongs to an HTTP/1.1 connection",
            Self::UnknownPseudo => "a pseudo-header field is unknown or not allowed in this message",
            Self::DuplicatePseudo => "a pseudo-header field appears twice",
            Self::LatePseudo => "a pseudo-header field follows a regular field",
            Self::PseudoInTrailers => "a trailer section has a pseudo-header field",
            Self::MissingPseudo => "a pseudo-header field is missing",
            Self::Method => "the method is not a token",
            Self::Scheme => "the scheme is invalid",
            Self::Path => "the path is invalid",
            Self::Authority => "the authority is invalid",
            Self::Host => "Host differs from :authority or appears twice",
            Self::Connect => "CONNECT needs an authority with a port, and neither scheme nor path",
            Self::Protocol => ":protocol needs CONNECT and a peer that has enabled it",
            Self::Status => "the status code is invalid",
            Self::ContentLength => "Content-Length is invalid",
            Self::ContentLengthMismatch => "the content is longer or shorter than Content-Length",
            Self::InformationalEnd => "an informational response ends the stream",
            Self::TrailersWithoutEnd => "trailers do not end the stream",
            Self::TrailerField => "a field is not allowed in a trailer section",
            Self::UnexpectedContent => "the message has content but must not",
        }
    }
}

impl From<Malformed> for Violation {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Malformed {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl core::error::Error for Violation {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(malformed) => Some(malformed),
            _ => None,
        }
    }
}

/// The party that ended a stream or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// This endpoint: at the caller's request, or because of a violation by the peer ([`StreamError::violation`]).
    Local,
    /// The peer.
    Peer,
    /// The transport, which ended or failed.
    Transport,
}

/// Why a stream ended early.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::error::Error;
///
/// use bytes::Bytes;
/// use http2_engine::{ErrorCode, Event, Initiator, Malformed, Time, Violation};
/// # let (mut client, mut server) = pair();
///
/// client.open(&request("GET"), true)?;
/// carry(&mut client, &mut server);
/// // HEADERS of a server that checks nothing: `:status: 200`, and a field with the name `No`.
/// let mut input = Bytes::from_static(b"\0\0\x06\x01\x04\0\0\0\x01\x88\x00\x02No\x00");
/// assert_eq!(client.recv(Time::default(), &mut input), 15);
///
/// let events = std::iter::from_fn(|| client.poll_event());
/// let error = events.filter_map(|event| match event {
///     Event::Reset { error, .. } => Some(error),
///     _ => None,
/// });
/// let error = error.last().expect("the response is malformed");
/// assert_eq!((error.code, error.initiator), (ErrorCode::PROTOCOL_ERROR, Initiator::Local));
/// assert_eq!(error.violation, Some(Violation::Malformed(Malformed::FieldName)));
/// assert_eq!(error.to_string(), "the stream was reset with PROTOCOL_ERROR: a field name is invalid");
/// // The causes as values: the violation, and how the message is malformed.
/// let cause = error.source().and_then(Error::source).and_then(|cause| cause.downcast_ref());
/// assert_eq!(cause, Some(&Malformed::FieldName));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// The code sent or received; if the transport ended the stream, the code that would have been sent.
    pub code: ErrorCode,
    /// The party that ended the stream.
    pub initiator: Initiator,
    /// The violation that ended the stream, if any.
    pub violation: Option<Violation>,
    /// Whether the peer certainly has not acted on the request.
    ///
    /// If true, the request may be sent again on another connection, whatever its method (RFC 9113, 8.7).
    pub retryable: bool,
}

impl StreamError {
    /// Creates the error of a stream that this endpoint ends with `code`.
    pub(crate) fn local(code: ErrorCode) -> Self {
        Self { code, initiator: Initiator::Local, violation: None, retryable: false }
    }

    /// Creates the error of a stream that this endpoint ends because of a violation.
    pub(crate) fn of_violation(violation: Violation) -> Self {
        Self { violation: Some(violation), ..Self::local(violation.code()) }
    }

    /// Creates the error of a stream that the peer ended with `code`.
    pub(crate) fn peer(code: ErrorCode) -> Self {
        Self {
            code,
            initiator: Initiator::Peer,
            violation: None,
            retryable: code == ErrorCode::REFUSED_STREAM,
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.violation, self.initiator) {
            (Some(violation), _) => write!(f, "the stream was reset with {}: {violation}", self.code)?,
            (None, Initiator::Local) => write!(f, "the stream was reset with {}", self.code)?,
            (None, Initiator::Peer) => write!(f, "the peer reset the stream with {}", self.code)?,
            (None, Initiator::Transport) => f.write_str("the transport ended before the stream did")?,
        }
        if self.retryable {
            f.write_str("; the request was not processed")?;
        }
        Ok(())
    }
}

impl core::error::Error for StreamError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.violation.as_ref().map(|violation| violation as _)
    }
}

/// Why a connection ended.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_engine::{ConnectionError, Time, Violation};
/// # let (_, mut server) = pair();
/// // Neither HTTP/2 nor HTTP/1.
/// let taken = server.recv(Time::default(), &mut "SSH-2.0-OpenSSH_9.9".into());
/// assert_eq!(taken, 19);
/// assert_eq!(server.close_reason(), Some(Err(&ConnectionError::Violation(Violation::BadPreface))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer violated the protocol; the violation's code was sent.
    Violation(Violation),
    /// The peer speaks HTTP/1 instead of HTTP/2.
    NotHttp2,
    /// The caller ended the connection with this code.
    Aborted(ErrorCode),
    /// The peer ended the connection with this code and debug data (RFC 9113, 6.8).
    GoAway(ErrorCode, bytes::Bytes),
    /// The transport ended inside a frame, or before all streams were complete.
    TransportEnded {
        /// Whether the transport ended inside a frame.
        inside_frame: bool,
    },
    /// The drain deadline passed before all streams were complete.
    DrainTimeout,
}

impl ConnectionError {
    /// Returns the code that was sent or received, if any.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Violation(violation) => Some(violation.code()),
            Self::NotHttp2 => Some(ErrorCode::PROTOCOL_ERROR),
            Self::Aborted(code) | Self::GoAway(code, _) => Some(*code),
            Self::DrainTimeout => Some(ErrorCode::NO_ERROR),
            Self::TransportEnded { .. } => None,
        }
    }

    /// Returns the party that ended the connection.
    pub fn initiator(&self) -> Initiator {
        match self {
            Self::GoAway(..) => Initiator::Peer,
            Self::TransportEnded { .. } => Initiator::Transport,
            _ => Initiator::Local,
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => write!(f, "the peer broke the protocol: {violation}"),
            Self::NotHttp2 => f.write_str("the peer speaks HTTP/1, not HTTP/2"),
            Self::Aborted(code) => write!(f, "the connection was ended with {code}"),
            Self::GoAway(code, debug) if debug.is_empty() => {
                write!(f, "the peer ended the connection with {code}")
            }
            Self::GoAway(code, debug) => {
                write!(f, "the peer ended the connection with {code}: {}", debug.escape_ascii())
            }
            Self::TransportEnded { inside_frame: true } => f.write_str("the transport ended inside a frame"),
            Self::TransportEnded { .. } => f.write_str("the transport ended before the connection did"),
            Self::DrainTimeout => f.write_str("the drain deadline passed before all streams were complete"),
        }
    }
}

impl core::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Violation(violation) => Some(violation),
            _ => None,
        }
    }
}

/// Why a stream was not opened.
///
/// Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer's limit of streams is reached, and no more streams may wait for it.
    ///
    /// After a failed [`open`](crate::Connection::open),
    /// [`Event::StreamsAvailable`](crate::Event::StreamsAvailable) follows.
    WouldBlock,
    /// The connection takes no more streams: it is ending, or its identifiers are used up.
    ///
    /// The request may be sent on another connection.
    Closed,
    /// The head is malformed.
    Malformed(Malformed),
    /// The head exceeds the peer's SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 10.5.1).
    TooLarge,
    /// Only the other role opens this kind of stream.
    Role,
    /// The client has not enabled push.
    PushDisabled,
    /// The parent stream does not exist or does not allow a promise.
    Parent,
    /// The promised request is not safe and cacheable, lacks an authority, or has content (RFC 9113, 8.4.1).
    Promise,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("the peer's limit of streams is reached"),
            Self::Closed => f.write_str("the connection takes no more streams"),
            Self::Malformed(malformed) => write!(f, "the message is malformed: {malformed}"),
            Self::TooLarge => f.write_str("the head exceeds the peer's SETTINGS_MAX_HEADER_LIST_SIZE"),
            Self::Role => f.write_str("this role does not open this kind of stream"),
            Self::PushDisabled => f.write_str("the client has not enabled push"),
            Self::Parent => f.write_str("the stream does not allow a promise"),
            Self::Promise => {
                f.write_str("a promised request must be GET or HEAD, with an authority and without content")
            }
        }
    }
}

impl core::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(malformed) => Some(malformed),
            _ => None,
        }
    }
}

/// Why a message or frame was not accepted for sending.
///
/// Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The stream does not exist or was released.
    UnknownStream,
    /// The stream ended early.
    Reset(StreamError),
    /// The connection has ended.
    Closed,
    /// Only the other role sends this.
    Role,
    /// The response has begun already.
    HeadSent,
    /// The message has not begun, so it takes neither content nor trailers.
    HeadNotSent,
    /// The message has ended, so it takes neither content nor trailers.
    MessageEnded,
    /// The stream is a tunnel, which ends without trailers (RFC 9113, 8.5).
    Tunnel,
    /// The message would be malformed.
    Malformed(Malformed),
    /// The payload does not fit in a frame.
    TooLarge,
    /// An alternative service needs either an origin or a stream (RFC 7838, 4).
    AltSvcTarget,
    /// The engine sends frames of this type itself.
    KnownFrameType,
    /// Too much is pending already.
    WouldBlock,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStream => f.write_str("the stream does not exist or was released"),
            Self::Reset(error) => error.fmt(f),
            Self::Closed => f.write_str("the connection has ended"),
            Self::Role => f.write_str("this role does not send this"),
            Self::HeadSent => f.write_str("the response has begun already"),
            Self::HeadNotSent => f.write_str("the message has not begun"),
            Self::MessageEnded => f.write_str("the message has ended"),
            Self::Tunnel => f.write_str("a tunnel takes no trailers"),
            Self::Malformed(malformed) => write!(f, "the message is malformed: {malformed}"),
            Self::TooLarge => f.write_str("the payload does not fit in a frame"),
            Self::AltSvcTarget => f.write_str("an alternative service needs either an origin or a stream"),
            Self::KnownFrameType => f.write_str("the engine sends frames of this type itself"),
            Self::WouldBlock => f.write_str("too much is pending already"),
        }
    }
}

impl core::error::Error for SendError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Reset(error) => Some(error),
            Self::Malformed(malformed) => Some(malformed),
            _ => None,
        }
    }
}

impl From<Malformed> for SendError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Why a receive window was not raised.
///
/// Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowError {
    /// The stream does not exist or was released.
    UnknownStream,
    /// The increment is 0, which is a protocol violation (RFC 9113, 6.9).
    Zero,
    /// The window would exceed 2^31-1 bytes (RFC 9113, 6.9.1).
    Overflow,
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownStream => "the stream does not exist or was released",
            Self::Zero => "the window increment must be at least 1",
            Self::Overflow => "the window would exceed 2^31-1 bytes",
        })
    }
}

impl core::error::Error for WindowError {}
