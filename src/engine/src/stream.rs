//! Streams: their states, their content in both directions, and their storage.

mod chunks;
mod set;
mod state;
mod store;

pub(crate) use chunks::Chunks;
pub(crate) use set::{Streams, Transitioned};
pub use state::State;
pub(crate) use state::Transition;

use crate::error::StreamError;
use crate::fields::FieldSection;
use crate::flow::ReceiveWindow;
use crate::frame::StreamId;
use crate::message::{ContentLength, MethodKind};
use crate::priority::Priority;
use crate::scheduler::Place;
use crate::time::Time;
use state::CurrentState;

/// The part of the peer's message that is expected next (RFC 9113, 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// The head; for a response, after any number of informational ones.
    Head,
    /// Content, trailers, or the end.
    Content,
    /// Nothing: END_STREAM has arrived.
    Nothing,
}

/// The end of the local message, once it is known (RFC 9113, 8.1).
#[derive(Debug, Default)]
pub(crate) enum Ending {
    /// More content may follow.
    #[default]
    Open,
    /// END_STREAM on the last DATA.
    EndStream,
    /// A trailer section after the last DATA.
    Trailers(Box<FieldSection>),
    /// The end was sent.
    Sent,
}

/// How a stream was closed, which decides how late frames are answered (RFC 9113, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedBy {
    /// END_STREAM in both directions.
    EndStream,
    /// RST_STREAM from this endpoint: frames that the peer sent before it knew are ignored.
    LocalReset,
    /// RST_STREAM from the peer.
    PeerReset,
    /// The peer opened a higher stream while this one was idle (RFC 9113, 5.1.1).
    Skipped,
}

/// A stream.
#[derive(Debug)]
pub(crate) struct Stream {
    id: StreamId,
    state: CurrentState,
    closed_by: ClosedBy,
    /// Why the stream ended early.
    pub(crate) error: Option<StreamError>,
    pub(crate) method: MethodKind,

    /// Whether the caller holds the stream, which then occupies a slot even if it is closed on the wire.
    app_owned: bool,
    /// Whether the caller has released the stream, which is then removed once it is closed.
    released: bool,
    /// The head of a request that waits: for a slot with the caller, or for the peer's limit.
    waiting: Option<Box<WaitingHead>>,
    /// Limits on reading the rest of the peer's message, if that is discarded.
    pub(crate) linger: Option<Linger>,

    pub(crate) recv: Receiving,
    pub(crate) send: Sending,

    pub(crate) priority: Priority,
    /// Whether an endpoint has asked for `priority`.
    pub(crate) prioritized: bool,
    /// Whether CONNECT has succeeded: only DATA may follow (RFC 9113, 8.5; RFC 8441, 5).
    pub(crate) tunnel: bool,
    /// `:authority` of the local request, empty if it has none; recorded only if push was enabled at the time.
    pub(crate) authority: Option<Box<[u8]>>,
}

/// The head of a request that waits.
#[derive(Debug)]
pub(crate) struct WaitingHead {
    pub(crate) head: FieldSection,
    pub(crate) end_stream: bool,
    /// Whether the caller has set another priority since.
    pub(crate) reprioritized: bool,
}

impl WaitingHead {
    pub(crate) fn new(head: FieldSection, end_stream: bool) -> Self {
        Self { head, end_stream, reprioritized: false }
    }
}

/// Limits on reading a message that the caller does not want.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    /// The deadline, which content postpones.
    pub(crate) until: Time,
    /// The deadline that nothing postpones.
    pub(crate) latest: Time,
    /// Bytes of content that may still be read.
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
    /// Total size of the informational responses so far, in bytes.
    pub(crate) informational: usize,
    pub(crate) wake: Wake,
}

/// When to tell the caller that the stream is readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Not now: the caller was told, and has found something on each read since.
    Off,
    /// When the first content arrives: the caller has not read yet.
    First,
    /// When anything arrives: the caller has found nothing.
    Asked,
}

/// The local message.
#[derive(Debug)]
pub(crate) struct Sending {
    /// Whether the head of the message was sent.
    pub(crate) head_sent: bool,
    /// Content that was not handed to the transport.
    pub(crate) content: Chunks,
    pub(crate) ending: Ending,
    pub(crate) length: ContentLength,
    /// The send window minus the peer's SETTINGS_INITIAL_WINDOW_SIZE, whose changes therefore need no update here.
    pub(crate) window_delta: i64,
    /// Whether the stream is in the scheduler.
    pub(crate) scheduled: bool,
    /// The stream's place among the blocked streams, if its content exceeds its window: the start of the stall.
    pub(crate) blocked_since: Option<Time>,
    /// The current stall: less than [`PROGRESS`] was sent since the stream was blocked.
    pub(crate) stall: Option<Stall>,
    /// Whether the caller found no room, and awaits an event when there is some.
    pub(crate) notify_writable: bool,
}

/// Bytes that end a stall; fewer may be a trickle that keeps memory occupied.
const PROGRESS: usize = 1 << 10;

/// A period in which too little of the pending data was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) since: Time,
    sent: usize,
}

impl Stall {
    pub(crate) fn new(since: Time) -> Self {
        Self { since, sent: 0 }
    }

    /// Returns the stall after `bytes` more were taken, or `None` if they end it.
    pub(crate) fn after(self, bytes: usize) -> Option<Self> {
        let sent = self.sent.saturating_add(bytes);
        (sent < PROGRESS).then_some(Self { sent, ..self })
    }
}

impl Stream {
    /// Creates an idle stream.
    pub(crate) fn new(id: StreamId, method: MethodKind) -> Self {
        Self {
            id,
            state: CurrentState::default(),
            closed_by: ClosedBy::EndStream,
            error: None,
            method,
            app_owned: false,
            released: false,
            waiting: None,
            linger: None,
            recv: Receiving {
                expect: Expect::Head,
                content: Chunks::default(),
                trailers: None,
                length: ContentLength::Unknown,
                window: ReceiveWindow::new(0),
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
                notify_writable: false,
            },
            priority: Priority::default(),
            prioritized: false,
            tunnel: false,
            authority: None,
        }
    }

    /// Returns the bytes of content still to come from the peer, if known.
    pub(crate) fn awaited(&self) -> Option<u64> {
        match self.recv.expect {
            _ if self.is_closed() => Some(0),
            Expect::Head => None,
            Expect::Content => self.recv.length.rest(),
            Expect::Nothing => Some(0),
        }
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    pub(crate) fn state(&self) -> State {
        self.state.get()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state() == State::Closed
    }

    /// Returns whether the stream has ended with END_STREAM in both directions.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_closed() && self.closed_by == ClosedBy::EndStream
    }

    /// Returns whether the caller holds the stream.
    pub(crate) fn is_app_owned(&self) -> bool {
        self.app_owned
    }

    /// Returns whether the caller has released the stream.
    pub(crate) fn is_released(&self) -> bool {
        self.released
    }

    /// Returns the head of a request that waits.
    pub(crate) fn waiting_mut(&mut self) -> Option<&mut WaitingHead> {
        self.waiting.as_deref_mut()
    }

    /// Sets the priority that an endpoint has asked for.
    pub(crate) fn prioritize(&mut self, priority: Priority) {
        self.priority = priority;
        self.prioritized = true;
    }

    /// Returns the place of the stream in the scheduler.
    ///
    /// RFC 9218, 4.2 treats messages as useful only as a whole by default. But if no endpoint has asked for a
    /// priority, one endless message must not keep all others waiting.
    pub(crate) fn place(&self) -> Place {
        let shared = !self.prioritized || self.priority.is_incremental();
        Place { urgency: self.priority.urgency(), shared }
    }

    /// Returns whether so much of a send buffer of `limit` bytes is free that the caller is to be told.
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.app_owned && !self.is_closed() && self.can_take_content() && self.send.content.len() <= limit / 2
    }

    /// Returns whether the local message has begun and not ended.
    pub(crate) fn can_take_content(&self) -> bool {
        self.send.head_sent && matches!(self.send.ending, Ending::Open)
    }
}
