//! Good clients: heavy use that is legal. None is closed, slowed or refused.

mod browsers;
mod cancelling;
mod grpc;
mod long_lived;
mod readers;

use std::collections::BTreeSet;
use std::time::Duration;

use http2_conformance::frame::{code, flag, headers, kind, ping, window_update};
use http2_conformance::received::Frame;

use crate::harness::{Endpoint, Manner, Server};

/// The most that the abuse score may come to: a quarter of its limit.
const SCORE: u64 = 500;
/// The most that the early resets may come to in the end: a quarter of their limit.
const EARLY_RESETS: u64 = 500;

/// A client that keeps to the rules. Whatever it does, the server has to go on as if nothing were.
struct Client {
    server: Endpoint<Server>,
    /// How long octets take to the server and back.
    round_trip: Duration,
    next: u32,
    /// Streams on which a response is due.
    waiting: BTreeSet<u32>,
    /// Responses that have come whole.
    complete: u64,
    most_abuse: u64,
}

impl Client {
    fn new(manner: Manner) -> Self {
        Self::with(Endpoint::server(manner))
    }

    fn with(mut server: Endpoint<Server>) -> Self {
        // As browsers do: the windows of the streams are what limits.
        server.send(&window_update(0, 15 << 20));
        server.begin();
        let (waiting, round_trip) = (BTreeSet::new(), Duration::from_millis(20));
        Self { server, round_trip, next: 1, waiting, complete: 0, most_abuse: 0 }
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
        self.waiting.insert(stream);
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
            // A response that is whole may come before the request is: then the rest is not wanted (RFC 9113, 8.1).
            let is_refused = frame.kind == kind::RST_STREAM && frame.number(0) != code::NO_ERROR;
            assert!(!is_refused, "stream {} is reset with code {}", frame.stream, frame.number(0));
            if frame.ends_stream() && self.waiting.remove(&frame.stream) {
                self.complete += 1;
            }
        }
        self.most_abuse = self.most_abuse.max(self.server.instance.stat("abuse_score"));
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
        let early_resets = self.server.instance.stat("early_resets");
        assert!(self.most_abuse <= SCORE, "an abuse score of {}", self.most_abuse);
        assert!(early_resets <= EARLY_RESETS, "{early_resets} early resets");
    }
}
