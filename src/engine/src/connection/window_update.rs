//! WINDOW_UPDATE in both directions (RFC 9113, 6.9), and the credit that it returns to the peer.

use super::{Connection, Role};
use crate::error::{Violation, WindowError};
use crate::frame::{FrameHeader, StreamId, WindowUpdate};
use crate::settings::MAX_WINDOW;
use crate::stream::State;

impl Connection {
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
        let waits = stream.state() == State::Idle;
        if !waits && !stream.state().can_recv() && stream.state() != State::ReservedRemote {
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

    /// Raises the connection's receive window (RFC 9113, 6.9), in addition to credit that the engine returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the increment is 0, or if the window would exceed 2^31-1 bytes.
    pub fn connection_window_update(&mut self, increment: u32) -> Result<(), WindowError> {
        if increment == 0 {
            return Err(WindowError::Zero);
        }
        if !self.receiving.raise(increment) {
            return Err(WindowError::Overflow);
        }
        self.write_window_update(StreamId::CONNECTION, increment);
        Ok(())
    }

    /// Changes the receive window that the engine maintains for the connection, in bytes; it was
    /// [`Config::connection_window`](crate::Config::connection_window), or has grown since.
    ///
    /// A larger window is opened at once. A smaller one takes effect as the peer uses up the present one.
    ///
    /// # Errors
    ///
    /// Returns [`WindowError::Overflow`] if the window exceeds 2^31-1 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut server, &mut client);
    /// assert_eq!(client.windows().send, 1 << 20);
    /// server.set_connection_window(2 << 20)?;
    /// carry(&mut server, &mut client);
    /// assert_eq!(client.windows().send, 2 << 20);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_connection_window(&mut self, window: u32) -> Result<(), WindowError> {
        if window > MAX_WINDOW {
            return Err(WindowError::Overflow);
        }
        if let Some(increment) = self.receiving.set_target(window) {
            self.write_window_update(StreamId::CONNECTION, increment);
        }
        Ok(())
    }

    /// Returns the initial window that the peer will use when it receives credit sent now: unacknowledged SETTINGS
    /// arrive before that credit.
    fn initial_window_to_come(&self) -> u32 {
        self.local.wanted.initial_window_size
    }

    pub(super) fn write_window_update(&mut self, stream_id: StreamId, increment: u32) {
        self.write_control(|out| WindowUpdate { stream_id, increment }.encode(out));
    }

    /// Handles WINDOW_UPDATE (RFC 9113, 6.9), and enforces the limit of a window (RFC 9113, 6.9.1).
    ///
    /// A WINDOW_UPDATE for a closed stream is ignored.
    pub(super) fn recv_window_update(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
    ) -> Result<(), Violation> {
        let update = WindowUpdate::parse(header, payload)?;
        let id = header.stream_id;
        if id.is_connection() {
            return self.raise_connection(update.increment);
        }
        if self.streams.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        // The peer may have sent it before it knew that the stream had ended (RFC 9113, 5.1).
        let Some(stream) = self.streams.live_mut(id) else { return Ok(()) };
        if stream.state() == State::ReservedRemote {
            return Err(Violation::ReservedStream);
        }
        if update.increment == 0 {
            return Err(Violation::ZeroStreamIncrement);
        }
        if !self.sending.raise_stream(stream, update.increment) {
            return Err(Violation::StreamWindowOverflow);
        }
        Ok(())
    }

    fn raise_connection(&mut self, increment: u32) -> Result<(), Violation> {
        if increment == 0 {
            return Err(Violation::ZeroConnectionIncrement);
        }
        if self.sending.raise(increment) { Ok(()) } else { Err(Violation::ConnectionWindowOverflow) }
    }

    /// Returns credit for bytes that were read or discarded: to the connection, and to the stream while the peer
    /// may send on it.
    pub(super) fn discarded(&mut self, id: StreamId, bytes: u32) {
        if bytes == 0 {
            return;
        }
        self.receiving.consume(self.streams.get_mut(id), bytes);
        self.return_credit(id);
    }

    /// Returns the credit that is due to the connection and to a stream.
    pub(super) fn return_credit(&mut self, id: StreamId) {
        let stream_limited = self.credit_stream(id);
        let limited = self.credit_connection() || stream_limited;
        if limited && self.receiving.starts_measurement() {
            self.pings.measure_bandwidth();
        }
    }

    /// Sends the connection's credit if it is due, and returns whether it was.
    pub(super) fn credit_connection(&mut self) -> bool {
        // A client may send another request at any time, but a server sends only responses to known requests.
        let awaited = || if self.role == Role::Client { self.streams.awaited() } else { None };
        let Some(increment) = self.receiving.connection_credit(self.now, awaited) else { return false };
        self.write_window_update(StreamId::CONNECTION, increment);
        true
    }

    /// Sends a stream's credit if it is due and the peer may send on the stream, and returns whether it was.
    pub(super) fn credit_stream(&mut self, id: StreamId) -> bool {
        let initial = self.initial_window_to_come();
        let Some(stream) = self.streams.get_mut(id) else { return false };
        let Some(increment) = self.receiving.stream_credit(stream, initial, self.now) else { return false };
        self.write_window_update(id, increment);
        true
    }
}
