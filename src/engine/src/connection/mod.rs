//! A connection: octets and operations in, octets and events out.

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

use crate::abuse::{Abuse, Cause, Verdict};
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
use control::Pings;
use headers::Block;
use input::Reader;
use shutdown::Phase;
use timers::Timers;

/// Which side of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It opens streams.
    Client,
    /// It answers them.
    Server,
}

/// One HTTP/2 connection, without the transport and without a clock.
///
/// The methods come in four kinds:
///
/// - *from the transport*: [`recv`](Self::recv), [`recv_end`](Self::recv_end), and
///   [`handle_timeout`](Self::handle_timeout);
/// - *operations* of the caller: [`open`](Self::open), [`respond`](Self::respond),
///   [`send_data`](Self::send_data), [`read`](Self::read), [`reset`](Self::reset),
///   [`release`](Self::release), [`shutdown`](Self::shutdown), and so on;
/// - *outputs*, to be polled: [`poll_event`](Self::poll_event), [`poll_transmit`](Self::poll_transmit),
///   [`poll_timeout`](Self::poll_timeout);
/// - *getters*.
///
/// **After every call of one of the first two kinds, take events and output until there is neither (taking output
/// makes events), offer again what `recv` has left, and wait until octets arrive, the transport has room, or the
/// time of `poll_timeout` has come.**
///
/// A stream that the caller was given, by [`open`](Self::open) or by an event, takes room until the caller
/// [releases](Self::release) it, even if it has long ended on the wire.
pub struct Connection {
    role: Role,
    config: Config,
    /// What the time was when the caller last said so.
    now: Time,
    phase: Phase,
    close_reason: Option<Result<(), ConnectionError>>,
    received_go_away: Option<GoAway>,
    /// The last stream of the peer's that we take up, once we have said so for good.
    last_accepted: Option<StreamId>,

    reader: Reader,
    decoder: hpack::Decoder,
    /// Where field blocks are decoded, over and over again.
    section: FieldSection,
    /// A field block that goes on in CONTINUATION.
    block: Option<Block>,
    encoder: hpack::Encoder,

    local: LocalSettings,
    peer: Settings,
    /// Whether the peer's first SETTINGS have come.
    peer_settings_known: bool,

    streams: Store,
    /// The identifier of the next stream that this endpoint opens; none are left above 2^31-1.
    next_id: u32,
    /// The highest stream that the peer has opened.
    highest_peer_id: StreamId,
    counts: Counts,
    /// Server: requests that wait for the caller to release earlier ones.
    arriving: VecDeque<StreamId>,
    /// Client: streams that wait for the peer's limit.
    opening: VecDeque<StreamId>,
    /// The caller was told [`OpenError::WouldBlock`](crate::OpenError::WouldBlock).
    open_refused: bool,

    /// What we may send on the connection (RFC 9113, 6.9.1).
    send_window: i64,
    /// At least as high as any stream's [`window_delta`](crate::stream::Sending::window_delta).
    highest_delta: i64,
    scheduler: Scheduler,
    /// Bytes of content that wait to be sent, of all streams together.
    content_waiting: usize,
    /// Whether that is so much that each stream has less room.
    crowded: bool,
    /// Streams that have content and no window, and since when they stall.
    blocked: BTreeSet<(Time, StreamId)>,
    /// Streams whose requests are read only to be dropped, and until when.
    lingering: BTreeSet<(Time, StreamId)>,
    /// Priorities of requests that have not come (RFC 9218, 7.1).
    early_priorities: Vec<(StreamId, Priority)>,
    window: ReceiveWindow,
    bandwidth: Bandwidth,

    /// Frames to be sent before any content: everything but DATA, and what must follow DATA.
    control: Vec<u8>,
    /// Bytes of `control` that the peer has caused.
    provoked: usize,
    /// PINGs to be answered, before all else (RFC 9113, 6.7).
    pongs: Vec<[u8; 8]>,
    pings: Pings,
    events: VecDeque<Event>,
    timers: Timers,
    abuse: Abuse,
    stats: Stats,
    subscriber: Option<Box<dyn Subscriber + Send>>,
}

/// Streams that are not closed (RFC 9113, 5.1.2), and those that the caller has.
#[derive(Debug, Default)]
struct Counts {
    /// Opened by this endpoint.
    local: usize,
    /// Opened by the peer.
    peer: usize,
    /// Promised by the server, and not yet open.
    promised: usize,
    /// Opened by the peer, with the caller, and not released.
    held: usize,
}

impl Connection {
    /// A client's end. The connection preface is the first output; requests may follow at once.
    ///
    /// # Errors
    ///
    /// [`Config::check`].
    pub fn client(config: Config) -> Result<Self, ConfigError> {
        Self::new(Role::Client, config)
    }

    /// A server's end.
    ///
    /// # Errors
    ///
    /// [`Config::check`].
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
            arriving: VecDeque::new(),
            opening: VecDeque::new(),
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

    /// The next thing that has happened. What has happened on a stream that was released since is passed over, and so is
    /// a request that has failed since: a peer that gives up its requests at once makes no work for the caller.
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
                .of_held_stream()
                .is_some_and(|id| self.streams.get(id).is_none_or(|stream| stream.released));
            if !released {
                return Some(event);
            }
        }
    }

    /// Attaches an observer. It is shown what has not been taken yet, so that one that is attached at the start
    /// misses nothing.
    pub fn set_subscriber(&mut self, subscriber: Box<dyn Subscriber + Send>) {
        self.subscriber = Some(subscriber);
        let preface = self.is_client() && self.stats.octets_sent == 0;
        let start = if preface { input::PREFACE.len() } else { 0 };
        show_sent(&mut self.subscriber, self.control.get(start..).unwrap_or_default());
    }

    /// Which side of the connection this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the connection has ended and all output was taken: the transport can be closed.
    pub fn is_closed(&self) -> bool {
        self.close_reason.is_some() && self.control.is_empty()
    }

    /// Whether the connection takes new streams: neither side has begun to end it, and there are identifiers left.
    pub fn is_open(&self) -> bool {
        let ids_left = !self.is_client() || self.next_id <= StreamId::MAX.as_u32();
        let ending = self.received_go_away.is_some() || self.close_reason.is_some();
        self.phase == Phase::Running && ids_left && !ending
    }

    /// Why the connection has ended; `None` while it has not, `Ok` if that was in good order.
    pub fn close_reason(&self) -> Option<Result<(), &ConnectionError>> {
        self.close_reason.as_ref().map(|reason| reason.as_ref().copied())
    }

    /// The last GOAWAY that came.
    pub fn received_go_away(&self) -> Option<&GoAway> {
        self.received_go_away.as_ref()
    }

    /// Our settings as the peer has acknowledged them.
    pub fn local_settings(&self) -> &Settings {
        &self.local.acknowledged
    }

    /// The settings of the peer, and the defaults of what it has not said.
    pub fn peer_settings(&self) -> &Settings {
        &self.peer
    }

    /// The windows of the connection, in octets: what the peer may send, and what we may.
    pub fn windows(&self) -> (i64, i64) {
        (self.window.available(DEFAULT_WINDOW), self.send_window)
    }

    /// The windows of a stream, in octets: what the peer may send, and what we may. The latter is negative
    /// where the peer has lowered it below what was sent (RFC 9113, 6.9.2).
    pub fn stream_windows(&self, id: StreamId) -> Option<(i64, i64)> {
        let stream = self.streams.get(id)?;
        let receive = stream.recv.window.available(self.local.acknowledged.initial_window_size);
        let send = i64::from(self.peer.initial_window_size).saturating_add(stream.send.window_delta);
        Some((receive, send))
    }

    /// The state of a stream on the wire; `None` once it was closed and released.
    pub fn state(&self, id: StreamId) -> Option<State> {
        self.streams.get(id).map(|stream| stream.state)
    }

    /// Whether both messages of a stream are complete or broken off, and all of ours was handed out.
    pub fn is_finished(&self, id: StreamId) -> bool {
        self.streams.get(id).is_none_or(|stream| stream.is_closed() && stream.recv.content.is_empty())
    }

    /// The priority of a stream (RFC 9218).
    pub fn priority(&self, id: StreamId) -> Option<Priority> {
        self.streams.get(id).map(|stream| stream.priority)
    }

    /// Streams that were opened or accepted, and are not both closed and released.
    pub fn stream_count(&self) -> usize {
        self.streams.len()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        Stats {
            streams_open: self.counts.local.saturating_add(self.counts.peer) as u64,
            streams_waiting: self.arriving.len().saturating_add(self.opening.len()) as u64,
            abuse_score: u64::from(self.abuse.score()),
            abuse_score_peak: u64::from(self.abuse.peak()),
            connection_window_target: u64::from(self.bandwidth.connection_window()),
            ..self.stats
        }
    }

    fn is_client(&self) -> bool {
        self.role == Role::Client
    }

    /// Whether this endpoint opens streams with that identifier.
    fn is_local(&self, id: StreamId) -> bool {
        id.is_client_initiated() == self.is_client()
    }

    /// Whether nothing was ever sent or received on a stream (RFC 9113, 5.1).
    fn is_idle(&self, id: StreamId) -> bool {
        if self.is_local(id) {
            id.as_u32() >= self.next_id
                || self.streams.get(id).is_some_and(|stream| stream.state == State::Idle)
        } else {
            id > self.highest_peer_id
        }
    }

    /// Takes the time; it never goes back.
    fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Charges the peer for amplification. Error: the connection has ended, by the limit, or by the warning if no
    /// stream was left.
    fn charge(&mut self, cause: Cause, times: u32) -> Result<(), Violation> {
        let verdict = self.abuse.charge(cause, times, self.now);
        if verdict != Verdict::Fine
            && let Some(subscriber) = &mut self.subscriber
        {
            subscriber.limit(cause.text());
        }
        match verdict {
            Verdict::Fine => {}
            Verdict::Warn => {
                self.events.push_back(Event::Abuse { cause: cause.text() });
                self.stop_accepting();
            }
            Verdict::Over => self.fail_with(ConnectionError::Violation(Violation::Abuse), cause.text()),
        }
        if self.close_reason.is_some() { Err(Violation::Abuse) } else { Ok(()) }
    }

    /// Counts the frames that stand in `control` from `start`, and shows them to the subscriber.
    fn control_sent(&mut self, start: usize) {
        let frames = self.control.get(start..).unwrap_or_default();
        let count = show_sent(&mut self.subscriber, frames);
        self.stats.frames_sent = self.stats.frames_sent.saturating_add(count);
    }

    /// Writes one frame that is to be sent before any content. Nothing follows the GOAWAY that ends a connection.
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

/// Shows whole frames that are sent to the subscriber, and says how many they are.
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

/// The parameters of our first SETTINGS: those that differ from what holds anyway, and the limits.
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
