//! Transports, bodies, and the clients and servers that many scenarios use.

use std::convert::Infallible;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2 as client;
use hyper::server::conn::http2 as server;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

/// Any error.
pub(crate) type AnyError = Box<dyn Error + Send + Sync>;
/// A body of any kind.
pub(crate) type AnyBody = UnsyncBoxBody<Bytes, AnyError>;
/// hyper's client of the tests.
pub(crate) type SendRequest = client::SendRequest<AnyBody>;
/// The end of a connection.
pub(crate) type Ended = JoinHandle<Result<(), hyper::Error>>;

/// Two ends of a connection over TCP.
pub(crate) async fn tcp() -> (TcpStream, TcpStream) {
    let (listener, address) = listen().await;
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (near, far) = (near.expect("a connection"), far.expect("a connection").0);
    for end in [&near, &far] {
        end.set_nodelay(true).expect("a socket");
    }
    (near, far)
}

/// Two ends of a connection over TCP that is lost when the task is aborted.
pub(crate) async fn relayed() -> (TcpStream, TcpStream, JoinHandle<()>) {
    let ((near, mut left), (mut right, far)) = (tcp().await, tcp().await);
    let relay = tokio::spawn(async move { _ = tokio::io::copy_bidirectional(&mut left, &mut right).await });
    (near, far, relay)
}

/// A listener on a free port.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A body without content.
pub(crate) fn empty() -> AnyBody {
    Empty::new().map_err(AnyError::from).boxed_unsync()
}

/// A body of known length.
pub(crate) fn full(content: impl Into<Bytes>) -> AnyBody {
    Full::new(content.into()).map_err(AnyError::from).boxed_unsync()
}

/// A body of unknown length, cut into pieces, with trailers.
pub(crate) fn pieces(content: &Bytes, size: usize, trailers: Option<HeaderMap>) -> AnyBody {
    let starts = (0..content.len()).step_by(size.max(1));
    let pieces = starts.map(|at| Frame::data(content.slice(at..content.len().min(at + size))));
    let frames: Vec<_> = pieces.chain(trailers.map(Frame::trailers)).map(Ok).collect();
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// A body that the caller feeds: its length is unknown, an error breaks it off, dropping the sender ends it.
pub(crate) fn fed() -> (mpsc::Sender<Result<Frame<Bytes>, AnyError>>, AnyBody) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, StreamBody::new(ReceiverStream::new(receiver)).boxed_unsync())
}

/// A body that ends with an error after some content.
pub(crate) fn failing(content: Bytes) -> AnyBody {
    let frames = [Ok(Frame::data(content)), Err(AnyError::from("the body is broken"))];
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// A body without an end.
pub(crate) fn endless() -> AnyBody {
    let piece = Bytes::from_static(&[b'x'; 10_000]);
    StreamBody::new(futures_util::stream::repeat(piece).map(|piece| Ok(Frame::data(piece)))).boxed_unsync()
}

/// A body with a declared length that need not be true.
pub(crate) struct Claimed {
    /// The content.
    pub(crate) body: AnyBody,
    /// The length that it claims to have.
    pub(crate) length: u64,
}

impl Body for Claimed {
    type Data = Bytes;
    type Error = AnyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// A received body as one to send.
pub(crate) fn echoed(body: Incoming) -> AnyBody {
    body.map_err(AnyError::from).boxed_unsync()
}

/// Trailers.
pub(crate) fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |&(name, value): &(&'static str, &'static str)| {
        (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

/// A request.
pub(crate) fn request(method: &str, path: &str, body: AnyBody) -> Request<AnyBody> {
    let uri = format!("http://test.example{path}");
    Request::builder().method(method).uri(uri).body(body).expect("a request")
}

/// A GET request.
pub(crate) fn get(path: &str) -> Request<AnyBody> {
    request("GET", path, empty())
}

/// hyper's builder of servers.
pub(crate) fn server_builder() -> server::Builder<TokioExecutor> {
    let mut builder = server::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder
}

/// hyper's builder of clients.
pub(crate) fn client_builder() -> client::Builder<TokioExecutor> {
    let mut builder = client::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new());
    builder
}

/// Serves a connection with hyper.
pub(crate) fn serve<T, F, R>(io: T, builder: &server::Builder<TokioExecutor>, answer: F) -> Ended
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<AnyBody>> + Send + 'static,
{
    let service = hyper::service::service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    tokio::spawn(builder.serve_connection(TokioIo::new(io), service))
}

/// Connects hyper's client.
pub(crate) async fn connect<T>(io: T, builder: &client::Builder<TokioExecutor>) -> (SendRequest, Ended)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = builder.handshake(TokioIo::new(io)).await.expect("a handshake");
    (sender, tokio::spawn(connection))
}

/// hyper's client and server with default options.
pub(crate) async fn both<F, R>(answer: F) -> (SendRequest, Ended, Ended)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<AnyBody>> + Send + 'static,
{
    both_with(&client_builder(), &server_builder(), answer).await
}

/// hyper's client and server.
pub(crate) async fn both_with<F, R>(
    client: &client::Builder<TokioExecutor>,
    server: &server::Builder<TokioExecutor>,
    answer: F,
) -> (SendRequest, Ended, Ended)
where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Response<AnyBody>> + Send + 'static,
{
    let (near, far) = tcp().await;
    let served = serve(far, server, answer);
    let (sender, ended) = connect(near, client).await;
    (sender, ended, served)
}

/// Echoes the content and the trailers of a request.
pub(crate) async fn echo(request: Request<Incoming>) -> Response<AnyBody> {
    Response::new(echoed(request.into_body()))
}

/// Counts events that last, and the most at once.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<[AtomicUsize; 2]>);

impl Gauge {
    /// Counts one until the guard is dropped.
    pub(crate) fn enter(&self) -> GaugeGuard {
        let now = self.0[0].fetch_add(1, Ordering::SeqCst) + 1;
        self.0[1].fetch_max(now, Ordering::SeqCst);
        GaugeGuard(self.clone())
    }

    /// The highest count.
    pub(crate) fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

/// See [`Gauge::enter`].
pub(crate) struct GaugeGuard(Gauge);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts events that others wait for.
#[derive(Clone)]
pub(crate) struct Counter(Arc<watch::Sender<usize>>);

impl Counter {
    /// Nothing has happened.
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Something has happened.
    pub(crate) fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Waits until it has happened so often.
    pub(crate) async fn reaches(&self, count: usize) {
        _ = self.0.subscribe().wait_for(|now| *now >= count).await;
    }

    /// How often it has happened.
    pub(crate) fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Counts when it is dropped.
    pub(crate) fn on_drop(&self) -> OnDrop {
        OnDrop(self.clone())
    }
}

/// See [`Counter::on_drop`].
pub(crate) struct OnDrop(Counter);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// A response that keeps something until its body is dropped.
pub(crate) fn keeping<T: Send + 'static>(body: AnyBody, kept: T) -> AnyBody {
    body.map_frame(move |frame| {
        _ = &kept;
        frame
    })
    .boxed_unsync()
}

/// Waits for a future, but not for ever.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} did not happen within 30 s"),
    }
}
