//! One request and its response.

use std::ops::Range;

use wasi::clocks::monotonic_clock::{self, Instant};

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::{Error, Fields, Method, RequestHead, ResponseHead};
use crate::bindings::http2::engine::wide::{self, Content as Piece};
use crate::route::{Answer, route};

/// Bytes read or generated at once.
const CHUNK: usize = 64 << 10;
/// Bytes of a word.
const WORD: usize = size_of::<u64>();
/// Bytes queued on a stream whose window is closed.
///
/// Enough for the engine to notice a client that accepts nothing, and little to buffer for each of very many streams.
const AHEAD: usize = 1 << 10;
static ZEROS: [u64; CHUNK / WORD] = [0; CHUNK / WORD];

/// The progress of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The exchange waits for the client or for a time.
    Waiting,
    /// The engine has accepted the whole response.
    Complete,
}

/// A request that is being answered, as far as possible without waiting at each call of [`advance`](Self::advance).
pub(crate) struct Exchange {
    stream: Http2Stream,
    /// Whether the method is HEAD: the response has no content (RFC 9110, 9.3.2).
    head_only: bool,
    room: Room,
    content: Content,
}

/// The amount of content that the server may queue on a stream.
#[derive(Default)]
struct Room {
    /// Bytes of the window not yet used by queued content.
    window: usize,
    /// Bytes queued since the window was last open.
    ahead: usize,
    /// Whether the closed window has kept content from being queued.
    blocked: bool,
}

/// The remaining content of the response.
enum Content {
    /// No content until this time, then a text.
    Delayed(Instant),
    /// A text, and the number of its bytes that were accepted.
    Text(Piece, usize),
    /// This many zero bytes.
    Zeros(u64),
    /// Endless zero bytes.
    Endless,
    /// The request's content: the bytes read, and the number of them that were accepted.
    Echo(Piece, usize),
    /// No content until the request ends, then its size, which is this so far, in bytes.
    Count(u64),
    /// No more content.
    End,
}

impl Exchange {
    /// Sends the head of the response, unless it has to wait.
    pub(crate) fn start(stream: Http2Stream, request: &RequestHead) -> Result<Self, Error> {
        let head_only = matches!(request.method, Method::Head);
        let mut exchange = Self { stream, head_only, room: Room::default(), content: Content::End };
        match route(request) {
            // A 401 response needs WWW-Authenticate (RFC 9110, 15.5.2).
            Answer::Text { status: 401, text } => {
                exchange.reply(401, &text, vec![field("www-authenticate", "Bearer")])?;
            }
            Answer::Text { status, text } => exchange.reply(status, &text, Vec::new())?,
            Answer::NotAllowed { allow } => {
                exchange.reply(405, &format!("only {allow}\n"), vec![field("allow", allow)])?;
            }
            Answer::EarlyHints { link, text } => {
                exchange.stream.inform(&head(103, vec![field("link", link)]))?;
                exchange.reply(200, &text, vec![field("link", link)])?;
            }
            Answer::Bytes(count) => {
                let fields = vec![octet_stream(), field("content-length", &count.to_string())];
                exchange.respond(200, fields, Content::Zeros(count), count == 0)?;
            }
            Answer::Endless => exchange.respond(200, vec![octet_stream()], Content::Endless, false)?,
            Answer::Delayed { milliseconds } => {
                let delay = milliseconds.saturating_mul(1_000_000);
                exchange.content = Content::Delayed(monotonic_clock::now().saturating_add(delay));
            }
            Answer::Echo => {
                // Read before the response begins: the engine then sends 100 (Continue) to a client that waits for it.
                let first = exchange.read()?.unwrap_or_else(|| piece(""));
                exchange.respond(200, echoed_fields(request), Content::Echo(first, 0), false)?;
            }
            Answer::Count => exchange.content = Content::Count(0),
        }
        Ok(exchange)
    }

    /// Returns when the exchange needs to advance even if nothing has arrived.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.content {
            Content::Delayed(at) => Some(at),
            _ => None,
        }
    }

    /// Returns whether the exchange waits for the client to open the stream's window, which no event reports.
    pub(crate) fn is_blocked(&self) -> bool {
        self.room.blocked
    }

    /// Advances the exchange as far as possible now.
    pub(crate) fn advance(&mut self) -> Result<Progress, Error> {
        if matches!(self.content, Content::End) {
            return Ok(Progress::Complete);
        }
        self.room.update_window_state(&self.stream);
        loop {
            match &mut self.content {
                Content::End => return Ok(Progress::Complete),
                Content::Delayed(at) => {
                    // The client has cancelled the request; its stream counts as open until it is dropped.
                    if self.stream.finished() {
                        return Ok(Progress::Complete);
                    }
                    if monotonic_clock::now() < *at {
                        return Ok(Progress::Waiting);
                    }
                    self.reply(200, "that took a while\n", Vec::new())?;
                }
                Content::Text(text, taken) => match self.room.offer(&self.stream, text, *taken, true)? {
                    0 => return Ok(Progress::Waiting),
                    more => {
                        *taken += more;
                        if *taken == text.length as usize {
                            self.content = Content::End;
                        }
                    }
                },
                Content::Zeros(left) => {
                    let length = CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK));
                    match self.room.offer_words(&self.stream, &ZEROS, 0..length, length as u64 == *left)? {
                        0 => return Ok(Progress::Waiting),
                        more => {
                            *left -= more as u64;
                            if *left == 0 {
                                self.content = Content::End;
                            }
                        }
                    }
                }
                Content::Endless => {
                    if self.room.offer_words(&self.stream, &ZEROS, 0..CHUNK, false)? == 0 {
                        return Ok(Progress::Waiting);
                    }
                }
                Content::Echo(piece, taken) if *taken < piece.length as usize => {
                    match self.room.offer(&self.stream, piece, *taken, false)? {
                        0 => return Ok(Progress::Waiting),
                        more => *taken += more,
                    }
                }
                Content::Echo(..) => match self.read()? {
                    Some(more) if more.length == 0 => return Ok(Progress::Waiting),
                    Some(more) => self.content = Content::Echo(more, 0),
                    None => self.end_echo()?,
                },
                Content::Count(octets) => match wide::read_data(&self.stream, CHUNK as u32)? {
                    Some(more) if more.length == 0 => return Ok(Progress::Waiting),
                    Some(more) => *octets += u64::from(more.length),
                    None => {
                        let text = format!("{octets} bytes\n");
                        self.reply(200, &text, Vec::new())?;
                    }
                },
            }
        }
    }

    /// Reads the next piece of the request's content; returns `None` at its end.
    fn read(&self) -> Result<Option<Piece>, Error> {
        wide::read_data(&self.stream, CHUNK as u32)
    }

    /// Ends an echo as the request ended: with or without trailers.
    fn end_echo(&mut self) -> Result<(), Error> {
        match self.stream.trailers() {
            Some(trailers) => self.stream.send_trailers(&trailers)?,
            None => {
                self.stream.send_data(&[], true)?;
            }
        }
        self.content = Content::End;
        Ok(())
    }

    /// Responds with a text.
    fn reply(&mut self, status: u16, text: &str, mut fields: Fields) -> Result<(), Error> {
        let empty = text.is_empty();
        if !empty {
            fields.push(field("content-type", "text/plain; charset=utf-8"));
            fields.push(field("content-length", &text.len().to_string()));
        }
        if empty || self.head_only || text.len() > AHEAD {
            return self.respond(status, fields, Content::Text(piece(text), 0), empty);
        }
        let taken = self.stream.answer(&head(status, fields), text.as_bytes(), None)? as usize;
        let all = taken == text.len();
        self.content = if all { Content::End } else { Content::Text(piece(text), taken) };
        Ok(())
    }

    fn respond(&mut self, status: u16, fields: Fields, content: Content, empty: bool) -> Result<(), Error> {
        let end = empty || self.head_only;
        self.stream.respond(&head(status, fields), end)?;
        self.content = if end { Content::End } else { content };
        Ok(())
    }
}

impl Room {
    /// Updates the state from the stream's current window.
    fn update_window_state(&mut self, stream: &Http2Stream) {
        let (_, window) = stream.windows();
        self.window = usize::try_from(window).unwrap_or(0);
        if self.window > 0 {
            self.ahead = 0;
        }
        self.blocked = false;
    }

    /// Queues as much of a piece as permitted, behind its first `taken` bytes, and returns the number of bytes accepted.
    fn offer(
        &mut self,
        stream: &Http2Stream,
        piece: &Piece,
        taken: usize,
        last: bool,
    ) -> Result<usize, Error> {
        self.offer_words(stream, &piece.words, taken..piece.length as usize, last)
    }

    /// Queues as many of these bytes of `words` as permitted, and returns the number of bytes accepted.
    ///
    /// If the engine has no room, offers one byte nevertheless: having refused it, the engine reports when it has room
    /// again.
    fn offer_words(
        &mut self,
        stream: &Http2Stream,
        words: &[u64],
        bytes: Range<usize>,
        last: bool,
    ) -> Result<usize, Error> {
        let allowed = if self.window > 0 { self.window } else { AHEAD - self.ahead };
        if allowed == 0 {
            self.blocked = true;
            // Fails if the client has cancelled the request: its window never opens again.
            stream.send_data(&[], false)?;
            return Ok(0);
        }
        let room = allowed.min(stream.send_capacity().max(1) as usize);
        let end = bytes.end.min(bytes.start + room);
        let words = &words[bytes.start / WORD..end.div_ceil(WORD)];
        let (skip, length) = ((bytes.start % WORD) as u32, (end - bytes.start) as u32);
        let taken = wide::send_data(stream, words, skip, length, last && end == bytes.end)? as usize;
        if self.window > 0 {
            self.window -= taken;
        } else {
            self.ahead += taken;
        }
        Ok(taken)
    }
}

/// Returns a text as a piece of content.
fn piece(text: &str) -> Piece {
    let word = |bytes: &[u8]| {
        let mut word = [0; WORD];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    };
    Piece { words: text.as_bytes().chunks(WORD).map(word).collect(), length: text.len() as u32 }
}

/// Returns the fields of a response that echoes the request's content.
fn echoed_fields(request: &RequestHead) -> Fields {
    let same = |name: &str| request.headers.iter().find(|(found, _)| found == name).cloned();
    let kind = same("content-type").unwrap_or_else(octet_stream);
    [Some(kind), same("content-length")].into_iter().flatten().collect()
}

fn octet_stream() -> (String, Vec<u8>) {
    field("content-type", "application/octet-stream")
}

fn head(status: u16, headers: Fields) -> ResponseHead {
    ResponseHead { status, headers }
}

fn field(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}
