//! Checks at the end: once the world has come to rest, and once the connection has ended.

use http2_engine::{ConnectionError, Role, State};

use crate::end::End;
use crate::world::World;

/// The totals of one simulation, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Streams opened, including promised ones.
    pub streams: usize,
    /// Messages delivered completely.
    pub messages: usize,
    /// Bytes of content delivered.
    pub content: usize,
    /// Promised streams.
    pub promises: usize,
    /// Streams reported to a caller as reset.
    pub resets: usize,
    /// Streams that waited too long for a window.
    pub stalls: usize,
    /// Connections that ended gracefully, according to both ends.
    pub orderly: usize,
}

impl World {
    /// Checks a world at rest: every stream has ended, and both ends agree on how.
    pub(crate) fn check_quiescent(&self) {
        for (side, end) in self.ends.iter().enumerate() {
            let peer = &self.ends[1 - side];
            if self.gone[side] {
                continue;
            }
            for (&id, stream) in &end.streams {
                let role = end.role;
                assert!(stream.released, "{role:?}: stream {id} is stuck: {stream:?}");
                let told = stream.is_aborted() || stream.broken || stream.released_early;
                assert!(stream.got.end || told, "{role:?}: stream {id} has not ended: {stream:?}");
                let again = stream.was_reset.is_some_and(|error| error.retryable);
                assert!(
                    !again || !peer.streams.contains_key(&id),
                    "stream {id} was processed although it was reported as refused"
                );
            }
            if end.is_alive() {
                assert_eq!(
                    end.engine.stream_count(),
                    0,
                    "{:?} keeps streams that its caller has released",
                    end.role
                );
                assert!(end.is_flushed(), "{:?} has output left", end.role);
                let refused = !end.acts.may_open && end.engine.open_capacity() > 0;
                assert!(!refused, "the {:?} was not told that it may open streams again", end.role);
                if let Some(credit) = &end.credit {
                    credit.assert_all_given_back(&end.engine);
                }
            }
        }
        if self.ends.iter().all(End::is_alive) && !self.gone.contains(&true) {
            self.check_agreement();
        }
    }

    /// Checks that each end received everything the other sent, and that both count the same.
    fn check_agreement(&self) {
        for (side, end) in self.ends.iter().enumerate() {
            let peer = &self.ends[1 - side];
            let withheld = self.withheld(side);
            let (sender, receiver) = (end.engine.windows().send + withheld, peer.engine.windows().receive);
            assert_eq!(sender, receiver, "the connection window for the {:?}", end.role);
            for (id, stream) in &end.model.streams {
                assert!(stream.is_closed(), "{:?}: stream {id} is open: {stream:?}", end.role);
                let theirs = peer.model.streams.get(id).map(|stream| &stream.received);
                assert_eq!(Some(&stream.sent), theirs, "the traffic sent and received on stream {id}");
                assert!(matches!(end.engine.state(*id), None | Some(State::Closed)));
            }
        }
    }

    /// Checks that nothing is left after the end of the connection; the transport ends with it, unless it is
    /// lost.
    pub(crate) fn check_final(&mut self) {
        for side in 0..2 {
            let reasons = [side, 1 - side].map(|side| self.ends[side].engine.close_reason());
            if let [Some(Err(ConnectionError::TransportEnded { .. })), Some(Ok(()))] = reasons {
                assert!(self.lost, "{:?} was not told of the end", self.ends[side].role);
            }
            if !self.gone[side] {
                self.ends[side].assert_nothing_is_left(&mut self.cx);
            }
        }
    }

    /// The totals of this world.
    pub(crate) fn summary(&self) -> Summary {
        let orderly = self.ends.iter().all(|end| end.engine.close_reason() == Some(Ok(())));
        let mut summary = Summary { orderly: orderly.into(), ..Summary::default() };
        for end in &self.ends {
            summary.stalls += if end.timed_out { 0 } else { end.stalled.len() };
            for stream in end.streams.values() {
                summary.streams += usize::from(end.role == Role::Client);
                summary.promises += usize::from(end.role == Role::Client && stream.promised);
                summary.messages += usize::from(stream.got.head && stream.got.end);
                summary.content += stream.got.content;
                summary.resets += usize::from(stream.was_reset.is_some());
            }
        }
        summary
    }
}

impl Summary {
    /// Checks that many worlds together cover every feature.
    ///
    /// # Panics
    ///
    /// Panics if they do not.
    pub fn assert_coverage(&self, worlds: usize) {
        let many = self.streams > 8 * worlds && self.messages > 5 * worlds && self.content > 500 * worlds;
        let mixed = self.resets > 3 * worlds && self.stalls > worlds / 2 && self.promises > worlds / 20;
        assert!(many && mixed && self.orderly > worlds / 5, "{worlds} worlds cover too little: {self:?}");
    }
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.streams += other.streams;
        self.messages += other.messages;
        self.content += other.content;
        self.promises += other.promises;
        self.resets += other.resets;
        self.stalls += other.stalls;
        self.orderly += other.orderly;
    }
}
