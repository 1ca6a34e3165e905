//! The peer of the component: a native engine whose caller keeps its streams busy. It may corrupt its output.

use bytes::Bytes;
use http2_engine::{Config, Connection, ErrorCode, Event, FieldSection, Read, Role, StreamId, Time};
use http2_simulation::Random;

/// An engine, and how often it sends wrong bytes.
pub(crate) struct Peer {
    engine: Connection,
    streams: Vec<StreamId>,
    /// Corrupts one of this many bytes, or none.
    wrong: Option<usize>,
}

impl Peer {
    pub(crate) fn new(role: Role, random: &mut Random) -> Self {
        let mut config = Config::default();
        config.enable_push = random.one_in(2);
        config.initial_window_size = random.size_u32(1 << 18);
        config.max_concurrent_streams = random.size_u32(10);
        let engine = match role {
            Role::Client => Connection::client(config),
            Role::Server => Connection::server(config),
        };
        let wrong = random.one_in(4).then(|| 1 + random.size(5_000));
        Self { engine: engine.expect("invalid configuration"), streams: Vec::new(), wrong }
    }

    /// Processes bytes from the component.
    pub(crate) fn hear(&mut self, now: u64, octets: &[u8]) {
        let mut input = Bytes::copy_from_slice(octets);
        loop {
            let taken = self.engine.recv(Time::from_nanos(now), &mut input);
            self.take_events();
            if input.is_empty() || taken == 0 {
                break;
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Request { id, .. } | Event::Push { id, .. } => self.streams.push(id),
                Event::Readable { id } => {
                    while matches!(self.engine.read(id, 1 << 16), Ok(Read::Data(_) | Read::Trailers(_))) {}
                }
                _ => {}
            }
        }
    }

    /// Acts at random, and returns the bytes to send.
    pub(crate) fn speak(&mut self, now: u64, random: &mut Random) -> Vec<u8> {
        let request =
            [(":method", "POST"), (":scheme", "http"), (":authority", "example.com"), (":path", "/")];
        if random.one_in(3)
            && let Ok(id) = self.engine.open(&request.into_iter().collect(), random.one_in(2))
        {
            self.streams.push(id);
        }
        for id in self.streams.clone() {
            self.act(id, random);
        }
        if random.one_in(200) {
            self.engine.shutdown(Time::from_nanos(now));
        }
        _ = random.one_in(50) && self.engine.ping(*b"question").is_ok();
        self.take_events();
        let mut octets = Vec::new();
        while self.engine.poll_transmit(Time::from_nanos(now), &mut octets, 1 << 16) > 0 {}
        self.take_events();
        if let Some(wrong) = self.wrong {
            octets.iter_mut().for_each(|octet| *octet ^= u8::from(random.one_in(wrong)));
        }
        octets
    }

    fn act(&mut self, id: StreamId, random: &mut Random) {
        let section = |fields: &[(&str, &str)]| -> FieldSection { fields.iter().copied().collect() };
        let engine = &mut self.engine;
        let end = random.one_in(2);
        match random.below(12) {
            0..3 => _ = engine.send_response(id, &section(&[(":status", "200"), ("x-any", "value")]), end),
            3 => _ = engine.send_informational(id, &section(&[(":status", "103")])),
            4..7 => _ = engine.send_data(id, &mut vec![7; random.size(1 << 15)].into(), end),
            7 => _ = engine.send_trailers(id, &section(&[("checksum", "0123")])),
            8 if random.one_in(5) => engine.reset(id, ErrorCode(random.size_u32(20))),
            9 if random.one_in(5) => {
                let request = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/")];
                _ = engine.push_request(id, &section(&request));
            }
            10 if engine.is_finished(id) => {
                engine.release(id);
                self.streams.retain(|&other| other != id);
            }
            _ => {}
        }
    }
}
