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

            /// Describes the code, in the words of h2.
            pub fn description(&self) -> &str {
                match *self {
                    $(Self::$name => $text,)+
                    _ => "unknown reason",
                }
            }
        }
    };
}

reasons! {
    /// No error; a graceful end.
    NO_ERROR, "not a result of an error";
    /// A violation of the protocol that no other code names.
    PROTOCOL_ERROR, "unspecific protocol error detected";
    /// An internal error of the endpoint.
    INTERNAL_ERROR, "unexpected internal error encountered";
    /// A violation of flow control.
    FLOW_CONTROL_ERROR, "flow-control protocol violated";
    /// SETTINGS were not acknowledged in time.
    SETTINGS_TIMEOUT, "settings ACK not received in timely manner";
    /// A frame arrived on a stream that was half closed.
    STREAM_CLOSED, "received frame when stream half-closed";
    /// A frame had an invalid size.
    FRAME_SIZE_ERROR, "frame with invalid size";
    /// The endpoint has not processed the request, which may be repeated.
    REFUSED_STREAM, "refused stream before processing any application logic";
    /// The stream is no longer needed.
    CANCEL, "stream no longer needed";
    /// The state of field compression was lost.
    COMPRESSION_ERROR, "unable to maintain the header compression context";
    /// The connection behind a CONNECT request ended abnormally.
    CONNECT_ERROR, "connection established in response to a CONNECT request was reset or abnormally closed";
    /// The peer causes too much load.
    ENHANCE_YOUR_CALM, "detected excessive load generating behavior";
    /// The transport is not secure enough.
    INADEQUATE_SECURITY, "security properties do not meet minimum requirements";
    /// The endpoint asks for HTTP/1.1.
    HTTP_1_1_REQUIRED, "endpoint requires HTTP/1.1";
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
