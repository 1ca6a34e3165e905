//! Services on a server's connection, and the pool of a client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use http2_hyper::{Pool, PoolError, serve};
use http2_tokio::{Clock, Config, ErrorCode, RecvStream, Time, client, server};
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// Runs a test that must not hang.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the test hangs")
}

fn app() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/empty", get(async || StatusCode::NO_CONTENT))
        .route("/length", post(async |content: Bytes| content.len().to_string()))
        .route("/echo", post(async |body: Body| body))
        .route("/bytes/{length}", get(async |Path(length): Path<usize>| vec![7; length]))
        .route(
            "/old",
            get(async || {
                // Fields that only HTTP/1.1 allows.
                let mut headers = HeaderMap::new();
                headers.insert("connection", HeaderValue::from_static("keep-alive"));
                headers.insert("keep-alive", HeaderValue::from_static("timeout=5"));
                (headers, "fine")
            }),
        )
}

/// Serves `app` on a socket, and counts the connections.
async fn listen() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let connection = server::handshake(socket, Config::default()).unwrap();
            tokio::spawn(serve(connection, TowerToHyperService::new(app())));
        }
    });
    (address, connections)
}

/// A client that connects to the authority of the URI.
fn pool() -> Pool<
    impl tower::Service<Uri, Response = TcpStream, Error = std::io::Error, Future: Send> + Clone + Send,
    TokioExecutor,
> {
    let connect =
        tower::service_fn(async |uri: Uri| TcpStream::connect(uri.authority().unwrap().as_str()).await);
    Pool::new(connect, TokioExecutor::new(), Config::default())
}

async fn text(response: Response<RecvStream>) -> Vec<u8> {
    soon(response.into_body().collect()).await.unwrap().to_bytes().into()
}

#[tokio::test]
async fn an_axum_router_answers_a_pool() {
    let (address, connections) = listen().await;
    let pool = pool();
    let request = |method: Method, path: &str, content: &'static str| {
        Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .body(Full::<Bytes>::from(content))
            .unwrap()
    };
    let response = soon(pool.clone().oneshot(request(Method::GET, "/", ""))).await.unwrap();
    assert!(response.headers().contains_key("date"));
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(text(response).await, b"hello");

    let response = soon(pool.clone().oneshot(request(Method::HEAD, "/", ""))).await.unwrap();
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(text(response).await, b"");

    let response = soon(pool.clone().oneshot(request(Method::GET, "/empty", ""))).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(!response.headers().contains_key("content-length"));
    assert_eq!(text(response).await, b"");

    let response = soon(pool.clone().oneshot(request(Method::GET, "/old", ""))).await.unwrap();
    assert!(!response.headers().contains_key("keep-alive"));
    assert_eq!(text(response).await, b"fine");

    let response = soon(pool.clone().oneshot(request(Method::POST, "/length", "content"))).await.unwrap();
    assert_eq!(text(response).await, b"7");

    let response = soon(pool.clone().oneshot(request(Method::GET, "/bytes/5000000", ""))).await.unwrap();
    assert_eq!(text(response).await.len(), 5_000_000);
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn content_streams_while_the_response_does() {
    let (address, _) = listen().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Infallible>>(1);
    let stream =
        futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let request =
        Request::post(format!("http://{address}/echo")).body(StreamBody::new(Box::pin(stream))).unwrap();
    let mut body = soon(pool().oneshot(request)).await.unwrap().into_body();
    for piece in ["one", "two", "three"] {
        sender.send(Ok(Frame::data(piece.into()))).await.unwrap();
        // The answer arrives before the next piece is sent.
        assert_eq!(soon(body.data()).await.unwrap().unwrap(), piece);
    }
    drop(sender);
    assert!(soon(body.data()).await.is_none());
}

#[tokio::test]
async fn a_hundred_requests_at_once_share_a_connection() {
    let (address, connections) = listen().await;
    let pool = pool();
    let tasks = (0..100).map(|number| {
        let request = Request::post(format!("http://{address}/echo")).body(number.to_string()).unwrap();
        let pool = pool.clone();
        tokio::spawn(async move {
            let response = pool.oneshot(request).await.unwrap();
            assert_eq!(text(response).await, number.to_string().as_bytes());
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        soon(task).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_ended_connection_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            // Each connection ends gracefully after its first request.
            let mut connection =
                server::handshake(listener.accept().await.unwrap().0, Config::default()).unwrap();
            let control = connection.control();
            tokio::spawn(async move {
                while let Some(Ok((_, respond))) = connection.accept().await {
                    respond.respond(Response::new("hello".into())).unwrap();
                    control.shutdown();
                }
            });
        }
    });
    let pool = pool();
    for _ in 0..20 {
        let request = Request::get(format!("http://{address}/")).body(Empty::<Bytes>::new()).unwrap();
        let response = soon(pool.clone().oneshot(request)).await.unwrap();
        assert_eq!(text(response).await, b"hello");
    }
}

#[tokio::test]
async fn a_failing_service_resets_the_stream() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let service = service_fn(async |request: Request<RecvStream>| match request.uri().path() {
        "/fails" => Err("no answer"),
        _ => {
            let frames = [Ok(Frame::data(Bytes::from_static(b"part"))), Err("no more")];
            Ok(Response::new(StreamBody::new(futures_util::stream::iter(frames))))
        }
    });
    tokio::spawn(serve(server::handshake(theirs, Config::default()).unwrap(), service));
    let (mut client, connection) = client::handshake(ours, Config::default()).unwrap();
    tokio::spawn(connection);
    let request = |path| Request::get(format!("http://localhost{path}")).body(()).unwrap();
    let error = soon(client.send_request(request("/fails"), true).unwrap().0).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::INTERNAL_ERROR));
    let response = soon(client.send_request(request("/part"), true).unwrap().0).await.unwrap();
    let error = soon(response.into_body().collect()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::INTERNAL_ERROR));
}

#[tokio::test]
async fn a_cancelled_call_is_dropped() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let alive = Arc::new(());
    let held = alive.clone();
    let service = service_fn(move |_: Request<RecvStream>| {
        let held = held.clone();
        async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    tokio::spawn(serve(server::handshake(theirs, Config::default()).unwrap(), service));
    let (mut client, connection) = client::handshake(ours, Config::default()).unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://localhost/").body(()).unwrap();
    let call = client.send_request(request, true).unwrap();
    while Arc::strong_count(&alive) < 3 {
        tokio::task::yield_now().await;
    }
    drop(call);
    while Arc::strong_count(&alive) > 2 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_pool_with_its_own_clock_needs_no_timer_of_tokio() {
    /// A clock that stands still.
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Time {
            Time::default()
        }

        fn poll_deadline(&mut self, _: &mut Context<'_>, _: Time) -> Poll<()> {
            Poll::Pending
        }
    }

    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let content = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                let (socket, _) = listener.accept().await.unwrap();
                let connection = server::handshake_with_clock(socket, Config::default(), Stopped).unwrap();
                serve(connection, TowerToHyperService::new(app())).await
            });
            let connect = tower::service_fn(move |_: Uri| TcpStream::connect(address));
            let pool = Pool::with_clock(connect, TokioExecutor::new(), Config::default(), || Stopped);
            let request = Request::get("http://localhost/").body(Empty::<Bytes>::new()).unwrap();
            let response = pool.oneshot(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        });
        done.send(content).unwrap();
    });
    assert_eq!(finished.recv_timeout(Duration::from_secs(20)).expect("the test hangs"), "hello");
}

#[tokio::test]
async fn a_request_without_an_origin_or_a_server_fails() {
    let request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
    assert!(matches!(soon(pool().oneshot(request)).await, Err(PoolError::NoOrigin)));
    // A port that was just free.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let request = Request::get(format!("http://{address}/")).body(Empty::<Bytes>::new()).unwrap();
    assert!(matches!(soon(pool().oneshot(request)).await, Err(PoolError::Connect(_))));
}
