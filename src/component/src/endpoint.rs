//! An engine and its transport: moves bytes, sorts events, and waits for calls that block.

use std::collections::VecDeque;

use bytes::Bytes;
use http2_engine::{
    Connection, ConnectionError, ErrorCode, Event as EngineEvent, FieldSection, HTTP1_ANSWER, Initiator,
    Role, SendError, StreamError, StreamId, Time,
};
use wasi::clocks::monotonic_clock::{self, Duration, Instant};
use wasi::io::poll::Pollable;

use crate::bindings::exports::http2::engine::connection::{AltSvc, Event, GoAway, UnknownFrame};
use crate::bindings::http2::engine::types::{Error, Priority};
use crate::errors;
use crate::io::TransportError;
use crate::streams::{StreamState, Streams};
use crate::transport::{Transport, WRITE_SIZE};

/// Reads per call of [`Endpoint::drive`], so that a fast peer does not keep the caller from its other work.
const READS_PER_DRIVE: u32 = 4;
/// Events kept until the application takes them; the oldest are dropped.
const MAX_EVENTS: usize = 64;
/// Length of the client connection preface, in bytes (RFC 9113, 3.4).
const PREFACE_LEN: u64 = 24;
/// How long input is read and discarded after the connection has ended, in nanoseconds since the last output.
///
/// Closing the transport with unread input could destroy our last frames before the peer has read them.
const LINGER: u64 = 1_000_000_000;
/// How long reading pauses between discarding input after the end of the connection, in nanoseconds.
///
/// So a peer that keeps sending cannot starve other connections.
const DISCARD_PAUSE: u64 = 50_000_000;

/// One side of a connection.
pub(crate) struct Endpoint {
    pub(crate) engine: Connection,
    pub(crate) streams: Streams,
    /// Requests that the application has not accepted yet.
    pending_accept: VecDeque<StreamId>,
    events: VecDeque<Event>,
    /// The payload of the PING that a blocking call waits for, and the round-trip time once it is answered.
    awaited_pong: Option<(u64, Option<Duration>)>,
    /// The time until which input is read and discarded, after the end of the connection.
    linger_until: Option<Instant>,
    /// The time until which reading pauses, after the end of the connection.
    next_discard: Option<Instant>,
    /// Whether the application has started a message since the last call of [`drive`](Self::drive).
    message_started: bool,
    /// Whether the last call of [`drive`](Self::drive) held output back for the next one.
    output_deferred: bool,
    /// Whether something has happened since [`take_news`](Self::take_news) last said so.
    news: bool,
    /// Whether the application knows that requests wait for streams that it holds.
    exhaustion_reported: bool,
    /// Input that the engine has not accepted yet.
    input: Bytes,
    /// The first error of the transport.
    transport_error: Option<TransportError>,
    /// `None` once the application has dropped the connection.
    transport: Option<Transport>,
}

impl Endpoint {
    pub(crate) fn new(engine: Connection, transport: Transport) -> Self {
        Self {
            engine,
            streams: Streams::default(),
            pending_accept: VecDeque::new(),
            events: VecDeque::new(),
            awaited_pong: None,
            linger_until: None,
            next_discard: None,
            message_started: false,
            output_deferred: false,
            news: false,
            exhaustion_reported: false,
            input: Bytes::new(),
            transport_error: None,
            transport: Some(transport),
        }
    }

    /// Writes, reads and processes as much as possible without waiting.
    ///
    /// Returns true if bytes moved, a deadline passed, or output is held back.
    ///
    /// Everything that the application sends between two calls goes out in one write, together with the engine's
    /// acknowledgements and WINDOW_UPDATE frames. If the host leaves Nagle's algorithm on, it would hold a second small
    /// segment back until the peer's delayed ACK. Therefore this function stops when it has news for the application,
    /// and leaves the engine's reaction for the next call. It also holds back, once, a message head without content.
    pub(crate) fn drive(&mut self) -> bool {
        self.output_deferred = std::mem::take(&mut self.message_started) && !self.output_deferred;
        if self.output_deferred {
            return true;
        }
        let now = monotonic_clock::now();
        let mut drained = false;
        let mut moved = self.engine.poll_timeout().is_some_and(|due| due.as_nanos() <= now);
        if moved {
            // If the caller was delayed, the overdue input may have arrived in time: read it before firing timeouts.
            self.receive(now, &mut drained);
            self.transmit(now);
            self.engine.handle_timeout(Time::from_nanos(now));
            self.process_events();
        }
        moved |= self.transmit(now);
        self.next_discard = self.next_discard.filter(|at| *at > now);
        let lingers = self.linger_until.is_some();
        let mut discarded = false;
        for _ in 0..READS_PER_DRIVE {
            if self.receive(now, &mut drained) {
                moved = true;
                discarded |= lingers;
                if self.has_updates() {
                    break;
                }
            } else if self.transmit(now) {
                moved = true;
            } else {
                break;
            }
        }
        if discarded {
            self.next_discard = Some(now.saturating_add(DISCARD_PAUSE));
        }
        self.report_exhaustion();
        self.finish_transport(now);
        moved
    }

    /// Drives the connection until `attempt` returns a value, an error occurs, or `timeout` passes, which is an error.
    pub(crate) fn block_until<T>(
        &mut self,
        timeout: Option<Duration>,
        attempt: impl FnMut(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        self.try_until(timeout, attempt)?.ok_or_else(errors::timeout)
    }

    /// Drives the connection until `attempt` returns a value or an error occurs; returns `None` once `timeout` has passed.
    pub(crate) fn try_until<T>(
        &mut self,
        timeout: Option<Duration>,
        mut attempt: impl FnMut(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let deadline = deadline(timeout);
        let mut expired = false;
        loop {
            if let Some(outcome) = attempt(self)? {
                self.transmit(monotonic_clock::now());
                return Ok(Some(outcome));
            }
            if expired {
                return Ok(None);
            }
            if !self.drive() {
                if self.is_over() {
                    return Err(self.failure().unwrap_or_else(errors::connection_closed));
                }
                self.wait(deadline);
            }
            expired = has_passed(deadline);
        }
    }

    /// Waits until [`drive`](Self::drive) has done something.
    ///
    /// Returns false if `timeout` passed or the connection is over.
    pub(crate) fn blocking_drive(&mut self, timeout: Option<Duration>) -> Result<bool, Error> {
        let deadline = deadline(timeout);
        loop {
            let moved = self.drive();
            if let Some(error) = self.failure() {
                return Err(error);
            }
            if moved || self.is_over() || has_passed(deadline) {
                return Ok(moved);
            }
            self.wait(deadline);
        }
    }

    /// Records that the application has sent a message head without END_STREAM.
    pub(crate) fn message_started(&mut self) {
        self.message_started = true;
    }

    /// Writes pending output, and GOAWAY if the connection is still open, and drops the transport.
    pub(crate) fn close(&mut self) {
        let now = monotonic_clock::now();
        self.transmit(now);
        if self.engine.close_reason().is_none() {
            self.engine.abort(ErrorCode::NO_ERROR, b"");
            self.process_events();
            self.transmit(now);
        }
        if let Some(mut transport) = self.transport.take() {
            transport.finish();
        }
    }

    /// Returns the transport, unless the application has dropped the connection.
    pub(crate) fn transport(&self) -> Option<&Transport> {
        self.transport.as_ref()
    }

    /// Returns whether more input may be read: the engine has accepted all earlier input, and more may arrive.
    pub(crate) fn takes_input(&self) -> bool {
        let can_read =
            self.next_discard.is_none() && self.transport.as_ref().is_some_and(Transport::can_read);
        self.input.is_empty() && can_read
    }

    /// Returns the latest time for the next call of [`drive`](Self::drive).
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let linger = self.linger_until.filter(|_| !self.is_over());
        let discard = self.next_discard.filter(|_| !self.is_over());
        self.engine.poll_timeout().map(Time::as_nanos).into_iter().chain(linger).chain(discard).min()
    }

    /// Returns the error that ended the connection, if any.
    pub(crate) fn failure(&self) -> Option<Error> {
        let error = self.engine.close_reason()?.err()?;
        Some(errors::from_connection_error(error, self.transport_error.as_ref()))
    }

    /// Returns whether the connection has ended, and the transport is no longer needed.
    pub(crate) fn is_over(&self) -> bool {
        if self.engine.close_reason().is_none() {
            return false;
        }
        let Some(transport) = &self.transport else { return true };
        let idle = !transport.can_read() && !transport.can_write();
        idle || self.linger_until.is_some_and(|until| until <= monotonic_clock::now())
    }

    /// Returns the error that ended a stream early: the connection's if that ended the stream, else the stream's own.
    pub(crate) fn stream_failure(&self, id: StreamId, error: &StreamError) -> Error {
        let with_connection = self.streams.get(id).is_some_and(|stream| stream.ended_with_connection);
        match self.failure() {
            Some(failure) if with_connection => Error { retryable: error.retryable, ..failure },
            _ => errors::from_stream_error(error),
        }
    }

    /// Returns why the engine did not accept something for sending on a stream.
    pub(crate) fn send_failure(&self, id: StreamId, error: SendError) -> Error {
        match (error, self.streams.get(id)) {
            (SendError::Reset(error), _) => self.stream_failure(id, &error),
            (SendError::UnknownStream, Some(stream)) => match stream.error {
                Some(error) => self.stream_failure(id, &error),
                None => errors::from_send_error(SendError::MessageEnded),
            },
            _ => errors::from_send_error(error),
        }
    }

    /// Resets a stream on behalf of the application.
    pub(crate) fn reset(&mut self, id: StreamId, code: ErrorCode) {
        if self.engine.is_finished(id) {
            return;
        }
        self.engine.reset(id, code);
        self.process_events();
        if let Some(stream) = self.streams.get_mut(id) {
            let error = StreamError { code, initiator: Initiator::Local, violation: None, retryable: false };
            stream.error.get_or_insert(error);
        }
        self.streams.watch(id);
    }

    /// Sends 100 (Continue), since the application reads the content of a request whose client waits for that.
    pub(crate) fn send_continue(&mut self, id: StreamId) {
        let mut head = FieldSection::new();
        head.push(b":status", b"100");
        // If this fails, the stream has ended, and the next read reports that.
        _ = self.engine.send_informational(id, &head);
    }

    /// Takes the next request.
    pub(crate) fn accept(&mut self) -> Option<StreamId> {
        let id = self.pending_accept.pop_front()?;
        self.streams.set_app_owned(id);
        self.exhaustion_reported = false;
        Some(id)
    }

    /// Returns whether requests wait for streams that the application holds, and none of these ends by itself.
    ///
    /// A stream ends by itself if only the rest of its response has to be sent.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_exhausted() && !self.streams.watched().any(|id| self.engine.is_read(id))
    }

    /// Returns whether requests wait because the application holds all the streams that it permits the peer.
    fn is_exhausted(&self) -> bool {
        self.engine.role() == Role::Server
            && self.pending_accept.is_empty()
            && self.engine.stats().streams_waiting > 0
    }

    /// Tells the application once that it holds all the streams that it permits the peer.
    fn report_exhaustion(&mut self) {
        if !self.exhaustion_reported && self.is_exhausted() {
            self.exhaustion_reported = true;
            self.push_event(Event::StreamsExhausted);
        }
    }

    /// Releases the streams about which everything is done, though the application may hold them.
    ///
    /// Callers with a garbage collector drop streams late. Returns whether there were any.
    fn release_done(&mut self) -> bool {
        let engine = &self.engine;
        let done = self
            .streams
            .take_done(|id, stream| engine.is_finished(id) && (stream.error.is_some() || engine.is_read(id)));
        for &id in &done {
            self.engine.release(id);
        }
        !done.is_empty()
    }

    /// Takes the next event of the connection as a whole.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Releases a stream, and the promised streams on it that the application has not taken.
    pub(crate) fn release(&mut self, id: StreamId) {
        let promised = self.streams.remove(id).map(|stream| stream.pushed).unwrap_or_default();
        for id in promised.into_iter().chain([id]) {
            self.streams.remove(id);
            self.engine.release(id);
        }
        self.process_events();
    }

    /// Keeps the answer to the PING with this payload for a blocking call, instead of making an event of it.
    pub(crate) fn await_pong(&mut self, payload: u64) {
        self.awaited_pong = Some((payload, None));
    }

    /// Takes the round-trip time, if the awaited answer has arrived.
    pub(crate) fn take_awaited_pong(&mut self) -> Option<Duration> {
        let (_, round_trip) = self.awaited_pong?;
        if round_trip.is_some() {
            self.awaited_pong = None;
        }
        round_trip
    }

    /// Returns the last GOAWAY that arrived.
    pub(crate) fn received_go_away(&self) -> Option<GoAway> {
        let go_away = self.engine.received_go_away()?;
        Some(GoAway {
            last_stream_id: go_away.last_stream_id.as_u32(),
            code: go_away.code.0,
            debug_data: go_away.debug_data.to_vec(),
        })
    }

    /// Writes output, and returns whether the transport has accepted all of it.
    pub(crate) fn is_flushed(&mut self) -> bool {
        self.transmit(monotonic_clock::now());
        let is_written = |transport: &Transport| !transport.has_output() && !transport.is_broken();
        self.engine.is_flushed() && self.transport.as_ref().is_none_or(is_written)
    }

    /// Returns whether output waits, in the engine or in the transport's buffer.
    pub(crate) fn has_output(&self) -> bool {
        self.transport.as_ref().is_some_and(|transport| {
            transport.has_output()
                || (transport.can_write() && !self.awaits_preface() && self.engine.has_output())
        })
    }

    /// Server: returns whether the client's connection preface has yet to arrive.
    ///
    /// Until then nothing is sent: the client may speak HTTP/1, and could not parse SETTINGS.
    fn awaits_preface(&self) -> bool {
        self.engine.role() == Role::Server
            && self.engine.close_reason().is_none()
            && self.engine.stats().bytes_received < PREFACE_LEN
    }

    /// Returns whether the peer is a client that speaks HTTP/1.
    fn peer_speaks_http1(&self) -> bool {
        self.engine.role() == Role::Server
            && matches!(self.engine.close_reason(), Some(Err(ConnectionError::NotHttp2)))
    }

    /// Returns whether requests wait for the application, the connection has ended, or anything else has happened since
    /// the last call.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
            || !self.pending_accept.is_empty()
            || self.engine.close_reason().is_some()
    }

    /// Returns whether the application has news to look at: requests, or changed streams.
    fn has_updates(&self) -> bool {
        !self.pending_accept.is_empty() || self.streams.has_changed()
    }

    /// Sorts the engine's events into those of streams and those of the connection.
    pub(crate) fn process_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.news = true;
            self.handle_event(event);
        }
    }

    fn handle_event(&mut self, event: EngineEvent) {
        match event {
            EngineEvent::Request { id, head, .. } => {
                self.streams.insert(id, StreamState::arrived(head));
                self.pending_accept.push_back(id);
            }
            EngineEvent::Push { parent, id, head } => match self.streams.mark_changed(parent) {
                Some(stream) => {
                    stream.pushed.push_back(id);
                    self.streams.insert(id, StreamState::arrived(head));
                }
                None => self.engine.release(id),
            },
            EngineEvent::Informational { id, head } => {
                if let Some(stream) = self.streams.mark_changed(id) {
                    stream.push_informational(head);
                }
            }
            EngineEvent::Response { id, head, .. } => {
                if let Some(stream) = self.streams.mark_changed(id) {
                    stream.response = Some(head);
                    stream.answered = true;
                }
            }
            EngineEvent::Readable { id } => {
                if let Some(stream) = self.streams.mark_changed(id) {
                    stream.readable = true;
                }
            }
            EngineEvent::Writable { id } => {
                self.streams.mark_changed(id);
            }
            EngineEvent::Reset { id, error } => self.handle_reset(id, error),
            EngineEvent::Pong { payload, round_trip } => {
                self.handle_pong(u64::from_be_bytes(payload), round_trip);
            }
            other => self.queue_event(other),
        }
    }

    /// Records a reset; if the application has not accepted the request, it is never reported.
    fn handle_reset(&mut self, id: StreamId, error: StreamError) {
        if let Some(place) = self.pending_accept.iter().position(|pending| *pending == id) {
            self.pending_accept.remove(place);
            self.streams.remove(id);
            self.engine.release(id);
            return;
        }
        let ended_with_connection = self.engine.close_reason().is_some();
        if let Some(stream) = self.streams.mark_changed(id) {
            stream.error = Some(error);
            stream.ended_with_connection = ended_with_connection;
            self.streams.watch(id);
        }
    }

    fn handle_pong(&mut self, payload: u64, round_trip: std::time::Duration) {
        let round_trip = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX);
        match &mut self.awaited_pong {
            Some((awaited, answer)) if *awaited == payload => *answer = Some(round_trip),
            _ => self.push_event(Event::Pong((payload, round_trip))),
        }
    }

    /// Keeps an event of the connection as a whole, if the interface reports it.
    fn queue_event(&mut self, event: EngineEvent) {
        let event = match event {
            EngineEvent::PeerSettings => Event::PeerSettings,
            EngineEvent::SettingsAcknowledged => Event::SettingsAcknowledged,
            EngineEvent::StreamsAvailable => Event::StreamsAvailable,
            EngineEvent::GoAway => match self.received_go_away() {
                Some(go_away) => Event::GoAway(go_away),
                None => return,
            },
            EngineEvent::PriorityUpdate { id, priority } => {
                Event::PriorityUpdate((id.as_u32(), to_priority(priority)))
            }
            EngineEvent::Origin { origins } => Event::Origin(
                origins.iter().map(|origin| String::from_utf8_lossy(origin).into_owned()).collect(),
            ),
            EngineEvent::AltSvc { id, origin, value } => {
                Event::AltSvc(AltSvc { stream_id: id.as_u32(), origin: origin.into(), value: value.into() })
            }
            EngineEvent::UnknownFrame { kind, flags, id, payload } => Event::UnknownFrame(UnknownFrame {
                kind,
                flags,
                stream_id: id.as_u32(),
                payload: payload.into(),
            }),
            EngineEvent::Abuse { cause } => Event::Abuse(cause.to_string()),
            // `closed` reports the end of the connection; `handle_event` has handled the rest.
            _ => return,
        };
        self.push_event(event);
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Passes remaining or newly read input to the engine; returns true if that changed anything.
    ///
    /// Once the transport returns less than requested, it is `drained`, and not read again in this turn.
    fn receive(&mut self, now: Instant, drained: &mut bool) -> bool {
        if self.input.is_empty() && !*drained && self.next_discard.is_none() {
            let Some(transport) = self.transport.as_mut().filter(|transport| transport.can_read()) else {
                return false;
            };
            match transport.read() {
                Ok((bytes, more)) => {
                    *drained = !more;
                    self.input = bytes.into();
                }
                Err(error) => {
                    self.handle_read_end(now, error);
                    return true;
                }
            }
        }
        if self.input.is_empty() {
            return false;
        }
        let taken = self.engine.recv(Time::from_nanos(now), &mut self.input);
        self.process_events();
        taken > 0
    }

    /// Writes output until the engine has no more or the transport has no room; returns true if bytes moved.
    fn transmit(&mut self, now: Instant) -> bool {
        let mut moved = false;
        if self.awaits_preface() {
            return moved;
        }
        let peer_speaks_http1 = self.peer_speaks_http1();
        while let Some(transport) = self.transport.as_mut().filter(|transport| transport.accepts_output()) {
            if !transport.has_output() {
                let sent = self.engine.poll_transmit(Time::from_nanos(now), transport.output(), WRITE_SIZE);
                if sent == 0 {
                    transport.shrink();
                    break;
                }
                if peer_speaks_http1 {
                    transport.output().clear();
                    transport.output().extend_from_slice(HTTP1_ANSWER);
                }
            }
            match transport.write() {
                Ok(0) => break,
                Ok(taken) => {
                    moved = true;
                    if transport.has_output() {
                        self.engine.handle_write_progress(Time::from_nanos(now), taken);
                    }
                }
                Err(error) => {
                    self.handle_write_error(now, error);
                    return true;
                }
            }
        }
        moved |= self.release_done();
        self.process_events();
        if moved && self.linger_until.is_some() {
            self.linger_until = Some(now.saturating_add(LINGER));
        }
        moved
    }

    /// Handles a failed write.
    ///
    /// The peer may have sent the rest of a response, or the reason for the end, before. So input is still read to its
    /// end; output is discarded meanwhile.
    fn handle_write_error(&mut self, now: Instant, error: TransportError) {
        self.record_transport_error(error);
        self.engine.shutdown(Time::from_nanos(now));
        self.process_events();
    }

    /// Handles the end of input.
    fn handle_read_end(&mut self, now: Instant, error: TransportError) {
        self.record_transport_error(error);
        self.engine.recv_end(Time::from_nanos(now));
        self.process_events();
    }

    /// Keeps the first error of the transport.
    fn record_transport_error(&mut self, error: TransportError) {
        if !matches!(error, TransportError::Closed) {
            self.transport_error.get_or_insert(error);
        }
    }

    /// Finishes the transport once the connection has ended and the transport has accepted the last byte.
    fn finish_transport(&mut self, now: Instant) {
        if self.engine.close_reason().is_none() {
            return;
        }
        self.linger_until.get_or_insert(now.saturating_add(LINGER));
        if let Some(transport) = &mut self.transport
            && self.engine.is_closed()
            && !transport.has_output()
        {
            transport.finish();
        }
    }

    /// Waits until [`drive`](Self::drive) has work, or until `deadline`.
    fn wait(&mut self, deadline: Option<Instant>) {
        let until = self.next_timeout().into_iter().chain(deadline).min();
        // Don't wake up for input that the engine does not accept.
        let reading = self.takes_input();
        if let Some(transport) = &mut self.transport {
            transport.wait(reading, until);
        }
    }

    /// Subscribes to the transport, for [`pollables`](Self::pollables).
    pub(crate) fn subscribe(&mut self) {
        let reading = self.takes_input();
        if let Some(transport) = &mut self.transport {
            transport.subscribe(reading);
        }
    }

    /// Returns the pollables to wait for, besides the time of [`next_timeout`](Self::next_timeout).
    pub(crate) fn pollables(&self) -> impl Iterator<Item = &Pollable> {
        let reading = self.takes_input();
        self.transport.iter().flat_map(move |transport| transport.pollables(reading))
    }
}

/// Converts a priority of the engine to one of the interface.
pub(crate) fn to_priority(priority: http2_engine::Priority) -> Priority {
    Priority { urgency: priority.urgency(), incremental: priority.is_incremental() }
}

pub(crate) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.map(|timeout| monotonic_clock::now().saturating_add(timeout))
}

pub(crate) fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= monotonic_clock::now())
}
