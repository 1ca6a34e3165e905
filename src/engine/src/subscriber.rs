//! Observation of a connection.

use crate::abuse::AbuseCause;
use crate::fields::FieldSection;
use crate::frame::{FrameHeader, StreamId};
use crate::stream::State;

/// The direction of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From this endpoint to the peer.
    Sent,
    /// From the peer to this endpoint.
    Received,
}

/// Observes the traffic of a connection, without influence on it.
///
/// All methods do nothing by default. Without a subscriber, a connection spends one comparison per frame.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::{Arc, Mutex};
/// use http2_engine::{Direction, FrameHeader, FrameType, Subscriber};
///
/// /// Records the types of the frames sent.
/// struct Sent(Arc<Mutex<Vec<FrameType>>>);
///
/// impl Subscriber for Sent {
///     fn frame(&mut self, direction: Direction, header: FrameHeader, _payload: &[u8]) {
///         if direction == Direction::Sent {
///             self.0.lock().unwrap().push(header.kind);
///         }
///     }
/// }
///
/// # let (mut client, _) = pair();
/// let sent = Arc::default();
/// client.set_subscriber(Box::new(Sent(Arc::clone(&sent))));
/// client.open(&request("GET"), true)?;
/// // The connection preface, which raises the window of the connection, and the request.
/// let expected = [FrameType::SETTINGS, FrameType::WINDOW_UPDATE, FrameType::HEADERS];
/// assert_eq!(*sent.lock().unwrap(), expected);
/// # Ok(())
/// # }
/// ```
pub trait Subscriber {
    /// A frame was received or sent.
    ///
    /// `payload` is complete, except that for received DATA it may hold only the bytes that arrived with the frame
    /// header.
    fn frame(&mut self, direction: Direction, header: FrameHeader, payload: &[u8]) {
        let _ = (direction, header, payload);
    }

    /// The field section of HEADERS or PUSH_PROMISE was received or is being sent.
    ///
    /// The call comes after the frames of a received section, and before those of a sent one.
    fn fields(&mut self, direction: Direction, stream: StreamId, section: &FieldSection) {
        let _ = (direction, stream, section);
    }

    /// A stream changed its state (RFC 9113, 5.1).
    fn transition(&mut self, stream: StreamId, from: State, to: State) {
        let _ = (stream, from, to);
    }

    /// The abuse score reached three quarters of its limit ([`Event::Abuse`](crate::Event::Abuse)), or the limit itself,
    /// which ends the connection.
    fn limit(&mut self, cause: AbuseCause) {
        let _ = cause;
    }
}
