//! Opening streams for requests, and requests that wait for the peer's limit.

use super::Connection;
use crate::error::{ErrorCode, OpenError, StreamError};
use crate::event::Event;
use crate::fields::FieldSection;
use crate::frame::StreamId;
use crate::message::{self, ContentLength};
use crate::stream::{Ending, Stream, Transition, WaitingHead};

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
        let connect_protocol = self.peer.enable_connect_protocol;
        let facts = if self.config.check_sent_messages {
            message::request(head, connect_protocol)
        } else {
            message::request_of_any_target(head, connect_protocol)
        };
        let facts = facts.map_err(OpenError::Malformed)?;
        let length = ContentLength::of_request(&facts).if_checked(self.config.check_sent_messages);
        if end_stream {
            length.finish().map_err(OpenError::Malformed)?;
        }
        let limit = self.peer.max_header_list_size.filter(|_| self.config.check_header_list_size);
        if limit.is_some_and(|limit| head.size() > limit as usize) {
            return Err(OpenError::TooLarge);
        }
        // A place among the waiting requests may have become free.
        self.send_waiting_requests();
        let waits = self.streams.pending_open() > 0 || self.streams.counts().local >= self.max_send_streams();
        if waits && self.streams.pending_open() >= self.config.waiting_streams {
            self.open_refused = true;
            return Err(OpenError::WouldBlock);
        }
        let id = self.take_next_id().ok_or(OpenError::Closed)?;
        let mut stream = Stream::new(id, facts.method);
        stream.send.head_sent = true;
        stream.send.length = length;
        if let Some(priority) = facts.priority {
            stream.prioritize(priority);
        }
        if self.local.wanted.enable_push {
            stream.set_authority(head.authority().unwrap_or_default());
        }
        if end_stream {
            stream.send.ending = Ending::EndStream;
        }
        self.streams.insert(stream);
        self.streams.give(id);
        if waits {
            self.streams.wait(id, WaitingHead::new(head.clone(), end_stream));
        } else {
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
        let slots = self.max_send_streams().saturating_sub(self.streams.counts().local);
        slots.saturating_add(self.config.waiting_streams).saturating_sub(self.streams.pending_open())
    }

    /// Asks for [`Event::StreamsAvailable`] as soon as a stream can be opened, as [`OpenError::WouldBlock`] does.
    pub fn notify_streams_available(&mut self) {
        self.open_refused = true;
        self.tell_streams_available();
    }

    /// Returns how many streams this endpoint may have open (RFC 9113, 5.1.2).
    ///
    /// Until the peer's SETTINGS arrive, that is
    /// [`Config::initial_max_send_streams`](crate::Config::initial_max_send_streams).
    pub fn max_send_streams(&self) -> usize {
        let unknown = if self.peer_settings_known { u32::MAX } else { self.config.initial_max_send_streams };
        self.peer.max_concurrent_streams.unwrap_or(unknown) as usize
    }

    /// Takes the identifier of a stream to open, or `None` if they are used up (RFC 9113, 5.1.1).
    pub(super) fn take_next_id(&mut self) -> Option<StreamId> {
        let id = self.streams.take_next_id()?;
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
        self.streams.pending_open() > 0 && self.streams.counts().local < self.max_send_streams()
    }

    /// Sends waiting requests while the peer's limit allows it.
    pub(super) fn send_waiting_requests(&mut self) {
        while self.may_send_waiting_request()
            && let Some((id, waiting)) = self.streams.next_to_open()
        {
            let Some(stream) = self.streams.get(id) else { continue };
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

    /// Fails the waiting requests, of which nothing was sent.
    pub(super) fn fail_waiting_requests(&mut self) {
        let code = ErrorCode::REFUSED_STREAM;
        let error = match self.received_go_away {
            Some(_) => StreamError::peer(code),
            None => StreamError::local(code),
        };
        // One by one: the connection may end with the last of them.
        while let Some(id) = self.streams.first_pending_open() {
            self.fail_unprocessed(id, error);
        }
    }

    /// Tells a caller that was refused a stream when it can open one again.
    pub(super) fn tell_streams_available(&mut self) {
        if self.open_refused && self.open_capacity() > 0 {
            self.open_refused = false;
            self.events.push_back(Event::StreamsAvailable);
        }
    }
}
