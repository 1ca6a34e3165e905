//! A stream as an application knows it, and as it looks from the frames that have come and gone.

use http2_engine::{State, StreamError, StreamId};

/// A stream that an application was given.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    /// The application's message: its head, its content and its end were taken.
    pub(crate) begun: bool,
    pub(crate) content: u64,
    pub(crate) ended: bool,
    /// The application waits for [`http2_engine::Event::Writable`].
    pub(crate) waits_for_room: bool,
    /// The peer's message: its head has come; bytes of content that were read; its end was read, or read to be broken.
    pub(crate) answered: bool,
    pub(crate) read: u64,
    pub(crate) got_end: bool,
    pub(crate) broken: bool,
    /// The head said that nothing follows.
    pub(crate) bare: bool,
    /// [`http2_engine::Event::Readable`] was told at least once.
    pub(crate) woken: bool,
    /// The application found nothing, and waits for [`http2_engine::Event::Readable`].
    pub(crate) waits_for_more: bool,
    pub(crate) reset: bool,
    pub(crate) told: Option<StreamError>,
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
            told: None,
            released: false,
            promised: false,
            connect: false,
        }
    }

    /// Nothing more will be read.
    pub(crate) fn is_read(&self) -> bool {
        self.got_end || self.broken
    }

    /// The application may send content, as far as it knows.
    pub(crate) fn is_sending(&self) -> bool {
        self.begun && !self.ended && !self.is_over()
    }

    /// It was ended before its time, by the application or, as it was told, by others.
    pub(crate) fn is_over(&self) -> bool {
        self.reset || self.released || self.told.is_some()
    }

    /// The application has no more to do with it.
    pub(crate) fn is_done(&self) -> bool {
        self.is_read() && (self.ended || self.is_over())
    }
}

/// What has come and gone on a stream.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) id: StreamId,
    /// Content and end that arrived while the engine had to take them.
    pub(crate) content_heard: u64,
    pub(crate) end_heard: bool,
    pub(crate) reset_heard: bool,
    pub(crate) content_sent: u64,
    pub(crate) reset_sent: bool,
    /// How the engine sees it now.
    pub(crate) state: Option<State>,
    /// What the peer may send, and what the engine may.
    pub(crate) windows: Option<(i64, i64)>,
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

    /// Whether the engine still takes frames that belong to it.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, None | Some(State::Closed | State::Idle))
    }
}
