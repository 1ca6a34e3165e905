//! Invariants of a connection that hold between any two calls.

use crate::connection::Connection;
use crate::settings::DEFAULT_WINDOW;
use crate::stream::State;

/// Asserts that redundant state is consistent and that no state remains for streams that are gone.
#[track_caller]
pub(super) fn check(engine: &Connection) {
    let streams: Vec<_> = engine.streams.iter().collect();
    let count = |holds: &dyn Fn(&crate::stream::Stream) -> bool| {
        streams.iter().filter(|stream| holds(stream)).count()
    };

    let counts = &engine.counts;
    assert_eq!(counts.local, count(&|stream| stream.state.counts() && engine.is_local(stream.id)), "local");
    assert_eq!(counts.peer, count(&|stream| stream.state.counts() && !engine.is_local(stream.id)), "peer");
    assert_eq!(counts.promised, count(&|stream| stream.state.is_reserved()), "promised");
    assert_eq!(counts.app_owned, count(&|stream| stream.app_owned && !engine.is_local(stream.id)), "held");
    assert_eq!(
        count(&|stream| stream.released && stream.is_closed()),
        0,
        "closed and released streams must be removed"
    );
    assert_eq!(
        count(&|stream| !stream.released && !stream.app_owned && stream.waiting.is_none()),
        0,
        "every stream must be held, waiting or released"
    );

    let waits = |stream: &crate::stream::Stream| stream.waiting.is_some();
    assert_eq!(
        engine.pending_accept.len(),
        count(&|stream| waits(stream) && stream.state != State::Idle),
        "arriving"
    );
    assert_eq!(
        engine.pending_open.len(),
        count(&|stream| waits(stream) && stream.state == State::Idle),
        "opening"
    );
    let content: usize = streams.iter().map(|stream| stream.send.content.len()).sum();
    assert_eq!(engine.content_waiting, content, "content waiting to be sent");
    assert_eq!(engine.lingering.len(), count(&|stream| stream.linger.is_some()), "lingering");
    assert_eq!(engine.blocked.len(), count(&|stream| stream.send.blocked_since.is_some()), "blocked");
    assert_eq!(engine.scheduler.len(), count(&|stream| stream.send.scheduled), "scheduled");
    let lost = |stream: &crate::stream::Stream| {
        let waits =
            stream.send.scheduled || stream.send.blocked_since.is_some() || stream.state == State::Idle;
        !stream.send.content.is_empty() && !waits
    };
    assert_eq!(count(&lost), 0, "content that will never be sent");

    if engine.close_reason.is_some() {
        assert_eq!(count(&|stream| !stream.is_closed()), 0, "the connection has ended");
    } else if engine.reader.is_between_frames() && !engine.config.manual_window_update {
        let unread: usize = streams.iter().map(|stream| stream.recv.content.len()).sum();
        assert_eq!(
            engine.window.parts(DEFAULT_WINDOW).1 as usize,
            unread,
            "unread content occupies the window"
        );
    }
}
