//! Checks the events of an engine against the actions of the other end's caller.

use http2_engine::{
    ConnectionError, ErrorCode, Event, FieldSection, Initiator, Role, StreamError, StreamId, Violation,
};

use crate::context::Context;
use crate::end::End;
use crate::message::{Message, is_delivered};
use crate::stream::{Length, Stream};

/// The status that a server sends on its own when the head of a request is too large.
const TOO_LARGE: u16 = 431;

impl End {
    /// Takes the next event; returns whether one was available.
    pub(crate) fn event(&mut self, cx: &mut Context, peer: &Self, most: usize) -> bool {
        let Some(event) = self.poll_event() else { return false };
        cx.trace.log(|| format!("        {:?} is told {event:?}", self.role));
        match event {
            Event::Request { id, head, end_stream } => self.request(cx, peer, id, head, end_stream, most),
            Event::Informational { id, head } => self.informational(peer, id, &head),
            Event::Response { id, head, end_stream } => self.response(peer, id, &head, end_stream),
            Event::Push { parent, id, head } => self.promise(peer, parent, id, &head),
            Event::Readable { id } => self.stream(id).readable = true,
            Event::Writable { id } => self.stream(id).writable = true,
            Event::Reset { id, error } => self.was_reset(peer, id, error),
            Event::RequestSent { id } => {
                assert!(self.role == Role::Client && self.streams.contains_key(&id), "{id} is no request");
            }
            Event::StreamsAvailable => self.acts.may_open = true,
            Event::Pong { payload, .. } => {
                let asked = self.acts.pings.iter().position(|&ping| ping == payload);
                self.acts.pings.remove(asked.expect("a PING of this caller's"));
            }
            Event::GoAway => {
                let told = self.engine.received_go_away().expect("GOAWAY");
                assert!(
                    self.has_received_go_away(told.last_stream_id, told.code),
                    "{told:?} was not received"
                );
                // A caller that waits for room learns from this that none will come.
                self.acts.may_open = true;
            }
            Event::PriorityUpdate { id, priority } => {
                assert_eq!(self.role, Role::Server);
                assert!(
                    peer.acts.prioritized.contains(&(id, priority)),
                    "nobody requested {priority:?} for {id}"
                );
            }
            Event::UnknownFrame { kind, .. } => assert!(self.config.unknown_frames && kind == 0xbb),
            Event::Abuse { cause } => {
                assert!(self.has_tight_limits(), "{:?} reports abuse: {cause}", self.role);
            }
            Event::Closed => self.ended(peer),
            Event::PeerSettings | Event::SettingsAcknowledged => {}
            other => panic!("nothing explains {other:?}"),
        }
        true
    }

    fn request(
        &mut self,
        cx: &mut Context,
        peer: &Self,
        id: StreamId,
        head: FieldSection,
        end_stream: bool,
        most: usize,
    ) {
        let theirs = &peer.streams[&id];
        let sent = &theirs.message.as_ref().expect("a request").head;
        assert!(is_delivered(sent, &head, &peer.config.never_indexed), "{head:?}, not {sent:?}");
        let mut stream = Stream::sending(Some(Message::response(&mut cx.random, &head, most)));
        stream.got.head = true;
        stream.got.end = end_stream;
        stream.length = Length::of(&head, None);
        stream.head = Some(head);
        assert!(!end_stream || theirs.has_sent_head_only(), "the end of request {id}");
        let earlier = self.streams.insert(id, stream);
        assert!(earlier.is_none(), "request {id} was delivered twice");
    }

    fn informational(&mut self, peer: &Self, id: StreamId, head: &FieldSection) {
        let theirs = &peer.streams[&id];
        let message = theirs.message.as_ref().expect("a response");
        let got = &mut self.stream(id).got;
        let sent =
            message.informational.get(got.informational).expect("an informational response that was sent");
        assert!(is_delivered(sent, head, &peer.config.never_indexed), "{head:?}, not {sent:?}");
        got.informational += 1;
        assert!(!got.head && got.informational <= theirs.sent.informational, "1xx of stream {id}");
    }

    fn response(&mut self, peer: &Self, id: StreamId, head: &FieldSection, end_stream: bool) {
        let stream = self.streams.get_mut(&id).expect("a stream of this caller's");
        assert!(!stream.got.head, "a second response on stream {id}");
        stream.got.head = true;
        let asked = peer.streams.get(&id).and_then(|theirs| theirs.head.as_ref()?.method());
        stream.length = Length::of(head, asked);
        match peer.streams.get(&id) {
            Some(theirs) => {
                let sent = &theirs.message.as_ref().expect("a response").head;
                assert!(is_delivered(sent, head, &peer.config.never_indexed), "{head:?}, not {sent:?}");
                assert_eq!(stream.got.informational, theirs.sent.informational, "1xx of stream {id}");
                assert!(!end_stream || theirs.has_sent_head_only(), "the end of response {id}");
            }
            None => {
                let large = stream.message.as_ref().expect("a request").head.size() > peer.acts.smallest_list;
                assert!(
                    large && head.status() == Some(TOO_LARGE),
                    "the server answers {id} on its own: {head:?}"
                );
            }
        }
        stream.got.end |= end_stream;
    }

    fn promise(&mut self, peer: &Self, parent: StreamId, id: StreamId, head: &FieldSection) {
        let theirs = &peer.streams[&id];
        let sent = theirs.head.as_ref().expect("a promised request");
        assert!(is_delivered(sent, head, &peer.config.never_indexed), "{head:?}, not {sent:?}");
        assert!(theirs.promised && self.streams.contains_key(&parent), "{id} was not promised");
        let mut stream = Stream::sending(None);
        stream.promised = true;
        assert!(self.streams.insert(id, stream).is_none(), "promise {id} was delivered twice");
    }

    /// Records that the caller was told of a stream's premature end.
    fn was_reset(&mut self, peer: &Self, id: StreamId, error: StreamError) {
        self.explain_end(peer, id, error);
        let stream = self.stream(id);
        assert!(stream.was_reset.is_none() && stream.reset.is_none(), "stream {id} ends twice");
        stream.was_reset = Some(error);
        // Content that arrived earlier can still be read.
        stream.readable = true;
    }

    /// Checks that a stream's premature end has a cause: a caller, the network or a rule.
    pub(crate) fn explain_end(&self, peer: &Self, id: StreamId, error: StreamError) {
        let received = self.model.streams.get(&id).and_then(|stream| stream.received.reset);
        let ended = self.engine.close_reason();
        let explained = match (error.initiator, error.violation) {
            (Initiator::Peer, None) if error.retryable => {
                received == Some(ErrorCode::REFUSED_STREAM.0) || !self.model.go_aways_received.is_empty()
            }
            (Initiator::Peer, None) => received == Some(error.code.0) || matches!(ended, Some(Err(_))),
            (Initiator::Local, Some(Violation::StreamStalled)) => self.stalled.contains(&id),
            (Initiator::Local, Some(Violation::FieldSectionTooLarge)) => self.is_too_large(peer, id),
            (Initiator::Local, Some(violation)) => {
                matches!(ended, Some(Err(ConnectionError::Violation(reason))) if *reason == violation)
            }
            (Initiator::Local, None) if error.retryable => {
                self.acts.shut_down || self.has_tight_limits() || ended.is_some()
            }
            (Initiator::Local, None) => matches!(ended, Some(Err(_))),
            (Initiator::Transport, _) => matches!(ended, Some(Err(ConnectionError::TransportEnded { .. }))),
            (Initiator::Peer, Some(_)) => false,
        };
        assert!(explained, "{:?}: nothing explains the end of stream {id}: {error:?} {ended:?}", self.role);
    }

    fn has_received_go_away(&self, last: StreamId, code: ErrorCode) -> bool {
        self.model.go_aways_received.iter().any(|received| (received.last, received.code) == (last, code.0))
    }

    /// Whether the peer sent a field section on a stream that exceeds this end's limit.
    fn is_too_large(&self, peer: &Self, id: StreamId) -> bool {
        peer.streams.get(&id).is_some_and(|stream| stream.largest_section() > self.acts.smallest_list)
    }

    /// Checks that a sent RST_STREAM has a cause: the caller or a rule.
    pub(crate) fn explain_reset(&self, peer: &Self, id: StreamId, code: ErrorCode) {
        let stream = self.streams.get(&id);
        let (role, wire) = (self.role, &self.model.streams[&id]);
        let explained = match code {
            _ if stream.is_some_and(|stream| stream.reset == Some(code)) => true,
            ErrorCode::CANCEL if stream.is_some_and(|stream| stream.cancelled) => true,
            // The response is complete, and the caller has released the request.
            ErrorCode::NO_ERROR if stream.is_some_and(|stream| stream.released) => role == Role::Server,
            ErrorCode::ENHANCE_YOUR_CALM if self.stalled.contains(&id) => true,
            ErrorCode::ENHANCE_YOUR_CALM => self.is_too_large(peer, id),
            // The request was answered with 431.
            ErrorCode::NO_ERROR if role == Role::Server => stream.is_none() && self.is_too_large(peer, id),
            // The peer did not know the limit yet.
            ErrorCode::REFUSED_STREAM if role == Role::Server => stream.is_none() && wire.early,
            // Promises that a client does not accept, or has no room for.
            ErrorCode::REFUSED_STREAM | ErrorCode::CANCEL => stream.is_none() && id.is_server_initiated(),
            _ => false,
        };
        assert!(explained, "{role:?} resets stream {id} with {code} on its own");
    }

    /// Checks that the connection's end has a cause.
    fn ended(&mut self, peer: &Self) {
        let explained = match self.engine.close_reason().expect("it has ended") {
            Ok(()) | Err(ConnectionError::TransportEnded { .. }) => true,
            Err(ConnectionError::Violation(violation)) => match violation {
                Violation::TooSlow | Violation::SettingsTimeout | Violation::PingTimeout => self.timed_out,
                Violation::Abuse => self.has_tight_limits(),
                _ => false,
            },
            Err(ConnectionError::Aborted(code)) => self.acts.aborted == Some(*code),
            Err(ConnectionError::GoAway(code, _)) => {
                let received = self.model.go_aways_received.iter().any(|received| received.code == code.0);
                received && matches!(peer.engine.close_reason(), Some(Err(_)))
            }
            Err(ConnectionError::DrainTimeout) => self.timed_out && self.acts.shut_down,
            Err(_) => false,
        };
        assert!(explained, "{:?} has ended the connection: {:?}", self.role, self.engine.close_reason());
    }
}
