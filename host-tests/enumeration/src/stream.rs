//! A stream as an application knows it, and as its frames show it.

use http2_engine::{State, StreamError, StreamId, Windows};

/// A stream that an application holds.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    /// The application's message: whether the engine has accepted its head, content and end.
    pub(crate) begun: bool,
    pub(crate) content: u64,
    pub(crate) ended: bool,
    /// Whether the application waits for [`http2_engine::Event::Writable`].
    pub(crate) waits_for_room: bool,
    /// The peer's message: whether its head has arrived; bytes of content read; whether its end, or an error,
    /// was read.
    pub(crate) answered: bool,
    pub(crate) read: u64,
    pub(crate) got_end: bool,
    pub(crate) broken: bool,
    /// Whether the head said that nothing follows.
    pub(crate) bare: bool,
    /// Whether [`http2_engine::Event::Readable`] was delivered at least once.
    pub(crate) woken: bool,
    /// Whether the application found nothing to read, and waits for [`http2_engine::Event::Readable`].
    pub(crate) waits_for_more: bool,
    pub(crate) reset: bool,
    pub(crate) reported: Option<StreamError>,
    pub(crate) released: bool,
    pub(crate) promised: bool,
    pub(crate) connect: bool,
}

impl Stream {
    pub(crate) fn new(id: StreamId) -> Self {
        Self {
            id,
            begun: false,
            content: 0,
            ended: false,
            waits_for_room: false,
            answered: false,
            read: 0,
            got_end: false,
            broken: false,
            bare: false,
            woken: false,
            waits_for_more: false,
            reset: false,
            reported: None,
            released: false,
            promised: false,
            connect: false,
        }
    }

    /// Whether nothing more will be read.
    pub(crate) fn is_read(&self) -> bool {
        self.got_end || self.broken
    }

    /// Whether the application may send content, as far as it knows.
    pub(crate) fn is_sending(&self) -> bool {
        self.begun && !self.ended && !self.has_ended()
    }

    /// Whether the stream ended prematurely, by the application or, as reported to it, by others.
    pub(crate) fn has_ended(&self) -> bool {
        self.reset || self.released || self.reported.is_some()
    }

    /// Whether the application has nothing left to do with it.
    pub(crate) fn is_done(&self) -> bool {
        self.is_read() && (self.ended || self.has_ended())
    }
}

/// The traffic on a stream.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) id: StreamId,
    /// Content and end that arrived while the engine had to accept them.
    pub(crate) content_heard: u64,
    pub(crate) end_heard: bool,
    pub(crate) reset_heard: bool,
    pub(crate) content_sent: u64,
    pub(crate) reset_sent: bool,
    /// The engine's current state of the stream.
    pub(crate) state: Option<State>,
    /// The bytes that the peer may send, and those that the engine may send.
    pub(crate) windows: Option<Windows>,
}

impl Wire {
    pub(crate) fn new(id: StreamId) -> Self {
        Self {
            id,
            content_heard: 0,
            end_heard: false,
            reset_heard: false,
            content_sent: 0,
            reset_sent: false,
            state: None,
            windows: None,
        }
    }

    /// Whether the engine still accepts frames for it.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, None | Some(State::Closed | State::Idle))
    }
}
