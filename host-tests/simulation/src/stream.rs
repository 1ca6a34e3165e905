//! A stream as the caller of one end knows it: what it has given away, and what it was given.

use http2_engine::{ErrorCode, FieldSection, StreamError};

use crate::message::Message;

/// One end's side of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// What this side is to send, if anything, and how much of it the engine has taken.
    pub(crate) message: Option<Message>,
    pub(crate) sent: Progress,
    /// What was delivered of the peer's message, and the head of it.
    pub(crate) got: Progress,
    pub(crate) head: Option<FieldSection>,
    pub(crate) length: Length,
    /// There may be something to read, and room for more content.
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// Octets that were read and not given back, where that is done by hand.
    pub(crate) owed: u32,
    /// The caller has reset it with this code, has been told of a reset, or is done with it.
    pub(crate) reset: Option<ErrorCode>,
    pub(crate) was_reset: Option<StreamError>,
    pub(crate) released: bool,
    /// When it was released, there was something left to do.
    pub(crate) released_early: bool,
    /// What it was released with was no message, or the peer's answer to it was not complete.
    pub(crate) given_up: bool,
    /// Reading gives an error: the peer's message will not become complete.
    pub(crate) broken: bool,
    /// It was promised by the server.
    pub(crate) promised: bool,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) informational: usize,
    pub(crate) head: bool,
    pub(crate) content: usize,
    pub(crate) trailers: bool,
    pub(crate) end: bool,
}

/// How much content the peer's message has in all.
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
    /// That of a request, or of a response to a request with that method (RFC 9110, 8.6).
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
    /// A stream on which this message is to be sent.
    pub(crate) fn sending(message: Option<Message>) -> Self {
        Self { message, writable: true, ..Self::default() }
    }

    /// Nothing more will be sent on it.
    pub(crate) fn is_sent(&self) -> bool {
        self.message.is_none() || self.sent.end || self.is_broken_off()
    }

    /// Nothing more will be read of it.
    pub(crate) fn is_read(&self) -> bool {
        self.got.end || self.broken
    }

    pub(crate) fn is_broken_off(&self) -> bool {
        self.reset.is_some() || self.was_reset.is_some()
    }

    /// The engine has taken a whole message that consists of a head.
    pub(crate) fn has_sent_nothing_but_a_head(&self) -> bool {
        self.sent.end && self.sent.content == 0 && !self.sent.trailers
    }

    /// The size of the largest field section of the message; informational responses count as one.
    pub(crate) fn largest_section(&self) -> usize {
        let Some(message) = &self.message else { return 0 };
        let informational = message.informational.iter().map(FieldSection::size).sum();
        let trailers = message.trailers.as_ref().map_or(0, FieldSection::size);
        let promised = self.head.as_ref().filter(|_| self.promised).map_or(0, FieldSection::size);
        message.head.size().max(informational).max(trailers).max(promised)
    }

    /// The caller has no more to do with it but to release it.
    pub(crate) fn is_done(&self) -> bool {
        self.is_sent() && self.is_read()
    }
}
