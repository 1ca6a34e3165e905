//! Received field blocks, and the messages in them.

use super::Connection;
use crate::abuse::AbuseCause;
use crate::error::{Malformed, Violation};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::{Continuation, FrameHeader, Headers, PushPromise, StreamId};
use crate::hpack::{self, DecodeError, Decoded};
use crate::message::{self, ContentLength};
use crate::stream::{ClosedBy, Expect, State, Transition, Wake};
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
                // Requests come from clients, and as promises from servers; only they have Cookie.
                if !self.is_client() || matches!(kind, BlockKind::Promise { .. }) {
                    section.join_cookies();
                }
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
        self.largest_section = self.largest_section.max(section.size());
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
            return if self.streams.is_idle(id) && !self.streams.is_local(id) && !self.is_client() {
                self.recv_request(id, section, decoded, end_stream, self_dependent)
            } else {
                self.late_headers(id)
            };
        };
        let expect = stream.recv.expect;
        match stream.state() {
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
        if self.streams.is_idle(id) {
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

    /// Handles the head of a response, final or informational (RFC 9113, 8.1).
    fn recv_response(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        end_stream: bool,
    ) -> Result<(), Violation> {
        let facts = message::response(section)?;
        if self.streams.state(id) == Some(State::ReservedRemote) {
            self.transition(id, Transition::RecvHeaders);
        }
        if facts.is_informational() {
            return self.informational(id, section, end_stream);
        }
        let Some(stream) = self.streams.get_mut(id) else { return Ok(()) };
        let length = ContentLength::of_response(stream.method, &facts);
        if end_stream {
            length.finish()?;
        }
        stream.tunnel = stream.method.is_connect() && (200..300).contains(&facts.status);
        // The response event says that nothing follows; a caller that asked before needs its own event.
        let asked = stream.recv.wake == Wake::Asked;
        if stream.is_app_owned() {
            self.events.push_back(Event::Response { id, head: section.clone(), end_stream });
        }
        self.streams.expect(id, if end_stream { Expect::Nothing } else { Expect::Content }, length);
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
        let total = stream.add_informational(u32::try_from(section.size()).unwrap_or(u32::MAX));
        if total > self.config.max_header_list_size {
            return Err(Violation::FieldSectionTooLarge);
        }
        if stream.is_app_owned() {
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
        stream.set_recv_trailers(section.clone());
        self.recv_end_stream(id);
        Ok(())
    }
}
