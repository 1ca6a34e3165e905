use bytes::Bytes;
use http2_engine::{ConnectionError, ErrorCode, Initiator, StreamError, Violation};

use super::{connection_ended, stream_reset};
use crate::bindings::http2::engine::transport::TransportError;
use crate::bindings::http2::engine::types::{ErrorKind, Fault};

#[test]
fn peer_reset_carries_code_and_retryable() {
    let error = StreamError {
        code: ErrorCode::REFUSED_STREAM,
        initiator: Initiator::Peer,
        violation: None,
        retryable: true,
    };
    let told = stream_reset(&error);
    assert!(matches!((told.kind, told.fault), (ErrorKind::StreamReset, Fault::Peer)));
    assert_eq!(told.code, Some(7));
    assert!(told.retryable);
    assert!(told.message.contains("REFUSED_STREAM"), "{}", told.message);
}

#[test]
fn missed_deadline_is_a_timeout_with_fault_limit() {
    let told = connection_ended(&ConnectionError::Violation(Violation::SettingsTimeout), None);
    assert!(matches!((told.kind, told.fault), (ErrorKind::Timeout, Fault::Limit)));
    assert_eq!(told.code, Some(4));
}

#[test]
fn other_protocols_are_reported_as_not_http2() {
    for error in [ConnectionError::NotHttp2, ConnectionError::Violation(Violation::FirstFrameNotSettings)] {
        assert!(matches!(connection_ended(&error, None).kind, ErrorKind::NotHttp2));
    }
}

#[test]
fn go_away_error_includes_the_debug_data() {
    let error = ConnectionError::GoAway(ErrorCode::ENHANCE_YOUR_CALM, Bytes::from_static(b"slow down"));
    let told = connection_ended(&error, None);
    assert!(matches!((told.kind, told.fault), (ErrorKind::ConnectionClosed, Fault::Peer)));
    assert_eq!(told.code, Some(11));
    assert!(told.message.contains("slow down"), "{}", told.message);
}

#[test]
fn transport_error_text_is_included() {
    let ended = ConnectionError::TransportEnded { inside_frame: false };
    let told = connection_ended(&ended, Some(&TransportError::Other("the cable is out".to_owned())));
    assert!(matches!((told.kind, told.fault), (ErrorKind::TransportFailed, Fault::Transport)));
    assert_eq!(told.code, None);
    assert!(told.message.ends_with(": the cable is out"), "{}", told.message);
}
