//! The receiving half of a stream.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http2_engine::{ErrorCode, Read, StreamId};

use crate::error::Error;
use crate::send::StreamRef;
use crate::shared::{Inner, Wait};

/// The content and the trailers of a received message; a [`Body`].
///
/// Reading returns flow-control credit to the peer, and the windows grow with the bandwidth of the connection. A caller
/// that decides itself when the peer may send more takes [`flow_control`](Self::flow_control).
///
/// If the handle is dropped, the rest of the message is discarded.
#[derive(Debug)]
pub struct RecvStream {
    stream: StreamRef,
    manual: bool,
    state: State,
}

/// The part of the message that comes next.
#[derive(Debug)]
enum State {
    /// Content, and the length of it if known.
    Content(Option<u64>),
    /// The content has ended; the trailers may not be taken yet. They are boxed because few messages have any.
    Trailers(Box<HeaderMap>),
    End,
}

impl RecvStream {
    /// Creates the receiving half of a message with the fields `headers`.
    pub(crate) fn new(stream: StreamRef, headers: &HeaderMap, end_stream: bool) -> Self {
        if end_stream {
            return Self { stream, manual: false, state: State::End };
        }
        let length = headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        Self { stream, manual: false, state: State::Content(length) }
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id
    }

    /// Returns the next piece of content, or `None` after the last.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// Returns the trailers, after all content was read; `None` if the message has none.
    ///
    /// # Errors
    ///
    /// Returns why the message is incomplete.
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        poll_fn(|cx| self.poll_trailers(cx)).await
    }

    /// Waits for the next piece of content; `None` follows the last.
    ///
    /// # Errors
    ///
    /// Returns why the message is incomplete, after all content that arrived before.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let State::Content(length) = &mut self.state else { return Poll::Ready(None) };
        let manual = self.manual;
        let read = self.stream.operate(|inner, id| match inner.read(id, manual) {
            Ok(Read::Blocked) => inner.wait(id, Wait::Receive, cx),
            read => Poll::Ready(read),
        });
        match ready!(read) {
            Ok(Read::Data(data)) => {
                let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
                *length = length.map(|length| length.saturating_sub(bytes));
                Poll::Ready(Some(Ok(data)))
            }
            Ok(Read::Trailers(trailers)) => {
                self.state = match trailers.into_header_map() {
                    Ok(trailers) => State::Trailers(Box::new(trailers)),
                    Err(_) => {
                        self.stream.reset(ErrorCode::PROTOCOL_ERROR);
                        return Poll::Ready(Some(Err(self.error())));
                    }
                };
                Poll::Ready(None)
            }
            Ok(Read::End | Read::Blocked) => {
                self.state = State::End;
                Poll::Ready(None)
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    /// Waits for the trailers; `None` if the message has none, or if they were returned before.
    ///
    /// Content that was not read is discarded.
    ///
    /// # Errors
    ///
    /// Returns why the message is incomplete.
    pub fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        loop {
            match std::mem::replace(&mut self.state, State::End) {
                content @ State::Content(_) => {
                    self.state = content;
                    if let Some(data) = ready!(self.poll_data(cx)) {
                        let unread = data?.len();
                        if self.manual {
                            self.stream.operate(|inner, id| inner.credit(id, unread))?;
                        }
                    }
                }
                State::Trailers(trailers) => return Poll::Ready(Ok(Some(*trailers))),
                State::End => return Poll::Ready(Ok(None)),
            }
        }
    }

    /// Returns whether the whole message was read, including its trailers.
    pub fn is_end_stream(&self) -> bool {
        match self.state {
            State::Content(_) => self.stream.operate(|inner, id| inner.engine.is_read(id)),
            State::Trailers(_) => false,
            State::End => true,
        }
    }

    /// Returns whether the message has ended with a DATA frame without content.
    pub fn has_empty_end(&self) -> bool {
        self.stream.operate(|inner, id| inner.engine.has_empty_end(id))
    }

    /// Leaves the flow control of this message to the caller, from now on.
    ///
    /// The peer gets credit for the data read from now on only when the caller
    /// [releases](FlowControl::release_capacity) it.
    pub fn flow_control(&mut self) -> FlowControl {
        self.set_manual_credit();
        FlowControl { stream: self.stream.clone() }
    }

    /// Leaves the flow control of this message to the caller, who takes [`flow_control`](Self::flow_control) later.
    pub fn set_manual_credit(&mut self) {
        self.manual = true;
    }

    /// Resets the stream in both directions (RFC 9113, 6.4). The call has no effect if the stream has ended.
    pub fn reset(&mut self, code: ErrorCode) {
        self.stream.reset(code);
    }

    fn error(&self) -> Error {
        self.stream.operate(|inner, id| inner.error(id)).unwrap_or(Error::Dropped)
    }
}

impl Drop for RecvStream {
    fn drop(&mut self) {
        if matches!(self.state, State::Content(_)) {
            self.stream.operate(Inner::stop_reading);
        }
    }
}

impl Body for RecvStream {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(data) = ready!(self.poll_data(cx)) {
            return Poll::Ready(Some(data.map(Frame::data)));
        }
        let trailers = ready!(self.poll_trailers(cx));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        Self::is_end_stream(self)
    }

    fn size_hint(&self) -> SizeHint {
        match self.state {
            State::Content(None) => SizeHint::default(),
            State::Content(Some(length)) => SizeHint::with_exact(length),
            State::Trailers(_) | State::End => SizeHint::with_exact(0),
        }
    }
}

/// The receive window of a stream, in the hands of the caller; see [`RecvStream::flow_control`].
///
/// ```
/// # use bytes::Bytes;
/// # use http::Request;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (mut client, server) = pair()?;
/// # tokio::spawn(echo(server));
/// let request = Request::post("http://localhost/").body(())?;
/// let (response, mut content) = client.send_request(request, false)?;
/// content.send(Bytes::from_static(b"content")).await?;
/// let mut body = response.await?.into_body();
/// let mut window = body.flow_control();
///
/// let data = body.data().await.expect("content")?;
/// assert_eq!(window.used_capacity(), data.len());
/// // The data was processed: the server may send as much again.
/// window.release_capacity(data.len())?;
/// assert_eq!(window.used_capacity(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FlowControl {
    stream: StreamRef,
}

impl FlowControl {
    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.stream.id
    }

    /// Returns the bytes that the peer may send on the stream now; negative after the window was lowered by SETTINGS
    /// (RFC 9113, 6.9.2).
    pub fn available_capacity(&self) -> i64 {
        self.stream.operate(|inner, id| inner.engine.stream_windows(id).map_or(0, |windows| windows.receive))
    }

    /// Returns the released bytes that the peer learns of along with later ones.
    pub fn pending_capacity(&self) -> usize {
        self.stream.operate(|inner, id| inner.engine.pending_credit(id) as usize)
    }

    /// Returns the bytes that were read and not released.
    pub fn used_capacity(&self) -> usize {
        self.stream.operate(|inner, id| inner.uncredited(id) as usize)
    }

    /// Lets the peer send as many bytes again, on the stream and on the connection.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ReleasedTooMuch`] if more is released than was read.
    pub fn release_capacity(&mut self, bytes: usize) -> Result<(), Error> {
        self.stream.operate(|inner, id| inner.credit(id, bytes))
    }
}
