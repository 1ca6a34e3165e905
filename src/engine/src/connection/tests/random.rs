//! Random conversations between two engines: every message arrives complete or is reset, and no state remains.
//!
//! The callers only act on events, so a missed wake-up shows as a conversation that does not end.

use core::ops::Range;
use core::panic::RefUnwindSafe;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeMap;
use std::panic::{catch_unwind, resume_unwind};

use bytes::Bytes;

use super::invariants;
use super::pair::{request, response};
use crate::frame::SettingId;
use crate::settings::DEFAULT_WINDOW;
use crate::{
    Config, Connection, ErrorCode, Event, FieldSection, OpenError, Priority, Read, SendError, StreamId, Time,
};

/// xorshift64*, by Marsaglia and Vigna.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % bound
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Returns a random size that is as likely to be small as large.
    fn size(&mut self) -> usize {
        let magnitude = self.below(14);
        self.below(1 << magnitude)
    }
}

/// A stream as seen by the caller.
#[derive(Debug)]
struct Exchange {
    /// The length of the content to send, and of the part already taken.
    total: usize,
    sent: usize,
    trailers: bool,
    /// Whether the head was sent but not the end.
    sending: bool,
    writable: bool,
    /// The content length announced by the peer's head, and the length received so far.
    expected: Option<usize>,
    received: usize,
    /// The number of bytes read but not credited.
    owed: u32,
    readable: bool,
    /// Whether the caller has read everything, or the stream was reset.
    read: bool,
}

impl Exchange {
    fn new(random: &mut Random) -> Self {
        Self {
            total: random.size(),
            sent: 0,
            trailers: random.one_in(3),
            sending: false,
            writable: true,
            expected: None,
            received: 0,
            owed: 0,
            readable: false,
            read: false,
        }
    }

    fn is_busy(&self) -> bool {
        (self.readable && !self.read) || (self.sending && self.writable)
    }

    fn is_done(&self) -> bool {
        self.read && !self.sending && self.sent == self.total
    }
}

/// Returns the byte at a position of a stream's content, which depends on both.
fn octet(id: StreamId, at: usize) -> u8 {
    (at.wrapping_mul(31) ^ (at >> 8) ^ id.as_u32() as usize) as u8
}

/// An engine with its caller and pending input.
struct End {
    engine: Connection,
    exchanges: BTreeMap<StreamId, Exchange>,
    /// Bytes sent to this endpoint but not yet taken.
    input: Vec<u8>,
    may_open: bool,
    completed: usize,
}

impl End {
    fn new(engine: Connection) -> Self {
        Self { engine, exchanges: BTreeMap::new(), input: Vec::new(), may_open: true, completed: 0 }
    }

    /// Opens a stream if the engine accepts one.
    fn open(&mut self, random: &mut Random) -> bool {
        let mut exchange = Exchange::new(random);
        let mut head = request("POST", "/");
        describe(&exchange, &mut head, random);
        let end_stream = exchange.total == 0 && !exchange.trailers;
        match self.engine.open(&head, end_stream) {
            Ok(id) => {
                exchange.sending = !end_stream;
                self.exchanges.insert(id, exchange);
            }
            Err(error) => {
                assert_eq!(error, OpenError::WouldBlock);
                self.may_open = false;
            }
        }
        self.may_open
    }

    /// Takes one event. Returns whether there was one.
    fn event(&mut self, random: &mut Random) -> bool {
        let Some(event) = self.engine.poll_event() else { return false };
        match event {
            Event::Request { id, head, end_stream } => {
                let mut exchange = Exchange::new(random);
                exchange.expect(&head, end_stream);
                let mut response = response(200);
                describe(&exchange, &mut response, random);
                let end_stream = exchange.total == 0 && !exchange.trailers;
                exchange.sending = !end_stream;
                if let Err(error) = self.engine.send_response(id, &response, end_stream) {
                    exchange.was_reset(error);
                }
                self.exchanges.insert(id, exchange);
            }
            Event::Response { id, head, end_stream } => {
                self.exchanges.get_mut(&id).unwrap().expect(&head, end_stream);
            }
            Event::Readable { id } => self.exchanges.get_mut(&id).unwrap().readable = true,
            Event::Writable { id } => self.exchanges.get_mut(&id).unwrap().writable = true,
            Event::Reset { id, .. } => {
                // Received content is read before the error.
                let exchange = self.exchanges.get_mut(&id).unwrap();
                exchange.stop_sending();
                exchange.readable = true;
            }
            Event::StreamsAvailable => self.may_open = true,
            Event::RequestSent { .. }
            | Event::PeerSettings
            | Event::SettingsAcknowledged
            | Event::Pong { .. } => {}
            Event::PriorityUpdate { .. } => {}
            other => panic!("{other:?}: {:?}", self.engine.close_reason()),
        }
        true
    }

    /// Sends more of a stream if there is room. Returns whether it did anything.
    fn write(&mut self, id: StreamId, random: &mut Random) -> bool {
        let exchange = self.exchanges.get_mut(&id).unwrap();
        if !exchange.sending || !exchange.writable {
            return false;
        }
        let end = exchange.total.min(exchange.sent + 1 + random.size());
        let mut data: Bytes = (exchange.sent..end).map(|at| octet(id, at)).collect::<Vec<_>>().into();
        let last = end == exchange.total;
        match self.engine.send_data(id, &mut data, last && !exchange.trailers) {
            Ok(taken) => exchange.sent += taken,
            Err(error) => {
                exchange.was_reset(error);
                return true;
            }
        }
        assert_eq!(exchange.sent, end - data.len());
        exchange.writable = data.is_empty();
        if last && data.is_empty() {
            exchange.sending = false;
            if exchange.trailers {
                let mut trailers = FieldSection::new();
                trailers.push(b"checksum", b"0123");
                self.engine.send_trailers(id, &trailers).unwrap();
            }
        }
        true
    }

    /// Reads more of a stream if anything is available. Returns whether it did anything.
    fn read(&mut self, id: StreamId, random: &mut Random) -> bool {
        let exchange = self.exchanges.get_mut(&id).unwrap();
        if !exchange.readable || exchange.read {
            return false;
        }
        match self.engine.read(id, 1 + random.size()) {
            Ok(Read::Data(data)) => {
                let expected = (exchange.received..).map(|at| octet(id, at));
                assert!(data.iter().copied().eq(expected.take(data.len())), "content of stream {id}");
                exchange.received += data.len();
                exchange.owed += u32::try_from(data.len()).unwrap();
            }
            Ok(Read::Trailers(trailers)) => assert_eq!(trailers.len(), 1),
            Ok(Read::End) => {
                assert_eq!(Some(exchange.received), exchange.expected, "length of stream {id}");
                exchange.read = true;
                self.completed += 1;
            }
            Ok(Read::Blocked) => {
                exchange.readable = false;
                self.give_back(id);
            }
            Err(_) => {
                exchange.read = true;
                exchange.stop_sending();
            }
        }
        true
    }

    /// Credits the peer for content that was read, unless the engine does so itself.
    fn give_back(&mut self, id: StreamId) {
        let octets = core::mem::take(&mut self.exchanges.get_mut(&id).unwrap().owed);
        if self.engine.config.manual_window_update && octets > 0 {
            self.engine.window_update(id, octets).unwrap();
            self.engine.connection_window_update(octets).unwrap();
        }
    }

    fn release(&mut self, id: StreamId) {
        self.give_back(id);
        self.engine.release(id);
        self.exchanges.remove(&id);
        // Events of the stream may still be queued.
        self.engine.events.retain(|event| {
            !matches!(event,
                Event::Readable { id: other } | Event::Writable { id: other } | Event::Reset { id: other, .. }
                | Event::Response { id: other, .. } if *other == id)
        });
    }

    /// Resets or releases a stream.
    fn abandon(&mut self, id: StreamId, random: &mut Random) {
        if random.one_in(2) {
            self.engine.reset(id, ErrorCode::CANCEL);
            let exchange = self.exchanges.get_mut(&id).unwrap();
            exchange.stop_sending();
            exchange.read = true;
        } else {
            self.release(id);
        }
    }

    fn release_what_is_done(&mut self) {
        for id in self.exchanges.keys().copied().collect::<Vec<_>>() {
            if self.exchanges.get(&id).is_some_and(Exchange::is_done) {
                self.release(id);
            }
        }
    }

    fn change_something(&mut self, random: &mut Random) {
        let setting = match random.below(4) {
            0 => (SettingId::INITIAL_WINDOW_SIZE, 100 + random.size()),
            1 => (SettingId::MAX_CONCURRENT_STREAMS, 1 + random.below(20)),
            2 => (SettingId::HEADER_TABLE_SIZE, random.below(5_000)),
            _ => (SettingId::MAX_FRAME_SIZE, 16_384 + random.size()),
        };
        let server = self.engine.role() == crate::Role::Server;
        // With manual window updates, the caller would have to account for the change, and this one doesn't.
        let allowed = match setting.0 {
            SettingId::MAX_CONCURRENT_STREAMS => server,
            SettingId::INITIAL_WINDOW_SIZE => !self.engine.config.manual_window_update,
            _ => true,
        };
        if allowed {
            self.engine.change_settings(&[(setting.0, u32::try_from(setting.1).unwrap())]).unwrap();
        }
    }

    /// Asserts that no stream remains and that all content was credited.
    fn assert_clean(&self) {
        let engine = &self.engine;
        assert_eq!(engine.stream_count(), 0);
        let counts = engine.streams.counts();
        assert_eq!((counts.local, counts.peer, counts.promised, counts.app_owned), (0, 0, 0, 0));
        assert_eq!((engine.streams.pending_accept(), engine.streams.pending_open()), (0, 0));
        assert!(engine.sending.is_idle() && engine.pongs.is_empty() && engine.is_flushed());
        let (available, held, owed) = engine.receiving.parts();
        assert_eq!(held, 0);
        let target = i64::from(engine.config.connection_window)..=i64::from(engine.receiving.target());
        assert!(target.contains(&(available + i64::from(owed))), "{available} + {owed}, not {target:?}");
    }
}

impl Exchange {
    fn expect(&mut self, head: &FieldSection, end_stream: bool) {
        let length = str::from_utf8(head.get(b"x-length").unwrap()).unwrap().parse().unwrap();
        self.expected = Some(length);
        self.read |= end_stream;
    }

    /// The reset event may still be queued.
    fn was_reset(&mut self, error: SendError) {
        assert!(matches!(error, SendError::Reset(_)), "{error}");
        self.stop_sending();
    }

    fn stop_sending(&mut self) {
        self.sending = false;
        self.total = self.sent;
    }
}

/// Announces the content length in a head: always for the test, sometimes for the engine.
fn describe(exchange: &Exchange, head: &mut FieldSection, random: &mut Random) {
    let length = exchange.total.to_string();
    head.push(b"x-length", length.as_bytes());
    if random.one_in(2) {
        head.push(b"content-length", length.as_bytes());
    }
    if random.one_in(3) {
        let priority = Priority::new(u8::try_from(random.below(8)).unwrap(), random.one_in(2));
        head.push(b"priority", priority.to_string().as_bytes());
    }
}

fn config(random: &mut Random) -> Config {
    let initial_window_size = u32::try_from(100 + random.size()).unwrap();
    let connection_window = DEFAULT_WINDOW + u32::try_from(random.size()).unwrap();
    let mut config = Config {
        initial_window_size,
        stream_window_max: initial_window_size * (1 + u32::try_from(random.below(4)).unwrap()),
        connection_window,
        connection_window_max: connection_window * (1 + u32::try_from(random.below(4)).unwrap()),
        max_concurrent_streams: u32::try_from(1 + random.below(20)).unwrap(),
        waiting_streams: random.below(5),
        send_buffer: 100 + random.size(),
        manual_window_update: random.one_in(3),
        ..Config::default()
    };
    config.limits.frames_per_recv = u32::try_from(1 + random.below(20)).unwrap();
    config.limits.events = 1 + random.below(20);
    config.limits.control_bytes = 1 + random.size();
    // A peer that acts at random looks abusive.
    config.limits.abuse = 1 << 30;
    config
}

/// Transfers some bytes between the endpoints. Returns whether there were any.
fn carry(from: &mut End, to: &mut End, now: Time, random: &mut Random) -> bool {
    let sent = from.engine.poll_transmit(now, &mut to.input, 1 + random.size()) > 0;
    if to.input.is_empty() {
        return sent;
    }
    let arrived = if random.one_in(2) { to.input.len() } else { to.input.len().min(1 + random.size()) };
    let mut input = Bytes::copy_from_slice(&to.input[..arrived]);
    let taken = to.engine.recv(now, &mut input);
    assert_eq!(taken, arrived - input.len());
    to.input.drain(..taken);
    sent || taken > 0
}

fn converse(seed: u64) -> usize {
    let random = &mut Random::new(seed);
    let client = Connection::client(config(random)).unwrap();
    let server = Connection::server(config(random)).unwrap();
    let (mut client, mut server) = (End::new(client), End::new(server));
    let mut now = Time::from_nanos(1);
    let (mut requests, calm) = (1 + random.below(30), random.one_in(2));
    for step in 0.. {
        assert!(step < 100_000, "the conversation does not end: {:?} {:?}", client.engine, server.engine);
        now = now + core::time::Duration::from_micros(10);
        let mut busy =
            carry(&mut client, &mut server, now, random) | carry(&mut server, &mut client, now, random);
        if requests > 0 && client.may_open && random.one_in(3) {
            requests -= usize::from(client.open(random));
            busy = true;
        }
        for end in [&mut client, &mut server] {
            for _ in 0..random.below(8) {
                busy |= end.event(random);
            }
            for id in end.exchanges.keys().copied().collect::<Vec<_>>() {
                if !random.one_in(3) {
                    busy |= end.write(id, random);
                }
                if !random.one_in(3) {
                    busy |= end.read(id, random);
                }
                if !calm && random.one_in(50) {
                    end.abandon(id, random);
                    busy = true;
                }
            }
            if !calm && requests > 0 && random.one_in(20) {
                end.change_something(random);
                busy = true;
            }
            if requests > 0 && random.one_in(30) {
                let _ = end.engine.ping(*b"question");
                busy = true;
            }
            end.release_what_is_done();
            if random.one_in(8) {
                invariants::check(&end.engine);
            }
            busy |= end.exchanges.values().any(Exchange::is_busy) || !end.engine.events.is_empty();
        }
        if !busy && (requests == 0 || !client.may_open) && client.input.is_empty() && server.input.is_empty()
        {
            break;
        }
    }
    let left = (&client.exchanges, &server.exchanges);
    assert!(requests == 0 && left.0.is_empty() && left.1.is_empty(), "streams wait forever: {left:?}");
    for (end, other) in [(&client, &server), (&server, &client)] {
        assert_eq!(end.engine.close_reason(), None);
        end.assert_clean();
        assert_eq!(end.engine.windows().receive, other.engine.windows().send, "both ends count the same");
    }
    client.completed + server.completed
}

/// Runs a test with many seeds, reporting the seed of a failure.
pub(super) fn with_seeds(seeds: Range<u64>, run: impl Fn(u64) + RefUnwindSafe) {
    for seed in seeds {
        if let Err(cause) = catch_unwind(|| run(seed)) {
            eprintln!("the seed was {seed}");
            resume_unwind(cause);
        }
    }
}

#[test]
fn random_conversations_complete() {
    let completed = AtomicUsize::new(0);
    with_seeds(0..300, |seed| {
        completed.fetch_add(converse(seed), Ordering::Relaxed);
    });
    let completed = completed.into_inner();
    assert!(completed > 4_000, "only {completed} messages were completed");
}
