//! The flow-control credit of the peer on one stream.

use http2_test_support::Frame;
use http2_test_support::kind;

/// The windows of a stream and of its connection (RFC 9113, 6.9), starting at the default settings.
pub(crate) struct Credit {
    stream: u32,
    of_stream: usize,
    of_connection: usize,
}

impl Credit {
    pub(crate) fn new(stream: u32) -> Self {
        Self { stream, of_stream: 256 << 10, of_connection: 1 << 20 }
    }

    /// The number of bytes that may be sent now.
    pub(crate) fn left(&self) -> usize {
        self.of_stream.min(self.of_connection)
    }

    /// Subtracts bytes sent.
    pub(crate) fn spend(&mut self, octets: usize) {
        assert!(octets <= self.left(), "the window has run out: {} bytes are left", self.left());
        self.of_stream -= octets;
        self.of_connection -= octets;
    }

    /// Adds the credit in these frames.
    pub(crate) fn receive(&mut self, frames: &[Frame]) {
        for frame in frames.iter().filter(|frame| frame.kind == kind::WINDOW_UPDATE) {
            match frame.stream {
                0 => self.of_connection += frame.number(0) as usize,
                stream if stream == self.stream => self.of_stream += frame.number(0) as usize,
                _ => {}
            }
        }
    }
}
