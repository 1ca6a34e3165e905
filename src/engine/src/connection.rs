//! A connection: received bytes and operations in, bytes to send and events out.

mod control;
mod data;
mod headers;
mod input;
mod lifecycle;
mod send;
mod shutdown;
#[cfg(test)]
mod tests;
mod timers;
mod transmit;

use std::collections::{BTreeSet, VecDeque};

use crate::abuse::{Abuse, AbuseCause, Verdict};
use crate::config::{Config, ConfigError};
use crate::error::{ConnectionError, Violation};
use crate::event::{Event, GoAway};
use crate::fields::FieldSection;
use crate::flow::{Bandwidth, ReceiveWindow};
use crate::frame::{FrameHeader, HEADER_LEN, SettingId, StreamId};
use crate::hpack;
use crate::priority::Priority;
use crate::scheduler::Scheduler;
use crate::settings::{DEFAULT_WINDOW, LocalSettings, Settings};
use crate::stats::Stats;
use crate::stream::{State, Store};
use crate::subscriber::{Direction, Subscriber};
use crate::time::Time;
use crate::windows::Windows;
use control::Pings;
use headers::Block;
use input::Reader;
use shutdown::Phase;
use timers::Timers;

/// The role of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opens streams for requests.
    Client,
    /// Answers the requests.
    Server,
}

/// One HTTP/2 connection, without a transport and without a clock.
///
/// The methods fall into four groups:
///
/// - *input* from the transport and the clock: [`recv`](Self::recv), [`recv_end`](Self::recv_end) and
///   [`handle_timeout`](Self::handle_timeout);
/// - *operations* of the caller: [`open`](Self::open), [`send_response`](Self::send_response), [`send_data`](Self::send_data),
///   [`read`](Self::read), [`reset`](Self::reset), [`release`](Self::release), [`shutdown`](Self::shutdown) and
///   others;
/// - *outputs* to poll: [`poll_event`](Self::poll_event), [`poll_transmit`](Self::poll_transmit) and
///   [`poll_timeout`](Self::poll_timeout);
/// - *getters*.
///
/// **After every call from the first two groups, poll events and output until both are exhausted (taking output can
/// produce events). Then pass the input that `recv` has left to `recv` again, and wait until bytes arrive, the
/// transport has room, or the time of `poll_timeout` has come.**
///
/// A stream given to the caller, by [`open`](Self::open) or by an event, occupies a slot until the caller
/// [releases](Self::release) it, even if it has long ended on the wire.
///
/// The same loop serves a client and a server, here with blocking sockets:
///
/// ```
/// use std::io::{self, Read as _, Write as _};
/// use std::net::{TcpListener, TcpStream};
/// use std::thread;
/// use std::time::{Duration, Instant};
///
/// use bytes::Bytes;
/// use http2_engine::{Config, Connection, Event, FieldSection, Time};
///
/// /// Runs a connection to its end; `act` is the application.
/// fn drive(
///     mut connection: Connection,
///     mut socket: TcpStream,
///     mut act: impl FnMut(&mut Connection, Event),
/// ) -> io::Result<()> {
///     let (start, mut input, mut buffer) = (Instant::now(), Bytes::new(), [0; 16_384]);
///     loop {
///         let now = Time::default() + start.elapsed();
///         let mut output = Vec::new();
///         loop {
///             while let Some(event) = connection.poll_event() {
///                 act(&mut connection, event);
///             }
///             if connection.poll_transmit(now, &mut output, 65_536) == 0 {
///                 break;
///             }
///         }
///         socket.write_all(&output)?;
///         if connection.is_closed() {
///             return Ok(());
///         }
///         if connection.recv(now, &mut input) > 0 {
///             continue;
///         }
///         let wait = connection.poll_timeout().map(|at| (at - now).max(Duration::from_millis(1)));
///         socket.set_read_timeout(wait)?;
///         match socket.read(&mut buffer) {
///             Ok(0) => connection.recv_end(now),
///             Ok(bytes) => input = Bytes::copy_from_slice(&buffer[..bytes]),
///             Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
///                 connection.handle_timeout(Time::default() + start.elapsed());
///             }
///             Err(error) => return Err(error),
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = thread::spawn(move || {
///     let (socket, _) = listener.accept()?;
///     drive(Connection::server(Config::default()).unwrap(), socket, |server, event| {
///         if let Event::Request { id, .. } = event {
///             let head = FieldSection::from_iter([(":status", "204")]);
///             server.send_response(id, &head, true).expect("the request is new");
///             server.release(id);
///         }
///     })
/// });
///
/// let mut client = Connection::client(Config::default())?;
/// let head = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")];
/// client.open(&FieldSection::from_iter(head), true)?;
/// let mut status = None;
/// drive(client, TcpStream::connect(address)?, |client, event| {
///     if let Event::Response { id, head, .. } = event {
///         status = head.status();
///         client.release(id);
///         client.shutdown(Time::default());
///     }
/// })?;
/// assert_eq!(status, Some(204));
/// server.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
pub struct Connection {
    role: Role,
    config: Config,
    /// The latest time passed by the caller.
    now: Time,
    phase: Phase,
    close_reason: Option<Result<(), ConnectionError>>,
    received_go_away: Option<GoAway>,
    /// The last peer-initiated stream that this endpoint accepts, once it has committed itself in GOAWAY.
    last_accepted: Option<StreamId>,

    reader: Reader,
    decoder: hpack::Decoder,
    /// Reusable buffer for decoded field sections.
    section: FieldSection,
    /// A field block that continues in CONTINUATION.
    block: Option<Block>,
    encoder: hpack::Encoder,

    local: LocalSettings,
    peer: Settings,
    /// Whether the peer's first SETTINGS have arrived.
    peer_settings_known: bool,

    streams: Store,
    /// The identifier of the next stream that this endpoint opens; above 2^31-1, none are left.
    next_id: u32,
    /// The highest stream that the peer has opened.
    highest_peer_id: StreamId,
    counts: Counts,
    /// Server: requests that wait for the caller to release earlier ones.
    pending_accept: VecDeque<StreamId>,
    /// Client: requests that wait for the peer's limit.
    pending_open: VecDeque<StreamId>,
    /// Whether the caller was refused a stream with [`OpenError::WouldBlock`](crate::OpenError::WouldBlock) and
    /// awaits an event.
    open_refused: bool,

    /// Bytes this endpoint may send on the connection (RFC 9113, 6.9.1).
    send_window: i64,
    /// Upper bound of the [`window_delta`](crate::stream::Sending::window_delta) of all streams.
    highest_delta: i64,
    scheduler: Scheduler,
    /// Total content pending on all streams, in bytes.
    content_waiting: usize,
    /// Whether `content_waiting` is so high that the send-buffer limit of each stream is lowered.
    crowded: bool,
    /// Streams that have content but no window, with the start of the stall.
    blocked: BTreeSet<(Time, StreamId)>,
    /// Streams whose requests are read only to be discarded, with the deadline.
    lingering: BTreeSet<(Time, StreamId)>,
    /// Priorities received before their requests (RFC 9218, 7.1).
    early_priorities: Vec<(StreamId, Priority)>,
    window: ReceiveWindow,
    bandwidth: Bandwidth,

    /// Encoded frames to send before any content: all but DATA, and the frames that end a message after its
    /// content.
    control: Vec<u8>,
    /// Bytes of `control` caused by the peer.
    provoked: usize,
    /// PINGs to answer before sending anything else (RFC 9113, 6.7).
    pongs: Vec<[u8; 8]>,
    pings: Pings,
    events: VecDeque<Event>,
    timers: Timers,
    abuse: Abuse,
    stats: Stats,
    subscriber: Option<Box<dyn Subscriber + Send>>,
}

/// Numbers of streams that are not closed (RFC 9113, 5.1.2), and of streams that the caller holds.
#[derive(Debug, Default)]
struct Counts {
    /// Opened by this endpoint.
    local: usize,
    /// Opened by the peer.
    peer: usize,
    /// Promised by the server, but not yet open.
    promised: usize,
    /// Opened by the peer, given to the caller, and not yet released.
    app_owned: usize,
}

impl Connection {
    /// Creates the client end of a connection.
    ///
    /// The connection preface is the first output; requests may be opened at once.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Config::check`].
    pub fn client(config: Config) -> Result<Self, ConfigError> {
        Self::new(Role::Client, config)
    }

    /// Creates the server end of a connection.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Config::check`].
    pub fn server(config: Config) -> Result<Self, ConfigError> {
        Self::new(Role::Server, config)
    }

    fn new(role: Role, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let bandwidth = Bandwidth::new(
            config.initial_window_size,
            config.stream_window_max,
            config.connection_window,
            config.connection_window_max,
        );
        let mut connection = Self {
            role,
            now: Time::default(),
            phase: Phase::Running,
            close_reason: None,
            received_go_away: None,
            last_accepted: None,
            reader: Reader::new(role),
            decoder: hpack::Decoder::new(Settings::INITIAL.header_table_size),
            section: FieldSection::with_capacity(32, 2_048),
            block: None,
            encoder: hpack::Encoder::new(config.encoder_table_size),
            local: LocalSettings::new(),
            peer: Settings::INITIAL,
            peer_settings_known: false,
            streams: Store::default(),
            next_id: if role == Role::Client { 1 } else { 2 },
            highest_peer_id: StreamId::CONNECTION,
            counts: Counts::default(),
            pending_accept: VecDeque::new(),
            pending_open: VecDeque::new(),
            open_refused: false,
            send_window: i64::from(DEFAULT_WINDOW),
            highest_delta: 0,
            scheduler: Scheduler::default(),
            content_waiting: 0,
            crowded: false,
            blocked: BTreeSet::new(),
            lingering: BTreeSet::new(),
            early_priorities: Vec::new(),
            window: ReceiveWindow::new(0),
            bandwidth,
            control: Vec::with_capacity(1_024),
            provoked: 0,
            pongs: Vec::new(),
            pings: Pings::default(),
            events: VecDeque::new(),
            timers: Timers::default(),
            abuse: Abuse::new(&config.limits),
            stats: Stats::default(),
            subscriber: None,
            config,
        };
        connection.write_preface();
        Ok(connection)
    }

    /// Returns the next event.
    ///
    /// Events of streams that were released in the meantime are skipped. So are requests that have failed in the
    /// meantime: a peer that gives up its requests at once causes no work for the caller.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.events.pop_front()?;
            if let Event::Request { id, .. } = event
                && self.streams.get(id).is_none_or(|stream| stream.error.is_some())
            {
                self.release(id);
                continue;
            }
            let released = event
                .of_app_owned_stream()
                .is_some_and(|id| self.streams.get(id).is_none_or(|stream| stream.released));
            if !released {
                return Some(event);
            }
        }
    }

    /// Attaches an observer.
    ///
    /// The observer is shown the output that was not taken yet, so one attached at the start misses nothing.
    pub fn set_subscriber(&mut self, subscriber: Box<dyn Subscriber + Send>) {
        self.subscriber = Some(subscriber);
        let preface = self.is_client() && self.stats.octets_sent == 0;
        let start = if preface { input::PREFACE.len() } else { 0 };
        show_sent(&mut self.subscriber, self.control.get(start..).unwrap_or_default());
    }

    /// Returns the role of this endpoint.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns whether the connection has ended and all output was taken, so that the transport can be closed.
    pub fn is_closed(&self) -> bool {
        self.close_reason.is_some() && self.control.is_empty()
    }

    /// Returns whether the connection takes new streams: neither side has begun to end it, and identifiers are
    /// left.
    pub fn is_open(&self) -> bool {
        let ids_left = !self.is_client() || self.next_id <= StreamId::MAX.as_u32();
        let ending = self.received_go_away.is_some() || self.close_reason.is_some();
        self.phase == Phase::Running && ids_left && !ending
    }

    /// Returns why the connection ended: `None` while it has not, `Ok` after an orderly end.
    pub fn close_reason(&self) -> Option<Result<(), &ConnectionError>> {
        self.close_reason.as_ref().map(|reason| reason.as_ref().copied())
    }

    /// Returns the last GOAWAY received.
    pub fn received_go_away(&self) -> Option<&GoAway> {
        self.received_go_away.as_ref()
    }

    /// Returns the local settings that the peer has acknowledged.
    pub fn local_settings(&self) -> &Settings {
        &self.local.acknowledged
    }

    /// Returns the peer's settings, with defaults for those it has not sent.
    pub fn peer_settings(&self) -> &Settings {
        &self.peer
    }

    /// Returns the flow-control windows of the connection.
    pub fn windows(&self) -> Windows {
        Windows { receive: self.window.available(DEFAULT_WINDOW), send: self.send_window }
    }

    /// Returns the flow-control windows of a stream, or `None` once it was closed and released.
    pub fn stream_windows(&self, id: StreamId) -> Option<Windows> {
        let stream = self.streams.get(id)?;
        let receive = stream.recv.window.available(self.local.acknowledged.initial_window_size);
        let send = i64::from(self.peer.initial_window_size).saturating_add(stream.send.window_delta);
        Some(Windows { receive, send })
    }

    /// Returns the state of a stream on the wire, or `None` once it was closed and released.
    pub fn state(&self, id: StreamId) -> Option<State> {
        self.streams.get(id).map(|stream| stream.state)
    }

    /// Returns whether both messages of a stream are complete or aborted, the local one was handed out, and no received
    /// content is left to read.
    pub fn is_finished(&self, id: StreamId) -> bool {
        self.streams.get(id).is_none_or(|stream| stream.is_closed() && stream.recv.content.is_empty())
    }

    /// Returns the priority of a stream (RFC 9218).
    pub fn priority(&self, id: StreamId) -> Option<Priority> {
        self.streams.get(id).map(|stream| stream.priority)
    }

    /// Returns the number of streams that were opened or accepted, and are not both closed and released.
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// Returns the counters.
    pub fn stats(&self) -> Stats {
        Stats {
            streams_open: self.counts.local.saturating_add(self.counts.peer) as u64,
            streams_waiting: self.pending_accept.len().saturating_add(self.pending_open.len()) as u64,
            abuse_score: u64::from(self.abuse.score()),
            abuse_score_peak: u64::from(self.abuse.peak()),
            connection_window_target: u64::from(self.bandwidth.connection_window()),
            ..self.stats
        }
    }

    fn is_client(&self) -> bool {
        self.role == Role::Client
    }

    /// Returns whether this endpoint opens streams with identifiers like `id`.
    fn is_local(&self, id: StreamId) -> bool {
        id.is_client_initiated() == self.is_client()
    }

    /// Returns whether nothing was ever sent or received on a stream (RFC 9113, 5.1).
    fn is_idle(&self, id: StreamId) -> bool {
        if self.is_local(id) {
            id.as_u32() >= self.next_id
                || self.streams.get(id).is_some_and(|stream| stream.state == State::Idle)
        } else {
            id > self.highest_peer_id
        }
    }

    /// Advances the time, which never goes back.
    fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Charges the peer for amplification.
    ///
    /// Returns an error if the connection has ended: by the limit, or by the warning if no stream was left.
    fn charge(&mut self, cause: AbuseCause, times: u32) -> Result<(), Violation> {
        let verdict = self.abuse.charge(cause, times, self.now);
        if verdict != Verdict::Fine
            && let Some(subscriber) = &mut self.subscriber
        {
            subscriber.limit(cause);
        }
        match verdict {
            Verdict::Fine => {}
            Verdict::Warn => {
                self.events.push_back(Event::Abuse { cause });
                self.stop_accepting();
            }
            Verdict::Over => self.fail_with(ConnectionError::Violation(Violation::Abuse), cause.reason()),
        }
        if self.close_reason.is_some() { Err(Violation::Abuse) } else { Ok(()) }
    }

    /// Counts the frames in `control` from `start` on, and shows them to the subscriber.
    fn control_sent(&mut self, start: usize) {
        let frames = self.control.get(start..).unwrap_or_default();
        let count = show_sent(&mut self.subscriber, frames);
        self.stats.frames_sent = self.stats.frames_sent.saturating_add(count);
    }

    /// Writes one frame to be sent before any content, unless the GOAWAY that ends the connection was written.
    fn write_control(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.close_reason.is_some() {
            return;
        }
        let start = self.control.len();
        encode(&mut self.control);
        self.control_sent(start);
    }
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("phase", &self.phase)
            .field("streams", &self.streams.len())
            .field("counts", &self.counts)
            .field("send_window", &self.send_window)
            .field("close_reason", &self.close_reason)
            .finish_non_exhaustive()
    }
}

/// Shows complete sent frames to the subscriber, and returns their number.
fn show_sent(subscriber: &mut Option<Box<dyn Subscriber + Send>>, mut frames: &[u8]) -> u64 {
    let mut count: u64 = 0;
    while let Some((header, rest)) = frames.split_first_chunk::<HEADER_LEN>() {
        let header = FrameHeader::parse(header);
        let (payload, rest) = rest.split_at_checked(header.length as usize).unwrap_or((rest, &[]));
        if let Some(subscriber) = subscriber {
            subscriber.frame(Direction::Sent, header, payload);
        }
        count = count.saturating_add(1);
        frames = rest;
    }
    count
}

/// Returns the parameters of the first SETTINGS: the values that differ from the defaults, and the limits.
fn first_settings(role: Role, config: &Config) -> Vec<(SettingId, u32)> {
    let initial = Settings::INITIAL;
    let unless = |id, value: u32, default: u32| (value != default).then_some((id, value));
    let client = role == Role::Client;
    [
        unless(SettingId::HEADER_TABLE_SIZE, config.header_table_size, initial.header_table_size),
        client.then_some((SettingId::ENABLE_PUSH, u32::from(config.enable_push))),
        (!client || config.enable_push)
            .then_some((SettingId::MAX_CONCURRENT_STREAMS, config.max_concurrent_streams)),
        unless(SettingId::INITIAL_WINDOW_SIZE, config.initial_window_size, initial.initial_window_size),
        unless(SettingId::MAX_FRAME_SIZE, config.max_frame_size, initial.max_frame_size),
        Some((SettingId::MAX_HEADER_LIST_SIZE, config.max_header_list_size)),
        (!client && config.enable_connect_protocol).then_some((SettingId::ENABLE_CONNECT_PROTOCOL, 1)),
        Some((SettingId::NO_RFC7540_PRIORITIES, 1)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
