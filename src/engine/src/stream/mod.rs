//! Streams: their life, their content on its way in both directions, and how they are found.

mod chunks;
mod state;
mod store;

pub(crate) use chunks::Chunks;
pub use state::State;
pub(crate) use state::Transition;
pub(crate) use store::Store;

use crate::error::StreamError;
use crate::fields::FieldSection;
use crate::flow::ReceiveWindow;
use crate::frame::StreamId;
use crate::message::{ContentLength, MethodKind};
use crate::priority::Priority;
use crate::scheduler::Place;
use crate::time::Time;

/// What the peer's message lacks (RFC 9113, 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The head: of a response, after any number of informational ones.
    Head,
    /// Content, trailers, or the end.
    Content,
    /// Nothing: END_STREAM has come.
    Nothing,
}

/// How our message ends, once it is known (RFC 9113, 8.1).
#[derive(Debug, Default)]
pub(crate) enum Ending {
    /// More content may follow.
    #[default]
    Open,
    /// END_STREAM on the last DATA.
    EndStream,
    /// A trailer section after the last DATA.
    Trailers(Box<FieldSection>),
    /// It was handed to the transport.
    Sent,
}

/// How a stream came to be closed, which decides how late frames are answered (RFC 9113, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedBy {
    /// END_STREAM in both directions.
    EndStream,
    /// RST_STREAM from here: what the peer sent before it knew is ignored.
    LocalReset,
    /// RST_STREAM from the peer.
    PeerReset,
    /// The peer opened a higher one while it was idle (RFC 9113, 5.1.1).
    Skipped,
}

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    pub(crate) state: State,
    pub(crate) closed_by: ClosedBy,
    /// Why it ended before its time.
    pub(crate) error: Option<StreamError>,
    pub(crate) method: MethodKind,

    /// The caller has it, so it takes one of our slots even when it is closed on the wire.
    pub(crate) held: bool,
    /// The caller is done with it: it goes once it is closed.
    pub(crate) released: bool,
    /// A head that waits: a request for a slot with the caller, or with the peer.
    pub(crate) waiting: Option<Box<WaitingHead>>,
    /// The rest of the peer's message is read only to be dropped.
    pub(crate) linger: Option<Linger>,

    pub(crate) recv: Receiving,
    pub(crate) send: Sending,

    pub(crate) priority: Priority,
    /// Whether anybody has asked for that priority.
    pub(crate) prioritized: bool,
    /// CONNECT has succeeded: only DATA may follow (RFC 9113, 8.5; RFC 8441, 5).
    pub(crate) tunnel: bool,
    /// `:authority` of our request, empty if it has none. Only where pushes were wanted when it was made.
    pub(crate) authority: Option<Box<[u8]>>,
}

/// A head that could not be handed on at once.
#[derive(Debug)]
pub(crate) struct WaitingHead {
    pub(crate) head: FieldSection,
    pub(crate) end_stream: bool,
    /// The caller has asked for another priority since.
    pub(crate) reprioritized: bool,
}

/// How much longer a message is read that nobody wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    pub(crate) until: Time,
    /// Bytes of content.
    pub(crate) left: u32,
}

/// The peer's message.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) expect: Expect,
    /// Content that the caller has not read.
    pub(crate) content: Chunks,
    pub(crate) trailers: Option<Box<FieldSection>>,
    pub(crate) length: ContentLength,
    pub(crate) window: ReceiveWindow,
    /// The size of all informational responses so far.
    pub(crate) informational: usize,
    pub(crate) wake: Wake,
}

/// When the caller is told that there is something to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It has found something since it was told last.
    Off,
    /// It has not looked yet, and is told when the first content comes.
    First,
    /// It has found nothing, and is told when anything comes.
    Asked,
}

/// Our message.
#[derive(Debug)]
pub(crate) struct Sending {
    /// Whether the head of the message was sent.
    pub(crate) head_sent: bool,
    /// Content that the transport has not taken.
    pub(crate) content: Chunks,
    pub(crate) ending: Ending,
    pub(crate) length: ContentLength,
    /// The send window, less the peer's SETTINGS_INITIAL_WINDOW_SIZE: so that a change of it costs nothing here.
    pub(crate) window_delta: i64,
    /// It stands in the scheduler.
    pub(crate) scheduled: bool,
    /// It has content that the window of the stream does not allow, and stands among those that may stall since then.
    pub(crate) blocked_since: Option<Time>,
    /// Since when it has stalled: less than [`PROGRESS`] was sent since it was blocked.
    pub(crate) stall: Option<Stall>,
    /// The caller found no room, and is to be told when there is some.
    pub(crate) starved: bool,
}

/// Bytes that end a stall: less may be a drip that keeps memory taken.
const PROGRESS: usize = 1 << 10;

/// A time in which too little was taken of what waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) since: Time,
    sent: usize,
}

impl Stall {
    pub(crate) fn new(since: Time) -> Self {
        Self { since, sent: 0 }
    }

    /// `bytes` were taken: the stall, unless that ends it.
    pub(crate) fn after(self, bytes: usize) -> Option<Self> {
        let sent = self.sent.saturating_add(bytes);
        (sent < PROGRESS).then_some(Self { sent, ..self })
    }
}

impl Stream {
    pub(crate) fn new(id: StreamId, state: State, method: MethodKind, window: ReceiveWindow) -> Self {
        Self {
            id,
            state,
            closed_by: ClosedBy::EndStream,
            error: None,
            method,
            held: false,
            released: false,
            waiting: None,
            linger: None,
            recv: Receiving {
                expect: Expect::Head,
                content: Chunks::default(),
                trailers: None,
                length: ContentLength::Unknown,
                window,
                informational: 0,
                wake: Wake::First,
            },
            send: Sending {
                head_sent: false,
                content: Chunks::default(),
                ending: Ending::Open,
                length: ContentLength::Unknown,
                window_delta: 0,
                scheduled: false,
                blocked_since: None,
                stall: None,
                starved: false,
            },
            priority: Priority::default(),
            prioritized: false,
            tunnel: false,
            authority: None,
        }
    }

    /// How much content may yet come from the peer, if that is known.
    pub(crate) fn awaited(&self) -> Option<u64> {
        match self.recv.expect {
            _ if self.is_closed() => Some(0),
            Expect::Head => None,
            Expect::Content => self.recv.length.rest(),
            Expect::Nothing => Some(0),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Where it stands among others. RFC 9218, 4.2 has whole messages as the default; but where nobody has asked
    /// for anything, one endless message must not keep all others waiting.
    pub(crate) fn place(&self) -> Place {
        let shared = !self.prioritized || self.priority.is_incremental();
        Place { urgency: self.priority.urgency(), shared }
    }

    /// Whether so much of a send buffer of `limit` bytes is free that the caller is to hear of it.
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.held && !self.is_closed() && self.can_take_content() && self.send.content.len() <= limit / 2
    }

    /// Whether our message has neither been ended nor broken off.
    pub(crate) fn can_take_content(&self) -> bool {
        self.send.head_sent && matches!(self.send.ending, Ending::Open)
    }
}
