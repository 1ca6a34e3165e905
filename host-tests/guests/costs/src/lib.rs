//! The cost of each operation of a connection, by the number of streams it has.
//!
//! The streams in question have been looked at before they are measured, so that they are in the processor's cache,
//! unless the caller asks otherwise: then most of the time is spent waiting for memory.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http2_engine::{
    Config, Connection, ErrorCode, Event, FieldSection, Priority, Read, SettingId, StreamId, Time,
};

/// Operations per measurement, spread over as many connections as they take.
const BATCH: u32 = 200;

/// Returns the names of all operations, in the order of their numbers.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|&(name, _)| name)
}

/// Measures an operation once, on connections with this many streams.
///
/// Returns nanoseconds per operation, or per stream where the name says so.
///
/// # Panics
///
/// If there is no operation with this number, or the engine does not do what it should.
pub fn measure(row: usize, streams: u32, warm: bool) -> f64 {
    ROWS[row].1.measure(streams, warm)
}

/// A way to measure one operation.
enum Row {
    /// Times the operation on one stream after another, each at most once.
    Each(fn(u32) -> End, fn(&mut End, u32)),
    /// Times one operation, and divides by the number of streams.
    All(fn(u32) -> End, fn(&mut End)),
    /// Times one operation as it is.
    Once(fn(u32) -> End, fn(&mut End)),
}

const ROWS: &[(&str, Row)] = &[
    ("client: open, response, release", Row::Each(client, exchange)),
    ("server: request, response, release", Row::Each(server, serve)),
    ("client: open, then cancel", Row::Each(client, open_and_cancel)),
    (
        "server: RST_STREAM closes the oldest",
        Row::Each(server, |end, i| end.rst_stream_and_release(2 * i + 1)),
    ),
    ("server: RST_STREAM closes any", Row::Each(server, |end, i| end.rst_stream_and_release(end.spread(i)))),
    ("client: receive 1,000 bytes and read", Row::Each(downloading, download)),
    (
        "client: receive 1,000 bytes and read, oldest",
        Row::Each(downloading, |end, _| end.receive_and_read(1)),
    ),
    ("server: send_data and poll_transmit", Row::Each(responding, respond_more)),
    ("server: send_data and poll_transmit, queued", Row::Each(scheduled, respond_one_frame)),
    (
        "server: RST_STREAM of a scheduled stream",
        Row::Each(scheduled, |end, i| end.rst_stream(end.spread(i))),
    ),
    ("server: RST_STREAM of a blocked stream", Row::Each(blocked, |end, i| end.rst_stream(end.spread(i)))),
    ("server: set_priority of a scheduled stream", Row::Each(scheduled, reprioritize)),
    ("server: PRIORITY_UPDATE of a scheduled one", Row::Each(scheduled, priority_update)),
    ("server: PRIORITY_UPDATE before the request", Row::Each(early, early_priority)),
    ("server: WINDOW_UPDATE of a blocked stream", Row::Each(blocked, unblock)),
    ("client: cancel a request that waits", Row::Each(waiting, |end, i| end.cancel(end.spread(i)))),
    ("server: RST_STREAM of a queued request", Row::Each(queued, |end, i| end.rst_stream(end.queued(i)))),
    (
        "server: is_flushed",
        Row::Each(blocked, |end, _| {
            black_box(end.engine.is_flushed());
        }),
    ),
    (
        "server: poll_timeout",
        Row::Each(blocked, |end, _| {
            black_box(end.engine.poll_timeout());
        }),
    ),
    ("server: send_data exceeds the total limit", Row::Once(nearly_crowded, |end| end.send(1, &[0; 1_000]))),
    ("server: RST_STREAM restores the total limit", Row::Once(crowded, |end| end.rst_stream(1))),
    ("server: SETTINGS that unblock no stream", Row::Once(overdrawn, |end| end.settings(&[(4, 50)]))),
    ("client: GOAWAY that ends no stream", Row::Once(client, |end| end.goaway(0x7fff_ffff))),
    ("server: SETTINGS unblock all, per stream", Row::All(blocked, |end| end.settings(&[(4, 1)]))),
    ("client: GOAWAY ends all, per stream", Row::All(client, |end| end.goaway(0))),
    ("server: abort ends all, per stream", Row::All(server, |end| end.engine.abort(ErrorCode::CANCEL, b""))),
    (
        "client: change_settings, per stream",
        Row::All(downloading, |end| {
            end.engine.change_settings(&[(SettingId::INITIAL_WINDOW_SIZE, 1 << 17)]).unwrap();
        }),
    ),
];

impl Row {
    fn measure(&self, size: u32, warm: bool) -> f64 {
        match *self {
            Self::Each(prepare, operate) => {
                // Half of the streams, so that those that remain are still about as many.
                let each = BATCH.min(size / 2);
                time(size, warm, prepare, BATCH / each, each, |end| (0..each).for_each(|i| operate(end, i)))
            }
            Self::All(prepare, operate) => time(size, warm, prepare, BATCH.div_ceil(size), size, operate),
            Self::Once(prepare, operate) => {
                let ends = if size > 1_000 { 3 } else { 20 };
                time(size, warm, prepare, ends, 1, operate)
            }
        }
    }
}

/// Times `operate` on several connections, and returns the nanoseconds for one of its `count` operations.
fn time(
    size: u32,
    warm: bool,
    prepare: fn(u32) -> End,
    ends: u32,
    count: u32,
    operate: impl Fn(&mut End),
) -> f64 {
    let mut ends: Vec<End> = (0..ends).map(|_| prepare(size)).collect();
    // The allocator of glibc sorts the pieces that preparation has freed while it looks for others, which would take
    // milliseconds of the measurement.
    drop(Vec::from_iter((1..50).map(|n| black_box(Vec::<u8>::with_capacity(n << 10)))));
    if warm {
        ends.iter().for_each(End::touch);
    }
    let start = Instant::now();
    ends.iter_mut().for_each(operate);
    start.elapsed().as_nanos() as f64 / f64::from(count) / ends.len() as f64
}

/// One endpoint; the other is written by hand.
struct End {
    engine: Connection,
    streams: u32,
    output: Vec<u8>,
}

/// The head of a request: GET http://example.com/.
const REQUEST: &[u8] = b"\x82\x86\x84\x01\x0bexample.com";
/// The head of a response: status 200, and a Content-Length of 9,999,999.
const RESPONSE: &[u8] = b"\x88\x0f\x0d\x079999999";

const NOW: Time = Time::from_nanos(1);

/// Returns a configuration that allows any number of streams.
fn config() -> Config {
    let mut config = Config::default();
    allow_any(&mut config);
    config
}

fn allow_any(config: &mut Config) {
    config.max_concurrent_streams = u32::MAX;
    config.initial_max_send_streams = u32::MAX;
    config.waiting_streams = usize::MAX;
    config.limits.events = usize::MAX;
    config.limits.control_bytes = usize::MAX;
    config.limits.content_bytes = usize::MAX;
    config.limits.frames_per_recv = u32::MAX;
    config.limits.abuse = u32::MAX;
}

fn id(n: u32) -> StreamId {
    StreamId::new(n).unwrap()
}

impl End {
    fn new(engine: Connection, streams: u32, input: &[u8]) -> Self {
        let mut end = Self { engine, streams, output: Vec::new() };
        end.recv(input);
        end.transmit();
        end
    }

    fn recv(&mut self, input: &[u8]) {
        let mut input = Bytes::copy_from_slice(input);
        assert!(self.engine.recv(NOW, &mut input) > 0);
        assert!(input.is_empty());
    }

    /// Receives a frame.
    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.recv(&frame(kind, flags, stream, payload));
    }

    fn settings(&mut self, settings: &[(u16, u32)]) {
        self.recv(&settings_frame(settings));
    }

    fn goaway(&mut self, last: u32) {
        self.frame(7, 0, 0, &[last.to_be_bytes(), [0; 4]].concat());
    }

    fn rst_stream(&mut self, stream: u32) {
        self.frame(3, 0, stream, &[0, 0, 0, 8]);
    }

    fn rst_stream_and_release(&mut self, stream: u32) {
        self.rst_stream(stream);
        self.engine.release(id(stream));
    }

    fn cancel(&mut self, stream: u32) {
        self.engine.reset(id(stream), ErrorCode::CANCEL);
        self.engine.release(id(stream));
    }

    fn events(&mut self) {
        while self.engine.poll_event().is_some() {}
    }

    fn transmit(&mut self) {
        while self.engine.poll_transmit(NOW, &mut self.output, 1 << 16) > 0 {
            self.output.clear();
        }
    }

    fn send(&mut self, stream: u32, bytes: &'static [u8]) {
        let mut data = Bytes::from_static(bytes);
        assert!(self.engine.send_data(id(stream), &mut data, false).is_ok());
        assert!(data.is_empty());
    }

    /// Receives content, and reads it.
    fn receive_and_read(&mut self, stream: u32) {
        self.frame(0, 0, stream, &[0; 1_000]);
        let Ok(Read::Data(data)) = self.engine.read(id(stream), usize::MAX) else { panic!("no content") };
        assert_eq!(data.len(), 1_000);
        self.transmit();
        self.events();
    }

    /// Looks at the streams that operations will use.
    fn touch(&self) {
        for i in 0..BATCH.min(self.streams) {
            for stream in [2 * i + 1, self.spread(i), self.queued(i)] {
                let stream = id(stream);
                let engine = &self.engine;
                black_box((
                    engine.stream_windows(stream),
                    engine.priority(stream),
                    engine.is_finished(stream),
                ));
                black_box(engine.send_capacity(stream));
            }
        }
    }

    /// Returns the `i`th of many streams, in no order.
    fn spread(&self, i: u32) -> u32 {
        // A prime, so that all are different.
        2 * (u32::try_from(u64::from(i) * 7_919 % u64::from(self.streams)).unwrap()) + 1
    }

    /// Returns the `i`th of the streams that are queued behind as many others.
    fn queued(&self, i: u32) -> u32 {
        self.spread(i) + 2 * self.streams
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn settings_frame(settings: &[(u16, u32)]) -> Vec<u8> {
    let encode = |&(id, value): &(u16, u32)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(4, 0, 0, &settings.iter().flat_map(encode).collect::<Vec<_>>())
}

fn request() -> FieldSection {
    let mut head = FieldSection::new();
    for (name, value) in
        [(":method", "GET"), (":scheme", "http"), (":authority", "example.com"), (":path", "/")]
    {
        head.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn response() -> FieldSection {
    let mut head = FieldSection::new();
    head.push(b":status", b"200");
    head
}

/// A client whose requests have been sent.
fn client(streams: u32) -> End {
    let mut end = client_of(streams, &[]);
    end.transmit();
    end
}

fn client_of(streams: u32, settings: &[(u16, u32)]) -> End {
    let mut end = End::new(Connection::client(config()).unwrap(), streams, &settings_frame(settings));
    end.frame(4, 1, 0, &[]);
    for _ in 0..streams {
        end.engine.open(&request(), true).unwrap();
    }
    end.events();
    end
}

/// A client that receives responses.
fn downloading(streams: u32) -> End {
    let mut end = client(streams);
    for n in 0..streams {
        end.frame(1, 4, 2 * n + 1, RESPONSE);
    }
    end.events();
    end
}

/// A client whose requests wait for the peer's limit.
fn waiting(streams: u32) -> End {
    client_of(streams, &[(3, 0)])
}

/// A server whose application holds requests.
fn server(streams: u32) -> End {
    server_of(config(), streams, &[])
}

fn server_of(config: Config, streams: u32, settings: &[(u16, u32)]) -> End {
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings_frame(settings)[..]].concat();
    let mut end = End::new(Connection::server(config).unwrap(), streams, &preface);
    end.frame(4, 1, 0, &[]);
    for n in 0..streams {
        end.frame(1, 5, 2 * n + 1, REQUEST);
    }
    end.events();
    // The connection's window is no limit.
    end.frame(8, 0, 0, &0x7fff_0000_u32.to_be_bytes());
    end
}

/// A server that sends responses.
fn responding(streams: u32) -> End {
    respond(server(streams))
}

fn respond(mut end: End) -> End {
    for n in 0..end.streams {
        end.engine.send_response(id(2 * n + 1), &response(), false).unwrap();
    }
    end.transmit();
    end
}

/// A server whose responses have content that can be sent.
fn scheduled(streams: u32) -> End {
    with_content(responding(streams))
}

fn with_content(mut end: End) -> End {
    for n in 0..end.streams {
        end.send(2 * n + 1, &[0; 100]);
    }
    end
}

/// A server whose responses have content, but no window.
fn blocked(streams: u32) -> End {
    let mut end = with_content(respond(server_of(config(), streams, &[(4, 0)])));
    end.transmit();
    end
}

/// A server whose responses have content, and windows that are far below 0.
fn overdrawn(streams: u32) -> End {
    let mut end = with_content(respond(server_of(config(), streams, &[(4, 100)])));
    end.transmit();
    end = with_content(end);
    end.transmit();
    end.settings(&[(4, 0)]);
    end.transmit();
    end.events();
    end
}

/// A server whose blocked responses together almost exceed the limit for content.
fn nearly_crowded(streams: u32) -> End {
    let mut config = config();
    config.limits.content_bytes = streams as usize * 100 + 500;
    let mut end = with_content(respond(server_of(config, streams, &[(4, 0)])));
    end.transmit();
    end
}

/// A server whose blocked responses together exceed the limit for content because of the first.
fn crowded(streams: u32) -> End {
    static LARGE: [u8; 16 << 20] = [0; 16 << 20];
    let mut config = config();
    config.send_buffer = usize::MAX;
    let limit = streams as usize * 100 * 4 / 3 + 400;
    config.limits.content_bytes = limit;
    let mut end = with_content(respond(server_of(config, streams, &[(4, 0)])));
    end.send(1, &LARGE[..limit]);
    end.transmit();
    end
}

/// A server with priorities for requests that have not arrived.
fn early(streams: u32) -> End {
    let mut end = server_of(config(), 0, &[]);
    end.streams = streams;
    for n in 0..streams {
        early_priority(&mut end, n);
    }
    end
}

/// A server with requests that wait behind as many others, which the application still holds.
fn queued(streams: u32) -> End {
    let mut config = config();
    config.max_concurrent_streams = streams;
    let mut end = server_of(config, streams, &[]);
    for n in 0..streams {
        end.rst_stream(2 * n + 1);
    }
    for n in streams..2 * streams {
        end.frame(1, 5, 2 * n + 1, REQUEST);
    }
    end.events();
    end
}

fn exchange(end: &mut End, _: u32) {
    let id = end.engine.open(&request(), true).unwrap();
    end.transmit();
    end.frame(1, 5, id.as_u32(), b"\x88");
    let Some(Event::Response { .. }) = end.engine.poll_event() else { panic!("no response") };
    end.engine.release(id);
}

fn serve(end: &mut End, i: u32) {
    end.frame(1, 5, 2 * (end.streams + i) + 1, REQUEST);
    let Some(Event::Request { id, .. }) = end.engine.poll_event() else { panic!("no request") };
    end.engine.send_response(id, &response(), true).unwrap();
    end.engine.release(id);
    end.transmit();
}

fn open_and_cancel(end: &mut End, _: u32) {
    let id = end.engine.open(&request(), true).unwrap();
    end.cancel(id.as_u32());
    end.transmit();
}

fn download(end: &mut End, i: u32) {
    end.receive_and_read(end.spread(i));
}

fn respond_more(end: &mut End, i: u32) {
    end.send(end.spread(i), &[0; 100]);
    end.transmit();
}

fn respond_one_frame(end: &mut End, i: u32) {
    end.send(end.spread(i), &[0; 100]);
    end.output.clear();
    end.engine.poll_transmit(NOW, &mut end.output, 1);
}

fn reprioritize(end: &mut End, i: u32) {
    end.engine.set_priority(id(end.spread(i)), Priority::new(1, i.is_multiple_of(2))).unwrap();
}

fn priority_update(end: &mut End, i: u32) {
    let payload =
        [&end.spread(i).to_be_bytes()[..], if i.is_multiple_of(2) { b"u=1" } else { b"u=2, i" }].concat();
    end.frame(16, 0, 0, &payload);
}

fn early_priority(end: &mut End, i: u32) {
    let payload = [&end.spread(i).to_be_bytes()[..], b"u=1"].concat();
    end.frame(16, 0, 0, &payload);
}

/// Lets a blocked stream send a part of its content.
fn unblock(end: &mut End, i: u32) {
    end.frame(8, 0, end.spread(i), &10_u32.to_be_bytes());
    end.transmit();
}
