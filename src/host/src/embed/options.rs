//! The configuration of a connection.

use std::time::Duration;

use http2_engine::SettingId;

/// Settings, windows and deadlines of a connection.
///
/// The defaults fit most uses, and hold under attack.
///
/// ```
/// use wasi_http2::embed::{Options, SettingId};
///
/// let options = Options::new().setting(SettingId::MAX_CONCURRENT_STREAMS, 10).manual_window_update(true);
/// ```
///
/// [`Sandbox::client`](super::Sandbox::client) and [`Sandbox::server`](super::Sandbox::server) reject invalid values.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// SETTINGS, which are validated together and first, because some values are valid only in combination.
    pub(super) settings: Vec<(u16, u32)>,
    pub(super) choices: Vec<Choice>,
}

/// A changed default.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    ConnectionWindow { initial: u32, maximum: u32 },
    StreamWindowMaximum(u32),
    ManualWindowUpdate(bool),
    SendBuffer(u32),
    WaitingStreams(u32),
    NeverIndexed(Vec<String>),
    Timeout(Timeout, Option<Duration>),
    KeepAlive { interval: Duration, timeout: Duration },
}

/// The deadlines of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timeout {
    Preface,
    Settings,
    Headers,
    Stall,
    Idle,
    Drain,
}

impl Options {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter of the initial SETTINGS frame (RFC 9113, 6.5.2).
    ///
    /// Other parameters keep their defaults.
    #[must_use]
    pub fn setting(mut self, id: SettingId, value: u32) -> Self {
        self.settings.push((id.0, value));
        self
    }

    /// Sets the connection's receive window in bytes: its initial size, and the maximum to which it grows with the
    /// measured bandwidth-delay product.
    ///
    /// Equal values give a fixed window. Default: 1 MiB and 4 MiB.
    #[must_use]
    pub fn connection_window(self, initial: u32, maximum: u32) -> Self {
        self.choose(Choice::ConnectionWindow { initial, maximum })
    }

    /// Sets the maximum to which a stream's receive window grows, in bytes.
    ///
    /// Default: 4 MiB.
    #[must_use]
    pub fn stream_window_maximum(self, bytes: u32) -> Self {
        self.choose(Choice::StreamWindowMaximum(bytes))
    }

    /// Sets whether receive windows move only by [`RecvBody::window_update`](super::RecvBody::window_update) and
    /// [`Control::window_update`](super::Control::window_update).
    ///
    /// Default: false, reading content reopens them.
    #[must_use]
    pub fn manual_window_update(self, manual: bool) -> Self {
        self.choose(Choice::ManualWindowUpdate(manual))
    }

    /// Sets the send-buffer limit per stream, in bytes.
    ///
    /// Default: 256 KiB, lowered to at most 16 KiB while all streams together have 1 MiB or more waiting.
    #[must_use]
    pub fn send_buffer(self, bytes: u32) -> Self {
        self.choose(Choice::SendBuffer(bytes))
    }

    /// Client: sets how many streams the engine queues for the peer's SETTINGS_MAX_CONCURRENT_STREAMS.
    ///
    /// Further requests wait outside the engine. Default: 100.
    #[must_use]
    pub fn waiting_streams(self, streams: u32) -> Self {
        self.choose(Choice::WaitingStreams(streams))
    }

    /// Sets the names of fields that are never indexed (RFC 7541, 7.1.3), in addition to values marked as
    /// [sensitive](http::HeaderValue::set_sensitive).
    #[must_use]
    pub fn never_indexed(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.choose(Choice::NeverIndexed(names.into_iter().map(Into::into).collect()))
    }

    /// Sets how long the peer may take to send its preface and first SETTINGS; `None` for no limit.
    ///
    /// Default: 10 s.
    #[must_use]
    pub fn preface_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Preface, timeout))
    }

    /// Sets how long the peer may take to acknowledge SETTINGS; `None` for no limit.
    ///
    /// Default: 10 s.
    #[must_use]
    pub fn settings_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Settings, timeout))
    }

    /// Sets how long a field block may take from its first byte to its last; `None` for no limit.
    ///
    /// Default: 30 s.
    #[must_use]
    pub fn headers_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Headers, timeout))
    }

    /// Sets how long a stream, or the transport, may take less than 1 KiB of its pending content; `None` for no
    /// limit.
    ///
    /// Default: 5 minutes, or 60 s while more than 1 MiB is pending on the connection.
    #[must_use]
    pub fn stall_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Stall, timeout))
    }

    /// Sets how long a connection may be without streams before it is shut down; `None`, the default, for no limit.
    #[must_use]
    pub fn idle_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Idle, timeout))
    }

    /// Sets how long streams may go on after the connection is shut down; `None` for no limit.
    ///
    /// Default: 30 s.
    #[must_use]
    pub fn drain_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Drain, timeout))
    }

    /// Sends a PING after nothing has arrived for `interval`, and closes the connection if no acknowledgement
    /// arrives within `timeout`.
    ///
    /// Off by default.
    #[must_use]
    pub fn keep_alive(self, interval: Duration, timeout: Duration) -> Self {
        self.choose(Choice::KeepAlive { interval, timeout })
    }

    fn choose(mut self, choice: Choice) -> Self {
        self.choices.push(choice);
        self
    }
}
