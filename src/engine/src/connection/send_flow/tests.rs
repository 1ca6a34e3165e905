//! The flow of sent content, without frames.

use super::*;
use crate::message::MethodKind;
use crate::stream::Transition;

const NOW: Time = Time::from_nanos(1);

/// A flow and its streams, whose content is sent a byte-count at a time.
struct Wire {
    flow: SendFlow,
    streams: Streams,
    /// Streams that have room again.
    told: Vec<u32>,
}

impl Wire {
    /// Opens streams 1, 3, 5 and so on, for a peer whose initial window is 100 bytes.
    fn new(streams: u32, buffer: usize, enough: usize) -> Self {
        let mut wire =
            Self { flow: SendFlow::new(buffer, enough), streams: Streams::new(true), told: Vec::new() };
        assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 100), Some(0));
        for n in 0..streams {
            let id = id(2 * n + 1);
            let mut stream = Stream::new(id, MethodKind::Other);
            stream.send.head_sent = true;
            wire.streams.insert(stream);
            wire.streams.give(id);
            wire.streams.transition(id, Transition::SendHeaders);
        }
        wire
    }

    fn queue(&mut self, n: u32, bytes: usize) {
        self.flow.queue(&mut self.streams, id(n), Bytes::from(vec![0; bytes]));
        self.flow.schedule(self.streams.get_mut(id(n)).unwrap());
        self.flow.check(&self.streams);
    }

    /// Lets the next stream send, and returns its identifier and the bytes sent.
    fn turn(&mut self) -> Option<(u32, usize)> {
        let id = self.flow.next(&mut self.streams)?;
        let stream = self.streams.get_mut(id).unwrap();
        let sent = self.flow.allowance(stream).min(stream.send.content.len());
        if sent == 0 {
            self.flow.block(stream, NOW);
        } else {
            stream.send.content.pop(sent);
            if self.flow.sent(stream, sent, i64::try_from(sent).unwrap()) {
                self.told.push(id.as_u32());
            }
            self.flow.schedule(stream);
        }
        self.flow.check(&self.streams);
        Some((id.as_u32(), sent))
    }

    fn turns(&mut self) -> Vec<(u32, usize)> {
        std::iter::from_fn(|| self.turn()).collect()
    }

    fn raise(&mut self, n: u32, increment: u32) -> bool {
        self.flow.raise_stream(self.streams.get_mut(id(n)).unwrap(), increment)
    }
}

fn id(n: u32) -> StreamId {
    StreamId::new(n).unwrap()
}

#[test]
fn a_stream_is_blocked_until_its_window_grows() {
    let mut wire = Wire::new(2, 1 << 20, 1 << 20);
    wire.queue(1, 150);
    wire.queue(3, 30);
    assert_eq!(wire.turns(), [(1, 100), (3, 30), (1, 0)]);
    assert_eq!(wire.flow.first_stalled(), Some((NOW, id(1))));
    assert!(!wire.flow.is_flushed() && !wire.flow.can_send());
    assert!(wire.raise(3, 7) && !wire.flow.can_send(), "another stream's window");
    assert!(wire.raise(1, 20) && wire.flow.can_send());
    assert_eq!(wire.turns(), [(1, 20), (1, 0)]);
    assert!(wire.raise(1, 1_000));
    assert_eq!(wire.turns(), [(1, 30)]);
    assert!(wire.flow.is_flushed() && wire.flow.first_stalled().is_none());
}

#[test]
fn scheduled_streams_wait_for_the_window_of_the_connection() {
    let mut wire = Wire::new(1, 1 << 20, 1 << 20);
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 200_000), Some(0));
    wire.queue(1, 70_000);
    assert_eq!(wire.turns(), [(1, 65_535)]);
    assert!(wire.flow.is_window_closed() && wire.flow.is_scheduled() && !wire.flow.can_send());
    assert_eq!(wire.flow.scheduled(), [id(1)]);
    assert!(wire.flow.raise(10) && wire.flow.can_send());
    assert_eq!(wire.turns(), [(1, 10)]);
    assert!(wire.flow.raise(0x7fff_ffff) && !wire.flow.raise(1));
}

#[test]
fn the_initial_window_moves_the_windows_of_all_streams() {
    let mut wire = Wire::new(3, 1 << 20, 1 << 20);
    for n in [1, 3, 5] {
        wire.queue(n, 150);
    }
    assert!(wire.raise(5, 20));
    assert_eq!(wire.turns(), [(1, 100), (3, 100), (5, 120), (1, 0), (3, 0), (5, 0)]);
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 0), Some(0));
    assert_eq!(wire.flow.stream_window(wire.streams.get(id(1)).unwrap()), -100);
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 110), Some(3));
    wire.flow.check(&wire.streams);
    assert_eq!(wire.turns(), [(1, 10), (3, 10), (5, 10), (1, 0), (3, 0), (5, 0)]);
}

#[test]
fn no_window_exceeds_its_maximum() {
    let mut wire = Wire::new(2, 1 << 20, 1 << 20);
    assert!(wire.raise(1, 0x7fff_ff00 - 100) && !wire.raise(1, 0x100));
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 400), None);
    wire.streams.transition(id(1), Transition::SendReset);
    wire.flow.remove(wire.streams.get_mut(id(1)).unwrap());
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 0x7fff_ffff), Some(2), "it is closed");
}

#[test]
fn a_stream_that_ends_leaves_nothing_behind() {
    let mut wire = Wire::new(3, 1 << 20, 1 << 20);
    wire.queue(1, 150);
    while wire.turn() != Some((1, 0)) {}
    wire.queue(3, 50);
    wire.queue(5, 50);
    for n in [1, 3] {
        wire.flow.remove(wire.streams.get_mut(id(n)).unwrap());
        wire.flow.check(&wire.streams);
    }
    assert_eq!(wire.turns(), [(5, 50)]);
    assert!(wire.flow.is_idle() && wire.flow.is_flushed());
}

#[test]
fn a_new_priority_moves_a_scheduled_stream() {
    let mut wire = Wire::new(3, 1 << 20, 1 << 20);
    for n in [1, 3, 5] {
        wire.queue(n, 50);
    }
    wire.flow.prioritize(wire.streams.get_mut(id(5)).unwrap(), Priority::new(0, false));
    wire.flow.prioritize(wire.streams.get_mut(id(1)).unwrap(), Priority::new(7, true));
    wire.flow.check(&wire.streams);
    assert_eq!(wire.turns(), [(5, 50), (3, 50), (1, 50)]);
}

#[test]
fn buffers_shrink_while_the_total_is_high() {
    let mut wire = Wire::new(4, 40 << 10, 100 << 10);
    assert_eq!(wire.flow.set_initial_window(&mut wire.streams, 1 << 20), Some(0));
    wire.queue(1, 30 << 10);
    wire.queue(3, 30 << 10);
    assert_eq!((wire.flow.limit(), wire.flow.is_crowded()), (40 << 10, false));
    wire.queue(5, 40 << 10);
    assert_eq!((wire.flow.limit(), wire.flow.is_crowded()), (16 << 10, true));
    let waits = |wire: &Wire, n| wire.streams.get(id(n)).unwrap().send.notify_writable;
    assert!(waits(&wire, 1) && waits(&wire, 3) && waits(&wire, 5), "they have lost their room");
    assert!(!waits(&wire, 7), "it has room still");
    wire.queue(7, 12 << 10);
    assert_eq!(wire.turn(), Some((1, 30 << 10)));
    assert!(wire.flow.make_room(&mut wire.streams).is_empty(), "82 KiB are left, and the limit is 100");
    assert_eq!(wire.turn(), Some((3, 30 << 10)));
    assert_eq!(wire.told, [1, 3]);
    // Less than half of the buffers of 40 KiB, but more than half of those of 16 KiB.
    wire.streams.get_mut(id(7)).unwrap().send.notify_writable = true;
    assert_eq!(wire.flow.make_room(&mut wire.streams), [id(7)], "5 has filled its buffer");
    assert!(!wire.flow.is_crowded() && wire.flow.make_room(&mut wire.streams).is_empty());
    assert!(waits(&wire, 5) && !waits(&wire, 7));
}
