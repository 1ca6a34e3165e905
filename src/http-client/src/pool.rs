//! Connections, and the requests that wait for them.

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

/// How many streams a server is taken to allow before any of its connections has said so.
const EXPECTED_STREAMS: usize = 100;
/// How long one attempt to connect may take, in nanoseconds, whoever waits for it.
const CONNECT_TIMEOUT: u64 = 60_000_000_000;
/// How often those who hear nothing look whether their responses are still wanted, in nanoseconds.
const LOOK_AROUND: u64 = 1_000_000_000;

/// All connections.
#[derive(Clone)]
pub(crate) struct Pool(Rc<Inner>);

struct Inner {
    options: Options,
    tasks: Tasks,
    origins: RefCell<BTreeMap<Origin, Rc<Shared>>>,
    /// Connections that have not ended, also those that take no more requests.
    alive: RefCell<Vec<Connection>>,
    /// How many [`Busy`] there are.
    busy: Cell<usize>,
    idle: Signal,
}

/// What requests to one origin share.
#[derive(Default)]
struct Shared {
    /// Connections that take requests, from the oldest.
    connections: RefCell<Vec<Connection>>,
    /// Attempts to connect that are under way.
    attempts: Cell<usize>,
    /// How many streams the last connection allowed that has said so.
    limit: Cell<Option<usize>>,
    /// Requests that wait, in order.
    waiting: RefCell<VecDeque<Rc<Waiting>>>,
}

/// A request that waits.
#[derive(Default)]
struct Waiting {
    /// It may be able to go on.
    told: Signal,
    /// There is nothing that it could wait for.
    failed: RefCell<Option<ErrorCode>>,
}

/// Something that needs the pool to be attended.
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

    /// Keeps [`attend`](Self::attend) going until it is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.0.busy.set(self.0.busy.get().saturating_add(1));
        Busy(self.clone())
    }

    /// Does what has to be done from time to time, until nothing is left.
    pub(crate) async fn attend(&self) {
        while self.0.busy.get() > 0 {
            if self.0.idle.or(monotonic_clock::wait_for(LOOK_AROUND)).await.is_some() {
                self.0.alive.borrow().iter().for_each(Connection::look_around);
            }
        }
    }

    /// Where a request goes.
    ///
    /// # Errors
    ///
    /// Those of [`Origin::new`].
    pub(crate) fn origin(&self, head: &OutgoingRequestHead) -> Result<Origin, ErrorCode> {
        Origin::new(&head.scheme, &head.authority, self.0.options.upstream.as_ref())
    }

    /// Sends the head of a request on the first connection that has room for it. `connect_timeout` is how many
    /// nanoseconds that may take.
    ///
    /// # Errors
    ///
    /// Why there is no connection, `connection-timeout`, or what is wrong with the head.
    pub(crate) async fn open(
        &self,
        origin: &Origin,
        head: &FieldSection,
        end_stream: bool,
        connect_timeout: Option<u64>,
    ) -> Result<Stream, ErrorCode> {
        let shared = Rc::clone(self.0.origins.borrow_mut().entry(origin.clone()).or_default());
        // Who came before goes before.
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

    /// Opens no more streams on a connection; those that there are go on.
    pub(crate) fn retire(&self, connection: &Connection) {
        for shared in self.0.origins.borrow().values() {
            shared.connections.borrow_mut().retain(|other| other != connection);
        }
    }

    /// Begins as many attempts to connect as those who wait may need.
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

    /// Connects, and carries the connection to its end.
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
        // The streams are told what has ended it.
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
    /// Sends the head of a request on the first connection that takes it; none does if nothing comes back.
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

    /// Whether more requests wait than what is being prepared will take.
    fn needs_connection(&self, max_connections: usize) -> bool {
        let connections = self.connections.borrow();
        let unsettled = connections.iter().filter(|connection| !connection.is_settled()).count();
        let coming = unsettled.saturating_add(self.attempts.get());
        let there = connections.len().saturating_add(self.attempts.get());
        self.waiting.borrow().len() > coming.saturating_mul(self.expected_streams())
            && there < max_connections
    }

    /// How many streams a new connection is taken to allow before it has said so.
    fn expected_streams(&self) -> usize {
        self.limit.get().map_or(EXPECTED_STREAMS, |limit| limit.clamp(1, EXPECTED_STREAMS))
    }

    /// Follows what a connection has room for until it has ended.
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

    /// Has the first of those who wait look again. When it goes, it tells the next.
    fn tell_first(&self) {
        if let Some(first) = self.waiting.borrow().front() {
            first.told.give();
        }
    }

    /// Tells those who wait that there is nothing to wait for, if there is nothing.
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

/// A place among those who wait; it is given up when dropped.
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
