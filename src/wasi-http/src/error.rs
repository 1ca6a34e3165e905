//! The errors of wasi:http, and what they are in HTTP/2.
//!
//! A server answers an `error-code` of its application with the status that RFC 9209 (2.3) advises for it. Once the
//! head of the response has gone, all that is left is RST_STREAM with INTERNAL_ERROR.

#[cfg(test)]
mod tests;

use http2_engine::{ErrorCode as Http2ErrorCode, Initiator, Role, StreamError, Violation};

use crate::bindings::wasi::http::types::ErrorCode;

/// The status of the response that stands for an error of the application.
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
/// | every other one: a server behind the application failed | 502 |
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

/// What a stream that ended before its time is in wasi:http, for who receives its message.
///
/// | how it ended | `error-code` |
/// |---|---|
/// | the transport ended | `connection-terminated` |
/// | the peer's trailers were too large | `HTTP-request-trailer-section-size`, `HTTP-response-trailer-section-size` |
/// | the peer opened no window for too long | `connection-write-timeout` |
/// | the peer broke the protocol otherwise | `HTTP-protocol-error` |
/// | the peer: REFUSED_STREAM, ENHANCE_YOUR_CALM | `connection-limit-reached` |
/// | the peer: HTTP_1_1_REQUIRED, PROTOCOL_ERROR and other codes that blame our messages | `HTTP-protocol-error` |
/// | the peer: any other code, to a client | `HTTP-response-incomplete` |
/// | the peer: any other code, to a server | `connection-terminated` |
/// | this endpoint ended it | `connection-terminated` |
pub fn of_stream(error: &StreamError, role: Role) -> ErrorCode {
    match (error.initiator, error.violation) {
        (Initiator::Transport, _) => ErrorCode::ConnectionTerminated,
        (_, Some(Violation::FieldSectionTooLarge)) => match role {
            Role::Client => ErrorCode::HttpResponseTrailerSectionSize(None),
            Role::Server => ErrorCode::HttpRequestTrailerSectionSize(None),
        },
        (_, Some(Violation::StreamStalled | Violation::TooSlow)) => ErrorCode::ConnectionWriteTimeout,
        (_, Some(_)) => ErrorCode::HttpProtocolError,
        (Initiator::Local, None) => ErrorCode::ConnectionTerminated,
        (Initiator::Peer, None) => of_code(error.code, role),
    }
}

fn of_code(code: Http2ErrorCode, role: Role) -> ErrorCode {
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
