use http2_engine::Malformed;

use super::*;

fn error(code: Http2ErrorCode, initiator: Initiator, violation: Option<Violation>) -> StreamError {
    StreamError { code, initiator, violation, retryable: false }
}

fn name(error: &StreamError, role: Role) -> String {
    format!("{:?}", of_stream(error, role))
}

#[test]
fn who_is_to_blame_shows_in_the_status() {
    let client = [ErrorCode::HttpRequestDenied, ErrorCode::HttpRequestBodySize(None)];
    assert!(client.iter().all(|code| (400..500).contains(&status(code))));
    let gateway = [ErrorCode::ConnectionRefused, ErrorCode::DnsTimeout, ErrorCode::HttpProtocolError];
    assert!(gateway.iter().all(|code| matches!(status(code), 502 | 504)));
    assert_eq!(status(&ErrorCode::InternalError(None)), 500);
}

#[test]
fn a_reset_by_the_peer_is_an_incomplete_message() {
    let cancelled = error(Http2ErrorCode::CANCEL, Initiator::Peer, None);
    assert_eq!(name(&cancelled, Role::Client), "ErrorCode::HttpResponseIncomplete");
    assert_eq!(name(&cancelled, Role::Server), "ErrorCode::ConnectionTerminated");
    let refused = error(Http2ErrorCode::REFUSED_STREAM, Initiator::Peer, None);
    assert_eq!(name(&refused, Role::Client), "ErrorCode::ConnectionLimitReached");
}

#[test]
fn an_offence_of_the_peer_is_told_from_the_end_of_its_transport() {
    let malformed = Violation::Malformed(Malformed::ContentLengthMismatch);
    let offence = error(Http2ErrorCode::PROTOCOL_ERROR, Initiator::Local, Some(malformed));
    assert_eq!(name(&offence, Role::Server), "ErrorCode::HttpProtocolError");
    let cut_off = error(Http2ErrorCode::CANCEL, Initiator::Transport, None);
    assert_eq!(name(&cut_off, Role::Client), "ErrorCode::ConnectionTerminated");
    let slow = error(Http2ErrorCode::ENHANCE_YOUR_CALM, Initiator::Local, Some(Violation::StreamStalled));
    assert_eq!(name(&slow, Role::Server), "ErrorCode::ConnectionWriteTimeout");
}

#[test]
fn large_trailers_are_those_of_the_message_that_the_peer_sends() {
    let large =
        error(Http2ErrorCode::ENHANCE_YOUR_CALM, Initiator::Local, Some(Violation::FieldSectionTooLarge));
    assert!(name(&large, Role::Client).contains("HttpResponseTrailerSectionSize"));
    assert!(name(&large, Role::Server).contains("HttpRequestTrailerSectionSize"));
}
