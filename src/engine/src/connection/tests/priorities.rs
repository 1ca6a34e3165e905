//! Priorities of RFC 9218, as they show in what goes over the wire first.

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::error::Violation;
use crate::frame::{PriorityUpdate, SettingId};
use crate::{Config, ErrorCode, Event, FieldSection, Priority};

fn request_with(priority: &str) -> FieldSection {
    let mut head = request("GET", "/");
    if !priority.is_empty() {
        head.push(b"priority", priority.as_bytes());
    }
    head
}

fn priority_update(raw: &mut Raw, stream: u32, value: &str) {
    raw.send(|out| PriorityUpdate { prioritized_id: id(stream), field_value: value.as_bytes() }.encode(out));
}

/// Answers these streams with two frames of content each, and tells whose come in which order.
fn order(raw: &mut Raw, streams: &[u32]) -> Vec<u32> {
    for &stream in streams {
        raw.engine.respond(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut vec![0; 100].into(), true).unwrap();
    }
    let content = |frame| match frame {
        Frame::Data { id, .. } => Some(id),
        _ => None,
    };
    raw.sent().into_iter().filter_map(content).collect()
}

/// A server that sends small frames, so that turns show.
fn server() -> Raw {
    let mut raw = Raw::server(Config::default());
    raw.engine.config.max_send_frame_size = 50;
    raw
}

#[test]
fn the_priority_field_decides_the_order() {
    let cases: &[(&[&str], &[u32])] = &[
        // Nobody has asked for anything: turns.
        (&["", "", ""], &[1, 3, 5, 1, 3, 5]),
        // By urgency, then by request.
        (&["u=5", "u=0", "u=3"], &[3, 3, 5, 5, 1, 1]),
        (&["u=1", "u=1", "u=1"], &[1, 1, 3, 3, 5, 5]),
        // Incremental ones take turns.
        (&["u=1, i", "u=1, i", "u=7"], &[1, 3, 1, 3, 5, 5]),
        // What cannot be understood is the default.
        (&["u=9", "nonsense!", "u=2"], &[5, 5, 1, 1, 3, 3]),
    ];
    for (priorities, expected) in cases {
        let mut raw = server();
        for (stream, priority) in [1, 3, 5].into_iter().zip(*priorities) {
            raw.headers(stream, true, &request_with(priority));
        }
        assert_eq!(order(&mut raw, &[1, 3, 5]), *expected, "{priorities:?}");
    }
}

#[test]
fn priority_update_has_the_last_word() {
    let mut raw = server();
    raw.headers(1, true, &request_with("u=0"));
    raw.headers(3, true, &request_with("u=1"));
    raw.events();
    priority_update(&mut raw, 1, "u=7");
    let [Event::PriorityUpdate { priority, .. }] = raw.events()[..] else { panic!() };
    assert_eq!(priority, Priority::new(7, false));
    assert_eq!(order(&mut raw, &[1, 3]), [3, 3, 1, 1]);
}

#[test]
fn priority_update_moves_what_is_already_scheduled() {
    let mut raw = server();
    for stream in [1, 3, 5] {
        raw.headers(stream, true, &request_with("u=3"));
        raw.engine.respond(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut "content".into(), true).unwrap();
    }
    priority_update(&mut raw, 5, "u=1");
    raw.engine.set_priority(id(3), Priority::new(2, false)).unwrap();
    assert_eq!(order(&mut raw, &[]), [5, 3, 1]);
}

#[test]
fn priority_update_may_come_before_the_request() {
    let mut raw = server();
    priority_update(&mut raw, 3, "u=1");
    priority_update(&mut raw, 3, "u=2");
    priority_update(&mut raw, 5, "u=0");
    raw.headers(1, true, &request_with("u=1"));
    raw.headers(3, true, &request_with("u=0"));
    assert_eq!(raw.engine.priority(id(3)), Some(Priority::new(2, false)), "it overrides the field");
    raw.headers(7, true, &request_with(""));
    assert!(raw.engine.early_priorities.is_empty(), "stream 5 was passed over");
}

#[test]
fn no_more_priorities_wait_than_there_may_be_streams() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 3, ..Config::default() });
    raw.get(1);
    priority_update(&mut raw, 3, "u=1");
    priority_update(&mut raw, 5, "u=1");
    priority_update(&mut raw, 5, "u=2");
    assert_eq!(raw.engine.close_reason(), None);
    priority_update(&mut raw, 7, "u=1");
    raw.assert_failed(Violation::BadPriorityUpdate);
}

/// While a lower limit is not acknowledged, both hold.
#[test]
fn priorities_count_against_the_limit_that_the_client_knows() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 10, ..Config::default() });
    raw.engine.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 1)]).unwrap();
    for stream in (1..21).step_by(2) {
        priority_update(&mut raw, stream, "u=1");
    }
    assert_eq!(raw.engine.close_reason(), None);
}

#[test]
fn priorities_of_requests_that_are_passed_over_are_forgotten() {
    let mut raw = server();
    raw.get(1);
    raw.engine.shutdown(raw.now);
    raw.sleep(core::time::Duration::from_secs(1));
    for stream in (3..1_003).step_by(2) {
        priority_update(&mut raw, stream, "u=1");
        raw.get(stream);
    }
    raw.sent();
    raw.engine.respond(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), Some(Ok(())), "stream 1 was not hurt");
}

#[test]
fn priority_update_for_a_stream_that_is_over_is_ignored() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.reset(1, ErrorCode::CANCEL);
    raw.events();
    for released in [false, true] {
        if released {
            raw.engine.release(id(1));
        }
        priority_update(&mut raw, 1, "u=1");
        assert!(raw.events().is_empty() && raw.sent().is_empty());
    }
    raw.assert_serves(3);
}

#[test]
fn a_client_changes_its_mind_by_priority_update() {
    let mut raw = Raw::client(Config::default(), &[]);
    let stream = raw.engine.open(&request("POST", "/"), false).unwrap();
    raw.engine.set_priority(stream, Priority::new(1, true)).unwrap();
    let sent = raw.sent();
    assert!(
        matches!(&sent[..], [Frame::Headers { .. }, Frame::PriorityUpdate { id: 1, value }] if value == "u=1, i")
    );
    assert_eq!(raw.engine.priority(stream), Some(Priority::new(1, true)));
}

#[test]
fn a_change_of_mind_about_a_request_that_waits_goes_behind_it() {
    let limit = [(SettingId::MAX_CONCURRENT_STREAMS, 0)];
    let mut raw = Raw::client(Config::default(), &limit);
    let stream = raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.engine.set_priority(stream, Priority::new(1, false)).unwrap();
    assert!(raw.sent().is_empty());
    raw.settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 1)]);
    let sent = raw.sent();
    assert!(
        matches!(&sent[..], [Frame::SettingsAck, Frame::Headers { .. }, Frame::PriorityUpdate { value, .. }] if value == "u=1"),
        "{sent:?}"
    );
}

#[test]
fn between_two_engines() {
    let mut pair = Pair::new();
    let stream = pair.client.open(&request_with("u=5"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    assert_eq!(pair.server.priority(stream), Some(Priority::new(5, false)));
    pair.client.set_priority(stream, Priority::new(2, true)).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::PriorityUpdate { .. })));
    assert_eq!(pair.server.priority(stream), Some(Priority::new(2, true)));
}
