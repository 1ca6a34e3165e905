//! One endpoint: an engine and its application, with checks of their mutual obligations.

use std::collections::VecDeque;

use bytes::Bytes;
use http2_engine::{Connection, ErrorCode, Event, Initiator, Read, State, StreamId, Time};
use http2_simulation::wire::stream_id;
use http2_test_support::{Header, kind, number};

use crate::action::Step;
use crate::cut::{Queued, cut, frames};
use crate::scenario::{CLIENT, Scenario};
use crate::stream::{Stream, Wire};

/// The description of a fault.
pub(crate) type Fault = String;

/// The code with which applications reset streams; the engine never uses it.
pub(crate) const CODE: ErrorCode = ErrorCode(0x1234);

/// The most rounds of events and output after one step.
const PATIENCE: usize = 10_000;

/// An engine and its application.
pub(crate) struct Endpoint<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) side: usize,
    pub(crate) engine: Connection,
    pub(crate) now: Time,
    /// Frames that have arrived, and that the engine has not accepted completely.
    pub(crate) inbox: VecDeque<Bytes>,
    in_frame: bool,
    /// The output passed to the transport.
    pub(crate) output: Vec<Queued>,
    /// The number of times that each action was taken.
    pub(crate) taken: Vec<u8>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) wires: Vec<Wire>,
    /// Whether the engine refused to open a stream, so that the application waits for
    /// [`Event::StreamsAvailable`].
    pub(crate) waits_for_streams: bool,
    /// The number of unanswered PINGs.
    pub(crate) pings: usize,
    pub(crate) shut_down: bool,
    /// Whether the application lets the peer send, by leaving credit to the engine.
    pub(crate) gives_credit: bool,
    pub(crate) told_closed: bool,
    transport_closed: bool,
}

impl<'a> Endpoint<'a> {
    pub(crate) fn new(scenario: &'a Scenario, side: usize) -> Self {
        let config = scenario.configs[side].clone();
        let engine = if side == CLIENT { Connection::client(config) } else { Connection::server(config) };
        Self {
            scenario,
            side,
            engine: engine.expect("a valid configuration"),
            now: Time::from_nanos(1),
            inbox: VecDeque::new(),
            in_frame: false,
            output: Vec::new(),
            taken: vec![0; scenario.actions[side].len()],
            streams: Vec::new(),
            wires: Vec::new(),
            waits_for_streams: false,
            pings: 0,
            shut_down: false,
            gives_credit: true,
            told_closed: false,
            transport_closed: false,
        }
    }

    pub(crate) fn is_client(&self) -> bool {
        self.side == CLIENT
    }

    /// Whether the connection has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.engine.close_reason().is_some()
    }

    /// Performs a step, and everything that follows from it.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Act { entry, stream } => {
                let taken = &mut self.taken[usize::from(*entry)];
                *taken = taken.saturating_add(1);
                let (action, _) = self.scenario.actions[self.side][usize::from(*entry)];
                self.act(action, usize::from(*stream))?;
            }
            Step::Deliver(Queued::Frames(bytes)) => self.arrive(bytes),
            Step::Deliver(Queued::End) => self.engine.recv_end(self.now),
            Step::Wake(now) => {
                self.now = *now;
                self.engine.handle_timeout(*now);
                if self.engine.poll_timeout().is_some_and(|next| next <= *now) {
                    return Err("the expired deadline is still pending".to_owned());
                }
            }
        }
        self.settle()
    }

    /// Queues input for the engine, frame by frame, with the preface in the first.
    fn arrive(&mut self, bytes: &Bytes) {
        let mut rest = bytes.clone();
        let lengths: Vec<_> = frames(bytes).map(|(header, _)| 9 + header.length as usize).collect();
        let mut preface = bytes.len() - lengths.iter().sum::<usize>();
        for length in lengths {
            self.inbox.push_back(rest.split_to(length + std::mem::take(&mut preface)));
        }
    }

    /// Takes events and output, and offers input, until nothing changes, as the engine requires of its
    /// caller.
    pub(crate) fn settle(&mut self) -> Result<(), Fault> {
        for _ in 0..PATIENCE {
            let mut moved = false;
            while let Some(event) = self.engine.poll_event() {
                self.event(event)?;
                moved = true;
            }
            moved |= self.receive();
            if !self.scenario.slow_transport {
                moved |= self.transmit()?;
            }
            moved |= self.read_and_release()?;
            if !moved {
                return self.check_promises();
            }
        }
        Err("events or output never end".to_owned())
    }

    /// Offers input to the engine; returns whether the engine took some.
    fn receive(&mut self) -> bool {
        let Some(mut input) = self.inbox.pop_front() else { return false };
        let header = if self.in_frame { None } else { frames(&input).next().map(|(header, _)| header) };
        let before = header.map(|header| self.engine.state(stream_id(header)));
        let moved = self.engine.recv(self.now, &mut input) > 0;
        if moved {
            self.in_frame = !input.is_empty();
        }
        if moved && let (Some(header), Some(before)) = (header, before) {
            self.record_received(header, before);
        }
        if !input.is_empty() {
            self.inbox.push_front(input);
        }
        moved
    }

    /// Records a frame that the engine accepted; `before` is the state of its stream at that time.
    fn record_received(&mut self, header: Header, before: Option<State>) {
        let id = stream_id(header);
        let live = before.map_or(self.engine.state(id).is_some(), |state| {
            !matches!(state, State::Closed | State::Idle | State::HalfClosedRemote)
        });
        if id.is_connection() || !live {
            return;
        }
        let wire = self.wire(id);
        match header.kind {
            kind::DATA => wire.content_heard += u64::from(header.length),
            kind::RST_STREAM => wire.reset_heard = true,
            _ => {}
        }
        wire.end_heard |= header.ends_stream();
    }

    pub(crate) fn wire(&mut self, id: StreamId) -> &mut Wire {
        let at = self.wires.iter().position(|wire| wire.id == id).unwrap_or_else(|| {
            self.wires.push(Wire::new(id));
            self.wires.len() - 1
        });
        &mut self.wires[at]
    }

    /// Passes output to the transport; returns whether it had any.
    pub(crate) fn transmit(&mut self) -> Result<bool, Fault> {
        if self.engine.has_output() {
            let mut output = Vec::new();
            let written = self.engine.poll_transmit(self.now, &mut output, 1 << 20);
            if written == 0 && self.engine.has_output() {
                return Err("has_output stays true, but poll_transmit produces nothing".to_owned());
            }
            for item in cut(&output) {
                if let Queued::Frames(bytes) = &item {
                    for (header, payload) in frames(bytes) {
                        self.sent(header, payload)?;
                    }
                }
                self.output.push(item);
            }
            return Ok(true);
        }
        if self.engine.is_closed() && !self.transport_closed {
            self.transport_closed = true;
            self.output.push(Queued::End);
            return Ok(true);
        }
        Ok(false)
    }

    /// Records a frame that the engine sent; between honest endpoints, no frame may report an error.
    fn sent(&mut self, header: Header, payload: &[u8]) -> Result<(), Fault> {
        let id = stream_id(header);
        let panic_message = || header.describe(payload);
        match header.kind {
            kind::GOAWAY if number(payload, 4) != 0 => Err(format!("the engine sends {}", panic_message())),
            kind::RST_STREAM => {
                self.wire(id).reset_sent = true;
                let code = ErrorCode(number(payload, 0));
                if self.explains_reset(id, code) {
                    Ok(())
                } else {
                    Err(format!("the engine sends {}", panic_message()))
                }
            }
            kind::DATA => {
                self.wire(id).content_sent += u64::from(header.length);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the application, or a limit that it lowered, explains a reset.
    fn explains_reset(&self, id: StreamId, code: ErrorCode) -> bool {
        let stream = self.streams.iter().find(|stream| stream.id == id);
        match code {
            CODE => stream.is_some_and(|stream| stream.reset),
            ErrorCode::NO_ERROR => !self.is_client() && stream.is_some_and(|stream| stream.released),
            ErrorCode::CANCEL => stream.map_or(id.is_server_initiated(), |stream| stream.released),
            ErrorCode::REFUSED_STREAM => stream.is_none() && self.scenario.may_refuse,
            _ => false,
        }
    }

    fn event(&mut self, event: Event) -> Result<(), Fault> {
        if self.told_closed {
            return Err(format!("{event:?} follows Closed"));
        }
        match event {
            Event::Request { id, head, end_stream } => {
                let mut stream = Stream::new(id);
                (stream.answered, stream.bare) = (true, end_stream);
                stream.connect = head.method() == Some(b"CONNECT");
                self.add(stream)?;
            }
            Event::Push { id, .. } => {
                let mut stream = Stream::new(id);
                (stream.begun, stream.ended, stream.promised) = (true, true, true);
                self.add(stream)?;
            }
            Event::Response { id, end_stream, .. } => {
                let stream = self.known(id)?;
                stream.answered = true;
                stream.bare = end_stream;
            }
            Event::Readable { id } => {
                let stream = self.known(id)?;
                (stream.woken, stream.waits_for_more) = (true, false);
            }
            Event::Writable { id } => self.known(id)?.waits_for_room = false,
            Event::Reset { id, error } => {
                let stream = self.known(id)?;
                if stream.reported.is_some() || stream.reset {
                    return Err(format!("stream {id} ends twice: {error}"));
                }
                if error.violation.is_some() || error.initiator == Initiator::Transport {
                    return Err(format!("nothing explains the end of stream {id}: {error}"));
                }
                stream.reported = Some(error);
                (stream.waits_for_more, stream.waits_for_room) = (false, false);
            }
            Event::StreamsAvailable => self.waits_for_streams = false,
            Event::Pong { .. } => self.pings = self.pings.saturating_sub(1),
            Event::Abuse { cause } => return Err(format!("the engine reports abuse: {cause}")),
            Event::Closed => self.told_closed = true,
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, stream: Stream) -> Result<(), Fault> {
        let id = stream.id;
        if self.streams.iter().any(|known| known.id == id) {
            return Err(format!("stream {id} is delivered twice"));
        }
        self.streams.push(stream);
        Ok(())
    }

    fn known(&mut self, id: StreamId) -> Result<&mut Stream, Fault> {
        let stream = self.streams.iter_mut().find(|stream| stream.id == id && !stream.released);
        stream.ok_or_else(|| format!("an event on stream {id}, which the application does not hold"))
    }

    /// Reads and releases, in scenarios where applications do so automatically.
    fn read_and_release(&mut self) -> Result<bool, Fault> {
        let mut moved = false;
        for at in 0..self.streams.len() {
            let stream = &self.streams[at];
            if self.scenario.reads && !stream.released && !stream.is_read() && !stream.waits_for_more {
                self.read(at)?;
                moved = true;
            }
            let stream = &self.streams[at];
            if self.scenario.releases && !stream.released && stream.is_done() {
                self.release(at);
                moved = true;
            }
        }
        Ok(moved)
    }

    /// Reads until nothing is left.
    pub(crate) fn read(&mut self, at: usize) -> Result<(), Fault> {
        for _ in 0..PATIENCE {
            let id = self.streams[at].id;
            let result = self.engine.read(id, usize::MAX);
            let (record_received, ended) = (self.wire(id).content_heard, self.wire(id).end_heard);
            let stream = &mut self.streams[at];
            match result {
                Ok(Read::Data(data)) => {
                    let expected = (stream.read..).take(data.len()).map(content_byte);
                    if !data.iter().copied().eq(expected) {
                        return Err(format!("content of stream {id} differs from the content sent"));
                    }
                    stream.read += data.len() as u64;
                }
                Ok(Read::Trailers(_)) => {}
                Ok(Read::End) => {
                    stream.got_end = true;
                    let whole = ended && stream.read == record_received;
                    return if whole { Ok(()) } else { Err(format!("stream {id} ends too early")) };
                }
                Ok(Read::Blocked) => {
                    stream.waits_for_more = true;
                    return Ok(());
                }
                Err(_) => {
                    stream.broken = true;
                    let over = stream.has_ended() || self.engine.close_reason().is_some();
                    return if over {
                        Ok(())
                    } else {
                        Err(format!("reading stream {id} fails, but no event reported a reset"))
                    };
                }
            }
        }
        Err("reading never ends".to_owned())
    }

    pub(crate) fn release(&mut self, at: usize) {
        let stream = &mut self.streams[at];
        stream.released = true;
        (stream.waits_for_more, stream.waits_for_room) = (false, false);
        self.engine.release(stream.id);
    }
}

/// The content of every message, by position.
pub(crate) fn content_byte(at: u64) -> u8 {
    u8::try_from(at % 251).expect("below 251")
}
