//! The workload on this project's engine.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http2_engine::{Config, Connection, Event, FieldSection, Read, StreamId, Time};

use crate::messages::{self, AUTHORITY, CONTENT, PATHS, REQUEST_FIELDS, RESPONSE_FIELDS, SCHEME};

/// Number of bytes that the transport carries at once.
const TRANSPORT: usize = 64 << 10;

/// How client and server build and parse heads.
pub(crate) trait Heads {
    /// Builds the head of a request.
    fn request(&mut self, number: usize) -> &FieldSection;
    /// Reads the head of a request.
    fn check_request(&self, head: FieldSection);
    /// Builds the head of the response.
    fn response(&mut self) -> &FieldSection;
    /// Parses the head of a response, and returns its status.
    fn status(&self, head: FieldSection) -> u16;
}

/// Heads in the engine's own type, built in a reused buffer.
#[derive(Default)]
pub(crate) struct Sections(FieldSection);

impl Heads for Sections {
    fn request(&mut self, number: usize) -> &FieldSection {
        let Self(head) = self;
        let path = PATHS[number % PATHS.len()];
        head.clear();
        head.extend([(":method", "GET"), (":scheme", SCHEME), (":authority", AUTHORITY), (":path", path)]);
        head.extend(REQUEST_FIELDS);
        head
    }

    fn check_request(&self, head: FieldSection) {
        messages::check_request(head.method().unwrap_or_default(), head.path().unwrap_or_default());
    }

    fn response(&mut self) -> &FieldSection {
        let Self(head) = self;
        head.clear();
        head.push(b":status", b"200");
        head.extend(RESPONSE_FIELDS);
        head
    }

    fn status(&self, head: FieldSection) -> u16 {
        head.status().unwrap_or_default()
    }
}

/// Heads in the types of the `http` crate, built as they are for h2.
pub(crate) struct HttpTypes {
    requests: Vec<Request<()>>,
    response: Response<()>,
    head: FieldSection,
}

impl HttpTypes {
    pub(crate) fn new() -> Self {
        Self { requests: messages::requests(), response: messages::response(), head: FieldSection::new() }
    }
}

impl Heads for HttpTypes {
    fn request(&mut self, number: usize) -> &FieldSection {
        let request = self.requests[number % self.requests.len()].clone();
        self.head = FieldSection::from_request_parts(&request.into_parts().0);
        &self.head
    }

    fn check_request(&self, head: FieldSection) {
        let request = head.into_request().expect("a request");
        messages::check_request(request.method().as_str().as_bytes(), request.uri().path().as_bytes());
    }

    fn response(&mut self) -> &FieldSection {
        self.head = FieldSection::from_response_parts(&self.response.clone().into_parts().0);
        &self.head
    }

    fn status(&self, head: FieldSection) -> u16 {
        head.into_response().expect("a response").status().as_u16()
    }
}

/// A client and a server connected in memory.
pub(crate) struct Pair<H> {
    client: Connection,
    server: Connection,
    requests: Transport,
    responses: Transport,
    heads: H,
    /// The bytes that the client has received of each response of the round, in the order of the requests.
    received: Vec<Received>,
}

/// One direction of the connection in memory.
struct Transport {
    opened: Instant,
    output: Vec<u8>,
    input: Bytes,
}

#[derive(Clone, Default)]
struct Received {
    status: u16,
    content: usize,
}

impl<H: Heads> Pair<H> {
    pub(crate) fn new(heads: H, at_once: u32) -> Self {
        let mut config = Config::default();
        config.max_concurrent_streams = at_once;
        config.initial_max_send_streams = at_once;
        Self {
            client: Connection::client(config.clone()).expect("a connection"),
            server: Connection::server(config).expect("a connection"),
            requests: Transport::new(),
            responses: Transport::new(),
            heads,
            received: vec![Received::default(); at_once as usize],
        }
    }

    /// Runs a number of rounds, making all requests of a round at once.
    pub(crate) fn run(&mut self, rounds: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..rounds {
            self.round();
        }
        start.elapsed()
    }

    fn round(&mut self) {
        let mut first = None;
        for number in 0..self.received.len() {
            let head = self.heads.request(number);
            let id = self.client.open(head, true).expect("a stream");
            first.get_or_insert(id);
        }
        let first = first.expect("a request");
        let mut completed = 0;
        while completed < self.received.len() {
            self.requests.carry(&mut self.client, &mut self.server);
            self.serve();
            self.responses.carry(&mut self.server, &mut self.client);
            completed += self.receive(first);
        }
        for response in &mut self.received {
            let Received { status, content } = core::mem::take(response);
            messages::check_response(status, content);
        }
    }

    /// Server: answers the requests that have arrived.
    fn serve(&mut self) {
        while let Some(event) = self.server.poll_event() {
            let Event::Request { id, head, .. } = event else { continue };
            self.heads.check_request(head);
            self.server.send_response(id, self.heads.response(), false).expect("a response");
            let taken = self.server.send_data(id, &mut CONTENT.clone(), true).expect("content");
            assert_eq!(taken, CONTENT.len(), "the send buffer has room");
            self.server.release(id);
        }
    }

    /// Client: reads the responses that have arrived, and returns how many this completes.
    fn receive(&mut self, first: StreamId) -> usize {
        // A client's streams have odd identifiers.
        let place = |id: StreamId| (id.as_u32() - first.as_u32()) as usize / 2;
        let mut completed = 0;
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Response { id, head, .. } => {
                    self.received[place(id)].status = self.heads.status(head);
                }
                Event::Readable { id } => completed += usize::from(self.read(id, place(id))),
                _ => {}
            }
        }
        completed
    }

    /// Reads the available content of a response; returns whether the response is complete.
    fn read(&mut self, id: StreamId, place: usize) -> bool {
        loop {
            match self.client.read(id, usize::MAX).expect("content") {
                Read::Data(content) => self.received[place].content += content.len(),
                Read::Trailers(_) => {}
                Read::Blocked => return false,
                Read::End => {
                    self.client.release(id);
                    return true;
                }
            }
        }
    }
}

impl Transport {
    fn new() -> Self {
        Self { opened: Instant::now(), output: Vec::new(), input: Bytes::new() }
    }

    /// Does the work of a socket: copies the output into the receiver's buffer.
    fn carry(&mut self, from: &mut Connection, to: &mut Connection) {
        let now = Time::default() + self.opened.elapsed();
        if self.input.is_empty() {
            self.output.clear();
            from.poll_transmit(now, &mut self.output, TRANSPORT);
            self.input = Bytes::copy_from_slice(&self.output);
        }
        // The next call offers the rest.
        _ = to.recv(now, &mut self.input);
    }
}
