//! Received content.

use bytes::{Buf, Bytes};

use super::Connection;
use crate::error::{ErrorCode, StreamError, Violation};
use crate::event::{Event, Read};
use crate::frame::{FrameHeader, StreamId, flags};
use crate::stream::{Expect, State, Stream, Transition, Wake};

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
        let read = self.read_uncredited(id, max)?;
        if let Read::Data(piece) = &read
            && let Some(stream) = self.streams.get_mut(id)
            && self.receiving.read(stream, u32::try_from(piece.len()).unwrap_or(u32::MAX))
        {
            self.return_credit(id);
        }
        Ok(read)
    }

    /// Reads like [`read`](Self::read), but returns no flow-control credit.
    ///
    /// The caller passes the number of bytes to [`credit`](Self::credit) once it has made use of them. Until then, the
    /// bytes occupy the windows, and the engine does not grow the windows for them.
    ///
    /// # Errors
    ///
    /// Returns why the stream ended early, once everything that arrived before was read.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http2_engine::Read;
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    ///
    /// let id = client.open(&request("POST"), false)?;
    /// assert_eq!(client.send_data(id, &mut Bytes::from(vec![0; 200_000]), false), Ok(200_000));
    /// carry(&mut client, &mut server);
    /// let before = server.stream_windows(id);
    /// let mut processed = 0;
    /// while let Read::Data(piece) = server.read_uncredited(id, usize::MAX)? {
    ///     processed += piece.len();
    /// }
    /// assert_eq!(server.stream_windows(id), before);
    /// server.credit(id, u32::try_from(processed)?);
    /// assert_ne!(server.stream_windows(id), before);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_uncredited(&mut self, id: StreamId, max: usize) -> Result<Read, StreamError> {
        let Some(stream) = self.streams.unreleased_mut(id) else {
            return Err(StreamError::local(ErrorCode::STREAM_CLOSED));
        };
        if stream.readable() > 0 {
            return Ok(Read::Data(stream.take_content(max.max(1))));
        }
        if stream.recv.expect == Expect::Nothing {
            return Ok(stream.take_recv_trailers().map_or(Read::End, Read::Trailers));
        }
        match stream.error {
            Some(error) => Err(error),
            None => {
                stream.recv.wake = Wake::Asked;
                Ok(Read::Blocked)
            }
        }
    }

    /// Returns flow-control credit for `bytes` of content that [`read_uncredited`](Self::read_uncredited) has
    /// returned, in WINDOW_UPDATE frames that the engine combines.
    ///
    /// With [`StreamId::CONNECTION`], or after the stream has ended, only the connection's window is credited. A number
    /// greater than the bytes read counts as that.
    pub fn credit(&mut self, id: StreamId, bytes: u32) {
        self.discarded(id, bytes);
    }

    /// Returns the credit of a stream that is not due yet, in bytes: the peer gets it along with later credit.
    pub fn pending_credit(&self, id: StreamId) -> u32 {
        self.streams.get(id).map_or(0, |stream| stream.recv.window.pending_credit())
    }

    /// Returns whether the caller has read all of the peer's message, including its trailers.
    pub fn is_read(&self, id: StreamId) -> bool {
        self.streams.get(id).is_none_or(|stream| {
            stream.recv.expect == Expect::Nothing
                && stream.recv.content.is_empty()
                && !stream.has_recv_trailers()
        })
    }

    /// Returns whether the peer's message has ended with a DATA frame without content.
    pub fn has_empty_end(&self, id: StreamId) -> bool {
        self.streams.get(id).is_some_and(|stream| stream.recv.has_empty_end)
    }

    /// Returns whether all of the peer's message has arrived, or nothing more of it will.
    pub fn is_recv_ended(&self, id: StreamId) -> bool {
        self.streams.get(id).is_none_or(|stream| stream.recv.expect == Expect::Nothing || stream.is_closed())
    }

    /// Checks a DATA frame when its header has arrived.
    ///
    /// The whole frame counts against the windows, including padding (RFC 9113, 6.1); `content` bytes of it are
    /// content.
    pub(super) fn data_arrives(&mut self, header: FrameHeader, content: u32) -> Result<(), Violation> {
        if !self.receiving.receive(header.length) {
            return Err(Violation::ConnectionWindowExceeded);
        }
        match self.check_data(header, content) {
            Ok(()) => {
                let is_empty_end = content == 0 && header.has(flags::END_STREAM);
                if (is_empty_end || self.config.keep_frames)
                    && let Some(stream) = self.streams.get_mut(header.stream_id)
                {
                    stream.recv.has_empty_end = is_empty_end;
                    if content > 0 && !stream.is_closed() && !stream.is_released() {
                        stream.keep_frame(content);
                    }
                }
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
        if !self.receiving.receive(header.length) {
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
        if self.streams.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        let initial = self.local.acknowledged.initial_window_size;
        let Some(stream) = self.streams.live_mut(id) else {
            let unseen = self.streams.is_end_unseen(id) || self.is_above_last(id);
            return if unseen { Ok(()) } else { Err(Violation::StreamClosed) };
        };
        match stream.state() {
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
        Ok(self.streams.count_content(id, content)?)
    }

    /// Takes `taken` bytes of content from the front of `input`.
    pub(super) fn recv_content(&mut self, id: StreamId, input: &mut Bytes, taken: usize) {
        if taken == 0 {
            return;
        }
        self.lingering.content_arrived(self.now);
        let bytes = u32::try_from(taken).unwrap_or(u32::MAX);
        match self.streams.get_mut(id) {
            Some(stream) if !stream.is_closed() && !stream.is_released() => {
                if self.reader.may_keep(taken) {
                    stream.recv.content.push(input.split_to(taken));
                } else {
                    stream.recv.content.push_copy(input.get(..taken).unwrap_or_default());
                    input.advance(taken);
                }
                if takes_wake(stream) {
                    self.events.push_back(Event::Readable { id });
                }
                self.stats.content_received = self.stats.content_received.saturating_add(taken as u64);
                self.abuse.earn_content(bytes);
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
        let Some(stream) = self.streams.get_mut(id).filter(|stream| stream.state().can_recv()) else {
            return;
        };
        if let Err(malformed) = stream.recv.length.finish() {
            return self.stream_violation(id, malformed.into());
        }
        let length = stream.recv.length;
        self.streams.expect(id, Expect::Nothing, length);
        self.wake_reader(id);
        self.transition(id, Transition::RecvEndStream);
    }

    /// Tells the caller that the stream is readable, if the caller waits for that.
    pub(super) fn wake_reader(&mut self, id: StreamId) {
        if self.streams.get_mut(id).is_some_and(takes_wake) {
            self.events.push_back(Event::Readable { id });
        }
    }
}

/// Returns whether the caller waits for the stream to become readable, and records that it no longer does.
fn takes_wake(stream: &mut Stream) -> bool {
    stream.is_app_owned() && core::mem::replace(&mut stream.recv.wake, Wake::Off) != Wake::Off
}
