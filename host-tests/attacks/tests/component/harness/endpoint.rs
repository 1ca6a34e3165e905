//! The component with an application, as its peer sees it: bytes in, frames out.

use std::collections::BTreeSet;
use std::time::Duration;

use http2_test_support::{Frame, PREFACE, Receiver, kind, ping, settings, settings_ack};

use super::application::{Application, Behaviour, Client, Server};
use super::instance::{Instance, Role};
use super::wire::Wire;

/// The longest pause of the endpoint before it reads more input after the end.
const DISCARD_PAUSE: Duration = Duration::from_millis(50);
/// Far more rounds than any input needs.
const ROUNDS: u32 = 100_000;

/// One side of a connection; the test plays the other.
pub(crate) struct Endpoint<A> {
    pub(crate) application: A,
    pub(crate) instance: Instance,
    wire: Wire,
    receiver: Receiver,
    received: Received,
    /// The bytes that the peer has sent.
    sent: u64,
    /// The cost at the beginning of the measurement.
    start: Cost,
    /// The cost after the last write at which the connection was still open.
    alive: Cost,
}

/// The endpoint's output since the beginning of the measurement.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) octets: u64,
    pub(crate) frames: u64,
    /// The codes of RST_STREAM.
    pub(crate) resets: BTreeSet<u32>,
    /// The codes of GOAWAY.
    pub(crate) go_aways: Vec<u32>,
    /// The status codes of responses.
    pub(crate) statuses: BTreeSet<u16>,
}

/// The result of an attack.
pub(crate) struct Outcome {
    /// The bytes that the peer has sent.
    pub(crate) sent: u64,
    pub(crate) received: Received,
    /// The growth of the memory in bytes.
    pub(crate) memory: usize,
    /// Fuel per byte received until the end of the connection.
    pub(crate) work: f64,
    /// Whether the endpoint has ended the connection.
    pub(crate) has_ended: bool,
    /// Whether it still answers.
    pub(crate) is_alive: bool,
}

/// The resources used up to a moment.
#[derive(Clone, Copy, Default)]
struct Cost {
    octets: u64,
    fuel: u64,
    memory: usize,
}

impl Endpoint<Server> {
    /// Creates a server that has received the peer's preface and SETTINGS, and the acknowledgement of its
    /// own.
    pub(crate) fn server(behaviour: Behaviour) -> Self {
        Self::server_with(&[], behaviour)
    }

    /// Like `server`, with these settings.
    pub(crate) fn server_with(options: &[(u16, u32)], behaviour: Behaviour) -> Self {
        let mut server = Self::new(Role::Server, options, Server::new(behaviour));
        server.send(&[PREFACE, &settings(&[]), &settings_ack()].concat());
        server.begin();
        server
    }

    /// Makes the application handle waiting and future requests in this way; returns the output.
    pub(crate) fn set_behaviour(&mut self, behaviour: Behaviour) -> Vec<Frame> {
        self.application.answer(behaviour, &mut self.instance);
        self.run()
    }
}

impl Endpoint<Client> {
    /// Creates a client with two requests in flight, on streams 1 and 3, that has received the peer's
    /// SETTINGS.
    pub(crate) fn client(options: &[(u16, u32)]) -> Self {
        let mut client = Self::new(Role::Client, options, Client::new());
        client.run();
        client.send(&[settings(&[]), settings_ack()].concat());
        client.begin();
        client
    }
}

impl<A: Application> Endpoint<A> {
    /// Creates an endpoint that has received nothing yet.
    pub(crate) fn new(role: Role, options: &[(u16, u32)], application: A) -> Self {
        let wire = Wire::new();
        let instance = Instance::start(role, options, wire.clone());
        let receiver = match role {
            Role::Server => Receiver::from_server(),
            Role::Client => Receiver::from_client(),
        };
        let received = Received::default();
        let (start, alive) = (Cost::default(), Cost::default());
        Self { application, instance, wire, receiver, received, sent: 0, start, alive }
    }

    /// Begins the measurement of cost and output.
    pub(crate) fn begin(&mut self) {
        self.received = Received::default();
        self.begin_cost();
    }

    /// Begins the measurement of cost, and continues that of output.
    pub(crate) fn begin_cost(&mut self) {
        self.start = self.cost();
        self.alive = self.start;
    }

    /// Ends the attack, and returns its result.
    pub(crate) fn end(mut self) -> Outcome {
        let (sent, memory) = (self.sent - self.start.octets, self.memory_growth());
        let (work, has_ended) = (self.work(), self.has_ended());
        let received = std::mem::take(&mut self.received);
        let reply = self.send(&ping(*b"anybody?"));
        let is_alive = reply.iter().any(|frame| frame.kind == kind::PING && frame.payload == b"anybody?");
        let backlog = self.backlog();
        self.sleep(DISCARD_PAUSE);
        assert!(
            is_alive || backlog == 0 || self.backlog() < backlog,
            "the endpoint does not read input after the end"
        );
        Outcome { sent, received, memory, work, has_ended, is_alive }
    }

    /// The growth of the memory in bytes.
    pub(crate) fn memory_growth(&self) -> usize {
        self.instance.memory() - self.start.memory
    }

    /// Fuel per byte received until the write that ended the connection, included; if the connection had
    /// ended before the measurement, fuel per byte of all input.
    pub(crate) fn work(&self) -> f64 {
        let end = if self.alive.octets > self.start.octets { self.alive } else { self.cost() };
        (end.fuel - self.start.fuel) as f64 / (end.octets - self.start.octets) as f64
    }

    fn cost(&self) -> Cost {
        Cost { octets: self.sent, fuel: self.instance.fuel(), memory: self.instance.memory() }
    }

    fn has_ended(&self) -> bool {
        self.wire.pipes().finished
    }

    /// Sends bytes from the peer, in larger writes the more bytes there are, and lets the endpoint work;
    /// returns its output.
    pub(crate) fn send(&mut self, octets: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for write in octets.chunks((octets.len() / 16).clamp(4 << 10, 64 << 10)) {
            let was_alive = !self.has_ended();
            self.sent += write.len() as u64;
            self.wire.pipes().input.extend(write);
            frames.extend(self.run());
            if was_alive {
                self.alive = self.cost();
            }
        }
        frames
    }

    /// Lets time pass and the endpoint work; returns its output.
    pub(crate) fn sleep(&mut self, time: Duration) -> Vec<Frame> {
        self.instance.sleep(time);
        self.run()
    }

    /// Lets the endpoint write only this many more bytes, and lets it work; returns its output.
    pub(crate) fn set_room(&mut self, octets: usize) -> Vec<Frame> {
        self.wire.pipes().room = octets;
        self.run()
    }

    /// The bytes from the peer that the endpoint has not read.
    pub(crate) fn backlog(&self) -> usize {
        self.wire.pipes().input.len()
    }

    /// Shuts the connection down; returns the output.
    pub(crate) fn shutdown(&mut self) -> Vec<Frame> {
        let (exports, store, connection) = self.instance.connection();
        exports.call_shutdown(store, connection).unwrap();
        self.run()
    }

    /// Whether driving the connection does anything.
    pub(crate) fn drive(&mut self) -> bool {
        let (exports, store, connection) = self.instance.connection();
        exports.call_drive(store, connection).unwrap().unwrap_or(false)
    }

    /// Drives the connection and lets the application work until neither does anything; returns the output.
    fn run(&mut self) -> Vec<Frame> {
        for _ in 0..ROUNDS {
            let before = self.backlog();
            let moved = self.drive();
            let worked = self.application.work(&mut self.instance);
            // A connection that has ended merely reports that again.
            if !moved && !worked && self.backlog() == before {
                return self.take();
            }
        }
        panic!("the endpoint never stops reporting work");
    }

    fn take(&mut self) -> Vec<Frame> {
        let output = std::mem::take(&mut self.wire.pipes().output);
        self.receiver.push(&output).expect("valid output");
        let next = || self.receiver.next_frame().expect("valid output");
        let frames: Vec<Frame> = std::iter::from_fn(next).collect();
        self.received.note(output.len(), &frames);
        frames
    }
}

impl Received {
    fn note(&mut self, octets: usize, frames: &[Frame]) {
        self.octets += octets as u64;
        self.frames += frames.len() as u64;
        for frame in frames {
            match frame.kind {
                kind::RST_STREAM => _ = self.resets.insert(frame.number(0)),
                kind::GOAWAY => self.go_aways.push(frame.number(4)),
                _ => {}
            }
            let status = frame.fields.first().filter(|(name, _)| name == ":status");
            self.statuses.extend(status.map(|(_, status)| status.parse::<u16>().expect("a status")));
        }
    }
}
