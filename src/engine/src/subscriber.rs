//! Observation of a connection from outside.

use crate::fields::FieldSection;
use crate::frame::{FrameHeader, StreamId};
use crate::stream::State;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From this endpoint to the peer.
    Sent,
    /// From the peer to this endpoint.
    Received,
}

/// Is told what passes through a connection, and can change nothing. All methods do nothing by default.
///
/// A connection without a subscriber spends one comparison a frame on it.
pub trait Subscriber {
    /// A frame was received or sent. Of DATA, `payload` is what was there when its header came; of other frames
    /// it is everything.
    fn frame(&mut self, direction: Direction, header: FrameHeader, payload: &[u8]) {
        let _ = (direction, header, payload);
    }

    /// The field section of HEADERS or PUSH_PROMISE: told after the frames that were received, before those
    /// that are sent.
    fn fields(&mut self, direction: Direction, stream: StreamId, section: &FieldSection) {
        let _ = (direction, stream, section);
    }

    /// A stream changed its state (RFC 9113, 5.1).
    fn transition(&mut self, stream: StreamId, from: State, to: State) {
        let _ = (stream, from, to);
    }

    /// A limit was reached, for the reason given.
    fn limit(&mut self, reason: &'static str) {
        let _ = reason;
    }
}
