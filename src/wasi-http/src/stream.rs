//! A stream, as the tasks that work on it share it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http2_engine::{ErrorCode, FieldSection, Read, SendError, StreamError, StreamId};

use crate::connection::Connection;
use crate::signal::{Latch, Signal};

/// Octets of a piece that is worth a write of its own. Until the end of the turn, it would leave the processor's
/// caches: large content costs a quarter less if it goes on at once.
const PLENTY: usize = 16 << 10;

/// A request and its response. It is released when the last clone is dropped: what was not completed by then is
/// cancelled.
#[derive(Clone)]
pub struct Stream(Rc<Handle>);

struct Handle {
    connection: Connection,
    id: StreamId,
    state: Rc<State>,
}

/// What the connection tells those who have a stream.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) readable: Signal,
    pub(crate) writable: Signal,
    /// The head of a response that waits for the end of the turn.
    pub(crate) head: RefCell<Option<FieldSection>>,
    /// The head of a response that has arrived, and whether it is all.
    response: RefCell<Option<(FieldSection, bool)>>,
    error: Cell<Option<StreamError>>,
    reset: Latch,
    /// Our message is complete.
    finished: Cell<bool>,
}

impl State {
    pub(crate) fn response_arrived(&self, head: FieldSection, end_stream: bool) {
        *self.response.borrow_mut() = Some((head, end_stream));
        self.readable.give();
    }

    pub(crate) fn was_reset(&self, error: StreamError) {
        self.error.set(Some(error));
        self.reset.set();
        self.readable.give();
        self.writable.give();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.connection.release(self.id);
    }
}

impl Stream {
    pub(crate) fn new(connection: Connection, id: StreamId, state: Rc<State>) -> Self {
        Self(Rc::new(Handle { connection, id, state }))
    }

    /// Its identifier (RFC 9113, 5.1.1).
    pub fn id(&self) -> StreamId {
        self.0.id
    }

    /// Its connection.
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// Whether it has ended before both messages were complete.
    pub fn is_reset(&self) -> bool {
        self.0.state.error.get().is_some()
    }

    /// Server: takes the head of the response. It is sent with the first content or the end of the message,
    /// at the latest at the end of the turn; until then it may be replaced.
    pub fn respond(&self, head: FieldSection) {
        *self.0.state.head.borrow_mut() = Some(head);
        self.0.connection.head_waits(self.0.id);
    }

    /// Server: tells the client to send the content (RFC 9110, 15.2.1), unless there is a response already.
    pub(crate) fn proceed(&self) {
        if self.0.state.head.borrow().is_some() {
            return;
        }
        let mut head = FieldSection::new();
        head.push(b":status", b"100");
        // If the response has begun, or the stream has ended, there is nothing to wait for.
        _ = self.0.connection.engine().inform(self.0.id, &head);
        self.0.connection.touch();
    }

    /// Client: waits for the head of the response, and says whether that is all of it.
    ///
    /// # Errors
    ///
    /// Why the stream ended before.
    pub async fn response(&self) -> Result<(FieldSection, bool), StreamError> {
        let state = &self.0.state;
        poll_fn(|context| {
            loop {
                if let Some(response) = state.response.take() {
                    return Poll::Ready(Ok(response));
                }
                if let Some(error) = state.error.get() {
                    return Poll::Ready(Err(error));
                }
                if state.readable.poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Sends a piece of content; it waits until the connection has taken all of it.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_data`].
    pub async fn send(&self, mut content: Bytes) -> Result<(), SendError> {
        self.send_head(false)?;
        if content.len() >= PLENTY {
            self.0.connection.signals().plenty.give();
        }
        loop {
            self.0.connection.engine().send_data(self.0.id, &mut content, false)?;
            self.0.connection.touch();
            if content.is_empty() {
                return Ok(());
            }
            self.0.state.writable.wait().await;
        }
    }

    /// Waits until the connection would take content, and says how many octets.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_data`].
    pub(crate) async fn room(&self) -> Result<usize, SendError> {
        if !self.has_begun() {
            return Ok(self.0.connection.send_limit());
        }
        loop {
            let room = {
                let mut engine = self.0.connection.engine();
                // Who offers nothing is told of room all the same.
                engine.send_data(self.0.id, &mut Bytes::new(), false)?;
                engine.send_capacity(self.0.id)
            };
            if room > 0 {
                return Ok(room);
            }
            self.0.state.writable.wait().await;
        }
    }

    /// Ends the message, with trailers or without.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_trailers`].
    pub fn finish(&self, trailers: Option<&FieldSection>) -> Result<(), SendError> {
        let begun = !self.send_head(trailers.is_none())?;
        match trailers {
            Some(trailers) => self.0.connection.engine().send_trailers(self.0.id, trailers)?,
            None if begun => self.0.connection.engine().send_data(self.0.id, &mut Bytes::new(), true)?,
            None => {}
        }
        self.0.connection.touch();
        self.0.state.finished.set(true);
        self.0.state.readable.give();
        Ok(())
    }

    /// Whether the head of the response has left our hands.
    pub fn has_begun(&self) -> bool {
        self.0.state.head.borrow().is_none()
    }

    /// Sends the head of the response if it still waits, and says whether it did.
    fn send_head(&self, end_stream: bool) -> Result<bool, SendError> {
        let Some(head) = self.0.state.head.take() else { return Ok(false) };
        self.0.connection.engine().respond(self.0.id, &head, end_stream)?;
        Ok(true)
    }

    /// What has arrived of the message, at most `max` octets of content; [`Read::Blocked`] once our own message
    /// is complete, and as long as nothing has arrived.
    ///
    /// # Errors
    ///
    /// Why the stream ended before its time.
    pub(crate) fn read_now(&self, max: usize) -> Result<Read, StreamError> {
        let read = self.0.connection.engine().read(self.0.id, max);
        if matches!(read, Ok(Read::Data(_))) {
            // The window may have to be raised.
            self.0.connection.touch();
        }
        read
    }

    /// Waits until there may be something to [read](Self::read_now), or our message is complete.
    pub(crate) async fn readable(&self) {
        self.0.state.readable.wait().await;
    }

    /// Our message is complete, or not.
    pub(crate) fn set_finished(&self, finished: bool) {
        self.0.state.finished.set(finished);
    }

    /// Whether our message is complete.
    pub(crate) fn is_finished(&self) -> bool {
        self.0.state.finished.get()
    }

    /// Ends the stream at once.
    pub fn reset(&self, code: ErrorCode) {
        self.0.connection.engine().reset(self.0.id, code);
        self.0.connection.touch();
    }

    /// Client: gives the request up. All who work on it hear of that.
    pub fn cancel(&self) {
        self.reset(ErrorCode::CANCEL);
        self.0.state.was_reset(StreamError { code: ErrorCode::CANCEL, ..CLOSED });
    }

    /// Runs a future until it is done, or the stream has ended before its time.
    ///
    /// # Errors
    ///
    /// Why the stream has ended.
    pub async fn unless_reset<T>(&self, future: impl Future<Output = T>) -> Result<T, StreamError> {
        let state = &self.0.state;
        match state.reset.or(future).await {
            Some(done) => Ok(done),
            None => Err(state.error.get().unwrap_or(CLOSED)),
        }
    }
}

const CLOSED: StreamError = StreamError {
    code: ErrorCode::STREAM_CLOSED,
    initiator: http2_engine::Initiator::Local,
    violation: None,
    retryable: false,
};
