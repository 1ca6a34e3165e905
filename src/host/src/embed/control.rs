//! Operations on a connection as a whole.

use std::time::Duration;

use http2_engine::{ErrorCode, SettingId, Windows};

use super::command::Command;
use super::error::Error;
use super::handle::Handle;

/// A handle for operations on the connection as a whole.
///
/// It does not keep the connection open; only the [`Client`](super::Client), the [`Server`](super::Server) and the
/// streams do.
#[derive(Clone)]
pub struct Control {
    connection: Handle,
}

impl Control {
    pub(super) fn new(connection: Handle) -> Self {
        Self { connection }
    }

    /// Sends a PING, waits for its acknowledgement, and returns the round-trip time.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](super::ErrorKind::WouldBlock) if too many PINGs are in flight; the reason why the connection
    /// ended.
    pub async fn ping(&self) -> Result<Duration, Error> {
        self.connection.ask(Command::Ping).await
    }

    /// Shuts the connection down gracefully: no new streams are opened or accepted, and open streams run until they
    /// complete or the drain timeout expires (RFC 9113, 6.8).
    pub fn shutdown(&self) {
        self.connection.tell(Command::Shutdown);
    }

    /// Closes the connection at once, with an error code and debug data for the peer.
    pub fn abort(&self, code: ErrorCode, debug_data: impl Into<Vec<u8>>) {
        self.connection.tell(Command::Abort(code.0, debug_data.into()));
    }

    /// Waits until the connection ends.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended, unless it ended gracefully.
    pub async fn closed(&self) -> Result<(), Error> {
        let mut end = self.connection.end.clone();
        let ended = end.wait_for(Option::is_some).await.map_err(|_| Error::abandoned())?;
        ended.clone().unwrap_or(Ok(()))
    }

    /// Returns the local settings that are in force.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn local_settings(&self) -> Result<Vec<(SettingId, u32)>, Error> {
        self.connection.ask(Command::LocalSettings).await.map(settings)
    }

    /// Returns the peer's settings, including defaults.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn peer_settings(&self) -> Result<Vec<(SettingId, u32)>, Error> {
        self.connection.ask(Command::PeerSettings).await.map(settings)
    }

    /// Sends SETTINGS, which take effect once the peer has acknowledged them.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument); the reason why the connection ended.
    pub async fn change_settings(&self, settings: &[(SettingId, u32)]) -> Result<(), Error> {
        let settings = settings.iter().map(|(id, value)| (id.0, *value)).collect();
        self.connection.ask(|answer| Command::ChangeSettings(settings, answer)).await
    }

    /// Raises the connection's receive window by `bytes` (RFC 9113, 6.9).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for 0, or if the window would exceed 2^31-1; the reason
    /// why the connection ended.
    pub async fn window_update(&self, bytes: u32) -> Result<(), Error> {
        self.connection.ask(|answer| Command::WindowUpdate(bytes, answer)).await
    }

    /// Returns the connection's flow-control windows.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn windows(&self) -> Result<Windows, Error> {
        self.connection.ask(Command::Windows).await
    }

    /// Returns counters by name: frames, bytes and streams in both directions, the abuse score, the last round-trip
    /// time in nanoseconds, and others.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn stats(&self) -> Result<Vec<(String, u64)>, Error> {
        self.connection.ask(Command::Stats).await
    }
}

fn settings(settings: Vec<(u16, u32)>) -> Vec<(SettingId, u32)> {
    settings.into_iter().map(|(id, value)| (SettingId(id), value)).collect()
}
