//! Error codes, what a peer can do wrong, and what a caller is told.

use core::fmt;

/// An HTTP/2 error code as it stands in RST_STREAM and GOAWAY frames (RFC 9113, 7).
///
/// Unknown codes survive: they have no special meaning and are handed on as they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// Not a result of an error; also a graceful shutdown.
    pub const NO_ERROR: Self = Self(0x0);
    /// An unspecific violation of the protocol.
    pub const PROTOCOL_ERROR: Self = Self(0x1);
    /// The endpoint met an unexpected internal error.
    pub const INTERNAL_ERROR: Self = Self(0x2);
    /// The peer broke the flow-control protocol.
    pub const FLOW_CONTROL_ERROR: Self = Self(0x3);
    /// SETTINGS were not acknowledged in time.
    pub const SETTINGS_TIMEOUT: Self = Self(0x4);
    /// A frame arrived on a stream that was already half-closed.
    pub const STREAM_CLOSED: Self = Self(0x5);
    /// A frame had an invalid size.
    pub const FRAME_SIZE_ERROR: Self = Self(0x6);
    /// The stream was refused before any processing by the application.
    pub const REFUSED_STREAM: Self = Self(0x7);
    /// The stream is no longer needed.
    pub const CANCEL: Self = Self(0x8);
    /// The field section compression state cannot be maintained.
    pub const COMPRESSION_ERROR: Self = Self(0x9);
    /// The connection made by a CONNECT request was reset or closed abnormally.
    pub const CONNECT_ERROR: Self = Self(0xa);
    /// The peer shows behaviour that may generate excessive load.
    pub const ENHANCE_YOUR_CALM: Self = Self(0xb);
    /// The transport does not meet the minimum security requirements.
    pub const INADEQUATE_SECURITY: Self = Self(0xc);
    /// HTTP/1.1 is required instead of HTTP/2.
    pub const HTTP_1_1_REQUIRED: Self = Self(0xd);

    /// The name of the code (RFC 9113, 7); `None` for a code that it does not define.
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

/// How much of the connection an offence takes down (RFC 9113, 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// GOAWAY, then the end of the connection.
    Connection,
    /// RST_STREAM: the connection and its other streams go on.
    Stream,
}

/// Declares [`Violation`] with its one table of error code, scope and sentence.
macro_rules! violations {
    ($($(#[$doc:meta])* $name:ident => $code:ident, $scope:ident, $text:literal;)+) => {
        /// What a peer did wrong: the one place where an error code and its scope are chosen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Violation {
            $($(#[$doc])* $name,)+
            /// The message does not follow HTTP's rules (RFC 9113, 8.1.1).
            Malformed(Malformed),
        }

        impl Violation {
            /// The code that goes on the wire.
            pub fn code(self) -> ErrorCode {
                match self {
                    $(Self::$name => ErrorCode::$code,)+
                    Self::Malformed(_) => ErrorCode::PROTOCOL_ERROR,
                }
            }

            /// Whether the stream or the whole connection ends.
            pub fn scope(self) -> Scope {
                match self {
                    $(Self::$name => Scope::$scope,)+
                    Self::Malformed(_) => Scope::Stream,
                }
            }

            /// The offence in words; it is sent as the debug data of GOAWAY.
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
    /// The client connection preface is not the 24 octets of RFC 9113, 3.4.
    BadPreface => PROTOCOL_ERROR, Connection, "the connection preface is not that of HTTP/2";
    /// The first frame after the preface is not SETTINGS (RFC 9113, 3.4).
    FirstFrameNotSettings => PROTOCOL_ERROR, Connection, "the first frame is not SETTINGS";
    /// A frame is longer than our SETTINGS_MAX_FRAME_SIZE and touches connection state (RFC 9113, 4.2).
    FrameTooLarge => FRAME_SIZE_ERROR, Connection, "a frame exceeds SETTINGS_MAX_FRAME_SIZE";
    /// A frame of one stream is longer than our SETTINGS_MAX_FRAME_SIZE (RFC 9113, 4.2).
    StreamFrameTooLarge => FRAME_SIZE_ERROR, Stream, "a frame exceeds SETTINGS_MAX_FRAME_SIZE";
    /// A frame has a length that its type does not allow (RFC 9113, 4.2 and 6).
    FrameLength => FRAME_SIZE_ERROR, Connection, "a frame has a length that its type does not allow";
    /// PRIORITY is not five octets long (RFC 9113, 6.3).
    PriorityLength => FRAME_SIZE_ERROR, Stream, "a PRIORITY frame is not five octets long";
    /// A stream depends on itself (RFC 7540, 5.3.1).
    SelfDependency => PROTOCOL_ERROR, Stream, "a stream depends on itself";
    /// A frame that belongs to a stream came on stream 0 (RFC 9113, 6).
    StreamZero => PROTOCOL_ERROR, Connection, "a frame that needs a stream came on stream 0";
    /// A frame that belongs to the connection came on a stream (RFC 9113, 6).
    NotStreamZero => PROTOCOL_ERROR, Connection, "a frame of the connection came on a stream";
    /// The padding is as long as the payload or longer (RFC 9113, 6.1).
    PaddingTooLong => PROTOCOL_ERROR, Connection, "the padding is as long as the payload";
    /// A field block was interrupted by another frame (RFC 9113, 4.3).
    FieldBlockInterrupted => PROTOCOL_ERROR, Connection, "a field block was interrupted by another frame";
    /// CONTINUATION without a field block before it (RFC 9113, 6.10).
    UnexpectedContinuation => PROTOCOL_ERROR, Connection, "CONTINUATION without an open field block";
    /// A field block does not decode (RFC 9113, 4.3; RFC 7541).
    Compression => COMPRESSION_ERROR, Connection, "a field block does not decode";
    /// A frame came on a stream that is idle (RFC 9113, 5.1).
    IdleStream => PROTOCOL_ERROR, Connection, "a frame came on an idle stream";
    /// A stream identifier of the wrong parity, or one lower than an earlier one (RFC 9113, 5.1.1).
    BadStreamId => PROTOCOL_ERROR, Connection, "a stream was opened with an invalid identifier";
    /// A frame came on a stream whose remote side was already closed (RFC 9113, 5.1).
    StreamClosed => STREAM_CLOSED, Stream, "a frame came on a closed stream";
    /// HEADERS came on a stream that was closed in both directions (RFC 9113, 5.1).
    HeadersOnClosed => STREAM_CLOSED, Connection, "HEADERS came on a closed stream";
    /// A frame came on a reserved stream that does not allow it (RFC 9113, 5.1).
    ReservedStream => PROTOCOL_ERROR, Connection, "a frame came on a reserved stream that does not allow it";
    /// More streams than SETTINGS_MAX_CONCURRENT_STREAMS allows (RFC 9113, 5.1.2).
    TooManyStreams => REFUSED_STREAM, Stream, "more streams than SETTINGS_MAX_CONCURRENT_STREAMS allows";
    /// A setting has a value that it cannot have (RFC 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1).
    BadSetting => PROTOCOL_ERROR, Connection, "a setting has an invalid value";
    /// SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1 (RFC 9113, 6.5.2).
    InitialWindowTooLarge => FLOW_CONTROL_ERROR, Connection, "SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1";
    /// A SETTINGS frame with more parameters than anybody needs.
    TooManySettings => ENHANCE_YOUR_CALM, Connection, "a SETTINGS frame has too many parameters";
    /// A SETTINGS acknowledgement that nothing asked for (RFC 9113, 6.5.3).
    UnexpectedSettingsAck => PROTOCOL_ERROR, Connection, "an acknowledgement of SETTINGS that were not sent";
    /// Our SETTINGS were not acknowledged in time (RFC 9113, 6.5.3).
    SettingsTimeout => SETTINGS_TIMEOUT, Connection, "SETTINGS were not acknowledged in time";
    /// PUSH_PROMISE where it is not allowed: to a server, or disabled, or on a wrong stream (RFC 9113, 6.6).
    UnexpectedPush => PROTOCOL_ERROR, Connection, "PUSH_PROMISE where it is not allowed";
    /// A promised request that a client cannot take (RFC 9113, 8.4).
    BadPromise => PROTOCOL_ERROR, Stream, "a promised request is not safe, cacheable and of this authority";
    /// WINDOW_UPDATE of 0 on a stream (RFC 9113, 6.9).
    ZeroStreamIncrement => PROTOCOL_ERROR, Stream, "WINDOW_UPDATE with an increment of 0";
    /// WINDOW_UPDATE of 0 on the connection (RFC 9113, 6.9).
    ZeroConnectionIncrement => PROTOCOL_ERROR, Connection, "WINDOW_UPDATE with an increment of 0";
    /// A stream's send window grew past 2^31-1 (RFC 9113, 6.9.1).
    StreamWindowOverflow => FLOW_CONTROL_ERROR, Stream, "the window of a stream exceeds 2^31-1";
    /// The connection's send window, or all windows by SETTINGS, grew past 2^31-1 (RFC 9113, 6.9.1, 6.9.2).
    ConnectionWindowOverflow => FLOW_CONTROL_ERROR, Connection, "a window exceeds 2^31-1";
    /// The peer sent more than the window of a stream allows (RFC 9113, 6.9.1).
    StreamWindowExceeded => FLOW_CONTROL_ERROR, Stream, "more DATA than the window of the stream allows";
    /// The peer sent more than the window of the connection allows (RFC 9113, 6.9.1).
    ConnectionWindowExceeded => FLOW_CONTROL_ERROR, Connection, "more DATA than the window of the connection allows";
    /// GOAWAY raised the last stream identifier (RFC 9113, 6.8).
    GoAwayRaised => PROTOCOL_ERROR, Connection, "GOAWAY raised the last stream identifier";
    /// PRIORITY_UPDATE on a stream, for stream 0, or from a server (RFC 9218, 7.1).
    BadPriorityUpdate => PROTOCOL_ERROR, Connection, "PRIORITY_UPDATE where it is not allowed";
    /// DATA before the HEADERS that it belongs to (RFC 9113, 8.1).
    DataBeforeHeaders => PROTOCOL_ERROR, Stream, "DATA before HEADERS";
    /// A field section larger than our SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 10.5.1).
    FieldSectionTooLarge => ENHANCE_YOUR_CALM, Stream, "a field section is too large";
    /// A field section so large that decoding it was given up (RFC 9113, 10.5.1).
    FieldBlockTooLarge => ENHANCE_YOUR_CALM, Connection, "a field block is far too large";
    /// A field block in more CONTINUATION frames than anybody needs (CVE-2024-27316 and kin).
    TooManyContinuations => ENHANCE_YOUR_CALM, Connection, "a field block has too many CONTINUATION frames";
    /// The abuse score is used up (RFC 9113, 10.5).
    Abuse => ENHANCE_YOUR_CALM, Connection, "too much useless work";
    /// A deadline for the preface, a field block or the transport's progress passed.
    TooSlow => ENHANCE_YOUR_CALM, Connection, "the peer is too slow";
    /// A stream had data to send and the peer opened no window for too long.
    StreamStalled => ENHANCE_YOUR_CALM, Stream, "the peer opened no window for too long";
    /// A keep-alive PING was not answered (RFC 9113, 6.7).
    PingTimeout => NO_ERROR, Connection, "a PING was not answered";
}

/// Why a message is malformed (RFC 9113, 8.1.1): a stream error of type PROTOCOL_ERROR when received,
/// an error for the caller who tries to send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A field name is empty, has an upper-case letter, or an octet that no token has (RFC 9113, 8.2.1).
    FieldName,
    /// A field value has NUL, CR or LF, or white space at an end (RFC 9113, 8.2.1).
    FieldValue,
    /// A field that belongs to an HTTP/1.1 connection, or TE other than «trailers» (RFC 9113, 8.2.2).
    ConnectionField,
    /// A pseudo-header field that is unknown or belongs to the other kind of message (RFC 9113, 8.3).
    UnknownPseudo,
    /// A pseudo-header field twice (RFC 9113, 8.3).
    DuplicatePseudo,
    /// A pseudo-header field after a regular field (RFC 9113, 8.3).
    LatePseudo,
    /// A pseudo-header field in a trailer section (RFC 9113, 8.1).
    PseudoInTrailers,
    /// A pseudo-header field that the message must have is missing (RFC 9113, 8.3.1, 8.3.2).
    MissingPseudo,
    /// `:method` is not a token (RFC 9110, 9.1).
    Method,
    /// `:scheme` is not a scheme (RFC 3986, 3.1).
    Scheme,
    /// `:path` is empty or has octets that no path has (RFC 9113, 8.3.1).
    Path,
    /// `:authority` or Host has user information or octets that no authority has (RFC 9113, 8.3.1).
    Authority,
    /// Host differs from `:authority`, or stands twice (RFC 9113, 8.3.1; RFC 9110, 7.2).
    Host,
    /// CONNECT without an authority with a port, or with `:scheme` or `:path` (RFC 9113, 8.5).
    Connect,
    /// `:protocol` without CONNECT, or although extended CONNECT was not enabled (RFC 8441, 4).
    Protocol,
    /// `:status` is not three digits, or is 101 (RFC 9113, 8.3.2, 8.6).
    Status,
    /// Content-Length is no number, or its copies differ (RFC 9110, 8.6).
    ContentLength,
    /// The content is longer or shorter than Content-Length says (RFC 9113, 8.1.1).
    ContentLengthMismatch,
    /// An informational response that ends the stream (RFC 9113, 8.1).
    InformationalEnd,
    /// A second HEADERS that does not end the stream (RFC 9113, 8.1).
    TrailersWithoutEnd,
    /// A field that has no place in a trailer section, for framing or routing (RFC 9110, 6.5.1).
    TrailerField,
    /// Content in a response that has none: to HEAD, 204, 304 (RFC 9110, 6.4.1).
    UnexpectedContent,
}

impl Malformed {
    /// The offence in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::FieldName => "a field name is invalid",
            Self::FieldValue => "a field value is invalid",
            Self::ConnectionField => "a field belongs to an HTTP/1.1 connection",
            Self::UnknownPseudo => "a pseudo-header field is unknown or has no place in this message",
            Self::DuplicatePseudo => "a pseudo-header field stands twice",
            Self::LatePseudo => "a pseudo-header field stands after a regular field",
            Self::PseudoInTrailers => "a pseudo-header field stands in a trailer section",
            Self::MissingPseudo => "a pseudo-header field is missing",
            Self::Method => "the method is not a token",
            Self::Scheme => "the scheme is invalid",
            Self::Path => "the path is invalid",
            Self::Authority => "the authority is invalid",
            Self::Host => "Host differs from :authority or stands twice",
            Self::Connect => "CONNECT needs an authority with a port, and neither scheme nor path",
            Self::Protocol => ":protocol needs CONNECT and a peer that has enabled it",
            Self::Status => "the status code is invalid",
            Self::ContentLength => "Content-Length is invalid",
            Self::ContentLengthMismatch => "the content does not have the length that Content-Length says",
            Self::InformationalEnd => "an informational response ends the stream",
            Self::TrailersWithoutEnd => "trailers do not end the stream",
            Self::TrailerField => "a field has no place in a trailer section",
            Self::UnexpectedContent => "content in a message that has none",
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

impl core::error::Error for Violation {}

/// Who ended a stream or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// This endpoint: because the caller wanted it, or because of what the peer did ([`StreamError::violation`]).
    Local,
    /// The peer.
    Peer,
    /// The transport, which ended or failed.
    Transport,
}

/// Why a stream ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// The code that was sent or received; what would have been sent, if the transport ended it.
    pub code: ErrorCode,
    /// Who ended it.
    pub initiator: Initiator,
    /// What the peer did wrong, if that was the reason.
    pub violation: Option<Violation>,
    /// Whether the peer has surely not acted on the request: it may be sent again on another connection,
    /// whatever its method (RFC 9113, 8.7).
    pub retryable: bool,
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

impl core::error::Error for StreamError {}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The peer did what it must not do; the code of the violation was sent.
    Violation(Violation),
    /// What the peer sends is not HTTP/2, but HTTP/1.
    NotHttp2,
    /// The caller ended it, with this code.
    Aborted(ErrorCode),
    /// The peer ended it, with this code and debug data (RFC 9113, 6.8).
    GoAway(ErrorCode, bytes::Bytes),
    /// The transport ended, in the midst of a frame or with streams that were not complete.
    TransportEnded {
        /// Whether it was cut inside a frame.
        inside_frame: bool,
    },
    /// The drain deadline passed with streams that were not complete.
    DrainTimeout,
}

impl ConnectionError {
    /// The code that was sent or received, if one was.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Violation(violation) => Some(violation.code()),
            Self::NotHttp2 => Some(ErrorCode::PROTOCOL_ERROR),
            Self::Aborted(code) | Self::GoAway(code, _) => Some(*code),
            Self::DrainTimeout => Some(ErrorCode::NO_ERROR),
            Self::TransportEnded { .. } => None,
        }
    }

    /// Who ended it.
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
            Self::DrainTimeout => f.write_str("the streams did not end within the drain deadline"),
        }
    }
}

impl core::error::Error for ConnectionError {}

/// Why a stream was not opened. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// As many streams wait for the peer's limit as may; [`Event::StreamsAvailable`](crate::Event) follows.
    WouldBlock,
    /// The connection takes no more streams: it is ending, or its identifiers are used up. The request may be
    /// sent on another connection.
    Closed,
    /// The head is malformed.
    Malformed(Malformed),
    /// The head is larger than the peer's SETTINGS_MAX_HEADER_LIST_SIZE (RFC 9113, 10.5.1).
    TooLarge,
    /// The other role opens streams like that.
    Role,
    /// The client does not take pushed streams.
    PushDisabled,
    /// The stream that a promise belongs to is not there, or does not allow one.
    Parent,
    /// A promised request is safe and cacheable, names its authority, and has no content (RFC 9113, 8.4.1).
    Promise,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("too many streams wait for the peer's limit"),
            Self::Closed => f.write_str("the connection takes no more streams"),
            Self::Malformed(malformed) => write!(f, "the message is malformed: {malformed}"),
            Self::TooLarge => f.write_str("the head exceeds the peer's SETTINGS_MAX_HEADER_LIST_SIZE"),
            Self::Role => f.write_str("this role does not open streams like that"),
            Self::PushDisabled => f.write_str("the client has not enabled push"),
            Self::Parent => f.write_str("the stream does not allow a promise"),
            Self::Promise => {
                f.write_str("only GET and HEAD can be promised, with an authority and without content")
            }
        }
    }
}

impl core::error::Error for OpenError {}

/// Why something was not taken for sending. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// There is no such stream, or it was released.
    UnknownStream,
    /// The stream has ended before its time.
    Reset(StreamError),
    /// It has no place now, for the reason given.
    State(&'static str),
    /// The message would be malformed.
    Malformed(Malformed),
    /// There is no room for it now.
    WouldBlock,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStream => f.write_str("there is no such stream"),
            Self::Reset(error) => error.fmt(f),
            Self::State(reason) => f.write_str(reason),
            Self::Malformed(malformed) => write!(f, "the message is malformed: {malformed}"),
            Self::WouldBlock => f.write_str("there is no room for it now"),
        }
    }
}

impl core::error::Error for SendError {}

impl From<Malformed> for SendError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Why a receive window was not raised. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    /// There is no such stream, or it was released.
    UnknownStream,
    /// An increment of 0 is a violation of the protocol (RFC 9113, 6.9).
    Zero,
    /// The window would pass 2^31-1 octets (RFC 9113, 6.9.1).
    Overflow,
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownStream => "there is no such stream",
            Self::Zero => "the increment of a window is at least 1",
            Self::Overflow => "the window would pass 2^31-1 octets",
        })
    }
}

impl core::error::Error for WindowError {}
