//! A connection to the server.

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::Pollable;

use crate::bindings::http2::engine::connection::{Connection, Options as Http2Options, Role};
use crate::bindings::http2::engine::tcp;
use crate::bindings::http2::engine::types::{Error, ErrorKind};
use crate::failure::Failure;
use crate::options::Options;
use crate::target::Target;

/// Timeout for each step of closing a connection, in nanoseconds.
const CLOSE_TIMEOUT: u64 = 1_000_000_000;

/// SETTINGS_MAX_HEADER_LIST_SIZE, which limits response heads (RFC 9113, 6.5.2).
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The abuse score at which the engine ends a connection.
const ABUSE_LIMIT: u64 = 2_000;

/// A connection and the pollable for its input.
///
/// The pollable is declared before its connection, and so is dropped first.
pub(crate) struct Link {
    pub(crate) read_ready: Pollable,
    pub(crate) connection: Connection,
}

impl Link {
    /// Connects to the origin of a target.
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

    /// Returns whether the server or the transport ended the connection with this error.
    pub(crate) fn was_ended_by_peer(&self, error: &Error) -> bool {
        matches!(error.kind, ErrorKind::TransportFailed) || self.connection.received_go_away().is_some()
    }

    /// Ends the connection gracefully.
    ///
    /// A PING comes first: once the server has answered it, the client has processed everything that the server sent
    /// before, and has answered the server's own PINGs.
    pub(crate) fn close(&self) {
        // All responses have been received, or an error is reported already, so a failure to close doesn't matter.
        _ = self.connection.blocking_ping(Some(CLOSE_TIMEOUT));
        self.connection.shutdown();
        _ = self.connection.blocking_flush(Some(CLOSE_TIMEOUT));
    }

    /// Logs how the connection ended, and its highest abuse score.
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
