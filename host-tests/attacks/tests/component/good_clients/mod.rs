//! Good clients: heavy use that is legal. None is closed, slowed or refused.

mod browsers;
mod cancelling;
mod grpc;
mod long_lived;
mod readers;

use std::collections::BTreeMap;
use std::time::Duration;

use http2_conformance::frame::{code, flag, headers, kind, ping, window_update};
use http2_conformance::received::Frame;

use crate::harness::{Endpoint, Manner, SHORT, Server};

/// The most that the abuse score may come to: a quarter of its limit.
const SCORE: u64 = 500;

/// A client that keeps to the rules. Whatever it does, the server has to go on as if nothing were.
struct Client {
    server: Endpoint<Server>,
    /// How long octets take to the server and back.
    round_trip: Duration,
    next: u32,
    /// Octets of content in each response, where that is always the same.
    length: Option<usize>,
    /// Streams on which a response is due, and how many octets of its content have come.
    waiting: BTreeMap<u32, usize>,
    /// Responses that have come whole.
    complete: u64,
}

impl Client {
    /// A client of an application that deals with requests like that, and answers with a short response unless it says
    /// otherwise.
    fn new(manner: Manner) -> Self {
        Self::with(&[], manner)
    }

    /// A client of a server with these settings.
    fn with(options: &[(u16, u32)], manner: Manner) -> Self {
        let mut server = Endpoint::server_with(options, manner);
        // As browsers do: the windows of the streams are what limits.
        server.send(&window_update(0, 15 << 20));
        server.begin();
        let length = match manner {
            Manner::Answers(octets) => Some(octets),
            Manner::Echoes => None,
            _ => Some(SHORT),
        };
        let (waiting, round_trip) = (BTreeMap::new(), Duration::from_millis(20));
        Self { server, round_trip, next: 1, length, waiting, complete: 0 }
    }

    fn round_trip(self, round_trip: Duration) -> Self {
        Self { round_trip, ..self }
    }

    /// Requests without content, a response to each of which is due.
    fn requests(&mut self, count: usize, fields: &[(&str, &str)]) -> Vec<u8> {
        (0..count).flat_map(|_| self.request(flag::END_STREAM, fields)).collect()
    }

    /// The head of a request.
    fn request(&mut self, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
        let stream = self.next;
        self.next += 2;
        self.waiting.insert(stream, 0);
        headers(stream, flags, fields)
    }

    /// Sends octets; a round trip later the answer is there.
    fn exchange(&mut self, octets: &[u8]) -> Vec<Frame> {
        self.server.instance.sleep(self.round_trip);
        let frames = self.server.send(octets);
        self.look_at(&frames);
        frames
    }

    /// What comes is what was asked for, and no word of an end.
    fn look_at(&mut self, frames: &[Frame]) {
        for frame in frames {
            assert_ne!(frame.kind, kind::GOAWAY, "the connection is shut down with code {}", frame.number(4));
            let waits = self.waiting.contains_key(&frame.stream);
            // A response that is whole may come before the request is: then the rest is not wanted (RFC 9113, 8.1).
            let is_refused = frame.kind == kind::RST_STREAM && (waits || frame.number(0) != code::NO_ERROR);
            assert!(!is_refused, "stream {} is reset with code {}", frame.stream, frame.number(0));
            if let Some(received) = self.waiting.get_mut(&frame.stream) {
                *received += if frame.kind == kind::DATA { frame.payload.len() } else { 0 };
            }
            if frame.ends_stream()
                && let Some(received) = self.waiting.remove(&frame.stream)
            {
                assert!(self.length.is_none_or(|length| received == length), "{received} octets of content");
                self.complete += 1;
            }
        }
    }

    /// All responses have come, without another round trip.
    fn assert_served(&self) {
        assert!(self.waiting.is_empty(), "{} requests are not answered", self.waiting.len());
    }

    /// Nothing has become of it all.
    fn end(mut self) {
        self.assert_served();
        let pong = self.exchange(&ping(*b"anybody?"));
        assert!(pong.iter().any(|frame| frame.kind == kind::PING && frame.payload == b"anybody?"));
        let score = self.server.instance.stat("abuse_score_peak");
        assert!(score <= SCORE, "an abuse score of {score}");
    }
}
