//! Octets from the transport, cut into frames.

use bytes::{Buf, Bytes};

use super::{Connection, Role};
use crate::error::{ConnectionError, Scope, Violation};
use crate::event::Event;
use crate::frame::{FrameHeader, FrameType, HEADER_LEN, StreamId, data, flags};
use crate::subscriber::Direction;
use crate::time::Time;

/// The client connection preface (RFC 9113, 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes that the buffer behind a piece of input is taken to have at least. [`Bytes`] does not tell its capacity, and
/// callers read into buffers that a read does not fill.
const BUFFER: usize = 64 << 10;

/// Where in the input we are.
#[derive(Debug)]
pub(super) struct Reader {
    state: ReaderState,
    /// The first octets of a frame, or of the preface, whose rest has not arrived.
    partial: Vec<u8>,
    /// The first frame must be SETTINGS (RFC 9113, 3.4).
    first_frame: bool,
    /// Bytes of the input that is being read: pieces of it keep all of it alive.
    buffer: usize,
}

#[derive(Debug)]
enum ReaderState {
    /// The client's preface is to come.
    Preface,
    /// A frame is to begin, or has begun in [`Reader::partial`].
    Frame,
    /// The rest of a DATA frame's content: it is handed on as it arrives.
    Data { id: StreamId, left: u32, end_stream: bool },
    /// The rest of a payload that nobody wants.
    Skip { left: u32 },
}

impl Reader {
    pub(super) fn new(role: Role) -> Self {
        let state = if role == Role::Server { ReaderState::Preface } else { ReaderState::Frame };
        Self { state, partial: Vec::new(), first_frame: true, buffer: 0 }
    }

    /// Whether the input so far ends between two frames.
    pub(super) fn is_between_frames(&self) -> bool {
        matches!(self.state, ReaderState::Frame) && self.partial.is_empty()
    }

    /// Whether a piece is so large a part of its buffer that it may keep the buffer alive.
    pub(super) fn may_keep(&self, piece: usize) -> bool {
        piece >= self.buffer.max(BUFFER) / 4
    }

    /// Whether the peer's preface has come (RFC 9113, 3.4).
    pub(super) fn has_preface(&self) -> bool {
        !self.first_frame
    }
}

impl Connection {
    /// Takes octets that have arrived, from the front of `input`.
    ///
    /// What it leaves is to be offered again once events and output were taken: while much of either waits, it
    /// takes nothing. After the end of the connection it swallows everything.
    ///
    /// Content that fills a quarter of 64 KiB, or of `input` if that is more, is kept as a slice of `input`; less is
    /// copied. So a caller whose buffers are larger than 64 KiB passes them well filled.
    pub fn recv(&mut self, now: Time, input: &mut Bytes) {
        self.advance(now);
        if input.is_empty() {
            return;
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
        let taken = before.saturating_sub(input.len()) as u64;
        self.stats.octets_received = self.stats.octets_received.saturating_add(taken);
        self.arm_timers();
    }

    /// Whether so much waits to be taken from us that we take nothing more. DATA that waits for a window is no
    /// reason: WINDOW_UPDATE may be the next that comes (RFC 9113, 5.2.2).
    fn is_choked(&self) -> bool {
        let limits = &self.config.limits;
        // A client's requests must not keep it from reading: the server might not read either, until its
        // responses are taken.
        let control = if self.is_client() { self.provoked } else { self.control.len() };
        control.saturating_add(self.pongs.len().saturating_mul(17)) >= limits.control_octets
            || self.events.len() >= limits.events
    }

    /// Takes the next part of the input: at least an octet, at most a frame.
    fn recv_some(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        match self.reader.state {
            ReaderState::Preface => self.recv_preface(input),
            ReaderState::Frame => self.recv_frame(input),
            ReaderState::Data { id, left, end_stream } => {
                let taken = (left as usize).min(input.len());
                self.data_left(id, left.saturating_sub(u32::try_from(taken).unwrap_or(left)), end_stream);
                self.recv_content(id, input, taken);
                self.finish_data();
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

    /// Takes a frame: straight from the input if it is whole, otherwise by way of the partial one.
    fn recv_frame(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        if self.reader.partial.is_empty()
            && let Some((octets, rest)) = input.split_first_chunk::<HEADER_LEN>()
        {
            let header = FrameHeader::parse(octets);
            let length = header.length as usize;
            if streams_content(header) {
                input.advance(HEADER_LEN);
                return self.begin_data(header, input);
            }
            if let Some(payload) = rest.get(..length) {
                if let Err(violation) = self.begin(header).and_then(|()| self.frame(header, payload)) {
                    self.offend(header.stream_id, violation)?;
                }
                input.advance(HEADER_LEN.saturating_add(length));
                return Ok(());
            }
        }
        self.recv_partial(input)
    }

    /// Goes on with a frame that comes in more than one piece.
    fn recv_partial(&mut self, input: &mut Bytes) -> Result<(), Violation> {
        let lacking = HEADER_LEN.saturating_sub(self.reader.partial.len());
        if lacking > 0 {
            self.take_partial(input, lacking);
            let Some(&octets) = self.reader.partial.first_chunk::<HEADER_LEN>() else { return Ok(()) };
            let header = FrameHeader::parse(&octets);
            if streams_content(header) {
                self.reader.partial.clear();
                return self.begin_data(header, input);
            }
            if let Err(violation) = self.begin(header) {
                self.reader.partial.clear();
                self.skip(header.length);
                return self.offend(header.stream_id, violation);
            }
        }
        let Some(&octets) = self.reader.partial.first_chunk::<HEADER_LEN>() else { return Ok(()) };
        let header = FrameHeader::parse(&octets);
        let whole = HEADER_LEN.saturating_add(header.length as usize);
        self.take_partial(input, whole.saturating_sub(self.reader.partial.len()));
        if self.reader.partial.len() < whole {
            return Ok(());
        }
        let mut frame = core::mem::take(&mut self.reader.partial);
        let payload = frame.get(HEADER_LEN..).unwrap_or_default();
        let outcome = self.frame(header, payload);
        frame.clear();
        if frame.capacity() <= 32 << 10 {
            self.reader.partial = frame;
        }
        match outcome {
            Err(violation) => self.offend(header.stream_id, violation),
            Ok(()) => Ok(()),
        }
    }

    fn take_partial(&mut self, input: &mut Bytes, wanted: usize) {
        let taken = wanted.min(input.len());
        self.reader.partial.extend_from_slice(&input.split_to(taken));
    }

    /// Judges a frame by its header, before anything of its payload is kept: its place behind the preface
    /// (RFC 9113, 3.4) and behind a field block (RFC 9113, 4.3 and 6.10), its stream and its length (RFC 9113, 4.2).
    fn begin(&mut self, header: FrameHeader) -> Result<(), Violation> {
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
        // Before its length: the peer may not speak HTTP/2 at all.
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

    /// Acts on a frame that is there whole.
    fn frame(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
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

    /// Takes a frame of an extension that says something without changing anything.
    fn recv_extension(&mut self, kind: FrameType, header: FrameHeader, payload: &[u8]) {
        match kind {
            FrameType::ORIGIN => self.recv_origin(header, payload),
            FrameType::ALTSVC => self.recv_altsvc(header, payload),
            _ => self.recv_unknown(header, payload),
        }
    }

    /// Passes over a frame of a type that is not known (RFC 9113, 4.1 and 5.5).
    fn recv_unknown(&mut self, header: FrameHeader, payload: &[u8]) {
        if self.config.unknown_frames {
            self.events.push_back(Event::UnknownFrame {
                kind: header.kind.0,
                flags: header.flags,
                id: header.stream_id,
                payload: Bytes::copy_from_slice(payload),
            });
        }
    }

    /// Begins a DATA frame without padding, whose content is handed on as it arrives.
    fn begin_data(&mut self, header: FrameHeader, input: &Bytes) -> Result<(), Violation> {
        let begun = self.begin(header);
        if let Some(subscriber) = &mut self.subscriber {
            let there = input.len().min(header.length as usize);
            subscriber.frame(Direction::Received, header, input.get(..there).unwrap_or_default());
        }
        match begun.and_then(|()| self.data_arrives(header, header.length)) {
            Ok(()) => {
                self.data_left(header.stream_id, header.length, header.has(flags::END_STREAM));
                self.finish_data();
                Ok(())
            }
            Err(violation) => {
                self.skip(header.length);
                self.offend(header.stream_id, violation)
            }
        }
    }

    /// A DATA frame with padding is taken whole, since its padding shows only at its first octet and its end.
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

    fn data_left(&mut self, id: StreamId, left: u32, end_stream: bool) {
        self.reader.state = ReaderState::Data { id, left, end_stream };
    }

    fn finish_data(&mut self) {
        if let ReaderState::Data { id, left: 0, end_stream } = self.reader.state {
            self.reader.state = ReaderState::Frame;
            if end_stream {
                self.recv_end_stream(id);
            }
        }
    }

    fn skip(&mut self, left: u32) {
        self.reader.state = if left == 0 { ReaderState::Frame } else { ReaderState::Skip { left } };
    }

    /// Answers an offence as its scope asks. An error of a stream is one of the connection where the stream is
    /// idle, since RST_STREAM must not be sent on an idle stream (RFC 9113, 6.4).
    fn offend(&mut self, id: StreamId, violation: Violation) -> Result<(), Violation> {
        if violation.scope() == Scope::Connection || id.is_connection() || self.is_idle(id) {
            return Err(violation);
        }
        self.stream_violation(id, violation);
        Ok(())
    }
}

/// Whether the content of a frame is handed on as it arrives.
fn streams_content(header: FrameHeader) -> bool {
    header.kind == FrameType::DATA && !header.has(flags::PADDED)
}

/// How messages of HTTP/1 begin.
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

/// Whether these are the first octets of an HTTP/1 message.
fn looks_like_http1(octets: &[u8]) -> bool {
    HTTP1.iter().any(|start| octets.starts_with(start))
}

/// Whether they can be, once more has arrived.
fn may_become_http1(octets: &[u8]) -> bool {
    HTTP1.iter().any(|start| start.starts_with(octets))
}
