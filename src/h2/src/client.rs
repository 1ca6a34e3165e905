//! The client end of a connection.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http2_tokio::{Config, OpenError, SettingId, client};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::config::{self, Passive};
use crate::error::User;
use crate::{Error, PingPong, RecvStream, SendStream, StreamId, ext, head};

/// Begins a connection with the default configuration.
///
/// # Errors
///
/// None is known: the peer is not awaited.
pub async fn handshake<T>(io: T) -> Result<(SendRequest<Bytes>, Connection<T, Bytes>), Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    Builder::new().handshake(io).await
}

/// Configures a client's connection.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (socket, _) = tokio::io::duplex(65_536);
/// let (client, connection) = h2::client::Builder::new()
///     .initial_window_size(1 << 20)
///     .enable_push(false)
///     .handshake::<_, bytes::Bytes>(socket)
///     .await?;
/// # drop((client, connection));
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

    /// Sets SETTINGS_MAX_CONCURRENT_STREAMS: how many pushes the server may have open.
    pub fn max_concurrent_streams(&mut self, max: u32) -> &mut Self {
        config::set(&mut self.config, SettingId::MAX_CONCURRENT_STREAMS, max);
        self
    }

    /// Sets how many streams may be open until the server's SETTINGS arrive.
    pub fn initial_max_send_streams(&mut self, initial: usize) -> &mut Self {
        self.config.initial_max_send_streams = u32::try_from(initial).unwrap_or(u32::MAX);
        self
    }

    /// Has no effect: the engine bounds closed streams otherwise.
    pub fn max_concurrent_reset_streams(&mut self, _max: usize) -> &mut Self {
        self
    }

    /// Has no effect: the engine remembers a stream that it has reset until the peer has surely seen that.
    pub fn reset_stream_duration(&mut self, _dur: Duration) -> &mut Self {
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

    /// Sets SETTINGS_ENABLE_PUSH (default true).
    pub fn enable_push(&mut self, enabled: bool) -> &mut Self {
        config::set(&mut self.config, SettingId::ENABLE_PUSH, enabled.into());
        self
    }

    /// Sets SETTINGS_HEADER_TABLE_SIZE (default 4,096).
    pub fn header_table_size(&mut self, size: u32) -> &mut Self {
        config::set(&mut self.config, SettingId::HEADER_TABLE_SIZE, size);
        self
    }

    /// Has no effect: the engine keeps small DATA frames in as much memory as they have bytes.
    pub fn data_frame_budget(&mut self, _budget: usize) -> &mut Self {
        self
    }

    /// Sets the identifier of the first stream (default 1).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (socket, _) = tokio::io::duplex(65_536);
    /// let mut builder = h2::client::Builder::new();
    /// let (client, connection) = builder.initial_stream_id(7).handshake::<_, bytes::Bytes>(socket).await?;
    /// # tokio::spawn(connection);
    /// let request = http::Request::get("http://localhost/").body(())?;
    /// let (response, _) = client.ready().await?.send_request(request, true)?;
    /// assert_eq!(response.stream_id().as_u32(), 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the identifier is even or exceeds 2^31-1.
    #[cfg(feature = "unstable")]
    pub fn initial_stream_id(&mut self, stream_id: u32) -> &mut Self {
        assert!(stream_id % 2 == 1 && stream_id < 1 << 31, "the identifier must be odd and at most 2^31-1");
        self.config.first_stream_id = stream_id;
        self
    }

    /// Begins a connection over a transport.
    ///
    /// # Errors
    ///
    /// None is known: the peer is not awaited.
    pub fn handshake<T, B>(
        &self,
        io: T,
    ) -> impl Future<Output = Result<(SendRequest<B>, Connection<T, B>), Error>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        B: Buf,
    {
        let config = self.config.clone();
        let max_recv_streams = limit(config.max_concurrent_streams);
        async move {
            let (inner, connection) = client::handshake_with_clock(io, config, Passive::new())?;
            let client = SendRequest { inner, max_recv_streams, waiting: None, data: PhantomData };
            let connection =
                Connection { inner: connection, max_recv_streams, has_ping_pong: true, data: PhantomData };
            Ok((client, connection))
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// The connection itself: a future that moves the bytes, and is complete when the connection has ended.
#[must_use = "nothing moves unless the connection is polled"]
pub struct Connection<T, B: Buf = Bytes> {
    inner: client::Connection<T, Passive>,
    max_recv_streams: usize,
    has_ping_pong: bool,
    data: PhantomData<fn(B)>,
}

impl<T, B> Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
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

    /// Returns the handle for PINGs, once.
    pub fn ping_pong(&mut self) -> Option<PingPong> {
        std::mem::take(&mut self.has_ping_pong).then(|| PingPong::new(self.inner.control()))
    }

    /// Returns how many streams this endpoint may have open.
    pub fn max_concurrent_send_streams(&self) -> usize {
        max_send_streams(&self.inner.control())
    }

    /// Returns how many streams the server may have open.
    pub fn max_concurrent_recv_streams(&self) -> usize {
        self.max_recv_streams
    }
}

/// Changes a local setting, unless the peer has yet to acknowledge others.
pub(crate) fn change_setting(control: &http2_tokio::Control, id: SettingId, value: u32) -> Result<(), Error> {
    if control.has_pending_settings() {
        return Err(User::SendSettingsWhilePending.into());
    }
    Ok(control.change_settings(&[(id, value)])?)
}

/// Returns how many streams this endpoint may have open.
pub(crate) fn max_send_streams(control: &http2_tokio::Control) -> usize {
    limit(u32::try_from(control.max_send_streams()).unwrap_or(u32::MAX))
}

/// Returns the limit of a setting, whose highest value is none.
pub(crate) fn limit(setting: u32) -> usize {
    if setting == u32::MAX { usize::MAX } else { setting as usize }
}

impl<T, B> Future for Connection<T, B>
where
    T: AsyncRead + AsyncWrite + Unpin,
    B: Buf,
{
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(cx).map(Error::of_connection)
    }
}

impl<T, B: Buf> fmt::Debug for Connection<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Opens streams for requests.
pub struct SendRequest<B: Buf> {
    inner: client::SendRequest,
    max_recv_streams: usize,
    /// The request of this handle that waits for the peer's limit of streams.
    waiting: Option<http2_tokio::StreamId>,
    data: PhantomData<fn(B)>,
}

impl<B: Buf> SendRequest<B> {
    /// Waits until a request can be sent: until the previous one of this handle has its stream.
    ///
    /// # Errors
    ///
    /// Returns why the connection takes no more requests.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(id) = self.waiting {
            ready!(self.inner.poll_sent(id, cx));
            self.waiting = None;
        }
        self.inner.poll_ready(cx).map_err(|error| self.not_open(error))
    }

    /// Returns why no stream can be opened.
    fn not_open(&self, error: http2_tokio::Error) -> Error {
        match error {
            // The connection is not at its end, but its identifiers are.
            http2_tokio::Error::Open(OpenError::Closed) if self.inner.control().is_running() => {
                User::OverflowedStreamId.into()
            }
            error => error.into(),
        }
    }

    /// Waits as [`poll_ready`](Self::poll_ready) does, and returns the handle.
    pub fn ready(self) -> ReadySendRequest<B> {
        ReadySendRequest { inner: Some(self) }
    }

    /// Sends the head of a request.
    ///
    /// # Errors
    ///
    /// Returns an error if the head is malformed, if the previous request of this handle still waits, or if the
    /// connection takes no more requests.
    pub fn send_request(
        &mut self,
        request: Request<()>,
        end_of_stream: bool,
    ) -> Result<(ResponseFuture, SendStream<B>), Error> {
        if let Some(id) = self.waiting {
            if self.inner.is_waiting(id) {
                return Err(User::Rejected.into());
            }
            self.waiting = None;
        }
        let head = head::of_request(request)?;
        let sent = self.inner.send_head(&head, end_of_stream);
        let (response, content) = sent.map_err(|error| self.not_open(error))?;
        let id = content.stream_id();
        if self.inner.is_waiting(id) {
            self.waiting = Some(id);
        }
        Ok((
            ResponseFuture { inner: response, id: StreamId::new(id), pushes: Pushes::Left },
            SendStream::new(content),
        ))
    }

    /// Returns whether the server has enabled extended CONNECT (RFC 8441, 3).
    pub fn is_extended_connect_protocol_enabled(&self) -> bool {
        self.inner.control().current_peer_settings().enable_connect_protocol
    }

    /// Returns how many streams this endpoint may have open.
    pub fn current_max_send_streams(&self) -> usize {
        max_send_streams(&self.inner.control())
    }

    /// Returns how many streams the server may have open.
    pub fn current_max_recv_streams(&self) -> usize {
        self.max_recv_streams
    }
}

#[cfg(feature = "unstable")]
impl<B: Buf> SendRequest<B> {
    /// Returns the number of open streams.
    pub fn num_active_streams(&self) -> usize {
        usize::try_from(self.inner.control().stats().streams_open).unwrap_or(usize::MAX)
    }

    /// Returns the number of streams that occupy memory.
    pub fn num_wired_streams(&self) -> usize {
        self.num_active_streams()
    }
}

impl<B: Buf> Clone for SendRequest<B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), waiting: None, ..*self }
    }
}

impl<B: Buf> fmt::Debug for SendRequest<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A [`SendRequest`] that becomes ready; a future.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct ReadySendRequest<B: Buf> {
    inner: Option<SendRequest<B>>,
}

impl<B: Buf> Future for ReadySendRequest<B> {
    type Output = Result<SendRequest<B>, Error>;

    /// # Panics
    ///
    /// Panics if it is polled after it was complete.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(request) = &mut self.inner {
            ready!(request.poll_ready(cx))?;
        }
        match self.inner.take() {
            Some(request) => Poll::Ready(Ok(request)),
            None => panic!("polled after completion"),
        }
    }
}

/// The response to a request; a future.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct ResponseFuture {
    inner: client::ResponseFuture,
    id: StreamId,
    pushes: Pushes,
}

/// Whether the pushes of a response were given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pushes {
    Left,
    Taken,
}

impl ResponseFuture {
    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.id
    }

    /// Waits for the next informational response; `None` follows the last.
    pub fn poll_informational(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Response<()>, Error>>> {
        let id = self.id;
        self.inner.poll_informational(cx).map_err(|error| Error::of_stream(id, error))
    }

    /// Returns the pushes that belong to this response.
    ///
    /// # Panics
    ///
    /// Panics if it was called before.
    pub fn push_promises(&mut self) -> PushPromises {
        assert!(self.pushes == Pushes::Left, "the pushes were taken before");
        self.pushes = Pushes::Taken;
        PushPromises { inner: self.inner.pushes(), id: self.id }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.inner).poll(cx));
        Poll::Ready(match response {
            Ok(response) => Ok(response.map(RecvStream::new)),
            Err(error) => Err(Error::of_stream(self.id, error)),
        })
    }
}

/// The requests that the server promises to answer along with a response.
#[derive(Debug)]
pub struct PushPromises {
    inner: Option<client::Pushes>,
    id: StreamId,
}

impl PushPromises {
    /// Returns the next promise; `None` follows the last.
    pub async fn push_promise(&mut self) -> Option<Result<PushPromise, Error>> {
        std::future::poll_fn(|cx| self.poll_push_promise(cx)).await
    }

    #[doc(hidden)]
    pub fn poll_push_promise(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<PushPromise, Error>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let push = ready!(inner.poll_push(cx));
        Poll::Ready(push.map(|push| {
            let push = push.map_err(|error| Error::of_stream(self.id, error))?;
            let client::Push { mut request, response, .. } = push;
            ext::from_engine(request.extensions_mut());
            let id = StreamId::new(response.stream_id().ok_or(User::InactiveStreamId)?);
            let response = ResponseFuture { inner: response, id, pushes: Pushes::Taken };
            Ok(PushPromise { request, response: PushedResponseFuture { inner: response } })
        }))
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for PushPromises {
    type Item = Result<PushPromise, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_push_promise(cx)
    }
}

/// A promised request, and its response to come.
#[derive(Debug)]
pub struct PushPromise {
    request: Request<()>,
    response: PushedResponseFuture,
}

impl PushPromise {
    /// Returns the promised request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Returns the promised request.
    pub fn request_mut(&mut self) -> &mut Request<()> {
        &mut self.request
    }

    /// Returns the promised request and its response.
    pub fn into_parts(self) -> (Request<()>, PushedResponseFuture) {
        (self.request, self.response)
    }
}

/// The response to a promised request; a future.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct PushedResponseFuture {
    inner: ResponseFuture,
}

impl PushedResponseFuture {
    /// Returns the identifier of the stream.
    pub fn stream_id(&self) -> StreamId {
        self.inner.stream_id()
    }
}

impl Future for PushedResponseFuture {
    type Output = Result<Response<RecvStream>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.inner).poll(cx)
    }
}
