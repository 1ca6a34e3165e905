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
    /// The caller found nothing, and is to be told when something comes.
    pub(crate) starved: bool,
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
    /// It has content that the window of the stream does not allow, since then.
    pub(crate) blocked_since: Option<Time>,
    /// The caller found no room, and is to be told when there is some.
    pub(crate) starved: bool,
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
            recv: Receiving {
                expect: Expect::Head,
                content: Chunks::default(),
                trailers: None,
                length: ContentLength::Unknown,
                window,
                informational: 0,
                starved: true,
            },
            send: Sending {
                head_sent: false,
                content: Chunks::default(),
                ending: Ending::Open,
                length: ContentLength::Unknown,
                window_delta: 0,
                scheduled: false,
                blocked_since: None,
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

    /// Whether our message has neither been ended nor broken off.
    pub(crate) fn can_take_content(&self) -> bool {
        self.send.head_sent && matches!(self.send.ending, Ending::Open)
    }
}
