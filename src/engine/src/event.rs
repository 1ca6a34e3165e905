//! What the engine tells its caller.

use core::time::Duration;

use bytes::Bytes;

use crate::error::StreamError;
use crate::fields::FieldSection;
use crate::frame::StreamId;
use crate::priority::Priority;

/// What has happened, from [`poll_event`](crate::Connection::poll_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// SETTINGS of the peer came and are in force: see [`peer_settings`](crate::Connection::peer_settings).
    PeerSettings,
    /// The peer has acknowledged our SETTINGS.
    SettingsAcknowledged,
    /// Server: a request. The stream is the caller's until it is [released](crate::Connection::release).
    Request {
        /// Its stream.
        id: StreamId,
        /// Its pseudo-header fields and fields.
        head: FieldSection,
        /// Whether it has neither content nor trailers.
        end_stream: bool,
    },
    /// Client: an informational response (1xx); the response is still to come.
    Informational {
        /// Its stream.
        id: StreamId,
        /// `:status` and its fields.
        head: FieldSection,
    },
    /// Client: the response.
    Response {
        /// Its stream.
        id: StreamId,
        /// `:status` and its fields.
        head: FieldSection,
        /// Whether it has neither content nor trailers.
        end_stream: bool,
    },
    /// Client: the server promises to answer a request that was not made (RFC 9113, 8.4). The stream is the
    /// caller's until it is [released](crate::Connection::release).
    Push {
        /// The stream of the request that gave rise to it.
        parent: StreamId,
        /// The stream on which the response will come.
        id: StreamId,
        /// The promised request.
        head: FieldSection,
    },
    /// After [`Read::Blocked`], or for the first time: there is something to [read](crate::Connection::read).
    Readable {
        /// The stream.
        id: StreamId,
    },
    /// After the stream's send buffer was full: there is room in it again.
    Writable {
        /// The stream.
        id: StreamId,
    },
    /// The stream has ended before its time, or the peer wants no more of it. What arrived before can still be
    /// read; it is the caller's until it is [released](crate::Connection::release).
    Reset {
        /// The stream.
        id: StreamId,
        /// Why, and whether the request may be tried again.
        error: StreamError,
    },
    /// Client: a request that waited for the peer's limit of streams was sent. Requests that did not have to wait
    /// come without it.
    RequestSent {
        /// Its stream.
        id: StreamId,
    },
    /// Client: streams can be opened again after [`OpenError::WouldBlock`](crate::OpenError::WouldBlock).
    StreamsAvailable,
    /// The answer to a [`ping`](crate::Connection::ping).
    Pong {
        /// Its payload.
        payload: [u8; 8],
        /// From the moment when the PING was handed to the transport.
        round_trip: Duration,
    },
    /// GOAWAY came: see [`received_go_away`](crate::Connection::received_go_away).
    GoAway,
    /// Server: the client wants another priority for a response (RFC 9218, 7). It is in force.
    PriorityUpdate {
        /// The stream of the request.
        id: StreamId,
        /// What it wants.
        priority: Priority,
    },
    /// Client: the origins for which the server wants requests (RFC 8336). They are not authenticated.
    Origin {
        /// ASCII serialisations (RFC 6454, 6.2), as they came.
        origins: Vec<Bytes>,
    },
    /// Client: an alternative service (RFC 7838, 4).
    AltSvc {
        /// The stream whose origin is meant, or 0 where `origin` names it.
        id: StreamId,
        /// The origin, or nothing.
        origin: Bytes,
        /// As in the field Alt-Svc.
        value: Bytes,
    },
    /// A frame of a type that the engine does not know, if [`Config`](crate::Config) asks for them.
    UnknownFrame {
        /// Its type.
        kind: u8,
        /// Its flags.
        flags: u8,
        /// Its stream; 0 is the connection.
        id: StreamId,
        /// Its payload.
        payload: Bytes,
    },
    /// Three quarters of the abuse score are used up; the connection is being shut down gracefully.
    Abuse {
        /// What used up the last of it.
        cause: &'static str,
    },
    /// The connection has ended: see [`close_reason`](crate::Connection::close_reason). No event follows.
    Closed,
}

impl Event {
    /// The stream, for events about one that the caller was given before.
    pub(crate) fn of_held_stream(&self) -> Option<StreamId> {
        match *self {
            Self::RequestSent { id }
            | Self::Informational { id, .. }
            | Self::Response { id, .. }
            | Self::Readable { id }
            | Self::Writable { id }
            | Self::Reset { id, .. }
            | Self::PriorityUpdate { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// What [`read`](crate::Connection::read) gives: any number of `Data`, at most one `Trailers`, then `End`.
#[derive(Debug)]
pub enum Read {
    /// Octets of content.
    Data(Bytes),
    /// The trailer section.
    Trailers(FieldSection),
    /// The message is complete.
    End,
    /// Nothing has arrived; [`Event::Readable`] follows.
    Blocked,
}

/// What the peer said when it ended the connection (RFC 9113, 6.8).
#[derive(Clone, Debug)]
pub struct GoAway {
    /// Requests on higher streams were not acted upon.
    pub last_stream_id: StreamId,
    /// Why.
    pub code: crate::error::ErrorCode,
    /// Octets for people, at most 1 KiB of them.
    pub debug_data: Bytes,
}
