//! One connection and its exchanges.

use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;

use wasi::clocks::monotonic_clock::Instant;
use wasi::io::poll::Pollable;

use crate::bindings::http2::engine::connection::{Connection as Http2, Request, Role, Turn};
use crate::bindings::http2::engine::transport::ByteStream;
use crate::bindings::http2::engine::types::{Error, ErrorKind};
use crate::exchange::{Exchange, Progress};

/// Rounds per turn. Each moves bytes and then advances the exchanges; the second sends the output of the first.
const ROUNDS: u32 = 2;

/// The abuse score at which the engine ends a connection.
const ABUSE_LIMIT: u64 = 2_000;

/// The next step of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Take another turn, without waiting.
    Turn,
    /// Wait for its pollables or its deadline.
    Wait,
    /// Drop it: it is over.
    Drop,
}

/// The pollable that a connection is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ready {
    /// Input can be read.
    Read,
    /// Output can be written.
    Write,
}

/// A connection in the event loop.
///
/// The pollables are declared before their connection, and so are dropped first.
pub(crate) struct Connection {
    peer: String,
    read_ready: Rc<Pollable>,
    write_ready: Option<Rc<Pollable>>,
    /// Whether the engine accepts no input until its output has been written.
    read_paused: bool,
    /// Whether no output waits.
    write_paused: bool,
    deadline: Option<Instant>,
    exchanges: BTreeMap<u32, Exchange>,
    failed: bool,
    http2: Http2,
}

impl Connection {
    /// Starts HTTP/2 on an accepted connection.
    pub(crate) fn start(io: ByteStream, peer: String) -> Result<Self, Error> {
        let http2 = Http2::handshake(io, Role::Server, None)?;
        Ok(Self {
            peer,
            read_ready: Rc::new(http2.subscribe_read()),
            write_ready: None,
            read_paused: false,
            write_paused: true,
            deadline: None,
            exchanges: BTreeMap::new(),
            failed: false,
            http2,
        })
    }

    /// Returns the pollables to wait for now; those that need not be waited for are `None`.
    pub(crate) fn pollables(&self) -> [(Ready, Option<&Rc<Pollable>>); 2] {
        let write_ready = self.write_ready.as_ref().filter(|_| !self.write_paused);
        [(Ready::Read, Some(&self.read_ready).filter(|_| !self.read_paused)), (Ready::Write, write_ready)]
    }

    /// Returns when the connection needs a turn even if no pollable is ready.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the connection once its exchanges are complete.
    pub(crate) fn shutdown(&self) {
        self.http2.shutdown();
    }

    /// Moves bytes and answers requests, as much as possible without waiting.
    pub(crate) fn turn(&mut self, now: Instant) -> Next {
        let mut rounds = 0;
        let (turn, mut next) = loop {
            let mut turn = self.drive();
            let (requests, changed) = (mem::take(&mut turn.requests), mem::take(&mut turn.changed));
            let worked = !requests.is_empty() || !changed.is_empty();
            for request in requests {
                self.start_exchange(request);
            }
            for id in changed {
                self.advance(id);
            }
            let worked = worked | self.advance_due(now) | self.advance_blocked();
            rounds += 1;
            if !worked {
                break (turn, Next::Wait);
            }
            if rounds == ROUNDS {
                break (turn, Next::Turn);
            }
        };
        if turn.ended {
            return Next::Drop;
        }
        // Exchanges may have queued content since.
        let has_output = turn.has_output || !self.exchanges.is_empty() && self.http2.has_output();
        self.write_paused = !has_output;
        if has_output {
            self.write_ready.get_or_insert_with(|| Rc::new(self.http2.subscribe_write()));
        }
        self.read_paused = !turn.takes_input;
        // The engine still holds input that its own output delayed, and no pollable announces that.
        if turn.moved && self.read_paused {
            next = Next::Turn;
        }
        let due = self.exchanges.values().filter_map(Exchange::due).min();
        self.deadline = turn.next_timeout.into_iter().chain(due).min();
        next
    }

    /// Logs how the connection ended, and its highest abuse score.
    pub(crate) fn log_end(&self) {
        let outcome = match self.http2.closed() {
            Some(Err(error)) => error.message,
            _ => "ok".to_owned(),
        };
        let stats = self.http2.stats();
        let counter =
            |name: &str| stats.iter().find(|(counter, _)| counter == name).map_or(0, |&(_, value)| value);
        let requests = counter("streams_accepted");
        let score = counter("abuse_score_peak");
        eprintln!(
            "connection from {} ended: {outcome}; requests {requests}, highest abuse score {score} of {ABUSE_LIMIT}",
            self.peer
        );
    }

    /// Moves bytes, and returns the requests and the changed streams; logs the first error, and ends all exchanges.
    fn drive(&mut self) -> Turn {
        self.http2.turn().unwrap_or_else(|error| {
            if !self.failed {
                self.report(&error);
            }
            self.failed = true;
            self.exchanges.clear();
            Turn {
                moved: false,
                requests: Vec::new(),
                changed: Vec::new(),
                takes_input: self.http2.takes_input(),
                has_output: self.http2.has_output(),
                next_timeout: self.http2.next_timeout(),
                ended: self.http2.closed().is_some(),
            }
        })
    }

    fn start_exchange(&mut self, request: Request) {
        match Exchange::start(request.stream, &request.head) {
            Ok(exchange) => self.advance_or_keep(request.id, exchange),
            Err(error) => self.report_unless_reset(&error),
        }
    }

    /// Advances the exchanges whose stream window may have opened.
    fn advance_blocked(&mut self) -> bool {
        let blocked = |(&id, exchange): (&u32, &Exchange)| exchange.is_blocked().then_some(id);
        let blocked: Vec<u32> = self.exchanges.iter().filter_map(blocked).collect();
        for &id in &blocked {
            self.advance(id);
        }
        blocked.iter().any(|id| self.exchanges.get(id).is_none_or(|exchange| !exchange.is_blocked()))
    }

    /// Advances the exchanges whose delay is over.
    fn advance_due(&mut self, now: Instant) -> bool {
        let due = |(&id, exchange): (&u32, &Exchange)| (exchange.due()? <= now).then_some(id);
        let due: Vec<u32> = self.exchanges.iter().filter_map(due).collect();
        for &id in &due {
            self.advance(id);
        }
        !due.is_empty()
    }

    /// Advances one exchange, and drops it once it is complete or reset by the client.
    fn advance(&mut self, id: u32) {
        if let Some(exchange) = self.exchanges.remove(&id) {
            self.advance_or_keep(id, exchange);
        }
    }

    fn advance_or_keep(&mut self, id: u32, mut exchange: Exchange) {
        match exchange.advance() {
            Ok(Progress::Waiting) => {
                self.exchanges.insert(id, exchange);
            }
            Ok(Progress::Complete) => {}
            Err(error) => self.report_unless_reset(&error),
        }
    }

    /// Logs an error unless it only means that the client has cancelled a request or closed the connection.
    fn report_unless_reset(&self, error: &Error) {
        if matches!(error.kind, ErrorKind::InvalidArgument | ErrorKind::InvalidState) {
            self.report(error);
        }
    }

    fn report(&self, error: &Error) {
        eprintln!("echo-server: {}: {}", self.peer, error.message);
    }
}
