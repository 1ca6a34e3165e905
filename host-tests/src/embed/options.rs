//! What a connection is to be like.

use std::time::Duration;

use http2_engine::SettingId;

/// Settings, windows and deadlines of a connection. Each has a default that fits most uses, and holds under attack.
///
/// ```
/// use wasi_http2::embed::{Options, SettingId};
///
/// let options = Options::new().setting(SettingId::MAX_CONCURRENT_STREAMS, 10).manual_window_update(true);
/// ```
///
/// Impossible values are refused by [`Sandbox::client`](super::Sandbox::client) and
/// [`Sandbox::server`](super::Sandbox::server).
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// SETTINGS, which are checked together, and before all else: some values fit only in company.
    pub(super) settings: Vec<(u16, u32)>,
    pub(super) choices: Vec<Choice>,
}

/// A default that was changed.
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
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A parameter of the SETTINGS that are sent first (RFC 9113, 6.5.2). Those not named keep their default.
    #[must_use]
    pub fn setting(mut self, id: SettingId, value: u32) -> Self {
        self.settings.push((id.0, value));
        self
    }

    /// The receive window of the connection, in octets: the one to start with, and the one up to which it grows with
    /// the measured bandwidth-delay product. Equal numbers mean a fixed window. Default 1 MiB and 4 MiB.
    #[must_use]
    pub fn connection_window(self, initial: u32, maximum: u32) -> Self {
        self.choose(Choice::ConnectionWindow { initial, maximum })
    }

    /// The receive window up to which that of a stream grows, in octets. Default 4 MiB.
    #[must_use]
    pub fn stream_window_maximum(self, octets: u32) -> Self {
        self.choose(Choice::StreamWindowMaximum(octets))
    }

    /// Whether receive windows move only by [`RecvBody::window_update`](super::RecvBody::window_update) and
    /// [`Control::window_update`](super::Control::window_update). Default false: what was read is given back.
    #[must_use]
    pub fn manual_window_update(self, manual: bool) -> Self {
        self.choose(Choice::ManualWindowUpdate(manual))
    }

    /// How many octets of a stream are kept for sending. Default 256 KiB; while all streams together have 1 MiB or more
    /// waiting, it is 16 KiB at the most.
    #[must_use]
    pub fn send_buffer(self, octets: u32) -> Self {
        self.choose(Choice::SendBuffer(octets))
    }

    /// Client: how many streams the engine lets wait for the peer's SETTINGS_MAX_CONCURRENT_STREAMS. Further requests
    /// wait outside of it. Default 100.
    #[must_use]
    pub fn waiting_streams(self, streams: u32) -> Self {
        self.choose(Choice::WaitingStreams(streams))
    }

    /// Names of fields that are never indexed (RFC 7541, 7.1.3), besides the values that are marked as
    /// [sensitive](http::HeaderValue::set_sensitive).
    #[must_use]
    pub fn never_indexed(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.choose(Choice::NeverIndexed(names.into_iter().map(Into::into).collect()))
    }

    /// How long the peer may take for its preface and first SETTINGS; none: for ever. Default 10 s.
    #[must_use]
    pub fn preface_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Preface, timeout))
    }

    /// How long the peer may take to acknowledge SETTINGS; none: for ever. Default 10 s.
    #[must_use]
    pub fn settings_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Settings, timeout))
    }

    /// How long a field block may take from its first octet to its last; none: for ever. Default 30 s.
    #[must_use]
    pub fn headers_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Headers, timeout))
    }

    /// How long a stream, or the transport, may take less than 1 KiB of the content that waits for it; none: for ever. Default
    /// 5 minutes, and 60 s while more than 1 MiB waits on the connection.
    #[must_use]
    pub fn stall_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Stall, timeout))
    }

    /// How long a connection may be without streams before it is shut down; none, the default: for ever.
    #[must_use]
    pub fn idle_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Idle, timeout))
    }

    /// How long streams may go on after the shutdown of the connection; none: for ever. Default 30 s.
    #[must_use]
    pub fn drain_timeout(self, timeout: Option<Duration>) -> Self {
        self.choose(Choice::Timeout(Timeout::Drain, timeout))
    }

    /// Sends a PING when nothing has arrived for `interval`, and gives the connection up when no answer comes within
    /// `timeout`. Default: it does not.
    #[must_use]
    pub fn keep_alive(self, interval: Duration, timeout: Duration) -> Self {
        self.choose(Choice::KeepAlive { interval, timeout })
    }

    fn choose(mut self, choice: Choice) -> Self {
        self.choices.push(choice);
        self
    }
}
