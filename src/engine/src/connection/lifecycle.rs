//! The beginning, the changes and the end of streams.

use super::Connection;
use crate::error::{ErrorCode, Initiator, StreamError, Violation};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::{RstStream, StreamId};
use crate::stream::{ClosedBy, Ending, Expect, Linger, Transition};

/// How often content may postpone the deadline of a lingering stream by all of
/// [`linger_timeout`](crate::Config::linger_timeout).
const LINGER_PAUSES: u32 = 30;

impl Connection {
    /// Resets a stream with `code`, which ends it in both directions at once.
    ///
    /// The call has no effect if the stream has ended.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{ErrorCode, Initiator};
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("POST"), false)?;
    /// carry(&mut client, &mut server);
    /// client.reset(id, ErrorCode::CANCEL);
    /// carry(&mut client, &mut server);
    ///
    /// // `Event::Reset` reports the same error.
    /// let error = server.read(id, 1).unwrap_err();
    /// assert_eq!((error.code, error.initiator), (ErrorCode::CANCEL, Initiator::Peer));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset(&mut self, id: StreamId, code: ErrorCode) {
        self.reset_stream(id, StreamError::local(code));
    }

    /// Releases a stream: no event of it follows, and its slot is free.
    ///
    /// If the stream has not ended, it continues only to send the rest of a complete message: of a response, or of a
    /// request whose response has arrived in full. Otherwise it is reset with CANCEL.
    ///
    /// A server whose response is complete reads and discards the rest of the request, up to
    /// [`linger_timeout`](crate::Config::linger_timeout) and [`linger_bytes`](crate::Config::linger_bytes). Beyond
    /// that, RST_STREAM with NO_ERROR stops the client (RFC 9113, 8.1). This is the last resort, because many
    /// clients handle it badly.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("GET"), true)?;
    /// carry(&mut client, &mut server);
    /// # while server.poll_event().is_some() {}
    /// server.send_response(id, &response("204"), true)?;
    /// carry(&mut client, &mut server);
    ///
    /// assert!(server.is_finished(id));
    /// assert_eq!(server.stream_count(), 1, "the caller may still ask about the stream");
    /// server.release(id);
    /// assert_eq!((server.stream_count(), server.state(id)), (0, None));
    /// # Ok(())
    /// # }
    /// ```
    pub fn release(&mut self, id: StreamId) {
        let client = self.is_client();
        let peers = !self.is_local(id);
        let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.released) else { return };
        stream.released = true;
        if peers && stream.app_owned {
            self.counts.app_owned = self.counts.app_owned.saturating_sub(1);
        }
        stream.app_owned = false;
        let unread = u32::try_from(stream.recv.content.clear()).unwrap_or(u32::MAX);
        let answered = match stream.send.ending {
            Ending::Open => false,
            _ => stream.recv.expect == Expect::Nothing || !client,
        };
        let closed = stream.is_closed();
        let unwanted = matches!(stream.send.ending, Ending::Sent) && stream.recv.expect != Expect::Nothing;
        self.discarded(id, unread);
        if closed {
            self.forget(id);
        } else if !answered {
            self.reset(id, ErrorCode::CANCEL);
        } else if unwanted {
            self.linger(id);
        }
        self.admit_arriving();
    }

    /// Discards the rest of a message that the caller no longer wants, after its answer is complete.
    fn linger(&mut self, id: StreamId) {
        let left = self.config.linger_bytes;
        let Some(timeout) = self.config.linger_timeout.filter(|_| left > 0 && !self.is_client()) else {
            return self.reset(id, ErrorCode::NO_ERROR);
        };
        let until = self.now + timeout;
        let latest = self.now + timeout.saturating_mul(LINGER_PAUSES);
        if let Some(stream) = self.streams.get_mut(id) {
            stream.linger = Some(Linger { until, latest, left });
            self.lingering.insert((until, id));
        }
    }

    /// Counts `bytes` of discarded content against the limit of a lingering stream, and postpones its deadline.
    pub(super) fn linger_on(&mut self, id: StreamId, bytes: u32) {
        let Some(linger) = self.streams.get_mut(id).and_then(|stream| stream.linger.as_mut()) else { return };
        linger.left = linger.left.saturating_sub(bytes);
        if linger.left == 0 {
            return self.reset(id, ErrorCode::NO_ERROR);
        }
        let timeout = self.config.linger_timeout.unwrap_or_default();
        let until = (self.now + timeout).min(linger.latest);
        let before = core::mem::replace(&mut linger.until, until);
        if before != until {
            self.lingering.remove(&(before, id));
            self.lingering.insert((until, id));
        }
    }

    /// Moves a stream to the next state of RFC 9113, 5.1.
    pub(super) fn transition(&mut self, id: StreamId, transition: Transition) {
        let local = self.is_local(id);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let from = stream.state;
        let Some(to) = from.after(transition) else {
            debug_assert!(false, "{transition:?} on a stream that is {from}");
            return;
        };
        if from == to {
            return;
        }
        stream.state = to;
        let count = if local { &mut self.counts.local } else { &mut self.counts.peer };
        match (from.counts(), to.counts()) {
            (false, true) => *count = count.saturating_add(1),
            (true, false) => *count = count.saturating_sub(1),
            _ => {}
        }
        match (from.is_reserved(), to.is_reserved()) {
            (false, true) => self.counts.promised = self.counts.promised.saturating_add(1),
            (true, false) => self.counts.promised = self.counts.promised.saturating_sub(1),
            _ => {}
        }
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.transition(id, from, to);
        }
        if stream.is_closed() {
            self.stream_closed(id, transition);
        }
    }

    fn stream_closed(&mut self, id: StreamId, transition: Transition) {
        let peers = !self.is_local(id);
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.closed_by = match transition {
            Transition::SendReset => ClosedBy::LocalReset,
            Transition::RecvReset => ClosedBy::PeerReset,
            _ => ClosedBy::EndStream,
        };
        let complete = stream.closed_by == ClosedBy::EndStream;
        let never_seen = stream.waiting.take().is_some();
        let blocked_since = stream.send.blocked_since.take();
        let linger = stream.linger.take();
        let released = stream.released;
        if core::mem::take(&mut stream.send.scheduled) {
            let place = stream.place();
            self.scheduler.remove(id, place);
        }
        self.drop_content(id);
        if let Some(since) = blocked_since {
            self.blocked.remove(&(since, id));
        }
        if let Some(linger) = linger {
            self.lingering.remove(&(linger.until, id));
        }
        if never_seen {
            self.pending_accept.retain(|&other| other != id);
        }
        if complete {
            self.stats.streams_completed = self.stats.streams_completed.saturating_add(1);
            self.abuse.earn_stream();
        }
        if released || (never_seen && peers) {
            self.forget(id);
        }
        self.tell_streams_available();
        self.maybe_finish_drain();
    }

    /// Removes a closed stream that the caller does not hold.
    fn forget(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let unread = u32::try_from(stream.recv.content.clear()).unwrap_or(u32::MAX);
        self.discarded(id, unread);
        self.streams.remove(id);
    }

    /// Resets a stream, and records why.
    pub(super) fn reset_stream(&mut self, id: StreamId, error: StreamError) {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.is_closed()) else { return };
        stream.error = Some(error);
        if stream.state == crate::stream::State::Idle {
            // The stream still waits for the peer's limit: the peer does not know of it.
            return self.drop_unopened(id);
        }
        self.write_rst_stream(id, error.code);
        self.transition(id, Transition::SendReset);
    }

    /// Ends a local stream of which nothing was sent.
    pub(super) fn drop_unopened(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.state = crate::stream::State::Closed;
        stream.closed_by = ClosedBy::LocalReset;
        stream.waiting = None;
        let released = stream.released;
        self.drop_content(id);
        self.pending_open.retain(|&other| other != id);
        if released {
            self.forget(id);
        }
        self.tell_streams_available();
        self.maybe_finish_drain();
    }

    pub(super) fn write_rst_stream(&mut self, stream_id: StreamId, code: ErrorCode) {
        self.stats.resets_sent = self.stats.resets_sent.saturating_add(1);
        self.write_control(|out| RstStream { stream_id, code }.encode(out));
    }

    /// Answers a violation on a stream that is not idle with RST_STREAM (RFC 9113, 5.4.2).
    pub(super) fn stream_violation(&mut self, id: StreamId, violation: Violation) {
        let error = StreamError { violation: Some(violation), ..StreamError::local(violation.code()) };
        if self.streams.get(id).is_some_and(|stream| !stream.is_closed()) {
            self.emit_reset(id, error);
            self.reset_stream(id, error);
        } else {
            self.write_rst_stream(id, violation.code());
            if self.streams.get(id).is_none() {
                self.streams.remember(id, ClosedBy::LocalReset);
            }
        }
    }

    /// Records that a stream ended early, and tells the caller if it holds the stream.
    pub(super) fn emit_reset(&mut self, id: StreamId, error: StreamError) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.error = Some(error);
            if stream.app_owned {
                self.events.push_back(Event::Reset { id, error });
            }
        }
    }

    /// Records that all of the local message was sent.
    ///
    /// If the caller has released the stream, the rest of the peer's message is not wanted.
    pub(super) fn sent_end_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.send.ending = Ending::Sent;
        let unwanted = stream.released && stream.recv.expect != Expect::Nothing;
        self.transition(id, Transition::SendEndStream);
        if unwanted {
            self.linger(id);
        }
    }

    /// Gives a request to the caller.
    pub(super) fn deliver(&mut self, id: StreamId, head: FieldSection, end_stream: bool) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.app_owned = true;
        self.counts.app_owned = self.counts.app_owned.saturating_add(1);
        let readable =
            !stream.recv.content.is_empty() || (stream.recv.expect == Expect::Nothing && !end_stream);
        self.events.push_back(Event::Request { id, head, end_stream });
        if readable {
            self.wake_reader(id);
        }
    }

    /// Gives waiting requests to the caller while it may hold more.
    pub(super) fn admit_arriving(&mut self) {
        while self.counts.app_owned < self.max_app_owned()
            && let Some(id) = self.pending_accept.pop_front()
        {
            if let Some(waiting) = self.streams.get_mut(id).and_then(|stream| stream.waiting.take()) {
                self.deliver(id, waiting.head, waiting.end_stream);
            }
        }
    }

    /// Returns how many of the peer's streams the caller may hold.
    ///
    /// No open stream waits for another open one: its content would use up the connection's window, which the other
    /// may need. More streams than the local limit may be open after the limit was lowered.
    pub(super) fn max_app_owned(&self) -> usize {
        let limit = self.local.wanted.max_concurrent_streams.unwrap_or(self.config.max_concurrent_streams);
        self.counts.peer.max(limit as usize)
    }
}

impl StreamError {
    /// Creates the error of a stream that this endpoint ends with `code`.
    pub(super) fn local(code: ErrorCode) -> Self {
        Self { code, initiator: Initiator::Local, violation: None, retryable: false }
    }

    /// Creates the error of a stream that the peer ended with `code`.
    pub(super) fn peer(code: ErrorCode) -> Self {
        Self {
            code,
            initiator: Initiator::Peer,
            violation: None,
            retryable: code == ErrorCode::REFUSED_STREAM,
        }
    }
}
