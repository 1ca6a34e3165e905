//! Error codes.

use std::fmt;

use http2_tokio::ErrorCode;

/// An error code of RST_STREAM or GOAWAY (RFC 9113, 7).
///
/// ```
/// use h2::Reason;
///
/// assert_eq!(u32::from(Reason::CANCEL), 8);
/// assert_eq!(Reason::from(8), Reason::CANCEL);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason(u32);

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $text:literal;)+) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Self = Self(ErrorCode::$name.0);)+

            /// Describes the code.
            pub fn description(&self) -> &str {
                match *self {
                    $(Self::$name => $text,)+
                    _ => "a code that RFC 9113 does not define",
                }
            }
        }
    };
}

reasons! {
    /// No error; a graceful end.
    NO_ERROR, "no error";
    /// A violation of the protocol that no other code names.
    PROTOCOL_ERROR, "the peer has violated the protocol";
    /// An internal error of the endpoint.
    INTERNAL_ERROR, "the endpoint has failed";
    /// A violation of flow control.
    FLOW_CONTROL_ERROR, "the peer has violated flow control";
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT, "SETTINGS were not acknowledged in time";
    /// A frame arrived on a stream that was half closed.
    STREAM_CLOSED, "a frame arrived on a closed stream";
    /// A frame had an invalid size.
    FRAME_SIZE_ERROR, "a frame has an invalid size";
    /// The endpoint has not processed the request, which may be repeated.
    REFUSED_STREAM, "the request was refused before it was processed";
    /// The stream is no longer needed.
    CANCEL, "the stream is not needed any more";
    /// The state of field compression was lost.
    COMPRESSION_ERROR, "a field section cannot be decompressed";
    /// The connection behind a CONNECT request ended abnormally.
    CONNECT_ERROR, "the connection behind CONNECT has failed";
    /// The peer causes too much load.
    ENHANCE_YOUR_CALM, "the peer causes too much load";
    /// The transport is not secure enough.
    INADEQUATE_SECURITY, "the transport is not secure enough";
    /// The endpoint asks for HTTP/1.1.
    HTTP_1_1_REQUIRED, "HTTP/1.1 is required";
}

impl From<ErrorCode> for Reason {
    fn from(code: ErrorCode) -> Self {
        Self(code.0)
    }
}

impl From<Reason> for ErrorCode {
    fn from(reason: Reason) -> Self {
        Self(reason.0)
    }
}

impl From<u32> for Reason {
    fn from(code: u32) -> Self {
        Self(code)
    }
}

impl From<Reason> for u32 {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ErrorCode(self.0).name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Reason({:x})", self.0),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}
