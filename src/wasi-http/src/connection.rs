//! A connection, as the tasks that work on it share it.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use http2_engine::{
    Config, ConfigError, Connection as Engine, ConnectionError, Event, FieldSection, OpenError, Role, Stats,
    StreamId, Time,
};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::signal::{Latch, Signal};
use crate::stream::{State, Stream};
use crate::tasks::Tasks;

/// An HTTP/2 connection: an engine, and what its tasks tell each other.
///
/// [`run`](Self::run) carries the octets; the streams are handed out by [`request`](Self::request) and
/// [`open`](Self::open).
#[derive(Clone)]
pub struct Connection(Rc<Inner>);

struct Inner {
    engine: RefCell<Engine>,
    tasks: Tasks,
    /// The streams that are with a caller.
    streams: RefCell<BTreeMap<StreamId, Rc<State>>>,
    /// Requests that nobody has taken yet.
    requests: RefCell<VecDeque<IncomingRequest>>,
    /// Streams whose responses wait for the end of the turn.
    heads: RefCell<Vec<StreamId>>,
    /// When the engine wants to be called, as far as its task knows.
    armed: Cell<Option<Time>>,
    /// SETTINGS of the peer have come.
    settled: Cell<bool>,
    signals: Signals,
}

/// What the tasks of a connection tell each other.
#[derive(Default)]
pub(crate) struct Signals {
    /// Client: more streams, or fewer, can be opened than before.
    opening: Signal,
    /// A request waits to be taken.
    arrived: Signal,
    /// There may be something to send.
    pub(crate) output: Signal,
    /// So much was given that it is to be sent before the turn ends.
    pub(crate) plenty: Signal,
    /// Everything that could be sent was handed to the transport.
    pub(crate) flushed: Signal,
    /// The engine wants to be called earlier than its task knows.
    pub(crate) deadline_moved: Signal,
    /// The peer has sent something.
    pub(crate) heard: Latch,
    /// The connection has ended.
    pub(crate) closed: Latch,
}

/// A request that has come from the peer.
pub struct IncomingRequest {
    /// Where to read its content from, and to send the response to.
    pub stream: Stream,
    /// Its pseudo-header fields and fields.
    pub head: FieldSection,
    /// Whether it has neither content nor trailers.
    pub end_stream: bool,
}

/// Whether two are the same connection.
impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Connection {
    /// A server's end.
    ///
    /// # Errors
    ///
    /// [`Config::check`].
    pub fn server(config: Config, tasks: &Tasks) -> Result<Self, ConfigError> {
        Ok(Self::new(Engine::server(config)?, tasks))
    }

    /// A client's end.
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
            armed: Cell::default(),
            settled: Cell::default(),
            signals: Signals::default(),
        }))
    }

    /// Server: the next request that has not been reset meanwhile; `None` once the connection has ended. One task may wait
    /// for it.
    pub async fn request(&self) -> Option<IncomingRequest> {
        loop {
            let request = self.0.requests.borrow_mut().pop_front();
            match request {
                Some(request) if request.stream.is_reset() => {}
                None if !self.0.signals.closed.is_set() => self.0.signals.arrived.wait().await,
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
        self.touch();
        let stream = self.stream(id);
        stream.set_finished(end_stream);
        Ok(stream)
    }

    /// Client: waits until streams may be opened that could not be before, or none can any more. One task may wait
    /// for it.
    pub async fn opening(&self) {
        self.0.signals.opening.wait().await;
    }

    /// Client: whether the server has said how many streams it takes.
    pub fn is_settled(&self) -> bool {
        self.0.settled.get()
    }

    /// Client: how many streams the server takes at a time; none if it has not said so, or sets no limit.
    pub fn max_streams(&self) -> Option<usize> {
        let limit = self.engine().peer_settings().max_concurrent_streams?;
        usize::try_from(limit).ok()
    }

    /// Client: has all who wait for a message look whether it is still wanted.
    pub fn look_around(&self) {
        self.0.streams.borrow().values().for_each(|state| state.readable.give());
    }

    /// Whether the connection takes new streams, and neither side has begun to end it.
    pub fn is_open(&self) -> bool {
        self.engine().is_open()
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.0.signals.closed.is_set()
    }

    /// Ends the connection in good order, as [`http2_engine::Connection::shutdown`] says.
    pub fn shutdown(&self) {
        self.engine().shutdown(now());
        self.touch();
    }

    /// How many bytes of content a stream may have waiting at present.
    pub fn send_limit(&self) -> usize {
        self.engine().send_limit()
    }

    /// Why the connection has ended; `Ok` if that was in good order, or if it has not.
    ///
    /// # Errors
    ///
    /// The reason.
    pub fn close_reason(&self) -> Result<(), ConnectionError> {
        self.engine().close_reason().unwrap_or(Ok(())).map_err(Clone::clone)
    }

    /// What has passed through the connection so far.
    pub fn stats(&self) -> Stats {
        self.engine().stats()
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    /// Which side of the connection this is.
    pub fn role(&self) -> Role {
        self.engine().role()
    }

    /// The tasks that it is one of.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    pub(crate) fn engine(&self) -> RefMut<'_, Engine> {
        self.0.engine.borrow_mut()
    }

    /// Something was done that may have given rise to output or events: they are taken at the end of the turn.
    pub(crate) fn touch(&self) {
        self.0.signals.output.give();
    }

    fn stream(&self, id: StreamId) -> Stream {
        let state = Rc::new(State::default());
        self.0.streams.borrow_mut().insert(id, Rc::clone(&state));
        Stream::new(self.clone(), id, state)
    }

    /// The caller is done with a stream.
    pub(crate) fn release(&self, id: StreamId) {
        self.0.streams.borrow_mut().remove(&id);
        self.engine().release(id);
        self.touch();
    }

    /// The head of a response waits for the end of the turn.
    pub(crate) fn head_waits(&self, id: StreamId) {
        self.0.heads.borrow_mut().push(id);
        self.touch();
    }

    /// Sends the heads of responses of which nothing more is known by now.
    pub(crate) fn send_waiting_heads(&self) {
        for id in self.0.heads.take() {
            let state = self.0.streams.borrow().get(&id).cloned();
            if let Some(head) = state.and_then(|state| state.head.take())
                && self.engine().respond(id, &head, false).is_err()
            {
                // Who sends the response hears of it with the next piece.
                self.engine().reset(id, http2_engine::ErrorCode::INTERNAL_ERROR);
            }
        }
    }

    /// Hands out what has happened.
    pub(crate) fn take_events(&self) {
        loop {
            let event = self.engine().poll_event();
            let Some(event) = event else { break };
            self.take(event);
        }
    }

    fn take(&self, event: Event) {
        match event {
            Event::Request { id, head, end_stream } => {
                let request = IncomingRequest { stream: self.stream(id), head, end_stream };
                self.0.requests.borrow_mut().push_back(request);
                self.0.signals.arrived.give();
            }
            Event::PeerSettings => {
                self.0.settled.set(true);
                self.0.signals.opening.give();
            }
            Event::StreamsAvailable | Event::GoAway => self.0.signals.opening.give(),
            Event::Response { id, head, end_stream } => {
                self.with_stream(id, |state| state.response_arrived(head, end_stream));
            }
            Event::Readable { id } => self.with_stream(id, |state| state.readable.give()),
            Event::Writable { id } => self.with_stream(id, |state| state.writable.give()),
            Event::Reset { id, error } => self.with_stream(id, |state| state.was_reset(error)),
            Event::Closed => {
                self.0.requests.borrow_mut().clear();
                self.0.signals.closed.set();
                self.0.signals.opening.give();
                self.0.signals.arrived.give();
                self.0.signals.deadline_moved.give();
                self.0.signals.flushed.give();
                self.touch();
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

    /// The next deadline of the engine; its task waits for that one from now on.
    pub(crate) fn arm(&self) -> Option<Time> {
        let deadline = self.engine().poll_timeout();
        self.0.armed.set(deadline);
        deadline
    }

    /// Wakes the task that waits for the deadline, if it would wait too long.
    pub(crate) fn check_deadline(&self) {
        let deadline = self.engine().poll_timeout();
        let later = |armed| deadline.is_some_and(|deadline| deadline < armed);
        if self.0.armed.get().map_or(deadline.is_some(), later) {
            self.0.signals.deadline_moved.give();
        }
    }
}

/// What time it is on the clock that all connections share.
pub(crate) fn now() -> Time {
    Time::from_nanos(monotonic_clock::now())
}
