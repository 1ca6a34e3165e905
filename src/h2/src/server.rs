//! The server end of a connection.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http2_tokio::{Config, SettingId, server};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::{change_setting, limit, max_send_streams};
use crate::config::{self, Passive};
use crate::error::User;
use crate::share::reason_of;
use crate::{Error, PingPong, Reason, RecvStream, SendStream, StreamId, ext};

/// Begins a connection with the default configuration.
pub fn handshake<T>(io: T) -> Handshake<T, Bytes>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    Builder::new().handshake(io)
}

/// Configures a server's connection.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (socket, client) = tokio::io::duplex(65_536);
/// # let (_client, connection) = h2::client::handshake(client).await?;
/// # tokio::spawn(connection);
/// let mut connection = h2::server::Builder::new()
///     .max_concurrent_streams(250)
///     .enable_connect_protocol()
///     .handshake::<_, bytes::Bytes>(socket)
///     .await?;
/// connection.graceful_shutdown();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    config: Config,
}

impl Builder {
    /// Creates a builder with the defaults.
    pub fn new() -> Self {
        Self { config: config::new() }
    }

    /// Sets SETTINGS_INITIAL_WINDOW_SIZE (default 65,535).
    ///
    /// # Panics
    ///
    /// Panics if the size exceeds 2^31-1.
    pub fn initial_window_size(&mut self, size: u32) -> &mut Self {
        config::set_initial_window_size(&mut self.config, size);
        self
    }

    /// Sets the receive window of the connection (default, and least, 65,535).
    ///
    /// # Panics
    ///
    /// Panics if the size exceeds 2^31-1.
    pub fn initial_connection_window_size(&mut self, size: u32) -> &mut Self {
        config::set_connection_window(&mut self.config, size);
        self
    }

    /// Sets SETTINGS_MAX_FRAME_SIZE (default 16,384).
    ///
    /// # Panics
    ///
    /// Panics if the size is not 16,384 to 16,777,215.
    pub fn max_frame_size(&mut self, max: u32) -> &mut Self {
        config::set_max_frame_size(&mut self.config, max);
        self
    }

    /// Sets SETTINGS_MAX_HEADER_LIST_SIZE (default 16 MiB).
    pub fn max_header_list_size(&mut self, max: u32) -> &mut Self {
        config::set_max_header_list_size(&mut self.config, max);
        self
    }

    /// Sets SETTINGS_HEADER_TABLE_SIZE (default 4,096).
    pub fn header_table_size(&mut self, size: u32) -> &mut Self {
        config::set(&mut self.config, SettingId::HEADER_TABLE_SIZE, size);
        self
    }

    /// Sets SETTINGS_MAX_CONCURRENT_STREAMS: how many requests the client may have open.
    pub fn max_concurrent_streams(&mut self, max: u32) -> &mut Self {
        config::set(&mut self.config, SettingId::MAX_CONCURRENT_STREAMS, max);
        self
    }

    /// Has no effect: the engine bounds closed streams otherwise.
    pub fn max_concurrent_reset_streams(&mut self, _max: usize) -> &mut Self {
        self
    }

    /// Sets how many streams are reset because of the peer's errors before the connection ends with ENHANCE_YOUR_CALM
    /// (default 1,024); `None` for no limit.
    pub fn max_local_error_reset_streams(&mut self, max: Option<usize>) -> &mut Self {
        self.config.limits.stream_errors = max.map(|max| u32::try_from(max).unwrap_or(u32::MAX));
        self
    }

    /// Has no effect: requests that were reset before they were accepted are not shown to the application.
    pub fn max_pending_accept_reset_streams(&mut self, _max: usize) -> &mut Self {
        self
    }

    /// Sets the content that a stream reports as capacity at most (default 400 KiB).
    ///
    /// # Panics
    ///
    /// Panics if the size exceeds `u32::MAX`.
    pub fn max_send_buffer_size(&mut self, max: usize) -> &mut Self {
        config::set_send_buffer(&mut self.config, max);
        self
    }

    /// Has no effect: the engine remembers a stream that it has reset until the peer has surely seen that.
    pub fn reset_stream_duration(&mut self, _dur: Duration) -> &mut Self {
        self
    }

    /// Enables extended CONNECT (RFC 8441).
    pub fn enable_connect_protocol(&mut self) -> &mut Self {
        self.config.enable_connect_protocol = true;
        self
    }

    /// Has no effect: the engine keeps small DATA frames in as much memory as they have bytes.
    pub fn data_frame_budget(&mut self, _budget: usize) -> &mut Self {
        self
    }

    /// Begins a connection over a transport; the future waits for the client's preface.
    pub fn handshake<T, B>(&self, io: T) -> Handshake<T, B>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        B: Buf,
    {
        let connection = server::handshake_with_clock(io, self.config.clone(), Passive::new());
        let max_recv_streams = limit(self.config.max_concurrent_streams);
        Handshake { connection: Some(connection), max_recv_streams, data: PhantomData }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// A connection that waits for the client's preface; a future.
#[must_use = "futures do nothing unless polled"]
pub struct Handshake<T, B: Buf = Bytes> {
    connection: Option<Result<server::Connection<T, Passive>, http2_tokio::Error>>,
    max_recv_streams: usize,
    data: PhantomData<fn(B)>,
}

impl<T, B> Future for Handshake<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Output = Result<Connection<T, B>, Error>;

    /// # Panics
    ///
    /// Panics if it is polled after it was complete.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(Ok(connection)) = &mut self.connection
            && let Err(error) = ready!(connection.poll_handshake(cx))
        {
            self.connection = None;
            return Poll::Ready(Err(Error::of_handshake(error)));
        }
        match self.connection.take() {
            Some(Ok(inner)) => {
                let max_recv_streams = self.max_recv_streams;
                Poll::Ready(Ok(Connection {
                    inner,
                    max_recv_streams,
                    has_ping_pong: true,
                    data: PhantomData,
                }))
            }
            Some(Err(error)) => Poll::Ready(Err(Error::of_handshake(error))),
            None => panic!("polled after completion"),
        }
    }
}

impl<T, B: Buf> fmt::Debug for Handshake<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

/// The connection itself, which yields the requests and moves the bytes of all streams.
#[must_use = "nothing moves unless requests are accepted"]
pub struct Connection<T, B: Buf> {
    inner: server::Connection<T, Passive>,
    max_recv_streams: usize,
    has_ping_pong: bool,
    data: PhantomData<fn(B)>,
}

impl<T, B> Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    /// Returns the next request; `None` once the connection has ended.
    ///
    /// Bytes move only while this or [`poll_closed`](Self::poll_closed) is polled.
    pub async fn accept(&mut self) -> Option<Result<(Request<RecvStream>, SendResponse<B>), Error>> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    #[doc(hidden)]
    #[allow(clippy::type_complexity, reason = "the item of a stream of requests")]
    pub fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Request<RecvStream>, SendResponse<B>), Error>>> {
        let request = match ready!(self.inner.poll_accept(cx)) {
            Some(Err(error)) => Error::of_connection(Err(error)).err().map(Err),
            request => request.map(|request| Ok(request?)),
        };
        Poll::Ready(request.map(|request| {
            let (mut request, respond) = request?;
            ext::from_engine(request.extensions_mut());
            let respond = SendResponse { inner: respond, responded: false, data: PhantomData };
            Ok((request.map(RecvStream::new), respond))
        }))
    }

    /// Changes the receive window that is maintained for the connection, at most 2^31-1 bytes.
    pub fn set_target_window_size(&mut self, size: u32) {
        config::set_target_window(&self.inner.control(), size);
    }

    /// Changes SETTINGS_INITIAL_WINDOW_SIZE.
    ///
    /// # Errors
    ///
    /// Returns an error if earlier SETTINGS are not acknowledged yet.
    pub fn set_initial_window_size(&mut self, size: u32) -> Result<(), Error> {
        change_setting(&self.inner.control(), SettingId::INITIAL_WINDOW_SIZE, size)
    }

    /// Enables extended CONNECT (RFC 8441).
    ///
    /// # Errors
    ///
    /// Returns an error if earlier SETTINGS are not acknowledged yet.
    pub fn enable_connect_protocol(&mut self) -> Result<(), Error> {
        change_setting(&self.inner.control(), SettingId::ENABLE_CONNECT_PROTOCOL, 1)
    }

    /// Moves bytes until the connection has ended, without accepting requests.
    ///
    /// # Errors
    ///
    /// Returns why the connection has ended, unless it was orderly.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_closed(cx).map(Error::of_connection)
    }

    /// Ends the connection at once with GOAWAY.
    pub fn abrupt_shutdown(&mut self, reason: Reason) {
        self.inner.control().abort(reason.into(), b"");
    }

    /// Ends the connection gracefully: no new requests are accepted, and those in progress continue.
    pub fn graceful_shutdown(&mut self) {
        self.inner.control().shutdown();
    }

    /// Returns the handle for PINGs, once.
    pub fn ping_pong(&mut self) -> Option<PingPong> {
        std::mem::take(&mut self.has_ping_pong).then(|| PingPong::new(self.inner.control()))
    }

    /// Returns whether a stream is active.
    pub fn has_streams(&self) -> bool {
        self.inner.control().stats().streams_open > 0
    }

    /// Returns how many pushes this endpoint may have open.
    pub fn max_concurrent_send_streams(&self) -> usize {
        max_send_streams(&self.inner.control())
    }

    /// Returns how many requests the client may have open.
    pub fn max_concurrent_recv_streams(&self) -> usize {
        self.max_recv_streams
    }
}

#[cfg(feature = "unstable")]
impl<T, B> Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    /// Returns the number of streams that occupy memory.
    pub fn num_wired_streams(&self) -> usize {
        usize::try_from(self.inner.control().stats().streams_open).unwrap_or(usize::MAX)
    }
}

#[cfg(feature = "stream")]
impl<T, B> futures_core::Stream for Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Item = Result<(Request<RecvStream>, SendResponse<B>), Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_accept(cx)
    }
}

impl<T, B: Buf> fmt::Debug for Connection<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Answers a request.
pub struct SendResponse<B: Buf> {
    inner: server::Respond,
    responded: bool,
    data: PhantomData<fn(B)>,
}

impl<B: Buf> SendResponse<B> {
    /// Sends an informational response, any number of which may precede the response.
    ///
    /// # Errors
    ///
    /// Returns an error if the status is not 1xx, if the response was sent, or if the stream has ended.
    pub fn send_informational(&mut self, response: Response<()>) -> Result<(), Error> {
        if !response.status().is_informational() {
            return Err(User::InvalidInformationalStatusCode.into());
        }
        self.inner.send_informational(response).map_err(Error::of_fields)
    }

    /// Sends the head of the response.
    ///
    /// # Errors
    ///
    /// Returns an error if the head is malformed, if a response was sent before, or if the stream has ended.
    pub fn send_response(
        &mut self,
        response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendStream<B>, Error> {
        let content = self.inner.send_response(response, end_of_stream).map_err(Error::of_fields)?;
        self.responded = true;
        Ok(SendStream::new(content))
    }

    /// Promises to answer a request that the client has not made.
    ///
    /// # Errors
    ///
    /// Returns an error if the client has disabled push, if the request cannot be promised, or if the stream has ended.
    pub fn push_request(&mut self, request: Request<()>) -> Result<SendPushedResponse<B>, Error> {
        let inner = self.inner.push_request(request)?;
        Ok(SendPushedResponse { inner: Self { inner, responded: false, data: PhantomData } })
    }

    /// Resets the stream.
    pub fn send_reset(&mut self, reason: Reason) {
        self.inner.reset(reason.into());
    }

    /// Waits until the client resets the stream, and returns its reason.
    ///
    /// # Errors
    ///
    /// Returns an error if the response was sent: the [`SendStream`] tells of resets then. Returns why the connection has
    /// ended, if no code is known.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        if self.responded {
            return Poll::Ready(Err(User::PollResetAfterSendResponse.into()));
        }
        self.inner.poll_reset(cx).map(|reset| reason_of(self.stream_id(), reset))
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        StreamId::new(self.inner.stream_id())
    }
}

impl<B: Buf> fmt::Debug for SendResponse<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Answers a promised request.
#[derive(Debug)]
pub struct SendPushedResponse<B: Buf> {
    inner: SendResponse<B>,
}

impl<B: Buf> SendPushedResponse<B> {
    /// Sends the head of the response.
    ///
    /// # Errors
    ///
    /// Those of [`SendResponse::send_response`].
    pub fn send_response(
        &mut self,
        response: Response<()>,
        end_of_stream: bool,
    ) -> Result<SendStream<B>, Error> {
        self.inner.send_response(response, end_of_stream)
    }

    /// Resets the stream.
    pub fn send_reset(&mut self, reason: Reason) {
        self.inner.send_reset(reason);
    }

    /// Waits until the client resets the stream, and returns its reason.
    ///
    /// # Errors
    ///
    /// Those of [`SendResponse::poll_reset`].
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reason, Error>> {
        self.inner.poll_reset(cx)
    }

    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.inner.stream_id()
    }
}
