//! Received content, and the windows that admit it.

use bytes::{Buf, Bytes};

use super::{Connection, Role};
use crate::error::{ErrorCode, Initiator, StreamError, Violation, WindowError};
use crate::event::{Event, Read};
use crate::frame::{FrameHeader, StreamId, WindowUpdate};
use crate::settings::DEFAULT_WINDOW;
use crate::stream::{Expect, State, Wake};

impl Connection {
    /// Reads at most `max` bytes of received content, the trailers, or the end of the message.
    ///
    /// The engine returns flow-control credit for the bytes read if the peer may still use it, unless
    /// [`manual_window_update`](crate::Config::manual_window_update) is set.
    ///
    /// # Errors
    ///
    /// Returns why the stream ended early, once everything that arrived before was read.
    pub fn read(&mut self, id: StreamId, max: usize) -> Result<Read, StreamError> {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.released) else {
            return Err(StreamError {
                code: ErrorCode::STREAM_CLOSED,
                initiator: Initiator::Local,
                violation: None,
                retryable: false,
            });
        };
        if !stream.recv.content.is_empty() {
            let piece = stream.recv.content.pop(max.max(1));
            self.consumed(id, u32::try_from(piece.len()).unwrap_or(u32::MAX));
            return Ok(Read::Data(piece));
        }
        if stream.recv.expect == Expect::Nothing {
            return Ok(stream.recv.trailers.take().map_or(Read::End, |trailers| Read::Trailers(*trailers)));
        }
        match stream.error {
            Some(error) => Err(error),
            None => {
                stream.recv.wake = Wake::Asked;
                Ok(Read::Blocked)
            }
        }
    }

    /// Raises a stream's receive window (RFC 9113, 6.9), in addition to credit that the engine returns.
    ///
    /// After the end of the peer's message, the call has no effect.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream is unknown, if the increment is 0, or if the window would exceed 2^31-1 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http2_engine::{Config, Connection, Read};
    ///
    /// let mut config = Config::default();
    /// config.initial_window_size = 10;
    /// config.manual_window_update = true;
    /// let mut server = Connection::server(config)?;
    /// # let (mut client, _) = pair();
    /// carry(&mut client, &mut server);
    /// let id = client.open(&request("POST"), false)?;
    /// assert_eq!(client.send_data(id, &mut Bytes::from(vec![0; 15]), true), Ok(15));
    /// carry(&mut client, &mut server);
    ///
    /// assert!(matches!(server.read(id, 100)?, Read::Data(bytes) if bytes.len() == 10));
    /// // Although the server has read everything, the client may send more only now.
    /// assert_eq!(server.stream_windows(id).unwrap().receive, 0);
    /// server.window_update(id, 5)?;
    /// carry(&mut client, &mut server);
    /// assert!(matches!(server.read(id, 100)?, Read::Data(bytes) if bytes.len() == 5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn window_update(&mut self, id: StreamId, increment: u32) -> Result<(), WindowError> {
        let initial = self.initial_window_to_come();
        let stream = self.streams.get_mut(id).ok_or(WindowError::UnknownStream)?;
        if increment == 0 {
            return Err(WindowError::Zero);
        }
        let waits = stream.state == State::Idle;
        if !waits && !stream.state.can_recv() && stream.state != State::ReservedRemote {
            return Ok(());
        }
        if !stream.recv.window.raise(increment, initial) {
            return Err(WindowError::Overflow);
        }
        // For a request that still waits, the increment is sent along with it.
        if !waits {
            self.write_window_update(id, increment);
        }
        Ok(())
    }

    /// Returns the initial window that the peer will use when it receives credit sent now: unacknowledged SETTINGS
    /// arrive before that credit.
    fn initial_window_to_come(&self) -> u32 {
        self.local.wanted.initial_window_size
    }

    /// Raises the connection's receive window (RFC 9113, 6.9), in addition to credit that the engine returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the increment is 0, or if the window would exceed 2^31-1 bytes.
    pub fn connection_window_update(&mut self, increment: u32) -> Result<(), WindowError> {
        if increment == 0 {
            return Err(WindowError::Zero);
        }
        if !self.window.raise(increment, DEFAULT_WINDOW) {
            return Err(WindowError::Overflow);
        }
        self.write_window_update(StreamId::CONNECTION, increment);
        Ok(())
    }

    pub(super) fn write_window_update(&mut self, stream_id: StreamId, increment: u32) {
        self.write_control(|out| WindowUpdate { stream_id, increment }.encode(out));
    }

    /// Checks a DATA frame when its header has arrived.
    ///
    /// The whole frame counts against the windows, including padding (RFC 9113, 6.1); `content` bytes of it are
    /// content.
    pub(super) fn data_arrives(&mut self, header: FrameHeader, content: u32) -> Result<(), Violation> {
        if !self.window.receive(header.length, DEFAULT_WINDOW) {
            return Err(Violation::ConnectionWindowExceeded);
        }
        match self.check_data(header, content) {
            Ok(()) => {
                self.discarded(header.stream_id, header.length.saturating_sub(content));
                Ok(())
            }
            Err(violation) => {
                self.discarded(StreamId::CONNECTION, header.length);
                Err(violation)
            }
        }
    }

    /// Counts a rejected DATA frame against the connection's window (RFC 9113, 6.9).
    pub(super) fn data_refused(&mut self, header: FrameHeader) -> Result<(), Violation> {
        if !self.window.receive(header.length, DEFAULT_WINDOW) {
            return Err(Violation::ConnectionWindowExceeded);
        }
        self.discarded(StreamId::CONNECTION, header.length);
        Ok(())
    }

    /// Checks whether the stream may receive DATA (RFC 9113, 5.1 and 6.1), and this much of it now
    /// (RFC 9113, 6.9.1).
    ///
    /// The initial window is the one that the peer has acknowledged (RFC 9113, 6.9.3). Content is no offence, and
    /// is discarded as it arrives, if this endpoint has reset or forgotten the stream, or if it comes after the
    /// last GOAWAY: a whole window may have been in flight.
    fn check_data(&mut self, header: FrameHeader, content: u32) -> Result<(), Violation> {
        let id = header.stream_id;
        if self.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        let initial = self.local.acknowledged.initial_window_size;
        let stream = match self.streams.get_mut(id) {
            Some(stream) if !stream.is_closed() => stream,
            _ => {
                if self.streams.is_end_unseen(id) || self.is_above_last(id) {
                    return Ok(());
                }
                return Err(Violation::StreamClosed);
            }
        };
        match stream.state {
            State::HalfClosedRemote => return Err(Violation::StreamClosed),
            State::ReservedLocal | State::ReservedRemote => return Err(Violation::ReservedStream),
            _ => {}
        }
        if stream.recv.expect == Expect::Head {
            return Err(Violation::DataBeforeHeaders);
        }
        if !stream.recv.window.receive(header.length, initial) {
            return Err(Violation::StreamWindowExceeded);
        }
        Ok(stream.recv.length.receive(content)?)
    }

    /// Takes `taken` bytes of content from the front of `input`.
    pub(super) fn recv_content(&mut self, id: StreamId, input: &mut Bytes, taken: usize) {
        if taken == 0 {
            return;
        }
        let bytes = u32::try_from(taken).unwrap_or(u32::MAX);
        match self.streams.get_mut(id) {
            Some(stream) if !stream.is_closed() && !stream.released => {
                if self.reader.may_keep(taken) {
                    stream.recv.content.push(input.split_to(taken));
                } else {
                    stream.recv.content.push_copy(input.get(..taken).unwrap_or_default());
                    input.advance(taken);
                }
                self.stats.content_received = self.stats.content_received.saturating_add(taken as u64);
                self.abuse.earn_content(bytes);
                self.wake_reader(id);
            }
            _ => {
                input.advance(taken);
                self.discarded(id, bytes);
                self.linger_on(id, bytes);
            }
        }
    }

    /// Ends the peer's message, after checking its content against Content-Length (RFC 9113, 8.1.1).
    pub(super) fn recv_end_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.state.can_recv()) else { return };
        if let Err(malformed) = stream.recv.length.finish() {
            return self.stream_violation(id, malformed.into());
        }
        stream.recv.expect = Expect::Nothing;
        self.wake_reader(id);
        self.transition(id, crate::stream::Transition::RecvEndStream);
    }

    /// Tells the caller that the stream is readable, if the caller waits for that.
    pub(super) fn wake_reader(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id)
            && stream.app_owned
            && core::mem::replace(&mut stream.recv.wake, Wake::Off) != Wake::Off
        {
            self.events.push_back(Event::Readable { id });
        }
    }

    /// Records that the caller has read `bytes` of content.
    fn consumed(&mut self, id: StreamId, bytes: u32) {
        if !self.config.manual_window_update {
            return self.discarded(id, bytes);
        }
        self.window.consume_manually(bytes);
        if let Some(stream) = self.streams.get_mut(id) {
            stream.recv.window.consume_manually(bytes);
        }
    }

    /// Returns credit for bytes that were read or discarded: to the connection, and to the stream while the peer
    /// may send on it.
    pub(super) fn discarded(&mut self, id: StreamId, bytes: u32) {
        if bytes == 0 {
            return;
        }
        let manual = self.config.manual_window_update;
        if let Some(stream) = self.streams.get_mut(id) {
            stream.recv.window.consume(bytes);
        }
        let stream_limited = self.credit_stream(id);
        self.window.consume(bytes);
        let limited = self.credit_connection() || stream_limited;
        if limited && !manual && self.bandwidth.start() {
            self.pings.measure_bandwidth();
        }
    }

    /// Sends the connection's credit if it is due, and returns whether it was.
    pub(super) fn credit_connection(&mut self) -> bool {
        let target = (!self.config.manual_window_update).then(|| self.bandwidth.connection_window());
        // A client may send another request at any time, but a server sends only responses to known requests.
        let awaited = || if self.role == Role::Client { self.streams.awaited() } else { None };
        let Some(increment) = self.window.take_due(DEFAULT_WINDOW, target, awaited) else { return false };
        self.bandwidth.connection_updated(self.window.updated(self.now));
        self.write_window_update(StreamId::CONNECTION, increment);
        true
    }

    /// Sends a stream's credit if it is due and the peer may send on the stream, and returns whether it was.
    pub(super) fn credit_stream(&mut self, id: StreamId) -> bool {
        let target = (!self.config.manual_window_update).then(|| self.bandwidth.stream_window());
        let initial = self.initial_window_to_come();
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.state.can_recv()) else {
            return false;
        };
        let awaited = stream.awaited();
        let Some(increment) = stream.recv.window.take_due(initial, target, || awaited) else { return false };
        self.bandwidth.stream_updated(stream.recv.window.updated(self.now));
        self.write_window_update(id, increment);
        true
    }
}
