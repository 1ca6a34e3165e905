use bytes::Bytes;
use http2_engine::{ConnectionError, ErrorCode, Initiator, StreamError, Violation};

use super::{from_connection_error, from_stream_error};
use crate::bindings::http2::engine::types::{ErrorKind, Fault};
use crate::io::TransportError;

#[test]
fn peer_reset_carries_code_and_retryable() {
    let error = StreamError {
        code: ErrorCode::REFUSED_STREAM,
        initiator: Initiator::Peer,
        violation: None,
        retryable: true,
    };
    let error = from_stream_error(&error);
    assert!(matches!((error.kind, error.fault), (ErrorKind::StreamReset, Fault::Peer)));
    assert_eq!(error.code, Some(7));
    assert!(error.retryable);
    assert!(error.message.contains("REFUSED_STREAM"), "{}", error.message);
}

#[test]
fn missed_deadline_is_a_timeout_with_fault_limit() {
    let error = from_connection_error(&ConnectionError::Violation(Violation::SettingsTimeout), None);
    assert!(matches!((error.kind, error.fault), (ErrorKind::Timeout, Fault::Limit)));
    assert_eq!(error.code, Some(4));
}

#[test]
fn other_protocols_are_reported_as_not_http2() {
    for error in [ConnectionError::NotHttp2, ConnectionError::Violation(Violation::FirstFrameNotSettings)] {
        assert!(matches!(from_connection_error(&error, None).kind, ErrorKind::NotHttp2));
    }
}

#[test]
fn go_away_error_includes_the_debug_data() {
    let error = ConnectionError::GoAway(ErrorCode::ENHANCE_YOUR_CALM, Bytes::from_static(b"slow down"));
    let error = from_connection_error(&error, None);
    assert!(matches!((error.kind, error.fault), (ErrorKind::ConnectionClosed, Fault::Peer)));
    assert_eq!(error.code, Some(11));
    assert!(error.message.contains("slow down"), "{}", error.message);
}

#[test]
fn transport_error_text_is_included() {
    let ended = ConnectionError::TransportEnded { inside_frame: false };
    let error = from_connection_error(&ended, Some(&TransportError::Other("the cable is out".to_owned())));
    assert!(matches!((error.kind, error.fault), (ErrorKind::TransportFailed, Fault::Transport)));
    assert_eq!(error.code, None);
    assert!(error.message.ends_with(": the cable is out"), "{}", error.message);
}
