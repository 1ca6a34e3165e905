//! Runs all cases against the engine alone.

use std::collections::BTreeMap;

use bytes::Bytes;
use http2_conformance::cases::cases;
use http2_conformance::{Role, Step, Transport, play};
use http2_engine::{Config, Connection, Event, FieldSection, Read, StreamId, Time};

/// The most bytes taken from the engine in one call.
const OUTPUT: usize = 64 << 10;

/// An engine, and the application that the cases require behind it.
struct Endpoint {
    role: Role,
    engine: Connection,
    now: u64,
    output: Vec<u8>,
    streams: BTreeMap<StreamId, Content>,
}

/// The response content that a server has still to send.
#[derive(Default)]
struct Content {
    octets: Bytes,
    is_whole: bool,
}

impl Endpoint {
    fn new(role: Role) -> Self {
        let config = Config::default();
        let engine = match role {
            Role::Server => Connection::server(config),
            Role::Client => Connection::client(config),
        };
        let streams = BTreeMap::new();
        Self { role, engine: engine.unwrap(), now: 0, output: Vec::new(), streams }
    }

    fn time(&mut self) -> Time {
        self.now += 1_000;
        Time::from_nanos(self.now)
    }

    /// Runs the application until it blocks, and collects the output.
    fn work(&mut self) {
        loop {
            while let Some(event) = self.engine.poll_event() {
                self.take(event);
            }
            self.request();
            let now = self.time();
            let before = self.output.len();
            self.engine.poll_transmit(now, &mut self.output, OUTPUT);
            if self.output.len() == before {
                return;
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Request { id, head, .. } => {
                let echoes = head.path() == Some(b"/echo");
                let response = FieldSection::from_iter([(":status", "200")]);
                if self.engine.send_response(id, &response, !echoes).is_ok() && echoes {
                    self.streams.insert(id, Content::default());
                    self.copy(id);
                } else {
                    self.engine.release(id);
                }
            }
            Event::Response { id, .. } | Event::Readable { id } | Event::Writable { id } => self.copy(id),
            Event::Reset { id, .. } => self.end(id),
            _ => {}
        }
    }

    /// Reads the input of a stream; a server echoes it.
    fn copy(&mut self, id: StreamId) {
        loop {
            let Some(content) = self.streams.get_mut(&id) else { return };
            if self.role == Role::Server && (!content.octets.is_empty() || content.is_whole) {
                let end = content.is_whole;
                if self.engine.send_data(id, &mut content.octets, end).is_err() {
                    return self.end(id);
                }
                if !content.octets.is_empty() {
                    return;
                }
                if end {
                    return self.end(id);
                }
            }
            content.octets.clear();
            match self.engine.read(id, OUTPUT) {
                Ok(Read::Data(octets)) => content.octets = octets,
                Ok(Read::Blocked) => return,
                Ok(Read::End | Read::Trailers(_)) if self.role == Role::Server => content.is_whole = true,
                Ok(_) | Err(_) => return self.end(id),
            }
        }
    }

    fn end(&mut self, id: StreamId) {
        self.streams.remove(&id);
        self.engine.release(id);
    }

    /// Keeps two requests in flight, if this is a client.
    fn request(&mut self) {
        let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/")];
        while self.role == Role::Client && self.streams.len() < 2 {
            let Ok(id) = self.engine.open(&FieldSection::from_iter(fields), true) else { return };
            self.streams.insert(id, Content::default());
        }
    }
}

impl Transport for Endpoint {
    fn send(&mut self, octets: &[u8]) {
        let mut input = Bytes::copy_from_slice(octets);
        while !input.is_empty() {
            let now = self.time();
            _ = self.engine.recv(now, &mut input);
            self.work();
        }
    }

    fn receive(&mut self) -> Result<Vec<u8>, String> {
        self.work();
        if self.output.is_empty() && !self.engine.is_closed() {
            return Err("the engine has no more output".to_owned());
        }
        Ok(std::mem::take(&mut self.output))
    }
}

#[test]
fn engine_passes_all_cases() {
    let cases = cases();
    let failures: Vec<String> =
        cases.iter().filter_map(|case| play(case, &mut Endpoint::new(case.role)).err()).collect();
    assert!(failures.is_empty(), "{} of {} cases:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// A trivial endpoint that ignores all input and ends the connection at the first frame.
struct Disconnects;

impl Transport for Disconnects {
    fn send(&mut self, _octets: &[u8]) {}

    fn receive(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

#[test]
fn closing_without_goaway_passes_only_preface_cases() {
    let passed: Vec<_> = cases()
        .into_iter()
        .filter(|case| play(case, &mut Disconnects).is_ok())
        .map(|case| case.name)
        .collect();
    assert_eq!(passed, ["input other than the preface", "an HTTP/1.1 request to upgrade"]);
}

#[test]
fn error_cases_require_the_exact_code_and_scope() {
    let mut tried = 0;
    for case in cases() {
        for at in 0..case.steps.len() {
            let others = match case.steps[at] {
                Step::ConnectionError(code) => vec![Step::ConnectionError(code ^ 1), Step::Nothing],
                Step::StreamError(stream, code) => {
                    vec![Step::StreamError(stream, code ^ 1), Step::ConnectionError(code), Step::Nothing]
                }
                _ => continue,
            };
            for other in others {
                let mut changed = case.clone();
                changed.steps[at] = other;
                tried += 1;
                assert!(play(&changed, &mut Endpoint::new(case.role)).is_err(), "{changed}: step {}", at + 1);
            }
        }
    }
    assert!(tried > 500, "{tried}");
}
