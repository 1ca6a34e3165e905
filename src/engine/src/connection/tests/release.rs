//! Calls on streams in every state: reset, release, and invalid calls.

use bytes::Bytes;

use super::pair::{Pair, request, response};
use super::raw::{Frame, Raw, id};
use crate::error::{Malformed, OpenError, SendError, WindowError};
use crate::{Config, ErrorCode, Event, FieldSection, Initiator, Read, State, StreamId};

/// Releases a server's stream in each possible state and checks what the peer receives.
#[test]
fn server_may_release_a_stream_in_any_state() {
    type Prepare = fn(&mut Raw);
    let answer: Prepare = |raw| raw.engine.send_response(id(1), &response(200), true).unwrap();
    let begin: Prepare = |raw| raw.engine.send_response(id(1), &response(200), false).unwrap();
    let fill: Prepare = |raw| {
        raw.engine.send_response(id(1), &response(200), false).unwrap();
        raw.engine.send_data(id(1), &mut "content".into(), true).unwrap();
    };
    let fill_in_part: Prepare = |raw| {
        raw.engine.send_response(id(1), &response(200), false).unwrap();
        raw.engine.send_data(id(1), &mut "content".into(), false).unwrap();
    };
    let reset: Prepare = |raw| raw.engine.reset(id(1), ErrorCode::INTERNAL_ERROR);
    let reset_by_peer: Prepare = |raw| raw.reset(1, ErrorCode::CANCEL);
    let nothing: Prepare = |_| {};
    let cases: [(bool, Prepare, Option<ErrorCode>); 12] = [
        (true, nothing, Some(ErrorCode::CANCEL)),
        (true, begin, Some(ErrorCode::CANCEL)),
        (true, answer, None),
        (true, fill, None),
        (true, fill_in_part, Some(ErrorCode::CANCEL)),
        (true, reset, Some(ErrorCode::INTERNAL_ERROR)),
        (true, reset_by_peer, None),
        (false, nothing, Some(ErrorCode::CANCEL)),
        (false, answer, None),
        (false, fill, None),
        (false, reset, Some(ErrorCode::INTERNAL_ERROR)),
        (false, reset_by_peer, None),
    ];
    for (case, (end_stream, prepare, code)) in cases.into_iter().enumerate() {
        let mut raw = Raw::server(Config::default());
        let window = raw.engine.windows().receive;
        raw.headers(1, end_stream, &request("POST", "/"));
        if !end_stream {
            raw.data(1, 100, false);
        }
        prepare(&mut raw);
        raw.events();
        raw.engine.release(id(1));
        raw.engine.release(id(1));
        assert_eq!(raw.resets(), Vec::from_iter(code.map(|code| (1, code))), "case {case}");
        assert!(raw.events().is_empty(), "case {case}: no events after release");
        // The rest of a request that was answered is read and discarded.
        let lingers = !end_stream && code.is_none() && raw.engine.state(id(1)).is_some();
        assert_eq!(raw.engine.stream_count(), usize::from(lingers), "case {case}");
        assert!(matches!(raw.engine.read(id(1), 1), Err(error) if error.code == ErrorCode::STREAM_CLOSED));
        assert_eq!(raw.engine.send_response(id(1), &response(200), true), Err(SendError::UnknownStream));
        raw.data(1, 0, lingers);
        assert!(!lingers || raw.resets().is_empty(), "case {case}");
        assert_eq!(raw.engine.stream_count(), 0, "case {case}");
        raw.sent();
        raw.assert_serves(3);
        assert!(window - raw.engine.windows().receive <= 100);
    }
}

#[test]
fn releasing_an_incomplete_client_stream_cancels_it() {
    let open = |end_stream| {
        let mut raw = Raw::client(Config::default(), &[]);
        raw.engine.open(&request("POST", "/"), end_stream).unwrap();
        raw.sent();
        raw
    };
    let cancelled = [(1, ErrorCode::CANCEL)];
    let mut raw = open(true);
    raw.engine.release(id(1));
    assert_eq!(raw.resets(), cancelled);
    // Frames in transit are ignored but count against the window.
    raw.respond(1, false);
    raw.data(1, 100, true);
    assert!(raw.sent().is_empty() && raw.events().is_empty());

    let mut raw = open(true);
    raw.respond(1, true);
    raw.engine.release(id(1));
    assert!(raw.resets().is_empty());

    let mut raw = open(false);
    raw.respond(1, true);
    raw.engine.release(id(1));
    assert_eq!(raw.resets(), cancelled, "the request was never finished");

    let mut raw = open(false);
    raw.engine.send_data(id(1), &mut "content".into(), true).unwrap();
    raw.respond(1, true);
    raw.engine.release(id(1));
    assert_eq!(
        raw.sent(),
        [Frame::Data { id: 1, octets: 7, end_stream: true }],
        "the request is finished now"
    );
    assert_eq!(raw.engine.stream_count(), 0);
}

#[test]
fn no_events_after_release() {
    let mut pair = Pair::new();
    let id = pair.client.open(&request("GET", "/"), true).unwrap();
    pair.run();
    pair.server.send_response(id, &response(200), false).unwrap();
    pair.server.send_data(id, &mut Bytes::from_static(b"content"), true).unwrap();
    pair.run();
    assert!(matches!(pair.client_event(), Some(Event::Response { .. })));
    pair.client.release(id);
    assert!(pair.client_event().is_none(), "Readable was already queued");
}

#[test]
fn reset_by_either_side_reaches_the_peer() {
    for by_client in [true, false] {
        let mut pair = Pair::new();
        let id = pair.client.open(&request("POST", "/"), false).unwrap();
        pair.run();
        pair.server_event();
        let (resetting, other) = if by_client {
            (&mut pair.client, &mut pair.server)
        } else {
            (&mut pair.server, &mut pair.client)
        };
        resetting.reset(id, ErrorCode(0xbad));
        resetting.reset(id, ErrorCode::CANCEL);
        assert_eq!((resetting.state(id), resetting.stats().resets_sent), (Some(State::Closed), 1));
        let mut octets = Vec::new();
        let sent = resetting.poll_transmit(pair.now, &mut octets, usize::MAX);
        assert_eq!(other.recv(pair.now, &mut octets.into()), sent);
        let mut events = std::iter::from_fn(|| other.poll_event());
        let reset = events.find(|event| matches!(event, Event::Reset { .. }));
        let Some(Event::Reset { error, .. }) = reset else { panic!() };
        assert_eq!((error.code, error.initiator), (ErrorCode(0xbad), Initiator::Peer));
        assert!(matches!(other.read(id, 1), Err(same) if same == error));
        assert_eq!(other.send_data(id, &mut "x".into(), true).unwrap_err().to_string(), error.to_string());
        assert!(pair.client_event().is_none() && pair.server_event().is_none());
        pair.client.release(id);
        pair.server.release(id);
        assert_eq!((pair.client.stream_count(), pair.server.stream_count()), (0, 0));
    }
}

#[test]
fn content_received_before_a_reset_is_readable() {
    let mut raw = Raw::server(Config::default());
    raw.post(1);
    raw.data(1, 5, false);
    raw.reset(1, ErrorCode::CANCEL);
    assert!(matches!(raw.engine.read(id(1), 100), Ok(Read::Data(data)) if data.len() == 5));
    assert!(matches!(raw.engine.read(id(1), 100), Err(error) if error.code == ErrorCode::CANCEL));
}

#[test]
fn reset_drops_pending_content() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    raw.get(3);
    for stream in [1, 3] {
        raw.engine.send_response(id(stream), &response(200), false).unwrap();
        raw.engine.send_data(id(stream), &mut Bytes::from(vec![0; 200_000]), true).unwrap();
    }
    raw.sent();
    assert_eq!(raw.engine.windows().send, 0, "both wait for the connection window");
    raw.engine.reset(id(1), ErrorCode::CANCEL);
    raw.reset(3, ErrorCode::CANCEL);
    raw.window_update(0, 1_000_000);
    assert_eq!(raw.sent(), [Frame::Reset { id: 1, code: ErrorCode::CANCEL }]);
    assert!(raw.engine.is_flushed() && raw.engine.sending.is_idle());
}

#[test]
fn malformed_messages_are_rejected_without_side_effects() {
    let mut pair = Pair::new();
    let mut bad_name = request("GET", "/");
    bad_name.push(b"Upper", b"case");
    let mut bad_value = request("GET", "/");
    bad_value.push(b"name", b"a\r\nb");
    let mut hop = request("GET", "/");
    hop.push(b"connection", b"close");
    let heads = [
        (bad_name, Malformed::FieldName),
        (bad_value, Malformed::FieldValue),
        (hop, Malformed::ConnectionField),
        (response(200), Malformed::UnknownPseudo),
        (request("GET", "no/slash"), Malformed::Path),
    ];
    for (head, malformed) in heads {
        assert_eq!(pair.client.open(&head, true), Err(OpenError::Malformed(malformed)));
    }
    let stream = pair.client.open(&request("GET", "/"), true).unwrap();
    assert_eq!(stream.as_u32(), 1, "no stream identifier was used up");
    pair.run();
    let malformed = |malformed| Err(SendError::Malformed(malformed));
    assert_eq!(pair.server.send_response(stream, &response(100), false), malformed(Malformed::Status));
    assert_eq!(pair.server.send_informational(stream, &response(200)), malformed(Malformed::Status));
    assert_eq!(
        pair.server.send_response(stream, &request("GET", "/"), false),
        malformed(Malformed::UnknownPseudo)
    );
    assert_eq!(
        pair.server.send_response(stream, &FieldSection::new(), true),
        malformed(Malformed::MissingPseudo)
    );
    pair.server.send_response(stream, &response(200), false).unwrap();
    assert_eq!(pair.server.send_trailers(stream, &response(200)), malformed(Malformed::PseudoInTrailers));
    pair.server.send_data(stream, &mut Bytes::new(), true).unwrap();
    pair.run();
    assert!(matches!(pair.client.read(stream, 1), Ok(Read::End)));
    assert_eq!((pair.client.close_reason(), pair.server.close_reason()), (None, None));
}

#[test]
fn out_of_order_calls_are_rejected() {
    let mut raw = Raw::server(Config::default());
    raw.get(1);
    assert_eq!(raw.engine.send_data(id(1), &mut "early".into(), false), Err(SendError::HeadNotSent));
    assert_eq!(raw.engine.send_trailers(id(1), &FieldSection::new()), Err(SendError::HeadNotSent));
    assert_eq!(raw.engine.send_capacity(id(1)), 0);
    raw.engine.send_response(id(1), &response(200), false).unwrap();
    assert_eq!(raw.engine.send_response(id(1), &response(200), false), Err(SendError::HeadSent));
    assert!(raw.engine.send_capacity(id(1)) > 0);
    raw.engine.send_data(id(1), &mut "end".into(), true).unwrap();
    assert_eq!(raw.engine.send_data(id(1), &mut "late".into(), false), Err(SendError::MessageEnded));
    assert_eq!(raw.engine.send_trailers(id(1), &FieldSection::new()), Err(SendError::MessageEnded));
    raw.sent();
    let late = raw.engine.send_data(id(1), &mut "late".into(), false);
    assert_eq!(late, Err(SendError::MessageEnded), "after the stream has closed");

    let mut raw = Raw::client(Config::default(), &[]);
    raw.engine.open(&request("POST", "/"), false).unwrap();
    assert_eq!(raw.engine.send_response(id(1), &response(200), true), Err(SendError::Role));
    assert_eq!(Raw::server(Config::default()).engine.open(&request("GET", "/"), true), Err(OpenError::Role));
}

#[test]
fn content_must_match_content_length() {
    let mut raw = Raw::client(Config::default(), &[]);
    let mut head = request("POST", "/");
    head.push(b"content-length", b"5");
    let mismatch = SendError::Malformed(Malformed::ContentLengthMismatch);
    assert_eq!(raw.engine.open(&head, true), Err(OpenError::Malformed(Malformed::ContentLengthMismatch)));
    let stream = raw.engine.open(&head, false).unwrap();
    let mut send = |octets: &'static str, end_stream| {
        let mut data = Bytes::from(octets);
        let outcome = raw.engine.send_data(stream, &mut data, end_stream);
        (outcome, data.len())
    };
    assert_eq!(send("too long", false), (Err(mismatch), 8), "nothing is taken");
    assert_eq!(send("abc", true), (Err(mismatch), 3), "too short");
    assert_eq!(send("abc", false), (Ok(3), 0));
    assert_eq!(send("def", false), (Err(mismatch), 3));
    assert_eq!(send("de", true), (Ok(2), 0));
    let sizes =
        raw.sent().into_iter().map(|frame| matches!(frame, Frame::Data { octets: 5, end_stream: true, .. }));
    assert!(sizes.eq([false, true]));
}

#[test]
fn calls_on_unknown_streams_fail() {
    for mut engine in [Raw::server(Config::default()).engine, Raw::client(Config::default(), &[]).engine] {
        for stream in [0, 1, 2, 99, 0x7fff_ffff] {
            let stream = StreamId::new(stream).unwrap();
            engine.reset(stream, ErrorCode::CANCEL);
            engine.release(stream);
            assert_eq!(engine.send_data(stream, &mut "x".into(), true), Err(SendError::UnknownStream));
            assert_eq!(engine.send_trailers(stream, &FieldSection::new()), Err(SendError::UnknownStream));
            assert_eq!(engine.window_update(stream, 1), Err(WindowError::UnknownStream));
            assert_eq!(engine.set_priority(stream, Default::default()), Err(SendError::UnknownStream));
            assert!(engine.read(stream, 1).is_err());
            assert!(engine.state(stream).is_none() && engine.is_finished(stream));
            assert_eq!(engine.send_capacity(stream), 0);
        }
        let mut octets = Vec::new();
        assert_eq!(engine.poll_transmit(crate::Time::from_nanos(2), &mut octets, 100), 0);
    }
}
