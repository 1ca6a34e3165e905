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

/// How long no connection is taken after the listener has failed, in nanoseconds.
const ACCEPT_PAUSE: u64 = 1_000_000_000;

/// All there is to serve.
pub(crate) struct Server {
    /// None once the server drains.
    listener: Option<Listening>,
    stdin: Option<Stdin>,
    connections: BTreeMap<u64, Connection>,
    /// Connections that have work left although nothing has to be waited for, whose turn is next first.
    unfinished: VecDeque<u64>,
    accepted: u64,
    /// The connection that had the first turn: next time, those behind it come first. What the host gives in one go may
    /// be used up by the first alone.
    first_turn: u64,
    max_connections: usize,
    log_connections: bool,
    full: bool,
}

/// The listener, with what tells that somebody has connected.
struct Listening {
    ready: Pollable,
    paused_until: Option<Instant>,
    socket: Listener,
}

/// Standard input, whose end is the sign to finish.
struct Stdin {
    ready: Pollable,
    stream: InputStream,
}

/// What a pollable stands for.
#[derive(Clone, Copy)]
enum Source {
    Listener,
    Stdin,
    Connection(u64, Ready),
    Deadline,
}

/// Connections that get their turn without the host being asked again whether they are ready.
///
/// A host that shares its thread fairly lets a guest have only so much ready input and output in one go (Wasmtime's
/// Tokio: 128 times), and then says of everything that it is not ready, until the guest waits. If `poll` alone uses
/// that up, the guest would go round for ever: told that much is ready, and given none of it. Waiting for what is
/// ready anyway costs next to nothing, and gives the host the occasion to begin anew.
const TURNS_IN_ONE_GO: usize = 16;

/// How long connections that a turn was not enough for go on, before others are looked for, in nanoseconds: so long does
/// one that has little to do wait for those that have much, however many they are.
const SLICE: u64 = 1_000_000;

impl Server {
    /// Listens, and says where on standard output.
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

    /// Serves until standard input has ended, if that is the sign to finish, and all connections with it.
    pub(crate) fn run(mut self) -> Result<(), String> {
        while self.listener.is_some() || !self.connections.is_empty() {
            let ready = self.wait();
            let now = monotonic_clock::now();
            let wait_again = ready.len() > TURNS_IN_ONE_GO;
            let mut had_turn = None;
            for source in ready {
                match source {
                    // Ready for both is still one turn: afterwards it is perhaps not ready for the other.
                    Source::Connection(key, _) if had_turn == Some(key) => {}
                    // Those that have less to do come first.
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
                    // Now that the host gives what there is: perhaps what is overdue has come.
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

    /// Waits until there is something to do, and says what.
    fn wait(&mut self) -> Vec<Source> {
        let full = self.connections.len() >= self.max_connections;
        if full && !self.full {
            eprintln!(
                "echo-server: {} connections are open: others wait until one ends",
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
        // The host says which are ready in any order.
        let mut ready = poll(&pollables);
        ready.sort_unstable();
        ready.into_iter().filter_map(|index| sources.get(index as usize).copied()).collect()
    }

    /// The connections whose deadline has come. The listener may be tried again, if it was its time too.
    fn overdue(&mut self, now: Instant) -> Vec<u64> {
        if let Some(listener) = &mut self.listener {
            listener.paused_until = listener.paused_until.filter(|&until| until > now);
        }
        let overdue = |connection: &Connection| connection.deadline().is_some_and(|deadline| deadline <= now);
        self.connections.iter().filter(|(_, connection)| overdue(connection)).map(|(&key, _)| key).collect()
    }

    /// Takes the connections that wait, up to the limit.
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
                    eprintln!("echo-server: taking a connection: {}", describe(&error));
                    listener.paused_until = Some(now.saturating_add(ACCEPT_PAUSE));
                    return;
                }
            }
        }
    }

    /// Drains at the end of standard input; what stands in it before is of no interest.
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

/// A transport error in words.
fn describe(error: &TransportError) -> String {
    match error {
        TransportError::Closed => "closed".to_owned(),
        TransportError::ConnectionReset => "connection reset".to_owned(),
        TransportError::ConnectionRefused => "connection refused".to_owned(),
        TransportError::Timeout => "it took too long".to_owned(),
        TransportError::NameUnresolvable(words)
        | TransportError::AddressUnusable(words)
        | TransportError::Other(words) => words.clone(),
    }
}
