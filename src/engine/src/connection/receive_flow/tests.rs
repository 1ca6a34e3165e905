//! The flow of received content, without frames.

use core::time::Duration;

use super::*;
use crate::frame::StreamId;
use crate::message::MethodKind;
use crate::stream::{Streams, Transition};

const INITIAL: u32 = 65_535;

fn flow(manual_window_update: bool) -> ReceiveFlow {
    let config = Config {
        manual_window_update,
        initial_window_size: INITIAL,
        connection_window: DEFAULT_WINDOW,
        ..Config::default()
    };
    ReceiveFlow::new(&config)
}

/// Returns a set with one open stream, and its identifier.
fn stream() -> (Streams, StreamId) {
    let mut streams = Streams::new(false);
    let id = StreamId::new(1).unwrap();
    streams.insert(Stream::new(id, MethodKind::Get));
    streams.transition(id, Transition::RecvHeaders);
    (streams, id)
}

fn arrives(flow: &mut ReceiveFlow, stream: &mut Stream, bytes: u32) {
    assert!(flow.receive(bytes) && stream.recv.window.receive(bytes, INITIAL));
}

#[test]
fn consumed_bytes_become_credit_for_both_windows() {
    let (mut flow, (mut streams, id)) = (flow(false), stream());
    let stream = streams.get_mut(id).unwrap();
    arrives(&mut flow, stream, 40_000);
    assert_eq!(flow.available(), 25_535);
    assert!(flow.read(stream, 10_000));
    assert_eq!(flow.stream_credit(stream, INITIAL, Time::default()), None, "not a quarter");
    flow.consume(Some(stream), 20_000);
    assert_eq!(flow.stream_credit(stream, INITIAL, Time::default()), Some(30_000));
    assert_eq!(flow.connection_credit(Time::default(), || None), Some(30_000));
    assert_eq!(flow.parts(), (55_535, 10_000, 0));
}

#[test]
fn bytes_of_unknown_streams_are_credited_to_the_connection() {
    let mut flow = flow(false);
    assert!(flow.receive(DEFAULT_WINDOW) && !flow.receive(1));
    flow.consume(None, DEFAULT_WINDOW);
    assert_eq!(flow.connection_credit(Time::default(), || None), Some(DEFAULT_WINDOW));
}

#[test]
fn no_credit_for_a_peer_that_has_no_more_to_send() {
    let (mut flow, (mut streams, id)) = (flow(false), stream());
    let stream = streams.get_mut(id).unwrap();
    arrives(&mut flow, stream, 30_000);
    flow.consume(Some(stream), 30_000);
    assert_eq!(flow.connection_credit(Time::default(), || Some(30_000)), None, "it has room for 35,535");
    streams.transition(id, Transition::RecvEndStream);
    let stream = streams.get_mut(id).unwrap();
    assert_eq!(flow.stream_credit(stream, INITIAL, Time::default()), None, "the message has ended");
}

#[test]
fn in_manual_mode_the_caller_credits_what_it_reads() {
    let (mut flow, (mut streams, id)) = (flow(true), stream());
    let stream = streams.get_mut(id).unwrap();
    arrives(&mut flow, stream, 50_000);
    assert!(!flow.read(stream, 50_000));
    assert_eq!(flow.connection_credit(Time::default(), || None), None);
    assert!(flow.raise(50_000) && !flow.raise(0x7fff_ffff));
    assert!(!flow.starts_measurement());
}

#[test]
fn the_target_grows_with_the_bandwidth() {
    let (mut flow, (mut streams, id)) = (flow(false), stream());
    let stream = streams.get_mut(id).unwrap();
    let before = flow.target();
    assert!(flow.starts_measurement());
    flow.bandwidth_mut().finish(Duration::from_millis(10));
    for millis in [1, 2] {
        arrives(&mut flow, stream, 30_000);
        flow.consume(Some(stream), 30_000);
        let now = Time::from_nanos(millis * 1_000_000);
        assert!(flow.stream_credit(stream, INITIAL, now).is_some());
        assert!(flow.connection_credit(now, || None).is_some());
    }
    assert!(flow.target() > before, "{before}");
}
