//! Content and trailers, received and sent.

use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http2_engine::ErrorCode;

use super::command::{Command, Operation, Send};
use super::error::Error;
use super::handle::{Next, Stream};
use super::head;

/// The content of a message that is received, and its trailers.
///
/// The peer sends no more than the receive windows allow. What is read makes room again, unless
/// [`manual_window_update`](super::Options::manual_window_update) was chosen.
pub struct RecvBody {
    stream: Stream,
    data: Next<Option<Bytes>>,
}

impl RecvBody {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, data: Next::new() }
    }

    /// Waits for content; none at its end. Who stops waiting loses nothing.
    ///
    /// # Errors
    ///
    /// After all that arrived before: [`StreamReset`](super::ErrorKind::StreamReset), or why the connection has ended.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// As [`data`](Self::data), for the implementation of other interfaces.
    ///
    /// # Errors
    ///
    /// Those of [`data`](Self::data).
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let Self { stream, data } = self;
        let read = |answer| Command::Stream(stream.id(), Operation::Read(answer));
        data.poll(cx, stream.connection(), read).map(Result::transpose)
    }

    /// The trailers, once; none if the message ends without them. Content that was not read is thrown away.
    ///
    /// # Errors
    ///
    /// Those of [`data`](Self::data).
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        while let Some(data) = self.data().await {
            data?;
        }
        self.stream.ask(Operation::Trailers).await
    }

    /// Raises the stream's receive window by `octets` (RFC 9113, 6.9). The connection has one of its own:
    /// [`Control::window_update`](super::Control::window_update).
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for 0, or if the window would pass 2^31-1.
    pub async fn window_update(&self, octets: u32) -> Result<(), Error> {
        self.stream.ask(|answer| Operation::WindowUpdate(octets, answer)).await
    }

    /// The peer's credit on this stream, and ours, in octets: (receive window, send window).
    ///
    /// # Errors
    ///
    /// Why the connection has ended.
    pub async fn windows(&self) -> Result<(i64, i64), Error> {
        self.stream.ask(Operation::Windows).await
    }

    /// The identifier of the stream (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Ends the stream at once, in both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}

/// The content of a message that is sent, and its trailers.
///
/// A message that was begun has to be ended: who drops this, and all else of the stream, before the end resets the
/// stream with CANCEL.
pub struct SendBody {
    stream: Stream,
}

impl SendBody {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream }
    }

    /// Sends content, and waits until the stream's send buffer has taken all of it. With `end_of_stream`, it is the
    /// last, and may be empty.
    ///
    /// Who stops waiting does not know how much was taken, and can only [`reset`](Self::reset) the stream.
    ///
    /// # Errors
    ///
    /// [`InvalidState`](super::ErrorKind::InvalidState) after the end; [`StreamReset`](super::ErrorKind::StreamReset);
    /// why the connection has ended.
    pub async fn send_data(&mut self, data: impl Into<Bytes>, end_of_stream: bool) -> Result<(), Error> {
        let data = data.into();
        self.stream.ask(|answer| Operation::Send(Send { data, end_of_stream, answer })).await
    }

    /// Ends the message with trailers.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](super::ErrorKind::InvalidArgument) for fields that cannot be trailers; those of
    /// [`send_data`](Self::send_data).
    pub async fn send_trailers(&mut self, trailers: &HeaderMap) -> Result<(), Error> {
        let trailers = head::to_fields(trailers);
        self.stream.ask(|answer| Operation::SendTrailers(trailers, answer)).await
    }

    /// The identifier of the stream (RFC 9113, 5.1.1).
    pub fn stream_id(&self) -> u32 {
        self.stream.id()
    }

    /// Ends the stream at once, in both directions.
    pub fn reset(&self, code: ErrorCode) {
        self.stream.reset(code.0);
    }
}
