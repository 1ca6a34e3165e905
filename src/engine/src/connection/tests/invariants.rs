//! Invariants of a connection that hold between any two calls.

use crate::connection::Connection;
use crate::stream::{State, Stream};

/// Asserts that redundant state is consistent and that no state remains for streams that are gone.
#[track_caller]
pub(super) fn check(engine: &Connection) {
    engine.streams.check();
    engine.sending.check(&engine.streams);

    let streams: Vec<_> = engine.streams.iter().collect();
    let count = |holds: &dyn Fn(&Stream) -> bool| streams.iter().filter(|stream| holds(stream)).count();

    assert_eq!(
        count(&|stream| stream.is_released() && stream.is_closed()),
        0,
        "closed and released streams must be removed"
    );
    assert_eq!(engine.lingering.len(), count(&|stream| stream.lingers()), "lingering");
    let lost = |stream: &Stream| {
        let waits =
            stream.send.scheduled || stream.blocked_since().is_some() || stream.state() == State::Idle;
        !stream.send.content.is_empty() && !waits
    };
    assert_eq!(count(&lost), 0, "content that will never be sent");

    if engine.close_reason.is_some() {
        assert_eq!(count(&|stream| !stream.is_closed()), 0, "the connection has ended");
    } else if engine.reader.is_between_frames() && !engine.config.manual_window_update {
        let unread: usize = streams.iter().map(|stream| stream.recv.content.len()).sum();
        assert_eq!(engine.receiving.parts().1 as usize, unread, "unread content occupies the window");
    }
}
