//! The event loop: one `poll` over the listener, all connections, and the nearest deadline.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use wasi::cli::stdin::{InputStream, get_stdin};
use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::http2::engine::tcp::Listener;
use crate::bindings::http2::engine::transport::TransportError;
use crate::connection::{Connection, Next, Ready};
use crate::options::Options;

/// How long accepting pauses after the listener has failed, in nanoseconds.
const ACCEPT_PAUSE: u64 = 1_000_000_000;

/// The server: its listener and its connections.
pub(crate) struct Server {
    /// `None` once the server drains.
    listener: Option<Listening>,
    stdin: Option<Stdin>,
    connections: BTreeMap<u64, Connection>,
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
            let ready = self.wait();
            let now = monotonic_clock::now();
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
                        self.turn(key, now);
                    }
                    Source::Listener => self.accept(now),
                    Source::Stdin => self.read_stdin(now),
                    // The turn reads pending input first, so overdue input may prevent the timeout.
                    Source::Deadline => {
                        for key in self.overdue(now) {
                            self.turn(key, now);
                        }
                    }
                }
            }
            while let Some(key) = self.unfinished.pop_front() {
                self.turn(key, now);
                if monotonic_clock::now() > now.saturating_add(SLICE) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Waits for work, and returns its sources.
    fn wait(&mut self) -> Vec<Source> {
        let full = self.connections.len() >= self.max_connections;
        if full && !self.full {
            eprintln!(
                "echo-server: the limit of {} connections is reached; further ones wait",
                self.max_connections
            );
        }
        self.full = full;
        let mut deadline = self.connections.values().filter_map(Connection::deadline).min();
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
        let behind = (Bound::Excluded(self.first_turn), Bound::Unbounded);
        let others = self.connections.range(behind).chain(self.connections.range(..=self.first_turn));
        for (&key, connection) in others {
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

    /// Returns the connections whose deadline has passed; also resumes accepting, if its pause is over.
    fn overdue(&mut self, now: Instant) -> Vec<u64> {
        if let Some(listener) = &mut self.listener {
            listener.paused_until = listener.paused_until.filter(|&until| until > now);
        }
        let overdue = |connection: &Connection| connection.deadline().is_some_and(|deadline| deadline <= now);
        self.connections.iter().filter(|(_, connection)| overdue(connection)).map(|(&key, _)| key).collect()
    }

    /// Accepts pending connections, up to the limit.
    fn accept(&mut self, now: Instant) {
        while let Some(listener) = &mut self.listener
            && self.connections.len() < self.max_connections
        {
            match listener.socket.accept() {
                Ok(Some((io, peer))) => match Connection::start(io, peer) {
                    Ok(connection) => {
                        let key = self.accepted;
                        self.connections.insert(key, connection);
                        self.accepted += 1;
                        self.turn(key, now);
                    }
                    Err(error) => eprintln!("echo-server: starting HTTP/2: {}", error.message),
                },
                Ok(None) => return,
                Err(error) => {
                    eprintln!("echo-server: accepting a connection: {}", describe(&error));
                    listener.paused_until = Some(now.saturating_add(ACCEPT_PAUSE));
                    return;
                }
            }
        }
    }

    /// Drains at the end of standard input, and ignores its content.
    fn read_stdin(&mut self, now: Instant) {
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
            self.turn(key, now);
        }
    }

    fn turn(&mut self, key: u64, now: Instant) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        match connection.turn(now) {
            Next::Turn if !self.unfinished.contains(&key) => self.unfinished.push_back(key),
            Next::Turn | Next::Wait => {}
            Next::Drop => {
                if self.log_connections {
                    connection.log_end();
                }
                self.connections.remove(&key);
            }
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
