//! hyper-util: the pooled client, and the server that detects the protocol.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use crate::describe::{Content, describe, pattern, response, result};
use crate::net::{AnyBody, Counter, echo, empty, fed, full, listen, pieces, soon};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel hundred_requests_share_a_connection,
    single sequential_requests_reuse_a_connection,
    single idle_connections_are_closed,
    single connection_closed_by_the_server_is_replaced,
    single request_in_flight_of_a_lost_connection,
    single connection_refused,
    single auto_server_detects_the_protocol,
    single auto_server_shuts_down_gracefully,
    single auto_server_with_http2_only,
    single limit_of_streams_in_the_pool,
}

type Pool = Client<HttpConnector, AnyBody>;

fn pool(idle: Duration) -> Pool {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(idle)
        .build_http()
}

/// A server whose connections are counted, and can be killed.
struct Server {
    address: SocketAddr,
    accepted: Counter,
    closed: Counter,
    kill: broadcast::Sender<()>,
}

impl Server {
    async fn start<F, R>(builder: auto::Builder<TokioExecutor>, answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
        R: Future<Output = Response<AnyBody>> + Send + 'static,
    {
        let (listener, address) = listen().await;
        let server =
            Self { address, accepted: Counter::new(), closed: Counter::new(), kill: broadcast::channel(1).0 };
        let (accepted, closed, kill) = (server.accepted.clone(), server.closed.clone(), server.kill.clone());
        tokio::spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                accepted.add();
                let (answer, builder, guard, mut kill) =
                    (answer.clone(), builder.clone(), closed.on_drop(), kill.subscribe());
                tokio::spawn(async move {
                    let _guard = guard;
                    let service = service_fn(move |request| {
                        let answer = answer(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    tokio::select! {
                        _ = builder.serve_connection_with_upgrades(TokioIo::new(io), service) => {}
                        _ = kill.recv() => {}
                    }
                });
            }
        });
        server
    }

    fn request(&self, method: &str, path: &str, body: AnyBody) -> Request<AnyBody> {
        Request::builder().method(method).uri(format!("http://{}{path}", self.address)).body(body).unwrap()
    }
}

fn auto_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().timer(TokioTimer::new());
    builder
}

/// The error of a pooled client, without the text, which contains addresses.
fn pool_error(error: &hyper_util::client::legacy::Error) -> String {
    let sources = std::error::Error::source(error).map(describe);
    format!("pool connect={} {}", error.is_connect(), sources.unwrap_or_default())
}

async fn exchange(pool: &Pool, request: Request<AnyBody>) -> String {
    match pool.request(request).await {
        Ok(answer) => response(answer).await,
        Err(error) => pool_error(&error),
    }
}

async fn hundred_requests_share_a_connection(log: Log) {
    let server = Server::start(auto_builder(), echo).await;
    let pool = pool(Duration::from_secs(60));
    // The connection exists before all want it.
    say!(log, "{}", exchange(&pool, server.request("POST", "/", full("first"))).await);
    let answers = (0..100).map(|number| {
        let (pool, request) =
            (pool.clone(), server.request("POST", "/", pieces(&pattern(number * 1000), 5000, None)));
        tokio::spawn(async move { exchange(&pool, request).await })
    });
    for answer in join_all(answers.collect::<Vec<_>>()).await {
        say!(log, "{}", answer.unwrap());
    }
    say!(log, "connections: {}", server.accepted.count());
}

async fn sequential_requests_reuse_a_connection(log: Log) {
    let server = Server::start(auto_builder(), echo).await;
    let pool = pool(Duration::from_secs(60));
    for number in 0..50 {
        let answer = exchange(&pool, server.request("POST", "/", full(pattern(number)))).await;
        if number % 10 == 0 {
            say!(log, "{answer}");
        }
    }
    say!(log, "connections: {}", server.accepted.count());
    drop(pool);
    soon("the connection's end", server.closed.reaches(1)).await;
    say!(log, "closed with the client");
}

async fn idle_connections_are_closed(log: Log) {
    let server = Server::start(auto_builder(), echo).await;
    let pool = pool(Duration::from_millis(50));
    for round in 1..=3 {
        say!(log, "{}", exchange(&pool, server.request("GET", "/", empty())).await);
        soon("the connection's end", server.closed.reaches(round)).await;
        say!(log, "accepted {}, closed {}", server.accepted.count(), server.closed.count());
    }
}

async fn connection_closed_by_the_server_is_replaced(log: Log) {
    let server = Server::start(auto_builder(), echo).await;
    let pool = pool(Duration::from_secs(60));
    for round in 1..=3 {
        say!(log, "{}", exchange(&pool, server.request("POST", "/", full("content"))).await);
        _ = server.kill.send(());
        soon("the connection's end", server.closed.reaches(round)).await;
        // The client learns of it.
        sleep(Duration::from_millis(200)).await;
    }
    say!(log, "connections: {}", server.accepted.count());
}

async fn request_in_flight_of_a_lost_connection(log: Log) {
    let arrived = Counter::new();
    let arrive = arrived.clone();
    let server = Server::start(auto_builder(), move |request: Request<Incoming>| {
        arrive.add();
        async move {
            if request.uri().path() == "/wait" {
                std::future::pending::<()>().await;
            }
            let (feed, body) = fed();
            tokio::spawn(async move {
                _ = feed.send(Ok(http_body::Frame::data(pattern(10)))).await;
                std::future::pending::<()>().await;
                drop(feed);
            });
            Response::new(body)
        }
    })
    .await;
    let pool = pool(Duration::from_secs(60));
    let mut body = pool.request(server.request("GET", "/", empty())).await.unwrap().into_body();
    say!(log, "first: {}", body.frame().await.unwrap().unwrap().data_ref().unwrap().len());
    let (clone, request) = (pool.clone(), server.request("GET", "/wait", empty()));
    let waiting = tokio::spawn(async move { exchange(&clone, request).await });
    soon("both requests", arrived.reaches(2)).await;
    _ = server.kill.send(());
    say!(log, "body: {}", Content::of(body).await);
    say!(log, "waiting: {}", waiting.await.unwrap());
}

async fn connection_refused(log: Log) {
    let (listener, address) = listen().await;
    drop(listener);
    let request = Request::builder().uri(format!("http://{address}/")).body(empty()).unwrap();
    let error = pool(Duration::from_secs(1)).request(request).await.unwrap_err();
    say!(log, "connect: {}", error.is_connect());
}

async fn auto_server_detects_the_protocol(log: Log) {
    let server = Server::start(auto_builder(), echo).await;
    let mut old = TcpStream::connect(server.address).await.unwrap();
    let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
    old.write_all(request).await.unwrap();
    let mut answer = String::new();
    old.read_to_string(&mut answer).await.unwrap();
    say!(log, "HTTP/1.1: {:?} ... {:?}", answer.lines().next(), answer.lines().last());
    let pool = pool(Duration::from_secs(60));
    say!(log, "HTTP/2: {}", exchange(&pool, server.request("POST", "/", full("abc"))).await);
    // The preface of HTTP/2 begins like a request of HTTP/1.1 with a strange method.
    let mut strange = TcpStream::connect(server.address).await.unwrap();
    strange.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut first = [0; 9];
    soon("the settings", strange.read_exact(&mut first)).await.unwrap();
    say!(log, "the server's first frame: type {}", first[3]);
}

async fn auto_server_shuts_down_gracefully(log: Log) {
    let (listener, address) = listen().await;
    let (gate, arrived, graceful) = (watch::channel(false).0, Counter::new(), GracefulShutdown::new());
    let (opened, arrive) = (gate.subscribe(), arrived.clone());
    let builder = auto_builder();
    let pool = pool(Duration::from_secs(60));
    let request =
        move |path: &str| Request::builder().uri(format!("http://{address}{path}")).body(empty()).unwrap();
    let (clone, first) = (pool.clone(), request("/first"));
    let waiting = tokio::spawn(async move { exchange(&clone, first).await });
    let (io, _) = listener.accept().await.unwrap();
    let service = service_fn(move |_: Request<Incoming>| {
        let mut opened = opened.clone();
        arrive.add();
        async move {
            opened.wait_for(|open| *open).await.unwrap();
            Ok::<_, Infallible>(Response::new(full(pattern(100_000))))
        }
    });
    let connection = builder.serve_connection(TokioIo::new(io), service).into_owned();
    let served = tokio::spawn(graceful.watch(connection));
    soon("the request", arrived.reaches(1)).await;
    let shutdown = tokio::spawn(graceful.shutdown());
    tokio::task::yield_now().await;
    gate.send_replace(true);
    say!(log, "{}", waiting.await.unwrap());
    soon("the shutdown", shutdown).await.unwrap();
    say!(log, "server: {:?}", served.await.unwrap().map_err(|error| describe(&*error)));
    drop(listener);
    say!(log, "connect: {}", pool.request(request("/late")).await.is_err_and(|error| error.is_connect()));
}

async fn auto_server_with_http2_only(log: Log) {
    let mut builder = auto_builder().http2_only();
    builder.http2().max_concurrent_streams(7).initial_stream_window_size(1000).adaptive_window(false);
    let server = Server::start(builder, echo).await;
    let pool = pool(Duration::from_secs(60));
    say!(log, "{}", exchange(&pool, server.request("POST", "/", full(pattern(100_000)))).await);
    let mut old = TcpStream::connect(server.address).await.unwrap();
    old.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    old.shutdown().await.unwrap();
    let mut answer = Vec::new();
    _ = soon("the end", old.read_to_end(&mut answer)).await;
    say!(log, "HTTP/1.1 got an answer: {}", answer.starts_with(b"HTTP/1.1"));
}

async fn limit_of_streams_in_the_pool(log: Log) {
    let mut builder = auto_builder();
    builder.http2().max_concurrent_streams(5);
    let server = Server::start(builder, echo).await;
    let pool = pool(Duration::from_secs(60));
    say!(log, "{}", exchange(&pool, server.request("GET", "/", empty())).await);
    let answers =
        (0..50).map(|number| exchange(&pool, server.request("POST", "/", full(pattern(number * 100)))));
    for answer in join_all(answers).await {
        say!(log, "{answer}");
    }
    say!(log, "connections: {}", server.accepted.count());
    say!(
        log,
        "{}",
        result(pool.request(server.request("GET", "/", empty())).await.map_err(std::io::Error::other)).await
    );
}
