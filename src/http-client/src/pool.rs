//! The connections, and the requests that wait for them.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use http2_engine::{FieldSection, OpenError};
use http2_wasi_http::bindings::wasi::clocks::monotonic_clock;
use http2_wasi_http::bindings::wasi::http::types::ErrorCode;
use http2_wasi_http::head::OutgoingRequestHead;
use http2_wasi_http::signal::{Signal, before};
use http2_wasi_http::{Connection, Stream, Tasks, error};

use crate::connect::connect;
use crate::options::Options;
use crate::target::Origin;

/// The limit of streams assumed for a server until one of its connections announces it.
const EXPECTED_STREAMS: usize = 100;
/// Time limit of one connection attempt in nanoseconds, whatever the requests waiting for it.
const CONNECT_TIMEOUT: u64 = 60_000_000_000;
/// Interval at which tasks waiting for a response check whether it is still wanted, in nanoseconds.
const LOOK_AROUND: u64 = 1_000_000_000;

/// All connections.
#[derive(Clone)]
pub(crate) struct Pool(Rc<Inner>);

struct Inner {
    options: Options,
    tasks: Tasks,
    origins: RefCell<BTreeMap<Origin, Rc<Shared>>>,
    /// Connections that have not ended, including those that accept no more requests.
    alive: RefCell<Vec<Connection>>,
    /// Number of [`Busy`] guards.
    busy: Cell<usize>,
    idle: Signal,
}

/// State shared by the requests to one origin.
#[derive(Default)]
struct Shared {
    /// Connections that accept requests, oldest first.
    connections: RefCell<Vec<Connection>>,
    /// Number of connection attempts in progress.
    attempts: Cell<usize>,
    /// The most recently announced limit of streams.
    limit: Cell<Option<usize>>,
    /// Requests that wait, in order.
    waiting: RefCell<VecDeque<Rc<Waiting>>>,
}

/// A waiting request.
#[derive(Default)]
struct Waiting {
    /// Wakes the request to try again.
    told: Signal,
    /// The error, if no connection or attempt remains to wait for.
    failed: RefCell<Option<ErrorCode>>,
}

/// Keeps [`Pool::attend`] running until it is dropped.
pub(crate) struct Busy(Pool);

impl Drop for Busy {
    fn drop(&mut self) {
        let Inner { busy, idle, .. } = &*self.0.0;
        busy.set(busy.get().saturating_sub(1));
        if busy.get() == 0 {
            idle.give();
        }
    }
}

impl Pool {
    pub(crate) fn new(options: Options, tasks: &Tasks) -> Self {
        Self(Rc::new(Inner {
            options,
            tasks: tasks.clone(),
            origins: RefCell::default(),
            alive: RefCell::default(),
            busy: Cell::new(0),
            idle: Signal::default(),
        }))
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Returns a guard that keeps [`attend`](Self::attend) running.
    pub(crate) fn busy(&self) -> Busy {
        self.0.busy.set(self.0.busy.get().saturating_add(1));
        Busy(self.clone())
    }

    /// Runs periodic work until no [`Busy`] guard remains.
    pub(crate) async fn attend(&self) {
        while self.0.busy.get() > 0 {
            if self.0.idle.or(monotonic_clock::wait_for(LOOK_AROUND)).await.is_some() {
                self.0.alive.borrow().iter().for_each(Connection::look_around);
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

    /// Sends the head of a request on the first connection that has room for it.
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
        let shared = Rc::clone(self.0.origins.borrow_mut().entry(origin.clone()).or_default());
        // Earlier requests go first.
        if shared.waiting.borrow().is_empty()
            && let Some(opened) = shared.open(head, end_stream)
        {
            return opened;
        }
        let place = Place::new(self, origin, &shared);
        let opened = async {
            loop {
                self.connect_if_needed(origin, &shared);
                place.waiting.told.wait().await;
                if let Some(error) = place.waiting.failed.take() {
                    return Err(error);
                }
                if let Some(opened) = shared.open(head, end_stream) {
                    return opened;
                }
            }
        };
        match connect_timeout {
            None => opened.await,
            Some(timeout) => {
                let opened = before(opened, monotonic_clock::wait_for(timeout)).await;
                opened.unwrap_or(Err(ErrorCode::ConnectionTimeout))
            }
        }
    }

    /// Opens no more streams on a connection; existing streams continue.
    pub(crate) fn retire(&self, connection: &Connection) {
        for shared in self.0.origins.borrow().values() {
            shared.connections.borrow_mut().retain(|other| other != connection);
        }
    }

    /// Begins as many connection attempts as the waiting requests may need.
    fn connect_if_needed(&self, origin: &Origin, shared: &Rc<Shared>) {
        while shared.needs_connection(self.0.options.max_connections) {
            shared.attempts.set(shared.attempts.get().saturating_add(1));
            let (pool, origin, shared) = (self.clone(), origin.clone(), Rc::clone(shared));
            let busy = self.busy();
            self.0.tasks.spawn(async move {
                pool.attempt(&origin, &shared).await;
                pool.forget_if_unused(&origin);
                drop(busy);
            });
        }
    }

    /// Connects, and runs the connection until it ends.
    async fn attempt(&self, origin: &Origin, shared: &Rc<Shared>) {
        let connected = before(connect(&origin.address), monotonic_clock::wait_for(CONNECT_TIMEOUT)).await;
        shared.attempts.set(shared.attempts.get().saturating_sub(1));
        let socket = match connected.unwrap_or(Err(ErrorCode::ConnectionTimeout)) {
            Ok(socket) => socket,
            Err(error) => return shared.fail_if_hopeless(&error),
        };
        let connection = match Connection::client(self.0.options.config.clone(), &self.0.tasks) {
            Ok(connection) => connection,
            Err(error) => return shared.fail_if_hopeless(&ErrorCode::InternalError(Some(error.to_string()))),
        };
        self.0.alive.borrow_mut().push(connection.clone());
        shared.connections.borrow_mut().push(connection.clone());
        shared.tell_first();
        self.0.tasks.spawn(Rc::clone(shared).watch(connection.clone()));
        // Its streams report the error.
        _ = connection.run(socket).await;
        self.0.alive.borrow_mut().retain(|other| *other != connection);
    }

    fn forget_if_unused(&self, origin: &Origin) {
        let mut origins = self.0.origins.borrow_mut();
        if origins.get(origin).is_some_and(|shared| shared.is_unused()) {
            origins.remove(origin);
        }
    }
}

impl Shared {
    /// Sends the head of a request on the first connection that accepts it, or returns `None` if none does.
    fn open(&self, head: &FieldSection, end_stream: bool) -> Option<Result<Stream, ErrorCode>> {
        for connection in &*self.connections.borrow() {
            match connection.open(head, end_stream) {
                Ok(stream) => return Some(Ok(stream)),
                Err(OpenError::WouldBlock | OpenError::Closed) => {}
                Err(OpenError::Malformed(defect)) => return Some(Err(error::of_malformed(defect))),
                Err(_) => return Some(Err(ErrorCode::HttpProtocolError)),
            }
        }
        None
    }

    /// Whether more requests wait than the connections in preparation are expected to take.
    fn needs_connection(&self, max_connections: usize) -> bool {
        let connections = self.connections.borrow();
        let unsettled = connections.iter().filter(|connection| !connection.is_settled()).count();
        let coming = unsettled.saturating_add(self.attempts.get());
        let there = connections.len().saturating_add(self.attempts.get());
        self.waiting.borrow().len() > coming.saturating_mul(self.expected_streams())
            && there < max_connections
    }

    /// The assumed limit of streams of a connection that has not announced its own.
    fn expected_streams(&self) -> usize {
        self.limit.get().map_or(EXPECTED_STREAMS, |limit| limit.clamp(1, EXPECTED_STREAMS))
    }

    /// Follows the limit of streams of a connection until the connection ends.
    async fn watch(self: Rc<Self>, connection: Connection) {
        while !connection.is_closed() {
            connection.opening().await;
            if connection.is_settled() {
                self.limit.set(connection.max_streams());
            }
            self.connections.borrow_mut().retain(Connection::is_open);
            self.tell_first();
        }
    }

    /// Wakes the first waiting request; when that one leaves the queue, it wakes the next.
    fn tell_first(&self) {
        if let Some(first) = self.waiting.borrow().front() {
            first.told.give();
        }
    }

    /// Fails every waiting request if no connection and no attempt remains.
    fn fail_if_hopeless(&self, error: &ErrorCode) {
        if self.attempts.get() > 0 || !self.connections.borrow().is_empty() {
            return;
        }
        for waiting in &*self.waiting.borrow() {
            *waiting.failed.borrow_mut() = Some(error.clone());
            waiting.told.give();
        }
    }

    fn is_unused(&self) -> bool {
        self.attempts.get() == 0 && self.waiting.borrow().is_empty() && self.connections.borrow().is_empty()
    }
}

/// A place in the queue, given up when dropped.
struct Place<'a> {
    pool: &'a Pool,
    origin: &'a Origin,
    shared: &'a Shared,
    waiting: Rc<Waiting>,
}

impl<'a> Place<'a> {
    fn new(pool: &'a Pool, origin: &'a Origin, shared: &'a Shared) -> Self {
        let waiting = Rc::new(Waiting::default());
        shared.waiting.borrow_mut().push_back(Rc::clone(&waiting));
        Self { pool, origin, shared, waiting }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.waiting.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.waiting));
        self.shared.tell_first();
        self.pool.forget_if_unused(self.origin);
    }
}
