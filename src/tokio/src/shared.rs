//! The state that the handles of a connection share with its driver.
//!
//! The engine sits behind a lock. A handle holds it for one operation, and the driver for one step, never across a
//! system call. A channel to a sole owner would cost each operation a message and a wake-up, and would make answers
//! such as [`capacity`](crate::SendStream::capacity) stale.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::response;
use http2_engine::{
    ErrorCode, Event, FieldSection, Initiator, OpenError, Read, SendError, State, StreamError, StreamId, Time,
};

use crate::buffers::Buffers;
use crate::error::Error;

/// Copied content that may wait to be written, in bytes.
const COPIED: usize = 128 << 10;
/// Largest head of a response whose buffer a connection keeps, in bytes.
const HEAD_KEPT: usize = 1 << 10;
/// Size of most DATA frames, in bytes.
const FRAME: usize = 16 << 10;

/// A request that has arrived at a server.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) id: StreamId,
    pub(crate) head: FieldSection,
    pub(crate) end_stream: bool,
}

/// A response that has arrived at a client.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) head: FieldSection,
    pub(crate) end_stream: bool,
}

/// A promised request that has arrived at a client.
#[derive(Debug)]
pub(crate) struct Promised {
    pub(crate) id: StreamId,
    pub(crate) head: FieldSection,
}

/// The tasks that can wait for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// For the response, content or trailers.
    Receive,
    /// For window and buffer to send.
    Capacity,
    /// For the end of a stream by RST_STREAM.
    Reset,
    /// For informational responses and promises.
    Extra,
    /// For a request to leave the queue of those that wait for the peer's limit.
    Sent,
}

/// A stream that handles refer to.
#[derive(Debug, Default)]
struct Entry {
    handles: u32,
    /// Content read by the caller that it has not released.
    uncredited: u32,
    /// Whether the caller has dropped the receiving handle, so that content is discarded.
    discard: bool,
    error: Option<StreamError>,
    response: Option<Box<Arrived>>,
    receive: Option<Waker>,
    capacity: Option<Waker>,
    reset: Option<Waker>,
    /// Capacity above which the task in `capacity` is woken.
    floor: usize,
    /// Whether the stream is among [`Inner::capacity_waiters`].
    awaits_capacity: bool,
    rare: Option<Box<Rare>>,
}

/// The parts that few streams have.
#[derive(Debug, Default)]
struct Rare {
    informational: VecDeque<FieldSection>,
    promises: VecDeque<Promised>,
    extra: Option<Waker>,
    sent: Option<Waker>,
}

impl Entry {
    fn slot(&mut self, wait: Wait) -> &mut Option<Waker> {
        match wait {
            Wait::Receive => &mut self.receive,
            Wait::Capacity => &mut self.capacity,
            Wait::Reset => &mut self.reset,
            Wait::Extra => &mut self.rare.get_or_insert_default().extra,
            Wait::Sent => &mut self.rare.get_or_insert_default().sent,
        }
    }

    fn wakers(&mut self) -> impl Iterator<Item = Waker> {
        let rare = self.rare.as_deref_mut();
        let rare = rare.map(|rare| [rare.extra.take(), rare.sent.take()]);
        let usual = [self.receive.take(), self.capacity.take(), self.reset.take()];
        usual.into_iter().chain(rare.into_iter().flatten()).flatten()
    }
}

/// A PING of the caller.
#[derive(Debug)]
struct Ping {
    payload: [u8; 8],
    round_trip: Option<Duration>,
    task: Option<Waker>,
}

/// Spreads stream identifiers, which are consecutive, over a hash table.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(byte.into()));
    }

    fn write_u32(&mut self, value: u32) {
        // The golden ratio: neither the low bits, which select a bucket, nor the high ones repeat.
        let mixed = (self.0 ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// The engine, and the tasks that wait for it.
pub(crate) struct Inner {
    pub(crate) engine: http2_engine::Connection,
    streams: HashMap<StreamId, Entry, BuildHasherDefault<IdHasher>>,
    /// The latest time known to the driver.
    pub(crate) now: Time,
    /// Client: number of handles that can send requests.
    senders: usize,
    pub(crate) peer_settings_arrived: bool,
    /// Tasks that wait for a stream to open, or for the peer's SETTINGS.
    openers: Vec<Waker>,
    /// Tasks that wait for the end of the connection.
    closers: Vec<Waker>,
    /// Streams whose callers wait for window.
    pub(crate) capacity_waiters: Vec<StreamId>,
    /// Reusable buffer for the head of a response.
    head: FieldSection,
    /// Buffers of content that was copied from the caller's own.
    pub(crate) copies: Buffers,
    /// Bytes that were copied, and may not have been handed to the transport though the windows allow that.
    copied: usize,
    pings: Vec<Ping>,
    next_ping: u64,
    /// The driver's task.
    driver: Option<Waker>,
    /// Whether the driver sleeps, and has to be woken for output.
    idle: bool,
    pub(crate) io_error: Option<Arc<io::Error>>,
    closed: Option<Result<(), Error>>,
    /// Tasks to wake once the lock is released.
    pub(crate) wakes: Vec<Waker>,
}

/// A connection, shared by its driver and its handles.
pub(crate) struct Shared(Mutex<Inner>);

impl Shared {
    pub(crate) fn new(engine: http2_engine::Connection) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner {
            engine,
            streams: HashMap::default(),
            now: Time::default(),
            senders: 0,
            peer_settings_arrived: false,
            openers: Vec::new(),
            closers: Vec::new(),
            capacity_waiters: Vec::new(),
            head: FieldSection::new(),
            copies: Buffers::default(),
            copied: 0,
            pings: Vec::new(),
            next_ping: 0,
            driver: None,
            idle: false,
            io_error: None,
            closed: None,
            wakes: Vec::new(),
        })))
    }

    /// Locks the state. A task that panicked while it held the lock has left the engine consistent.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation of a handle, and wakes the driver if there is something to send.
    pub(crate) fn operate<T>(&self, operation: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = operation(&mut inner);
        let driver = if inner.idle && inner.engine.has_output() { inner.take_driver() } else { None };
        // Most operations wake one task at most: then the list keeps its memory.
        let several = if inner.wakes.len() > 1 { std::mem::take(&mut inner.wakes) } else { Vec::new() };
        let single = inner.wakes.pop();
        drop(inner);
        if let Some(driver) = driver {
            driver.wake();
        }
        if let Some(single) = single {
            single.wake();
        }
        several.into_iter().for_each(Waker::wake);
        result
    }
}

impl Inner {
    /// Returns the driver's task, which is to be woken.
    fn take_driver(&mut self) -> Option<Waker> {
        self.idle = false;
        self.driver.clone()
    }

    /// Wakes the driver even without output, once the lock is released.
    pub(crate) fn wake_driver(&mut self) {
        if self.idle
            && let Some(driver) = self.take_driver()
        {
            self.wakes.push(driver);
        }
    }

    /// Records that the driver runs in the task of `cx`.
    pub(crate) fn driver_runs(&mut self, cx: &Context<'_>) {
        self.idle = false;
        match &mut self.driver {
            Some(driver) => driver.clone_from(cx.waker()),
            None => self.driver = Some(cx.waker().clone()),
        }
    }

    /// Records that the driver sleeps from now on.
    pub(crate) fn driver_sleeps(&mut self) {
        self.idle = true;
    }

    /// Handles events up to the next request, which it returns.
    pub(crate) fn dispatch(&mut self) -> Option<Incoming> {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Request { id, head, end_stream } => return Some(Incoming { id, head, end_stream }),
                Event::Response { id, head, end_stream } => {
                    if let Some(entry) = self.streams.get_mut(&id) {
                        entry.response = Some(Box::new(Arrived { head, end_stream }));
                    }
                    self.wake(id, Wait::Receive);
                    // No informational response and no promise for it can follow.
                    self.wake_rare(id, Wait::Extra);
                }
                Event::Informational { id, head } => {
                    if let Some(entry) = self.streams.get_mut(&id) {
                        entry.rare.get_or_insert_default().informational.push_back(head);
                    }
                    self.wake_rare(id, Wait::Extra);
                    self.wake(id, Wait::Receive);
                }
                Event::Push { parent, id, head } => self.promised(parent, Promised { id, head }),
                Event::Readable { id } => {
                    self.discard(id);
                    self.wake(id, Wait::Receive);
                    self.wake_rare(id, Wait::Extra);
                }
                Event::Writable { id } => self.wake(id, Wait::Capacity),
                Event::Reset { id, error } => {
                    if let Some(entry) = self.streams.get_mut(&id) {
                        entry.error = Some(error);
                        self.wakes.extend(entry.wakers());
                    }
                }
                Event::RequestSent { id } => {
                    self.wake_rare(id, Wait::Sent);
                    self.wake(id, Wait::Capacity);
                }
                Event::StreamsAvailable | Event::GoAway => self.wakes.append(&mut self.openers),
                Event::PeerSettings => {
                    self.peer_settings_arrived = true;
                    self.wakes.append(&mut self.openers);
                }
                Event::Pong { payload, round_trip } => self.answered(payload, round_trip),
                Event::Closed => self.close(),
                _ => {}
            }
        }
        None
    }

    fn promised(&mut self, parent: StreamId, promise: Promised) {
        let Some(entry) = self.streams.get_mut(&parent) else {
            return self.engine.release(promise.id);
        };
        let id = promise.id;
        entry.rare.get_or_insert_default().promises.push_back(promise);
        self.streams.insert(id, Entry::default());
        self.wake_rare(parent, Wait::Extra);
    }

    fn answered(&mut self, payload: [u8; 8], round_trip: Duration) {
        if let Some(ping) = self.pings.iter_mut().find(|ping| ping.payload == payload) {
            ping.round_trip = Some(round_trip);
            self.wakes.extend(ping.task.take());
        }
    }

    /// Records the end of the connection, and wakes everything that waits.
    fn close(&mut self) {
        if self.closed.is_some() {
            return;
        }
        self.closed = Some(match (&self.io_error, self.engine.close_reason()) {
            (_, Some(Ok(()))) => Ok(()),
            (Some(error), _) => Err(Error::Io(error.clone())),
            (None, Some(Err(error))) => Err(Error::Connection(error.clone())),
            (None, None) => Err(Error::Dropped),
        });
        self.wake_all();
    }

    fn wake_all(&mut self) {
        let streams = self.streams.values_mut().flat_map(Entry::wakers);
        let pings = self.pings.iter_mut().filter_map(|ping| ping.task.take());
        self.wakes.extend(streams.chain(pings));
        self.wakes.append(&mut self.openers);
        self.wakes.append(&mut self.closers);
    }

    /// Fails everything that is still open, because the driver is dropped.
    pub(crate) fn abandon(&mut self) {
        if self.closed.is_none() {
            self.closed = Some(Err(Error::Dropped));
        }
        self.engine.recv_end(self.now);
        while self.engine.poll_event().is_some() {}
        self.wake_all();
    }

    /// Returns how the connection ended, if it has.
    pub(crate) fn closed(&self) -> Option<&Result<(), Error>> {
        self.closed.as_ref()
    }

    /// Returns why the connection takes no more streams.
    pub(crate) fn not_open(&self) -> Error {
        match self.engine.received_go_away() {
            // The end of the transport that follows it says less.
            Some(goaway) if self.closed.as_ref().is_none_or(is_by_transport) => Error::GoAway(goaway.clone()),
            _ => self.closed_error().unwrap_or(Error::Open(OpenError::Closed)),
        }
    }

    /// Returns the error of an operation on a connection that has ended.
    fn closed_error(&self) -> Option<Error> {
        match self.closed.as_ref()? {
            Err(error) => Some(error.clone()),
            Ok(()) => Some(Error::Open(OpenError::Closed)),
        }
    }

    /// Wakes the callers that wait for window and now have some.
    pub(crate) fn wake_capacity_waiters(&mut self) {
        let mut waiters = std::mem::take(&mut self.capacity_waiters);
        waiters.retain(|&id| {
            let capacity = self.capacity(id);
            let Some(entry) = self.streams.get_mut(&id) else { return false };
            entry.awaits_capacity = entry.capacity.is_some() && capacity <= entry.floor;
            if !entry.awaits_capacity {
                self.wakes.extend(entry.capacity.take());
            }
            entry.awaits_capacity
        });
        self.capacity_waiters = waiters;
    }

    fn wake(&mut self, id: StreamId, wait: Wait) {
        if let Some(entry) = self.streams.get_mut(&id) {
            self.wakes.extend(entry.slot(wait).take());
        }
    }

    /// Wakes a task that waits for something rare.
    fn wake_rare(&mut self, id: StreamId, wait: Wait) {
        if let Some(entry) = self.streams.get_mut(&id)
            && entry.rare.is_some()
        {
            self.wakes.extend(entry.slot(wait).take());
        }
    }

    /// Registers the task of `cx` to be woken.
    pub(crate) fn wait<T>(&mut self, id: StreamId, wait: Wait, cx: &Context<'_>) -> Poll<T> {
        if let Some(entry) = self.streams.get_mut(&id) {
            let slot = entry.slot(wait);
            match slot {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *slot = Some(cx.waker().clone()),
            }
        }
        Poll::Pending
    }

    /// Registers the task of `cx` to be woken when the capacity of a stream exceeds `floor`.
    pub(crate) fn wait_for_capacity<T>(&mut self, id: StreamId, floor: usize, cx: &Context<'_>) -> Poll<T> {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.floor = floor;
            if !std::mem::replace(&mut entry.awaits_capacity, true) {
                self.capacity_waiters.push(id);
            }
        }
        self.wait(id, Wait::Capacity, cx)
    }

    /// Registers the task of `cx` to be woken when a stream may be opened, or the peer's SETTINGS have arrived.
    pub(crate) fn wait_to_open<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.openers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.openers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Registers the task of `cx` to be woken at the end of the connection.
    pub(crate) fn wait_to_close<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.closers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.closers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Adds a stream with a number of handles.
    pub(crate) fn insert(&mut self, id: StreamId, handles: u32) {
        self.streams.insert(id, Entry { handles, ..Entry::default() });
    }

    /// Adds handles to a stream.
    pub(crate) fn retain(&mut self, id: StreamId, handles: u32) {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.handles = entry.handles.saturating_add(handles);
        }
    }

    /// Drops a handle, and releases the stream with the last one.
    pub(crate) fn release(&mut self, id: StreamId) {
        let Some(entry) = self.streams.get_mut(&id) else { return };
        entry.handles = entry.handles.saturating_sub(1);
        if entry.handles > 0 {
            return;
        }
        let Some(mut entry) = self.streams.remove(&id) else { return };
        self.wakes.extend(entry.wakers());
        self.engine.credit(id, entry.uncredited);
        self.engine.release(id);
        for promise in entry.rare.into_iter().flat_map(|rare| rare.promises) {
            self.streams.remove(&promise.id);
            self.engine.release(promise.id);
        }
        // A client ends with its last stream.
        if self.is_unused() {
            self.wake_driver();
        }
    }

    pub(crate) fn add_sender(&mut self) {
        self.senders = self.senders.saturating_add(1);
    }

    pub(crate) fn remove_sender(&mut self) {
        self.senders = self.senders.saturating_sub(1);
        if self.is_unused() {
            self.wake_driver();
        }
    }

    /// Returns whether no handle is left that could open a stream or refers to one.
    pub(crate) fn is_unused(&self) -> bool {
        self.senders == 0 && self.streams.is_empty()
    }

    /// Returns how much content a stream can take now without growing beyond its send buffer and the windows.
    ///
    /// It is 0 while so many copies wait to be written that more would push them out of the processor's cache. The
    /// limit grows with the number of waiting streams, so that a wake-up always admits a frame on average.
    pub(crate) fn capacity(&self, id: StreamId) -> usize {
        let limit = COPIED.max(self.capacity_waiters.len().saturating_mul(FRAME));
        // Without output, the copies wait for a window, and nothing would tell when.
        if self.copied >= limit && self.engine.has_output() {
            return 0;
        }
        self.engine.send_window(id).min(self.engine.send_capacity(id))
    }

    /// Copies content, in memory that the connection uses again.
    pub(crate) fn copy(&mut self, data: &mut impl Buf) -> Bytes {
        let bytes = data.remaining();
        let buffer = self.copies.with_room(bytes);
        buffer.put(data);
        let copy = buffer.split().freeze();
        self.copied = self.copied.saturating_add(bytes);
        copy
    }

    /// Records that `bytes` of output were handed to the driver.
    pub(crate) fn transmitted(&mut self, bytes: usize) {
        self.copied = if self.engine.has_output() { self.copied.saturating_sub(bytes) } else { 0 };
    }

    /// Sends the head of a response.
    pub(crate) fn send_response(
        &mut self,
        id: StreamId,
        parts: &response::Parts,
        end_stream: bool,
    ) -> Result<(), SendError> {
        self.head.set_response_parts(parts);
        let result = self.engine.send_response(id, &self.head, end_stream);
        if self.head.size() > HEAD_KEPT {
            self.head = FieldSection::new();
        }
        result
    }

    /// Reads from a stream; `manual` leaves the credit to the caller.
    pub(crate) fn read(&mut self, id: StreamId, manual: bool) -> Result<Read, Error> {
        let read = if manual {
            self.engine.read_uncredited(id, usize::MAX)
        } else {
            self.engine.read(id, usize::MAX)
        };
        if manual
            && let Ok(Read::Data(piece)) = &read
            && let Some(entry) = self.streams.get_mut(&id)
        {
            entry.uncredited =
                entry.uncredited.saturating_add(u32::try_from(piece.len()).unwrap_or(u32::MAX));
        }
        read.map_err(|error| self.stream_error(id, error))
    }

    /// Returns the bytes that the caller has read and not released.
    pub(crate) fn uncredited(&self, id: StreamId) -> u32 {
        self.streams.get(&id).map_or(0, |entry| entry.uncredited)
    }

    /// Returns credit for bytes that the caller has read.
    pub(crate) fn credit(&mut self, id: StreamId, bytes: usize) -> Result<(), Error> {
        let entry = self.streams.get_mut(&id).ok_or(Error::ReleasedTooMuch)?;
        let bytes = u32::try_from(bytes).map_err(|_| Error::ReleasedTooMuch)?;
        entry.uncredited = entry.uncredited.checked_sub(bytes).ok_or(Error::ReleasedTooMuch)?;
        self.engine.credit(id, bytes);
        Ok(())
    }

    /// Discards the content of a stream from now on.
    pub(crate) fn stop_reading(&mut self, id: StreamId) {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.discard = true;
            self.discard(id);
        }
    }

    /// Discards content that nobody reads.
    ///
    /// Only the connection's window is credited: other streams go on, while the peer stops after the stream's window.
    fn discard(&mut self, id: StreamId) {
        if self.streams.get(&id).is_none_or(|entry| !entry.discard) {
            return;
        }
        while let Ok(Read::Data(piece)) = self.engine.read_uncredited(id, usize::MAX) {
            self.engine.credit(StreamId::CONNECTION, u32::try_from(piece.len()).unwrap_or(u32::MAX));
        }
    }

    /// Takes the response, if it has arrived.
    pub(crate) fn take_response(&mut self, id: StreamId) -> Option<Arrived> {
        self.streams.get_mut(&id)?.response.take().map(|response| *response)
    }

    /// Takes the next informational response, if one has arrived.
    pub(crate) fn take_informational(&mut self, id: StreamId) -> Option<FieldSection> {
        self.streams.get_mut(&id)?.rare.as_mut()?.informational.pop_front()
    }

    /// Takes the next promise, if one has arrived.
    pub(crate) fn take_promise(&mut self, id: StreamId) -> Option<Promised> {
        self.streams.get_mut(&id)?.rare.as_mut()?.promises.pop_front()
    }

    /// Returns whether the final response has arrived, taken or not.
    pub(crate) fn has_response(&self, id: StreamId) -> bool {
        self.streams.get(&id).is_none_or(|entry| entry.response.is_some())
    }

    /// Returns why a stream ended early, if it has.
    pub(crate) fn error(&self, id: StreamId) -> Option<Error> {
        match self.streams.get(&id).and_then(|entry| entry.error) {
            Some(error) => Some(self.stream_error(id, error)),
            None => match &self.closed {
                Some(Err(error)) => Some(error.clone()),
                _ => None,
            },
        }
    }

    /// Returns the reset of a stream by either endpoint.
    pub(crate) fn reset_of(&self, id: StreamId) -> Option<StreamError> {
        self.streams.get(&id)?.error
    }

    /// Resets a stream.
    pub(crate) fn reset(&mut self, id: StreamId, code: ErrorCode) {
        self.engine.reset(id, code);
        if let Some(entry) = self.streams.get_mut(&id)
            && entry.error.is_none()
        {
            let error = StreamError { code, initiator: Initiator::Local, violation: None, retryable: false };
            entry.error = Some(error);
            self.wakes.extend(entry.wakers());
        }
    }

    /// Names the connection's error, if that ended the stream.
    pub(crate) fn stream_error(&self, id: StreamId, error: StreamError) -> Error {
        if let Some(goaway) = self.engine.received_go_away()
            && error.retryable
            && error.initiator == Initiator::Peer
            && id > goaway.last_stream_id
        {
            return Error::GoAway(goaway.clone());
        }
        match self.engine.close_reason() {
            Some(Err(reason))
                if reason.initiator() == error.initiator
                    && reason.code().unwrap_or(ErrorCode::CANCEL) == error.code =>
            {
                match &self.closed {
                    Some(Err(error)) => error.clone(),
                    _ => Error::Connection(reason.clone()),
                }
            }
            _ => Error::Stream(error),
        }
    }

    /// Names the connection's error, if that is why the operation failed.
    pub(crate) fn operation_error(&self, id: StreamId, error: Error) -> Error {
        match error {
            Error::Stream(error) => self.stream_error(id, error),
            Error::Open(OpenError::Closed) => self.closed_error().unwrap_or(error),
            error => error,
        }
    }

    /// Waits until a request was sent, or is given up.
    pub(crate) fn poll_sent(&mut self, id: StreamId, cx: &Context<'_>) -> Poll<()> {
        let waits = self.engine.state(id) == Some(State::Idle) && self.streams.contains_key(&id);
        if waits { self.wait(id, Wait::Sent, cx) } else { Poll::Ready(()) }
    }

    /// Returns a payload for a PING.
    pub(crate) fn next_ping(&mut self) -> [u8; 8] {
        let payload = self.next_ping.to_be_bytes();
        self.next_ping = self.next_ping.wrapping_add(1);
        payload
    }

    /// Sends a PING.
    pub(crate) fn ping(&mut self, payload: [u8; 8]) -> Result<(), Error> {
        if let Some(error) = self.closed_error() {
            return Err(error);
        }
        self.engine.ping(payload)?;
        self.pings.push(Ping { payload, round_trip: None, task: None });
        Ok(())
    }

    /// Returns the round trip of a PING once it is answered.
    pub(crate) fn poll_pong(&mut self, payload: [u8; 8], cx: &Context<'_>) -> Poll<Result<Duration, Error>> {
        let closed = self.closed_error();
        let Some(ping) = self.pings.iter_mut().find(|ping| ping.payload == payload) else {
            return Poll::Ready(Err(closed.unwrap_or(Error::Dropped)));
        };
        match (ping.round_trip, closed) {
            (Some(round_trip), _) => Poll::Ready(Ok(round_trip)),
            (None, Some(error)) => Poll::Ready(Err(error)),
            (None, None) => {
                ping.task = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Forgets a PING.
    pub(crate) fn forget_ping(&mut self, payload: [u8; 8]) {
        self.pings.retain(|ping| ping.payload != payload);
    }
}

/// Returns whether a connection ended because its transport did, or well.
fn is_by_transport(end: &Result<(), Error>) -> bool {
    end.as_ref().err().is_none_or(|error| error.initiator() == Some(Initiator::Transport))
}
