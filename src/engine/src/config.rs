//! Settings, limits and deadlines of a connection.

use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::frame::SettingId;
use crate::settings::{DEFAULT_MAX_FRAME_SIZE, DEFAULT_WINDOW, MAX_WINDOW};

/// How a connection behaves. The default fits most uses, and holds under attack.
#[derive(Clone, Debug)]
pub struct Config {
    /// SETTINGS_HEADER_TABLE_SIZE: octets of dynamic table for decoding. Default 4,096.
    pub header_table_size: u32,
    /// Client: whether the server may push (SETTINGS_ENABLE_PUSH). Default false.
    pub enable_push: bool,
    /// SETTINGS_MAX_CONCURRENT_STREAMS: streams that the peer may have open, in force from the first octet.
    /// Default 100.
    pub max_concurrent_streams: u32,
    /// SETTINGS_INITIAL_WINDOW_SIZE: octets that the peer may send on a new stream. Default 256 KiB.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE: octets of payload taken in one frame. Default 16,384, the least possible.
    pub max_frame_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE: a larger field section ends its stream. Default 32 KiB.
    pub max_header_list_size: u32,
    /// Server: whether extended CONNECT is taken (RFC 8441). Default false.
    pub enable_connect_protocol: bool,
    /// Receive window of the connection to start with, in octets, from 65,535. Default 1 MiB.
    pub connection_window: u32,
    /// Receive window of the connection up to which it grows with the bandwidth-delay product. Default 4 MiB.
    pub connection_window_max: u32,
    /// Receive window of a stream up to which it grows likewise. Default 4 MiB.
    pub stream_window_max: u32,
    /// Whether receive windows move only by [`window_update`](crate::Connection::window_update) and its kin.
    /// Default false: what was read is given back.
    pub manual_window_update: bool,
    /// Octets of a stream that are kept for sending; fewer while those of all streams together are many
    /// ([`Limits::content_octets`]). Default 256 KiB.
    pub send_buffer: usize,
    /// Client: streams that may wait for the peer's limit; beyond, [`open`](crate::Connection::open) says so.
    /// Default 100.
    pub waiting_streams: usize,
    /// Client: the peer's SETTINGS_MAX_CONCURRENT_STREAMS as long as it has not said one. Default 100.
    pub initial_max_send_streams: u32,
    /// Octets of payload in the DATA frames sent, where the peer allows them. Default 16,384.
    pub max_send_frame_size: u32,
    /// Names of fields that are never indexed (RFC 7541, 7.1.3), besides those that are by default.
    pub never_indexed: Vec<Bytes>,
    /// Whether frames of unknown types come as events. Default false.
    pub unknown_frames: bool,
    /// How long the peer may take for its preface and first SETTINGS. Default 10 s.
    pub preface_timeout: Option<Duration>,
    /// How long the peer may take to acknowledge SETTINGS. Default 10 s.
    pub settings_timeout: Option<Duration>,
    /// How long a field block may take from its first frame to its last. Default 30 s.
    pub headers_timeout: Option<Duration>,
    /// How long a stream, or the transport, may take less than 1 KiB of the content that waits for it. A stalled stream
    /// is reset; a stalled transport ends the connection. Default 5 minutes.
    pub stall_timeout: Option<Duration>,
    /// The same while the content of all streams together exceeds [`Limits::content_octets`], unless
    /// [`stall_timeout`](Self::stall_timeout) is shorter or `None`. Default 60 s.
    pub crowded_stall_timeout: Duration,
    /// Server: how long the rest of a request is read and dropped after its response is complete and the caller has
    /// released it, before RST_STREAM with NO_ERROR stops the client (RFC 9113, 8.1). Default 1 s; `None` to
    /// stop the client at once.
    pub linger_timeout: Option<Duration>,
    /// Server: bytes of content that are read and dropped likewise. Default 1 MiB.
    pub linger_bytes: u32,
    /// How long a connection may be without streams before it is shut down. Default none.
    pub idle_timeout: Option<Duration>,
    /// How long streams may go on after [`shutdown`](crate::Connection::shutdown). Default 30 s.
    pub drain_timeout: Option<Duration>,
    /// PING on a silent connection. Default none.
    pub keep_alive: Option<KeepAlive>,
    /// What a peer may use up. The defaults are far from what a good one needs.
    pub limits: Limits,
}

/// When to ask whether the peer is still there (RFC 9113, 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Silence after which a PING is sent.
    pub interval: Duration,
    /// How long the answer may take before the connection is given up.
    pub timeout: Duration,
}

/// Bounds on what a peer can make us keep or do (RFC 9113, 10.5).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Octets of a decoded field section at which decoding is given up and the connection ended, counted as in
    /// SETTINGS_MAX_HEADER_LIST_SIZE; also the limit of an encoded field block. Default 64 KiB.
    pub field_section_hard: u32,
    /// Fields of a section, cookie crumbs apart; more end the stream. Default 128.
    pub fields: usize,
    /// Fields of a section, cookie crumbs included, at which the connection is ended. Default 1,024.
    pub fields_hard: usize,
    /// Crumbs of Cookie (RFC 9113, 8.2.3) in a section; more end the stream. Default 256.
    pub cookie_crumbs: usize,
    /// CONTINUATION frames of a field block. Default 8.
    pub continuations: u32,
    /// Parameters of a SETTINGS frame. Default 32.
    pub settings: usize,
    /// Bytes of frames that the peer has caused (acknowledgements, RST_STREAM, WINDOW_UPDATE) waiting for the
    /// transport above which no input is taken; for a server, of all frames other than DATA. Default 32 KiB.
    pub control_octets: usize,
    /// Octets of content of all streams together, waiting to be sent, above which a stream has room for no more than
    /// 16 KiB instead of [`Config::send_buffer`]. Default 1 MiB.
    pub content_octets: usize,
    /// Events waiting for the caller above which no input is taken. Default 512.
    pub events: usize,
    /// Frames taken by one call of [`recv`](crate::Connection::recv). Default 1,024.
    pub frames_per_recv: u32,
    /// PINGs of the caller that may wait for their answer. Default 16.
    pub pings: usize,
    /// The abuse score at which the connection ends with ENHANCE_YOUR_CALM; at three quarters of it no new streams
    /// are taken. Only amplification is scored: changes of the dynamic table that evict, field sections that
    /// expand over the limit, SETTINGS that move many windows, GOAWAY. Completed streams, content and time (50 a
    /// second) pay it off. Default 2,000.
    pub abuse: u32,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |n| Some(Duration::from_secs(n));
        Self {
            header_table_size: 4_096,
            enable_push: false,
            max_concurrent_streams: 100,
            initial_window_size: 256 << 10,
            max_frame_size: DEFAULT_MAX_FRAME_SIZE,
            max_header_list_size: 32 << 10,
            enable_connect_protocol: false,
            connection_window: 1 << 20,
            connection_window_max: 4 << 20,
            stream_window_max: 4 << 20,
            manual_window_update: false,
            send_buffer: 256 << 10,
            waiting_streams: 100,
            initial_max_send_streams: 100,
            max_send_frame_size: DEFAULT_MAX_FRAME_SIZE,
            never_indexed: Vec::new(),
            unknown_frames: false,
            preface_timeout: seconds(10),
            settings_timeout: seconds(10),
            headers_timeout: seconds(30),
            stall_timeout: seconds(300),
            crowded_stall_timeout: Duration::from_secs(60),
            linger_timeout: seconds(1),
            linger_bytes: 1 << 20,
            idle_timeout: None,
            drain_timeout: seconds(30),
            keep_alive: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            field_section_hard: 64 << 10,
            fields: 128,
            fields_hard: 1_024,
            cookie_crumbs: 256,
            continuations: 8,
            settings: 32,
            control_octets: 32 << 10,
            content_octets: 1 << 20,
            events: 512,
            frames_per_recv: 1_024,
            pings: 16,
            abuse: 2_000,
        }
    }
}

impl Config {
    /// Sets one of the parameters of SETTINGS by its number.
    ///
    /// # Errors
    ///
    /// The parameter is unknown, or cannot have that value.
    pub fn set(&mut self, id: SettingId, value: u32) -> Result<(), ConfigError> {
        check_setting(id, value)?;
        match id {
            SettingId::HEADER_TABLE_SIZE => self.header_table_size = value,
            SettingId::ENABLE_PUSH => self.enable_push = value != 0,
            SettingId::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = value,
            SettingId::INITIAL_WINDOW_SIZE => self.initial_window_size = value,
            SettingId::MAX_FRAME_SIZE => self.max_frame_size = value,
            SettingId::MAX_HEADER_LIST_SIZE => self.max_header_list_size = value,
            SettingId::ENABLE_CONNECT_PROTOCOL => self.enable_connect_protocol = value != 0,
            _ => return Err(ConfigError("this setting cannot be changed")),
        }
        Ok(())
    }

    /// Whether all values are possible, and fit together.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_setting(SettingId::INITIAL_WINDOW_SIZE, self.initial_window_size)?;
        check_setting(SettingId::MAX_FRAME_SIZE, self.max_frame_size)?;
        check_setting(SettingId::MAX_FRAME_SIZE, self.max_send_frame_size)?;
        let rules = [
            (
                self.connection_window >= DEFAULT_WINDOW && self.connection_window_max <= MAX_WINDOW,
                "the window of the connection is 65,535 to 2^31-1 octets",
            ),
            (
                self.connection_window <= self.connection_window_max,
                "the window of the connection starts larger than it may grow",
            ),
            (
                self.initial_window_size <= self.stream_window_max && self.stream_window_max <= MAX_WINDOW,
                "the window of a stream starts larger than it may grow, or may grow past 2^31-1 octets",
            ),
            (self.send_buffer > 0, "the send buffer has no room for an octet"),
            (
                self.max_header_list_size <= self.limits.field_section_hard,
                "SETTINGS_MAX_HEADER_LIST_SIZE exceeds the hard limit of a field section",
            ),
            (self.limits.frames_per_recv > 0, "no frame may be taken in a call of recv"),
            (
                self.limits.events > 0 && self.limits.control_octets > 0,
                "no room for events or control frames",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(ConfigError(broken)),
            None => Ok(()),
        }
    }
}

/// Whether we may send this setting with this value (RFC 9113, 6.5.2).
pub(crate) fn check_setting(id: SettingId, value: u32) -> Result<(), ConfigError> {
    id.check(value).map_err(|_| {
        ConfigError(match id {
            SettingId::INITIAL_WINDOW_SIZE => "SETTINGS_INITIAL_WINDOW_SIZE is 0 to 2^31-1",
            SettingId::MAX_FRAME_SIZE => "SETTINGS_MAX_FRAME_SIZE is 16,384 to 16,777,215",
            _ => "this setting is 0 or 1",
        })
    })
}

/// A value in [`Config`], or in a change of settings, that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(crate) &'static str);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for ConfigError {}
