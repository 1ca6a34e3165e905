//! Maps errors between wasi:http and HTTP/2.
//!
//! A server answers an `error-code` of its application with the status recommended by RFC 9209, 2.3.
//! After the head of the response has been sent, it can only send RST_STREAM with INTERNAL_ERROR.

#[cfg(test)]
mod tests;

use http2_engine::{
    ErrorCode as Http2ErrorCode, Initiator, Malformed, Role, SendError, StreamError, Violation,
};

use crate::bindings::wasi::http::types::{DnsErrorPayload, ErrorCode};
use crate::bindings::wasi::sockets::ip_name_lookup::ErrorCode as LookupError;
use crate::bindings::wasi::sockets::types::ErrorCode as SocketError;
use crate::body::BodyError;

/// The status of the response to an application's error.
///
/// | `error-code` | status |
/// |---|---|
/// | `HTTP-request-denied`, `destination-IP-prohibited` | 403 |
/// | `HTTP-request-method-invalid`, `HTTP-request-URI-invalid` | 400 |
/// | `HTTP-request-length-required` | 411 |
/// | `HTTP-request-body-size` | 413 |
/// | `HTTP-request-URI-too-long` | 414 |
/// | `HTTP-request-header-section-size`, `-header-size`, `-trailer-section-size`, `-trailer-size` | 431 |
/// | `internal-error`, `configuration-error`, `destination-not-found` | 500 |
/// | `destination-unavailable`, `connection-limit-reached` | 503 |
/// | `DNS-timeout`, `connection-timeout`, `connection-read-timeout`, `connection-write-timeout`, `HTTP-response-timeout` | 504 |
/// | any other: a server behind the application failed | 502 |
pub fn status(code: &ErrorCode) -> u16 {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => 403,
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid => 400,
        ErrorCode::HttpRequestLengthRequired => 411,
        ErrorCode::HttpRequestBodySize(_) => 413,
        ErrorCode::HttpRequestUriTooLong => 414,
        ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_) => 431,
        ErrorCode::InternalError(_) | ErrorCode::ConfigurationError | ErrorCode::DestinationNotFound => 500,
        ErrorCode::DestinationUnavailable | ErrorCode::ConnectionLimitReached => 503,
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => 504,
        _ => 502,
    }
}

/// The wasi:http error for the receiver of a message whose stream ended early.
///
/// | cause | `error-code` |
/// |---|---|
/// | the transport ended | `connection-terminated` |
/// | the peer's trailers were too large | `HTTP-request-trailer-section-size`, `HTTP-response-trailer-section-size` |
/// | the peer kept its window closed for too long | `connection-write-timeout` |
/// | another protocol violation of the peer | `HTTP-protocol-error` |
/// | the peer sent REFUSED_STREAM or ENHANCE_YOUR_CALM | `connection-limit-reached` |
/// | the peer blamed this endpoint: PROTOCOL_ERROR, HTTP_1_1_REQUIRED and similar codes | `HTTP-protocol-error` |
/// | the peer sent any other code, to a client | `HTTP-response-incomplete` |
/// | the peer sent any other code, to a server | `connection-terminated` |
/// | the peer speaks HTTP/1 | `HTTP-protocol-error` |
/// | this endpoint reset the stream | `connection-terminated` |
pub fn from_stream(error: &StreamError, role: Role) -> ErrorCode {
    match (error.initiator, error.violation) {
        (Initiator::Transport, _) => ErrorCode::ConnectionTerminated,
        (_, Some(Violation::FieldSectionTooLarge)) => match role {
            Role::Client => ErrorCode::HttpResponseTrailerSectionSize(None),
            Role::Server => ErrorCode::HttpRequestTrailerSectionSize(None),
        },
        (_, Some(Violation::StreamStalled | Violation::TooSlow)) => ErrorCode::ConnectionWriteTimeout,
        (_, Some(_)) => ErrorCode::HttpProtocolError,
        (Initiator::Local, None) if error.code == Http2ErrorCode::PROTOCOL_ERROR => {
            ErrorCode::HttpProtocolError
        }
        (Initiator::Local, None) => ErrorCode::ConnectionTerminated,
        (Initiator::Peer, None) => from_peer_code(error.code, role),
    }
}

/// The wasi:http error for a stream that ended before its response head arrived.
///
/// As [`from_stream`], except that an oversized field section is `HTTP-response-header-section-size`.
pub fn from_response(error: &StreamError) -> ErrorCode {
    match error.violation {
        Some(Violation::FieldSectionTooLarge) => ErrorCode::HttpResponseHeaderSectionSize(None),
        _ => from_stream(error, Role::Client),
    }
}

/// The wasi:http error for a malformed request of an application.
///
/// | defect | `error-code` |
/// |---|---|
/// | the method is not a token | `HTTP-request-method-invalid` |
/// | invalid scheme, authority or path, also those of a CONNECT request | `HTTP-request-URI-invalid` |
/// | content shorter than Content-Length (longer content is cut off) | `HTTP-request-body-size` |
/// | any other | `HTTP-protocol-error` |
pub fn from_malformed(defect: Malformed) -> ErrorCode {
    match defect {
        Malformed::Method => ErrorCode::HttpRequestMethodInvalid,
        Malformed::Scheme | Malformed::Path | Malformed::Authority | Malformed::Connect => {
            ErrorCode::HttpRequestUriInvalid
        }
        Malformed::ContentLengthMismatch => ErrorCode::HttpRequestBodySize(None),
        _ => ErrorCode::HttpProtocolError,
    }
}

/// The wasi:http error for an incompletely sent request.
///
/// [`from_stream`] maps an ended stream, [`from_malformed`] a malformed message.
pub fn from_body(error: &BodyError) -> ErrorCode {
    match error {
        BodyError::Source(code) => code.clone(),
        BodyError::Stream(SendError::Reset(error)) => from_stream(error, Role::Client),
        BodyError::Stream(SendError::Malformed(defect)) => from_malformed(*defect),
        BodyError::Stream(_) => ErrorCode::ConnectionTerminated,
    }
}

/// The wasi:http error for a failed name lookup.
///
/// | lookup error | `error-code` |
/// |---|---|
/// | `access-denied` | `destination-IP-prohibited` |
/// | `invalid-argument` | `HTTP-request-URI-invalid` |
/// | `name-unresolvable` | `DNS-error`, NXDOMAIN |
/// | `temporary-resolver-failure` | `DNS-error`, SERVFAIL |
/// | any other | `DNS-error` |
pub fn from_lookup(error: LookupError) -> ErrorCode {
    let dns = |rcode: Option<&str>| {
        ErrorCode::DnsError(DnsErrorPayload { rcode: rcode.map(str::to_owned), info_code: None })
    };
    match error {
        LookupError::AccessDenied => ErrorCode::DestinationIpProhibited,
        LookupError::InvalidArgument => ErrorCode::HttpRequestUriInvalid,
        LookupError::NameUnresolvable => dns(Some("NXDOMAIN")),
        LookupError::TemporaryResolverFailure => dns(Some("SERVFAIL")),
        LookupError::PermanentResolverFailure => dns(None),
        LookupError::Other(text) => dns(text.as_deref()),
    }
}

/// The wasi:http error for a failed connection attempt.
///
/// | socket error | `error-code` |
/// |---|---|
/// | `connection-refused`, `connection-reset`, `connection-aborted` | `connection-refused` |
/// | `remote-unreachable`, `not-supported` | `destination-IP-unroutable` |
/// | `timeout` | `connection-timeout` |
/// | `access-denied` | `destination-IP-prohibited` |
/// | `out-of-memory`, `address-not-bindable`, `address-in-use`: no socket is available | `connection-limit-reached` |
/// | any other | `destination-unavailable` |
pub fn from_socket(error: &SocketError) -> ErrorCode {
    match error {
        SocketError::ConnectionRefused | SocketError::ConnectionReset | SocketError::ConnectionAborted => {
            ErrorCode::ConnectionRefused
        }
        SocketError::RemoteUnreachable | SocketError::NotSupported => ErrorCode::DestinationIpUnroutable,
        SocketError::Timeout => ErrorCode::ConnectionTimeout,
        SocketError::AccessDenied => ErrorCode::DestinationIpProhibited,
        SocketError::OutOfMemory | SocketError::AddressNotBindable | SocketError::AddressInUse => {
            ErrorCode::ConnectionLimitReached
        }
        _ => ErrorCode::DestinationUnavailable,
    }
}

fn from_peer_code(code: Http2ErrorCode, role: Role) -> ErrorCode {
    match code {
        Http2ErrorCode::REFUSED_STREAM | Http2ErrorCode::ENHANCE_YOUR_CALM => {
            ErrorCode::ConnectionLimitReached
        }
        Http2ErrorCode::PROTOCOL_ERROR
        | Http2ErrorCode::FLOW_CONTROL_ERROR
        | Http2ErrorCode::STREAM_CLOSED
        | Http2ErrorCode::FRAME_SIZE_ERROR
        | Http2ErrorCode::COMPRESSION_ERROR
        | Http2ErrorCode::HTTP_1_1_REQUIRED => ErrorCode::HttpProtocolError,
        _ if role == Role::Client => ErrorCode::HttpResponseIncomplete,
        _ => ErrorCode::ConnectionTerminated,
    }
}
