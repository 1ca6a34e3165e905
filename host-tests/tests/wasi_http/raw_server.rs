//! A server whose frames the test controls.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use host_tests::support::DEADLINE;
use host_tests::support::raw::RawClient;
use http2_test_support::{Frame, data, flag, go_away, headers, kind, rst_stream, settings};

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
    pub(crate) fn accept_with(&self, parameters: &[(u16, u32)]) -> Connection {
        let mut connection = self.accept_silently();
        connection.wire.send_octets(&settings(parameters));
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
    /// The head in a HEADERS frame.
    #[track_caller]
    pub(crate) fn new(frame: &Frame) -> Self {
        Self { stream: frame.stream, fields: fields_of(frame), end_stream: frame.ends_stream() }
    }

    /// The value of a field, if present.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Connection {
    /// Wraps a connection, and reads the client's preface.
    pub(crate) fn from_tcp(tcp: TcpStream) -> Self {
        let mut wire = RawClient::from_tcp(tcp);
        wire.receive_preface();
        Self { wire }
    }

    /// Waits for the next frame of a kind, and skips others; `None` if the connection ends first.
    pub(crate) fn next(&mut self, kind: u8) -> Option<Frame> {
        std::iter::from_fn(|| self.wire.receive()).find(|frame| frame.kind == kind)
    }

    /// Waits for the head of a request, or for trailers.
    #[track_caller]
    pub(crate) fn request(&mut self) -> Head {
        let frame = self.next(kind::HEADERS).expect("a request");
        Head::new(&frame)
    }

    /// Waits for RST_STREAM, and returns its stream and error code, without decoding field blocks in between.
    #[track_caller]
    pub(crate) fn reset_by_peer(&mut self) -> (u32, u32) {
        let frame = self.next(kind::RST_STREAM).expect("RST_STREAM");
        (frame.stream, frame.number(0))
    }

    /// Waits for content up to the end of the stream, and replenishes both windows.
    #[track_caller]
    pub(crate) fn content(&mut self, stream: u32) -> Vec<u8> {
        let mut content = Vec::new();
        loop {
            let frame = self.wire.receive().expect("content");
            if frame.kind == kind::DATA && frame.stream == stream {
                content.extend(&frame.payload);
                if !frame.payload.is_empty() {
                    self.wire.widen_windows(stream, frame.payload.len());
                }
                if frame.flags & flag::END_STREAM != 0 {
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
        self.wire.send_octets(&headers(stream, flags, fields));
    }

    /// Sends a field block that is too large for one frame, and ends the stream.
    pub(crate) fn large_section(&mut self, stream: u32, block: &[u8]) {
        let mut pieces = block.chunks(16_384).peekable();
        let mut kind = kind::HEADERS;
        while let Some(piece) = pieces.next() {
            let end_stream = if kind == kind::HEADERS { flag::END_STREAM } else { 0 };
            let end_headers = if pieces.peek().is_none() { flag::END_HEADERS } else { 0 };
            self.wire.send(kind, end_stream | end_headers, stream, piece);
            kind = kind::CONTINUATION;
        }
    }

    /// Sends a response that consists of a status.
    pub(crate) fn respond(&mut self, stream: u32, status: &str) {
        self.head(stream, &[(":status", status)], flag::END_STREAM);
    }

    /// Sends content, split into frames as needed.
    pub(crate) fn data(&mut self, stream: u32, content: &[u8], flags: u8) {
        let mut pieces = content.chunks(16_384).peekable();
        loop {
            let piece = pieces.next().unwrap_or_default();
            let is_last = pieces.peek().is_none();
            self.wire.send_octets(&data(stream, if is_last { flags } else { 0 }, piece));
            if is_last {
                return;
            }
        }
    }

    /// Sends RST_STREAM.
    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.wire.send_octets(&rst_stream(stream, code));
    }

    /// Sends GOAWAY.
    pub(crate) fn go_away(&mut self, last: u32, code: u32) {
        self.wire.send_octets(&go_away(last, code));
    }
}

/// The fields of a HEADERS frame with a complete field block, each as "NAME: VALUE".
#[track_caller]
pub(crate) fn fields_of(frame: &Frame) -> Vec<String> {
    let is_whole = frame.kind == kind::HEADERS && frame.flags & flag::END_HEADERS != 0;
    assert!(is_whole, "{frame}");
    frame.lines()
}
