//! Feeds a connection with mostly valid frames, while the application makes any possible call.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use http2_engine::frame::{FrameHeader, FrameType, StreamId, flags};
use http2_engine::hpack::Encoder;
use http2_engine::{FieldSection, Role};
use http2_fuzz::harness::{Harness, request, section};

#[derive(Arbitrary, Debug)]
struct Input {
    server: bool,
    seed: u32,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// The peer opens a stream, as its role permits, or answers one.
    Head {
        stream: Stream,
        head: Head,
        end: bool,
        cut: Option<u8>,
        padding: Option<u8>,
    },
    Data {
        stream: Stream,
        octets: u16,
        end: bool,
        padding: Option<u8>,
    },
    Trailers {
        stream: Stream,
    },
    Reset {
        stream: Stream,
        code: u8,
    },
    WindowUpdate {
        stream: Option<Stream>,
        increment: u32,
    },
    Settings(Vec<(u8, Value)>),
    SettingsAck,
    Ping {
        ack: bool,
        payload: [u8; 8],
    },
    GoAway {
        last: u8,
        code: u8,
    },
    Promise {
        parent: Stream,
        promised: Stream,
    },
    PriorityUpdate {
        stream: Stream,
        urgency: u8,
    },
    Frame {
        kind: u8,
        flags: u8,
        stream: Stream,
        payload: Vec<u8>,
    },
    Octets(Vec<u8>),
    /// Only this many bytes of the next frame arrive with it; the rest arrives with the frame after it.
    Cut(u8),
    Application(u8),
    Sleep {
        millis: u16,
    },
}

/// Selects a stream: the next new one of the client or of the server, or one of their first.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Stream {
    New,
    Last,
    Client(u8),
    Server(u8),
}

#[derive(Arbitrary, Debug)]
enum Head {
    Request { method: u8, length: Option<u8>, protocol: bool },
    Response { status: u8, length: Option<u8> },
    Large(u16),
    Empty,
}

#[derive(Arbitrary, Debug)]
enum Value {
    Small(u8),
    Any(u32),
}

/// The peer's state that its frames depend on.
struct Peer {
    encoder: Encoder,
    /// The stream that it opens next.
    next: u32,
    out: Vec<u8>,
}

libfuzzer_sys::fuzz_target!(|input: Input| {
    let (role, next) = if input.server { (Role::Server, 1) } else { (Role::Client, 2) };
    let mut harness = Harness::new(role, input.seed);
    let mut peer = Peer { encoder: Encoder::default(), next, out: Vec::new() };
    peer.send(&Step::Settings(Vec::new()));
    let mut kept = 0;
    for step in &input.steps {
        match step {
            Step::Cut(octets) => kept = usize::from(*octets),
            Step::Application(act) => harness.act(*act),
            Step::Sleep { millis } => harness.sleep(Duration::from_millis((*millis).into())),
            _ => peer.send(step),
        }
        let arriving = peer.out.len().saturating_sub(std::mem::take(&mut kept));
        harness.recv(&peer.out.drain(..arriving).collect::<Vec<_>>());
    }
    harness.recv(&peer.out);
    harness.end();
});

impl Peer {
    fn send(&mut self, step: &Step) {
        match step {
            Step::Head { stream, head, end, cut, padding } => {
                let block = self.block(&head.section());
                self.headers(self.id(*stream), &block, *end, *cut, *padding);
                if matches!(stream, Stream::New) {
                    self.next += 2;
                }
            }
            Step::Data { stream, octets, end, padding } => {
                let end = u8::from(*end) * flags::END_STREAM;
                self.padded(FrameType::DATA, end, self.id(*stream), &vec![7; (*octets).into()], *padding);
            }
            Step::Trailers { stream } => {
                let block = self.block(&section(&[("checksum", "0123")]));
                self.headers(self.id(*stream), &block, true, None, None);
            }
            Step::Reset { stream, code } => {
                self.frame(FrameType::RST_STREAM, 0, self.id(*stream), &[0, 0, 0, code % 16]);
            }
            Step::WindowUpdate { stream, increment } => {
                let stream = stream.map_or(0, |stream| self.id(stream));
                self.frame(FrameType::WINDOW_UPDATE, 0, stream, &(increment % (1 << 24)).to_be_bytes());
            }
            Step::Settings(parameters) => {
                let mut payload = Vec::new();
                for (id, value) in parameters {
                    payload.extend([0, id % 10]);
                    let value = match value {
                        Value::Small(value) => u32::from(*value),
                        Value::Any(value) => *value,
                    };
                    payload.extend(value.to_be_bytes());
                }
                self.frame(FrameType::SETTINGS, 0, 0, &payload);
            }
            Step::SettingsAck => self.frame(FrameType::SETTINGS, flags::ACK, 0, &[]),
            Step::Ping { ack, payload } => self.frame(FrameType::PING, u8::from(*ack), 0, payload),
            Step::GoAway { last, code } => {
                self.frame(FrameType::GOAWAY, 0, 0, &[0, 0, 0, *last, 0, 0, 0, code % 16]);
            }
            Step::Promise { parent, promised } => {
                let block = self.block(&request("GET"));
                let promised = self.id(*promised).to_be_bytes();
                let payload = [&promised[..], &block].concat();
                self.frame(FrameType::PUSH_PROMISE, flags::END_HEADERS, self.id(*parent), &payload);
                self.next += 2;
            }
            Step::PriorityUpdate { stream, urgency } => {
                let value = format!("u={}, i", urgency % 10);
                let payload = [&self.id(*stream).to_be_bytes()[..], value.as_bytes()].concat();
                self.frame(FrameType::PRIORITY_UPDATE, 0, 0, &payload);
            }
            Step::Frame { kind, flags, stream, payload } => {
                self.frame(FrameType(kind % 18), *flags, self.id(*stream), payload);
            }
            Step::Octets(octets) => self.out.extend(octets),
            Step::Cut(_) | Step::Application(_) | Step::Sleep { .. } => {}
        }
    }

    fn id(&self, stream: Stream) -> u32 {
        match stream {
            Stream::New => self.next,
            Stream::Last => self.next.saturating_sub(2),
            Stream::Client(number) => 2 * u32::from(number % 8) + 1,
            Stream::Server(number) => 2 * u32::from(number % 8),
        }
    }

    fn block(&mut self, section: &FieldSection) -> Vec<u8> {
        let mut block = Vec::new();
        self.encoder.encode(section, &mut block);
        block
    }

    /// HEADERS, followed by CONTINUATION if the block is to be cut.
    fn headers(&mut self, stream: u32, block: &[u8], end: bool, cut: Option<u8>, padding: Option<u8>) {
        let end = u8::from(end) * flags::END_STREAM;
        match cut {
            None => self.padded(FrameType::HEADERS, end | flags::END_HEADERS, stream, block, padding),
            Some(at) => {
                let (first, rest) = block.split_at(block.len().min(at.into()));
                self.padded(FrameType::HEADERS, end, stream, first, padding);
                self.frame(FrameType::CONTINUATION, flags::END_HEADERS, stream, rest);
            }
        }
    }

    fn padded(&mut self, kind: FrameType, flags: u8, stream: u32, content: &[u8], padding: Option<u8>) {
        match padding {
            None => self.frame(kind, flags, stream, content),
            Some(octets) => {
                let payload = [&[octets][..], content, &vec![0; octets.into()]].concat();
                self.frame(kind, flags | flags::PADDED, stream, &payload);
            }
        }
    }

    fn frame(&mut self, kind: FrameType, flags: u8, stream: u32, payload: &[u8]) {
        let stream_id = StreamId::new(stream).unwrap_or_default();
        FrameHeader { length: payload.len() as u32, kind, flags, stream_id }.encode(&mut self.out);
        self.out.extend_from_slice(payload);
    }
}

impl Head {
    fn section(&self) -> FieldSection {
        let with_length = |mut section: FieldSection, length: &Option<u8>| {
            if let Some(length) = length {
                section.push(b"content-length", length.to_string().as_bytes());
            }
            section
        };
        match self {
            Self::Request { method, length, protocol } => {
                let mut head = match method % 6 {
                    0 => section(&[(":method", "CONNECT"), (":authority", "example.com:443")]),
                    other => request(["GET", "POST", "HEAD", "PUT", "OPTIONS"][usize::from(other - 1)]),
                };
                if *protocol {
                    head = section(&[
                        (":method", "CONNECT"),
                        (":protocol", "websocket"),
                        (":scheme", "http"),
                        (":authority", "example.com"),
                        (":path", "/"),
                    ]);
                }
                with_length(head, length)
            }
            Self::Response { status, length } => {
                let status = ["200", "100", "103", "204", "304", "404", "101"][usize::from(status % 7)];
                with_length(section(&[(":status", status)]), length)
            }
            Self::Large(octets) => {
                let mut head = request("GET");
                head.push(b"x-large", &vec![b'x'; (*octets).into()]);
                head
            }
            Self::Empty => FieldSection::new(),
        }
    }
}
