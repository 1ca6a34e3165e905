//! Configuration of a connection: settings, limits and deadlines.

use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use crate::frame::{SettingId, StreamId};
use crate::settings::{DEFAULT_MAX_FRAME_SIZE, DEFAULT_WINDOW, MAX_WINDOW};

/// Configuration of a [`Connection`](crate::Connection).
///
/// The defaults fit most uses and withstand hostile peers. A caller changes the fields that it wants otherwise; fields
/// may be added in any version.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use http2_engine::{Config, ConfigError, Connection, KeepAlive};
///
/// let mut config = Config::default();
/// config.max_concurrent_streams = 250;
/// config.idle_timeout = Some(Duration::from_secs(60));
/// config.keep_alive = Some(KeepAlive::new(Duration::from_secs(20), Duration::from_secs(5)));
/// let server = Connection::server(config.clone())?;
/// assert!(server.is_open());
///
/// config.connection_window = 1_000;
/// assert_eq!(Connection::server(config).err(), Some(ConfigError::ConnectionWindow));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// SETTINGS_HEADER_TABLE_SIZE: size of the decoder's dynamic table in bytes (default 4,096).
    pub header_table_size: u32,
    /// Client: whether the server may push (SETTINGS_ENABLE_PUSH; default false).
    pub enable_push: bool,
    /// SETTINGS_MAX_CONCURRENT_STREAMS: number of streams the peer may have open (default 100); `u32::MAX` is no limit,
    /// and is not sent.
    ///
    /// The limit is in force from the first byte, before the peer acknowledges it.
    pub max_concurrent_streams: u32,
    /// SETTINGS_INITIAL_WINDOW_SIZE: bytes the peer may send on a new stream (default 256 KiB).
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE: largest frame payload accepted, in bytes (default 16,384, the protocol's minimum).
    pub max_frame_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE: size of the largest field section accepted, in bytes (default 32 KiB); `u32::MAX`
    /// is no limit but [`Limits::field_section_hard`], and is not sent.
    ///
    /// A larger field section ends its stream.
    pub max_header_list_size: u32,
    /// Server: whether clients may use extended CONNECT (RFC 8441; default false).
    pub enable_connect_protocol: bool,
    /// Server: whether to accept CONNECT to an authority without a port (default false).
    ///
    /// Such a request is malformed (RFC 9113, 8.5). A caller that accepts it answers with 400 unless it knows the port
    /// (RFC 9110, 9.3.6).
    pub connect_without_port: bool,
    /// SETTINGS_NO_RFC7540_PRIORITIES: whether to tell the peer that the priorities of RFC 7540 are ignored
    /// (RFC 9218, 2.1; default true). They are ignored in any case.
    pub no_rfc7540_priorities: bool,
    /// Settings to send at the start even if they have the protocol's default value (default none).
    pub explicit_settings: Vec<SettingId>,
    /// Initial receive window of the connection in bytes, at least 65,535 (default 1 MiB).
    pub connection_window: u32,
    /// Largest receive window of the connection in bytes, to which it grows with the bandwidth-delay product
    /// (default 4 MiB).
    pub connection_window_max: u32,
    /// Largest receive window of a stream in bytes, to which it grows likewise (default 4 MiB).
    pub stream_window_max: u32,
    /// Whether the caller replenishes the receive windows itself (default false).
    ///
    /// If false, the engine returns credit for the content that the caller reads. If true, the caller returns it
    /// with [`window_update`](crate::Connection::window_update) and
    /// [`connection_window_update`](crate::Connection::connection_window_update).
    pub manual_window_update: bool,
    /// Whether a read returns the content of one DATA frame, at a cost of four bytes a frame (default false).
    ///
    /// By default, the content of small frames is joined, and that of a large one can be read as it arrives.
    pub keep_frames: bool,
    /// Send-buffer limit per stream in bytes (default 256 KiB).
    ///
    /// The limit is lower while the total over all streams is high ([`Limits::content_bytes`]).
    pub send_buffer: usize,
    /// Client: identifier of the first stream, an odd number (default 1).
    pub first_stream_id: u32,
    /// Client: number of streams that may wait for the peer's limit (default 100).
    ///
    /// Beyond it, [`open`](crate::Connection::open) fails with
    /// [`OpenError::WouldBlock`](crate::OpenError::WouldBlock).
    pub waiting_streams: usize,
    /// Client: SETTINGS_MAX_CONCURRENT_STREAMS to assume until the peer's first SETTINGS arrive (default 100).
    pub initial_max_send_streams: u32,
    /// Largest payload of the DATA frames sent, in bytes, within the peer's limit (default 16,384).
    pub max_send_frame_size: u32,
    /// Pads the payload of DATA frames to a multiple of this many bytes, at most 256 (RFC 9113, 10.7; default 0, no
    /// padding).
    ///
    /// A frame is padded only if the flow-control windows have room for the padding.
    pub pad_to: u16,
    /// Size of the encoder's dynamic table in bytes, within the peer's limit (RFC 7541, 4.2; default 4,096).
    pub encoder_table_size: u32,
    /// Client: whether [`open`](crate::Connection::open) rejects field sections over the peer's
    /// SETTINGS_MAX_HEADER_LIST_SIZE (default false).
    ///
    /// The check applies once the peer's setting has arrived. The setting is advisory (RFC 9113, 10.5.1), so by
    /// default the peer decides.
    pub check_header_list_size: bool,
    /// Whether to reject the caller's messages that a peer would reject: requests without a proper target, and messages
    /// whose content does not match Content-Length or is not allowed (RFC 9113, 8.1.1; default true).
    ///
    /// Fields are checked in any case.
    pub check_sent_messages: bool,
    /// Names of fields to encode as never indexed (RFC 7541, 7.1.3), in addition to the built-in ones.
    pub never_indexed: Vec<Bytes>,
    /// Whether frames of unknown types are reported as events (default false).
    pub unknown_frames: bool,
    /// Deadline for the peer's connection preface and first SETTINGS (default 10 s).
    pub preface_timeout: Option<Duration>,
    /// Deadline for the peer's acknowledgement of SETTINGS (default 10 s).
    pub settings_timeout: Option<Duration>,
    /// Deadline for a field block, from its first frame to its last (default 30 s).
    pub headers_timeout: Option<Duration>,
    /// Time within which a stream, or the transport, must take at least 1 KiB of its pending content (default 5
    /// minutes).
    ///
    /// A stalled stream is reset; a stalled transport ends the connection.
    pub stall_timeout: Option<Duration>,
    /// Stall timeout while the pending content of all streams together exceeds [`Limits::content_bytes`] (default
    /// 2 minutes).
    ///
    /// It has no effect if [`stall_timeout`](Self::stall_timeout) is shorter or `None`.
    pub crowded_stall_timeout: Duration,
    /// Server: whether requests that have arrived completely are answered after the client has ended its direction of
    /// the transport (see [`recv_half_close`](crate::Connection::recv_half_close); default true).
    pub half_close: bool,
    /// Whether GOAWAY names the peer's offence in its debug data (RFC 9113, 6.8; default true).
    pub explain_errors: bool,
    /// Server: how long to wait for more of a request whose rest is read and discarded, after the caller has sent the
    /// whole response and released the stream (default 1 s). Content of other requests counts as well: they share the
    /// link.
    ///
    /// RST_STREAM with NO_ERROR then stops the client (RFC 9113, 8.1), after thirty times as long even if content keeps
    /// arriving. `None` stops the client at once.
    pub linger_timeout: Option<Duration>,
    /// Server: limit on the content read and discarded, in bytes (default 1 MiB).
    pub linger_bytes: u32,
    /// Time without streams after which the connection is shut down (default none).
    pub idle_timeout: Option<Duration>,
    /// Deadline for open streams after [`shutdown`](crate::Connection::shutdown) (default 30 s).
    pub drain_timeout: Option<Duration>,
    /// PING on a silent connection (default none).
    pub keep_alive: Option<KeepAlive>,
    /// Bounds on the resources that a peer can use.
    ///
    /// The defaults are far above the needs of an honest peer.
    pub limits: Limits,
}

/// When to probe whether the peer is still there (RFC 9113, 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Silence after which a PING is sent.
    pub interval: Duration,
    /// Time to wait for the answer before the connection ends.
    pub timeout: Duration,
}

/// Bounds on the memory and work that a peer can demand (RFC 9113, 10.5).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_engine::{Config, Connection, Event};
///
/// let mut config = Config::default();
/// config.limits.fields = 10;
/// let mut server = Connection::server(config)?;
/// # let mut client = Connection::client(Config::default())?;
///
/// let mut head = request("GET");
/// for _ in 0..20 {
///     head.push(b"x-field", b"value");
/// }
/// client.open(&head, true)?;
/// carry(&mut client, &mut server);
///
/// // The engine has answered; the server's caller does not hear of the request.
/// let status = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
///     Event::Response { head, .. } => head.status(),
///     _ => None,
/// });
/// assert_eq!(status, Some(431), "Request Header Fields Too Large");
/// assert!(!std::iter::from_fn(|| server.poll_event()).any(|event| matches!(event, Event::Request { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Size of a decoded field section, in bytes, at which decoding stops and the connection ends (default 64 KiB).
    ///
    /// The size is counted as for SETTINGS_MAX_HEADER_LIST_SIZE. The same limit applies to an encoded field block.
    pub field_section_hard: u32,
    /// Fields in a section, excluding cookie crumbs (default 128).
    ///
    /// A section with more ends its stream.
    pub fields: usize,
    /// Fields in a section, including cookie crumbs, at which the connection ends (default 1,024).
    pub fields_hard: usize,
    /// Cookie crumbs in a section (RFC 9113, 8.2.3; default 256).
    ///
    /// A section with more ends its stream.
    pub cookie_crumbs: usize,
    /// CONTINUATION frames in a field block (default 8).
    pub continuations: u32,
    /// Parameters in a SETTINGS frame (default 32).
    pub settings: usize,
    /// Bytes of queued control frames at which [`recv`](crate::Connection::recv) stops taking input (default 32
    /// KiB).
    ///
    /// A client counts the frames that the peer has caused: acknowledgements, RST_STREAM and WINDOW_UPDATE. A
    /// server counts all frames other than DATA.
    pub control_bytes: usize,
    /// Total content pending on all streams, in bytes, above which each send buffer shrinks to 16 KiB (default 1
    /// MiB).
    ///
    /// Below it, each stream has [`Config::send_buffer`].
    pub content_bytes: usize,
    /// Queued events at which [`recv`](crate::Connection::recv) stops taking input (default 512).
    pub events: usize,
    /// Frames taken by one call of [`recv`](crate::Connection::recv) (default 1,024).
    pub frames_per_recv: u32,
    /// Outstanding PINGs of the caller (default 16).
    pub pings: usize,
    /// Stream errors by the peer (RFC 9113, 5.4.2) above which the connection ends, or `None` for no limit (default).
    ///
    /// Streams beyond SETTINGS_MAX_CONCURRENT_STREAMS do not count. A stream error costs no more than a request: the limit
    /// is for callers that want nothing more to do with a faulty peer.
    pub stream_errors: Option<u32>,
    /// Abuse score at which the connection ends with ENHANCE_YOUR_CALM (default 2,000).
    ///
    /// At three quarters of it, the connection stops taking new streams. Only amplification raises the score:
    /// changes of the dynamic table that evict entries, field sections that expand over the limit, SETTINGS that
    /// change many windows, and GOAWAY. Completed streams, content and time (50 per second) lower it.
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
            connect_without_port: false,
            no_rfc7540_priorities: true,
            explicit_settings: Vec::new(),
            connection_window: 1 << 20,
            connection_window_max: 4 << 20,
            stream_window_max: 4 << 20,
            manual_window_update: false,
            keep_frames: false,
            send_buffer: 256 << 10,
            first_stream_id: 1,
            waiting_streams: 100,
            initial_max_send_streams: 100,
            max_send_frame_size: DEFAULT_MAX_FRAME_SIZE,
            pad_to: 0,
            encoder_table_size: 4_096,
            check_header_list_size: false,
            check_sent_messages: true,
            never_indexed: Vec::new(),
            unknown_frames: false,
            preface_timeout: seconds(10),
            settings_timeout: seconds(10),
            headers_timeout: seconds(30),
            stall_timeout: seconds(300),
            crowded_stall_timeout: Duration::from_secs(120),
            half_close: true,
            explain_errors: true,
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
            control_bytes: 32 << 10,
            content_bytes: 1 << 20,
            events: 512,
            frames_per_recv: 1_024,
            pings: 16,
            stream_errors: None,
            abuse: 2_000,
        }
    }
}

impl KeepAlive {
    /// Sends a PING after `interval` of silence, and waits for the answer for `timeout`.
    pub fn new(interval: Duration, timeout: Duration) -> Self {
        Self { interval, timeout }
    }
}

impl Config {
    /// Sets a SETTINGS parameter by its identifier.
    ///
    /// # Errors
    ///
    /// Returns an error if the parameter is unknown, cannot be changed, or cannot have the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::{Config, ConfigError, SettingId};
    ///
    /// let mut config = Config::default();
    /// config.set(SettingId::MAX_FRAME_SIZE, 32_768)?;
    /// assert_eq!(config.max_frame_size, 32_768);
    /// assert_eq!(config.set(SettingId::MAX_FRAME_SIZE, 1), Err(ConfigError::FrameSize));
    /// # Ok(())
    /// # }
    /// ```
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
            _ => return Err(ConfigError::UnknownSetting),
        }
        Ok(())
    }

    /// Checks that every value is valid and that the values are consistent.
    ///
    /// # Errors
    ///
    /// Returns the first problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_setting(SettingId::INITIAL_WINDOW_SIZE, self.initial_window_size)?;
        check_setting(SettingId::MAX_FRAME_SIZE, self.max_frame_size)?;
        check_setting(SettingId::MAX_FRAME_SIZE, self.max_send_frame_size)?;
        let connection = DEFAULT_WINDOW..=MAX_WINDOW;
        let rules = [
            (connection.contains(&self.connection_window), ConfigError::ConnectionWindow),
            (connection.contains(&self.connection_window_max), ConfigError::ConnectionWindow),
            (self.connection_window <= self.connection_window_max, ConfigError::ConnectionWindowMax),
            (self.initial_window_size <= self.stream_window_max, ConfigError::StreamWindowMax),
            (self.stream_window_max <= MAX_WINDOW, ConfigError::StreamWindowMax),
            (self.send_buffer > 0, ConfigError::SendBuffer),
            (
                StreamId::new(self.first_stream_id).is_some_and(StreamId::is_client_initiated),
                ConfigError::FirstStreamId,
            ),
            (self.pad_to <= 256, ConfigError::Padding),
            (
                [u32::MAX, self.max_header_list_size.min(self.limits.field_section_hard)]
                    .contains(&self.max_header_list_size),
                ConfigError::HeaderListSize,
            ),
            (self.limits.frames_per_recv > 0, ConfigError::ZeroLimit),
            (self.limits.events > 0, ConfigError::ZeroLimit),
            (self.limits.control_bytes > 0, ConfigError::ZeroLimit),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, broken)) => Err(*broken),
            None => Ok(()),
        }
    }
}

/// Checks whether the local endpoint may send this setting with this value (RFC 9113, 6.5.2).
pub(crate) fn check_setting(id: SettingId, value: u32) -> Result<(), ConfigError> {
    id.check(value).map_err(|_| match id {
        SettingId::INITIAL_WINDOW_SIZE => ConfigError::InitialWindowSize,
        SettingId::MAX_FRAME_SIZE => ConfigError::FrameSize,
        _ => ConfigError::NotBoolean,
    })
}

/// Why a [`Config`] or a change of settings is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1 (RFC 9113, 6.5.2).
    InitialWindowSize,
    /// SETTINGS_MAX_FRAME_SIZE or [`Config::max_send_frame_size`] is not 16,384 to 16,777,215 (RFC 9113, 6.5.2).
    FrameSize,
    /// A setting that must be 0 or 1 has another value (RFC 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1).
    NotBoolean,
    /// The setting is unknown, or [`Config::set`] cannot change it.
    UnknownSetting,
    /// Only the other role sends this setting (RFC 9113, 6.5.2; RFC 8441, 3).
    Role,
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL would return to 0 (RFC 8441, 3).
    ConnectProtocolWithdrawn,
    /// SETTINGS_NO_RFC7540_PRIORITIES would change (RFC 9218, 2.1).
    PrioritiesChanged,
    /// The change of SETTINGS_INITIAL_WINDOW_SIZE would raise the window of a stream above 2^31-1 bytes
    /// (RFC 9113, 6.9.2).
    StreamWindowOverflow,
    /// SETTINGS_MAX_HEADER_LIST_SIZE exceeds [`Limits::field_section_hard`].
    HeaderListSize,
    /// [`Config::connection_window`] or [`Config::connection_window_max`] is not 65,535 to 2^31-1 bytes.
    ConnectionWindow,
    /// [`Config::connection_window`] exceeds [`Config::connection_window_max`].
    ConnectionWindowMax,
    /// [`Config::initial_window_size`] exceeds [`Config::stream_window_max`], or that exceeds 2^31-1 bytes.
    StreamWindowMax,
    /// [`Config::send_buffer`] is 0.
    SendBuffer,
    /// [`Config::first_stream_id`] is even, or exceeds 2^31-1.
    FirstStreamId,
    /// [`Config::pad_to`] exceeds 256.
    Padding,
    /// A limit without which the connection makes no progress is 0: [`Limits::frames_per_recv`], [`Limits::events`] or
    /// [`Limits::control_bytes`].
    ZeroLimit,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InitialWindowSize => "SETTINGS_INITIAL_WINDOW_SIZE must be 0 to 2^31-1",
            Self::FrameSize => "SETTINGS_MAX_FRAME_SIZE must be 16,384 to 16,777,215",
            Self::NotBoolean => "this setting must be 0 or 1",
            Self::UnknownSetting => "this setting is unknown or cannot be changed",
            Self::Role => "this role must not send this setting",
            Self::ConnectProtocolWithdrawn => "SETTINGS_ENABLE_CONNECT_PROTOCOL must not return to 0",
            Self::PrioritiesChanged => "SETTINGS_NO_RFC7540_PRIORITIES must not change",
            Self::StreamWindowOverflow => "the window of a stream would exceed 2^31-1 bytes",
            Self::HeaderListSize => "SETTINGS_MAX_HEADER_LIST_SIZE exceeds the hard limit on a field section",
            Self::ConnectionWindow => "the connection window must be 65,535 to 2^31-1 bytes",
            Self::ConnectionWindowMax => "the initial connection window exceeds its maximum",
            Self::StreamWindowMax => {
                "the initial stream window exceeds its maximum, or the maximum exceeds 2^31-1 bytes"
            }
            Self::SendBuffer => "the send buffer must not be empty",
            Self::FirstStreamId => "the first stream must have an odd identifier of at most 2^31-1",
            Self::Padding => "DATA can be padded to multiples of at most 256 bytes",
            Self::ZeroLimit => "the limits on frames per recv, events and control frames must not be 0",
        })
    }
}

impl core::error::Error for ConfigError {}
