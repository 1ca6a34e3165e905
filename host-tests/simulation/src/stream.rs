//! A stream as one end's caller knows it: the items that it sent and received.

use http2_engine::{ErrorCode, FieldSection, StreamError};

use crate::message::Message;

/// One end's side of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The message to be sent, if any, and how much of it the engine has accepted.
    pub(crate) message: Option<Message>,
    pub(crate) sent: Progress,
    /// The delivered part of the peer's message, and its head.
    pub(crate) got: Progress,
    pub(crate) head: Option<FieldSection>,
    pub(crate) length: Length,
    /// Whether there may be something to read, and room for more content.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Bytes read and not credited, under manual flow control.
    pub(crate) owed: u32,
    /// The code with which the caller reset it; whether the caller was told of a reset; whether it released
    /// the stream.
    pub(crate) reset: Option<ErrorCode>,
    pub(crate) was_reset: Option<StreamError>,
    pub(crate) released: bool,
    /// Whether something was left to do when it was released.
    pub(crate) released_early: bool,
    /// Whether it was released with an incomplete message on either side.
    pub(crate) cancelled: bool,
    /// Whether reading fails, because the peer's message will never be complete.
    pub(crate) broken: bool,
    /// Whether the server promised it.
    pub(crate) promised: bool,
}

/// The progress of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) informational: usize,
    pub(crate) head: bool,
    pub(crate) content: usize,
    pub(crate) trailers: bool,
    pub(crate) end: bool,
}

/// The total length of the content of the peer's message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Length {
    /// The caller has not seen the head.
    #[default]
    Unseen,
    /// The head does not say.
    Unknown,
    Octets(i64),
}

impl Length {
    /// The length of a request, or of a response to a request with that method (RFC 9110, 8.6).
    pub(crate) fn of(head: &FieldSection, method: Option<&[u8]>) -> Self {
        match (method, head.status()) {
            (Some(b"HEAD"), _) | (_, Some(204)) => Self::Octets(0),
            _ => head.get(b"content-length").map_or(Self::Unknown, |length| {
                Self::Octets(str::from_utf8(length).expect("digits").parse().expect("a number"))
            }),
        }
    }
}

impl Stream {
    /// Creates a stream on which this message is to be sent.
    pub(crate) fn sending(message: Option<Message>) -> Self {
        Self { message, writable: true, ..Self::default() }
    }

    /// Whether nothing more will be sent on it.
    pub(crate) fn is_sent(&self) -> bool {
        self.message.is_none() || self.sent.end || self.is_aborted()
    }

    /// Whether nothing more will be read from it.
    pub(crate) fn is_read(&self) -> bool {
        self.got.end || self.broken
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.reset.is_some() || self.was_reset.is_some()
    }

    /// Whether the engine has accepted a whole message that consists of a head.
    pub(crate) fn has_sent_head_only(&self) -> bool {
        self.sent.end && self.sent.content == 0 && !self.sent.trailers
    }

    /// The size of the largest field section of the message; all informational responses count as one.
    pub(crate) fn largest_section(&self) -> usize {
        let Some(message) = &self.message else { return 0 };
        let informational = message.informational.iter().map(FieldSection::size).sum();
        let trailers = message.trailers.as_ref().map_or(0, FieldSection::size);
        let promised = self.head.as_ref().filter(|_| self.promised).map_or(0, FieldSection::size);
        message.head.size().max(informational).max(trailers).max(promised)
    }

    /// Whether the caller only has to release it.
    pub(crate) fn is_done(&self) -> bool {
        self.is_sent() && self.is_read()
    }
}
