//! The event loop: one `poll` over the listener, all connections, and the nearest deadline.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wasi::cli::stdin::{InputStream, get_stdin};
use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::http2::engine::tcp::Listener;
use crate::bindings::http2::engine::transport::TransportError;
use crate::connection::{Connection, Next, Ready};
use crate::options::Options;
use crate::rounds::{self, Rounds};

/// How long accepting pauses after the listener has failed, in nanoseconds.
const ACCEPT_PAUSE: u64 = 1_000_000_000;

/// The server: its listener and its connections.
pub(crate) struct Server {
    /// `None` once the server drains.
    listener: Option<Listening>,
    stdin: Option<Stdin>,
    connections: BTreeMap<u64, Connection>,
    /// The deadlines of connections, in order.
    deadlines: BTreeSet<(Instant, u64)>,
    /// Which connections to poll.
    rounds: Rounds,
    /// Connections that have work left without waiting, in the order of their next turns.
    unfinished: VecDeque<u64>,
    accepted: u64,
    /// The connection that had the first turn: the next round starts behind it, since one connection may use up all the
    /// input and output that the host permits in one round.
    first_turn: u64,
    max_connections: usize,
    log_connections: bool,
    full: bool,
}

/// The listener and its pollable.
struct Listening {
    ready: Pollable,
    paused_until: Option<Instant>,
    socket: Listener,
}

/// Standard input, whose end starts the drain.
struct Stdin {
    ready: Pollable,
    stream: InputStream,
}

/// The source that a pollable belongs to.
#[derive(Clone, Copy)]
enum Source {
    Listener,
    Stdin,
    Connection(u64, Ready),
    Deadline,
}

/// The number of ready connections up to which their turns follow without waiting for each again.
///
/// A host that shares its thread fairly limits how often a guest finds input and output ready before it waits
/// (Wasmtime's Tokio: 128 times). From then on, the host reports everything as not ready until the guest waits. If
/// `poll` alone used up that budget, the guest would loop forever: `poll` reports ready connections, but reads return
/// nothing. Waiting for a ready connection costs next to nothing, and renews the budget.
const TURNS_WITHOUT_WAITING: usize = 16;

/// How long connections with work left continue before the server polls again, in nanoseconds.
///
/// This bounds how long a connection with little work waits for those with much, however many these are.
const SLICE: u64 = 1_000_000;

impl Server {
    /// Listens, and prints the address to standard output.
    pub(crate) fn listen(options: &Options) -> Result<Self, String> {
        let socket = Listener::listen(&options.address)
            .map_err(|error| format!("listening on {}: {}", options.address, describe(&error)))?;
        println!("listening on http://{}", socket.local_address());
        let stdin = options.drain_on_stdin_eof.then(|| {
            let stream = get_stdin();
            Stdin { ready: stream.subscribe(), stream }
        });
        Ok(Self {
            listener: Some(Listening { ready: socket.subscribe(), paused_until: None, socket }),
            stdin,
            connections: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            rounds: Rounds::default(),
            unfinished: VecDeque::new(),
            accepted: 0,
            first_turn: 0,
            max_connections: options.max_connections.max(1),
            log_connections: options.log_connections,
            full: false,
        })
    }

    /// Serves until standard input has ended (if that starts the drain) and all connections have ended.
    pub(crate) fn run(mut self) -> Result<(), String> {
        while self.listener.is_some() || !self.connections.is_empty() {
            let polls_all =
                self.connections.len() <= rounds::FEW || self.rounds.end() <= monotonic_clock::now();
            let ready = self.wait(polls_all);
            if polls_all && self.connections.len() > rounds::FEW && ready.len() < rounds::CROWD {
                self.rounds.start(monotonic_clock::now(), self.connections.len());
            }
            let wait_again = ready.len() > TURNS_WITHOUT_WAITING;
            let mut had_turn = None;
            for source in ready {
                match source {
                    // One turn serves both pollables; after it, the other may no longer be ready.
                    Source::Connection(key, _) if had_turn == Some(key) => {}
                    // Connections with less work come first.
                    Source::Connection(key, _) if self.unfinished.contains(&key) => {}
                    Source::Connection(key, ready) => {
                        if had_turn.replace(key).is_none() {
                            self.first_turn = key;
                        }
                        if wait_again && let Some(connection) = self.connections.get(&key) {
                            connection.wait(ready);
                        }
                        self.turn(key);
                    }
                    Source::Listener => self.accept(),
                    Source::Stdin => self.read_stdin(),
                    // The turn reads pending input first, so overdue input may prevent the timeout.
                    Source::Deadline => {
                        for key in self.overdue() {
                            self.turn(key);
                        }
                    }
                }
            }
            self.work_on();
        }
        Ok(())
    }

    /// Lets connections with work left continue for a [`SLICE`].
    fn work_on(&mut self) {
        if self.unfinished.is_empty() {
            return;
        }
        let end = monotonic_clock::now().saturating_add(SLICE);
        while let Some(key) = self.unfinished.pop_front() {
            self.turn(key);
            if monotonic_clock::now() > end {
                break;
            }
        }
    }

    /// Waits for work of all connections, or of the busy ones alone, and returns its sources.
    fn wait(&mut self, polls_all: bool) -> Vec<Source> {
        let full = self.connections.len() >= self.max_connections;
        if full && !self.full {
            eprintln!(
                "echo-server: the limit of {} connections is reached; further ones wait",
                self.max_connections
            );
        }
        self.full = full;
        let mut deadline = self.deadlines.first().map(|&(deadline, _)| deadline);
        if !polls_all {
            deadline = Some(self.rounds.end().min(deadline.unwrap_or(Instant::MAX)));
        }
        let listener = self.listener.as_ref().filter(|_| !full);
        if let Some(until) = listener.and_then(|listener| listener.paused_until) {
            deadline = Some(deadline.map_or(until, |deadline| deadline.min(until)));
        }
        if !self.unfinished.is_empty() {
            deadline = Some(0);
        }
        let timer = deadline.map(monotonic_clock::subscribe_instant);
        let mut pollables = Vec::new();
        let mut sources = Vec::new();
        if let Some(timer) = &timer {
            pollables.push(timer);
            sources.push(Source::Deadline);
        }
        if let Some(listener) = listener.filter(|listener| listener.paused_until.is_none()) {
            pollables.push(&listener.ready);
            sources.push(Source::Listener);
        }
        if let Some(stdin) = &self.stdin {
            pollables.push(&stdin.ready);
            sources.push(Source::Stdin);
        }
        for (key, connection) in self.polled(polls_all) {
            for (ready, pollable) in connection.pollables() {
                pollables.push(pollable);
                sources.push(Source::Connection(key, ready));
            }
        }
        // The host reports the ready pollables in any order.
        let mut ready = poll(&pollables);
        ready.sort_unstable();
        ready.into_iter().filter_map(|index| sources.get(index as usize).copied()).collect()
    }

    /// Returns all connections, or the busy ones, in the order of their turns.
    fn polled(&self, all: bool) -> Vec<(u64, &Connection)> {
        let keys: Vec<u64> =
            if all { self.connections.keys().copied().collect() } else { self.rounds.busy().collect() };
        let (first, later) = keys.split_at(keys.partition_point(|&key| key <= self.first_turn));
        let in_order = later.iter().chain(first);
        in_order.filter_map(|&key| Some((key, self.connections.get(&key)?))).collect()
    }

    /// Returns the connections whose deadline has passed; also resumes accepting, if its pause is over.
    fn overdue(&mut self) -> Vec<u64> {
        let now = monotonic_clock::now();
        if let Some(listener) = &mut self.listener {
            listener.paused_until = listener.paused_until.filter(|&until| until > now);
        }
        self.deadlines.range(..=(now, u64::MAX)).map(|&(_, key)| key).collect()
    }

    /// Accepts pending connections, up to the limit.
    fn accept(&mut self) {
        while let Some(listener) = &mut self.listener
            && self.connections.len() < self.max_connections
        {
            match listener.socket.accept() {
                Ok(Some((io, peer))) => match Connection::start(io, peer) {
                    Ok(connection) => {
                        let key = self.accepted;
                        self.connections.insert(key, connection);
                        self.accepted += 1;
                        self.turn(key);
                    }
                    Err(error) => eprintln!("echo-server: starting HTTP/2: {}", error.message),
                },
                Ok(None) => return,
                Err(error) => {
                    eprintln!("echo-server: accepting a connection: {}", describe(&error));
                    listener.paused_until = Some(monotonic_clock::now().saturating_add(ACCEPT_PAUSE));
                    return;
                }
            }
        }
    }

    /// Drains at the end of standard input, and ignores its content.
    fn read_stdin(&mut self) {
        let Some(stdin) = &self.stdin else { return };
        if stdin.stream.read(4096).is_ok() {
            return;
        }
        self.stdin = None;
        self.listener = None;
        for key in Vec::from_iter(self.connections.keys().copied()) {
            if let Some(connection) = self.connections.get(&key) {
                connection.shutdown();
            }
            self.turn(key);
        }
    }

    fn turn(&mut self, key: u64) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if let Some(deadline) = connection.deadline() {
            self.deadlines.remove(&(deadline, key));
        }
        match connection.turn() {
            Next::Turn if !self.unfinished.contains(&key) => self.unfinished.push_back(key),
            Next::Turn | Next::Wait => {}
            Next::Drop => {
                if self.log_connections {
                    connection.log_end();
                }
                self.connections.remove(&key);
                return;
            }
        }
        if let Some(deadline) = connection.deadline() {
            self.deadlines.insert((deadline, key));
        }
        if self.connections.len() > rounds::FEW {
            self.rounds.had_turn(key);
        }
    }
}

/// Describes a transport error.
fn describe(error: &TransportError) -> String {
    match error {
        TransportError::Closed => "closed".to_owned(),
        TransportError::ConnectionReset => "connection reset".to_owned(),
        TransportError::ConnectionRefused => "connection refused".to_owned(),
        TransportError::Timeout => "timed out".to_owned(),
        TransportError::NameUnresolvable(words)
        | TransportError::AddressUnusable(words)
        | TransportError::Other(words) => words.clone(),
    }
}
