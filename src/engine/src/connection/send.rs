//! Sending messages.

use bytes::Bytes;

use super::Connection;
use crate::error::{Malformed, SendError};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::{FieldBlock, StreamId, data};
use crate::message::{self, ContentLength};
use crate::stream::{Ending, State, Stream, Transition};
use crate::subscriber::Direction;

impl Connection {
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
        if self.streams.state(id) == Some(State::ReservedLocal) {
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
        let checks = self.config.check_sent_messages;
        let stream = self.check_response(id)?;
        let length = ContentLength::of_response(stream.method, &facts).if_checked(checks);
        if end_stream {
            length.finish()?;
        }
        stream.send.length = length;
        stream.send.head_sent = true;
        stream.tunnel = stream.method.is_connect() && (200..300).contains(&facts.status);
        let reserved = stream.state() == State::ReservedLocal;
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
        let stream = self.streams.unreleased_mut(id).ok_or(SendError::UnknownStream)?;
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

    /// Takes content from the front of `data` while the stream's send buffer has room, and returns how many bytes it
    /// took.
    ///
    /// The bytes taken are split off `data`. After [`Event::Writable`], the caller offers the rest again; nothing is sent
    /// twice or skipped. `end_stream` takes effect once all of `data` was taken.
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
        count_content(stream, taken, ends)?;
        self.queue_content(id, data.split_to(taken), ends);
        Ok(taken)
    }

    /// Takes all of `data`, whatever room the stream's send buffer has.
    ///
    /// A caller that keeps its own limits, by [`send_window`](Self::send_window) for example, is spared the rest that
    /// [`send_data`](Self::send_data) may leave.
    ///
    /// # Errors
    ///
    /// The errors of [`send_data`](Self::send_data). Nothing was taken then.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    /// # carry(&mut server, &mut client);
    ///
    /// let id = client.open(&request("POST"), false)?;
    /// assert_eq!(client.send_window(id), 256 << 10, "the server's initial window");
    /// client.queue_data(id, Bytes::from(vec![7; 1 << 20]), true)?;
    /// assert_eq!((client.send_window(id), client.send_pending(id)), (0, 1 << 20));
    /// # Ok(())
    /// # }
    /// ```
    pub fn queue_data(&mut self, id: StreamId, data: Bytes, end_stream: bool) -> Result<(), SendError> {
        count_content(self.sending_content(id)?, data.len(), end_stream)?;
        self.queue_content(id, data, end_stream);
        Ok(())
    }

    fn queue_content(&mut self, id: StreamId, piece: Bytes, ends: bool) {
        self.sending.queue(&mut self.streams, id, piece);
        // A caller that has filled the buffer exactly waits for room, too.
        if !ends
            && self.send_capacity(id) == 0
            && let Some(stream) = self.streams.get_mut(id)
        {
            stream.send.notify_writable = true;
        }
        self.content_changed(id);
    }

    /// Returns how many more bytes of content the windows would let this endpoint send on a stream now, after the
    /// content that is pending on it and on other streams; 0 if the message takes no content.
    ///
    /// A request that waits for the peer's limit of streams has no window yet.
    pub fn send_window(&self, id: StreamId) -> usize {
        match self.streams.get(id) {
            Some(stream) if stream.can_take_content() && stream.state().can_send() => {
                let stream_left = self
                    .sending
                    .stream_window(stream)
                    .saturating_sub_unsigned(u64::try_from(stream.send.content.len()).unwrap_or(u64::MAX));
                usize::try_from(stream_left.min(self.sending.window_left())).unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// Returns whether the local message of a stream takes content: its head was sent, and its end was not.
    pub fn takes_content(&self, id: StreamId) -> bool {
        let stream = self.streams.get(id);
        stream.is_some_and(|stream| stream.can_take_content() && !stream.is_closed() && !stream.is_released())
    }

    /// Returns the bytes of content taken from the caller on a stream and not yet handed out by
    /// [`poll_transmit`](Self::poll_transmit).
    pub fn send_pending(&self, id: StreamId) -> usize {
        self.streams.get(id).map_or(0, |stream| stream.send.content.len())
    }

    /// Returns how many bytes [`send_data`](Self::send_data) would take now; 0 if the message takes no content.
    ///
    /// If `send_data` leaves no room, [`Event::Writable`] follows when the buffer has room again.
    pub fn send_capacity(&self, id: StreamId) -> usize {
        if self.takes_content(id) { self.send_limit().saturating_sub(self.send_pending(id)) } else { 0 }
    }

    /// Returns the current send-buffer limit of each stream, in bytes.
    ///
    /// It is [`Config::send_buffer`](crate::Config::send_buffer), or less while the total over all streams is high
    /// ([`Limits::content_bytes`](crate::Limits::content_bytes)). Even then, each stream has room for a frame, so
    /// that none has to wait for another.
    pub fn send_limit(&self) -> usize {
        self.sending.limit()
    }

    /// Tells the streams that regain their room after content was sent or dropped.
    pub(super) fn make_room(&mut self) {
        for id in self.sending.make_room(&mut self.streams) {
            self.events.push_back(Event::Writable { id });
        }
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
        if trailers.is_empty() {
            stream.send.ending = Ending::EndStream;
        } else {
            stream.set_send_trailers(trailers.clone());
        }
        self.content_changed(id);
        Ok(())
    }

    /// Schedules the content of a stream, or sends its ending at once, which needs no window.
    ///
    /// Called after content or the ending was added, or after the stream has begun.
    pub(super) fn content_changed(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        if !stream.state().can_send() {
            return;
        }
        if stream.send.content.is_empty() {
            self.send_ending(id);
        } else {
            self.sending.schedule(stream);
        }
    }

    /// Sends the ending of a message, if known, after all content was sent.
    pub(super) fn send_ending(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        match stream.send.ending {
            Ending::Open | Ending::Sent => {}
            Ending::EndStream => {
                self.write_control(|out| data::encode_header(out, id, 0, true));
                self.sent_end_stream(id);
            }
            Ending::Trailers => {
                let trailers = stream.take_send_trailers().unwrap_or_default();
                self.write_headers(id, true, &trailers);
                self.sent_end_stream(id);
            }
        }
    }

    /// Encodes a field section after all other output that precedes content.
    pub(super) fn write_headers(&mut self, id: StreamId, end_stream: bool, section: &FieldSection) {
        self.write_block(id, section, |out| FieldBlock::headers(out, id, end_stream));
    }

    pub(super) fn write_block(
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
}

/// Counts content of the local message against Content-Length, unless it does not match.
fn count_content(stream: &mut Stream, bytes: usize, ends: bool) -> Result<(), Malformed> {
    let mut length = stream.send.length;
    length.receive(u32::try_from(bytes).unwrap_or(u32::MAX))?;
    if ends {
        length.finish()?;
        stream.send.ending = Ending::EndStream;
    }
    stream.send.length = length;
    Ok(())
}
