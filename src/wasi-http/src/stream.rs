//! A stream, as shared by its tasks.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use http2_engine::{ErrorCode, FieldSection, Read, SendError, StreamError, StreamId};

use crate::connection::Connection;
use crate::signal::{Latch, Signal};

/// The size from which a piece of content is written at once, in bytes.
///
/// By the end of the turn, the piece would have left the processor's caches: large content costs a quarter less
/// when it is written immediately.
const FLUSH_THRESHOLD: usize = 16 << 10;

/// A request and its response.
///
/// Dropping the last clone releases the stream, and cancels incomplete messages.
#[derive(Clone)]
pub struct Stream(Rc<Handle>);

struct Handle {
    connection: Connection,
    id: StreamId,
    state: Rc<State>,
}

/// State of a stream, shared by the connection and the handles.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) readable: Signal,
    pub(crate) writable: Signal,
    /// The response head to send at the end of the turn.
    pub(crate) head: RefCell<Option<FieldSection>>,
    /// The received response head, and whether the response ends with it.
    response: RefCell<Option<(FieldSection, bool)>>,
    error: Cell<Option<StreamError>>,
    reset: Latch,
    /// Whether the local message is complete.
    finished: Cell<bool>,
}

impl State {
    pub(crate) fn set_response(&self, head: FieldSection, end_stream: bool) {
        *self.response.borrow_mut() = Some((head, end_stream));
        self.readable.notify();
    }

    pub(crate) fn set_reset(&self, error: StreamError) {
        self.error.set(Some(error));
        self.reset.set();
        self.readable.notify();
        self.writable.notify();
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

    /// The stream identifier (RFC 9113, 5.1.1).
    pub fn id(&self) -> StreamId {
        self.0.id
    }

    /// The stream's connection.
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// Whether the stream has ended before both messages were complete.
    pub fn is_reset(&self) -> bool {
        self.0.state.error.get().is_some()
    }

    /// Server: takes the head of the response.
    ///
    /// It is sent with the first content or the end of the message, or at the end of the turn at the latest.
    /// Until then, another call replaces it.
    pub fn respond(&self, head: FieldSection) {
        *self.0.state.head.borrow_mut() = Some(head);
        self.0.connection.queue_head(self.0.id);
    }

    /// Server: tells the client to send the content (RFC 9110, 15.2.1), unless the response has begun.
    pub(crate) fn send_continue(&self) {
        if self.0.state.head.borrow().is_some() {
            return;
        }
        let mut head = FieldSection::new();
        head.push(b":status", b"100");
        // If the response has begun or the stream has ended, the client is not waiting.
        _ = self.0.connection.engine().send_informational(self.0.id, &head);
        self.0.connection.wake_driver();
    }

    /// Client: waits for the head of the response, and returns it with whether the response ends with it.
    ///
    /// # Errors
    ///
    /// The stream's error, if it ended first.
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

    /// Sends a piece of content, and waits until the connection has taken all of it.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_data`].
    pub async fn send(&self, mut content: Bytes) -> Result<(), SendError> {
        self.send_head(false)?;
        if content.len() >= FLUSH_THRESHOLD {
            self.0.connection.signals().flush_now.notify();
        }
        loop {
            _ = self.0.connection.engine().send_data(self.0.id, &mut content, false)?;
            self.0.connection.wake_driver();
            if content.is_empty() {
                return Ok(());
            }
            self.0.state.writable.wait().await;
        }
    }

    /// Waits until the connection can take content, and returns how many bytes.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_data`].
    pub(crate) async fn room(&self) -> Result<usize, SendError> {
        if !self.has_sent_head() {
            return Ok(self.0.connection.send_limit());
        }
        loop {
            let room = {
                let mut engine = self.0.connection.engine();
                // Offering nothing still makes the engine report when there is room.
                _ = engine.send_data(self.0.id, &mut Bytes::new(), false)?;
                engine.send_capacity(self.0.id)
            };
            if room > 0 {
                return Ok(room);
            }
            self.0.state.writable.wait().await;
        }
    }

    /// Ends the message, with or without trailers.
    ///
    /// # Errors
    ///
    /// Those of [`http2_engine::Connection::send_trailers`].
    pub fn finish(&self, trailers: Option<&FieldSection>) -> Result<(), SendError> {
        let begun = !self.send_head(trailers.is_none())?;
        match trailers {
            Some(trailers) => self.0.connection.engine().send_trailers(self.0.id, trailers)?,
            None if begun => _ = self.0.connection.engine().send_data(self.0.id, &mut Bytes::new(), true)?,
            None => {}
        }
        self.0.connection.wake_driver();
        self.0.state.finished.set(true);
        self.0.state.readable.notify();
        Ok(())
    }

    /// Whether the head of the response was passed to the engine.
    pub fn has_sent_head(&self) -> bool {
        self.0.state.head.borrow().is_none()
    }

    /// Sends the head of the response if it is still waiting; returns whether it was.
    fn send_head(&self, end_stream: bool) -> Result<bool, SendError> {
        let Some(head) = self.0.state.head.take() else { return Ok(false) };
        self.0.connection.engine().send_response(self.0.id, &head, end_stream)?;
        Ok(true)
    }

    /// Reads the next part of the message, at most `max` bytes of content; [`Read::Blocked`] if none has arrived.
    ///
    /// # Errors
    ///
    /// The stream's error, if it ended early.
    pub(crate) fn try_read(&self, max: usize) -> Result<Read, StreamError> {
        let read = self.0.connection.engine().read(self.0.id, max);
        if matches!(read, Ok(Read::Data(_))) {
            // The engine may have to open the window.
            self.0.connection.wake_driver();
        }
        read
    }

    /// Waits until [`try_read`](Self::try_read) may return more, or the local message is complete.
    pub(crate) async fn readable(&self) {
        self.0.state.readable.wait().await;
    }

    /// Records whether the local message is complete.
    pub(crate) fn set_finished(&self, finished: bool) {
        self.0.state.finished.set(finished);
    }

    /// Whether the local message is complete.
    pub(crate) fn is_finished(&self) -> bool {
        self.0.state.finished.get()
    }

    /// Resets the stream.
    pub fn reset(&self, code: ErrorCode) {
        self.0.connection.engine().reset(self.0.id, code);
        self.0.connection.wake_driver();
    }

    /// Client: cancels the request, and notifies all its tasks.
    pub fn cancel(&self) {
        self.reset(ErrorCode::CANCEL);
        self.0.state.set_reset(StreamError { code: ErrorCode::CANCEL, ..CLOSED });
    }

    /// Runs a future to completion, unless the stream ends early first.
    ///
    /// # Errors
    ///
    /// The stream's error.
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
