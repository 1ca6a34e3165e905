//! The event loop, which waits for the listener, all connections, and the nearest deadline.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use wasi::cli::stdin::{InputStream, get_stdin};
use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::Pollable;
use wasi_poll_set::PollSet;

use crate::bindings::http2::engine::tcp::Listener;
use crate::bindings::http2::engine::transport::TransportError;
use crate::connection::{Connection, Next, Ready};
use crate::options::Options;

/// How long accepting pauses after the listener has failed, in nanoseconds.
const ACCEPT_PAUSE: u64 = 1_000_000_000;

/// The server: its listener and its connections.
///
/// The pollables are declared before their sources, and so are dropped first.
pub(crate) struct Server {
    waiting: PollSet<Source, Rc<Pollable>>,
    /// `None` once the server drains.
    listener: Option<Listening>,
    stdin: Option<InputStream>,
    connections: BTreeMap<u64, Connection>,
    /// The deadlines of connections.
    deadlines: BTreeSet<(Instant, u64)>,
    /// Connections that have work left without waiting, in the order of their next turns.
    unfinished: VecDeque<u64>,
    accepted: u64,
    max_connections: usize,
    log_connections: bool,
}

/// The listener and its pollable.
struct Listening {
    ready: Rc<Pollable>,
    paused_until: Option<Instant>,
    socket: Listener,
}

/// The source that a pollable belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Listener,
    Stdin,
    Connection(u64, Ready),
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
        let mut waiting = PollSet::new();
        let stdin = options.drain_on_stdin_eof.then(get_stdin);
        if let Some(stdin) = &stdin {
            waiting.insert(Source::Stdin, Rc::new(stdin.subscribe()));
        }
        let ready = Rc::new(socket.subscribe());
        waiting.insert(Source::Listener, Rc::clone(&ready));
        Ok(Self {
            waiting,
            listener: Some(Listening { ready, paused_until: None, socket }),
            stdin,
            connections: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            unfinished: VecDeque::new(),
            accepted: 0,
            max_connections: options.max_connections.max(1),
            log_connections: options.log_connections,
        })
    }

    /// Serves until standard input has ended (if that starts the drain) and all connections have ended.
    pub(crate) fn run(mut self) -> Result<(), String> {
        while self.listener.is_some() || !self.connections.is_empty() {
            let ready = self.waiting.wait(self.deadline());
            let now = monotonic_clock::now();
            let wait_again = ready.len() > TURNS_WITHOUT_WAITING;
            let mut had_turn = BTreeSet::new();
            for source in ready {
                match source {
                    // One turn serves both pollables; after it, the other may no longer be ready.
                    Source::Connection(key, _) if !had_turn.insert(key) => {}
                    // Connections with less work come first.
                    Source::Connection(key, _) if self.unfinished.contains(&key) => {}
                    Source::Connection(key, _) => {
                        if wait_again && let Some(pollable) = self.waiting.get(&source) {
                            pollable.block();
                        }
                        self.turn(key, now);
                    }
                    Source::Listener => self.accept(now),
                    Source::Stdin => self.read_stdin(),
                }
            }
            // The turn reads pending input first, so overdue input may prevent the timeout.
            for key in self.overdue(now) {
                self.turn(key, now);
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

    /// Returns when the server has work even if no pollable is ready.
    fn deadline(&self) -> Option<Instant> {
        if !self.unfinished.is_empty() {
            return Some(0);
        }
        let of_listener = self.listener.as_ref().and_then(|listener| listener.paused_until);
        let of_connections = self.deadlines.first().map(|(deadline, _)| *deadline);
        of_listener.into_iter().chain(of_connections).min()
    }

    /// Returns the connections whose deadline has passed; also resumes accepting, if its pause is over.
    fn overdue(&mut self, now: Instant) -> Vec<u64> {
        if let Some(listener) = &mut self.listener
            && listener.paused_until.is_some_and(|until| until <= now)
        {
            listener.paused_until = None;
            self.waiting.insert(Source::Listener, Rc::clone(&listener.ready));
        }
        self.deadlines.range(..=(now, u64::MAX)).map(|(_, key)| *key).collect()
    }

    /// Accepts pending connections, up to the limit.
    fn accept(&mut self, now: Instant) {
        while let Some(listener) = &mut self.listener {
            if self.connections.len() >= self.max_connections {
                let max = self.max_connections;
                eprintln!("echo-server: the limit of {max} connections is reached; further ones wait");
                self.waiting.remove(&Source::Listener);
                return;
            }
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
                    self.waiting.remove(&Source::Listener);
                    return;
                }
            }
        }
    }

    /// Drains at the end of standard input, and ignores its content.
    fn read_stdin(&mut self) {
        if self.stdin.as_ref().is_none_or(|stdin| stdin.read(4096).is_ok()) {
            return;
        }
        self.waiting.remove(&Source::Stdin);
        self.stdin = None;
        self.waiting.remove(&Source::Listener);
        self.listener = None;
        // Their turns follow those of ready connections, which wait for the input that made them ready.
        for (&key, connection) in &self.connections {
            connection.shutdown();
            if !self.unfinished.contains(&key) {
                self.unfinished.push_back(key);
            }
        }
    }

    /// Gives a connection a turn, and waits for it afterwards.
    fn turn(&mut self, key: u64, now: Instant) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let deadline = connection.deadline();
        let next = connection.turn(now);
        if connection.deadline() != deadline {
            deadline.map(|deadline| self.deadlines.remove(&(deadline, key)));
            self.deadlines.extend(connection.deadline().map(|deadline| (deadline, key)));
        }
        for (ready, pollable) in connection.pollables() {
            let source = Source::Connection(key, ready);
            match pollable {
                Some(pollable) => self.waiting.insert(source, Rc::clone(pollable)),
                None => self.waiting.remove(&source),
            };
        }
        match next {
            Next::Turn if !self.unfinished.contains(&key) => self.unfinished.push_back(key),
            Next::Turn | Next::Wait => {}
            Next::Drop => self.drop(key),
        }
    }

    /// Drops a connection that is over, and resumes accepting if their number was at its limit.
    fn drop(&mut self, key: u64) {
        let Some(connection) = self.connections.remove(&key) else { return };
        if self.log_connections {
            connection.log_end();
        }
        for ready in [Ready::Read, Ready::Write] {
            self.waiting.remove(&Source::Connection(key, ready));
        }
        connection.deadline().map(|deadline| self.deadlines.remove(&(deadline, key)));
        if let Some(listener) = self.listener.as_ref().filter(|listener| listener.paused_until.is_none()) {
            self.waiting.insert(Source::Listener, Rc::clone(&listener.ready));
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
