//! The connections, and the queue of requests for them.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use http2_engine::{FieldSection, OpenError};
use http2_wasi_http::bindings::wasi::clocks::monotonic_clock;
use http2_wasi_http::bindings::wasi::http::types::ErrorCode;
use http2_wasi_http::head::OutgoingRequestHead;
use http2_wasi_http::signal::{Signal, run_until};
use http2_wasi_http::{Connection, Stream, Tasks, error, tcp};

use crate::connect::connect;
use crate::options::Options;
use crate::target::Origin;

/// The limit of streams assumed for a server until one of its connections announces it.
const ASSUMED_STREAM_LIMIT: usize = 100;
/// Time limit of one connection attempt in nanoseconds; independent of the timeouts of waiting requests.
const CONNECT_TIMEOUT: u64 = 60_000_000_000;
/// Interval at which tasks waiting for a response check whether it is still wanted, in nanoseconds.
const RECHECK_INTERVAL: u64 = 1_000_000_000;

/// All connections.
#[derive(Clone)]
pub(crate) struct Pool(Rc<Inner>);

struct Inner {
    options: Options,
    tasks: Tasks,
    origins: RefCell<BTreeMap<Origin, Rc<OriginState>>>,
    /// Connections in progress, including those closed to new requests.
    running: RefCell<Vec<Connection>>,
    /// Number of [`Busy`] guards.
    busy: Cell<usize>,
    idle: Signal,
}

/// State shared by the requests to one origin.
#[derive(Default)]
struct OriginState {
    /// Connections open to requests, oldest first.
    connections: RefCell<Vec<Connection>>,
    /// Number of connection attempts in progress.
    attempts: Cell<usize>,
    /// The most recently announced limit of streams.
    limit: Cell<Option<usize>>,
    /// Waiting requests, in order.
    waiters: RefCell<VecDeque<Rc<Waiter>>>,
}

/// A waiting request.
#[derive(Default)]
struct Waiter {
    /// Wakes the request to try again.
    signal: Signal,
    /// The error, if no connection or attempt remains to wait for.
    failed: RefCell<Option<ErrorCode>>,
}

/// Keeps [`Pool::maintain`] running until it is dropped.
pub(crate) struct Busy(Pool);

impl Drop for Busy {
    fn drop(&mut self) {
        let Inner { busy, idle, .. } = &*self.0.0;
        busy.set(busy.get().saturating_sub(1));
        if busy.get() == 0 {
            idle.notify();
        }
    }
}

impl Pool {
    pub(crate) fn new(options: Options, tasks: &Tasks) -> Self {
        Self(Rc::new(Inner {
            options,
            tasks: tasks.clone(),
            origins: RefCell::default(),
            running: RefCell::default(),
            busy: Cell::new(0),
            idle: Signal::default(),
        }))
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Returns a guard to keep [`maintain`](Self::maintain) running.
    pub(crate) fn busy(&self) -> Busy {
        self.0.busy.set(self.0.busy.get().saturating_add(1));
        Busy(self.clone())
    }

    /// Runs periodic work until no [`Busy`] guard remains.
    pub(crate) async fn maintain(&self) {
        while self.0.busy.get() > 0 {
            if self.0.idle.or(monotonic_clock::wait_for(RECHECK_INTERVAL)).await.is_some() {
                self.0.running.borrow().iter().for_each(Connection::recheck_readers);
            }
        }
    }

    /// The origin of a request.
    ///
    /// # Errors
    ///
    /// Those of [`Origin::new`].
    pub(crate) fn origin(&self, head: &OutgoingRequestHead) -> Result<Origin, ErrorCode> {
        Origin::new(&head.scheme, &head.authority, self.0.options.upstream.as_ref())
    }

    /// Sends the head of a request on the first connection with room for it.
    ///
    /// `connect_timeout` limits the wait, in nanoseconds.
    ///
    /// # Errors
    ///
    /// The error of the connection attempt, `connection-timeout`, or the defect of the head.
    pub(crate) async fn open(
        &self,
        origin: &Origin,
        head: &FieldSection,
        end_stream: bool,
        connect_timeout: Option<u64>,
    ) -> Result<Stream, ErrorCode> {
        let state = Rc::clone(self.0.origins.borrow_mut().entry(origin.clone()).or_default());
        // Earlier requests go first.
        if state.waiters.borrow().is_empty()
            && let Some(opened) = state.open(head, end_stream)
        {
            return opened;
        }
        let entry = QueueEntry::new(self, origin, &state);
        let opened = async {
            loop {
                self.connect_if_needed(origin, &state);
                entry.waiter.signal.wait().await;
                if let Some(error) = entry.waiter.failed.take() {
                    return Err(error);
                }
                if let Some(opened) = state.open(head, end_stream) {
                    return opened;
                }
            }
        };
        match connect_timeout {
            None => opened.await,
            Some(timeout) => {
                let opened = run_until(opened, monotonic_clock::wait_for(timeout)).await;
                opened.unwrap_or(Err(ErrorCode::ConnectionTimeout))
            }
        }
    }

    /// Opens no more streams on a connection; existing streams continue.
    pub(crate) fn retire(&self, connection: &Connection) {
        for state in self.0.origins.borrow().values() {
            state.connections.borrow_mut().retain(|other| other != connection);
        }
    }

    /// Begins as many connection attempts as the waiting requests may need.
    fn connect_if_needed(&self, origin: &Origin, state: &Rc<OriginState>) {
        while state.needs_connection(self.0.options.max_connections) {
            state.attempts.set(state.attempts.get().saturating_add(1));
            let (pool, origin, state) = (self.clone(), origin.clone(), Rc::clone(state));
            let busy = self.busy();
            self.0.tasks.spawn(async move {
                pool.connect_and_run(&origin, &state).await;
                pool.remove_if_unused(&origin);
                drop(busy);
            });
        }
    }

    /// Connects, and runs the connection until it ends.
    async fn connect_and_run(&self, origin: &Origin, state: &Rc<OriginState>) {
        let connected = run_until(connect(&origin.address), monotonic_clock::wait_for(CONNECT_TIMEOUT)).await;
        state.attempts.set(state.attempts.get().saturating_sub(1));
        let socket = match connected.unwrap_or(Err(ErrorCode::ConnectionTimeout)) {
            Ok(socket) => socket,
            Err(error) => return state.fail_if_unreachable(&error),
        };
        let connection = match Connection::client(self.0.options.config.clone(), &self.0.tasks) {
            Ok(connection) => connection,
            Err(error) => {
                return state.fail_if_unreachable(&ErrorCode::InternalError(Some(error.to_string())));
            }
        };
        self.0.running.borrow_mut().push(connection.clone());
        state.connections.borrow_mut().push(connection.clone());
        state.wake_first();
        self.0.tasks.spawn(Rc::clone(state).track_stream_limit(connection.clone()));
        // Its streams report the error.
        _ = tcp::run(&connection, socket).await;
        self.0.running.borrow_mut().retain(|other| *other != connection);
    }

    fn remove_if_unused(&self, origin: &Origin) {
        let mut origins = self.0.origins.borrow_mut();
        if origins.get(origin).is_some_and(|state| state.is_unused()) {
            origins.remove(origin);
        }
    }
}

impl OriginState {
    /// Sends the head of a request on the first connection to accept it, or returns `None` if none does.
    fn open(&self, head: &FieldSection, end_stream: bool) -> Option<Result<Stream, ErrorCode>> {
        for connection in &*self.connections.borrow() {
            match connection.open(head, end_stream) {
                Ok(stream) => return Some(Ok(stream)),
                Err(OpenError::WouldBlock | OpenError::Closed) => {}
                Err(OpenError::Malformed(defect)) => return Some(Err(error::from_malformed(defect))),
                Err(_) => return Some(Err(ErrorCode::HttpProtocolError)),
            }
        }
        None
    }

    /// Whether more requests wait than the connections in preparation are expected to take.
    fn needs_connection(&self, max_connections: usize) -> bool {
        let connections = self.connections.borrow();
        let unannounced = connections.iter().filter(|connection| !connection.has_peer_settings()).count();
        let pending = unannounced.saturating_add(self.attempts.get());
        let total = connections.len().saturating_add(self.attempts.get());
        self.waiters.borrow().len() > pending.saturating_mul(self.assumed_stream_limit())
            && total < max_connections
    }

    /// The stream limit assumed until the server announces its own.
    fn assumed_stream_limit(&self) -> usize {
        self.limit.get().map_or(ASSUMED_STREAM_LIMIT, |limit| limit.clamp(1, ASSUMED_STREAM_LIMIT))
    }

    /// Follows the limit of streams of a connection until the connection ends.
    async fn track_stream_limit(self: Rc<Self>, connection: Connection) {
        while !connection.is_closed() {
            connection.streams_available().await;
            if connection.has_peer_settings() {
                self.limit.set(connection.max_streams());
            }
            self.connections.borrow_mut().retain(Connection::is_open);
            self.wake_first();
        }
    }

    /// Wakes the first waiting request; on leaving the queue, that one wakes the next.
    fn wake_first(&self) {
        if let Some(first) = self.waiters.borrow().front() {
            first.signal.notify();
        }
    }

    /// Fails every waiting request if no connection and no attempt remains.
    fn fail_if_unreachable(&self, error: &ErrorCode) {
        if self.attempts.get() > 0 || !self.connections.borrow().is_empty() {
            return;
        }
        for waiter in &*self.waiters.borrow() {
            *waiter.failed.borrow_mut() = Some(error.clone());
            waiter.signal.notify();
        }
    }

    fn is_unused(&self) -> bool {
        self.attempts.get() == 0 && self.waiters.borrow().is_empty() && self.connections.borrow().is_empty()
    }
}

/// A place in the queue, given up when dropped.
struct QueueEntry<'a> {
    pool: &'a Pool,
    origin: &'a Origin,
    state: &'a OriginState,
    waiter: Rc<Waiter>,
}

impl<'a> QueueEntry<'a> {
    fn new(pool: &'a Pool, origin: &'a Origin, state: &'a OriginState) -> Self {
        let waiter = Rc::new(Waiter::default());
        state.waiters.borrow_mut().push_back(Rc::clone(&waiter));
        Self { pool, origin, state, waiter }
    }
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        self.state.waiters.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.waiter));
        self.state.wake_first();
        self.pool.remove_if_unused(self.origin);
    }
}
