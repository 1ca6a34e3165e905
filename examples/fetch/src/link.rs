//! A connection to the server, from its beginning to its end.

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::Pollable;

use crate::bindings::http2::engine::connection::{Connection, Options as Http2Options, Role};
use crate::bindings::http2::engine::tcp;
use crate::bindings::http2::engine::types::{Error, ErrorKind};
use crate::failure::Failure;
use crate::options::Options;
use crate::target::Target;

/// How long the end of a connection may take, in nanoseconds.
const FAREWELL: u64 = 1_000_000_000;

/// The setting by which the largest response head is told (RFC 9113, 6.5.2).
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The abuse score at which the engine ends a connection.
const ABUSE_LIMIT: u64 = 2_000;

/// A connection, and what tells that there is something to read.
///
/// The pollable stands before what it belongs to, and so is dropped first.
pub(crate) struct Link {
    pub(crate) read_ready: Pollable,
    pub(crate) connection: Connection,
}

impl Link {
    /// Connects to the origin of a URL.
    pub(crate) fn connect(
        target: &Target,
        options: &Options,
        deadline: Option<Instant>,
    ) -> Result<Self, Failure> {
        let left = deadline.map(|deadline| deadline.saturating_sub(monotonic_clock::now()));
        let io = tcp::connect(&target.host, target.port, left)
            .map_err(|error| Failure::transport(&target.url, "connecting", &error))?;
        let failed = |error| Failure::http2(&target.url, "starting HTTP/2", &error);
        let http2_options = Http2Options::new();
        http2_options.trace(options.verbose);
        if let Some(octets) = options.max_header_list {
            http2_options.settings(&[(MAX_HEADER_LIST_SIZE, octets)]).map_err(failed)?;
        }
        if let Some(fields) = options.max_headers {
            http2_options.fields_maximum(fields);
        }
        let connection = Connection::handshake(io, Role::Client, Some(http2_options)).map_err(failed)?;
        Ok(Self { read_ready: connection.subscribe_read(), connection })
    }

    /// Whether it was the server, or the transport, that has ended the connection with this error.
    pub(crate) fn was_ended_by_peer(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TransportFailed) || self.connection.received_go_away().is_some()
    }

    /// Ends the connection in good order: a PING makes sure that all that the server has sent was answered, its own PINGs
    /// among it, before the connection goes.
    pub(crate) fn close(&self) {
        // All that is wanted was received, or an error is reported anyway: a farewell that fails changes nothing.
        _ = self.connection.blocking_ping(Some(FAREWELL));
        self.connection.shutdown();
        _ = self.connection.blocking_flush(Some(FAREWELL));
    }

    /// Tells how the connection has ended, and how near it came to the limit of the engine's abuse score.
    pub(crate) fn log_end(&self, target: &Target) {
        let outcome = self.connection.drive().map_or_else(|error| error.message, |_| "ok".to_owned());
        let stats = self.connection.stats();
        let counter =
            |name: &str| stats.iter().find(|(counter, _)| counter == name).map_or(0, |&(_, value)| value);
        let requests = counter("streams_opened");
        let score = counter("abuse_score_peak");
        eprintln!(
            "connection to {}:{} ended: {outcome}; requests {requests}, highest abuse score {score} of {ABUSE_LIMIT}",
            target.host, target.port
        );
    }
}
