//! A connection, as shared by its tasks.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use http2_engine::{
    Config, ConfigError, Connection as Engine, ConnectionError, Event, FieldSection, OpenError, Role, Stats,
    StreamId, Time,
};

use crate::signal::{Latch, Signal};
use crate::stream::{State, Stream};
use crate::tasks::Tasks;

/// An HTTP/2 connection: an engine, and the signals between its tasks.
///
/// [`run`](Self::run) moves its bytes; [`request`](Self::request) and [`open`](Self::open) return its streams.
#[derive(Clone)]
pub struct Connection(Rc<Inner>);

struct Inner {
    engine: RefCell<Engine>,
    tasks: Tasks,
    /// The streams held by a caller.
    streams: RefCell<BTreeMap<StreamId, Rc<State>>>,
    /// Requests not yet taken.
    requests: RefCell<VecDeque<IncomingRequest>>,
    /// Streams whose response heads wait for the end of the turn.
    heads: RefCell<Vec<StreamId>>,
    /// The engine deadline for which the timer task is waiting.
    timer_deadline: Cell<Option<Time>>,
    /// Whether the peer's SETTINGS have arrived.
    peer_settings_received: Cell<bool>,
    signals: Signals,
}

/// The signals between the tasks of a connection.
#[derive(Default)]
pub(crate) struct Signals {
    /// Client: more or fewer streams can be opened.
    streams_available: Signal,
    /// A request is waiting to be taken.
    request_queued: Signal,
    /// The engine may have output.
    pub(crate) output: Signal,
    /// The application gave enough content to send it before the turn ends.
    pub(crate) flush_now: Signal,
    /// All pending output was handed to the transport.
    pub(crate) flushed: Signal,
    /// The engine's deadline is earlier than the one the timer task is waiting for.
    pub(crate) deadline_moved: Signal,
    /// The peer has sent bytes.
    pub(crate) input_received: Latch,
    /// The connection has ended.
    pub(crate) closed: Latch,
}

/// A request from the peer.
pub struct IncomingRequest {
    /// The stream of its content and its response.
    pub stream: Stream,
    /// Its pseudo-header fields and header fields.
    pub head: FieldSection,
    /// Whether the request has neither content nor trailers.
    pub end_stream: bool,
}

/// Two values are equal if they are handles to one connection.
impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Connection {
    /// Creates the server end of a connection.
    ///
    /// # Errors
    ///
    /// [`Config::check`].
    pub fn server(config: Config, tasks: &Tasks) -> Result<Self, ConfigError> {
        Ok(Self::new(Engine::server(config)?, tasks))
    }

    /// Creates the client end of a connection.
    ///
    /// # Errors
    ///
    /// [`Config::check`].
    pub fn client(config: Config, tasks: &Tasks) -> Result<Self, ConfigError> {
        Ok(Self::new(Engine::client(config)?, tasks))
    }

    fn new(engine: Engine, tasks: &Tasks) -> Self {
        Self(Rc::new(Inner {
            engine: RefCell::new(engine),
            tasks: tasks.clone(),
            streams: RefCell::default(),
            requests: RefCell::default(),
            heads: RefCell::default(),
            timer_deadline: Cell::default(),
            peer_settings_received: Cell::default(),
            signals: Signals::default(),
        }))
    }

    /// Server: returns the next request not reset in the meantime, or `None` once the connection has
    /// ended.
    ///
    /// Only one task may wait at a time.
    pub async fn request(&self) -> Option<IncomingRequest> {
        loop {
            let request = self.0.requests.borrow_mut().pop_front();
            match request {
                Some(request) if request.stream.is_reset() => {}
                None if !self.0.signals.closed.is_set() => self.0.signals.request_queued.wait().await,
                request => return request,
            }
        }
    }

    /// Client: sends the head of a request on a new stream.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::open`].
    pub fn open(&self, head: &FieldSection, end_stream: bool) -> Result<Stream, OpenError> {
        let id = self.engine().open(head, end_stream)?;
        self.wake_driver();
        let stream = self.stream(id);
        stream.set_finished(end_stream);
        Ok(stream)
    }

    /// Client: waits until more streams can be opened, or none can be opened any more.
    ///
    /// Only one task may wait at a time.
    pub async fn streams_available(&self) {
        self.0.signals.streams_available.wait().await;
    }

    /// Client: whether the server's SETTINGS, with its limit of streams, have arrived.
    pub fn has_peer_settings(&self) -> bool {
        self.0.peer_settings_received.get()
    }

    /// Client: the server's limit of concurrent streams, if it has sent one.
    pub fn max_streams(&self) -> Option<usize> {
        let limit = self.engine().peer_settings().max_concurrent_streams?;
        usize::try_from(limit).ok()
    }

    /// Client: wakes every task waiting for a message, to check whether its reader still exists.
    pub fn recheck_readers(&self) {
        self.0.streams.borrow().values().for_each(|state| state.readable.notify());
    }

    /// Whether the connection accepts new streams and neither endpoint has begun to close it.
    pub fn is_open(&self) -> bool {
        self.engine().is_open()
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.0.signals.closed.is_set()
    }

    /// Shuts the connection down gracefully: see [`http2_engine::Connection::shutdown`].
    pub fn shutdown(&self) {
        self.engine().shutdown(self.tasks().now());
        self.wake_driver();
    }

    /// The current limit of content queued per stream, in bytes.
    pub fn send_limit(&self) -> usize {
        self.engine().send_limit()
    }

    /// Why the connection has ended; `Ok` if it ended gracefully or has not ended.
    ///
    /// # Errors
    ///
    /// The error that ended the connection.
    pub fn close_reason(&self) -> Result<(), ConnectionError> {
        self.engine().close_reason().unwrap_or(Ok(())).map_err(Clone::clone)
    }

    /// Statistics of the connection so far.
    pub fn stats(&self) -> Stats {
        self.engine().stats()
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    /// Which endpoint of the connection this is.
    pub fn role(&self) -> Role {
        self.engine().role()
    }

    /// The set of the connection's tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn engine(&self) -> RefMut<'_, Engine> {
        self.0.engine.borrow_mut()
    }

    /// Schedules output and events, which an operation may have caused, to be taken at the end of the turn.
    pub(crate) fn wake_driver(&self) {
        self.0.signals.output.notify();
    }

    fn stream(&self, id: StreamId) -> Stream {
        let state = Rc::new(State::default());
        self.0.streams.borrow_mut().insert(id, Rc::clone(&state));
        Stream::new(self.clone(), id, state)
    }

    /// Releases a finished or unwanted stream.
    pub(crate) fn release(&self, id: StreamId) {
        self.0.streams.borrow_mut().remove(&id);
        self.engine().release(id);
        self.wake_driver();
    }

    /// Queues the head of a response for the end of the turn.
    pub(crate) fn queue_head(&self, id: StreamId) {
        self.0.heads.borrow_mut().push(id);
        self.wake_driver();
    }

    /// Sends the response heads still waiting for content.
    pub(crate) fn send_pending_heads(&self) {
        for id in self.0.heads.take() {
            let state = self.0.streams.borrow().get(&id).cloned();
            if let Some(head) = state.and_then(|state| state.head.take())
                && self.engine().send_response(id, &head, false).is_err()
            {
                // The task that sends the response gets the error with its next piece.
                self.engine().reset(id, http2_engine::ErrorCode::INTERNAL_ERROR);
            }
        }
    }

    /// Takes all events of the engine and passes them to their streams and tasks.
    pub(crate) fn process_events(&self) {
        loop {
            let event = self.engine().poll_event();
            let Some(event) = event else { break };
            self.handle_event(event);
        }
    }

    fn handle_event(&self, event: Event) {
        match event {
            Event::Request { id, head, end_stream } => {
                let request = IncomingRequest { stream: self.stream(id), head, end_stream };
                self.0.requests.borrow_mut().push_back(request);
                self.0.signals.request_queued.notify();
            }
            Event::PeerSettings => {
                self.0.peer_settings_received.set(true);
                self.0.signals.streams_available.notify();
            }
            Event::StreamsAvailable | Event::GoAway => self.0.signals.streams_available.notify(),
            Event::Response { id, head, end_stream } => {
                self.with_stream(id, |state| state.set_response(head, end_stream));
            }
            Event::Readable { id } => self.with_stream(id, |state| state.readable.notify()),
            Event::Writable { id } => self.with_stream(id, |state| state.writable.notify()),
            Event::Reset { id, error } => self.with_stream(id, |state| state.set_reset(error)),
            Event::Closed => {
                self.0.requests.borrow_mut().clear();
                self.0.signals.closed.set();
                self.0.signals.streams_available.notify();
                self.0.signals.request_queued.notify();
                self.0.signals.deadline_moved.notify();
                self.0.signals.flushed.notify();
                self.wake_driver();
            }
            _ => {}
        }
    }

    fn with_stream(&self, id: StreamId, tell: impl FnOnce(&State)) {
        let state = self.0.streams.borrow().get(&id).cloned();
        if let Some(state) = state {
            tell(&state);
        }
    }

    /// Returns the engine's next deadline, and records it as the one the timer task is waiting for.
    pub(crate) fn arm_timer(&self) -> Option<Time> {
        let deadline = self.engine().poll_timeout();
        self.0.timer_deadline.set(deadline);
        deadline
    }

    /// Wakes the timer task if the engine's deadline is earlier than the one it is waiting for.
    pub(crate) fn check_timer(&self) {
        let deadline = self.engine().poll_timeout();
        let later = |armed| deadline.is_some_and(|deadline| deadline < armed);
        if self.0.timer_deadline.get().map_or(deadline.is_some(), later) {
            self.0.signals.deadline_moved.notify();
        }
    }
}
