//! Streams: their states, their content in both directions, and their storage.

mod chunks;
mod set;
mod state;
mod store;

pub(crate) use chunks::Chunks;
pub(crate) use set::{Streams, Transitioned};
pub use state::State;
pub(crate) use state::Transition;

use std::collections::VecDeque;

use bytes::Bytes;

use crate::error::StreamError;
use crate::fields::FieldSection;
use crate::flow::ReceiveWindow;
use crate::frame::StreamId;
use crate::message::{ContentLength, MethodKind};
use crate::priority::Priority;
use crate::scheduler::{Place, Turn};
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// More content may follow.
    #[default]
    Open,
    /// END_STREAM on the last DATA.
    EndStream,
    /// A trailer section after the last DATA.
    Trailers,
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

    pub(crate) recv: Receiving,
    pub(crate) send: Sending,

    pub(crate) priority: Priority,
    /// Whether an endpoint has asked for `priority`.
    pub(crate) prioritized: bool,
    /// Whether CONNECT has succeeded: only DATA may follow (RFC 9113, 8.5; RFC 8441, 5).
    pub(crate) tunnel: bool,
    rare: Option<Box<Rare>>,
}

/// The parts that few streams have, and those only for a time.
#[derive(Debug, Default)]
struct Rare {
    /// The head of a request that waits: for a slot with the caller, or for the peer's limit.
    waiting: Option<Box<WaitingHead>>,
    /// Limits on reading the rest of the peer's message, if that is discarded.
    linger: Option<Linger>,
    /// The peer's trailers, which the caller has not read.
    recv_trailers: Option<Box<FieldSection>>,
    /// Total size of the informational responses so far, in bytes.
    informational: u32,
    /// The content of each DATA frame behind the first unread one, in bytes, if frames are kept apart.
    recv_frames: VecDeque<u32>,
    /// The local trailers, which follow the last DATA.
    send_trailers: Option<Box<FieldSection>>,
    /// `:authority` of the local request, empty if it has none; recorded only if push was enabled at the time.
    authority: Option<Box<[u8]>>,
}

impl Rare {
    fn is_empty(&self) -> bool {
        let Self { waiting, linger, recv_trailers, informational, recv_frames, send_trailers, authority } =
            self;
        waiting.is_none()
            && linger.is_none()
            && recv_trailers.is_none()
            && *informational == 0
            && recv_frames.is_empty()
            && send_trailers.is_none()
            && authority.is_none()
    }
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
    /// The deadline, which content on the connection postpones.
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
    pub(crate) length: ContentLength,
    pub(crate) window: ReceiveWindow,
    pub(crate) wake: Wake,
    /// The unread content of the first DATA frame that has begun to arrive, in bytes, if frames are kept apart.
    frame: u32,
    /// Whether the message has ended with a DATA frame without content.
    pub(crate) has_empty_end: bool,
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
    /// The stream's turn, if it is in the scheduler.
    pub(crate) turn: Turn,
    /// The current stall: less than [`PROGRESS`] was sent since the stream was blocked.
    pub(crate) stall: Option<Stall>,
    /// Whether the caller found no room, and awaits an event when there is some.
    pub(crate) notify_writable: bool,
}

/// Bytes that end a stall; fewer may be a trickle that keeps memory occupied.
const PROGRESS: u32 = 1 << 10;

/// A period in which too little of the pending data was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    pub(crate) since: Time,
    sent: u32,
    /// Whether the stream has content, but no window at all.
    pub(crate) blocked: bool,
}

impl Stall {
    pub(crate) fn new(since: Time) -> Self {
        Self { since, sent: 0, blocked: false }
    }

    /// Returns the stall after `bytes` more were taken, or `None` if they end it.
    pub(crate) fn after(self, bytes: usize) -> Option<Self> {
        let sent = self.sent.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        (sent < PROGRESS).then_some(Self { sent, ..self })
    }
}

impl Stream {
    /// Creates an idle stream.
    pub(crate) fn new(id: StreamId, method: MethodKind) -> Box<Self> {
        Box::new(Self {
            id,
            state: CurrentState::default(),
            closed_by: ClosedBy::EndStream,
            error: None,
            method,
            app_owned: false,
            released: false,
            recv: Receiving {
                expect: Expect::Head,
                content: Chunks::default(),
                length: ContentLength::Unknown,
                window: ReceiveWindow::new(0),
                wake: Wake::First,
                frame: 0,
                has_empty_end: false,
            },
            send: Sending {
                head_sent: false,
                content: Chunks::default(),
                ending: Ending::Open,
                length: ContentLength::Unknown,
                window_delta: 0,
                scheduled: false,
                turn: Turn::default(),
                stall: None,
                notify_writable: false,
            },
            priority: Priority::default(),
            prioritized: false,
            tunnel: false,
            rare: None,
        })
    }

    /// Returns the bytes of content still to come from the peer, if known and below 4 GiB: no window admits more.
    pub(crate) fn awaited(&self) -> Option<u32> {
        match self.recv.expect {
            _ if self.is_closed() => Some(0),
            Expect::Head => None,
            Expect::Content => u32::try_from(self.recv.length.rest()?).ok(),
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

    /// Returns whether the request waits.
    #[cfg(test)]
    pub(crate) fn waits(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.waiting.is_some())
    }

    /// Returns the head of a request that waits.
    pub(crate) fn waiting_mut(&mut self) -> Option<&mut WaitingHead> {
        self.rare.as_mut()?.waiting.as_deref_mut()
    }

    fn take_waiting(&mut self) -> Option<Box<WaitingHead>> {
        self.take_rare(|rare| rare.waiting.take())
    }

    /// Sets the limits on reading the rest of the peer's message, which is to be discarded.
    pub(crate) fn set_linger(&mut self, linger: Linger) {
        self.rare_mut().linger = Some(linger);
    }

    /// Returns the limits on reading a message that is discarded.
    pub(crate) fn linger_mut(&mut self) -> Option<&mut Linger> {
        self.rare.as_mut()?.linger.as_mut()
    }

    pub(crate) fn take_linger(&mut self) -> Option<Linger> {
        self.take_rare(|rare| rare.linger.take())
    }

    #[cfg(test)]
    pub(crate) fn lingers(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.linger.is_some())
    }

    /// Counts an informational response, and returns the total size of all of them so far, in bytes.
    pub(crate) fn add_informational(&mut self, size: u32) -> u32 {
        let total = &mut self.rare_mut().informational;
        *total = total.saturating_add(size);
        *total
    }

    /// Keeps the content of a DATA frame that begins to arrive apart from that of others.
    pub(crate) fn keep_frame(&mut self, content: u32) {
        if self.recv.frame == 0 {
            self.recv.frame = content;
        } else {
            self.rare_mut().recv_frames.push_back(content);
        }
    }

    /// Returns how many bytes of content can be read at once.
    pub(crate) fn readable(&self) -> usize {
        let there = self.recv.content.len();
        match self.recv.frame as usize {
            0 => there,
            frame if frame > there => 0,
            frame => frame,
        }
    }

    /// Takes at most `max` bytes of content, of those that can be read at once.
    pub(crate) fn take_content(&mut self, max: usize) -> Bytes {
        if self.recv.frame == 0 {
            return self.recv.content.pop(max);
        }
        let taken = self.readable().min(max);
        self.recv.frame = self.recv.frame.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX));
        if self.recv.frame == 0 {
            self.recv.frame = self.take_rare(|rare| rare.recv_frames.pop_front()).unwrap_or(0);
        }
        self.recv.content.take(taken)
    }

    /// Sets the peer's trailers, for the caller to read.
    pub(crate) fn set_recv_trailers(&mut self, trailers: FieldSection) {
        self.rare_mut().recv_trailers = Some(Box::new(trailers));
    }

    pub(crate) fn has_recv_trailers(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.recv_trailers.is_some())
    }

    pub(crate) fn take_recv_trailers(&mut self) -> Option<FieldSection> {
        self.take_rare(|rare| rare.recv_trailers.take()).map(|trailers| *trailers)
    }

    /// Ends the local message with trailers.
    pub(crate) fn set_send_trailers(&mut self, trailers: FieldSection) {
        self.rare_mut().send_trailers = Some(Box::new(trailers));
        self.send.ending = Ending::Trailers;
    }

    pub(crate) fn take_send_trailers(&mut self) -> Option<FieldSection> {
        self.take_rare(|rare| rare.send_trailers.take()).map(|trailers| *trailers)
    }

    /// Records `:authority` of the local request, which pushes must repeat.
    pub(crate) fn set_authority(&mut self, authority: &[u8]) {
        self.rare_mut().authority = Some(authority.into());
    }

    /// Returns `:authority` of the local request, if it was recorded.
    pub(crate) fn authority(&self) -> Option<&[u8]> {
        self.rare.as_ref()?.authority.as_deref()
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Takes a rare part, and frees the memory of all of them if it was the last.
    fn take_rare<T>(&mut self, take: impl FnOnce(&mut Rare) -> Option<T>) -> Option<T> {
        let rare = self.rare.as_deref_mut()?;
        let taken = take(rare);
        if taken.is_some() && rare.is_empty() {
            self.rare = None;
        }
        taken
    }

    /// Returns the start of the stall of a stream that is blocked.
    pub(crate) fn blocked_since(&self) -> Option<Time> {
        self.send.stall.filter(|stall| stall.blocked).map(|stall| stall.since)
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
