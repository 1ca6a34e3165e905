//! Sending messages.

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

/// Send-buffer limit of each stream, in bytes, while the total pending content is too high.
const CROWDED: usize = 16 << 10;

impl Connection {
    /// Client: opens a stream and sends the head of a request.
    ///
    /// `head` starts with the pseudo-header fields (RFC 9113, 8.3.1). While the peer's limit of streams is reached,
    /// the request waits.
    ///
    /// Waiting requests are sent in the order of their streams (RFC 9113, 5.1.1). A caller that wants another order
    /// queues them itself: with [`waiting_streams`](crate::Config::waiting_streams) 0, it opens a stream for its
    /// most urgent request when [`Event::StreamsAvailable`] comes.
    ///
    /// # Errors
    ///
    /// [`OpenError::WouldBlock`] if too many requests wait; [`OpenError::Closed`] if the connection takes no more
    /// streams; [`OpenError::Malformed`]; [`OpenError::TooLarge`] if
    /// [`check_header_list_size`](crate::Config::check_header_list_size) is set and the head exceeds the peer's
    /// limit; [`OpenError::Role`] for a server.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Event, OpenError};
    /// # let (mut client, mut server) = pair();
    ///
    /// let id = client.open(&request("GET"), true)?;
    /// assert_eq!(id.as_u32(), 1, "clients open streams with odd numbers");
    /// carry(&mut client, &mut server);
    /// let arrived = std::iter::from_fn(|| server.poll_event());
    /// assert_eq!(arrived.filter(|event| matches!(event, Event::Request { .. })).count(), 1);
    /// assert_eq!(server.open(&request("GET"), true), Err(OpenError::Role));
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(&mut self, head: &FieldSection, end_stream: bool) -> Result<StreamId, OpenError> {
        if !self.is_client() {
            return Err(OpenError::Role);
        }
        if !self.is_open() {
            return Err(OpenError::Closed);
        }
        // Extended CONNECT needs the server's SETTINGS, which may not have arrived yet (RFC 8441, 3).
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
        // A place among the waiting requests may have become free.
        self.send_waiting_requests();
        let waits = !self.pending_open.is_empty() || self.counts.local >= self.max_send_streams();
        if waits && self.pending_open.len() >= self.config.waiting_streams {
            self.open_refused = true;
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, State::Idle, facts.method, ReceiveWindow::new(0));
        stream.app_owned = true;
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
            self.pending_open.push_back(id);
        } else {
            self.streams.insert(stream);
            self.send_request(id, head, end_stream);
        }
        Ok(id)
    }

    /// Returns how many more streams [`open`](Self::open) would take now.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Config, Connection, Event, OpenError};
    ///
    /// let mut config = Config::default();
    /// config.max_concurrent_streams = 1;
    /// let mut server = Connection::server(config)?;
    /// let mut config = Config::default();
    /// // Requests do not wait in the engine, but with the caller.
    /// config.waiting_streams = 0;
    /// let mut client = Connection::client(config)?;
    /// carry(&mut client, &mut server);
    ///
    /// let id = client.open(&request("GET"), true)?;
    /// assert_eq!(client.open_capacity(), 0);
    /// assert_eq!(client.open(&request("GET"), true), Err(OpenError::WouldBlock));
    /// carry(&mut client, &mut server);
    /// server.send_response(id, &response("204"), true)?;
    /// carry(&mut client, &mut server);
    ///
    /// assert!(std::iter::from_fn(|| client.poll_event()).any(|event| matches!(event, Event::StreamsAvailable)));
    /// assert_eq!(client.open_capacity(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_capacity(&self) -> usize {
        if !self.is_client() || !self.is_open() {
            return 0;
        }
        let slots = self.max_send_streams().saturating_sub(self.counts.local);
        slots.saturating_add(self.config.waiting_streams).saturating_sub(self.pending_open.len())
    }

    /// Returns how many streams this endpoint may have open (RFC 9113, 5.1.2).
    fn max_send_streams(&self) -> usize {
        let unknown = if self.peer_settings_known { u32::MAX } else { self.config.initial_max_send_streams };
        self.peer.max_concurrent_streams.unwrap_or(unknown) as usize
    }

    /// Takes the next identifier, or `None` if they are used up (RFC 9113, 5.1.1).
    fn take_next_id(&mut self) -> Option<StreamId> {
        let id = StreamId::new(self.next_id)?;
        self.next_id = self.next_id.saturating_add(2);
        self.stats.streams_opened = self.stats.streams_opened.saturating_add(1);
        Some(id)
    }

    fn send_request(&mut self, id: StreamId, head: &FieldSection, end_stream: bool) {
        self.write_headers(id, end_stream, head);
        self.transition(id, Transition::SendHeaders);
        // The content known to come may have needed no credit so far; the response may add to it.
        self.credit_connection();
        if end_stream {
            self.sent_end_stream(id);
        }
    }

    /// Returns whether a request waits that the peer's limit allows now.
    pub(super) fn may_send_waiting_request(&self) -> bool {
        !self.pending_open.is_empty() && self.counts.local < self.max_send_streams()
    }

    /// Sends waiting requests while the peer's limit allows it.
    pub(super) fn send_waiting_requests(&mut self) {
        while self.may_send_waiting_request()
            && let Some(id) = self.pending_open.pop_front()
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

    /// Tells a caller that was refused a stream when it can open one again.
    pub(super) fn tell_streams_available(&mut self) {
        if self.open_refused && self.open_capacity() > 0 {
            self.open_refused = false;
            self.events.push_back(Event::StreamsAvailable);
        }
    }

    /// Server: sends an informational response (1xx), any number of which may precede the response.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the head is malformed or not a 1xx, or if the stream does not take one now.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Event, FieldSection};
    /// # let (mut client, mut server) = pair();
    /// # let id = client.open(&request("GET"), true)?;
    /// # carry(&mut client, &mut server);
    ///
    /// let hints = FieldSection::from_iter([(":status", "103"), ("link", "</style.css>; rel=preload")]);
    /// server.send_informational(id, &hints)?;
    /// server.send_response(id, &response("200"), true)?;
    /// carry(&mut client, &mut server);
    /// let statuses: Vec<_> = std::iter::from_fn(|| client.poll_event())
    ///     .filter_map(|event| match event {
    ///         Event::Informational { head, .. } | Event::Response { head, .. } => head.status(),
    ///         _ => None,
    ///     })
    ///     .collect();
    /// assert_eq!(statuses, [103, 200]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_informational(&mut self, id: StreamId, head: &FieldSection) -> Result<(), SendError> {
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

    /// Server: sends the head of the response, which starts with `:status` (RFC 9113, 8.3.2).
    ///
    /// # Errors
    ///
    /// [`SendError`] if the head is malformed or a 1xx, or if the stream does not take one now.
    pub fn send_response(
        &mut self,
        id: StreamId,
        head: &FieldSection,
        end_stream: bool,
    ) -> Result<(), SendError> {
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

    /// Returns the stream if a response may begin on it.
    fn check_response(&mut self, id: StreamId) -> Result<&mut Stream, SendError> {
        let peers = !self.is_client();
        let stream = self.sending(id)?;
        if !peers {
            return Err(SendError::Role);
        }
        if stream.send.head_sent {
            return Err(SendError::HeadSent);
        }
        Ok(stream)
    }

    /// Returns the stream if it may still send.
    fn sending(&mut self, id: StreamId) -> Result<&mut Stream, SendError> {
        let stream =
            self.streams.get_mut(id).filter(|stream| !stream.released).ok_or(SendError::UnknownStream)?;
        match stream.error {
            Some(error) if stream.is_closed() => Err(SendError::Reset(error)),
            _ => Ok(stream),
        }
    }

    /// Returns the stream if its message has begun and not ended.
    fn sending_content(&mut self, id: StreamId) -> Result<&mut Stream, SendError> {
        let stream = self.sending(id)?;
        if stream.can_take_content() {
            Ok(stream)
        } else if stream.send.head_sent {
            Err(SendError::MessageEnded)
        } else {
            Err(SendError::HeadNotSent)
        }
    }

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
        // The promised stream will count against the client's limit once the response begins.
        if self.counts.local.saturating_add(self.counts.promised) >= self.max_send_streams() {
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, State::Idle, facts.method, ReceiveWindow::new(0));
        stream.app_owned = true;
        stream.recv.expect = Expect::Nothing;
        self.streams.insert(stream);
        self.write_block(parent, head, |out| FieldBlock::push_promise(out, parent, id));
        self.transition(id, Transition::SendPushPromise);
        Ok(id)
    }

    /// Takes content from the front of `data` while the stream's send buffer has room, and returns how many bytes it
    /// took.
    ///
    /// The bytes taken are split off `data`, so that what is left in it is what to offer again after
    /// [`Event::Writable`]; nothing is sent twice or skipped. `end_stream` takes effect once all of `data` was taken.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the message has not begun or has ended, or if the content does not match its
    /// Content-Length. Nothing was taken then.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http2_engine::{Event, Read};
    /// # let (mut client, mut server) = pair();
    ///
    /// let id = client.open(&request("POST"), false)?;
    /// let mut content = Bytes::from(vec![7; 1 << 20]);
    /// let (mut sent, mut received) = (0, 0);
    /// loop {
    ///     // Takes as much as the send buffer has room for, and leaves the rest in `content`.
    ///     sent += client.send_data(id, &mut content, true)?;
    ///     if content.is_empty() {
    ///         break;
    ///     }
    ///     // A real caller waits for `Event::Writable`, while its transport moves bytes and the server reads.
    ///     while !matches!(client.poll_event(), Some(Event::Writable { .. })) {
    ///         carry(&mut client, &mut server);
    ///         while let Read::Data(bytes) = server.read(id, usize::MAX)? {
    ///             received += bytes.len();
    ///         }
    ///     }
    /// }
    /// assert_eq!(sent, 1 << 20);
    /// assert!(received > 0, "the send buffer holds only a part of the content");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the bytes left in `data` were not sent: offer them again after `Event::Writable`"]
    pub fn send_data(
        &mut self,
        id: StreamId,
        data: &mut Bytes,
        end_stream: bool,
    ) -> Result<usize, SendError> {
        let limit = self.send_limit();
        let stream = self.sending_content(id)?;
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
        // A caller that has filled the buffer exactly waits for room, too.
        if !ends
            && self.send_capacity(id) == 0
            && let Some(stream) = self.streams.get_mut(id)
        {
            stream.send.notify_writable = true;
        }
        self.content_changed(id);
        Ok(taken)
    }

    /// Returns how many bytes [`send_data`](Self::send_data) would take now; 0 if the message takes no content.
    ///
    /// If `send_data` leaves no room, [`Event::Writable`] follows when the buffer has room again.
    pub fn send_capacity(&self, id: StreamId) -> usize {
        match self.streams.get(id) {
            Some(stream) if stream.can_take_content() && !stream.is_closed() && !stream.released => {
                self.send_limit().saturating_sub(stream.send.content.len())
            }
            _ => 0,
        }
    }

    /// Returns the current send-buffer limit of each stream, in bytes.
    ///
    /// It is [`Config::send_buffer`](crate::Config::send_buffer), or less while the total over all streams is high
    /// ([`Limits::content_octets`](crate::Limits::content_octets)). Even then, each stream has room for a frame, so
    /// that none has to wait for another.
    pub fn send_limit(&self) -> usize {
        let limit = self.config.send_buffer;
        if self.crowded { limit.min(CROWDED) } else { limit }
    }

    fn content_queued(&mut self, bytes: usize) {
        self.content_waiting = self.content_waiting.saturating_add(bytes);
        if !self.crowded && self.content_waiting >= self.config.limits.content_octets {
            self.crowded = true;
            // A stream that loses its room waits for it as if it had filled the buffer.
            let limit = self.send_limit();
            for stream in self.streams.iter_mut() {
                stream.send.notify_writable |=
                    stream.can_take_content() && stream.send.content.len() >= limit;
            }
        }
    }

    /// Records that content was sent or dropped.
    ///
    /// Streams regain their room once the total is a quarter below the limit, so that they do not lose it again at
    /// once.
    pub(super) fn content_gone(&mut self, bytes: usize) {
        self.content_waiting = self.content_waiting.saturating_sub(bytes);
        let enough = self.config.limits.content_octets;
        if self.crowded && self.content_waiting < enough.saturating_sub(enough / 4) {
            self.crowded = false;
            let limit = self.send_limit();
            for stream in self.streams.iter_mut() {
                if stream.has_room(limit) && core::mem::take(&mut stream.send.notify_writable) {
                    self.events.push_back(Event::Writable { id: stream.id });
                }
            }
        }
    }

    /// Drops the content of a stream that will not be sent any more.
    pub(super) fn drop_content(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let dropped = stream.send.content.clear();
        self.content_gone(dropped);
    }

    /// Ends the message with a trailer section, after all content taken so far (RFC 9113, 8.1).
    ///
    /// An empty section is sent as a plain end of the stream.
    ///
    /// # Errors
    ///
    /// [`SendError`] if the message has not begun or has ended, if the trailers are malformed, or if content is
    /// missing.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http2_engine::{FieldSection, SendError};
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("POST"), false)?;
    /// assert_eq!(client.send_data(id, &mut Bytes::from_static(b"content"), false), Ok(7));
    /// client.send_trailers(id, &FieldSection::from_iter([("checksum", "0123")]))?;
    /// assert_eq!(client.send_data(id, &mut Bytes::from_static(b"more"), false), Err(SendError::MessageEnded));
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_trailers(&mut self, id: StreamId, trailers: &FieldSection) -> Result<(), SendError> {
        message::trailers(trailers)?;
        let client = self.is_client();
        let stream = self.sending_content(id)?;
        // After a client's CONNECT, only DATA may follow (RFC 9113, 8.5), whatever the server answers.
        if stream.tunnel || (client && stream.method.is_connect()) {
            return Err(SendError::Tunnel);
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

    /// Schedules the content of a stream, or sends its ending at once, which needs no window.
    ///
    /// Called after content or the ending was added, or after the stream has begun.
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

    /// Sends the ending of a message, if known, after all content was sent.
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

    /// Encodes a field section after all other output that precedes content.
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

    /// Ends a stream on which the peer certainly has not acted.
    pub(super) fn fail_unprocessed(&mut self, id: StreamId, error: StreamError) {
        let error = StreamError { retryable: true, ..error };
        self.emit_reset(id, error);
        if self.streams.get(id).is_some_and(|stream| stream.state == State::Idle) {
            self.drop_unopened(id);
        } else {
            self.transition(id, Transition::RecvReset);
        }
    }
}
