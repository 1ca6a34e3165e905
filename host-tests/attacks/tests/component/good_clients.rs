//! Good clients: heavy but legal use that is never closed, slowed or refused.

mod browsers;
mod cancelling;
mod grpc;
mod long_lived;
mod readers;

use std::collections::BTreeMap;
use std::time::Duration;

use http2_test_support::Frame;
use http2_test_support::{code, flag, headers, kind, ping, window_update};

use crate::harness::{Behaviour, Endpoint, SHORT, Server};

/// The highest abuse score allowed: a quarter of its limit.
const SCORE: u64 = 500;

/// A client that obeys the protocol; the server must serve it without any restriction.
struct Client {
    server: Endpoint<Server>,
    /// The time that bytes take to the server and back.
    round_trip: Duration,
    next: u32,
    /// The content length of each response, if it is always the same.
    length: Option<usize>,
    /// Streams whose response is outstanding, and the bytes of content received on each.
    waiting: BTreeMap<u32, usize>,
    /// The number of complete responses.
    complete: u64,
}

impl Client {
    /// Creates a client of a server whose application handles requests in this way, with short responses
    /// unless the behaviour says otherwise.
    fn new(behaviour: Behaviour) -> Self {
        Self::with(&[], behaviour)
    }

    /// Creates a client of a server with these settings.
    fn with(options: &[(u16, u32)], behaviour: Behaviour) -> Self {
        let mut server = Endpoint::server_with(options, behaviour);
        // Browsers do this, so that only the stream windows limit content.
        server.send(&window_update(0, 15 << 20));
        server.begin();
        let length = match behaviour {
            Behaviour::Answers(octets) => Some(octets),
            Behaviour::Echoes => None,
            _ => Some(SHORT),
        };
        let (waiting, round_trip) = (BTreeMap::new(), Duration::from_millis(20));
        Self { server, round_trip, next: 1, length, waiting, complete: 0 }
    }

    fn round_trip(self, round_trip: Duration) -> Self {
        Self { round_trip, ..self }
    }

    /// Requests without content; registers their responses as outstanding.
    fn requests(&mut self, count: usize, fields: &[(&str, &str)]) -> Vec<u8> {
        (0..count).flat_map(|_| self.request(flag::END_STREAM, fields)).collect()
    }

    /// The head of a request; registers its response as outstanding.
    fn request(&mut self, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
        let stream = self.next;
        self.next += 2;
        self.waiting.insert(stream, 0);
        headers(stream, flags, fields)
    }

    /// Sends bytes, and returns the answer, one round trip later.
    fn exchange(&mut self, octets: &[u8]) -> Vec<Frame> {
        self.server.instance.sleep(self.round_trip);
        let frames = self.server.send(octets);
        self.check(&frames);
        frames
    }

    /// Checks that the frames are the expected ones, and that none announces an end.
    fn check(&mut self, frames: &[Frame]) {
        for frame in frames {
            assert_ne!(frame.kind, kind::GOAWAY, "the server sent GOAWAY with code {}", frame.number(4));
            let waits = self.waiting.contains_key(&frame.stream);
            // The server may complete a response before the request; then it asks the client to stop sending
            // (RFC 9113, 8.1).
            let is_refused = frame.kind == kind::RST_STREAM && (waits || frame.number(0) != code::NO_ERROR);
            assert!(!is_refused, "stream {} is reset with code {}", frame.stream, frame.number(0));
            if let Some(received) = self.waiting.get_mut(&frame.stream) {
                *received += if frame.kind == kind::DATA { frame.payload.len() } else { 0 };
            }
            if frame.ends_stream()
                && let Some(received) = self.waiting.remove(&frame.stream)
            {
                assert!(self.length.is_none_or(|length| received == length), "{received} bytes of content");
                self.complete += 1;
            }
        }
    }

    /// Checks that all responses have arrived, without another round trip.
    fn assert_served(&self) {
        assert!(self.waiting.is_empty(), "{} requests are unanswered", self.waiting.len());
    }

    /// Checks that the client has left no abuse score above the allowed one.
    fn end(mut self) {
        self.assert_served();
        let pong = self.exchange(&ping(*b"anybody?"));
        assert!(pong.iter().any(|frame| frame.kind == kind::PING && frame.payload == b"anybody?"));
        let score = self.server.instance.stat("abuse_score_peak");
        assert!(score <= SCORE, "an abuse score of {score}");
    }
}
