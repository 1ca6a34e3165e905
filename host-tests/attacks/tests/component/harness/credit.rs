//! What a peer may send on a stream.

use http2_conformance::frame::kind;
use http2_conformance::received::Frame;

/// The windows of a stream and of its connection (RFC 9113, 6.9), as the default settings begin them.
pub(crate) struct Credit {
    stream: u32,
    of_stream: usize,
    of_connection: usize,
}

impl Credit {
    pub(crate) fn new(stream: u32) -> Self {
        Self { stream, of_stream: 256 << 10, of_connection: 1 << 20 }
    }

    /// Octets that may be sent now.
    pub(crate) fn left(&self) -> usize {
        self.of_stream.min(self.of_connection)
    }

    /// So many octets are sent.
    pub(crate) fn spend(&mut self, octets: usize) {
        assert!(octets <= self.left(), "the window has run out: {} are left", self.left());
        self.of_stream -= octets;
        self.of_connection -= octets;
    }

    /// Takes the credit among these frames.
    pub(crate) fn hear(&mut self, frames: &[Frame]) {
        for frame in frames.iter().filter(|frame| frame.kind == kind::WINDOW_UPDATE) {
            match frame.stream {
                0 => self.of_connection += frame.number(0) as usize,
                stream if stream == self.stream => self.of_stream += frame.number(0) as usize,
                _ => {}
            }
        }
    }
}
