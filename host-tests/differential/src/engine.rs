//! The engine of this project, as an endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http2_engine::{
    Config, Connection, ErrorCode, Event, FieldSection, OpenError, Read, Role, SendError, SettingId,
    StreamId, Time,
};

use crate::endpoint::{Change, Endpoint, Refused, Start};
use crate::message::{Delivery, Fields};

/// The engine, with a caller that acts on events only: a missing event shows as a conversation that does not
/// end.
pub struct Engine {
    connection: Connection,
    now: Time,
    /// Bytes that the connection has not accepted.
    input: Bytes,
    streams: BTreeMap<u32, Stream>,
    may_open: bool,
    deliveries: Vec<(u32, Delivery)>,
    pongs: usize,
}

/// A stream that is not released yet.
#[derive(Default)]
struct Stream {
    readable: bool,
    /// The send buffer was full, and no [`Event::Writable`] has arrived since.
    full: bool,
    /// Everything was read, or the endpoint said that no more will arrive.
    read: bool,
    /// Everything was accepted for sending, or is no longer wanted.
    sent: bool,
    /// The code with which the peer reset the stream.
    reset: Option<u32>,
}

impl Engine {
    /// Creates a connection.
    ///
    /// # Panics
    ///
    /// Panics if the configuration is invalid.
    pub fn new(start: &Start) -> Self {
        let mut config = Config::default();
        config.initial_window_size = start.initial_window_size;
        config.max_frame_size = start.max_frame_size;
        config.header_table_size = start.header_table_size;
        config.max_concurrent_streams = start.max_concurrent_streams;
        config.connection_window = start.connection_window;
        // This limit applies to all informational responses of a stream together.
        config.max_header_list_size = 64 << 10;
        config.send_buffer = 50 + (start.seed % 20_000) as usize;
        config.waiting_streams = (start.seed >> 32) as usize % 4;
        // A peer that acts at random scores high.
        config.limits.abuse = 1 << 30;
        let connection = match start.role {
            Role::Client => Connection::client(config),
            Role::Server => Connection::server(config),
        };
        Self {
            connection: connection.expect("a valid configuration"),
            now: Time::from_nanos(1),
            input: Bytes::new(),
            streams: BTreeMap::new(),
            may_open: true,
            deliveries: Vec::new(),
            pongs: 0,
        }
    }

    /// Passes on input, and takes events, until nothing changes.
    fn run(&mut self) {
        self.now = self.now + Duration::from_micros(10);
        self.connection.handle_timeout(self.now);
        loop {
            let mut moved = self.connection.recv(self.now, &mut self.input) > 0;
            while let Some(event) = self.connection.poll_event() {
                moved = true;
                self.event(event);
            }
            if !moved {
                break;
            }
        }
        self.release_finished_streams();
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Request { id, head, end_stream } | Event::Response { id, head, end_stream } => {
                let stream = self.streams.entry(id.as_u32()).or_default();
                self.deliveries.push((id.as_u32(), Delivery::Head(from_section(&head))));
                if end_stream {
                    stream.read = true;
                    self.deliveries.push((id.as_u32(), Delivery::End));
                }
            }
            Event::Informational { id, head } => {
                self.deliveries.push((id.as_u32(), Delivery::Informational(from_section(&head))));
            }
            Event::Readable { id } => self.stream(id, |stream| stream.readable = true),
            Event::Writable { id } => self.stream(id, |stream| stream.full = false),
            Event::Reset { id, error } => {
                self.stream(id, |stream| {
                    stream.reset = Some(error.code.0);
                    stream.sent = true;
                    // The caller must first read the content that arrived before.
                    stream.readable = true;
                });
                if self.streams.get(&id.as_u32()).is_some_and(|stream| stream.read) {
                    self.deliveries.push((id.as_u32(), Delivery::Reset(error.code.0)));
                }
            }
            // A caller that waits for room learns from GOAWAY that none will come.
            Event::StreamsAvailable | Event::GoAway => self.may_open = true,
            Event::Pong { .. } => self.pongs += 1,
            _ => {}
        }
    }

    fn stream(&mut self, id: StreamId, change: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.streams.get_mut(&id.as_u32()) {
            change(stream);
        }
    }

    fn release_finished_streams(&mut self) {
        let connection = &mut self.connection;
        self.streams.retain(|&id, stream| {
            let done = stream.read && stream.sent;
            if done {
                connection.release(stream_id(id));
            }
            !done
        });
    }

    /// Evaluates the result of a sending operation.
    fn sent<T>(&mut self, stream: u32, result: Result<T, SendError>, end: bool) -> Result<T, Refused> {
        match result {
            Ok(taken) => {
                self.stream(stream_id(stream), |stream| stream.sent |= end);
                self.run();
                Ok(taken)
            }
            Err(SendError::WouldBlock) => Err(Refused::NotNow),
            Err(SendError::Reset(_) | SendError::UnknownStream) => Err(Refused::Gone),
            Err(error) => panic!("stream {stream}: {error}"),
        }
    }
}

impl Endpoint for Engine {
    fn receive(&mut self, octets: &[u8]) {
        self.input = [&self.input, octets].concat().into();
        self.run();
    }

    fn transmit(&mut self, max: usize, out: &mut Vec<u8>) {
        self.connection.poll_transmit(self.now, out, max);
        self.run();
    }

    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused> {
        if !self.may_open {
            return Err(Refused::NotNow);
        }
        match self.connection.open(&to_section(head), end_stream) {
            Ok(id) => {
                self.streams.insert(id.as_u32(), Stream { sent: end_stream, ..Stream::default() });
                self.run();
                Ok(id.as_u32())
            }
            Err(OpenError::WouldBlock) => {
                self.may_open = false;
                Err(Refused::NotNow)
            }
            Err(OpenError::Closed) => Err(Refused::Gone),
            Err(error) => panic!("{error}"),
        }
    }

    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused> {
        let result = self.connection.send_informational(stream_id(stream), &to_section(head));
        self.sent(stream, result, false)
    }

    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused> {
        let result = self.connection.send_response(stream_id(stream), &to_section(head), end_stream);
        self.sent(stream, result, end_stream)
    }

    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused> {
        if self.streams.get(&stream).is_some_and(|stream| stream.full) {
            return Err(Refused::NotNow);
        }
        let mut left = Bytes::copy_from_slice(content);
        let result = self.connection.send_data(stream_id(stream), &mut left, end_stream);
        let full = !left.is_empty();
        self.stream(stream_id(stream), |stream| stream.full = full);
        self.sent(stream, result, end_stream && !full)
    }

    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused> {
        let result = self.connection.send_trailers(stream_id(stream), &to_section(trailers));
        self.sent(stream, result, true)
    }

    fn reset(&mut self, stream: u32, code: u32) {
        self.connection.reset(stream_id(stream), ErrorCode(code));
        self.connection.release(stream_id(stream));
        self.streams.remove(&stream);
        self.run();
    }

    fn read(&mut self, id: u32, max: usize) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.readable || stream.read {
            return;
        }
        match self.connection.read(stream_id(id), max) {
            Ok(Read::Data(content)) => self.deliveries.push((id, Delivery::Content(content.to_vec()))),
            Ok(Read::Trailers(trailers)) => {
                self.deliveries.push((id, Delivery::Trailers(from_section(&trailers))));
            }
            Ok(Read::Blocked) => stream.readable = false,
            ended @ (Ok(Read::End) | Err(_)) => {
                stream.read = true;
                if ended.is_ok() {
                    self.deliveries.push((id, Delivery::End));
                }
                if let Some(code) = stream.reset {
                    self.deliveries.push((id, Delivery::Reset(code)));
                }
            }
        }
        self.run();
    }

    fn change(&mut self, change: Change) -> Result<(), Refused> {
        let setting = match change {
            Change::HeaderTableSize(octets) => (SettingId::HEADER_TABLE_SIZE, octets),
            Change::MaxConcurrentStreams(streams) => (SettingId::MAX_CONCURRENT_STREAMS, streams),
            Change::InitialWindowSize(octets) => (SettingId::INITIAL_WINDOW_SIZE, octets),
            Change::MaxFrameSize(octets) => (SettingId::MAX_FRAME_SIZE, octets),
        };
        self.connection.change_settings(&[setting]).map_err(|_| Refused::NotNow)?;
        self.run();
        Ok(())
    }

    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused> {
        let result = match stream {
            0 => self.connection.connection_window_update(octets),
            _ => self.connection.window_update(stream_id(stream), octets),
        };
        self.run();
        result.map_err(|_| Refused::Gone)
    }

    fn ping(&mut self) -> Result<(), Refused> {
        self.connection.ping(*b"question").map_err(|_| Refused::NotNow)?;
        self.run();
        Ok(())
    }

    fn pongs(&self) -> usize {
        self.pongs
    }

    fn shut_down(&mut self) -> Result<(), Refused> {
        self.connection.shutdown(self.now);
        self.may_open = true;
        self.run();
        Ok(())
    }

    fn deliveries(&mut self) -> Vec<(u32, Delivery)> {
        std::mem::take(&mut self.deliveries)
    }

    fn failure(&self) -> Option<String> {
        match self.connection.close_reason() {
            Some(Err(error)) => Some(error.to_string()),
            _ => None,
        }
    }
}

fn stream_id(stream: u32) -> StreamId {
    StreamId::new(stream).expect("a stream id has 31 bits")
}

fn to_section(fields: &Fields) -> FieldSection {
    fields.iter().collect()
}

fn from_section(section: &FieldSection) -> Fields {
    section.iter().map(|field| (field.name, field.value)).collect()
}
