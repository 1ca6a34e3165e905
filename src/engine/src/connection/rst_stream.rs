//! RST_STREAM in both directions (RFC 9113, 6.4), and streams that end early.

use super::Connection;
use crate::error::{ErrorCode, StreamError, Violation};
use crate::event::Event;
use crate::frame::{FrameHeader, RstStream, StreamId};
use crate::stream::{State, Transition};

impl Connection {
    /// Resets a stream with `code`, which ends it in both directions at once.
    ///
    /// The call has no effect if the stream has ended.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{ErrorCode, Initiator};
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("POST"), false)?;
    /// carry(&mut client, &mut server);
    /// client.reset(id, ErrorCode::CANCEL);
    /// carry(&mut client, &mut server);
    ///
    /// // `Event::Reset` reports the same error.
    /// let error = server.read(id, 1).unwrap_err();
    /// assert_eq!((error.code, error.initiator), (ErrorCode::CANCEL, Initiator::Peer));
    /// # Ok(())
    /// # }
    /// ```
    pub fn reset(&mut self, id: StreamId, code: ErrorCode) {
        self.reset_stream(id, StreamError::local(code));
    }

    /// Resets a stream, and records why.
    pub(super) fn reset_stream(&mut self, id: StreamId, error: StreamError) {
        let Some(stream) = self.streams.live_mut(id) else { return };
        stream.error = Some(error);
        if stream.state() == State::Idle {
            // The stream still waits for the peer's limit: the peer does not know of it.
            return self.transition(id, Transition::Withdraw);
        }
        self.write_rst_stream(id, error.code);
        self.transition(id, Transition::SendReset);
    }

    /// Ends a stream on which the peer certainly has not acted.
    pub(super) fn fail_unprocessed(&mut self, id: StreamId, error: StreamError) {
        let error = StreamError { retryable: true, ..error };
        self.emit_reset(id, error);
        let unopened = self.streams.state(id) == Some(State::Idle);
        self.transition(id, if unopened { Transition::Withdraw } else { Transition::RecvReset });
    }

    /// Answers a violation on a stream that is not idle with RST_STREAM (RFC 9113, 5.4.2).
    pub(super) fn stream_violation(&mut self, id: StreamId, violation: Violation) {
        // A peer that exceeds the limit on streams may not have seen it yet.
        if violation != Violation::TooManyStreams {
            self.stats.stream_errors = self.stats.stream_errors.saturating_add(1);
        }
        if self.config.limits.stream_errors.is_some_and(|limit| self.stats.stream_errors > limit.into()) {
            return self.fail(Violation::TooManyStreamErrors);
        }
        let error = StreamError::of_violation(violation);
        if self.streams.live(id).is_some() {
            self.emit_reset(id, error);
            self.reset_stream(id, error);
        } else {
            self.write_rst_stream(id, violation.code());
            if self.streams.get(id).is_none() {
                self.streams.remember_reset(id);
            }
        }
    }

    /// Records that a stream ended early, and tells the caller if it holds the stream.
    pub(super) fn emit_reset(&mut self, id: StreamId, error: StreamError) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.error = Some(error);
            if stream.is_app_owned() {
                self.events.push_back(Event::Reset { id, error });
            }
        }
    }

    pub(super) fn write_rst_stream(&mut self, stream_id: StreamId, code: ErrorCode) {
        self.stats.resets_sent = self.stats.resets_sent.saturating_add(1);
        self.write_control(|out| RstStream { stream_id, code }.encode(out));
    }

    /// Handles RST_STREAM, and never answers it with another (RFC 9113, 5.4.2 and 6.4).
    pub(super) fn recv_rst_stream(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let code = RstStream::parse(header, payload)?.code;
        let id = header.stream_id;
        if self.streams.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        self.stats.resets_received = self.stats.resets_received.saturating_add(1);
        if self.streams.live(id).is_none() {
            return Ok(());
        }
        let error = StreamError::peer(code);
        self.emit_reset(id, error);
        self.transition(id, Transition::RecvReset);
        Ok(())
    }
}
