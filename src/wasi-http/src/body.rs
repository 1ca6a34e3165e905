//! Content and trailers, from one side to the other.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};

use bytes::Bytes;
use http2_engine::{FieldSection, Read, Role, SendError, StreamError};
use wit_bindgen::{FutureReader, StreamReader, StreamResult, StreamWriter};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::end::{self, End, EndWriter};
use crate::error;
use crate::head;
use crate::signal::{at_once, before};
use crate::stream::Stream;
use crate::tasks::Tasks;

/// Octets that are moved at once.
const CHUNK: usize = 64 << 10;
/// Octets of the first buffer, if the length of the content is not known.
const FIRST_CHUNK: usize = 4 << 10;
/// Octets that are moved at once where there is hardly any room: fewer would cost more than they would spare.
const LEAST_CHUNK: usize = 16 << 10;
/// How long a head waits for the first of its content after the turn, in nanoseconds.
///
/// Sent before it, the head would be a small write of its own, and Nagle's algorithm would keep the content until the
/// peer's delayed acknowledgement, up to 40 ms later. An application that reads its content from a file takes a
/// fraction of this; one that sends its content upon an answer is held up by this once.
const HEAD_PATIENCE: u64 = 5_000_000;
/// Octets of a request that are kept in case it has to be sent again.
const KEPT: usize = 64 << 10;

/// Why content was not sent whole.
#[derive(Debug)]
pub enum BodyError {
    /// Its source gave it up.
    Source(ErrorCode),
    /// The stream does not take it.
    Stream(SendError),
}

impl From<SendError> for BodyError {
    fn from(error: SendError) -> Self {
        Self::Stream(error)
    }
}

/// A part of a message that wasi:http gives.
#[derive(Clone)]
enum Piece {
    Content(Bytes),
    /// The end, with the trailers.
    End(Option<FieldSection>),
    /// There is no end: the source has given the message up.
    Broken(ErrorCode),
}

/// Content and trailers of a message of wasi:http that is to be sent.
pub struct Source {
    reading: Reading,
    /// What was read and is still to be sent.
    ahead: VecDeque<Piece>,
    /// What was sent, if that is wanted, and as long as it is little.
    sent: Option<Sent>,
}

#[derive(Default)]
struct Sent {
    pieces: Vec<Piece>,
    octets: usize,
}

/// Reading may be left at any moment and taken up again: nothing is lost.
enum Reading {
    Idle(Option<Reader>),
    Busy(Pin<Box<dyn Future<Output = (Reader, Piece)>>>),
}

/// The ends of a message that wasi:http gives.
struct Reader {
    contents: Option<StreamReader<u8>>,
    trailers: Option<FutureReader<End>>,
    /// Octets of content still to come, if Content-Length says so.
    left: Option<usize>,
    /// Octets of the next buffer.
    size: usize,
    /// A buffer of which nothing is used.
    buffer: Vec<u8>,
}

impl Source {
    /// A message; `length` is what its Content-Length says, if anything.
    pub fn new(contents: StreamReader<u8>, trailers: FutureReader<End>, length: Option<u64>) -> Self {
        let left = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let size = if left.is_some() { CHUNK } else { FIRST_CHUNK };
        let reader =
            Reader { contents: Some(contents), trailers: Some(trailers), left, size, buffer: Vec::new() };
        Self { reading: Reading::Idle(Some(reader)), ahead: VecDeque::new(), sent: None }
    }

    /// Keeps what is sent, up to a bound, so that it can be sent again.
    #[must_use]
    pub fn keep(self) -> Self {
        Self { sent: Some(Sent::default()), ..self }
    }

    /// Goes back to the start, any number of times, and says whether it could.
    pub fn rewind(&mut self) -> bool {
        let Some(sent) = &mut self.sent else { return false };
        let sent = mem::take(sent);
        sent.pieces.into_iter().rev().for_each(|piece| self.ahead.push_front(piece));
        true
    }

    /// Waits until something of the message is there, or it is time to send the head without. At most `max` bytes of
    /// content are taken.
    pub async fn ready_soon(&mut self, max: usize, tasks: &Tasks) {
        let max = max.clamp(LEAST_CHUNK, CHUNK);
        if before(self.ready(max), tasks.turn_end()).await.is_none() {
            before(self.ready(max), monotonic_clock::wait_for(HEAD_PATIENCE)).await;
        }
    }

    /// Waits until something of the message is there, and takes so many octets at most.
    async fn ready(&mut self, max: usize) {
        if self.ahead.is_empty() {
            let piece = self.reading.next(max).await;
            self.ahead.push_back(piece);
        }
    }

    /// Whether the message is known to have neither content nor trailers. It is at its end then.
    pub fn is_empty(&self) -> bool {
        matches!(self.ahead.front(), Some(Piece::End(None)))
    }

    async fn next(&mut self, max: usize) -> Piece {
        self.ready(max).await;
        // There is one: see above.
        let piece = self.ahead.pop_front().unwrap_or(Piece::End(None));
        self.sent = self.sent.take().and_then(|sent| sent.and(&piece));
        piece
    }
}

impl Sent {
    /// With one more piece, unless that is too much.
    fn and(mut self, piece: &Piece) -> Option<Self> {
        if let Piece::Content(octets) = piece {
            self.octets = self.octets.saturating_add(octets.len());
        }
        self.pieces.push(piece.clone());
        (self.octets <= KEPT).then_some(self)
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
        // The end of a content whose length is known need not be waited for.
        if self.left == Some(0) {
            self.contents = None;
        }
        let size = self.left.unwrap_or(self.size).min(self.size).min(max);
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
            Some(trailers) => end::read(trailers).await,
            None => Ok(None),
        };
        let piece = match end {
            Ok(trailers) => Piece::End(trailers.as_ref().and_then(head::trailers_from)),
            Err(code) => Piece::Broken(code),
        };
        (self, piece)
    }

    /// Takes what was read, and says how large the next buffer is to be.
    fn take(&mut self, mut octets: Vec<u8>) -> Bytes {
        self.left = self.left.map(|left| left.saturating_sub(octets.len()));
        let size = octets.capacity();
        if octets.len() < size / 2 {
            let piece = Bytes::copy_from_slice(&octets);
            octets.clear();
            self.buffer = octets;
            return piece;
        }
        // A source that fills its buffer gets a larger one.
        if octets.len() == size {
            self.size = self.size.saturating_mul(4).min(CHUNK);
        }
        Bytes::from(octets)
    }
}

/// Sends what is left of a message on a stream, and ends it.
///
/// # Errors
///
/// What was in the way. The message is not complete then, and perhaps has not begun.
pub async fn send(stream: &Stream, source: &mut Source) -> Result<(), BodyError> {
    loop {
        // What cannot be sent stays with its source.
        let max = stream.room().await?.clamp(LEAST_CHUNK, CHUNK);
        let piece = stream.unless_reset(source.next(max)).await.map_err(SendError::Reset)?;
        match piece {
            Piece::Content(octets) => stream.send(octets).await?,
            Piece::End(trailers) => return Ok(stream.finish(trailers.as_ref())?),
            Piece::Broken(code) => return Err(BodyError::Source(code)),
        }
    }
}

/// Hands the content and trailers of a request to wasi:http. If the client waits for the server's word before it sends
/// the content (Expect: 100-continue), it gets it when the application first reads (RFC 9110, 10.1.1).
///
/// See [`receive`].
pub async fn receive_request(
    stream: Stream,
    mut contents: StreamWriter<u8>,
    trailers: EndWriter,
    expects_continue: bool,
) {
    if expects_continue {
        // A write of nothing is done when somebody reads.
        match stream.unless_reset(contents.write(Vec::new())).await {
            Ok((StreamResult::Complete(_), _)) => stream.proceed(),
            // Nobody ever will. Who writes to a stream without a reader a second time traps.
            Ok(_) => {
                drop(contents);
                return trailers.tell(Ok(None), stream.connection().tasks()).await;
            }
            // This is told below.
            Err(_reset) => {}
        }
    }
    receive(stream, contents, trailers, None).await;
}

/// Hands content and trailers that arrive on a stream to wasi:http; `between_bytes` is how many nanoseconds may
/// pass without any.
///
/// It ends early if nobody wants them: then the rest stays unread. A server tells the peer so by releasing the stream;
/// a client gives up the request as well.
pub async fn receive(
    stream: Stream,
    mut contents: StreamWriter<u8>,
    trailers: EndWriter,
    between_bytes: Option<u64>,
) {
    let role = stream.connection().role();
    let all = receive_all(&stream, &mut contents, between_bytes);
    let end = match role {
        // A client that gives up wants nothing any more.
        Role::Server => stream.unless_reset(all).await.unwrap_or_else(|error| Err(error.into())),
        // A server that has answered in full may well want no more of the request (RFC 9113, 8.1).
        Role::Client => all.await,
    };
    let end = match end {
        Ok(trailers) => head::trailers_to(trailers.as_ref()),
        Err(Cut::Reset(error)) => Err(error::of_stream(&error, role)),
        Err(Cut::Silence) => Err(ErrorCode::ConnectionReadTimeout),
        Err(Cut::Unwanted) => {
            if role == Role::Client {
                stream.cancel();
            }
            Ok(None)
        }
    };
    drop(contents);
    trailers.tell(end, stream.connection().tasks()).await;
}

/// Why a message does not go on.
enum Cut {
    Reset(StreamError),
    /// Nothing has come for too long.
    Silence,
    /// Nobody reads it.
    Unwanted,
}

impl From<StreamError> for Cut {
    fn from(error: StreamError) -> Self {
        Self::Reset(error)
    }
}

async fn receive_all(
    stream: &Stream,
    contents: &mut StreamWriter<u8>,
    between_bytes: Option<u64>,
) -> Result<Option<FieldSection>, Cut> {
    let is_client = stream.connection().role() == Role::Client;
    let mut buffer = Vec::new();
    let mut silence = Silence::new(between_bytes);
    loop {
        let read = read_chunk(stream, &mut buffer)?;
        if !buffer.is_empty() {
            buffer = contents.write_all(buffer).await;
            if !buffer.is_empty() {
                return match read {
                    Read::Data(_) | Read::Blocked => Err(Cut::Unwanted),
                    Read::Trailers(_) | Read::End => Ok(None),
                };
            }
            silence = Silence::new(between_bytes);
        }
        match read {
            Read::Data(_) => {}
            Read::Trailers(trailers) => return Ok(Some(trailers)),
            Read::End => return Ok(None),
            Read::Blocked if (is_client || stream.is_finished()) && !is_wanted(contents).await => {
                return Err(Cut::Unwanted);
            }
            Read::Blocked => silence.or(stream.readable()).await.ok_or(Cut::Silence)?,
        }
    }
}

/// How long a silence may last that begins now.
struct Silence(Option<Pin<Box<dyn Future<Output = ()>>>>);

impl Silence {
    fn new(nanoseconds: Option<u64>) -> Self {
        Self(
            nanoseconds.map(|limit| -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(monotonic_clock::wait_for(limit))
            }),
        )
    }

    /// Runs a future until it is done or the silence has lasted too long, which is `None`.
    async fn or<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        match &mut self.0 {
            None => Some(future.await),
            Some(timer) => before(future, timer).await,
        }
    }
}

/// Fills the buffer with what has arrived, and says what follows: [`Read::Data`] if it is full.
fn read_chunk(stream: &Stream, buffer: &mut Vec<u8>) -> Result<Read, StreamError> {
    loop {
        let room = CHUNK.saturating_sub(buffer.len());
        if room == 0 {
            return Ok(Read::Data(Bytes::new()));
        }
        match stream.read_now(room) {
            Ok(Read::Data(octets)) => buffer.extend_from_slice(&octets),
            // It comes again once what arrived before was handed on.
            Err(_) if !buffer.is_empty() => return Ok(Read::Data(Bytes::new())),
            other => return other,
        }
    }
}

/// Whether there is still a reader.
async fn is_wanted(contents: &mut StreamWriter<u8>) -> bool {
    let probe = pin!(contents.write(Vec::new()));
    !matches!(at_once(probe).await, Some((StreamResult::Dropped, _)))
}
