//! RFC 9218 priorities, observed in the order of output.

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

/// Answers these streams with two DATA frames each and returns the streams of the DATA frames in the order sent.
fn order(raw: &mut Raw, streams: &[u32]) -> Vec<u32> {
    for &stream in streams {
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut vec![0; 100].into(), true).unwrap();
    }
    let content = |frame| match frame {
        Frame::Data { id, .. } => Some(id),
        _ => None,
    };
    raw.sent().into_iter().filter_map(content).collect()
}

/// Creates a server that sends small frames, so that streams have to take turns.
fn server() -> Raw {
    let mut raw = Raw::server(Config::default());
    raw.engine.config.max_send_frame_size = 50;
    raw
}

#[test]
fn responses_are_ordered_by_the_priority_field() {
    let cases: &[(&[&str], &[u32])] = &[
        // Without priorities, streams take turns.
        (&["", "", ""], &[1, 3, 5, 1, 3, 5]),
        // Ordered by urgency, then by request.
        (&["u=5", "u=0", "u=3"], &[3, 3, 5, 5, 1, 1]),
        (&["u=1", "u=1", "u=1"], &[1, 1, 3, 3, 5, 5]),
        // Incremental responses take turns.
        (&["u=1, i", "u=1, i", "u=7"], &[1, 3, 1, 3, 5, 5]),
        // Invalid values count as the default.
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
fn priority_update_overrides_the_priority_field() {
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
fn priority_update_reorders_scheduled_responses() {
    let mut raw = server();
    for stream in [1, 3, 5] {
        raw.headers(stream, true, &request_with("u=3"));
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut "content".into(), true).unwrap();
    }
    priority_update(&mut raw, 5, "u=1");
    raw.engine.set_priority(id(3), Priority::new(2, false)).unwrap();
    assert_eq!(order(&mut raw, &[]), [5, 3, 1]);
}

#[test]
fn priority_update_may_precede_the_request() {
    let mut raw = server();
    priority_update(&mut raw, 3, "u=1");
    priority_update(&mut raw, 3, "u=2");
    priority_update(&mut raw, 5, "u=0");
    raw.headers(1, true, &request_with("u=1"));
    raw.headers(3, true, &request_with("u=0"));
    assert_eq!(
        raw.engine.priority(id(3)),
        Some(Priority::new(2, false)),
        "PRIORITY_UPDATE overrides the field"
    );
    raw.headers(7, true, &request_with(""));
    assert!(raw.engine.early_priorities.is_empty(), "stream 5 was skipped");
}

#[test]
fn early_priority_updates_are_limited_by_max_concurrent_streams() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 3, ..Config::default() });
    raw.get(1);
    priority_update(&mut raw, 3, "u=1");
    priority_update(&mut raw, 5, "u=1");
    priority_update(&mut raw, 5, "u=2");
    assert_eq!(raw.engine.close_reason(), None);
    priority_update(&mut raw, 7, "u=1");
    raw.assert_failed(Violation::BadPriorityUpdate);
}

/// A lower limit does not apply until the client acknowledges it.
#[test]
fn early_priority_updates_may_use_the_old_limit_until_acknowledged() {
    let mut raw = Raw::server(Config { max_concurrent_streams: 10, ..Config::default() });
    raw.engine.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 1)]).unwrap();
    for stream in (1..21).step_by(2) {
        priority_update(&mut raw, stream, "u=1");
    }
    assert_eq!(raw.engine.close_reason(), None);
}

#[test]
fn priorities_of_ignored_requests_are_dropped() {
    let mut raw = server();
    raw.get(1);
    raw.engine.shutdown(raw.now);
    raw.sleep(core::time::Duration::from_secs(1));
    for stream in (3..1_003).step_by(2) {
        priority_update(&mut raw, stream, "u=1");
        raw.get(stream);
    }
    raw.sent();
    raw.engine.send_response(id(1), &response(200), true).unwrap();
    assert_eq!(raw.engine.close_reason(), Some(Ok(())), "stream 1 was not affected");
}

#[test]
fn priority_update_for_a_closed_stream_is_ignored() {
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
fn client_changes_priority_with_priority_update() {
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
fn priority_update_follows_its_delayed_request() {
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
fn priorities_reach_the_server() {
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
