//! Events and the results of reading.

use core::time::Duration;

use bytes::Bytes;

use crate::abuse::AbuseCause;
use crate::error::StreamError;
use crate::fields::FieldSection;
use crate::frame::StreamId;
use crate::priority::Priority;

/// Something that happened on the connection, returned by [`poll_event`](crate::Connection::poll_event).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_engine::Event;
///
/// # let (mut client, mut server) = pair();
/// # client.open(&request("GET"), true)?;
/// # carry(&mut client, &mut server);
/// let mut requests = 0;
/// while let Some(event) = server.poll_event() {
///     match event {
///         Event::Request { id, head, end_stream } => {
///             assert_eq!((head.method(), end_stream), (Some(&b"GET"[..]), true));
///             server.send_response(id, &response("204"), true)?;
///             server.release(id);
///             requests += 1;
///         }
///         // The client's SETTINGS, for example.
///         _ => {}
///     }
/// }
/// assert_eq!(requests, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The peer's SETTINGS arrived and are in force; see [`peer_settings`](crate::Connection::peer_settings).
    PeerSettings,
    /// The peer acknowledged the local SETTINGS.
    SettingsAcknowledged,
    /// Server: a request arrived.
    ///
    /// The caller holds the stream until it [releases](crate::Connection::release) it.
    Request {
        /// Stream of the request.
        id: StreamId,
        /// Pseudo-header fields and fields.
        head: FieldSection,
        /// Whether the request has neither content nor trailers.
        end_stream: bool,
    },
    /// Client: an informational response (1xx) arrived; the final response follows.
    Informational {
        /// Stream of the response.
        id: StreamId,
        /// `:status` and the fields.
        head: FieldSection,
    },
    /// Client: the final response arrived.
    Response {
        /// Stream of the response.
        id: StreamId,
        /// `:status` and the fields.
        head: FieldSection,
        /// Whether the response has neither content nor trailers.
        end_stream: bool,
    },
    /// Client: the server promised to answer a request that the client did not make (RFC 9113, 8.4).
    ///
    /// The caller holds the stream until it [releases](crate::Connection::release) it.
    Push {
        /// Stream of the request that led to the push.
        parent: StreamId,
        /// Stream that will carry the response.
        id: StreamId,
        /// Promised request.
        head: FieldSection,
    },
    /// The stream has something to [read](crate::Connection::read).
    ///
    /// Reported when the first of it arrives, and again after [`Read::Blocked`].
    Readable {
        /// Stream to read.
        id: StreamId,
    },
    /// The send buffer of a stream has room again after it was full.
    Writable {
        /// Stream that can take content.
        id: StreamId,
    },
    /// The stream ended early, or the peer wants no more of it.
    ///
    /// The caller can still read the content that arrived before, and holds the stream until it
    /// [releases](crate::Connection::release) it.
    Reset {
        /// Stream that ended.
        id: StreamId,
        /// The cause, and whether the request may be retried.
        error: StreamError,
    },
    /// Client: a request that waited for the peer's limit of streams was sent.
    ///
    /// Requests that did not have to wait are not reported.
    RequestSent {
        /// Stream of the request.
        id: StreamId,
    },
    /// Client: streams can be opened again after [`OpenError::WouldBlock`](crate::OpenError::WouldBlock).
    StreamsAvailable,
    /// The peer answered a [`ping`](crate::Connection::ping).
    Pong {
        /// Payload of the PING.
        payload: [u8; 8],
        /// Time since the PING was handed to the transport.
        round_trip: Duration,
    },
    /// GOAWAY arrived; see [`received_go_away`](crate::Connection::received_go_away).
    GoAway,
    /// Server: the client changed the priority of a response (RFC 9218, 7); the new priority is in force.
    PriorityUpdate {
        /// Stream of the request.
        id: StreamId,
        /// New priority.
        priority: Priority,
    },
    /// Client: the server named the origins for which it wants requests (RFC 8336).
    ///
    /// The origins are not authenticated.
    Origin {
        /// ASCII serialisations (RFC 6454, 6.2), as received.
        origins: Vec<Bytes>,
    },
    /// Client: the server named an alternative service (RFC 7838, 4).
    AltSvc {
        /// Stream whose origin is meant, or 0 if `origin` names it.
        id: StreamId,
        /// The origin, or empty.
        origin: Bytes,
        /// Value in the syntax of the Alt-Svc field.
        value: Bytes,
    },
    /// A frame of an unknown type arrived; reported if [`Config::unknown_frames`](crate::Config::unknown_frames) is
    /// set.
    UnknownFrame {
        /// Frame type.
        kind: u8,
        /// Flags.
        flags: u8,
        /// Stream, or 0 for the connection.
        id: StreamId,
        /// Payload.
        payload: Bytes,
    },
    /// The abuse score reached three quarters of its limit, and the connection is shutting down gracefully.
    Abuse {
        /// Cause of the last charge.
        cause: AbuseCause,
    },
    /// The connection ended, and no event follows; see [`close_reason`](crate::Connection::close_reason).
    Closed,
}

impl Event {
    /// Returns the stream, for events about a stream that was given to the caller earlier.
    pub(crate) fn of_app_owned_stream(&self) -> Option<StreamId> {
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

/// Result of [`read`](crate::Connection::read): any number of `Data`, at most one `Trailers`, then `End`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
/// use http2_engine::{FieldSection, Read};
///
/// # let (mut client, mut server) = pair();
/// let id = client.open(&request("POST"), false)?;
/// assert_eq!(client.send_data(id, &mut Bytes::from_static(b"content"), false), Ok(7));
/// client.send_trailers(id, &FieldSection::from_iter([("checksum", "0123")]))?;
/// carry(&mut client, &mut server);
///
/// let mut content = Vec::new();
/// let mut trailers = FieldSection::new();
/// loop {
///     match server.read(id, 4_096)? {
///         Read::Data(bytes) => content.extend_from_slice(&bytes),
///         Read::Trailers(fields) => trailers = fields,
///         Read::End => break,
///         Read::Blocked => panic!("a real caller waits for `Event::Readable`"),
///     }
/// }
/// assert_eq!(content, b"content");
/// assert_eq!(trailers.get(b"checksum"), Some(&b"0123"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub enum Read {
    /// Content.
    Data(Bytes),
    /// Trailer section.
    Trailers(FieldSection),
    /// The message is complete.
    End,
    /// Nothing has arrived yet; [`Event::Readable`] follows.
    Blocked,
}

/// Contents of the peer's GOAWAY (RFC 9113, 6.8).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GoAway {
    /// The peer has not acted on requests on higher streams.
    pub last_stream_id: StreamId,
    /// Error code.
    pub code: crate::error::ErrorCode,
    /// Debug data for humans, at most 1 KiB.
    pub debug_data: Bytes,
}
