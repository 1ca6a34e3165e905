//! Content and trailers of received and sent messages.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http2_engine::{ErrorCode, Windows};

use super::command::{Command, Operation, Send};
use super::error::Error;
use super::handle::{Next, Stream};
use super::head;

/// The content of a received message, and its trailers.
///
/// The peer sends no more than the receive windows allow. Reading content reopens them, unless
/// [`manual_window_update`](super::Options::manual_window_update) is set.
pub struct RecvBody {
    stream: Stream,
    data: Next<Option<Bytes>>,
}

impl RecvBody {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, data: Next::new() }
    }

    /// Waits for content, and returns `None` at its end.
    ///
    /// Cancel-safe: no content is lost.
    ///
    /// # Errors
    ///
    /// Once all content that arrived before has been read: [`StreamReset`](super::ErrorKind::StreamReset), or the
    /// reason why the connection ended.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// Polls for content; the poll form of [`data`](Self::data), for implementing other interfaces.
    ///
    /// # Errors
    ///
    /// The errors of [`data`](Self::data).
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let Self { stream, data } = self;
        let read = |answer| Command::Stream(stream.id(), Operation::Read(answer));
        data.poll(cx, stream.connection(), read).map(Result::transpose)
    }

    /// Returns the trailers once, or `None` if the message ends without them.
    ///
    /// Unread content is discarded.
    ///
    /// # Errors
    ///
    /// The errors of [`data`](Self::data).
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        while let Some(data) = self.data().await {
            data?;
        }
        self.stream.ask(Operation::Trailers).await
    }

    /// Raises the stream's receive window by `bytes` (RFC 9113, 6.9).
    ///
    /// The connection has its own window; see [`Control::window_update`](super::Control::window_update).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for 0, or if the window would exceed 2^31-1.
    pub async fn window_update(&self, bytes: u32) -> Result<(), Error> {
        self.stream.ask(|answer| Operation::WindowUpdate(bytes, answer)).await
    }

    /// Returns the stream's flow-control windows.
    ///
    /// # Errors
    ///
    /// The reason why the connection ended.
    pub async fn windows(&self) -> Result<Windows, Error> {
        self.stream.ask(Operation::Windows).await
    }

    /// Returns the stream identifier (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Resets the stream with `code`, which ends both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}

/// The content of a message to send, and its trailers.
///
/// The caller must end every message that it begins. Dropping all handles on the stream before the end resets it with
/// CANCEL.
pub struct SendBody {
    stream: Stream,
}

impl SendBody {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream }
    }

    /// Sends content, and waits until the stream's send buffer has taken all of it.
    ///
    /// With `end_of_stream`, `data` is the last of the content, and may be empty.
    ///
    /// This method is not cancel-safe: a caller that stops waiting does not know how much was taken, and can only
    /// [`reset`](Self::reset) the stream.
    ///
    /// # Errors
    ///
    /// [`InvalidState`](super::ErrorKind::InvalidState) after the end; [`StreamReset`](super::ErrorKind::StreamReset);
    /// the reason why the connection ended.
    pub async fn send_data(&mut self, data: impl Into<Bytes>, end_of_stream: bool) -> Result<(), Error> {
        let data = data.into();
        self.stream.ask(|answer| Operation::Send(Send { data, end_of_stream, answer })).await
    }

    /// Ends the message with trailers.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for fields that are not allowed in trailers; the errors
    /// of [`send_data`](Self::send_data).
    pub async fn send_trailers(&mut self, trailers: &HeaderMap) -> Result<(), Error> {
        let trailers = head::to_fields(trailers);
        self.stream.ask(|answer| Operation::SendTrailers(trailers, answer)).await
    }

    /// Returns the stream identifier (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Resets the stream with `code`, which ends both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}
