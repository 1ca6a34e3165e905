//! What the engine's types are in frames, which the observers read without the engine.

use http2_engine::{Role, StreamId};
use http2_test_support::{Frames, Header};

/// Splits the output of an endpoint of this role, from its first byte on.
pub fn frames_of(sender: Role) -> Frames {
    match sender {
        Role::Client => Frames::from_client(),
        Role::Server => Frames::from_server(),
    }
}

/// The stream of a frame.
///
/// # Panics
///
/// Panics if the reserved bit is set, which no engine does.
pub fn stream_id(header: Header) -> StreamId {
    StreamId::new(header.stream).expect("the reserved bit is clear")
}
