//! Received field blocks, and the messages in them.

use super::Connection;
use crate::abuse::AbuseCause;
use crate::error::{ErrorCode, Malformed, StreamError, Violation};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::flow::ReceiveWindow;
use crate::frame::{Continuation, FrameHeader, Headers, PushPromise, StreamId};
use crate::hpack::{self, DecodeError, Decoded};
use crate::message::{self, ContentLength, MethodKind};
use crate::stream::{ClosedBy, Expect, State, Stream, Transition, WaitingHead, Wake};
use crate::subscriber::Direction;
use crate::time::Time;

/// Largest allowed ratio of a field section over the limit to its field block.
///
/// Honest peers hardly exceed a ratio of 1, because their fields do not fit into a table of 4 KiB.
const EXPANSION: usize = 8;

/// A field block whose end has not arrived.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream_id: StreamId,
    kind: BlockKind,
    fragments: Vec<u8>,
    continuations: u32,
    pub(super) since: Time,
}

/// The kind of a field block.
#[derive(Clone, Copy, Debug)]
enum BlockKind {
    Message { end_stream: bool, self_dependent: bool },
    Promise { promised_id: StreamId },
}

impl Connection {
    /// Handles HEADERS, whose field block may continue in CONTINUATION (RFC 9113, 6.2).
    pub(super) fn recv_headers(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let headers = Headers::parse(header, payload)?;
        let self_dependent = headers.is_self_dependent();
        let kind = BlockKind::Message { end_stream: headers.end_stream, self_dependent };
        self.begin_block(header.stream_id, kind, headers.fragment, headers.end_headers)
    }

    pub(super) fn recv_push_promise(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let promise = PushPromise::parse(header, payload)?;
        // A server never accepts a promise; a client does not once its refusal was acknowledged
        // (RFC 9113, 6.6, 8.4).
        if !self.is_client() || !self.local.acknowledged.enable_push {
            return Err(Violation::UnexpectedPush);
        }
        let kind = BlockKind::Promise { promised_id: promise.promised_id };
        self.begin_block(header.stream_id, kind, promise.fragment, promise.end_headers)
    }

    fn begin_block(
        &mut self,
        stream_id: StreamId,
        kind: BlockKind,
        fragment: &[u8],
        whole: bool,
    ) -> Result<(), Violation> {
        if whole {
            return self.finish_block(stream_id, kind, fragment);
        }
        let (fragments, since) = (fragment.to_vec(), self.now);
        self.block = Some(Block { stream_id, kind, fragments, continuations: 0, since });
        Ok(())
    }

    /// Handles CONTINUATION (RFC 9113, 6.10).
    pub(super) fn recv_continuation(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let continuation = Continuation::parse(header, payload);
        let Some(mut block) = self.block.take() else { return Err(Violation::UnexpectedContinuation) };
        block.continuations = block.continuations.saturating_add(1);
        if block.continuations > self.config.limits.continuations {
            return Err(Violation::TooManyContinuations);
        }
        let bytes = block.fragments.len().saturating_add(continuation.fragment.len());
        if bytes > self.config.limits.field_section_hard as usize {
            return Err(Violation::FieldBlockTooLarge);
        }
        block.fragments.extend_from_slice(continuation.fragment);
        if continuation.end_headers {
            self.finish_block(block.stream_id, block.kind, &block.fragments)
        } else {
            self.block = Some(block);
            Ok(())
        }
    }

    /// Decodes a field block, even if its message is ignored: the block may change the dynamic table
    /// (RFC 9113, 4.3).
    fn finish_block(&mut self, id: StreamId, kind: BlockKind, block: &[u8]) -> Result<(), Violation> {
        let limits = hpack::SectionLimits {
            list_size: self.config.max_header_list_size as usize,
            list_size_hard: self.config.limits.field_section_hard as usize,
            fields: self.config.limits.fields,
            fields_hard: self.config.limits.fields_hard,
            cookie_crumbs: self.config.limits.cookie_crumbs,
        };
        let mut section = core::mem::take(&mut self.section);
        let decoded = self.decoder.decode(block, &limits, &mut section);
        if self.decoder.evicted_by_updates() > 0 {
            self.charge(AbuseCause::TableThrash, 1)?;
        }
        if matches!(decoded, Ok(Decoded::TooLarge)) && section.size() / EXPANSION > block.len() {
            self.charge(AbuseCause::FieldExpansion, 1)?;
        }
        let outcome = match decoded {
            Err(DecodeError::Compression) => Err(Violation::Compression),
            Err(DecodeError::TooLarge) => Err(Violation::FieldBlockTooLarge),
            Ok(decoded) => {
                section.join_cookies();
                if let Some(subscriber) = &mut self.subscriber {
                    subscriber.fields(Direction::Received, id, &section);
                }
                match kind {
                    BlockKind::Message { end_stream, self_dependent } => {
                        self.recv_message(id, &section, decoded, end_stream, self_dependent)
                    }
                    BlockKind::Promise { promised_id } => {
                        self.recv_promise(id, promised_id, &section, decoded)
                    }
                }
            }
        };
        self.section = section;
        outcome
    }

    /// Handles the head or the trailers of a message (RFC 9113, 8.1).
    fn recv_message(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        decoded: Decoded,
        end_stream: bool,
        self_dependent: bool,
    ) -> Result<(), Violation> {
        let Some(stream) = self.streams.get(id) else {
            return if self.is_idle(id) && !self.is_local(id) && !self.is_client() {
                self.recv_request(id, section, decoded, end_stream, self_dependent)
            } else {
                self.late_headers(id)
            };
        };
        let expect = stream.recv.expect;
        match stream.state {
            State::ReservedRemote | State::Open | State::HalfClosedLocal => {}
            State::HalfClosedRemote => return Err(Violation::StreamClosed),
            State::ReservedLocal => return Err(Violation::ReservedStream),
            State::Idle | State::Closed => return self.late_headers(id),
        }
        if self_dependent {
            return Err(Violation::SelfDependency);
        }
        match (decoded, expect) {
            (Decoded::TooLarge, _) => Err(Violation::FieldSectionTooLarge),
            (_, Expect::Head) => self.recv_response(id, section, end_stream),
            _ => self.recv_trailers(id, section, end_stream),
        }
    }

    /// Handles HEADERS on a stream that is not open, depending on how the stream was closed (RFC 9113, 5.1).
    ///
    /// The peer may have sent them before it knew that the stream had ended, unless it certainly ended the stream
    /// itself.
    fn late_headers(&self, id: StreamId) -> Result<(), Violation> {
        if self.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        if self.is_above_last(id) {
            return Ok(());
        }
        match self.streams.closed_by(id) {
            None | Some(ClosedBy::LocalReset) => Ok(()),
            Some(ClosedBy::PeerReset) => Err(Violation::StreamClosed),
            Some(ClosedBy::EndStream) => Err(Violation::HeadersOnClosed),
            Some(ClosedBy::Skipped) => Err(Violation::BadStreamId),
        }
    }

    fn recv_request(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        decoded: Decoded,
        end_stream: bool,
        self_dependent: bool,
    ) -> Result<(), Violation> {
        let early_priority = self.take_early_priority(id);
        self.reach(id);
        if self.is_above_last(id) {
            return Ok(());
        }
        // RFC 9113, 5.1.2; the field block was decoded nevertheless.
        if self.counts.peer >= self.max_peer_streams() {
            return Err(Violation::TooManyStreams);
        }
        if self_dependent {
            return Err(Violation::SelfDependency);
        }
        if decoded == Decoded::TooLarge {
            self.refuse_large(id, end_stream);
            return Ok(());
        }
        let facts = message::request(section, self.local.wanted.enable_connect_protocol)?;
        let length = ContentLength::of_request(&facts);
        if end_stream {
            length.finish()?;
        }
        self.stats.streams_accepted = self.stats.streams_accepted.saturating_add(1);
        let mut stream = Stream::new(id, State::Idle, facts.method, ReceiveWindow::new(0));
        stream.recv.length = length;
        stream.recv.expect = if end_stream { Expect::Nothing } else { Expect::Content };
        // PRIORITY_UPDATE overrides the field, even if it arrived first (RFC 9218, 7.1).
        if let Some(priority) = early_priority.or(facts.priority) {
            stream.priority = priority;
            stream.prioritized = true;
        }
        self.begin_request(stream, end_stream);
        if self.counts.app_owned < self.max_app_owned() && self.pending_accept.is_empty() {
            self.deliver(id, section.clone(), end_stream);
        } else if let Some(stream) = self.streams.get_mut(id) {
            stream.waiting =
                Some(Box::new(WaitingHead { head: section.clone(), end_stream, reprioritized: false }));
            self.pending_accept.push_back(id);
            self.admit_arriving();
        }
        Ok(())
    }

    /// Adds a stream on which the peer has sent HEADERS.
    fn begin_request(&mut self, stream: Stream, end_stream: bool) {
        let id = stream.id;
        self.streams.insert(stream);
        self.transition(id, Transition::RecvHeaders);
        if end_stream {
            self.transition(id, Transition::RecvEndStream);
        }
    }

    /// Records that the peer used an identifier, which closes the idle streams below it (RFC 9113, 5.1.1).
    fn reach(&mut self, id: StreamId) {
        self.streams.skip(self.highest_peer_id, id);
        self.highest_peer_id = id;
    }

    /// Answers a request whose field section is too large with 431, as RFC 9113, 10.5.1 advises.
    ///
    /// The caller does not see the request.
    fn refuse_large(&mut self, id: StreamId, end_stream: bool) {
        let mut stream = Stream::new(id, State::Idle, MethodKind::Other, ReceiveWindow::new(0));
        stream.recv.expect = if end_stream { Expect::Nothing } else { Expect::Content };
        stream.released = true;
        self.begin_request(stream, end_stream);
        let mut response = FieldSection::new();
        response.push(b":status", b"431");
        response.push(b"content-length", b"0");
        self.write_headers(id, true, &response);
        self.sent_end_stream(id);
    }

    /// Returns how many streams the peer may have open; until it acknowledges a change, the higher limit holds.
    pub(super) fn max_peer_streams(&self) -> usize {
        let wanted = self.local.wanted.max_concurrent_streams.unwrap_or(self.config.max_concurrent_streams);
        let acknowledged = self.local.acknowledged.max_concurrent_streams.unwrap_or(wanted);
        wanted.max(acknowledged) as usize
    }

    /// Handles the head of a response, final or informational (RFC 9113, 8.1).
    fn recv_response(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        end_stream: bool,
    ) -> Result<(), Violation> {
        let facts = message::response(section)?;
        if self.streams.get(id).is_some_and(|stream| stream.state == State::ReservedRemote) {
            self.transition(id, Transition::RecvHeaders);
        }
        if facts.is_informational() {
            return self.informational(id, section, end_stream);
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        stream.recv.length = ContentLength::of_response(stream.method, &facts);
        if end_stream {
            stream.recv.length.finish()?;
        }
        stream.recv.expect = if end_stream { Expect::Nothing } else { Expect::Content };
        stream.tunnel = stream.method.is_connect() && (200..300).contains(&facts.status);
        // The response event says that nothing follows; a caller that asked before needs its own event.
        let asked = stream.recv.wake == Wake::Asked;
        if stream.app_owned {
            self.events.push_back(Event::Response { id, head: section.clone(), end_stream });
        }
        if end_stream {
            if asked {
                self.wake_reader(id);
            }
            self.transition(id, Transition::RecvEndStream);
        }
        Ok(())
    }

    /// Handles a 1xx response; those of one stream together may be as large as one response (RFC 9110, 15.2).
    fn informational(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        end_stream: bool,
    ) -> Result<(), Violation> {
        if end_stream {
            return Err(Malformed::InformationalEnd.into());
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        stream.recv.informational = stream.recv.informational.saturating_add(section.size());
        if stream.recv.informational > self.config.max_header_list_size as usize {
            return Err(Violation::FieldSectionTooLarge);
        }
        if stream.app_owned {
            self.events.push_back(Event::Informational { id, head: section.clone() });
        }
        Ok(())
    }

    /// Handles trailers, which end a message (RFC 9113, 8.1); a tunnel has none (RFC 9113, 8.5).
    fn recv_trailers(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        end_stream: bool,
    ) -> Result<(), Violation> {
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        if !end_stream || stream.tunnel {
            return Err(Malformed::TrailersWithoutEnd.into());
        }
        message::trailers(section)?;
        stream.recv.length.finish()?;
        // An empty trailer section has no meaning, and many readers do not expect one.
        if !section.is_empty() {
            stream.recv.trailers = Some(Box::new(section.clone()));
        }
        self.recv_end_stream(id);
        Ok(())
    }

    /// Handles a promise (RFC 9113, 8.4).
    fn recv_promise(
        &mut self,
        parent: StreamId,
        id: StreamId,
        section: &FieldSection,
        decoded: Decoded,
    ) -> Result<(), Violation> {
        if !id.is_server_initiated() || !self.is_idle(id) {
            return Err(Violation::UnexpectedPush);
        }
        let request = self.streams.get(parent).filter(|stream| stream.state.can_recv());
        let open = request.is_some();
        // The authority of a request was not recorded if push was disabled at the time.
        let known = request.is_some_and(|stream| stream.authority.is_some());
        let unseen = self.is_local(parent) && !self.is_idle(parent) && self.streams.is_end_unseen(parent);
        if !open && !unseen {
            return Err(Violation::UnexpectedPush);
        }
        self.reach(id);
        // Reserved streams do not count (RFC 9113, 5.1.2): too many are no offence, but they use memory.
        let pushed = self.counts.peer.saturating_add(self.counts.promised);
        if !known || !self.local.wanted.enable_push || self.is_above_last(id) {
            self.refuse_promise(id, ErrorCode::CANCEL);
        } else if pushed >= self.max_peer_streams() || self.counts.app_owned >= self.max_app_owned() {
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
        self.streams.remember(id, ClosedBy::LocalReset);
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
        let asked = self.streams.get(parent).and_then(|stream| stream.authority.as_deref());
        let promised = section.authority();
        let same = matches!((asked, promised), (Some(asked), Some(promised)) if asked.eq_ignore_ascii_case(promised));
        if same { Ok(facts.method) } else { Err(Violation::BadPromise) }
    }

    fn accept_promise(&mut self, parent: StreamId, id: StreamId, section: &FieldSection, method: MethodKind) {
        let mut stream = Stream::new(id, State::Idle, method, ReceiveWindow::new(0));
        stream.app_owned = true;
        stream.send.ending = crate::stream::Ending::Sent;
        self.streams.insert(stream);
        self.counts.app_owned = self.counts.app_owned.saturating_add(1);
        self.stats.streams_accepted = self.stats.streams_accepted.saturating_add(1);
        self.transition(id, Transition::RecvPushPromise);
        self.events.push_back(Event::Push { parent, id, head: section.clone() });
    }

    /// Handles RST_STREAM, and never answers it with another (RFC 9113, 5.4.2 and 6.4).
    pub(super) fn recv_rst_stream(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let code = crate::frame::RstStream::parse(header, payload)?.code;
        let id = header.stream_id;
        if self.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        self.stats.resets_received = self.stats.resets_received.saturating_add(1);
        if self.streams.get(id).is_none_or(Stream::is_closed) {
            return Ok(());
        }
        let error = StreamError::peer(code);
        self.emit_reset(id, error);
        self.transition(id, Transition::RecvReset);
        Ok(())
    }
}
