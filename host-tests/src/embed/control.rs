//! What concerns a connection as a whole.

use std::time::Duration;

use http2_engine::{ErrorCode, SettingId};

use super::command::Command;
use super::error::Error;
use super::handle::Handle;

/// A way to the connection as a whole. It does not keep the connection: that is what the
/// [`Client`](super::Client), the [`Server`](super::Server) and the streams do.
#[derive(Clone)]
pub struct Control {
    connection: Handle,
}

impl Control {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection }
    }

    /// Sends a PING and waits for the answer: the round-trip time.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](super::ErrorKind::WouldBlock) if too many are under way; why the connection has ended.
    pub async fn ping(&self) -> Result<Duration, Error> {
        self.connection.ask(Command::Ping).await
    }

    /// Ends the connection in good order: no new streams; those that run go on until they are done, or the drain
    /// timeout has passed (RFC 9113, 6.8).
    pub fn shutdown(&self) {
        self.connection.tell(Command::Shutdown);
    }

    /// Ends the connection at once, with a code and debug data for the peer.
    pub fn abort(&self, code: ErrorCode, debug_data: impl Into<Vec<u8>>) {
        self.connection.tell(Command::Abort(code.0, debug_data.into()));
    }

    /// Waits for the end of the connection.
    ///
    /// # Errors
    ///
    /// Why the connection has ended, if not in good order.
    pub async fn closed(&self) -> Result<(), Error> {
        let mut end = self.connection.end.clone();
        let ended = end.wait_for(Option::is_some).await.map_err(|_| Error::abandoned())?;
        ended.clone().unwrap_or(Ok(()))
    }

    /// The settings of this side that are in force.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn local_settings(&self) -> Result<Vec<(SettingId, u32)>, Error> {
        self.connection.ask(Command::LocalSettings).await.map(settings)
    }

    /// The settings of the peer, defaults included.
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn peer_settings(&self) -> Result<Vec<(SettingId, u32)>, Error> {
        self.connection.ask(Command::PeerSettings).await.map(settings)
    }

    /// Sends SETTINGS; they are in force once the peer has acknowledged them.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument); why the connection has ended.
    pub async fn change_settings(&self, settings: &[(SettingId, u32)]) -> Result<(), Error> {
        let settings = settings.iter().map(|(id, value)| (id.0, *value)).collect();
        self.connection.ask(|answer| Command::ChangeSettings(settings, answer)).await
    }

    /// Raises the connection's receive window by `octets` (RFC 9113, 6.9).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for 0, or if the window would pass 2^31-1; why the
    /// connection has ended.
    pub async fn window_update(&self, octets: u32) -> Result<(), Error> {
        self.connection.ask(|answer| Command::WindowUpdate(octets, answer)).await
    }

    /// The peer's credit on the connection, and ours, in octets: (receive window, send window).
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn windows(&self) -> Result<(i64, i64), Error> {
        self.connection.ask(Command::Windows).await
    }

    /// Counters by name: frames, octets and streams in both directions, the abuse score, the last round-trip time in
    /// nanoseconds, …
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn stats(&self) -> Result<Vec<(String, u64)>, Error> {
        self.connection.ask(Command::Stats).await
    }
}

fn settings(settings: Vec<(u16, u32)>) -> Vec<(SettingId, u32)> {
    settings.into_iter().map(|(id, value)| (SettingId(id), value)).collect()
}
