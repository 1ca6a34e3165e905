//! What holds once the world has come to rest, and once the connection is gone.

use http2_engine::{ConnectionError, Role, State};

use crate::end::End;
use crate::world::World;

/// What came about in a simulation, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Streams that were opened, promised ones among them.
    pub streams: usize,
    /// Messages that were delivered completely.
    pub messages: usize,
    /// Octets of content that were delivered.
    pub content: usize,
    /// Promised streams.
    pub promises: usize,
    /// Streams that a caller was told are broken off.
    pub resets: usize,
    /// Streams that waited too long for a window.
    pub stalls: usize,
    /// Connections that were ended in good order, as both ends say.
    pub orderly: usize,
}

impl World {
    /// Everybody has done what there was to do: every stream has ended, and what has become of it is the same for both
    /// ends.
    pub(crate) fn judge_rest(&self) {
        for (side, end) in self.ends.iter().enumerate() {
            let peer = &self.ends[1 - side];
            if self.gone[side] {
                continue;
            }
            for (&id, stream) in &end.streams {
                let role = end.role;
                assert!(stream.released, "{role:?}: stream {id} waits for ever: {stream:?}");
                let told = stream.is_broken_off() || stream.broken || stream.released_early;
                assert!(stream.got.end || told, "{role:?}: stream {id} has not ended: {stream:?}");
                let again = stream.was_reset.is_some_and(|error| error.retryable);
                assert!(!again || !peer.streams.contains_key(&id), "stream {id} was not to be acted upon");
            }
            if end.is_alive() {
                assert_eq!(end.engine.stream_count(), 0, "{:?} keeps streams that nobody has", end.role);
                assert!(end.is_flushed(), "{:?} has something to send", end.role);
                let refused = !end.acts.may_open && end.engine.open_capacity() > 0;
                assert!(!refused, "nobody has told the {:?} that it may open streams again", end.role);
                if let Some(credit) = &end.credit {
                    credit.assert_all_given_back(&end.engine);
                }
            }
        }
        if self.ends.iter().all(End::is_alive) && !self.gone.contains(&true) {
            self.judge_agreement();
        }
    }

    /// What one end has sent, the other has heard, and both count the same.
    fn judge_agreement(&self) {
        for (side, end) in self.ends.iter().enumerate() {
            let peer = &self.ends[1 - side];
            let withheld = self.withheld(side);
            let (sender, receiver) = (end.engine.windows().1 + withheld, peer.engine.windows().0);
            assert_eq!(sender, receiver, "the window of the connection for the {:?}", end.role);
            for (id, stream) in &end.books.streams {
                assert!(stream.is_closed(), "{:?}: stream {id} is open: {stream:?}", end.role);
                let theirs = peer.books.streams.get(id).map(|stream| &stream.heard);
                assert_eq!(Some(&stream.sent), theirs, "what was sent and heard on stream {id}");
                assert!(matches!(end.engine.state(*id), None | Some(State::Closed)));
            }
        }
    }

    /// The connection has ended: nothing of it is left. The transport ends behind it, unless it is lost.
    pub(crate) fn judge_end(&mut self) {
        for side in 0..2 {
            let reasons = [side, 1 - side].map(|side| self.ends[side].engine.close_reason());
            if let [Some(Err(ConnectionError::TransportEnded { .. })), Some(Ok(()))] = reasons {
                assert!(self.lost, "{:?} was left alone", self.ends[side].role);
            }
            if !self.gone[side] {
                self.ends[side].assert_nothing_is_left(&mut self.cx);
            }
        }
    }

    /// What came about.
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
    /// Many worlds have everything in them.
    ///
    /// # Panics
    ///
    /// They have not.
    pub fn assert_lively(&self, worlds: usize) {
        let many = self.streams > 8 * worlds && self.messages > 5 * worlds && self.content > 500 * worlds;
        let mixed = self.resets > 3 * worlds && self.stalls > worlds / 2 && self.promises > worlds / 20;
        assert!(
            many && mixed && self.orderly > worlds / 5,
            "too little happens in {worlds} worlds: {self:?}"
        );
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
