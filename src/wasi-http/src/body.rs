//! Moves content and trailers between HTTP/2 and wasi:http.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};

use bytes::Bytes;
use http2_engine::{FieldSection, Read, Role, SendError, StreamError};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::error;
use crate::head;
use crate::signal::{now_or_never, run_until};
use crate::stream::Stream;
use crate::tasks::Tasks;
use crate::trailers::{self, TrailersResult, TrailersWriter};

/// The largest chunk of content moved in one step, in bytes.
const CHUNK: usize = 64 << 10;
/// Size of the first read buffer when the content length is unknown, in bytes.
const FIRST_CHUNK: usize = 4 << 10;
/// The chunk size when hardly any room is left, in bytes; smaller chunks would cost more than they save.
const MIN_CHUNK: usize = 16 << 10;
/// How long a head waits for its first content after the end of the turn, in nanoseconds.
///
/// A head sent earlier would be a small write of its own, and Nagle's algorithm would hold the content back until
/// the peer's delayed acknowledgement, up to 40 ms later. An application needs a fraction of this time to read its
/// content from a file; it loses this time once if it sends content only in reply to its peer.
const HEAD_DELAY: u64 = 5_000_000;
/// How much of a request's content is kept for sending the request again, in bytes.
const REPLAY_LIMIT: usize = 64 << 10;

/// Why content was not sent completely.
#[derive(Debug)]
pub enum BodyError {
    /// The source aborted the message.
    Source(ErrorCode),
    /// The stream refused the content.
    Stream(SendError),
}

impl From<SendError> for BodyError {
    fn from(error: SendError) -> Self {
        Self::Stream(error)
    }
}

/// A part of a message read from wasi:http.
#[derive(Clone)]
enum Piece {
    Content(Bytes),
    /// The end of the message, with its trailers.
    End(Option<FieldSection>),
    /// The source aborted the message before its end.
    Aborted(ErrorCode),
}

/// The content and trailers of an outgoing message, read from wasi:http.
pub struct Source {
    reading: Reading,
    /// Pieces already read but not yet sent.
    prefetched: VecDeque<Piece>,
    /// Pieces already sent, if they are kept and small enough to keep.
    sent: Option<ReplayBuffer>,
}

#[derive(Default)]
struct ReplayBuffer {
    pieces: Vec<Piece>,
    octets: usize,
}

/// The reader's state.
///
/// A read can be interrupted at any point and resumed later without losing data.
enum Reading {
    Idle(Option<Reader>),
    Busy(Pin<Box<dyn Future<Output = (Reader, Piece)>>>),
}

/// The read ends of a wasi:http message.
struct Reader {
    contents: Option<StreamReader<u8>>,
    trailers: Option<FutureReader<TrailersResult>>,
    /// Bytes of content still to come, if Content-Length gives the total.
    remaining: Option<usize>,
    /// Size of the next buffer, in bytes.
    size: usize,
    /// An empty buffer to reuse.
    buffer: Vec<u8>,
}

impl Source {
    /// Creates a source; `length` is the value of Content-Length, if the message has one.
    pub fn new(
        contents: StreamReader<u8>,
        trailers: FutureReader<TrailersResult>,
        length: Option<u64>,
    ) -> Self {
        let remaining = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let size = if remaining.is_some() { CHUNK } else { FIRST_CHUNK };
        let reader = Reader {
            contents: Some(contents),
            trailers: Some(trailers),
            remaining,
            size,
            buffer: Vec::new(),
        };
        Self { reading: Reading::Idle(Some(reader)), prefetched: VecDeque::new(), sent: None }
    }

    /// Keeps the pieces sent, up to a bound, for sending the message again.
    #[must_use]
    pub fn keep(self) -> Self {
        Self { sent: Some(ReplayBuffer::default()), ..self }
    }

    /// Returns to the start of the message, any number of times; returns whether that was possible.
    pub fn rewind(&mut self) -> bool {
        let Some(sent) = &mut self.sent else { return false };
        let sent = mem::take(sent);
        sent.pieces.into_iter().rev().for_each(|piece| self.prefetched.push_front(piece));
        true
    }

    /// Waits until a piece of the message is available or the head must be sent without one.
    ///
    /// Reads at most `max` bytes of content.
    pub async fn prefetch(&mut self, max: usize, tasks: &Tasks) {
        let max = max.clamp(MIN_CHUNK, CHUNK);
        if run_until(self.fill(max), tasks.turn_end()).await.is_none() {
            run_until(self.fill(max), monotonic_clock::wait_for(HEAD_DELAY)).await;
        }
    }

    /// Waits until a piece of the message is available, and reads at most `max` bytes of content.
    async fn fill(&mut self, max: usize) {
        if self.prefetched.is_empty() {
            let piece = self.reading.next(max).await;
            self.prefetched.push_back(piece);
        }
    }

    /// Whether the message is at its end and known to have neither content nor trailers.
    pub fn is_empty(&self) -> bool {
        matches!(self.prefetched.front(), Some(Piece::End(None)))
    }

    async fn next(&mut self, max: usize) -> Piece {
        self.fill(max).await;
        // `fill` has queued a piece.
        let piece = self.prefetched.pop_front().unwrap_or(Piece::End(None));
        self.sent = self.sent.take().and_then(|sent| sent.and(&piece));
        piece
    }
}

impl ReplayBuffer {
    /// Adds a piece, or returns `None` once the pieces exceed the bound.
    fn and(mut self, piece: &Piece) -> Option<Self> {
        if let Piece::Content(octets) = piece {
            self.octets = self.octets.saturating_add(octets.len());
        }
        self.pieces.push(piece.clone());
        (self.octets <= REPLAY_LIMIT).then_some(self)
    }
}

impl Reading {
    async fn next(&mut self, max: usize) -> Piece {
        if let Self::Idle(reader) = self
            && let Some(reader) = reader.take()
        {
            *self = Self::Busy(Box::pin(reader.next(max)));
        }
        let Self::Busy(reading) = self else { return Piece::End(None) };
        let (reader, piece) = reading.as_mut().await;
        *self = Self::Idle(Some(reader));
        piece
    }
}

impl Reader {
    async fn next(mut self, max: usize) -> (Self, Piece) {
        // When the content length is known, the end of the stream need not be awaited.
        if self.remaining == Some(0) {
            self.contents = None;
        }
        let size = self.remaining.unwrap_or(self.size).min(self.size).min(max);
        if let Some(contents) = &mut self.contents {
            let mut buffer = mem::take(&mut self.buffer);
            if buffer.capacity() != size {
                buffer = Vec::with_capacity(size);
            }
            let (result, octets) = contents.read(buffer).await;
            if matches!(result, StreamResult::Complete(_)) {
                let piece = Piece::Content(self.take(octets));
                return (self, piece);
            }
            self.contents = None;
        }
        let end = match self.trailers.take() {
            Some(trailers) => trailers::read(trailers).await,
            None => Ok(None),
        };
        let piece = match end {
            Ok(trailers) => Piece::End(trailers.as_ref().and_then(head::trailer_section)),
            Err(code) => Piece::Aborted(code),
        };
        (self, piece)
    }

    /// Takes the bytes just read, and chooses the size of the next buffer.
    fn take(&mut self, mut octets: Vec<u8>) -> Bytes {
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(octets.len()));
        let size = octets.capacity();
        if octets.len() < size / 2 {
            let piece = Bytes::copy_from_slice(&octets);
            octets.clear();
            self.buffer = octets;
            return piece;
        }
        // A source that fills its buffer gets a larger one next time.
        if octets.len() == size {
            self.size = self.size.saturating_mul(4).min(CHUNK);
        }
        Bytes::from(octets)
    }
}

/// Sends the rest of a message on a stream, and ends it.
///
/// # Errors
///
/// The reason why the message is incomplete. Nothing of it may have been sent.
pub async fn send(stream: &Stream, source: &mut Source) -> Result<(), BodyError> {
    loop {
        // Only read as much as the stream can take: the rest stays with the source.
        let max = stream.room().await?.clamp(MIN_CHUNK, CHUNK);
        let piece = stream.unless_reset(source.next(max)).await.map_err(SendError::Reset)?;
        match piece {
            Piece::Content(octets) => stream.send(octets).await?,
            Piece::End(trailers) => return Ok(stream.finish(trailers.as_ref())?),
            Piece::Aborted(code) => return Err(BodyError::Source(code)),
        }
    }
}

/// Passes the content and trailers of a request to wasi:http.
///
/// A client with `Expect: 100-continue` gets its 100 (Continue) when the application first reads (RFC 9110,
/// 10.1.1). See [`receive`].
pub async fn receive_request(
    stream: Stream,
    mut contents: StreamWriter<u8>,
    trailers: TrailersWriter,
    expects_continue: bool,
) {
    if expects_continue {
        // A zero-length write completes when the application reads.
        match stream.unless_reset(contents.write(Vec::new())).await {
            Ok((StreamResult::Complete(_), _)) => stream.send_continue(),
            // The reader is gone. A second write to a stream without a reader traps.
            Ok(_) => {
                drop(contents);
                return trailers.write(Ok(None), stream.connection().tasks()).await;
            }
            // `receive` reports it.
            Err(_reset) => {}
        }
    }
    receive(stream, contents, trailers, None).await;
}

/// Passes the content and trailers of a stream to wasi:http.
///
/// `between_bytes` is the longest time without content, in nanoseconds. If the application drops its reader, the
/// rest of the message stays unread: a server tells the peer so by releasing the stream, and a client also
/// cancels the request.
pub async fn receive(
    stream: Stream,
    mut contents: StreamWriter<u8>,
    trailers: TrailersWriter,
    between_bytes: Option<u64>,
) {
    let role = stream.connection().role();
    let all = receive_all(&stream, &mut contents, between_bytes);
    let end = match role {
        // A client that resets the stream also gives up its request.
        Role::Server => stream.unless_reset(all).await.unwrap_or_else(|error| Err(error.into())),
        // A server may reset the stream after a complete response, to decline the rest of the request
        // (RFC 9113, 8.1).
        Role::Client => all.await,
    };
    let end = match end {
        Ok(trailers) => head::wasi_trailers(trailers.as_ref()),
        Err(ReceiveError::Reset(error)) => Err(error::from_stream(&error, role)),
        Err(ReceiveError::Timeout) => Err(ErrorCode::ConnectionReadTimeout),
        Err(ReceiveError::ReaderDropped) => {
            if role == Role::Client {
                stream.cancel();
            }
            Ok(None)
        }
    };
    drop(contents);
    trailers.write(end, stream.connection().tasks()).await;
}

/// Why reception of a message stopped.
enum ReceiveError {
    Reset(StreamError),
    /// No content arrived in time.
    Timeout,
    /// The application has dropped its reader.
    ReaderDropped,
}

impl From<StreamError> for ReceiveError {
    fn from(error: StreamError) -> Self {
        Self::Reset(error)
    }
}

async fn receive_all(
    stream: &Stream,
    contents: &mut StreamWriter<u8>,
    between_bytes: Option<u64>,
) -> Result<Option<FieldSection>, ReceiveError> {
    let is_client = stream.connection().role() == Role::Client;
    let mut buffer = Vec::new();
    let mut idle_timer = IdleTimer::new(between_bytes);
    loop {
        let read = read_chunk(stream, &mut buffer)?;
        if !buffer.is_empty() {
            buffer = contents.write_all(buffer).await;
            if !buffer.is_empty() {
                return match read {
                    Read::Data(_) | Read::Blocked => Err(ReceiveError::ReaderDropped),
                    Read::Trailers(_) | Read::End => Ok(None),
                };
            }
            idle_timer = IdleTimer::new(between_bytes);
        }
        match read {
            Read::Data(_) => {}
            Read::Trailers(trailers) => return Ok(Some(trailers)),
            Read::End => return Ok(None),
            Read::Blocked if (is_client || stream.is_finished()) && !has_reader(contents).await => {
                return Err(ReceiveError::ReaderDropped);
            }
            Read::Blocked => idle_timer.or(stream.readable()).await.ok_or(ReceiveError::Timeout)?,
        }
    }
}

/// A timer for the longest time without content, which starts when it is created.
struct IdleTimer(Option<Pin<Box<dyn Future<Output = ()>>>>);

impl IdleTimer {
    fn new(nanoseconds: Option<u64>) -> Self {
        Self(
            nanoseconds.map(|limit| -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(monotonic_clock::wait_for(limit))
            }),
        )
    }

    /// Runs a future to completion, or returns `None` when the timer expires first.
    async fn or<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        match &mut self.0 {
            None => Some(future.await),
            Some(timer) => run_until(future, timer).await,
        }
    }
}

/// Fills the buffer with received content, and returns the next part of the message: [`Read::Data`] if the buffer is
/// full.
fn read_chunk(stream: &Stream, buffer: &mut Vec<u8>) -> Result<Read, StreamError> {
    loop {
        let room = CHUNK.saturating_sub(buffer.len());
        if room == 0 {
            return Ok(Read::Data(Bytes::new()));
        }
        match stream.try_read(room) {
            Ok(Read::Data(octets)) => buffer.extend_from_slice(&octets),
            // The engine returns the error again after the application has taken the content before it.
            Err(_) if !buffer.is_empty() => return Ok(Read::Data(Bytes::new())),
            other => return other,
        }
    }
}

/// Whether the application still holds its reader.
async fn has_reader(contents: &mut StreamWriter<u8>) -> bool {
    let probe = pin!(contents.write(Vec::new()));
    !matches!(now_or_never(probe).await, Some((StreamResult::Dropped, _)))
}
