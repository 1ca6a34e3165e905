//! One request and its response.

use wasi::clocks::monotonic_clock::{self, Instant};

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::{Error, Fields, Method, RequestHead, ResponseHead};
use crate::route::{Answer, route};

/// Octets that are read, or made, before they are sent.
const CHUNK: usize = 32 << 10;
/// Octets that are handed over on a stream whose window is closed: enough for the engine to see that the client takes
/// nothing, and little to keep for each of very many streams.
const AHEAD: usize = 1 << 10;
static ZEROS: [u8; CHUNK] = [0; CHUNK];

/// Where an exchange stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The client has to send or to take something, or a time has to come.
    Waiting,
    /// All of the response was handed to the engine.
    Complete,
}

/// A request that is being answered. It does what can be done without waiting, each time it is asked to.
pub(crate) struct Exchange {
    stream: Http2Stream,
    /// HEAD: the response has no content (RFC 9110, 9.3.2).
    head_only: bool,
    room: Room,
    content: Content,
}

/// What the client lets the server send on a stream.
#[derive(Default)]
struct Room {
    /// Octets of the window that nothing was handed over for.
    window: usize,
    /// Octets that were handed over since the window was last open.
    ahead: usize,
    /// Whether more would have been handed over, had the window been open.
    blocked: bool,
}

/// What is still to be sent.
enum Content {
    /// Nothing until this time, then a text.
    Delayed(Instant),
    /// A text, and how much of it was taken.
    Text(Vec<u8>, usize),
    /// So many octets.
    Zeros(u64),
    /// Octets without end.
    Endless,
    /// What the client sends: the octets read, and how many of them were taken.
    Echo(Vec<u8>, usize),
    /// Nothing until the client has sent everything, then a text; so much has come.
    Count(u64),
    /// Nothing.
    End,
}

impl Exchange {
    /// Sends the head of the response, unless that has to wait.
    pub(crate) fn start(stream: Http2Stream) -> Result<Self, Error> {
        let Some(request) = stream.request() else {
            return Ok(Self { stream, head_only: false, room: Room::default(), content: Content::End });
        };
        let head_only = matches!(request.method, Method::Head);
        let mut exchange = Self { stream, head_only, room: Room::default(), content: Content::End };
        match route(&request) {
            // The client is told how to authenticate (RFC 9110, 15.5.2).
            Answer::Text { status: 401, text } => {
                exchange.reply(401, text, vec![field("www-authenticate", "Bearer")])?;
            }
            Answer::Text { status, text } => exchange.reply(status, text, Vec::new())?,
            Answer::NotAllowed { allow } => {
                exchange.reply(405, format!("only {allow}\n"), vec![field("allow", allow)])?;
            }
            Answer::EarlyHints { link, text } => {
                exchange.stream.inform(&head(103, vec![field("link", link)]))?;
                exchange.reply(200, text, vec![field("link", link)])?;
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
                // Read before the response begins: a client that waits for 100 (Continue) is then told to go on.
                let first = exchange.stream.read_data(CHUNK as u32)?.unwrap_or_default();
                exchange.respond(200, echoed_fields(&request), Content::Echo(first, 0), false)?;
            }
            Answer::Count => exchange.content = Content::Count(0),
        }
        Ok(exchange)
    }

    /// When something is to be done although nothing has arrived.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.content {
            Content::Delayed(at) => Some(at),
            _ => None,
        }
    }

    /// Whether it goes on when the client opens the window of the stream, which nothing tells.
    pub(crate) fn is_blocked(&self) -> bool {
        self.room.blocked
    }

    /// Does what can be done now.
    pub(crate) fn advance(&mut self) -> Result<Progress, Error> {
        self.room.look(&self.stream);
        loop {
            match &mut self.content {
                Content::End => return Ok(Progress::Complete),
                Content::Delayed(at) => {
                    // The client has given up, and its stream keeps a slot until it is released.
                    if self.stream.finished() {
                        return Ok(Progress::Complete);
                    }
                    if monotonic_clock::now() < *at {
                        return Ok(Progress::Waiting);
                    }
                    self.reply(200, "that took a while\n".to_owned(), Vec::new())?;
                }
                Content::Text(text, taken) => match self.room.offer(&self.stream, &text[*taken..], true)? {
                    0 => return Ok(Progress::Waiting),
                    more => {
                        *taken += more;
                        if *taken == text.len() {
                            self.content = Content::End;
                        }
                    }
                },
                Content::Zeros(left) => {
                    let chunk = &ZEROS[..CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK))];
                    match self.room.offer(&self.stream, chunk, chunk.len() as u64 == *left)? {
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
                    if self.room.offer(&self.stream, &ZEROS, false)? == 0 {
                        return Ok(Progress::Waiting);
                    }
                }
                Content::Echo(octets, taken) if *taken < octets.len() => {
                    match self.room.offer(&self.stream, &octets[*taken..], false)? {
                        0 => return Ok(Progress::Waiting),
                        more => *taken += more,
                    }
                }
                Content::Echo(octets, taken) => match self.stream.read_data(CHUNK as u32)? {
                    Some(more) if more.is_empty() => return Ok(Progress::Waiting),
                    Some(more) => (*octets, *taken) = (more, 0),
                    None => self.end_echo()?,
                },
                Content::Count(octets) => match self.stream.read_data(CHUNK as u32)? {
                    Some(more) if more.is_empty() => return Ok(Progress::Waiting),
                    Some(more) => *octets += more.len() as u64,
                    None => {
                        let text = format!("{octets} octets\n");
                        self.reply(200, text, Vec::new())?;
                    }
                },
            }
        }
    }

    /// Ends an echo in the way in which the request has ended.
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

    /// Answers with a text.
    fn reply(&mut self, status: u16, text: String, mut fields: Fields) -> Result<(), Error> {
        let empty = text.is_empty();
        if !empty {
            fields.push(field("content-type", "text/plain; charset=utf-8"));
            fields.push(field("content-length", &text.len().to_string()));
        }
        self.respond(status, fields, Content::Text(text.into_bytes(), 0), empty)
    }

    fn respond(&mut self, status: u16, fields: Fields, content: Content, empty: bool) -> Result<(), Error> {
        let end = empty || self.head_only;
        self.stream.respond(&head(status, fields), end)?;
        self.content = if end { Content::End } else { content };
        Ok(())
    }
}

impl Room {
    /// Sees how far the window is open now.
    fn look(&mut self, stream: &Http2Stream) {
        let (_, window) = stream.windows();
        self.window = usize::try_from(window).unwrap_or(0);
        if self.window > 0 {
            self.ahead = 0;
        }
        self.blocked = false;
    }

    /// Hands over as much as there is room for, and says how much that was. Where the engine has no room, one octet is
    /// offered all the same: what is not taken makes the engine tell when there is room again.
    fn offer(&mut self, stream: &Http2Stream, octets: &[u8], last: bool) -> Result<usize, Error> {
        let allowed = if self.window > 0 { self.window } else { AHEAD - self.ahead };
        if allowed == 0 {
            self.blocked = true;
            return Ok(0);
        }
        let room = allowed.min(stream.send_capacity().max(1) as usize);
        let (octets, last) = if room < octets.len() { (&octets[..room], false) } else { (octets, last) };
        let taken = stream.send_data(octets, last)? as usize;
        if self.window > 0 {
            self.window -= taken;
        } else {
            self.ahead += taken;
        }
        Ok(taken)
    }
}

/// The fields of a response that has the content of its request.
fn echoed_fields(request: &RequestHead) -> Fields {
    let same = |name: &str| request.headers.iter().find(|(found, _)| found == name).cloned();
    let kind = same("content-type").unwrap_or_else(octet_stream);
    [Some(kind), same("content-length")].into_iter().flatten().collect()
}

fn octet_stream() -> (String, Vec<u8>) {
    field("content-type", "application/octet-stream")
}

fn head(status: u16, headers: Fields) -> ResponseHead {
    ResponseHead { status, headers, never_indexed: Vec::new() }
}

fn field(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}
