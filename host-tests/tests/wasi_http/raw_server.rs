//! A server whose frames the test controls.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use http2_engine::FieldSection;
use http2_engine::hpack::{Decoder, SectionLimits};

use crate::support::DEADLINE;
use crate::support::raw::{
    self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, RST_STREAM,
    RawClient, SETTINGS,
};

/// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 6.5.2).
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
/// SETTINGS_INITIAL_WINDOW_SIZE.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;

/// A listener on a free port.
pub(crate) struct RawServer {
    listener: TcpListener,
}

impl RawServer {
    pub(crate) fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener }
    }

    /// The URL of a path on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    /// The host and port.
    pub(crate) fn authority(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// Waits for a connection, and sends these settings.
    #[track_caller]
    pub(crate) fn accept_with(&self, settings: &[(u16, u32)]) -> Connection {
        let mut connection = self.accept_silently();
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat())
            .collect();
        connection.wire.send(SETTINGS, 0, 0, &payload);
        connection
    }

    /// Waits for a connection, and sends default settings.
    #[track_caller]
    pub(crate) fn accept(&self) -> Connection {
        self.accept_with(&[])
    }

    /// Waits for a connection, and sends nothing.
    #[track_caller]
    pub(crate) fn accept_silently(&self) -> Connection {
        let started = Instant::now();
        loop {
            if let Some(connection) = self.try_accept() {
                return connection;
            }
            assert!(started.elapsed() < DEADLINE, "no client connects");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Accepts a connection if one is pending.
    pub(crate) fn try_accept(&self) -> Option<Connection> {
        match self.listener.accept() {
            Ok((tcp, _)) => {
                tcp.set_nonblocking(false).unwrap();
                Some(Connection::from_tcp(tcp))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The server end of a connection.
pub(crate) struct Connection {
    pub(crate) wire: RawClient,
    decoder: Decoder,
}

/// The head of a request, or trailers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) stream: u32,
    /// Fields as "NAME: VALUE".
    pub(crate) fields: Vec<String>,
    pub(crate) end_stream: bool,
}

impl Head {
    /// The value of a field, if present.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Connection {
    /// Wraps a connection, and reads the client's preface.
    pub(crate) fn from_tcp(tcp: TcpStream) -> Self {
        let mut wire = RawClient::from_tcp(tcp);
        assert_eq!(wire.receive_octets(PREFACE.len()), PREFACE);
        Self { wire, decoder: Decoder::new(4096) }
    }

    /// Waits for the next frame of a kind, and skips others; `None` if the connection ends first.
    pub(crate) fn next(&mut self, kind: u8) -> Option<Frame> {
        std::iter::from_fn(|| self.wire.receive()).find(|frame| frame.kind == kind)
    }

    /// Waits for the head of a request, or for trailers.
    #[track_caller]
    pub(crate) fn request(&mut self) -> Head {
        let frame = self.next(HEADERS).expect("a request");
        self.head_of(&frame)
    }

    /// Decodes a HEADERS frame.
    #[track_caller]
    pub(crate) fn head_of(&mut self, frame: &Frame) -> Head {
        assert_eq!((frame.kind, frame.flags & END_HEADERS), (HEADERS, END_HEADERS), "{frame:?}");
        let limits = SectionLimits {
            list_size: 1 << 20,
            list_size_hard: 1 << 20,
            fields: 1000,
            fields_hard: 1000,
            cookie_crumbs: 1000,
        };
        let mut section = FieldSection::new();
        assert!(self.decoder.decode(&frame.payload, &limits, &mut section).is_ok());
        let text = |octets| String::from_utf8_lossy(octets).into_owned();
        let fields = section.iter().map(|field| format!("{}: {}", text(field.name), text(field.value)));
        Head { stream: frame.stream, fields: fields.collect(), end_stream: frame.flags & END_STREAM != 0 }
    }

    /// Waits for RST_STREAM, and returns its stream and error code, without decoding field blocks in between.
    #[track_caller]
    pub(crate) fn reset_by_peer(&mut self) -> (u32, u32) {
        let frame = self.next(RST_STREAM).expect("RST_STREAM");
        (frame.stream, u32::from_be_bytes(frame.payload.try_into().unwrap()))
    }

    /// Waits for content up to the end of the stream, and replenishes both windows.
    #[track_caller]
    pub(crate) fn content(&mut self, stream: u32) -> Vec<u8> {
        let mut content = Vec::new();
        loop {
            let frame = self.wire.receive().expect("content");
            if frame.kind == DATA && frame.stream == stream {
                content.extend(&frame.payload);
                if !frame.payload.is_empty() {
                    let increment = u32::try_from(frame.payload.len()).unwrap().to_be_bytes();
                    self.wire.send(raw::WINDOW_UPDATE, 0, 0, &increment);
                    self.wire.send(raw::WINDOW_UPDATE, 0, stream, &increment);
                }
                if frame.flags & END_STREAM != 0 {
                    return content;
                }
            }
        }
    }

    /// The URL of a path on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.wire.local_address())
    }

    /// Sends the head of a response, or trailers.
    pub(crate) fn head(&mut self, stream: u32, fields: &[(&str, &str)], flags: u8) {
        self.wire.send(HEADERS, flags | END_HEADERS, stream, &block(fields));
    }

    /// Sends a field block that is too large for one frame, and ends the stream.
    pub(crate) fn large_section(&mut self, stream: u32, block: &[u8]) {
        let mut pieces = block.chunks(16_384).peekable();
        let mut kind = HEADERS;
        while let Some(piece) = pieces.next() {
            let end_stream = if kind == HEADERS { END_STREAM } else { 0 };
            let end_headers = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            self.wire.send(kind, end_stream | end_headers, stream, piece);
            kind = CONTINUATION;
        }
    }

    /// Sends a response that consists of a status.
    pub(crate) fn respond(&mut self, stream: u32, status: &str) {
        self.head(stream, &[(":status", status)], END_STREAM);
    }

    /// Sends content, split into frames as needed.
    pub(crate) fn data(&mut self, stream: u32, content: &[u8], flags: u8) {
        let mut pieces = content.chunks(16_384).peekable();
        loop {
            let piece = pieces.next().unwrap_or_default();
            let is_last = pieces.peek().is_none();
            self.wire.send(DATA, if is_last { flags } else { 0 }, stream, piece);
            if is_last {
                return;
            }
        }
    }

    /// Sends RST_STREAM.
    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.wire.send(RST_STREAM, 0, stream, &code.to_be_bytes());
    }

    /// Sends GOAWAY.
    pub(crate) fn go_away(&mut self, last: u32, code: u32) {
        self.wire.send(GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
    }

    /// Waits until the client has processed all frames sent so far, and returns the frames received meanwhile.
    pub(crate) fn synchronise(&mut self) -> Vec<Frame> {
        self.wire.send(raw::PING, 0, 0, b"in order");
        let mut frames = Vec::new();
        loop {
            let frame = self.wire.receive().expect("the connection remains open");
            if (frame.kind, frame.flags, &*frame.payload) == (raw::PING, ACK, b"in order") {
                return frames;
            }
            frames.push(frame);
        }
    }
}

/// Encodes a field block of literals without indexing (RFC 7541, 6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// Encodes a length with a 7-bit prefix (RFC 7541, 5.1).
fn integer(block: &mut Vec<u8>, number: usize) {
    if number < 127 {
        return block.push(u8::try_from(number).unwrap());
    }
    block.push(127);
    let mut rest = number - 127;
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}
