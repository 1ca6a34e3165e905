//! Operations on a whole connection.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http2_engine::{ErrorCode, OpenError, SettingId, Settings, Stats, Subscriber, Windows};

use crate::error::Error;
use crate::shared::{Inner, Shared};

/// A handle to a whole connection, which neither opens streams nor keeps the connection open.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (client, server) = pair()?;
/// # tokio::spawn(echo(server));
/// let control = client.control();
/// let round_trip = control.ping()?.await?;
/// assert!(round_trip.as_secs() < 5);
/// assert_eq!(control.peer_settings().await?.max_concurrent_streams, Some(100));
///
/// control.shutdown();
/// control.closed().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: shared.clone() }
    }

    /// Sends PING (RFC 9113, 6.7); the future returns the round-trip time.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if [`Limits::pings`](crate::Limits::pings) are outstanding, or why the connection has
    /// ended.
    pub fn ping(&self) -> Result<Pong, Error> {
        let payload = self.shared.operate(Inner::next_ping);
        self.ping_with(payload)
    }

    /// Sends PING with a payload that no unanswered PING of the caller's has.
    ///
    /// # Errors
    ///
    /// Those of [`ping`](Self::ping).
    pub fn ping_with(&self, payload: [u8; 8]) -> Result<Pong, Error> {
        self.shared.operate(|inner| inner.ping(payload))?;
        Ok(Pong { shared: self.shared.clone(), payload })
    }

    /// Ends the connection gracefully: open streams continue, and new ones are refused (RFC 9113, 6.8).
    ///
    /// [`Config::drain_timeout`](crate::Config::drain_timeout) limits the time that the streams have.
    pub fn shutdown(&self) {
        self.shared.operate(|inner| {
            let now = inner.now;
            inner.engine.shutdown(now);
            inner.wake_driver();
        });
    }

    /// Ends the connection at once, with GOAWAY for the peer.
    pub fn abort(&self, code: ErrorCode, debug_data: &[u8]) {
        self.shared.operate(|inner| {
            inner.engine.abort(code, debug_data);
            inner.wake_driver();
        });
    }

    /// Changes local settings (RFC 9113, 6.5), which bind the peer once it has acknowledged them.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Config`] if a value is invalid, or if the setting cannot change. Nothing was sent then.
    pub fn change_settings(&self, settings: &[(SettingId, u32)]) -> Result<(), Error> {
        self.shared.operate(|inner| Ok(inner.engine.change_settings(settings)?))
    }

    /// Returns the local settings that the peer has acknowledged.
    pub fn local_settings(&self) -> Settings {
        self.shared.operate(|inner| inner.engine.local_settings().clone())
    }

    /// Returns how many streams this endpoint may have open: the peer's limit, or
    /// [`Config::initial_max_send_streams`](crate::Config::initial_max_send_streams) until that is known.
    pub fn max_send_streams(&self) -> usize {
        self.shared.operate(|inner| inner.engine.max_send_streams())
    }

    /// Waits for the peer's first SETTINGS, and returns the settings now in force.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended.
    pub async fn peer_settings(&self) -> Result<Settings, Error> {
        poll_fn(|cx| self.poll_peer_settings(cx)).await
    }

    /// Waits for the peer's first SETTINGS, and returns the settings now in force.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended.
    pub fn poll_peer_settings(&self, cx: &mut Context<'_>) -> Poll<Result<Settings, Error>> {
        self.shared.operate(|inner| match inner.closed() {
            _ if inner.peer_settings_arrived => Poll::Ready(Ok(inner.engine.peer_settings().clone())),
            Some(Err(error)) => Poll::Ready(Err(error.clone())),
            Some(Ok(())) => Poll::Ready(Err(OpenError::Closed.into())),
            None => inner.wait_to_open(cx),
        })
    }

    /// Returns the peer's settings, with the protocol's defaults for those it has not sent.
    pub fn current_peer_settings(&self) -> Settings {
        self.shared.operate(|inner| inner.engine.peer_settings().clone())
    }

    /// Returns the flow-control windows of the connection.
    pub fn windows(&self) -> Windows {
        self.shared.operate(|inner| inner.engine.windows())
    }

    /// Raises the connection's receive window by `increment` bytes (RFC 9113, 6.9).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Window`] if the increment is 0, or if the window would exceed 2^31-1 bytes.
    pub fn raise_window(&self, increment: u32) -> Result<(), Error> {
        self.shared.operate(|inner| Ok(inner.engine.connection_window_update(increment)?))
    }

    /// Changes the receive window that is maintained for the connection, in bytes.
    ///
    /// A larger window is opened at once. A smaller one takes effect as the peer uses up the present one.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Window`] if the window exceeds 2^31-1 bytes.
    pub fn set_window(&self, window: u32) -> Result<(), Error> {
        self.shared.operate(|inner| Ok(inner.engine.set_connection_window(window)?))
    }

    /// Returns whether the peer has yet to acknowledge local settings.
    pub fn has_pending_settings(&self) -> bool {
        self.shared.operate(|inner| inner.engine.has_pending_settings())
    }

    /// Returns the counters.
    pub fn stats(&self) -> Stats {
        self.shared.operate(|inner| inner.engine.stats())
    }

    /// Attaches an observer of frames, states and limits, in place of an earlier one.
    pub fn set_subscriber(&self, subscriber: Box<dyn Subscriber + Send>) {
        self.shared.operate(|inner| inner.engine.set_subscriber(subscriber));
    }

    /// Returns whether the connection has not ended.
    pub fn is_running(&self) -> bool {
        self.shared.operate(|inner| inner.closed().is_none())
    }

    /// Waits for the end of the connection.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, unless it was orderly.
    pub async fn closed(&self) -> Result<(), Error> {
        poll_fn(|cx| {
            self.shared.operate(|inner| match inner.closed() {
                Some(result) => Poll::Ready(result.clone()),
                None => inner.wait_to_close(cx),
            })
        })
        .await
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared.lock().engine.fmt(f)
    }
}

/// The answer to a PING; a future of the round-trip time.
///
/// # Errors
///
/// The future returns why the connection has ended.
#[must_use = "futures do nothing unless polled"]
pub struct Pong {
    shared: Arc<Shared>,
    payload: [u8; 8],
}

impl Future for Pong {
    type Output = Result<Duration, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let payload = self.payload;
        self.shared.operate(|inner| inner.poll_pong(payload, cx))
    }
}

impl Drop for Pong {
    fn drop(&mut self) {
        self.shared.operate(|inner| inner.forget_ping(self.payload));
    }
}

impl std::fmt::Debug for Pong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pong").field(&self.payload).finish()
    }
}
