//! The set of streams, without frames.

use super::*;
use crate::fields::FieldSection;
use crate::message::MethodKind;
use Transition::*;

fn id(n: u32) -> StreamId {
    StreamId::new(n).unwrap()
}

/// Adds streams that the caller holds.
fn with(client: bool, ids: &[u32]) -> Streams {
    let mut streams = Streams::new(client);
    for &n in ids {
        streams.insert(Stream::new(id(n), MethodKind::Get));
        streams.give(id(n));
    }
    streams.check();
    streams
}

fn head() -> WaitingHead {
    WaitingHead::new(FieldSection::new(), true)
}

#[test]
fn counts_follow_the_states() {
    let mut streams = with(true, &[1, 3, 2, 4]);
    for (n, transition, local, peer, promised) in [
        (1, SendHeaders, 1, 0, 0),
        (1, SendEndStream, 1, 0, 0),
        (3, SendHeaders, 2, 0, 0),
        (2, RecvPushPromise, 2, 0, 1),
        (4, RecvPushPromise, 2, 0, 2),
        (2, RecvHeaders, 2, 1, 1),
        (4, SendReset, 2, 1, 0),
        (1, RecvEndStream, 1, 1, 0),
        (3, RecvReset, 0, 1, 0),
        (2, EndConnection, 0, 0, 0),
    ] {
        streams.transition(id(n), transition).unwrap();
        let Counts { local: l, peer: p, promised: r, .. } = streams.counts();
        assert_eq!((l, p, r), (local, peer, promised), "{transition:?} on stream {n}");
        assert_eq!(streams.is_busy(), (l, p, r) != (0, 0, 0));
    }
    let ends = [1, 2, 3, 4].map(|n| streams.closed_by(id(n)).unwrap());
    assert_eq!(ends, [ClosedBy::EndStream, ClosedBy::LocalReset, ClosedBy::PeerReset, ClosedBy::LocalReset]);
    assert_eq!(streams.counts().app_owned, 2, "the streams of the server");
    streams.check();
}

#[test]
fn a_change_tells_both_states() {
    let mut streams = with(true, &[1]);
    let change = |streams: &mut Streams, transition| {
        streams.transition(id(1), transition).map(|change| (change.from, change.to))
    };
    assert_eq!(change(&mut streams, SendHeaders), Some((State::Idle, State::Open)));
    assert_eq!(change(&mut streams, RecvHeaders), None, "the state stays");
    assert_eq!(change(&mut streams, EndConnection), Some((State::Open, State::Closed)));
}

#[test]
#[should_panic(expected = "SendHeaders on a stream that is closed")]
fn closed_streams_stay_closed() {
    let mut streams = with(true, &[1]);
    streams.transition(id(1), Withdraw);
    streams.transition(id(1), SendHeaders);
}

#[test]
fn waiting_requests_leave_their_queues_in_order_or_when_they_close() {
    for client in [true, false] {
        let mut streams = with(client, &[1, 3, 5, 7]);
        for n in [1, 3, 5, 7] {
            if !client {
                streams.transition(id(n), RecvHeaders);
            }
            streams.wait(id(n), head());
        }
        streams.check();
        let end = if client { Withdraw } else { RecvReset };
        assert!(streams.transition(id(3), end).unwrap().withdrawn);
        streams.check();
        let mut next = || {
            let next = if client { streams.next_to_open() } else { streams.next_to_accept() };
            next.map(|(id, _)| id.as_u32())
        };
        assert_eq!([next(), next(), next(), next()], [Some(1), Some(5), Some(7), None]);
        streams.check();
        let end = if client { Withdraw } else { RecvReset };
        assert!(!streams.transition(id(5), end).unwrap().withdrawn, "it waits no more");
    }
}

#[test]
fn released_streams_are_not_held() {
    let mut streams = with(false, &[1]);
    assert_eq!(streams.counts().app_owned, 1);
    assert!(streams.release(id(1)) && !streams.release(id(1)), "only once");
    assert_eq!(streams.counts().app_owned, 0);
    assert!(streams.unreleased_mut(id(1)).is_none() && streams.live_mut(id(1)).is_some());
    assert!(!streams.release(id(3)), "no such stream");
}

#[test]
fn identifiers_are_used_once() {
    let mut streams = Streams::new(true);
    assert_eq!(streams.take_next_id(), Some(id(1)));
    assert!(!streams.is_idle(id(1)) && streams.is_idle(id(3)), "identifiers of this endpoint");
    streams.reach(id(6));
    assert!(!streams.is_idle(id(4)) && !streams.is_idle(id(6)) && streams.is_idle(id(8)), "of the peer");
    assert_eq!(streams.closed_by(id(4)), Some(ClosedBy::Skipped));
    streams.insert(Stream::new(id(1), MethodKind::Get));
    assert!(streams.is_idle(id(1)), "it waits");
    streams.set_next_id(StreamId::MAX.as_u32());
    assert_eq!(streams.take_next_id(), Some(StreamId::MAX));
    assert!(!streams.has_ids() && streams.take_next_id().is_none());
}

#[test]
fn an_end_is_unseen_after_a_reset_by_this_endpoint() {
    let mut streams = with(false, &[1, 3, 5]);
    for (n, transition, unseen) in [(1, SendReset, true), (3, RecvReset, false)] {
        assert!(!streams.is_end_unseen(id(n)), "it has not ended");
        streams.transition(id(n), RecvHeaders);
        streams.transition(id(n), transition);
        assert_eq!(streams.is_end_unseen(id(n)), unseen, "{transition:?}");
        streams.release(id(n));
        streams.remove(id(n));
        assert_eq!(streams.is_end_unseen(id(n)), unseen, "{transition:?}, removed");
    }
    streams.remember_reset(id(9));
    assert!(streams.is_end_unseen(id(9)));
}
