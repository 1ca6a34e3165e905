use super::Options;
use crate::bindings::exports::http2::engine::connection::GuestOptions;
use crate::bindings::http2::engine::types::{ErrorKind, Fault};

const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

#[test]
fn settings_not_listed_keep_their_defaults() {
    let options = Options::new();
    options.settings(vec![(MAX_CONCURRENT_STREAMS, 7)]).unwrap();
    let config = options.into_configuration().config;
    assert_eq!(config.max_concurrent_streams, 7);
    assert_eq!(config.max_frame_size, 16_384);
}

#[test]
fn one_request_is_sent_before_the_server_settings_arrive() {
    assert_eq!(Options::new().into_configuration().config.initial_max_send_streams, 1);
}

#[test]
fn invalid_value_is_the_callers_fault_and_changes_nothing() {
    let options = Options::new();
    for settings in [
        vec![(MAX_CONCURRENT_STREAMS, 7), (ENABLE_PUSH, 2)],
        vec![(INITIAL_WINDOW_SIZE, u32::MAX)],
        vec![(MAX_FRAME_SIZE, 16_383)],
        vec![(0xffff, 1)],
    ] {
        let error = options.settings(settings).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::InvalidArgument));
        assert!(matches!(error.fault, Fault::Caller));
    }
    assert!(options.connection_window(1 << 20, 1 << 19).is_err(), "starts larger than it may grow");
    assert!(options.send_buffer(0).is_err());
    let config = options.into_configuration().config;
    assert_eq!(config.max_concurrent_streams, 100);
}

#[test]
fn larger_settings_raise_dependent_limits() {
    let options = Options::new();
    options.settings(vec![(INITIAL_WINDOW_SIZE, 64 << 20), (MAX_HEADER_LIST_SIZE, 1 << 20)]).unwrap();
    let config = options.into_configuration().config;
    assert_eq!(config.stream_window_max, 64 << 20);
    assert_eq!(config.limits.field_section_hard, 1 << 20);
}
