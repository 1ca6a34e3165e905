//! Server push in both directions (RFC 9113, 8.4).

use super::Connection;
use crate::error::{ErrorCode, OpenError, Violation};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::{FieldBlock, StreamId};
use crate::hpack::Decoded;
use crate::message::{self, MethodKind};
use crate::stream::{Ending, Expect, Stream, Transition};

impl Connection {
    /// Server: promises to answer a request that the client has not made (RFC 9113, 8.4), and returns the stream on
    /// which to [`send_response`](Self::send_response).
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the client takes no pushes or no more streams, or if the parent stream or the head does not
    /// allow a promise.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Config, Connection, Event};
    ///
    /// let mut config = Config::default();
    /// config.enable_push = true;
    /// let mut client = Connection::client(config)?;
    /// # let (_, mut server) = pair();
    /// let id = client.open(&request("GET"), true)?;
    /// carry(&mut client, &mut server);
    ///
    /// let pushed = server.push_request(id, &request("GET"))?;
    /// server.send_response(id, &response("200"), true)?;
    /// server.send_response(pushed, &response("200"), true)?;
    /// carry(&mut client, &mut server);
    /// assert_eq!(pushed.as_u32(), 2, "servers open streams with even numbers");
    /// assert!(std::iter::from_fn(|| client.poll_event())
    ///     .any(|event| matches!(event, Event::Push { parent, .. } if parent == id)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn push_request(&mut self, parent: StreamId, head: &FieldSection) -> Result<StreamId, OpenError> {
        if self.is_client() {
            return Err(OpenError::Role);
        }
        if !self.is_open() {
            return Err(OpenError::Closed);
        }
        if !self.peer.enable_push {
            return Err(OpenError::PushDisabled);
        }
        let allowed = self.streams.get(parent).is_some_and(|stream| {
            stream.state().can_send()
                && matches!(stream.send.ending, Ending::Open)
                && parent.is_client_initiated()
        });
        if !allowed {
            return Err(OpenError::Parent);
        }
        let facts = message::promise(head).map_err(|violation| match violation {
            Violation::Malformed(malformed) => OpenError::Malformed(malformed),
            _ => OpenError::Promise,
        })?;
        let counts = self.streams.counts();
        // The promised stream will count against the client's limit once the response begins.
        if counts.local.saturating_add(counts.promised) >= self.max_send_streams() {
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, facts.method);
        stream.recv.expect = Expect::Nothing;
        self.streams.insert(stream);
        self.streams.give(id);
        self.write_block(parent, head, |out| FieldBlock::push_promise(out, parent, id));
        self.transition(id, Transition::SendPushPromise);
        Ok(id)
    }

    /// Handles a promise (RFC 9113, 8.4).
    pub(super) fn recv_promise(
        &mut self,
        parent: StreamId,
        id: StreamId,
        section: &FieldSection,
        decoded: Decoded,
    ) -> Result<(), Violation> {
        if !id.is_server_initiated() || !self.streams.is_idle(id) {
            return Err(Violation::UnexpectedPush);
        }
        let request = self.streams.get(parent).filter(|stream| stream.state().can_recv());
        let open = request.is_some();
        // The authority of a request was not recorded if push was disabled at the time.
        let known = request.is_some_and(|stream| stream.authority().is_some());
        let unseen = self.streams.is_local(parent)
            && !self.streams.is_idle(parent)
            && self.streams.is_end_unseen(parent);
        if !open && !unseen {
            return Err(Violation::UnexpectedPush);
        }
        self.streams.reach(id);
        let counts = self.streams.counts();
        // Reserved streams do not count (RFC 9113, 5.1.2): too many are no offence, but they use memory.
        let pushed = counts.peer.saturating_add(counts.promised);
        if !known || !self.local.wanted.enable_push || self.is_above_last(id) {
            self.refuse_promise(id, ErrorCode::CANCEL);
        } else if pushed >= self.max_peer_streams() || !self.may_deliver() {
            self.refuse_promise(id, ErrorCode::REFUSED_STREAM);
        } else {
            match self.check_promise(parent, section, decoded) {
                Ok(method) => self.accept_promise(parent, id, section, method),
                Err(violation) => self.stream_violation(id, violation),
            }
        }
        Ok(())
    }

    fn refuse_promise(&mut self, id: StreamId, code: ErrorCode) {
        self.write_rst_stream(id, code);
        self.streams.remember_reset(id);
    }

    fn check_promise(
        &self,
        parent: StreamId,
        section: &FieldSection,
        decoded: Decoded,
    ) -> Result<MethodKind, Violation> {
        if decoded == Decoded::TooLarge {
            return Err(Violation::FieldSectionTooLarge);
        }
        let facts = message::promise(section)?;
        // The server is trusted for the authority of the request, and for no other (RFC 9113, 8.4 and 10.1).
        let asked = self.streams.get(parent).and_then(Stream::authority);
        let promised = section.authority();
        let same = matches!((asked, promised), (Some(asked), Some(promised)) if asked.eq_ignore_ascii_case(promised));
        if same { Ok(facts.method) } else { Err(Violation::BadPromise) }
    }

    fn accept_promise(&mut self, parent: StreamId, id: StreamId, section: &FieldSection, method: MethodKind) {
        let mut stream = Stream::new(id, method);
        stream.send.ending = Ending::Sent;
        self.streams.insert(stream);
        self.streams.give(id);
        self.stats.streams_accepted = self.stats.streams_accepted.saturating_add(1);
        self.transition(id, Transition::RecvPushPromise);
        self.events.push_back(Event::Push { parent, id, head: section.clone() });
    }
}
