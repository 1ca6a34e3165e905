use http2_engine::Malformed;

use super::*;

fn error(code: Http2ErrorCode, initiator: Initiator, violation: Option<Violation>) -> StreamError {
    StreamError { code, initiator, violation, retryable: false }
}

fn name(error: &StreamError, role: Role) -> String {
    format!("{:?}", from_stream(error, role))
}

#[test]
fn status_names_the_side_at_fault() {
    let client = [ErrorCode::HttpRequestDenied, ErrorCode::HttpRequestBodySize(None)];
    assert!(client.iter().all(|code| (400..500).contains(&status(code))));
    let gateway = [ErrorCode::ConnectionRefused, ErrorCode::DnsTimeout, ErrorCode::HttpProtocolError];
    assert!(gateway.iter().all(|code| matches!(status(code), 502 | 504)));
    assert_eq!(status(&ErrorCode::InternalError(None)), 500);
}

#[test]
fn reset_by_the_peer_makes_the_message_incomplete() {
    let cancelled = error(Http2ErrorCode::CANCEL, Initiator::Peer, None);
    assert_eq!(name(&cancelled, Role::Client), "ErrorCode::HttpResponseIncomplete");
    assert_eq!(name(&cancelled, Role::Server), "ErrorCode::ConnectionTerminated");
    let refused = error(Http2ErrorCode::REFUSED_STREAM, Initiator::Peer, None);
    assert_eq!(name(&refused, Role::Client), "ErrorCode::ConnectionLimitReached");
}

#[test]
fn violations_are_told_apart_from_the_end_of_the_transport() {
    let malformed = Violation::Malformed(Malformed::ContentLengthMismatch);
    let offence = error(Http2ErrorCode::PROTOCOL_ERROR, Initiator::Local, Some(malformed));
    assert_eq!(name(&offence, Role::Server), "ErrorCode::HttpProtocolError");
    let cut_off = error(Http2ErrorCode::CANCEL, Initiator::Transport, None);
    assert_eq!(name(&cut_off, Role::Client), "ErrorCode::ConnectionTerminated");
    let slow = error(Http2ErrorCode::ENHANCE_YOUR_CALM, Initiator::Local, Some(Violation::StreamStalled));
    assert_eq!(name(&slow, Role::Server), "ErrorCode::ConnectionWriteTimeout");
}

#[test]
fn large_trailers_are_those_of_the_peers_message() {
    let large =
        error(Http2ErrorCode::ENHANCE_YOUR_CALM, Initiator::Local, Some(Violation::FieldSectionTooLarge));
    assert!(name(&large, Role::Client).contains("HttpResponseTrailerSectionSize"));
    assert!(name(&large, Role::Server).contains("HttpRequestTrailerSectionSize"));
}

#[test]
fn large_head_is_told_apart_from_large_trailers() {
    let large =
        error(Http2ErrorCode::ENHANCE_YOUR_CALM, Initiator::Local, Some(Violation::FieldSectionTooLarge));
    assert!(matches!(from_response(&large), ErrorCode::HttpResponseHeaderSectionSize(None)));
    let cut_off = error(Http2ErrorCode::CANCEL, Initiator::Transport, None);
    assert!(matches!(from_response(&cut_off), ErrorCode::ConnectionTerminated));
}

#[test]
fn http1_server_is_a_protocol_error() {
    let not_http2 = error(Http2ErrorCode::PROTOCOL_ERROR, Initiator::Local, None);
    assert_eq!(name(&not_http2, Role::Client), "ErrorCode::HttpProtocolError");
}

#[test]
fn defects_of_a_request_are_named() {
    assert!(matches!(from_malformed(Malformed::Method), ErrorCode::HttpRequestMethodInvalid));
    assert!(matches!(from_malformed(Malformed::Authority), ErrorCode::HttpRequestUriInvalid));
    assert!(matches!(from_malformed(Malformed::ContentLengthMismatch), ErrorCode::HttpRequestBodySize(None)));
    let too_short = BodyError::Stream(SendError::Malformed(Malformed::ContentLengthMismatch));
    assert!(matches!(from_body(&too_short), ErrorCode::HttpRequestBodySize(None)));
    let aborted = BodyError::Source(ErrorCode::DnsTimeout);
    assert!(matches!(from_body(&aborted), ErrorCode::DnsTimeout));
}

#[test]
fn failed_connections_are_named() {
    assert!(matches!(from_socket(&SocketError::ConnectionRefused), ErrorCode::ConnectionRefused));
    assert!(matches!(from_socket(&SocketError::AccessDenied), ErrorCode::DestinationIpProhibited));
    assert!(matches!(from_socket(&SocketError::Other(None)), ErrorCode::DestinationUnavailable));
    let ErrorCode::DnsError(payload) = from_lookup(LookupError::NameUnresolvable) else {
        panic!("expected a DNS error");
    };
    assert_eq!(payload.rcode.as_deref(), Some("NXDOMAIN"));
}
