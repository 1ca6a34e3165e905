//! The memory of a connection: per open stream, and after a busy time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use http2_engine::{Config, Connection, Event, FieldSection, Read, StreamId, Time};

/// Counts the bytes that each thread has allocated and not freed, as they were asked for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ALLOCATED: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    ALLOCATED.with(|allocated| allocated.set(allocated.get() + bytes));
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

// SAFETY: all calls are passed on to the allocator of the system; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the contract of this method, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(signed(new_size) - signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

fn allocated() -> isize {
    ALLOCATED.with(Cell::get)
}

/// A client and a server, on the heap, and the memory that each of them has allocated.
struct Pair {
    ends: [Box<Connection>; 2],
    memory: [isize; 2],
}

const CLIENT: usize = 0;
const SERVER: usize = 1;
const NOW: Time = Time::from_nanos(1);

impl Pair {
    fn new(config: &Config) -> Self {
        let mut memory = [0; 2];
        let mut create = |at: usize, new: fn(Config) -> _| {
            let config = config.clone();
            let before = allocated();
            let end: Box<Connection> = Box::new(Result::unwrap(new(config)));
            memory[at] = allocated() - before;
            end
        };
        let ends = [create(CLIENT, Connection::client), create(SERVER, Connection::server)];
        let mut pair = Self { ends, memory };
        pair.run();
        pair
    }

    /// Calls one end, and attributes to it the memory that it keeps.
    ///
    /// Nothing that the call returns may own memory that was allocated outside of it, or the reverse.
    fn at<T>(&mut self, end: usize, call: impl FnOnce(&mut Connection) -> T) -> T {
        let before = allocated();
        let result = call(&mut self.ends[end]);
        self.memory[end] += allocated() - before;
        result
    }

    /// Transfers output in both directions until neither end has any, and drops all events but requests.
    fn run(&mut self) -> Vec<StreamId> {
        let mut requests = Vec::new();
        let mut output = Vec::with_capacity(1 << 20);
        let mut moved = true;
        while moved {
            moved = false;
            for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
                output.clear();
                while let Some(event) = self.at(from, event) {
                    requests.extend(event);
                }
                let sent = self.at(from, |end| end.poll_transmit(NOW, &mut output, 1 << 16));
                moved |= sent > 0;
                let mut rest = &output[..];
                while !rest.is_empty() {
                    // The engine copies input of this size, and keeps none of it.
                    let (piece, behind) = rest.split_at(rest.len().min(8 << 10));
                    rest = behind;
                    let mut input = Bytes::copy_from_slice(piece);
                    // Keep the allocation, so that the engine does not free it.
                    let kept = input.clone();
                    while !input.is_empty() {
                        assert!(self.at(to, |end| end.recv(NOW, &mut input)) > 0);
                        while let Some(event) = self.at(to, event) {
                            requests.extend(event);
                        }
                    }
                    drop((input, kept));
                }
            }
        }
        requests
    }
}

/// Takes an event, and returns the stream if it is a request.
fn event(end: &mut Connection) -> Option<Option<StreamId>> {
    end.poll_event().map(|event| match event {
        Event::Request { id, .. } => Some(id),
        _ => None,
    })
}

/// Returns a configuration that allows 10,000 streams.
fn config() -> Config {
    let mut config = Config::default();
    allow(&mut config, 10_000);
    config
}

fn allow(config: &mut Config, streams: u32) {
    config.max_concurrent_streams = streams;
    config.initial_max_send_streams = streams;
}

fn head(fields: &[(&str, &str)]) -> FieldSection {
    let mut head = FieldSection::new();
    for (name, value) in fields {
        head.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn request(method: &str, path: &str) -> FieldSection {
    head(&[(":method", method), (":scheme", "http"), (":authority", "example.com"), (":path", path)])
}

/// Opens and accepts streams, and returns their number and requests.
fn open(pair: &mut Pair, count: usize) -> Vec<StreamId> {
    let head = request("GET", "/");
    for _ in 0..count {
        pair.at(CLIENT, |end| end.open(&head, true).map(drop)).unwrap();
    }
    let requests = pair.run();
    assert_eq!(requests.len(), count);
    requests
}

fn release(pair: &mut Pair, ids: &[StreamId]) {
    for &id in ids {
        for end in [CLIENT, SERVER] {
            pair.at(end, |end| end.release(id));
        }
    }
    pair.run();
}

/// Responds to requests, and releases them.
fn respond(pair: &mut Pair, ids: &[StreamId], response: &FieldSection) {
    for &id in ids {
        pair.at(SERVER, |end| end.send_response(id, response, true)).unwrap();
    }
    pair.run();
    release(pair, ids);
}

/// Sends large content in both directions on a few streams.
fn transfer(pair: &mut Pair) {
    let post = request("POST", "/");
    let ids: Vec<_> = (0..5).map(|_| pair.at(CLIENT, |end| end.open(&post, false)).unwrap()).collect();
    assert_eq!(pair.run(), ids);
    for &id in &ids {
        pair.at(SERVER, |end| end.send_response(id, &head(&[(":status", "200")]), false)).unwrap();
    }
    for last in [false, false, true] {
        for (from, to) in [(CLIENT, SERVER), (SERVER, CLIENT)] {
            for &id in &ids {
                let mut content = Bytes::from(vec![1; 200_000]);
                assert_eq!(pair.at(from, |end| end.send_data(id, &mut content, last)), Ok(200_000));
            }
            pair.run();
            for &id in &ids {
                let read = |end: &mut Connection| matches!(end.read(id, usize::MAX), Ok(Read::Data(_)));
                while pair.at(to, read) {}
            }
        }
    }
    pair.run();
    release(pair, &ids);
}

/// Makes a connection busy in every way.
fn be_busy(pair: &mut Pair) {
    let ids = open(pair, 10_000);
    respond(pair, &ids, &head(&[(":status", "204")]));
    let large = head(&[(":status", "200"), ("x-large", &"x".repeat(30_000))]);
    let ids = open(pair, 10);
    respond(pair, &ids, &large);
    let mut large = request("GET", "/");
    large.push(b"x-large", &[b'x'; 30_000]);
    pair.at(CLIENT, |end| end.open(&large, true).map(drop)).unwrap();
    let ids = pair.run();
    respond(pair, &ids, &head(&[(":status", "204")]));
    transfer(pair);
    for n in 0..300 {
        let ids = open(pair, 1);
        let response = head(&[(":status", "200"), ("x-number", &n.to_string())]);
        respond(pair, &ids, &response);
    }
    assert_eq!(pair.ends.each_ref().map(|end| end.stream_count()), [0, 0]);
}

#[test]
fn an_open_stream_without_content_takes_256_bytes() {
    for count in [100, 1_000, 10_000] {
        let mut pair = Pair::new(&config());
        let ids = open(&mut pair, 1);
        respond(&mut pair, &ids, &head(&[(":status", "204")]));
        let before = pair.memory;
        open(&mut pair, count);
        for end in [CLIENT, SERVER] {
            let each = (pair.memory[end] - before[end]) / signed(count);
            println!("end {end}, {count} streams: {each} bytes each");
            assert!(each <= 256, "end {end}, {count} streams: {each} bytes each");
        }
    }
}

/// The dynamic tables are the protocol's state, so they are measured apart.
#[test]
fn a_connection_that_was_busy_takes_4_kib_when_it_is_idle() {
    let mut config = config();
    (config.header_table_size, config.encoder_table_size) = (0, 0);
    let mut pair = Pair::new(&config);
    println!("new: {:?}, of which {} in itself", pair.memory, size_of::<Connection>());
    be_busy(&mut pair);
    println!("idle, without dynamic tables: {:?}", pair.memory);
    assert!(pair.memory.iter().all(|&memory| memory <= 4_096), "{:?}", pair.memory);
}

/// Each of the two tables may have 4 KiB of entries, as the protocol counts them.
#[test]
fn dynamic_tables_take_little_more_than_the_protocol_counts() {
    let mut pair = Pair::new(&config());
    be_busy(&mut pair);
    println!("idle, with dynamic tables: {:?}", pair.memory);
    assert!(pair.memory.iter().all(|&memory| memory <= 4_096 + 2 * 4_096), "{:?}", pair.memory);
}

#[test]
fn an_ended_connection_frees_its_streams() {
    let mut pair = Pair::new(&config());
    let ids = open(&mut pair, 1_000);
    pair.at(CLIENT, |end| end.abort(http2_engine::ErrorCode::CANCEL, b""));
    pair.run();
    pair.at(SERVER, |end| end.recv_end(NOW));
    release(&mut pair, &ids);
    assert!(pair.memory.iter().all(|&memory| memory <= 3 * 4_096), "{:?}", pair.memory);
    assert!(pair.ends.iter().all(|end| end.close_reason().is_some()));
}
