//! Frames, states and limits as `tracing` events.

use http2_engine::{AbuseCause, Direction, FieldSection, FrameHeader, State, StreamId, Subscriber};
use tracing::{Level, debug, enabled, trace, warn};

/// Shows a connection as `tracing` events: frames and states at the level TRACE, field sections at DEBUG, limits at
/// WARN.
///
/// Field values can be secret, so that only names are shown. Attach it with
/// [`Control::set_subscriber`](crate::Control::set_subscriber).
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace;

impl Subscriber for Trace {
    fn frame(&mut self, direction: Direction, header: FrameHeader, _: &[u8]) {
        trace!(
            ?direction,
            kind = header.kind.name().unwrap_or("unknown"),
            stream = header.stream_id.as_u32(),
            flags = header.flags,
            length = header.length,
            "frame"
        );
    }

    fn fields(&mut self, direction: Direction, id: StreamId, section: &FieldSection) {
        if enabled!(Level::DEBUG) {
            let names: Vec<_> =
                section.iter().map(|field| String::from_utf8_lossy(field.name).into_owned()).collect();
            debug!(
                ?direction,
                stream = id.as_u32(),
                status = section.status(),
                fields = names.join(" "),
                "fields"
            );
        }
    }

    fn transition(&mut self, id: StreamId, from: State, to: State) {
        trace!(stream = id.as_u32(), ?from, ?to, "transition");
    }

    fn limit(&mut self, cause: AbuseCause) {
        warn!(cause = cause.reason(), "limit");
    }
}
