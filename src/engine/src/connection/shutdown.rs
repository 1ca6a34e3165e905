//! The end of a connection (RFC 9113, 5.4.1 and 6.8).

use core::time::Duration;

use bytes::Bytes;

use super::Connection;
use crate::abuse::AbuseCause;
use crate::error::{ConnectionError, ErrorCode, Initiator, StreamError, Violation};
use crate::event::{Event, GoAway};
use crate::frame::{self, StreamId};
use crate::stream::{State, Transition};
use crate::time::Time;

/// Largest debug data of GOAWAY that is kept or sent, in bytes.
const DEBUG_DATA: usize = 1_024;

/// How long the peer may take to acknowledge an announced shutdown.
///
/// Many peers do not read a connection that they do not use.
const ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// Progress of a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Streams may be opened.
    Running,
    /// Server: GOAWAY has announced the shutdown; requests in flight are still accepted.
    Announced,
    /// No new streams; existing ones continue.
    Draining,
    /// Server: the client sends nothing more, and the requests that it has sent are answered.
    HalfClosed,
}

impl Connection {
    /// Ends the connection gracefully: no new streams are opened, and existing ones continue until they end or
    /// [`drain_timeout`](crate::Config::drain_timeout) has passed.
    ///
    /// A server first announces the shutdown. One round trip later, or after a second at most, it names the last
    /// request that it accepts, so that no request is lost (RFC 9113, 6.8). A client sends GOAWAY only after its
    /// last stream, since many servers close the connection as soon as they receive it.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{OpenError, Time};
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("GET"), true)?;
    /// carry(&mut client, &mut server);
    /// server.shutdown(Time::default());
    /// carry(&mut client, &mut server);
    ///
    /// // Open streams continue, but no new ones are taken.
    /// assert_eq!(client.open(&request("GET"), true), Err(OpenError::Closed));
    /// # while server.poll_event().is_some() {}
    /// server.send_response(id, &response("200"), true)?;
    /// server.release(id);
    /// carry(&mut client, &mut server);
    /// assert_eq!(server.close_reason(), Some(Ok(())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown(&mut self, now: Time) {
        self.advance(now);
        if self.close_reason.is_none() {
            self.timers.drain(self.now, self.config.drain_timeout);
            self.stop_accepting();
        }
    }

    /// Begins a graceful shutdown, without a deadline for existing streams.
    pub(super) fn stop_accepting(&mut self) {
        if self.phase != Phase::Running || self.close_reason.is_some() {
            return;
        }
        self.fail_waiting_requests();
        if self.is_client() {
            self.phase = Phase::Draining;
        } else {
            self.phase = Phase::Announced;
            self.write_goaway(StreamId::MAX, ErrorCode::NO_ERROR, b"");
            self.pings.send_shutdown();
            self.timers.announced(self.now + ANNOUNCEMENT);
        }
        self.maybe_finish_drain();
    }

    /// Stops accepting requests, after the peer has acknowledged the announcement or had the time to.
    pub(super) fn finish_shutdown(&mut self) {
        match self.phase {
            Phase::Announced => self.phase = Phase::Draining,
            // A transport that has ended in both directions usually fails at the second write.
            Phase::HalfClosed => self.timers.announcement_is_over(),
            Phase::Running | Phase::Draining => return,
        }
        self.write_last_accepted();
        self.maybe_finish_drain();
    }

    /// Tells the peer which request is the last that the server acts on.
    fn write_last_accepted(&mut self) {
        let last = self.streams.highest_peer_id();
        self.last_accepted = Some(last);
        self.write_goaway(last, ErrorCode::NO_ERROR, b"");
    }

    /// Ends the connection at once, with an error code and debug data for the peer.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{ConnectionError, ErrorCode};
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    /// server.abort(ErrorCode::INTERNAL_ERROR, b"out of memory");
    /// carry(&mut client, &mut server);
    /// let received = client.received_go_away().expect("GOAWAY");
    /// assert_eq!((received.code, &received.debug_data[..]), (ErrorCode::INTERNAL_ERROR, &b"out of memory"[..]));
    /// assert_eq!(server.close_reason(), Some(Err(&ConnectionError::Aborted(ErrorCode::INTERNAL_ERROR))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn abort(&mut self, code: ErrorCode, debug_data: &[u8]) {
        if self.close_reason.is_none() {
            self.write_goaway(self.last_taken_up(), code, debug_data);
            self.close(Err(ConnectionError::Aborted(code)));
        }
    }

    /// Records that the receiving side of the transport has ended.
    ///
    /// A transport that merely takes no more output has not ended: unread input may hold the rest of a response, or
    /// the peer's reason to close. In that case, call [`shutdown`](Self::shutdown), discard the output, and
    /// continue to read.
    pub fn recv_end(&mut self, now: Time) {
        self.advance(now);
        if self.close_reason.is_some() {
            return;
        }
        let between_frames = self.reader.is_between_frames() && self.block.is_none();
        let inside_frame = !between_frames && self.stats.bytes_received > 0;
        let reason = match &self.received_go_away {
            _ if inside_frame => Err(ConnectionError::TransportEnded { inside_frame }),
            Some(goaway) if goaway.code != ErrorCode::NO_ERROR => {
                Err(ConnectionError::GoAway(goaway.code, goaway.debug_data.clone()))
            }
            _ if !self.streams.is_busy() && self.reader.has_preface() => Ok(()),
            _ => Err(ConnectionError::TransportEnded { inside_frame }),
        };
        self.close(reason);
    }

    /// Server: records that the client has ended its direction of the transport, and may still read.
    ///
    /// Requests that have arrived completely can be answered, and the others fail. The connection ends after the last
    /// answer, or after [`drain_timeout`](crate::Config::drain_timeout). If nothing is left to answer, or if
    /// [`half_close`](crate::Config::half_close) is false, the call does the same as [`recv_end`](Self::recv_end); so
    /// does that of a client.
    ///
    /// A transport that has ended in both directions looks the same at first. It fails when the engine sends GOAWAY, at
    /// once and again after a second. Call `recv_end` then.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::Time;
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("GET"), true)?;
    /// carry(&mut client, &mut server);
    /// server.recv_half_close(Time::default());
    /// assert_eq!(server.close_reason(), None);
    /// # while server.poll_event().is_some() {}
    /// server.send_response(id, &response("204"), true)?;
    /// server.release(id);
    /// assert_eq!(server.close_reason(), Some(Ok(())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn recv_half_close(&mut self, now: Time) {
        let between_frames = self.reader.is_between_frames() && self.block.is_none();
        let has_requests = self.streams.iter().any(|stream| stream.state() == State::HalfClosedRemote);
        let goes_on = self.config.half_close && between_frames && has_requests && !self.is_client();
        if !goes_on || self.close_reason.is_some() {
            return self.recv_end(now);
        }
        self.advance(now);
        if self.phase == Phase::HalfClosed {
            return;
        }
        self.phase = Phase::HalfClosed;
        self.timers.announced(self.now + ANNOUNCEMENT);
        self.timers.drain(self.now, self.config.drain_timeout);
        self.write_last_accepted();
        let error = StreamError {
            code: ErrorCode::CANCEL,
            initiator: Initiator::Transport,
            violation: None,
            retryable: false,
        };
        for id in self.streams.ids() {
            if self.streams.state(id).is_some_and(State::can_recv) {
                self.emit_reset(id, error);
                self.transition(id, Transition::EndConnection);
            }
        }
    }

    /// Ends the connection because of a violation by the peer.
    pub(super) fn fail(&mut self, violation: Violation) {
        self.fail_with(ConnectionError::Violation(violation), violation.reason());
    }

    /// Ends the connection with GOAWAY (RFC 9113, 5.4.1), which gives `reason` unless the caller does not want that.
    pub(super) fn fail_with(&mut self, error: ConnectionError, reason: &'static str) {
        if self.close_reason.is_none() {
            let code = error.code().unwrap_or(ErrorCode::INTERNAL_ERROR);
            let debug_data = if self.config.explain_errors { reason.as_bytes() } else { b"" };
            self.write_goaway(self.last_taken_up(), code, debug_data);
            self.close(Err(error));
        }
    }

    /// Returns the highest peer-initiated stream on which this endpoint may have acted.
    fn last_taken_up(&self) -> StreamId {
        self.last_accepted.unwrap_or(self.streams.highest_peer_id())
    }

    /// Returns whether a peer-initiated stream lies above the last one that this endpoint accepts.
    pub(super) fn is_above_last(&self, id: StreamId) -> bool {
        !self.streams.is_local(id) && self.last_accepted.is_some_and(|last| id > last)
    }

    fn write_goaway(&mut self, last_stream_id: StreamId, code: ErrorCode, debug_data: &[u8]) {
        // Every peer accepts frames of 16,384 bytes.
        let debug_data = debug_data.get(..DEBUG_DATA).unwrap_or(debug_data);
        self.write_control(|out| frame::GoAwayFrame { last_stream_id, code, debug_data }.encode(out));
    }

    /// Ends the connection, and all streams with it.
    fn close(&mut self, reason: Result<(), ConnectionError>) {
        let (code, initiator, violation) = match &reason {
            Ok(()) => (ErrorCode::NO_ERROR, Initiator::Local, None),
            Err(error) => {
                let violation = match error {
                    ConnectionError::Violation(violation) => Some(*violation),
                    _ => None,
                };
                (error.code().unwrap_or(ErrorCode::CANCEL), error.initiator(), violation)
            }
        };
        if matches!(reason, Err(ConnectionError::TransportEnded { .. })) {
            // The peer will not read it.
            self.control.clear();
        }
        self.close_reason = Some(reason);
        let error = StreamError { code, initiator, violation, retryable: false };
        for id in self.streams.ids() {
            let Some(stream) = self.streams.live(id) else { continue };
            let unopened = stream.state() == State::Idle;
            self.emit_reset(id, StreamError { retryable: unopened, ..error });
            self.transition(id, Transition::EndConnection);
        }
        self.block = None;
        self.events.push_back(Event::Closed);
    }

    /// Ends a connection that is shutting down, if its last stream has ended.
    pub(super) fn maybe_finish_drain(&mut self) {
        if self.streams.is_busy() || self.close_reason.is_some() {
            return;
        }
        let server_drained = matches!(self.phase, Phase::Draining | Phase::HalfClosed) && !self.is_client();
        let client_drained =
            self.is_client() && (self.phase == Phase::Draining || self.received_go_away.is_some());
        if client_drained {
            self.write_goaway(self.streams.highest_peer_id(), ErrorCode::NO_ERROR, b"");
        }
        if server_drained || client_drained {
            let reason = match &self.received_go_away {
                Some(goaway) if goaway.code != ErrorCode::NO_ERROR => {
                    Err(ConnectionError::GoAway(goaway.code, goaway.debug_data.clone()))
                }
                _ => Ok(()),
            };
            self.close(reason);
        }
    }

    /// Handles GOAWAY: no stream is opened any more, and those above its last stream were not processed
    /// (RFC 9113, 6.8).
    pub(super) fn recv_goaway(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let goaway = frame::GoAwayFrame::parse(payload)?;
        let last = goaway.last_stream_id;
        if let Some(earlier) = &self.received_go_away {
            if last > earlier.last_stream_id {
                return Err(Violation::GoAwayRaised);
            }
            // Some servers answer each late request with the same GOAWAY again.
            if (last, goaway.code) == (earlier.last_stream_id, earlier.code) {
                return Ok(());
            }
        }
        self.charge(AbuseCause::GoAway, 1)?;
        let debug_data = goaway.debug_data.get(..DEBUG_DATA).unwrap_or(goaway.debug_data);
        self.received_go_away = Some(GoAway {
            last_stream_id: last,
            code: goaway.code,
            debug_data: Bytes::copy_from_slice(debug_data),
        });
        self.events.push_back(Event::GoAway);
        self.fail_waiting_requests();
        let error = StreamError::peer(goaway.code);
        for id in self.streams.local_above(last) {
            // The connection may end with one of the streams.
            if self.streams.live(id).is_some() {
                self.fail_unprocessed(id, error);
            }
        }
        self.maybe_finish_drain();
        Ok(())
    }

    /// Ends the connection after the drain deadline.
    pub(super) fn drain_timeout(&mut self) {
        self.write_goaway(self.last_taken_up(), ErrorCode::NO_ERROR, b"the drain deadline has passed");
        self.close(Err(ConnectionError::DrainTimeout));
    }
}
