//! Accepting requests, and requests that wait for the caller.

use super::Connection;
use crate::error::Violation;
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::StreamId;
use crate::hpack::Decoded;
use crate::message::{self, ConnectPort, ContentLength, MethodKind};
use crate::stream::{Expect, Stream, Transition, WaitingHead};

impl Connection {
    pub(super) fn recv_request(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        decoded: Decoded,
        end_stream: bool,
        self_dependent: bool,
    ) -> Result<(), Violation> {
        let early_priority = self.early_priorities.take(id);
        self.streams.reach(id);
        if self.is_above_last(id) {
            return Ok(());
        }
        // RFC 9113, 5.1.2; the field block was decoded nevertheless.
        if self.streams.counts().peer >= self.max_peer_streams() {
            return Err(Violation::TooManyStreams);
        }
        if self_dependent {
            return Err(Violation::SelfDependency);
        }
        if decoded == Decoded::TooLarge {
            self.refuse_large(id, end_stream);
            return Ok(());
        }
        let port =
            if self.config.connect_without_port { ConnectPort::Optional } else { ConnectPort::Required };
        let facts = message::request_to_port(section, self.local.wanted.enable_connect_protocol, port)?;
        let length = ContentLength::of_request(&facts);
        if end_stream {
            length.finish()?;
        }
        self.stats.streams_accepted = self.stats.streams_accepted.saturating_add(1);
        let mut stream = Stream::new(id, facts.method);
        stream.recv.length = length;
        stream.recv.expect = if end_stream { Expect::Nothing } else { Expect::Content };
        // PRIORITY_UPDATE overrides the field, even if it arrived first (RFC 9218, 7.1).
        if let Some(priority) = early_priority.or(facts.priority) {
            stream.prioritize(priority);
        }
        self.begin_request(stream, end_stream);
        if self.may_deliver() && self.streams.pending_accept() == 0 {
            self.deliver(id, section.clone(), end_stream);
        } else {
            self.streams.wait(id, WaitingHead::new(section.clone(), end_stream));
            self.admit_arriving();
        }
        Ok(())
    }

    /// Adds a stream on which the peer has sent HEADERS.
    fn begin_request(&mut self, stream: Box<Stream>, end_stream: bool) {
        let id = stream.id();
        self.streams.insert(stream);
        self.transition(id, Transition::RecvHeaders);
        if end_stream {
            self.transition(id, Transition::RecvEndStream);
        }
    }

    /// Answers a request whose field section is too large with 431, as RFC 9113, 10.5.1 advises.
    ///
    /// The caller does not see the request.
    fn refuse_large(&mut self, id: StreamId, end_stream: bool) {
        let mut stream = Stream::new(id, MethodKind::Other);
        stream.recv.expect = if end_stream { Expect::Nothing } else { Expect::Content };
        self.begin_request(stream, end_stream);
        self.streams.release(id);
        let mut response = FieldSection::new();
        response.push(b":status", b"431");
        self.write_headers(id, true, &response);
        self.sent_end_stream(id);
    }

    /// Returns how many streams the peer may have open; until it acknowledges a change, the higher limit holds.
    pub(super) fn max_peer_streams(&self) -> usize {
        let wanted = self.local.wanted.max_concurrent_streams.unwrap_or(self.config.max_concurrent_streams);
        let acknowledged = self.local.acknowledged.max_concurrent_streams.unwrap_or(wanted);
        wanted.max(acknowledged) as usize
    }

    /// Gives a request to the caller.
    pub(super) fn deliver(&mut self, id: StreamId, head: FieldSection, end_stream: bool) {
        self.streams.give(id);
        let Some(stream) = self.streams.get(id) else { return };
        let readable =
            !stream.recv.content.is_empty() || (stream.recv.expect == Expect::Nothing && !end_stream);
        self.events.push_back(Event::Request { id, head, end_stream });
        if readable {
            self.wake_reader(id);
        }
    }

    /// Gives waiting requests to the caller while it may hold more.
    pub(super) fn admit_arriving(&mut self) {
        while self.may_deliver()
            && let Some((id, waiting)) = self.streams.next_to_accept()
        {
            self.deliver(id, waiting.head, waiting.end_stream);
        }
    }

    /// Returns whether the caller may hold another of the peer's streams.
    pub(super) fn may_deliver(&self) -> bool {
        self.streams.counts().app_owned < self.max_app_owned()
    }

    /// Returns how many of the peer's streams the caller may hold.
    ///
    /// No open stream waits for another open one: its content would use up the connection's window, which the other
    /// may need. More streams than the local limit may be open after the limit was lowered.
    fn max_app_owned(&self) -> usize {
        let limit = self.local.wanted.max_concurrent_streams.unwrap_or(self.config.max_concurrent_streams);
        self.streams.counts().peer.max(limit as usize)
    }
}
