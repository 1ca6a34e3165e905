//! Input from the transport, split into frames.

use bytes::{Buf, Bytes};

use super::{Connection, Role};
use crate::error::{ConnectionError, Scope, Violation};
use crate::frame::{FrameHeader, FrameType, HEADER_LEN, StreamId, data, flags};
use crate::subscriber::Direction;
use crate::time::Time;

/// The client connection preface (RFC 9113, 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Assumed minimum size of the buffer behind a piece of input, in bytes.
///
/// [`Bytes`] does not expose its capacity, and callers read into buffers that one read does not fill.
const BUFFER: usize = 64 << 10;

/// Headers that share a buffer or packet with the largest pieces, in bytes.
const HEADERS: usize = 128;

/// Buffer that an idle connection keeps for frames that arrive in pieces, in bytes.
const PARTIAL_KEPT: usize = 32;

/// The position in the input.
#[derive(Debug)]
pub(super) struct Reader {
    state: ReaderState,
    /// The beginning of a frame or of the preface whose rest has not arrived.
    partial: Vec<u8>,
    /// Whether the next frame is the first, which must be SETTINGS (RFC 9113, 3.4).
    first_frame: bool,
    /// Size of the input being read, in bytes: a slice of it keeps all of it alive.
    buffer: usize,
}

#[derive(Debug)]
enum ReaderState {
    /// The client's preface is expected.
    Preface,
    /// A frame is expected, or has begun in [`Reader::partial`].
    Frame,
    /// The rest of a DATA frame's content, passed on as it arrives.
    Data { id: StreamId, left: u32, end_stream: bool },
    /// The rest of a payload to be discarded.
    Skip { left: u32 },
}

impl Reader {
    pub(super) fn new(role: Role) -> Self {
        let state = if role == Role::Server { ReaderState::Preface } else { ReaderState::Frame };
        Self { state, partial: Vec::new(), first_frame: true, buffer: 0 }
    }

    /// Gives back the buffer of a large frame.
    pub(super) fn shrink(&mut self) {
        if self.partial.capacity() > PARTIAL_KEPT && self.partial.is_empty() {
            self.partial = Vec::new();
        }
    }

    /// Returns whether the input so far ends between two frames.
    pub(super) fn is_between_frames(&self) -> bool {
        matches!(self.state, ReaderState::Frame) && self.partial.is_empty()
    }

    /// Returns whether a piece is large enough, compared to its buffer, to keep the buffer alive.
    ///
    /// Of four frames in a buffer of 64 KiB, or in a packet of that size, each has less than 16 KiB of content.
    pub(super) fn may_keep(&self, piece: usize) -> bool {
        piece.saturating_add(HEADERS) >= self.buffer.max(BUFFER) / 4
    }

    /// Returns whether the 24 bytes have arrived with which a client begins (RFC 9113, 3.4).
    fn has_magic(&self) -> bool {
        !matches!(self.state, ReaderState::Preface)
    }

    /// Returns whether the peer's preface has arrived (RFC 9113, 3.4).
    pub(super) fn has_preface(&self) -> bool {
        !self.first_frame
    }
}

impl Connection {
    /// Server: returns whether the 24 bytes have arrived with which a client begins, and which SETTINGS follow
    /// (RFC 9113, 3.4).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Config, Connection, Time};
    ///
    /// let mut server = Connection::server(Config::default())?;
    /// server.recv(Time::default(), &mut (&b"PRI * HTTP/2.0\r\n"[..]).into());
    /// assert!(!server.has_client_preface());
    /// server.recv(Time::default(), &mut (&b"\r\nSM\r\n\r\n"[..]).into());
    /// assert!(server.has_client_preface());
    /// # Ok(())
    /// # }
    /// ```
    pub fn has_client_preface(&self) -> bool {
        self.reader.has_magic()
    }

    /// Takes received bytes from the front of `input`, and returns how many it took.
    ///
    /// The bytes taken are split off `input`. The caller offers the rest again once it has taken events and output:
    /// while too much of either is pending, `recv` takes nothing. After the connection has ended, `recv` discards all
    /// input.
    ///
    /// Content of a quarter of 64 KiB, less headers, or of `input` if that is larger, is kept as a slice of `input`;
    /// smaller content is copied. A caller with buffers larger than 64 KiB should therefore fill them well.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http2_engine::{Config, Connection, Event, Time};
    ///
    /// let mut config = Config::default();
    /// // The smallest bound, to show that `recv` waits until events are taken.
    /// config.limits.events = 1;
    /// let mut server = Connection::server(config)?;
    /// # let (mut client, _) = pair();
    /// # for _ in 0..3 { client.open(&request("GET"), true)?; }
    /// # let mut output = Vec::new();
    /// # client.poll_transmit(Time::default(), &mut output, 65_536);
    /// let mut input = Bytes::from(output);
    /// let mut requests = 0;
    /// while !input.is_empty() {
    ///     assert!(server.recv(Time::default(), &mut input) > 0);
    ///     while let Some(event) = server.poll_event() {
    ///         requests += u32::from(matches!(event, Event::Request { .. }));
    ///     }
    /// }
    /// assert_eq!(requests, 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "the bytes left in `input` were not processed: offer them again after taking events and output"]
    pub fn recv(&mut self, now: Time, input: &mut Bytes) -> usize {
        self.advance(now);
        if input.is_empty() {
            return 0;
        }
        self.timers.heard(now);
        let before = input.len();
        self.reader.buffer = before;
        let mut frames = self.config.limits.frames_per_recv;
        while !input.is_empty() {
            if self.close_reason.is_some() {
                input.clear();
                break;
            }
            if frames == 0 || self.is_choked() {
                break;
            }
            frames = frames.saturating_sub(1);
            let waiting = self.control.len();
            if let Err(violation) = self.recv_some(input) {
                self.fail(violation);
            }
            self.provoked = self.provoked.saturating_add(self.control.len().saturating_sub(waiting));
        }
        let taken = before.saturating_sub(input.len());
        self.stats.bytes_received = self.stats.bytes_received.saturating_add(taken as u64);
        self.arm_timers();
        taken
    }

    /// Returns whether so much output or so many events are pending that no more input is taken.
    ///
    /// DATA that waits for a window does not count: its WINDOW_UPDATE may be the next input (RFC 9113, 5.2.2).
    fn is_choked(&self) -> bool {
        let limits = &self.config.limits;
        // A client must not stop reading because of its own requests: the server may stop reading, too, until its
        // responses are taken.
        let control = if self.is_client() { self.provoked } else { self.control.len() };
        control.saturating_add(self.pongs.len().saturating_mul(17)) >= limits.control_bytes
            || self.events.len() >= limits.events
    }

    /// Takes the next part of the input: at least one byte, at most one frame.
    fn recv_some(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        match self.reader.state {
            ReaderState::Preface => self.recv_preface(input),
            ReaderState::Frame => self.recv_frame(input),
            ReaderState::Data { id, left, end_stream } => {
                self.recv_data(id, left, end_stream, input);
                Ok(())
            }
            ReaderState::Skip { left } => {
                let taken = (left as usize).min(input.len());
                input.advance(taken);
                self.skip(left.saturating_sub(u32::try_from(taken).unwrap_or(left)));
                Ok(())
            }
        }
    }

    fn recv_preface(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        self.take_partial(input, PREFACE.len().saturating_sub(self.reader.partial.len()));
        let arrived = self.reader.partial.as_slice();
        if arrived == PREFACE {
            self.reader.partial.clear();
            self.reader.state = ReaderState::Frame;
        } else if looks_like_http1(arrived) {
            self.fail_with(ConnectionError::NotHttp2, Violation::BadPreface.reason());
        } else if !PREFACE.starts_with(arrived) && !may_become_http1(arrived) {
            return Err(Violation::BadPreface);
        }
        Ok(())
    }

    /// Takes a frame: directly from the input if it is complete there, otherwise through the partial frame.
    fn recv_frame(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        if self.reader.partial.is_empty()
            && let Some((bytes, rest)) = input.split_first_chunk::<HEADER_LEN>()
        {
            let header = FrameHeader::parse(bytes);
            let length = header.length as usize;
            if streams_content(header) {
                input.advance(HEADER_LEN);
                return self.begin_data(header, input);
            }
            if let Some(payload) = rest.get(..length) {
                if let Err(violation) =
                    self.check_header(header).and_then(|()| self.dispatch_frame(header, payload))
                {
                    self.handle_violation(header.stream_id, violation)?;
                }
                input.advance(HEADER_LEN.saturating_add(length));
                return Ok(());
            }
        }
        self.recv_partial(input)
    }

    /// Continues a frame that arrives in several pieces.
    fn recv_partial(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        let lacking = HEADER_LEN.saturating_sub(self.reader.partial.len());
        if lacking > 0 {
            self.take_partial(input, lacking);
            let Some(&bytes) = self.reader.partial.first_chunk::<HEADER_LEN>() else { return Ok(()) };
            let header = FrameHeader::parse(&bytes);
            if streams_content(header) {
                self.reader.partial.clear();
                return self.begin_data(header, input);
            }
            if let Err(violation) = self.check_header(header) {
                self.reader.partial.clear();
                self.skip(header.length);
                return self.handle_violation(header.stream_id, violation);
            }
        }
        let Some(&bytes) = self.reader.partial.first_chunk::<HEADER_LEN>() else { return Ok(()) };
        let header = FrameHeader::parse(&bytes);
        let whole = HEADER_LEN.saturating_add(header.length as usize);
        self.take_partial(input, whole.saturating_sub(self.reader.partial.len()));
        if self.reader.partial.len() < whole {
            return Ok(());
        }
        let mut frame = core::mem::take(&mut self.reader.partial);
        let payload = frame.get(HEADER_LEN..).unwrap_or_default();
        let outcome = self.dispatch_frame(header, payload);
        frame.clear();
        if frame.capacity() <= 32 << 10 {
            self.reader.partial = frame;
        }
        match outcome {
            Err(violation) => self.handle_violation(header.stream_id, violation),
            Ok(()) => Ok(()),
        }
    }

    fn take_partial(&mut self, input: &mut Bytes, wanted: usize) {
        let taken = wanted.min(input.len());
        self.reader.partial.extend_from_slice(&input.split_to(taken));
    }

    /// Checks a frame by its header, before any of its payload is kept.
    ///
    /// The checks concern its position after the preface (RFC 9113, 3.4) and after a field block
    /// (RFC 9113, 4.3 and 6.10), its stream and its length (RFC 9113, 4.2).
    fn check_header(&mut self, header: FrameHeader) -> Result<(), Violation> {
        self.stats.frames_received = self.stats.frames_received.saturating_add(1);
        if self.reader.first_frame && self.is_client() && looks_like_http1(&header.to_bytes()) {
            self.fail_with(ConnectionError::NotHttp2, Violation::FirstFrameNotSettings.reason());
            return Ok(());
        }
        let interrupted = self.block.as_ref().is_some_and(|block| {
            header.kind != FrameType::CONTINUATION || header.stream_id != block.stream_id
        });
        if interrupted {
            return Err(Violation::FieldBlockInterrupted);
        }
        // Checked before the length: the peer may not speak HTTP/2 at all.
        if self.reader.first_frame && (header.kind != FrameType::SETTINGS || header.has(flags::ACK)) {
            return Err(Violation::FirstFrameNotSettings);
        }
        if let Err(violation) = header.check(self.local.max_frame_size()) {
            if header.kind == FrameType::DATA && violation.scope() == Scope::Stream {
                self.data_refused(header)?;
            }
            return Err(violation);
        }
        self.reader.first_frame = false;
        if self.block.is_none() && header.kind == FrameType::CONTINUATION {
            return Err(Violation::UnexpectedContinuation);
        }
        Ok(())
    }

    /// Handles a complete frame.
    fn dispatch_frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        if self.close_reason.is_some() {
            return Ok(());
        }
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.frame(Direction::Received, header, payload);
        }
        match header.kind {
            FrameType::HEADERS => self.recv_headers(header, payload),
            FrameType::CONTINUATION => self.recv_continuation(header, payload),
            FrameType::DATA => self.recv_padded_data(header, payload),
            FrameType::WINDOW_UPDATE => self.recv_window_update(header, payload),
            FrameType::RST_STREAM => self.recv_rst_stream(header, payload),
            FrameType::SETTINGS => self.recv_settings(header, payload),
            FrameType::PING => self.recv_ping(header, payload),
            FrameType::GOAWAY => self.recv_goaway(payload),
            FrameType::PUSH_PROMISE => self.recv_push_promise(header, payload),
            FrameType::PRIORITY => self.recv_priority(header, payload),
            FrameType::PRIORITY_UPDATE => self.recv_priority_update(payload),
            kind => {
                self.recv_extension(kind, header, payload);
                Ok(())
            }
        }
    }

    /// Begins a DATA frame without padding, whose content is passed on as it arrives.
    fn begin_data(&mut self, header: FrameHeader, input: &mut Bytes) -> Result<(), Violation> {
        let begun = self.check_header(header);
        if let Some(subscriber) = &mut self.subscriber {
            let there = input.len().min(header.length as usize);
            subscriber.frame(Direction::Received, header, input.get(..there).unwrap_or_default());
        }
        match begun.and_then(|()| self.data_arrives(header, header.length)) {
            Ok(()) => {
                self.recv_data(header.stream_id, header.length, header.has(flags::END_STREAM), input);
                Ok(())
            }
            Err(violation) => {
                self.skip(header.length);
                self.handle_violation(header.stream_id, violation)
            }
        }
    }

    /// Handles a complete DATA frame with padding, which shows only in the frame's first byte and at its end.
    fn recv_padded_data(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let layout = data::layout(header, payload.first().copied())?;
        self.data_arrives(header, layout.content)?;
        let content =
            payload.get(1..).and_then(|rest| rest.get(..layout.content as usize)).unwrap_or_default();
        let mut content = Bytes::copy_from_slice(content);
        let length = content.len();
        self.recv_content(header.stream_id, &mut content, length);
        if header.has(flags::END_STREAM) {
            self.recv_end_stream(header.stream_id);
        }
        Ok(())
    }

    /// Passes on the content of a DATA frame as far as it has arrived; `left` bytes of it were not passed on yet.
    fn recv_data(&mut self, id: StreamId, left: u32, end_stream: bool, input: &mut Bytes) {
        let taken = (left as usize).min(input.len());
        let left = left.saturating_sub(u32::try_from(taken).unwrap_or(left));
        self.reader.state =
            if left == 0 { ReaderState::Frame } else { ReaderState::Data { id, left, end_stream } };
        self.recv_content(id, input, taken);
        if left == 0 && end_stream {
            self.recv_end_stream(id);
        }
    }

    fn skip(&mut self, left: u32) {
        self.reader.state = if left == 0 { ReaderState::Frame } else { ReaderState::Skip { left } };
    }

    /// Responds to an offence according to its scope.
    ///
    /// On an idle stream, a stream error becomes a connection error, since RST_STREAM must not be sent there
    /// (RFC 9113, 6.4).
    fn handle_violation(&mut self, id: StreamId, violation: Violation) -> Result<(), Violation> {
        if violation.scope() == Scope::Connection || id.is_connection() || self.streams.is_idle(id) {
            return Err(violation);
        }
        self.stream_violation(id, violation);
        Ok(())
    }
}

/// Returns whether the content of a frame is passed on as it arrives.
fn streams_content(header: FrameHeader) -> bool {
    header.kind == FrameType::DATA && !header.has(flags::PADDED)
}

/// The beginnings of HTTP/1 messages.
const HTTP1: [&[u8]; 10] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"PATCH ",
    b"TRACE ",
    b"HTTP/1.",
];

/// Returns whether an HTTP/1 message begins with these bytes.
fn looks_like_http1(bytes: &[u8]) -> bool {
    HTTP1.iter().any(|start| bytes.starts_with(start))
}

/// Returns whether these bytes may become the beginning of an HTTP/1 message.
fn may_become_http1(bytes: &[u8]) -> bool {
    HTTP1.iter().any(|start| start.starts_with(bytes))
}
