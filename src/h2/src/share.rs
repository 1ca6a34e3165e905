//! Content, flow control, and PING, alike for clients and servers.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http2_tokio::Control;

use crate::error::User;
use crate::{Error, Reason};

/// Largest content of one call, in bytes.
const PAYLOAD_MAX: usize = (1 << 31) - 1;

/// The identifier of a stream (RFC 9113, 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId(u32);

impl StreamId {
    pub(crate) fn new(id: http2_tokio::StreamId) -> Self {
        Self(id.as_u32())
    }

    /// Returns the number.
    pub fn as_u32(&self) -> u32 {
        self.0
    }
}

impl From<StreamId> for u32 {
    fn from(id: StreamId) -> Self {
        id.0
    }
}

/// Sends the content and the trailers of a message.
///
/// [`send_data`](Self::send_data) never waits. A caller that sends no faster than the peer reads
/// [reserves](Self::reserve_capacity) capacity, and [waits](Self::poll_capacity) for it.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (ours, theirs) = tokio::io::duplex(65_536);
/// # tokio::spawn(async move {
/// #     let mut connection = h2::server::handshake(theirs).await?;
/// #     while let Some(request) = connection.accept().await {
/// #         let (request, mut respond) = request?;
/// #         tokio::spawn(async move {
/// #             let mut body = request.into_body();
/// #             while let Some(Ok(data)) = body.data().await {
/// #                 let _ = body.flow_control().release_capacity(data.len());
/// #             }
/// #             respond.send_response(Response::new(()), true)
/// #         });
/// #     }
/// #     Ok::<_, h2::Error>(())
/// # });
/// # let (mut client, connection) = h2::client::handshake(ours).await?;
/// # tokio::spawn(connection);
/// let request = Request::post("http://localhost/").body(())?;
/// let (response, mut content) = client.send_request(request, false)?;
/// let mut data = Bytes::from(vec![7; 1_000_000]);
/// while !data.is_empty() {
///     content.reserve_capacity(data.len());
///     let capacity = std::future::poll_fn(|cx| content.poll_capacity(cx)).await.expect("the stream is open")?;
///     content.send_data(data.split_to(capacity.min(data.len())), data.is_empty())?;
/// }
/// assert_eq!(response.await?.status(), 200);
/// # Ok(())
/// # }
/// ```
pub struct SendStream<B> {
    inner: http2_tokio::SendStream,
    /// Bytes that the caller has asked for and not sent.
    requested: usize,
    /// The capacity that the caller knows of.
    reported: usize,
    data: PhantomData<fn(B)>,
}

impl<B: Buf> SendStream<B> {
    pub(crate) fn new(inner: http2_tokio::SendStream) -> Self {
        Self { inner, requested: 0, reported: 0, data: PhantomData }
    }

    /// Asks for capacity to send `capacity` bytes in addition to those already buffered.
    ///
    /// A later call replaces the number.
    pub fn reserve_capacity(&mut self, capacity: usize) {
        self.requested = capacity;
        self.reported = self.reported.min(capacity);
    }

    /// Returns how much of the reserved capacity could be sent at once.
    pub fn capacity(&self) -> usize {
        self.inner.capacity().min(self.requested)
    }

    /// Waits until the capacity has grown, and returns all of it; `None` once the stream takes no more content.
    pub fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<usize, Error>>> {
        // Another stream may have used the connection's window in the meantime.
        self.reported = self.reported.min(self.capacity());
        // More than was reserved is not reported. Only the end of the stream is left to wait for then.
        let known = if self.reported < self.requested { self.reported } else { usize::MAX };
        match ready!(self.inner.poll_capacity_above(cx, known)) {
            Ok(capacity) => {
                self.reported = capacity.min(self.requested);
                Poll::Ready(Some(Ok(self.reported)))
            }
            Err(_) => Poll::Ready(None),
        }
    }

    /// Sends `data`, and ends the message after it if `end_of_stream` is set.
    ///
    /// Data beyond the [capacity](Self::capacity) is buffered without a limit.
    ///
    /// # Errors
    ///
    /// Returns an error if the message or the stream has ended, or if the data exceeds 2^31-1 bytes.
    pub fn send_data(&mut self, mut data: B, end_of_stream: bool) -> Result<(), Error> {
        let bytes = data.remaining();
        if bytes > PAYLOAD_MAX {
            return Err(User::PayloadTooBig.into());
        }
        if is_bytes::<B>() {
            self.inner.send_data(data.copy_to_bytes(bytes), end_of_stream)
        } else {
            self.inner.send_copy(&mut data, end_of_stream)
        }
        .map_err(Error::of_content)?;
        self.requested = self.requested.saturating_sub(bytes);
        self.reported = self.reported.saturating_sub(bytes);
        Ok(())
    }

    /// Ends the message with trailers.
    ///
    /// # Errors
    ///
    /// Returns an error if the message or the stream has ended, or if a field is not allowed in trailers.
    pub fn send_trailers(&mut self, trailers: HeaderMap) -> Result<(), Error> {
        self.inner.send_trailers(&trailers).map_err(Error::of_fields)
    }

    /// Resets the stream.
    pub fn send_reset(&mut self, reason: Reason) {
        self.inner.reset(reason.into());
    }

    /// Waits until the peer resets the stream, and returns its reason.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, if no code is known.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        self.inner.poll_reset(cx).map(|reset| reason_of(self.stream_id(), reset))
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        StreamId::new(self.inner.stream_id())
    }
}

impl<B> fmt::Debug for SendStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Returns whether `B` is [`Bytes`], which are taken over without a copy.
///
/// `B` need not be `'static`, so that it has no `TypeId`. A type of the same name would only be copied less well.
fn is_bytes<B>() -> bool {
    std::any::type_name::<B>() == std::any::type_name::<Bytes>()
}

/// Returns the reason of a reset, or of the GOAWAY that ended the stream.
pub(crate) fn reason_of(
    id: StreamId,
    reset: Result<http2_tokio::StreamError, http2_tokio::Error>,
) -> Result<Reason, Error> {
    match reset {
        Ok(reset) => Ok(reset.code.into()),
        Err(error) => Error::of_stream(id, error).into_reason(),
    }
}

/// Receives the content and the trailers of a message.
///
/// The peer may send more only as the caller [releases](FlowControl::release_capacity) the capacity that the data has
/// used.
#[must_use = "a stream that is dropped discards its content"]
pub struct RecvStream {
    inner: http2_tokio::RecvStream,
    /// Content that was found while the caller asked for trailers, which is rare.
    unread: Option<Box<Bytes>>,
    /// Whether the caller knows that the message has ended.
    ended: bool,
    flow: Option<FlowControl>,
}

impl RecvStream {
    pub(crate) fn new(mut inner: http2_tokio::RecvStream) -> Self {
        inner.set_manual_credit();
        Self { inner, unread: None, ended: false, flow: None }
    }

    /// Returns the next piece of content; `None` follows the last.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// Returns the trailers, if there are any, after all content was read.
    ///
    /// # Errors
    ///
    /// Returns why the message is incomplete.
    pub async fn trailers(&mut self) -> Result<Option<HeaderMap>, Error> {
        poll_fn(|cx| self.poll_trailers(cx)).await
    }

    /// Waits for the next piece of content; `None` follows the last.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(data) = self.unread.take() {
            return Poll::Ready(Some(Ok(*data)));
        }
        match ready!(self.inner.poll_data(cx)) {
            // A last frame without content is given out, too.
            None if !std::mem::replace(&mut self.ended, true) && self.inner.has_empty_end() => {
                Poll::Ready(Some(Ok(Bytes::new())))
            }
            data => Poll::Ready(data.map(|data| data.map_err(|error| self.error(error)))),
        }
    }

    fn error(&self, error: http2_tokio::Error) -> Error {
        Error::of_stream(self.stream_id(), error)
    }

    #[doc(hidden)]
    pub fn poll_trailers(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, Error>> {
        if self.unread.is_none()
            && let Some(data) = ready!(self.inner.poll_data(cx))
        {
            self.unread = Some(Box::new(data.map_err(|error| self.error(error))?));
        }
        if self.unread.is_some() {
            // The caller has to read it first.
            return Poll::Pending;
        }
        let trailers = ready!(self.inner.poll_trailers(cx));
        Poll::Ready(trailers.map_err(|error| self.error(error)))
    }

    /// Returns whether the whole message was read.
    pub fn is_end_stream(&self) -> bool {
        self.unread.is_none() && self.inner.is_end_stream() && (self.ended || !self.inner.has_empty_end())
    }

    /// Returns the flow control of the stream.
    pub fn flow_control(&mut self) -> &mut FlowControl {
        self.flow.get_or_insert_with(|| FlowControl { inner: self.inner.flow_control() })
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        StreamId::new(self.inner.stream_id())
    }
}

impl fmt::Debug for RecvStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for RecvStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_data(cx)
    }
}

/// The receive window of a stream, which the caller replenishes.
#[derive(Clone, Debug)]
pub struct FlowControl {
    inner: http2_tokio::FlowControl,
}

impl FlowControl {
    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        StreamId::new(self.inner.stream_id())
    }

    /// Returns the bytes that the peer may send, including those that were released and not announced yet.
    pub fn available_capacity(&self) -> isize {
        let available = isize::try_from(self.inner.available_capacity()).unwrap_or(isize::MAX);
        available.saturating_add_unsigned(self.inner.pending_capacity())
    }

    /// Returns the bytes that were received and not released.
    pub fn used_capacity(&self) -> usize {
        self.inner.used_capacity()
    }

    /// Lets the peer send as many bytes again.
    ///
    /// # Errors
    ///
    /// Returns an error if more is released than was received.
    pub fn release_capacity(&mut self, sz: usize) -> Result<(), Error> {
        Ok(self.inner.release_capacity(sz)?)
    }
}

/// A PING to send.
pub struct Ping(());

impl Ping {
    /// Creates a PING whose payload this implementation chooses.
    pub fn opaque() -> Self {
        Self(())
    }
}

impl fmt::Debug for Ping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ping")
    }
}

/// The answer to a PING.
pub struct Pong(());

impl fmt::Debug for Pong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pong")
    }
}

/// Payload of all PINGs: that of h2, for peers in tests that answer before they have seen the question.
const PING: [u8; 8] = [0x3b, 0x7c, 0xdb, 0x7a, 0x0b, 0x87, 0x16, 0xb4];

/// Sends PINGs, one at a time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (ours, theirs) = tokio::io::duplex(65_536);
/// # tokio::spawn(async move {
/// #     let mut connection = h2::server::handshake(theirs).await?;
/// #     while connection.accept().await.is_some() {}
/// #     Ok::<_, h2::Error>(())
/// # });
/// let (_client, mut connection) = h2::client::handshake(ours).await?;
/// let mut pings = connection.ping_pong().expect("the first call");
/// tokio::spawn(connection);
/// pings.ping(h2::Ping::opaque()).await?;
/// # Ok(())
/// # }
/// ```
pub struct PingPong {
    control: Control,
    pending: Option<http2_tokio::Pong>,
}

impl PingPong {
    pub(crate) fn new(control: Control) -> Self {
        Self { control, pending: None }
    }

    /// Sends a PING, and waits for the answer.
    ///
    /// # Errors
    ///
    /// Returns an error if another PING is not answered yet, or why the connection has ended.
    pub async fn ping(&mut self, ping: Ping) -> Result<Pong, Error> {
        self.send_ping(ping)?;
        poll_fn(|cx| self.poll_pong(cx)).await
    }

    #[doc(hidden)]
    pub fn send_ping(&mut self, _: Ping) -> Result<(), Error> {
        if self.pending.is_some() {
            return Err(User::SendPingWhilePending.into());
        }
        self.pending = Some(self.control.ping_with(PING)?);
        Ok(())
    }

    #[doc(hidden)]
    pub fn poll_pong(&mut self, cx: &mut Context<'_>) -> Poll<Result<Pong, Error>> {
        let Some(pending) = &mut self.pending else { return Poll::Pending };
        let answered = ready!(Pin::new(pending).poll(cx));
        self.pending = None;
        Poll::Ready(answered.map(|_| Pong(())).map_err(Error::from))
    }
}

impl fmt::Debug for PingPong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PingPong").finish_non_exhaustive()
    }
}
