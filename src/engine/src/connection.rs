//! A connection: received bytes and operations in, bytes to send and events out.

mod accept;
mod data;
mod extensions;
mod headers;
mod input;
mod lifecycle;
mod linger;
mod open;
mod ping;
mod priority;
mod push;
mod receive_flow;
mod rst_stream;
mod send;
mod send_flow;
mod settings;
mod shutdown;
#[cfg(test)]
mod tests;
mod timers;
mod transmit;
mod window_update;

use std::collections::VecDeque;

use crate::abuse::{Abuse, AbuseCause, Verdict};
use crate::config::{Config, ConfigError};
use crate::error::{ConnectionError, Violation};
use crate::event::{Event, GoAway};
use crate::fields::FieldSection;
use crate::frame::{FrameHeader, HEADER_LEN, StreamId};
use crate::hpack;
use crate::priority::Priority;
use crate::settings::{LocalSettings, Settings};
use crate::stats::Stats;
use crate::stream::{State, Stream, Streams};
use crate::subscriber::{Direction, Subscriber};
use crate::time::Time;
use crate::windows::Windows;
use headers::Block;
use input::Reader;
use linger::Lingering;
use ping::Pings;
use priority::EarlyPriorities;
use receive_flow::ReceiveFlow;
use send_flow::SendFlow;
use shutdown::Phase;
use timers::Timers;

pub use transmit::TCP_WRITE;

/// Queued events for which an idle connection keeps room.
const EVENTS_KEPT: usize = 4;
/// Queued events for which a connection with streams keeps room.
const EVENTS_BUSY: usize = 64;
/// Buffer that an idle connection keeps for frames other than DATA, in bytes.
const CONTROL_KEPT: usize = 256;
/// Buffer that a connection with streams keeps for frames other than DATA, in bytes.
const CONTROL_BUSY: usize = 8 << 10;
/// Size of the largest field section whose buffer an idle connection keeps, in bytes.
const SECTION_KEPT: usize = 512;

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
/// - *input* from the transport and the clock: [`recv`](Self::recv), [`recv_end`](Self::recv_end),
///   [`recv_half_close`](Self::recv_half_close) and [`handle_timeout`](Self::handle_timeout);
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
    /// The size of the largest section decoded since `section` was allocated.
    largest_section: usize,
    /// A field block that continues in CONTINUATION.
    block: Option<Block>,
    encoder: hpack::Encoder,

    local: LocalSettings,
    peer: Settings,
    /// Whether the peer's first SETTINGS have arrived.
    peer_settings_known: bool,

    streams: Streams,
    /// Whether the caller was refused a stream with [`OpenError::WouldBlock`](crate::OpenError::WouldBlock) and
    /// awaits an event.
    open_refused: bool,

    sending: SendFlow,
    receiving: ReceiveFlow,
    lingering: Lingering,
    early_priorities: EarlyPriorities,

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
        let mut connection = Self {
            role,
            now: Time::default(),
            phase: Phase::Running,
            close_reason: None,
            received_go_away: None,
            last_accepted: None,
            reader: Reader::new(role),
            decoder: hpack::Decoder::new(Settings::INITIAL.header_table_size),
            section: section(),
            largest_section: 0,
            block: None,
            encoder: hpack::Encoder::new(config.encoder_table_size),
            local: LocalSettings::new(),
            peer: Settings::INITIAL,
            peer_settings_known: false,
            streams: Streams::new(role == Role::Client),
            open_refused: false,
            sending: SendFlow::new(config.send_buffer, config.limits.content_bytes),
            receiving: ReceiveFlow::new(&config),
            lingering: Lingering::default(),
            early_priorities: EarlyPriorities::default(),
            control: Vec::with_capacity(CONTROL_KEPT),
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
        if role == Role::Client {
            connection.streams.set_next_id(connection.config.first_stream_id);
        }
        connection.write_preface();
        Ok(connection)
    }

    /// Returns the next event.
    ///
    /// Events of streams that were released in the meantime are skipped. So are requests that have failed in the
    /// meantime: a peer that gives up its requests at once causes no work for the caller.
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(event) = self.events.front() {
            if let &Event::Request { id, .. } = event
                && self.streams.get(id).is_none_or(|stream| stream.error.is_some())
            {
                self.events.pop_front();
                self.release(id);
                continue;
            }
            let released = event
                .of_app_owned_stream()
                .is_some_and(|id| self.streams.get(id).is_none_or(Stream::is_released));
            let event = self.events.pop_front();
            if !released {
                return event;
            }
        }
        if self.events.capacity() > EVENTS_BUSY {
            self.events.shrink_to(EVENTS_KEPT);
        }
        self.shrink();
        None
    }

    /// Attaches an observer.
    ///
    /// The observer is shown the output that was not taken yet, so one attached at the start misses nothing.
    pub fn set_subscriber(&mut self, subscriber: Box<dyn Subscriber + Send>) {
        self.subscriber = Some(subscriber);
        let preface = self.is_client() && self.stats.bytes_sent == 0;
        let start = if preface { input::PREFACE.len() } else { 0 };
        show_sent(&mut self.subscriber, self.control.get(start..).unwrap_or_default());
    }

    /// Gives back the memory of a busy time, if no stream is left.
    ///
    /// What remains serves a stream at a time without another allocation.
    fn shrink(&mut self) {
        if self.streams.len() > 0 {
            return;
        }
        self.streams.shrink();
        self.sending.shrink();
        self.reader.shrink();
        self.pings.shrink();
        if self.events.capacity() > EVENTS_KEPT {
            self.events.shrink_to(EVENTS_KEPT);
        }
        self.shrink_control(CONTROL_KEPT);
        if self.largest_section > SECTION_KEPT {
            self.section = section();
            self.largest_section = 0;
        }
        self.decoder.shrink();
        self.encoder.shrink();
    }

    /// Gives back the memory of `control` beyond `kept` bytes.
    fn shrink_control(&mut self, kept: usize) {
        if self.control.capacity() > kept {
            self.control.shrink_to(kept);
        }
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
        let ids_left = !self.is_client() || self.streams.has_ids();
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

    /// Returns whether the peer has yet to acknowledge local SETTINGS (RFC 9113, 6.5.3).
    pub fn has_pending_settings(&self) -> bool {
        self.local.is_pending()
    }

    /// Returns the peer's settings, with defaults for those it has not sent.
    pub fn peer_settings(&self) -> &Settings {
        &self.peer
    }

    /// Returns the flow-control windows of the connection.
    pub fn windows(&self) -> Windows {
        Windows { receive: self.receiving.available(), send: self.sending.window() }
    }

    /// Returns the flow-control windows of a stream, or `None` once it was closed and released.
    pub fn stream_windows(&self, id: StreamId) -> Option<Windows> {
        let stream = self.streams.get(id)?;
        let receive = stream.recv.window.available(self.local.acknowledged.initial_window_size);
        Some(Windows { receive, send: self.sending.stream_window(stream) })
    }

    /// Returns the state of a stream on the wire, or `None` once it was closed and released.
    pub fn state(&self, id: StreamId) -> Option<State> {
        self.streams.state(id)
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
        let streams = &self.streams;
        let counts = streams.counts();
        Stats {
            streams_open: counts.local.saturating_add(counts.peer) as u64,
            streams_waiting: streams.pending_accept().saturating_add(streams.pending_open()) as u64,
            abuse_score: u64::from(self.abuse.score()),
            abuse_score_peak: u64::from(self.abuse.peak()),
            connection_window_target: u64::from(self.receiving.target()),
            ..self.stats
        }
    }

    fn is_client(&self) -> bool {
        self.role == Role::Client
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
        let sent = self.control.get(start..).unwrap_or_default();
        self.stats.frames_sent = self.stats.frames_sent.saturating_add(frames(sent).count() as u64);
        show_sent(&mut self.subscriber, sent);
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
            .field("counts", &self.streams.counts())
            .field("send_window", &self.sending.window())
            .field("close_reason", &self.close_reason)
            .finish_non_exhaustive()
    }
}

/// Creates a buffer for field sections of ordinary size.
fn section() -> FieldSection {
    FieldSection::with_capacity(SECTION_KEPT / 32, SECTION_KEPT / 2)
}

/// Shows complete sent frames to the subscriber.
fn show_sent(subscriber: &mut Option<Box<dyn Subscriber + Send>>, sent: &[u8]) {
    if let Some(subscriber) = subscriber {
        frames(sent).for_each(|(header, payload)| subscriber.frame(Direction::Sent, header, payload));
    }
}

/// Splits bytes into complete frames.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (FrameHeader, &[u8])> {
    core::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let header = FrameHeader::parse(header);
        let (payload, rest) = rest.split_at_checked(header.length as usize).unwrap_or((rest, &[]));
        bytes = rest;
        Some((header, payload))
    })
}
