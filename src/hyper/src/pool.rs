//! Requests to any origin, over a connection for each.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, request};
use http_body::Body;
use http2_tokio::client::{Connection, ResponseFuture, SendRequest, handshake_with_clock};
use http2_tokio::{Clock, Config, Error, ErrorCode, OpenError, RecvStream, SendStream};
use hyper::rt::Executor;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::message::{self, SendBody};

/// Attempts for a request that servers have certainly not processed.
const ATTEMPTS: usize = 3;

/// The scheme and the authority of a URI.
type Origin = (Scheme, Authority);

/// A client for many origins: a `tower::Service` that opens one connection for each, and opens another when that has
/// ended.
///
/// `M` connects: a `tower::Service` from [`Uri`] to a transport, which has agreed on HTTP/2 (by ALPN, or by prior
/// knowledge). `E` runs the connections, and the bodies of requests that are not sent at once. `K` creates their clocks.
///
/// A request that a server has certainly not processed is repeated if it has no content (RFC 9113, 8.7). Fields of
/// HTTP/1.1 connections are removed, and Content-Length is added if the length is known.
///
/// ```
/// # async fn serve(listener: tokio::net::TcpListener) {
/// #     let socket = listener.accept().await.unwrap().0;
/// #     let mut server = http2_tokio::server::handshake(socket, http2_tokio::Config::default()).unwrap();
/// #     while let Some(Ok((_, respond))) = server.accept().await {
/// #         respond.respond(http::Response::new("hello".into())).unwrap();
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bytes::Bytes;
/// use http::{Request, Uri};
/// use http_body_util::{BodyExt, Empty};
/// use http2_hyper::Pool;
/// use http2_tokio::Config;
/// use hyper_util::rt::TokioExecutor;
/// use tokio::net::TcpStream;
/// use tower::{ServiceExt, service_fn};
///
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// # tokio::spawn(serve(listener));
/// let connect = service_fn(async |uri: Uri| {
///     TcpStream::connect(uri.authority().map_or("", |authority| authority.as_str())).await
/// });
/// let pool = Pool::new(connect, TokioExecutor::new(), Config::default());
/// let request = Request::get(format!("http://{address}/")).body(Empty::<Bytes>::new())?;
/// let response = pool.oneshot(request).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "hello");
/// # Ok(())
/// # }
/// ```
pub struct Pool<M, E, K = DefaultClocks> {
    connect: M,
    executor: E,
    clock: K,
    shared: Arc<Origins>,
}

#[cfg(feature = "time")]
use http2_tokio::TokioClock as DefaultClock;
/// Without Tokio's clock, the caller names its own.
#[cfg(not(feature = "time"))]
type DefaultClock = std::convert::Infallible;
type DefaultClocks = fn() -> DefaultClock;

struct Origins {
    config: Config,
    origins: Mutex<HashMap<Origin, Arc<tokio::sync::Mutex<Option<SendRequest>>>>>,
}

#[cfg(feature = "time")]
impl<M, E> Pool<M, E> {
    /// Creates a client whose connections have the configuration `config`.
    pub fn new(connect: M, executor: E, config: Config) -> Self {
        Self::with_clock(connect, executor, config, http2_tokio::TokioClock::new)
    }
}

impl<M, E, K> Pool<M, E, K> {
    /// Creates a client whose connections have deadlines by the caller's clock: `clock` creates one for each.
    ///
    /// In a component, `http2_tokio::wasi::Clock::new` works in `http2_tokio::wasi::block_on`.
    pub fn with_clock(connect: M, executor: E, config: Config, clock: K) -> Self {
        Self { connect, executor, clock, shared: Arc::new(Origins { config, origins: Mutex::default() }) }
    }
}

impl<M: Clone, E: Clone, K: Clone> Clone for Pool<M, E, K> {
    /// The clone shares the connections.
    fn clone(&self) -> Self {
        Self {
            connect: self.connect.clone(),
            executor: self.executor.clone(),
            clock: self.clock.clone(),
            shared: self.shared.clone(),
        }
    }
}

impl<M, E, K> fmt::Debug for Pool<M, E, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

/// Why a request of a [`Pool`] failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// The URI names no origin: it has no scheme or no authority.
    NoOrigin,
    /// No transport to the origin could be opened.
    Connect(Box<dyn StdError + Send + Sync>),
    /// The connection or the stream failed.
    Http2(Error),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrigin => f.write_str("the URI has no scheme or no authority"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Http2(error) => error.fmt(f),
        }
    }
}

impl StdError for PoolError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::NoOrigin => None,
            Self::Connect(error) => Some(&**error),
            Self::Http2(error) => Some(error),
        }
    }
}

impl From<Error> for PoolError {
    fn from(error: Error) -> Self {
        Self::Http2(error)
    }
}

/// Work of a [`Pool`] that goes on beside its requests; a future for its executor.
pub struct Task<T, B, C = DefaultClock>(Work<T, B, C>);

enum Work<T, B, C> {
    Connection(Box<Connection<T, C>>),
    Body(SendBody<B>),
}

impl<T: AsyncRead + AsyncWrite + Unpin, B: Body, C: Clock + Unpin> Future for Task<T, B, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The requests, and the response, get the error.
        match &mut self.0 {
            Work::Connection(connection) => Pin::new(connection).poll(cx).map(drop),
            Work::Body(body) => Pin::new(body).poll(cx).map(drop),
        }
    }
}

impl<T, B, C> fmt::Debug for Task<T, B, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").finish_non_exhaustive()
    }
}

/// The future of a response.
pub type PoolFuture = Pin<Box<dyn Future<Output = Result<Response<RecvStream>, PoolError>> + Send>>;

impl<M, E, K, C, B> Service<Request<B>> for Pool<M, E, K>
where
    M: Service<Uri> + Clone + Send + 'static,
    M::Response: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    M::Error: Into<Box<dyn StdError + Send + Sync>>,
    M::Future: Send,
    E: Executor<Task<M::Response, B, C>> + Clone + Send + Sync + 'static,
    K: Fn() -> C + Clone + Send + Sync + 'static,
    C: Clock + Send + Unpin + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<RecvStream>;
    type Error = PoolError;
    type Future = PoolFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PoolError>> {
        // It depends on the origin, which only the request names.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let pool = self.clone();
        Box::pin(pool.send(request))
    }
}

impl<M, E, K> Pool<M, E, K> {
    async fn send<B, C>(mut self, request: Request<B>) -> Result<Response<RecvStream>, PoolError>
    where
        M: Service<Uri>,
        M::Response: AsyncRead + AsyncWrite + Unpin,
        M::Error: Into<Box<dyn StdError + Send + Sync>>,
        E: Executor<Task<M::Response, B, C>>,
        K: Fn() -> C,
        C: Clock,
        B: Body,
    {
        let (mut head, body) = request.into_parts();
        let origin = (head.uri.scheme().cloned(), head.uri.authority().cloned());
        let (Some(scheme), Some(authority)) = origin else { return Err(PoolError::NoOrigin) };
        let origin = (scheme, authority);
        let empty = body.is_end_stream();
        message::prepare(&mut head.headers, body.size_hint().exact().filter(|&length| length > 0));
        let mut body = Some(body);
        let mut attempt = 1;
        loop {
            let mut sender = self.sender::<B, C>(&origin, &head.uri).await?;
            let result = match open(&mut sender, &head, empty).await {
                Ok((response, stream)) => {
                    if let Some(body) = body.take_if(|_| !empty) {
                        let mut body = Box::pin(SendBody::new(body, stream, ErrorCode::CANCEL));
                        let sent = poll_fn(|cx| Poll::Ready(body.as_mut().poll(cx).is_ready())).await;
                        if !sent {
                            self.executor.execute(Task(Work::Body(*Pin::into_inner(body))));
                        }
                    }
                    response.await
                }
                Err(error) => Err(error),
            };
            match result {
                Err(error) if error.is_retryable() && body.is_some() && attempt < ATTEMPTS => attempt += 1,
                result => return Ok(result?),
            }
        }
    }

    /// Returns the origin's connection, and opens one if it has none that takes requests.
    async fn sender<B, C>(&mut self, origin: &Origin, uri: &Uri) -> Result<SendRequest, PoolError>
    where
        M: Service<Uri>,
        M::Response: AsyncRead + AsyncWrite + Unpin,
        M::Error: Into<Box<dyn StdError + Send + Sync>>,
        E: Executor<Task<M::Response, B, C>>,
        K: Fn() -> C,
        C: Clock,
        B: Body,
    {
        let slot = {
            let mut origins = self.shared.origins.lock().unwrap_or_else(PoisonError::into_inner);
            origins.entry(origin.clone()).or_default().clone()
        };
        // Other requests to the origin wait for this connection, rather than open their own.
        let mut slot = slot.lock().await;
        if let Some(sender) = slot.as_ref().filter(|sender| sender.is_open()) {
            return Ok(sender.clone());
        }
        let refused = |error: M::Error| PoolError::Connect(error.into());
        poll_fn(|cx| self.connect.poll_ready(cx)).await.map_err(refused)?;
        let io = self.connect.call(uri.clone()).await.map_err(refused)?;
        let (sender, connection) = handshake_with_clock(io, self.shared.config.clone(), (self.clock)())?;
        self.executor.execute(Task(Work::Connection(Box::new(connection))));
        *slot = Some(sender.clone());
        Ok(sender)
    }
}

async fn open(
    sender: &mut SendRequest,
    head: &request::Parts,
    end_stream: bool,
) -> Result<(ResponseFuture, SendStream), Error> {
    loop {
        sender.ready().await?;
        match sender.send_request(Request::from_parts(head.clone(), ()), end_stream) {
            // Another request took the place.
            Err(Error::Open(OpenError::WouldBlock)) => {}
            result => return result,
        }
    }
}
