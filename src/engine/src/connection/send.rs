//! Messages that are sent.

use bytes::Bytes;

use super::Connection;
use crate::error::{Malformed, OpenError, SendError, StreamError};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::flow::ReceiveWindow;
use crate::frame::{FieldBlock, StreamId, data};
use crate::message::{self, ContentLength};
use crate::stream::{Ending, Expect, State, Stream, Transition, WaitingHead};
use crate::subscriber::Direction;

/// Octets of content that a stream may have waiting while all streams together have too many.
const CROWDED: usize = 16 << 10;

impl Connection {
    /// Client: sends the head of a request on a new stream. Its pseudo-header fields come first in `head`
    /// (RFC 9113, 8.3.1).
    ///
    /// While the peer has as many streams of ours as it takes, the request waits for its turn.
    ///
    /// # Errors
    ///
    /// [`OpenError::WouldBlock`] if too many wait; [`OpenError::Closed`] if the connection takes no more
    /// streams; [`OpenError::Malformed`]; [`OpenError::TooLarge`] if
    /// [`check_header_list_size`](crate::Config::check_header_list_size) asks for that; [`OpenError::Role`] for a server.
    ///
    /// Requests that wait are sent in the order of their streams (RFC 9113, 5.1.1). A caller that wants another order
    /// keeps them itself: with [`waiting_streams`](crate::Config::waiting_streams) 0, it opens a stream for the most
    /// urgent one when [`Event::StreamsAvailable`] comes.
    pub fn open(&mut self, head: &FieldSection, end_stream: bool) -> Result<StreamId, OpenError> {
        if !self.is_client() {
            return Err(OpenError::Role);
        }
        if !self.is_open() {
            return Err(OpenError::Closed);
        }
        // Extended CONNECT needs the server's word, which may not have come yet (RFC 8441, 3).
        let facts =
            message::request(head, self.peer.enable_connect_protocol).map_err(OpenError::Malformed)?;
        let length = ContentLength::of_request(&facts);
        if end_stream {
            length.finish().map_err(OpenError::Malformed)?;
        }
        let limit = self.peer.max_header_list_size.filter(|_| self.config.check_header_list_size);
        if limit.is_some_and(|limit| head.size() > limit as usize) {
            return Err(OpenError::TooLarge);
        }
        // A place of those that wait may have become free.
        self.send_waiting_requests();
        let waits = !self.opening.is_empty() || self.counts.local >= self.max_send_streams();
        if waits && self.opening.len() >= self.config.waiting_streams {
            self.open_refused = true;
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, State::Idle, facts.method, ReceiveWindow::new(0));
        stream.held = true;
        stream.send.head_sent = true;
        stream.send.length = length;
        if let Some(priority) = facts.priority {
            stream.priority = priority;
            stream.prioritized = true;
        }
        if self.local.wanted.enable_push {
            stream.authority = Some(head.authority().unwrap_or_default().into());
        }
        if end_stream {
            stream.send.ending = Ending::EndStream;
        }
        if waits {
            stream.waiting =
                Some(Box::new(WaitingHead { head: head.clone(), end_stream, reprioritized: false }));
            self.streams.insert(stream);
            self.opening.push_back(id);
        } else {
            self.streams.insert(stream);
            self.send_request(id, head, end_stream);
        }
        Ok(id)
    }

    /// How many more streams [`open`](Self::open) would take now.
    pub fn open_capacity(&self) -> usize {
        if !self.is_client() || !self.is_open() {
            return 0;
        }
        let slots = self.max_send_streams().saturating_sub(self.counts.local);
        slots.saturating_add(self.config.waiting_streams).saturating_sub(self.opening.len())
    }

    /// Streams that we may have open (RFC 9113, 5.1.2).
    fn max_send_streams(&self) -> usize {
        let unknown = if self.peer_settings_known { u32::MAX } else { self.config.initial_max_send_streams };
        self.peer.max_concurrent_streams.unwrap_or(unknown) as usize
    }

    /// The next identifier; none when they are used up (RFC 9113, 5.1.1).
    fn take_next_id(&mut self) -> Option<StreamId> {
        let id = StreamId::new(self.next_id)?;
        self.next_id = self.next_id.saturating_add(2);
        self.stats.streams_opened = self.stats.streams_opened.saturating_add(1);
        Some(id)
    }

    fn send_request(&mut self, id: StreamId, head: &FieldSection, end_stream: bool) {
        self.write_headers(id, end_stream, head);
        self.transition(id, Transition::SendHeaders);
        // What is known to come may have needed no credit; now, more may come.
        self.credit_connection();
        if end_stream {
            self.sent_end_stream(id);
        }
    }

    /// Whether a request waits that the peer's limit allows now.
    pub(super) fn may_send_waiting_request(&self) -> bool {
        !self.opening.is_empty() && self.counts.local < self.max_send_streams()
    }

    /// Sends requests that have waited, as far as the peer's limit allows now.
    pub(super) fn send_waiting_requests(&mut self) {
        while self.may_send_waiting_request()
            && let Some(id) = self.opening.pop_front()
        {
            let Some(stream) = self.streams.get_mut(id) else { continue };
            let Some(waiting) = stream.waiting.take() else { continue };
            let ended = stream.send.content.is_empty() && matches!(stream.send.ending, Ending::EndStream);
            let raised = u32::try_from(stream.recv.window.available(0)).unwrap_or(0);
            self.send_request(id, &waiting.head, waiting.end_stream || ended);
            self.events.push_back(Event::RequestSent { id });
            if raised > 0 {
                self.write_window_update(id, raised);
            }
            if waiting.reprioritized {
                self.write_priority_update(id);
            }
            self.content_changed(id);
        }
        self.tell_streams_available();
    }

    /// Tells a caller who was refused a stream that there is room again.
    pub(super) fn tell_streams_available(&mut self) {
        if self.open_refused && self.open_capacity() > 0 {
            self.open_refused = false;
            self.events.push_back(Event::StreamsAvailable);
        }
    }

    /// Server: sends an informational response (1xx), any number of them before the response.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the head is malformed or no 1xx, or the stream does not take one now.
    pub fn inform(&mut self, id: StreamId, head: &FieldSection) -> Result<(), SendError> {
        let facts = message::response(head)?;
        if !facts.is_informational() {
            return Err(Malformed::Status.into());
        }
        self.check_response(id)?;
        if self.streams.get(id).is_some_and(|stream| stream.state == State::ReservedLocal) {
            self.transition(id, Transition::SendHeaders);
        }
        self.write_headers(id, false, head);
        Ok(())
    }

    /// Server: sends the head of the response. `:status` comes first in `head` (RFC 9113, 8.3.2).
    ///
    /// # Errors
    ///
    /// [`SendError`]: the head is malformed or a 1xx, or the stream does not take one now.
    pub fn respond(&mut self, id: StreamId, head: &FieldSection, end_stream: bool) -> Result<(), SendError> {
        let facts = message::response(head)?;
        if facts.is_informational() {
            return Err(Malformed::Status.into());
        }
        let stream = self.check_response(id)?;
        let length = ContentLength::of_response(stream.method, &facts);
        if end_stream {
            length.finish()?;
        }
        stream.send.length = length;
        stream.send.head_sent = true;
        stream.tunnel = stream.method.is_connect() && (200..300).contains(&facts.status);
        let reserved = stream.state == State::ReservedLocal;
        if reserved {
            self.transition(id, Transition::SendHeaders);
        }
        self.write_headers(id, end_stream, head);
        if end_stream {
            self.sent_end_stream(id);
        }
        Ok(())
    }

    /// The stream, if a response may begin on it.
    fn check_response(&mut self, id: StreamId) -> Result<&mut Stream, SendError> {
        let peers = !self.is_client();
        let stream = self.sending(id)?;
        if !peers {
            return Err(SendError::State("a client sends no response"));
        }
        if stream.send.head_sent {
            return Err(SendError::State("the response has begun already"));
        }
        Ok(stream)
    }

    /// The stream, if it may still send.
    fn sending(&mut self, id: StreamId) -> Result<&mut Stream, SendError> {
        let stream =
            self.streams.get_mut(id).filter(|stream| !stream.released).ok_or(SendError::UnknownStream)?;
        match stream.error {
            Some(error) if stream.is_closed() => Err(SendError::Reset(error)),
            _ => Ok(stream),
        }
    }

    /// Server: promises to answer a request that the client has not made (RFC 9113, 8.4), and gives the stream
    /// on which to [`respond`](Self::respond).
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the client takes no pushes, or no more streams; the stream or the head does not allow it.
    pub fn push(&mut self, parent: StreamId, head: &FieldSection) -> Result<StreamId, OpenError> {
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
            stream.state.can_send()
                && matches!(stream.send.ending, Ending::Open)
                && parent.is_client_initiated()
        });
        if !allowed {
            return Err(OpenError::Parent);
        }
        let facts = message::promise(head).map_err(|violation| match violation {
            crate::error::Violation::Malformed(malformed) => OpenError::Malformed(malformed),
            _ => OpenError::Promise,
        })?;
        // A promise is to become a stream, which the client must have room for then.
        if self.counts.local.saturating_add(self.counts.promised) >= self.max_send_streams() {
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, State::Idle, facts.method, ReceiveWindow::new(0));
        stream.held = true;
        stream.recv.expect = Expect::Nothing;
        self.streams.insert(stream);
        self.write_block(parent, head, |out| FieldBlock::push_promise(out, parent, id));
        self.transition(id, Transition::SendPushPromise);
        Ok(id)
    }

    /// Takes content from the front of `data`, as far as the stream's send buffer has room. What is left is to
    /// be offered again after [`Event::Writable`]. `end_stream` holds once all of it was taken.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the message has not begun or has ended, or the content does not fit its Content-Length.
    /// Then nothing was taken.
    pub fn send_data(&mut self, id: StreamId, data: &mut Bytes, end_stream: bool) -> Result<(), SendError> {
        let limit = self.send_limit();
        let stream = self.sending(id)?;
        if !stream.can_take_content() {
            return Err(SendError::State("the message takes no content: it has not begun, or it has ended"));
        }
        let taken = limit.saturating_sub(stream.send.content.len()).min(data.len());
        let ends = end_stream && taken == data.len();
        let mut length = stream.send.length;
        length.receive(u32::try_from(taken).unwrap_or(u32::MAX))?;
        if ends {
            length.finish()?;
        }
        stream.send.length = length;
        stream.send.content.push(data.split_to(taken));
        if ends {
            stream.send.ending = Ending::EndStream;
        }
        self.content_queued(taken);
        // Who has filled the buffer to the brim waits for room, like who was refused some.
        if !ends
            && self.send_capacity(id) == 0
            && let Some(stream) = self.streams.get_mut(id)
        {
            stream.send.starved = true;
        }
        self.content_changed(id);
        Ok(())
    }

    /// How many octets [`send_data`](Self::send_data) would take now; 0 if the message takes no content. When there are
    /// none after [`send_data`](Self::send_data), [`Event::Writable`] tells that there are some.
    pub fn send_capacity(&self, id: StreamId) -> usize {
        match self.streams.get(id) {
            Some(stream) if stream.can_take_content() && !stream.is_closed() && !stream.released => {
                self.send_limit().saturating_sub(stream.send.content.len())
            }
            _ => 0,
        }
    }

    /// Octets of content that a stream may have waiting now: [`Config::send_buffer`](crate::Config::send_buffer), or
    /// less while all streams together have many ([`Limits::content_octets`](crate::Limits::content_octets)). Each has
    /// room for a frame even then, so that none has to wait for another.
    pub fn send_limit(&self) -> usize {
        let limit = self.config.send_buffer;
        if self.crowded { limit.min(CROWDED) } else { limit }
    }

    fn content_queued(&mut self, bytes: usize) {
        self.content_waiting = self.content_waiting.saturating_add(bytes);
        if !self.crowded && self.content_waiting >= self.config.limits.content_octets {
            self.crowded = true;
            // Streams that lose their room wait for it as if they had filled it.
            let limit = self.send_limit();
            for stream in self.streams.iter_mut() {
                stream.send.starved |= stream.can_take_content() && stream.send.content.len() >= limit;
            }
        }
    }

    /// Content has been sent, or was dropped. Streams get their room back when a quarter of what made it scarce has
    /// gone, so that they do not lose it again at once.
    pub(super) fn content_gone(&mut self, bytes: usize) {
        self.content_waiting = self.content_waiting.saturating_sub(bytes);
        let enough = self.config.limits.content_octets;
        if self.crowded && self.content_waiting < enough.saturating_sub(enough / 4) {
            self.crowded = false;
            let limit = self.send_limit();
            for stream in self.streams.iter_mut() {
                if stream.has_room(limit) && core::mem::take(&mut stream.send.starved) {
                    self.events.push_back(Event::Writable { id: stream.id });
                }
            }
        }
    }

    /// Content that is not sent any more is dropped.
    pub(super) fn drop_content(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let dropped = stream.send.content.clear();
        self.content_gone(dropped);
    }

    /// Ends the message with a trailer section, behind all content that was taken (RFC 9113, 8.1). An empty one
    /// is sent as the mere end of the stream.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the message has not begun or has ended; the trailers are malformed; content is missing.
    pub fn send_trailers(&mut self, id: StreamId, trailers: &FieldSection) -> Result<(), SendError> {
        message::trailers(trailers)?;
        let client = self.is_client();
        let stream = self.sending(id)?;
        // Of a client's CONNECT, DATA alone may follow (RFC 9113, 8.5), whatever the server answers.
        let tunnel = stream.tunnel || (client && stream.method.is_connect());
        if !stream.can_take_content() || tunnel {
            return Err(SendError::State("the message takes no trailers: it has not begun, or it has ended"));
        }
        stream.send.length.finish()?;
        stream.send.ending = if trailers.is_empty() {
            Ending::EndStream
        } else {
            Ending::Trailers(Box::new(trailers.clone()))
        };
        self.content_changed(id);
        Ok(())
    }

    /// Content or the end was added, or the stream has just begun: schedules what there is, and sends at once
    /// what needs no window.
    pub(super) fn content_changed(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(id) else { return };
        if !stream.state.can_send() {
            return;
        }
        if stream.send.content.is_empty() {
            self.send_ending(id);
        } else {
            self.schedule(id);
        }
    }

    /// All content has gone: sends what ends the message, if that is known.
    pub(super) fn send_ending(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        match core::mem::take(&mut stream.send.ending) {
            Ending::Open => {}
            Ending::Sent => stream.send.ending = Ending::Sent,
            Ending::EndStream => {
                self.write_control(|out| data::encode_header(out, id, 0, true));
                self.sent_end_stream(id);
            }
            Ending::Trailers(trailers) => {
                self.write_headers(id, true, &trailers);
                self.sent_end_stream(id);
            }
        }
    }

    /// Encodes a field section behind all that is to be sent before content.
    pub(super) fn write_headers(&mut self, id: StreamId, end_stream: bool, section: &FieldSection) {
        self.write_block(id, section, |out| FieldBlock::headers(out, id, end_stream));
    }

    fn write_block(
        &mut self,
        id: StreamId,
        section: &FieldSection,
        begin: impl FnOnce(&mut Vec<u8>) -> FieldBlock,
    ) {
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.fields(Direction::Sent, id, section);
        }
        let start = self.control.len();
        let block = begin(&mut self.control);
        if self.config.never_indexed.is_empty() {
            self.encoder.encode(section, &mut self.control);
        } else {
            let section = section.with_never_indexed(&self.config.never_indexed);
            self.encoder.encode(&section, &mut self.control);
        }
        block.finish(&mut self.control, self.peer.max_frame_size);
        self.control_sent(start);
    }

    /// Ends a stream that the peer has surely not acted on.
    pub(super) fn fail_unprocessed(&mut self, id: StreamId, error: StreamError) {
        let error = StreamError { retryable: true, ..error };
        self.tell_reset(id, error);
        if self.streams.get(id).is_some_and(|stream| stream.state == State::Idle) {
            self.drop_unopened(id);
        } else {
            self.transition(id, Transition::RecvReset);
        }
    }
}
