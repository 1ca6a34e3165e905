//! A connection fed with arbitrary input, an application that reacts to it, and the invariants that must
//! hold.

use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http2_engine::{
    Config, Connection, ErrorCode, Event, FieldSection, KeepAlive, Priority, Read, Role, SettingId, StreamId,
    Time, Windows,
};
use http2_simulation::wire::frames_of;
use http2_test_support::{Frames, HEADER_LEN, Header, PREFACE, Part, flag, kind};

/// The most bytes that a connection may use for everything that its peer can make it keep: twice the field
/// sections of as many requests as it accepts, and windows full of content.
const MEMORY: usize = 8 << 20;

/// A connection and its application.
pub struct Harness {
    engine: Connection,
    max_streams: usize,
    now: Time,
    random: Rng,
    /// Input that the engine has not accepted.
    input: Bytes,
    /// Splits the input into frames, after the preface.
    input_frames: Frames,
    output_frames: Frames,
    received: usize,
    /// Bytes of frames that reply to input, and the number of times that the application caused such frames.
    replied: usize,
    acts: usize,
    /// The streams that the application holds.
    streams: Vec<StreamId>,
    no_events: bool,
    ended: bool,
}

/// Feeds a connection: the input consists of a seed for all other decisions, followed by the peer's bytes.
pub fn feed(role: Role, input: &[u8]) {
    let Some((seed, mut octets)) = input.split_first_chunk::<4>() else { return };
    let most = crate::memory::most_used(|| {
        let mut harness = Harness::new(role, u32::from_be_bytes(*seed));
        while !octets.is_empty() {
            let (piece, rest) = octets.split_at(harness.random.usize(1..=octets.len()));
            octets = rest;
            harness.recv(piece);
            harness.idle();
        }
        harness.end();
    });
    assert!(most < MEMORY, "{most} bytes of memory");
}

impl Harness {
    /// Creates a connection whose peer has sent its preface.
    pub fn new(role: Role, seed: u32) -> Self {
        let mut random = Rng::with_seed(seed.into());
        let config = config(&mut random);
        let max_streams = config.max_concurrent_streams as usize;
        let (engine, peer) = match role {
            Role::Client => (Connection::client(config), Role::Server),
            Role::Server => (Connection::server(config), Role::Client),
        };
        let mut harness = Self {
            engine: engine.expect("a valid configuration"),
            max_streams,
            now: Time::from_nanos(1),
            random,
            input: Bytes::new(),
            input_frames: frames_of(peer),
            output_frames: frames_of(role),
            received: 0,
            replied: 0,
            acts: 0,
            streams: Vec::new(),
            no_events: true,
            ended: false,
        };
        match role {
            Role::Server => harness.recv(PREFACE),
            Role::Client => (0..3).for_each(|_| harness.open()),
        }
        harness
    }

    /// Receives bytes from the peer.
    pub fn recv(&mut self, octets: &[u8]) {
        self.input = [&self.input[..], octets].concat().into();
        loop {
            let (quiet, had_output) = (self.no_events, self.engine.has_output());
            let offered = self.input.clone();
            let taken = &offered[..self.engine.recv(self.now, &mut self.input)];
            assert_eq!(taken.len() + self.input.len(), offered.len());
            self.received += taken.len();
            assert!(!taken.is_empty() || !quiet || had_output || offered.is_empty(), "no input is taken");
            let alive = self.engine.close_reason().is_none();
            let parts = if alive {
                self.input_frames.take(taken).expect("the preface came first")
            } else {
                Vec::new()
            };
            if alive && parts.is_empty() && quiet {
                assert!(self.engine.poll_event().is_none(), "an incomplete frame caused an event");
                assert_eq!(self.engine.has_output(), had_output, "an incomplete frame caused output");
            }
            self.no_events = false;
            self.check();
            if self.input.is_empty() {
                break;
            }
            self.settle();
        }
        if self.random.bool() {
            self.settle();
        }
    }

    /// Lets time pass, and the application act on its own.
    pub fn idle(&mut self) {
        if self.random.u8(..4) == 0 {
            let act = self.random.u8(..);
            self.act(act);
        }
        if self.random.u8(..8) == 0 {
            let millis = self.random.u64(..1_000);
            self.sleep(Duration::from_millis(millis));
        }
    }

    /// Lets time pass.
    pub fn sleep(&mut self, duration: Duration) {
        self.now = self.now + duration;
        let due = self.engine.poll_timeout().is_some_and(|at| at <= self.now);
        let before = (self.engine.stats(), self.engine.has_output());
        self.engine.handle_timeout(self.now);
        assert!(due || before == (self.engine.stats(), self.engine.has_output()), "too early");
        assert!(self.engine.poll_timeout().is_none_or(|at| at > self.now), "the deadline has not passed");
        self.no_events = false;
        self.check();
    }

    /// Ends the transport, and releases all streams; nothing may be left.
    pub fn end(mut self) {
        self.react();
        if self.random.bool() {
            self.engine.recv_end(self.now);
        } else {
            self.engine.abort(ErrorCode::NO_ERROR, b"");
        }
        self.settle();
        for id in std::mem::take(&mut self.streams) {
            self.engine.release(id);
        }
        self.react();
        assert!(self.engine.is_closed() && self.ended, "{:?}", self.engine);
        assert_eq!((self.engine.stream_count(), self.transmit()), (0, 0));
        self.recv(b"arbitrary input");
        assert!(
            self.input.is_empty() && self.engine.poll_event().is_none(),
            "after the end, input is discarded"
        );
        assert_eq!(self.transmit(), 0);
    }

    /// Checks the invariants after every call.
    fn check(&mut self) {
        let stats = self.engine.stats();
        assert_eq!(stats.bytes_received, self.received as u64);
        // Streams opened by the peer that the application holds, as many that wait, and its own.
        let most = 2 * self.max_streams + self.streams.len();
        assert!(self.engine.stream_count() <= most, "{:?}", self.engine);
        let allowed = 4_000 + 8 * self.received + 50 * self.acts;
        assert!(self.replied <= allowed, "{} bytes in reply to {}", self.replied, self.received);
        if self.engine.close_reason().is_some() {
            assert_eq!((stats.streams_open, stats.streams_waiting), (0, 0));
            assert_eq!(self.engine.poll_timeout(), None);
            return;
        }
        let Windows { receive, send } = self.engine.windows();
        let windows = 0..=0x7fff_ffff;
        assert!(windows.contains(&receive) && windows.contains(&send), "windows of {receive} and {send}");
    }

    /// Lets the application and the transport take everything available.
    fn settle(&mut self) {
        self.react();
        while self.transmit() > 0 {
            self.react();
        }
    }

    /// Takes output, and checks it.
    fn transmit(&mut self) -> usize {
        let had_output = self.engine.has_output();
        let mut out = Vec::new();
        let written = self.engine.poll_transmit(self.now, &mut out, self.random.usize(1..100_000));
        assert!(written == out.len() && (written == 0 || had_output));
        assert!(
            written > 0 || !self.engine.has_output(),
            "has_output is true, but poll_transmit produces nothing"
        );
        for part in self.output_frames.take(&out).expect("the preface comes first") {
            if let Part::Frame(header, _) = part
                && is_reply(header)
            {
                self.replied += HEADER_LEN + header.length as usize;
            }
        }
        self.no_events &= written == 0;
        self.check();
        written
    }

    /// Takes all events, and reacts like an application.
    fn react(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            assert!(!self.ended, "{event:?} after the last event");
            match event {
                Event::Request { id, .. } => {
                    self.streams.push(id);
                    let act = self.random.u8(..40);
                    self.act_on(id, act);
                }
                Event::Push { id, .. } => self.streams.push(id),
                Event::Readable { id } | Event::Writable { id } | Event::Response { id, .. } => {
                    let act = self.random.u8(..30);
                    self.act_on(id, act);
                }
                Event::Reset { id, .. } if self.random.bool() => self.release(id),
                Event::StreamsAvailable => self.open(),
                Event::Closed => self.ended = true,
                _ => {}
            }
        }
        self.no_events = true;
    }

    /// Makes the application perform one of its actions, selected by a number.
    pub fn act(&mut self, act: u8) {
        let some = self.random.usize(..self.streams.len().max(1));
        match (act, self.streams.get(some)) {
            (0..200, Some(&id)) => self.act_on(id, act),
            (200..210, _) => self.open(),
            (210..220, _) => drop(self.engine.ping([act; 8])),
            (220..230, _) => {
                let change = (SettingId::INITIAL_WINDOW_SIZE, self.random.u32(..100_000));
                _ = self.engine.change_settings(&[change]);
            }
            (230..235, _) => drop(self.engine.change_settings(&[(SettingId::MAX_FRAME_SIZE, 20_000)])),
            (235..240, _) => _ = self.engine.connection_window_update(u32::from(act)),
            (240, _) => self.engine.shutdown(self.now),
            _ => {}
        }
        self.acts += 1;
        self.no_events = false;
        self.check();
    }

    /// Most calls are rejected most of the time, which must be harmless.
    fn act_on(&mut self, id: StreamId, act: u8) {
        let engine = &mut self.engine;
        let end = self.random.bool();
        match act % 30 {
            0..6 => {
                let most = self.random.usize(1..100_000);
                while matches!(engine.read(id, most), Ok(Read::Data(_) | Read::Trailers(_))) {}
            }
            6 => drop(engine.read(id, 1)),
            7..14 => _ = engine.send_response(id, &section(&[(":status", "200")]), end),
            14 => _ = engine.send_informational(id, &section(&[(":status", "103")])),
            15..20 => _ = engine.send_data(id, &mut vec![0; self.random.usize(..50_000)].into(), end),
            20 | 21 => _ = engine.send_trailers(id, &section(&[("checksum", "0123")])),
            22 => engine.reset(id, ErrorCode::CANCEL),
            23 | 24 => self.release(id),
            25 => _ = engine.window_update(id, self.random.u32(..1 << 20)),
            26 => _ = engine.set_priority(id, Priority::new(act % 8, end)),
            27 => {
                if let Ok(id) = engine.push_request(id, &request("GET")) {
                    self.streams.push(id);
                }
            }
            _ => {}
        }
        self.acts += 1;
        self.no_events = false;
        self.check();
    }

    fn release(&mut self, id: StreamId) {
        self.engine.release(id);
        self.streams.retain(|&other| other != id);
    }

    fn open(&mut self) {
        let method = ["GET", "POST", "HEAD"][self.random.usize(..3)];
        if let Ok(id) = self.engine.open(&request(method), self.random.bool()) {
            self.streams.push(id);
        }
        self.no_events = false;
    }
}

/// A configuration that enables every feature within the peer's reach, with limits that it can reach as well.
fn config(random: &mut Rng) -> Config {
    let mut config = Config::default();
    config.enable_push = random.bool();
    config.enable_connect_protocol = random.bool();
    config.max_concurrent_streams = random.u32(1..30);
    config.initial_window_size = random.u32(..1 << 18);
    config.stream_window_max = 1 << 18;
    config.connection_window = 65_535 + random.u32(..1 << 18);
    config.connection_window_max = 1 << 19;
    config.max_header_list_size = random.u32(..32 << 10);
    config.manual_window_update = random.bool();
    config.send_buffer = random.usize(1..1 << 16);
    config.waiting_streams = random.usize(..5);
    config.unknown_frames = random.bool();
    config.idle_timeout = random.bool().then_some(Duration::from_secs(3));
    config.keep_alive =
        random.bool().then_some(KeepAlive::new(Duration::from_millis(500), Duration::from_millis(500)));
    config.limits.frames_per_recv = random.u32(1..50);
    config.limits.events = random.usize(1..50);
    config.limits.control_bytes = random.usize(1..10_000);
    config
}

/// Whether the frame is one that the peer can provoke.
fn is_reply(header: Header) -> bool {
    match header.kind {
        kind::RST_STREAM | kind::WINDOW_UPDATE | kind::GOAWAY => true,
        kind::SETTINGS | kind::PING => header.has(flag::ACK),
        _ => false,
    }
}

/// A field section.
pub fn section(fields: &[(&str, &str)]) -> FieldSection {
    fields.iter().copied().collect()
}

/// The head of a request.
pub fn request(method: &str) -> FieldSection {
    section(&[(":method", method), (":scheme", "http"), (":authority", "example.com"), (":path", "/")])
}
