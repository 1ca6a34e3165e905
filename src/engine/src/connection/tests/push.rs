//! Server push (RFC 9113, 8.4), which is off unless the client enables it.

use bytes::Bytes;

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::error::{Malformed, OpenError, Violation};
use crate::frame::SettingId;
use crate::{Config, ErrorCode, Event, Read, State, StreamId};

fn push_enabled() -> Config {
    Config { enable_push: true, ..Config::default() }
}

/// Creates a pair whose client accepts pushes, with a request not answered yet.
fn with_request() -> (Pair, StreamId) {
    let mut pair = Pair::with(push_enabled(), Config::default());
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    assert!(matches!(pair.server_event(), Some(Event::Request { .. })));
    (pair, id)
}

#[test]
fn promise_and_response() {
    let (mut pair, parent) = with_request();
    let pushed = pair.server.push_request(parent, &request("GET", "/style.css")).unwrap();
    assert_eq!((pushed, pair.server.state(pushed)), (id(2), Some(State::ReservedLocal)));
    pair.run();
    assert_eq!(pair.client.state(pushed), Some(State::ReservedRemote));
    pair.server.send_informational(pushed, &response(103)).unwrap();
    pair.run();
    assert_eq!(pair.client.state(pushed), Some(State::HalfClosedLocal));
    pair.server.send_response(pushed, &response(200), false).unwrap();
    pair.server.send_data(pushed, &mut Bytes::from_static(b"body {}"), true).unwrap();
    pair.server.send_response(parent, &response(200), true).unwrap();
    pair.run();
    let events: Vec<_> = std::iter::from_fn(|| pair.client_event()).collect();
    let [
        Event::Push { parent: with, id: promised, head },
        Event::Informational { .. },
        Event::Response { id: first, .. },
        Event::Response { id: second, .. },
        Event::Readable { .. },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*with, *promised, head.path()), (parent, pushed, Some(&b"/style.css"[..])));
    assert_eq!([*first, *second], [pushed, parent]);
    assert!(matches!(pair.client.read(pushed, 100), Ok(Read::Data(data)) if data == "body {}"));
    for end in [&mut pair.client, &mut pair.server] {
        end.release(parent);
        end.release(pushed);
        assert_eq!(
            (end.stream_count(), end.streams.counts().app_owned, end.streams.counts().promised),
            (0, 0, 0)
        );
    }
}

#[test]
fn push_is_disabled_by_default() {
    let mut pair = Pair::new();
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    assert_eq!(pair.server.push_request(id, &request("GET", "/x")), Err(OpenError::PushDisabled));
    assert_eq!(pair.client.push_request(id, &request("GET", "/x")), Err(OpenError::Role));
}

#[test]
fn promise_crossing_disabled_push_is_cancelled() {
    let (mut pair, parent) = with_request();
    pair.server.push_request(parent, &request("GET", "/x")).unwrap();
    pair.client.change_settings(&[(SettingId::ENABLE_PUSH, 0)]).unwrap();
    pair.run();
    assert!(pair.client_event().is_none());
    assert!(
        matches!(pair.server_event(), Some(Event::Reset { error, .. }) if error.code == ErrorCode::CANCEL)
    );
    assert_eq!(pair.server.push_request(parent, &request("GET", "/y")), Err(OpenError::PushDisabled));
}

#[test]
fn limits_apply_to_push_enabled_later() {
    let mut raw = Raw::client(Config { max_concurrent_streams: 1, ..Config::default() }, &[]);
    raw.engine.change_settings(&[(SettingId::ENABLE_PUSH, 1)]).unwrap();
    raw.settings_ack();
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw.promise(1, 2, &request("GET", "/x"));
    raw.promise(1, 4, &request("GET", "/y"));
    assert_eq!(raw.resets(), [(4, ErrorCode::REFUSED_STREAM)]);
    assert!(matches!(raw.events()[..], [Event::Push { .. }]));
}

#[test]
fn promise_for_a_request_older_than_enabled_push_is_cancelled() {
    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.engine.change_settings(&[(SettingId::ENABLE_PUSH, 1)]).unwrap();
    raw.settings_ack();
    raw.sent();
    let charged = raw.engine.stats().abuse_score;
    raw.promise(1, 2, &request("GET", "/x"));
    assert_eq!(raw.resets(), [(2, ErrorCode::CANCEL)]);
    assert_eq!(raw.engine.stats().abuse_score, charged, "the server did nothing wrong");
}

#[test]
fn invalid_promises_are_not_sent() {
    let (mut pair, parent) = with_request();
    let mut with_content = request("GET", "/");
    with_content.push(b"content-length", b"1");
    for head in [request("POST", "/"), with_content] {
        assert_eq!(pair.server.push_request(parent, &head), Err(OpenError::Promise));
    }
    let malformed = Err(OpenError::Malformed(Malformed::UnknownPseudo));
    assert_eq!(pair.server.push_request(parent, &response(200)), malformed);
    assert_eq!(pair.server.push_request(id(99), &request("GET", "/")), Err(OpenError::Parent));
    pair.server.send_response(parent, &response(200), true).unwrap();
    assert_eq!(
        pair.server.push_request(parent, &request("GET", "/")),
        Err(OpenError::Parent),
        "the response is complete"
    );
}

#[test]
fn promises_are_limited_by_the_clients_max_concurrent_streams() {
    let client = Config { max_concurrent_streams: 2, ..push_enabled() };
    let mut pair = Pair::with(client, Config::default());
    let parent = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    let mut push = || pair.server.push_request(parent, &request("GET", "/x"));
    let pushed = [push(), push()].map(Result::unwrap);
    assert_eq!(push(), Err(OpenError::WouldBlock));
    pair.server.send_response(pushed[0], &response(200), true).unwrap();
    assert!(pair.server.push_request(parent, &request("GET", "/y")).is_ok());
}

/// Creates a client that accepts pushes, with a request on stream 1.
fn client() -> Raw {
    let mut raw = Raw::client(push_enabled(), &[]);
    raw.engine.open(&request("GET", "/"), true).unwrap();
    raw.sent();
    raw
}

#[test]
fn unacceptable_promises_are_stream_errors() {
    let mut foreign = crate::FieldSection::new();
    for (name, value) in
        [(":method", "GET"), (":scheme", "http"), (":authority", "evil.example"), (":path", "/")]
    {
        foreign.push(name.as_bytes(), value.as_bytes());
    }
    for head in [request("POST", "/"), foreign, response(200)] {
        let mut raw = client();
        raw.promise(1, 2, &head);
        assert_eq!(raw.resets(), [(2, ErrorCode::PROTOCOL_ERROR)]);
        // The server sent these frames before it knew.
        raw.respond(2, false);
        raw.data(2, 5, true);
        assert!(raw.sent().is_empty() && raw.events().is_empty());
        raw.respond(1, true);
        assert!(matches!(raw.events()[..], [Event::Response { .. }]));
    }
}

#[test]
fn promises_on_invalid_streams_are_connection_errors() {
    let promise = |parent, promised| {
        let mut raw = client();
        raw.promise(1, 4, &request("GET", "/"));
        raw.promise(parent, promised, &request("GET", "/"));
        raw
    };
    assert_eq!(promise(1, 6).engine.close_reason(), None);
    promise(1, 2).assert_failed(Violation::UnexpectedPush);
    promise(1, 4).assert_failed(Violation::UnexpectedPush);
    promise(3, 6).assert_failed(Violation::UnexpectedPush);
    // The server has already ended its side of the parent.
    let mut raw = Raw::client(push_enabled(), &[]);
    raw.engine.open(&request("POST", "/"), false).unwrap();
    raw.sent();
    raw.respond(1, true);
    raw.promise(1, 2, &request("GET", "/"));
    raw.assert_failed(Violation::UnexpectedPush);
}

#[test]
fn promise_on_a_reset_stream_is_cancelled() {
    let mut raw = client();
    raw.engine.release(id(1));
    raw.sent();
    raw.promise(1, 2, &request("GET", "/"));
    assert_eq!(raw.resets(), [(2, ErrorCode::CANCEL)]);
}

#[test]
fn releasing_a_promise_cancels_it() {
    let mut raw = client();
    raw.promise(1, 2, &request("GET", "/"));
    raw.engine.release(id(2));
    assert_eq!(raw.resets(), [(2, ErrorCode::CANCEL)]);
    assert_eq!((raw.engine.streams.counts().promised, raw.engine.streams.counts().app_owned), (0, 0));
}

#[test]
fn disallowed_frames_on_reserved_streams_are_connection_errors() {
    let mut raw = client();
    raw.promise(1, 2, &request("GET", "/"));
    raw.data(2, 1, false);
    raw.assert_failed(Violation::ReservedStream);

    let mut raw = client();
    raw.promise(1, 2, &request("GET", "/"));
    raw.window_update(2, 1);
    raw.assert_failed(Violation::ReservedStream);

    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.engine.push_request(id(1), &request("GET", "/x")).unwrap();
    assert_eq!(raw.sent(), [Frame::Promise { parent: 1, id: 2 }]);
    raw.window_update(2, 1);
    assert_eq!(raw.engine.close_reason(), None);
    raw.headers(2, true, &response(200));
    raw.assert_failed(Violation::ReservedStream);
}

#[test]
fn shutdown_waits_for_promised_responses() {
    let (mut pair, parent) = with_request();
    let pushed = pair.server.push_request(parent, &request("GET", "/x")).unwrap();
    pair.server.shutdown(pair.now);
    pair.server.send_response(parent, &response(200), true).unwrap();
    pair.run();
    assert_eq!((pair.server.close_reason(), pair.client.close_reason()), (None, None));
    pair.server.send_response(pushed, &response(200), true).unwrap();
    pair.run();
    assert_eq!((pair.server.close_reason(), pair.client.close_reason()), (Some(Ok(())), Some(Ok(()))));
}
