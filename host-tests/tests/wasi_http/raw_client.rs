//! A client whose frames the test controls.

use host_tests::support::DEADLINE;
use host_tests::support::raw::RawClient;
use http2_test_support::{Frame, flag, headers, kind, parameters, rst_stream, setting};

use crate::raw_server::fields_of;
use crate::serve::Serve;

/// A connection to a server.
pub(crate) struct Client {
    pub(crate) wire: RawClient,
    /// The server's initial flow-control window for a stream, in bytes.
    pub(crate) initial_window: u32,
    next_stream: u32,
    /// Skipped frames of other streams, and GOAWAY.
    passed: Vec<Frame>,
}

/// A response up to its end.
#[derive(Debug, Default)]
pub(crate) struct Response {
    /// Fields as "NAME: VALUE".
    pub(crate) fields: Vec<String>,
    pub(crate) content: Vec<u8>,
    pub(crate) trailers: Option<Vec<String>>,
    /// Whether the head ended the stream.
    pub(crate) is_head_alone: bool,
}

impl Response {
    /// The value of a field, if present.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn status(&self) -> &str {
        self.get(":status").unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.content.clone()).unwrap()
    }
}

impl Client {
    /// Connects, and waits for the server's SETTINGS.
    #[track_caller]
    pub(crate) fn connect(serve: &Serve) -> Self {
        Self::connect_to(serve.address())
    }

    /// As [`connect`](Self::connect), by address.
    #[track_caller]
    pub(crate) fn connect_to(address: std::net::SocketAddr) -> Self {
        let mut client = Self {
            wire: RawClient::connect(address),
            initial_window: 65_535,
            next_stream: 1,
            passed: Vec::new(),
        };
        let settings = client.wire.receive().expect("SETTINGS");
        assert_eq!((settings.kind, settings.flags & flag::ACK), (kind::SETTINGS, 0));
        for (id, value) in parameters(&settings.payload) {
            if id == setting::INITIAL_WINDOW_SIZE {
                client.initial_window = value;
            }
        }
        client
    }

    /// Sends a GET request, and waits for the response.
    #[track_caller]
    pub(crate) fn get(&mut self, path: &str) -> Response {
        let stream = self.start_ended("GET", path);
        self.response(stream)
    }

    /// Sends a request without content, and waits for the response.
    #[track_caller]
    pub(crate) fn request(&mut self, head: &[(&str, &str)]) -> Response {
        let stream = self.send_head(head, flag::END_STREAM);
        self.response(stream)
    }

    /// Repeats a GET request until the response content is `wanted`.
    #[track_caller]
    pub(crate) fn until(&mut self, path: &str, wanted: &str) {
        let started = std::time::Instant::now();
        loop {
            let answer = self.get(path).text();
            if answer == wanted {
                return;
            }
            assert!(started.elapsed() < DEADLINE, "{path}: {answer:?} instead of {wanted:?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Sends the head of a request whose content follows; returns its stream.
    pub(crate) fn start(&mut self, method: &str, path: &str) -> u32 {
        self.send_target(method, path, 0)
    }

    /// Sends a request without content; returns its stream.
    pub(crate) fn start_ended(&mut self, method: &str, path: &str) -> u32 {
        self.send_target(method, path, flag::END_STREAM)
    }

    fn send_target(&mut self, method: &str, path: &str, flags: u8) -> u32 {
        let target = [(":method", method), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
        self.send_head(&target, flags)
    }

    /// Sends the head of a request; returns its stream.
    pub(crate) fn send_head(&mut self, head: &[(&str, &str)], flags: u8) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        self.wire.send_octets(&headers(stream, flags, head));
        stream
    }

    /// Sends RST_STREAM.
    pub(crate) fn reset(&mut self, stream: u32, code: u32) {
        self.wire.send_octets(&rst_stream(stream, code));
    }

    /// Waits for a frame of a kind on a stream.
    #[track_caller]
    pub(crate) fn next(&mut self, kind: u8, stream: u32) -> Frame {
        self.next_of(&[kind], stream)
    }

    #[track_caller]
    fn next_of(&mut self, kinds: &[u8], stream: u32) -> Frame {
        let wanted = |frame: &Frame| kinds.contains(&frame.kind) && frame.stream == stream;
        if let Some(at) = self.passed.iter().position(wanted) {
            return self.passed.remove(at);
        }
        loop {
            let frame = self.wire.receive().expect("the connection remains open");
            if wanted(&frame) {
                return frame;
            }
            if frame.stream != 0 || frame.kind == kind::GOAWAY {
                self.passed.push(frame);
            }
        }
    }

    /// Waits for RST_STREAM, and returns its error code.
    #[track_caller]
    pub(crate) fn reset_of(&mut self, stream: u32) -> u32 {
        self.next(kind::RST_STREAM, stream).number(0)
    }

    /// Waits for the end of a stream; returns whether it was reset or answered with an error status.
    #[track_caller]
    pub(crate) fn is_refused(&mut self, stream: u32) -> bool {
        loop {
            let frame = self.next_of(&[kind::HEADERS, kind::DATA, kind::RST_STREAM], stream);
            match frame.kind {
                kind::RST_STREAM => return true,
                kind::HEADERS => {
                    let fields = fields_of(&frame);
                    if frame.flags & flag::END_STREAM != 0 {
                        return !fields.iter().any(|field| field.starts_with(":status: 2"));
                    }
                }
                _ if frame.flags & flag::END_STREAM != 0 => return false,
                _ => {}
            }
        }
    }

    /// Waits for the head of a response.
    #[track_caller]
    pub(crate) fn head(&mut self, stream: u32) -> Response {
        let frame = self.next_of(&[kind::HEADERS, kind::RST_STREAM], stream);
        let fields = fields_of(&frame);
        Response { fields, is_head_alone: frame.flags & flag::END_STREAM != 0, ..Response::default() }
    }

    /// Waits for the end of a response, and replenishes both windows as content arrives.
    #[track_caller]
    pub(crate) fn response(&mut self, stream: u32) -> Response {
        let mut response = self.head(stream);
        let mut ended = response.is_head_alone;
        while !ended {
            let frame = self.next_of(&[kind::DATA, kind::HEADERS, kind::RST_STREAM], stream);
            ended = frame.flags & flag::END_STREAM != 0;
            if frame.kind != kind::DATA {
                response.trailers = Some(fields_of(&frame));
            } else if !frame.payload.is_empty() {
                self.wire.widen_windows(stream, frame.payload.len());
                response.content.extend(frame.payload);
            }
        }
        response
    }
}
