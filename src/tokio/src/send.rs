//! The sending half of a stream.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http2_engine::{ErrorCode, FieldSection, OpenError, Priority, SendError, StreamError, StreamId};

use crate::error::Error;
use crate::shared::{Inner, Shared, Wait};

/// A reference to a stream, which is released with the last one.
pub(crate) struct StreamRef {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: StreamId,
}

impl StreamRef {
    /// Takes over a reference that [`Inner::insert`] or [`Inner::retain`] has counted.
    pub(crate) fn new(shared: &Arc<Shared>, id: StreamId) -> Self {
        Self { shared: shared.clone(), id }
    }

    /// Runs an operation on the stream.
    pub(crate) fn operate<T>(&self, operation: impl FnOnce(&mut Inner, StreamId) -> T) -> T {
        self.shared.operate(|inner| operation(inner, self.id))
    }

    /// Resets the stream (RFC 9113, 6.4).
    pub(crate) fn reset(&self, code: ErrorCode) {
        self.operate(|inner, id| inner.reset(id, code));
    }

    /// Waits for the end of the stream by RST_STREAM.
    pub(crate) fn poll_reset(&self, cx: &mut Context<'_>) -> Poll<Result<StreamError, Error>> {
        let inner = &mut *self.shared.lock();
        match (inner.error(self.id), inner.reset_of(self.id)) {
            (Some(Error::Stream(_)), Some(error)) => Poll::Ready(Ok(error)),
            (Some(error), _) => Poll::Ready(Err(error)),
            (None, _) if inner.closed().is_some() => Poll::Ready(Err(OpenError::Closed.into())),
            _ => inner.wait(self.id, Wait::Reset, cx),
        }
    }

    pub(crate) fn set_priority(&self, priority: Priority) -> Result<(), Error> {
        self.operate(|inner, id| {
            let result = inner.engine.set_priority(id, priority);
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }
}

impl Clone for StreamRef {
    fn clone(&self) -> Self {
        self.shared.lock().retain(self.id, 1);
        Self::new(&self.shared, self.id)
    }
}

impl Drop for StreamRef {
    fn drop(&mut self) {
        self.operate(Inner::release);
    }
}

impl std::fmt::Debug for StreamRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(f)
    }
}

/// Sends the content and the trailers of a message.
///
/// [`send`](Self::send) waits for window and is all that most callers need. [`send_data`](Self::send_data) never waits:
/// a caller of it takes [`capacity`](Self::capacity) into account, or its data fills the memory.
///
/// If the handle is dropped before the message is complete, the stream is reset with CANCEL once its other handles are
/// dropped, too.
///
/// ```
/// # use bytes::Bytes;
/// # use http::Request;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (mut client, server) = pair()?;
/// # tokio::spawn(echo(server));
/// let request = Request::post("http://localhost/upload").body(())?;
/// let (response, mut content) = client.send_request(request, false)?;
/// // Waits while the peer opens no window.
/// content.send(Bytes::from(vec![7; 100_000])).await?;
/// content.finish()?;
/// let mut body = response.await?.into_body();
/// let mut length = 0;
/// while let Some(data) = body.data().await {
///     length += data?.len();
/// }
/// assert_eq!(length, 100_000);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SendStream {
    stream: StreamRef,
}

impl SendStream {
    pub(crate) fn new(stream: StreamRef) -> Self {
        Self { stream }
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id
    }

    /// Sends all of `data`, as fast as the windows and the transport allow.
    ///
    /// If the future is dropped, a part of `data` was sent.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended, or [`Error::Send`] if the message cannot take content.
    pub async fn send(&mut self, mut data: Bytes) -> Result<(), Error> {
        while !data.is_empty() {
            let capacity = poll_fn(|cx| self.poll_capacity(cx)).await?;
            self.send_data(data.split_to(capacity.min(data.len())), false)?;
        }
        Ok(())
    }

    /// Returns how many bytes could be sent at once: within the windows of stream and connection (RFC 9113, 5.2), and
    /// within [`Config::send_buffer`](crate::Config::send_buffer).
    ///
    /// Other streams share the connection's window, so the capacity can shrink.
    pub fn capacity(&self) -> usize {
        self.stream.shared.lock().capacity(self.stream.id)
    }

    /// Waits until [`capacity`](Self::capacity) is more than 0, and returns it.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended, or [`SendError::MessageEnded`].
    pub fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        self.poll_capacity_above(cx, 0)
    }

    /// Waits until [`capacity`](Self::capacity) is more than `known` bytes, and returns it.
    ///
    /// # Errors
    ///
    /// Those of [`poll_capacity`](Self::poll_capacity).
    pub fn poll_capacity_above(&mut self, cx: &mut Context<'_>, known: usize) -> Poll<Result<usize, Error>> {
        let inner = &mut *self.stream.shared.lock();
        let id = self.stream.id;
        if let Some(error) = inner.error(id) {
            return Poll::Ready(Err(error));
        }
        let capacity = inner.capacity(id);
        if capacity > known {
            return Poll::Ready(Ok(capacity));
        }
        if !inner.engine.takes_content(id) {
            return Poll::Ready(Err(SendError::MessageEnded.into()));
        }
        inner.wait_for_capacity(id, known, cx)
    }

    /// Queues `data`, and ends the message after it if `end_stream` is set.
    ///
    /// Data beyond the [capacity](Self::capacity) stays in memory until the peer opens window.
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended, or [`Error::Send`] if the message cannot take content, or not so much.
    pub fn send_data(&mut self, data: Bytes, end_stream: bool) -> Result<(), Error> {
        self.stream.operate(|inner, id| {
            let result = inner.engine.queue_data(id, data, end_stream);
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }

    /// Queues a copy of `data`, in memory that the connection uses again; otherwise like
    /// [`send_data`](Self::send_data).
    ///
    /// While many copies wait to be written, no stream has [capacity](Self::capacity).
    ///
    /// # Errors
    ///
    /// Those of [`send_data`](Self::send_data).
    pub fn send_copy(&mut self, data: &mut impl Buf, end_stream: bool) -> Result<(), Error> {
        self.stream.operate(|inner, id| {
            let copy = inner.copy(data);
            let result = inner.engine.queue_data(id, copy, end_stream);
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }

    /// Ends the message.
    ///
    /// # Errors
    ///
    /// Those of [`send_data`](Self::send_data).
    pub fn finish(&mut self) -> Result<(), Error> {
        self.send_data(Bytes::new(), true)
    }

    /// Ends the message with trailers (RFC 9113, 8.1).
    ///
    /// # Errors
    ///
    /// Returns why the stream has ended, or [`Error::Send`] if the message has ended or the fields are not allowed in
    /// trailers.
    pub fn send_trailers(&mut self, trailers: &HeaderMap) -> Result<(), Error> {
        let trailers = FieldSection::from(trailers);
        self.stream.operate(|inner, id| {
            let result = inner.engine.send_trailers(id, &trailers);
            result.map_err(|error| inner.operation_error(id, error.into()))
        })
    }

    /// Resets the stream in both directions (RFC 9113, 6.4). The call has no effect if the stream has ended.
    pub fn reset(&mut self, code: ErrorCode) {
        self.stream.reset(code);
    }

    /// Waits until either endpoint resets the stream, and returns the reset.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, if that comes first.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<StreamError, Error>> {
        self.stream.poll_reset(cx)
    }

    /// Sets the priority of the message that this endpoint receives (client) or sends (server), and tells the server
    /// (RFC 9218, 7).
    ///
    /// # Errors
    ///
    /// Returns [`Error::Send`] if the stream has ended.
    pub fn set_priority(&mut self, priority: Priority) -> Result<(), Error> {
        self.stream.set_priority(priority)
    }
}
