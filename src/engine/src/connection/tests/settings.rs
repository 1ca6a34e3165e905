//! SETTINGS of both endpoints, initially and at run time (RFC 9113, 6.5).

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::error::{SendError, Violation};
use crate::frame::{FrameType, SettingId};
use crate::{Config, ConfigError, Connection, Event, FieldSection, Limits, StreamId};

#[test]
fn client_can_enforce_the_servers_max_header_list_size() {
    let advised = [(SettingId::MAX_HEADER_LIST_SIZE, 100)];
    let mut raw = Raw::client(Config { check_header_list_size: true, ..Config::default() }, &advised);
    assert_eq!(raw.engine.open(&request("GET", "/"), true), Err(crate::OpenError::TooLarge));
    let mut raw = Raw::client(Config::default(), &advised);
    assert!(raw.engine.open(&request("GET", "/"), true).is_ok());
}

#[test]
fn extension_frames_are_sent_verbatim() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.send_unknown_frame(0xbb, 5, StreamId::CONNECTION, b"payload").unwrap();
    let mut out = Vec::new();
    raw.engine.poll_transmit(raw.now, &mut out, usize::MAX);
    assert_eq!(out, b"\0\0\x07\xbb\x05\0\0\0\0payload");
    for kind in [0, 6, 0x0a, 0x10] {
        let sent = raw.engine.send_unknown_frame(kind, 0, StreamId::CONNECTION, b"");
        assert_eq!(sent, Err(SendError::KnownFrameType));
    }
    let large = vec![0; 16_385];
    let sent = raw.engine.send_unknown_frame(0xbb, 0, StreamId::CONNECTION, &large);
    assert_eq!(sent, Err(SendError::TooLarge));
}

#[test]
fn initial_settings_contain_only_non_default_values() {
    let mut raw = Raw::silent_client(Config::default());
    let expected = [
        (SettingId::ENABLE_PUSH, 0),
        (SettingId::INITIAL_WINDOW_SIZE, 256 << 10),
        (SettingId::MAX_HEADER_LIST_SIZE, 32 << 10),
        (SettingId::NO_RFC7540_PRIORITIES, 1),
    ];
    let rest = (1 << 20) - 65_535;
    assert_eq!(
        raw.sent(),
        [Frame::Settings(expected.to_vec()), Frame::WindowUpdate { id: 0, increment: rest }]
    );
    let mut raw = Raw::silent_server(Config::default());
    let Frame::Settings(settings) = &raw.sent()[0] else { panic!() };
    assert!(settings.contains(&(SettingId::MAX_CONCURRENT_STREAMS, 100)));
    assert!(
        !settings.iter().any(|&(id, _)| id == SettingId::ENABLE_PUSH),
        "a server must not send ENABLE_PUSH"
    );
}

#[test]
fn limits_that_are_none_are_not_sent() {
    let mut config = Config { enable_push: true, ..Config::default() };
    config.max_concurrent_streams = u32::MAX;
    config.max_header_list_size = u32::MAX;
    config.initial_window_size = 65_535;
    for mut raw in [Raw::silent_client(config.clone()), Raw::silent_server(config)] {
        let expected = [(SettingId::NO_RFC7540_PRIORITIES, 1)];
        assert_eq!(raw.sent()[0], Frame::Settings(expected.to_vec()));
        assert!(raw.engine.has_pending_settings());
    }
}

#[test]
fn explicit_settings_are_sent_even_with_default_values() {
    let mut config = Config { no_rfc7540_priorities: false, enable_push: true, ..Config::default() };
    config.max_concurrent_streams = u32::MAX;
    config.max_header_list_size = u32::MAX;
    config.initial_window_size = 65_535;
    config.explicit_settings = vec![SettingId::MAX_FRAME_SIZE, SettingId::ENABLE_PUSH];
    let mut raw = Raw::silent_client(config);
    let expected = [(SettingId::ENABLE_PUSH, 1), (SettingId::MAX_FRAME_SIZE, 16_384)];
    assert_eq!(raw.sent()[0], Frame::Settings(expected.to_vec()));
}

#[test]
fn peer_settings_are_applied_and_acknowledged_immediately() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.settings(&[
        (SettingId::HEADER_TABLE_SIZE, 100),
        (SettingId::MAX_CONCURRENT_STREAMS, 7),
        (SettingId::INITIAL_WINDOW_SIZE, 1),
        (SettingId::INITIAL_WINDOW_SIZE, 2),
        (SettingId::MAX_FRAME_SIZE, 20_000),
        (SettingId::MAX_HEADER_LIST_SIZE, 9),
        (SettingId::ENABLE_CONNECT_PROTOCOL, 1),
        (SettingId(0xfafa), 1),
    ]);
    assert!(matches!(raw.engine.poll_event(), Some(Event::PeerSettings)));
    assert_eq!(raw.sent(), [Frame::SettingsAck]);
    let peer = raw.engine.peer_settings();
    assert_eq!((peer.header_table_size, peer.max_concurrent_streams), (100, Some(7)));
    assert_eq!((peer.initial_window_size, peer.max_frame_size), (2, 20_000), "the last value counts");
    assert_eq!((peer.max_header_list_size, peer.enable_connect_protocol), (Some(9), true));
    raw.engine.open(&request("GET", "/"), true).unwrap();
    assert!(matches!(raw.sent()[..], [Frame::Headers { .. }]), "MAX_HEADER_LIST_SIZE is advisory");
}

#[test]
fn settings_with_an_invalid_value_have_no_effect() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 7), (SettingId::MAX_FRAME_SIZE, 1)]);
    assert_eq!(raw.engine.peer_settings().max_concurrent_streams, None);
    raw.assert_failed(Violation::BadSetting);
}

#[test]
fn number_of_parameters_is_limited() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.settings(&[(SettingId(0xfafa), 0); 32]);
    assert_eq!(raw.sent(), [Frame::SettingsAck]);
    raw.settings(&[(SettingId(0xfafa), 0); 33]);
    raw.assert_failed(Violation::TooManySettings);
}

#[test]
fn local_settings_apply_once_acknowledged() {
    let mut pair = Pair::new();
    pair.run();
    let changes = [(SettingId::MAX_CONCURRENT_STREAMS, 5), (SettingId::MAX_HEADER_LIST_SIZE, 1_000)];
    pair.server.change_settings(&changes).unwrap();
    assert_eq!(pair.server.local_settings().max_concurrent_streams, Some(100));
    while pair.server.poll_event().is_some() {}
    pair.run();
    assert!(matches!(pair.server.poll_event(), Some(Event::SettingsAcknowledged)));
    for settings in [pair.server.local_settings(), pair.client.peer_settings()] {
        assert_eq!((settings.max_concurrent_streams, settings.max_header_list_size), (Some(5), Some(1_000)));
    }
}

#[test]
fn invalid_changes_are_not_sent() {
    use SettingId as Id;
    let server: &[((Id, u32), ConfigError)] = &[
        ((Id::ENABLE_PUSH, 0), ConfigError::Role),
        ((Id::INITIAL_WINDOW_SIZE, 1 << 31), ConfigError::InitialWindowSize),
        ((Id::MAX_FRAME_SIZE, 16_383), ConfigError::FrameSize),
        ((Id::MAX_FRAME_SIZE, 1 << 24), ConfigError::FrameSize),
        ((Id::ENABLE_CONNECT_PROTOCOL, 0), ConfigError::ConnectProtocolWithdrawn),
        ((Id::NO_RFC7540_PRIORITIES, 0), ConfigError::PrioritiesChanged),
        ((Id::MAX_HEADER_LIST_SIZE, 1 << 20), ConfigError::HeaderListSize),
    ];
    let config = Config { enable_connect_protocol: true, ..Config::default() };
    for &(change, error) in server {
        let mut raw = Raw::server(config.clone());
        let changed = raw.engine.change_settings(&[(Id::MAX_CONCURRENT_STREAMS, 1), change]);
        assert_eq!(changed, Err(error), "{change:?}");
        assert!(raw.sent().is_empty());
    }
    let mut raw = Raw::client(Config::default(), &[]);
    let client = [
        ((Id::ENABLE_CONNECT_PROTOCOL, 1), ConfigError::Role),
        ((Id::ENABLE_PUSH, 2), ConfigError::NotBoolean),
    ];
    for (change, error) in client {
        assert_eq!(raw.engine.change_settings(&[change]), Err(error), "{change:?}");
    }
}

#[test]
fn larger_frames_are_accepted_until_a_lower_limit_is_acknowledged() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.engine.change_settings(&[(SettingId::MAX_FRAME_SIZE, 20_000)]).unwrap();
    raw.data(1, 20_000, false);
    assert!(raw.resets().is_empty());
    raw.settings_ack();
    raw.engine.change_settings(&[(SettingId::MAX_FRAME_SIZE, 16_384)]).unwrap();
    raw.data(1, 20_000, false);
    assert!(raw.resets().is_empty(), "not acknowledged yet");
    raw.settings_ack();
    raw.data(1, 16_385, false);
    assert_eq!(raw.resets().len(), 1);
}

#[test]
fn data_frames_respect_both_endpoints_frame_sizes() {
    for (ours, theirs, size) in [(16_384, 30_000, 16_384), (30_000, 20_000, 20_000), (30_000, 40_000, 30_000)]
    {
        let mut raw = Raw::server(Config { max_send_frame_size: ours, ..Config::default() });
        raw.settings(&[(SettingId::MAX_FRAME_SIZE, theirs)]);
        raw.get(1);
        raw.engine.send_response(id(1), &response(200), false).unwrap();
        raw.engine.send_data(id(1), &mut vec![0; 50_000].into(), false).unwrap();
        let sent = raw.sent();
        let data = sent.iter().find(|frame| matches!(frame, Frame::Data { .. }));
        assert_eq!(data, Some(&Frame::Data { id: 1, octets: size, end_stream: false }));
    }
}

#[test]
fn smaller_acknowledged_table_requires_a_size_update() {
    let mut raw = Raw::server(Config::default());
    raw.engine.change_settings(&[(SettingId::HEADER_TABLE_SIZE, 0)]).unwrap();
    // GET, http, / without a preceding size update.
    raw.frame(FrameType::HEADERS, 5, 1, b"\x82\x86\x84");
    assert_eq!(raw.engine.close_reason(), None, "not acknowledged yet");
    raw.settings_ack();
    raw.frame(FrameType::HEADERS, 5, 3, b"\x82\x86\x84");
    raw.assert_failed(Violation::Compression);
}

#[test]
fn header_table_sizes_can_change_between_requests() {
    let mut pair = Pair::new();
    for size in [4_096, 0, 100, 4_096, 65_536, 60] {
        for end in [&mut pair.client, &mut pair.server] {
            end.change_settings(&[(SettingId::HEADER_TABLE_SIZE, size)]).unwrap();
        }
        for _ in 0..3 {
            let mut head = request("GET", "/");
            head.push(b"x-token", &[b'x'; 40]);
            let id = pair.client.open(&head, true).unwrap();
            pair.run();
            let Some(Event::Request { head: received, .. }) = pair.server_event() else { panic!() };
            assert!(received.iter().eq(head.iter()));
            pair.server.send_response(id, &head_of_response(), true).unwrap();
            pair.server.release(id);
            pair.run();
            assert!(matches!(pair.client_event(), Some(Event::Response { .. })), "with tables of {size}");
            pair.client.release(id);
        }
    }
    assert_eq!((pair.client.close_reason(), pair.server.close_reason()), (None, None));
}

fn head_of_response() -> FieldSection {
    let mut head = response(200);
    head.push(b"x-token", &[b'y'; 40]);
    head
}

#[test]
fn invalid_configurations_are_rejected() {
    let default = Config::default();
    let bad = [
        (Config { initial_window_size: 1 << 31, ..default.clone() }, ConfigError::InitialWindowSize),
        (Config { max_frame_size: 1, ..default.clone() }, ConfigError::FrameSize),
        (Config { max_send_frame_size: 1 << 24, ..default.clone() }, ConfigError::FrameSize),
        (Config { connection_window: 65_534, ..default.clone() }, ConfigError::ConnectionWindow),
        (Config { connection_window_max: 1 << 31, ..default.clone() }, ConfigError::ConnectionWindow),
        (Config { connection_window: 5 << 20, ..default.clone() }, ConfigError::ConnectionWindowMax),
        (Config { initial_window_size: 5 << 20, ..default.clone() }, ConfigError::StreamWindowMax),
        (Config { send_buffer: 0, ..default.clone() }, ConfigError::SendBuffer),
        (Config { pad_to: 257, ..default.clone() }, ConfigError::Padding),
        (Config { max_header_list_size: 1 << 20, ..default.clone() }, ConfigError::HeaderListSize),
        (Config { limits: Limits { events: 0, ..Limits::default() }, ..default }, ConfigError::ZeroLimit),
    ];
    for (config, error) in bad {
        assert_eq!(Connection::client(config.clone()).err(), Some(error));
        assert_eq!(Connection::server(config).err(), Some(error));
    }
}
