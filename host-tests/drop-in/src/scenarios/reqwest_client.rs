//! reqwest with prior knowledge of HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::BodyExt;
use http2_test_support::{self as frames, Receiver, code, flag, kind};
use hyper::body::Incoming;
use reqwest::{Client, ClientBuilder, redirect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::time::sleep;

use crate::describe::{Content, Digest, describe, fields, pattern};
use crate::net::{
    AnyBody, Counter, echo, empty, endless, fed, full, listen, pieces, serve, server_builder, soon,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel hundred_concurrent_requests,
    parallel streaming_upload_and_download,
    single cancelled_requests,
    single timeouts,
    single redirects,
    single statuses_and_fields,
    single connection_closed_by_the_server_is_replaced,
    single refused_stream_is_retried,
    single go_away_is_retried,
    single errors_that_are_not_retried,
    single broken_off_response,
    single broken_upload,
    single connection_refused,
    single builder_options,
    single early_response_to_an_upload,
}

fn client() -> ClientBuilder {
    Client::builder().http2_prior_knowledge().no_proxy()
}

/// A server that counts its connections.
struct Server {
    address: SocketAddr,
    accepted: Counter,
    kill: broadcast::Sender<()>,
}

impl Server {
    async fn start<F, R>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
        R: Future<Output = Response<AnyBody>> + Send + 'static,
    {
        let (listener, address) = listen().await;
        let (accepted, kill) = (Counter::new(), broadcast::channel(1).0);
        let (count, killed) = (accepted.clone(), kill.clone());
        tokio::spawn(async move {
            while let Ok((io, _)) = listener.accept().await {
                count.add();
                let (served, mut killed) = (serve(io, &server_builder(), answer.clone()), killed.subscribe());
                tokio::spawn(async move {
                    _ = killed.recv().await;
                    served.abort();
                });
            }
        });
        Self { address, accepted, kill }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The whole of a response, or the error.
async fn outcome(result: reqwest::Result<reqwest::Response>) -> String {
    match result {
        Ok(answer) => {
            let head = format!("{} {:?} {}", answer.status(), answer.version(), fields(answer.headers()));
            let length = answer.content_length();
            match answer.bytes().await {
                Ok(content) => format!("{head} length={length:?} {}", Digest::of(&content)),
                Err(error) => format!("{head} length={length:?} broken off: {}", describe(&error)),
            }
        }
        Err(error) => describe(&error),
    }
}

async fn hundred_concurrent_requests(log: Log) {
    let server = Server::start(echo).await;
    let client = client().build().unwrap();
    say!(log, "{}", outcome(client.get(server.url("/first")).send().await).await);
    let answers = (0..100).map(|number| {
        let request = client.post(server.url("/")).body(pattern(number * 700));
        tokio::spawn(async move { outcome(request.send().await).await })
    });
    for answer in join_all(answers.collect::<Vec<_>>()).await {
        say!(log, "{}", answer.unwrap());
    }
    say!(log, "connections: {}", server.accepted.count());
}

async fn streaming_upload_and_download(log: Log) {
    let server = Server::start(echo).await;
    let client = client().build().unwrap();
    let content = pattern(10_000_000);
    let chunks: Vec<_> = (0..content.len()).step_by(77_777).collect();
    let chunks = chunks.into_iter().map(move |at| content.slice(at..content.len().min(at + 77_777)));
    let body =
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks.map(Ok::<Bytes, std::io::Error>)));
    let answer = client.put(server.url("/")).body(body).send().await.unwrap();
    let (mut stream, mut received) = (answer.bytes_stream(), Digest::EMPTY);
    while let Some(chunk) = stream.next().await {
        received.add(&chunk.unwrap());
    }
    say!(log, "{received}");
    let mut answer = client.post(server.url("/")).body("content").send().await.unwrap();
    let mut whole = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        whole.extend(chunk);
    }
    say!(log, "{}", whole.escape_ascii());
}

async fn cancelled_requests(log: Log) {
    let (arrived, dropped) = (Counter::new(), Counter::new());
    let (arrive, end) = (arrived.clone(), dropped.clone());
    let server = Server::start(move |request: Request<Incoming>| {
        let guard = end.on_drop();
        arrive.add();
        async move {
            if request.uri().path() == "/wait" {
                std::future::pending::<()>().await;
            }
            Response::new(crate::net::keeping(endless(), guard))
        }
    })
    .await;
    let client = client().build().unwrap();
    let waiting = tokio::spawn(client.get(server.url("/wait")).send());
    soon("the request", arrived.reaches(1)).await;
    waiting.abort();
    soon("the service's end", dropped.reaches(1)).await;
    say!(log, "cancelled before the response");
    let mut answer = client.get(server.url("/")).send().await.unwrap();
    let some = answer.chunk().await.unwrap().is_some();
    drop(answer);
    soon("the body's end", dropped.reaches(2)).await;
    say!(
        log,
        "cancelled in the response, after some content: {some}; connections: {}",
        server.accepted.count()
    );
}

async fn timeouts(log: Log) {
    let dropped = Counter::new();
    let end = dropped.clone();
    let server = Server::start(move |request: Request<Incoming>| {
        let guard = end.on_drop();
        async move {
            match request.uri().path() {
                "/wait" => std::future::pending::<()>().await,
                "/stall" => {
                    let (feed, body) = fed();
                    tokio::spawn(async move {
                        _ = feed.send(Ok(http_body::Frame::data(pattern(10)))).await;
                        feed.closed().await;
                        drop(guard);
                    });
                    return Response::new(body);
                }
                _ => {}
            }
            Response::new(full("answer"))
        }
    })
    .await;
    let client = client().build().unwrap();
    let short = Duration::from_millis(300);
    say!(log, "{}", outcome(client.get(server.url("/wait")).timeout(short).send().await).await);
    soon("the service's end", dropped.reaches(1)).await;
    say!(log, "{}", outcome(client.get(server.url("/stall")).timeout(short).send().await).await);
    soon("the body's end", dropped.reaches(2)).await;
    let reads = self::client().read_timeout(short).build().unwrap();
    say!(log, "{}", outcome(reads.get(server.url("/stall")).send().await).await);
    say!(log, "{}", outcome(client.get(server.url("/")).send().await).await);
    say!(log, "connections: {}", server.accepted.count());
}

async fn redirects(log: Log) {
    let server = Server::start(async |request: Request<Incoming>| {
        let answer = Response::builder();
        let (head, body) = request.into_parts();
        let redirect =
            |status: u16, to: &str| answer.status(status).header("location", to).body(empty()).unwrap();
        match head.uri.path() {
            "/302" => redirect(302, "/end?of=302"),
            "/303" => redirect(303, "/end"),
            "/307" => redirect(307, "/end"),
            "/308" => redirect(308, "/302"),
            "/loop" => redirect(302, "/loop"),
            _ => {
                let content = Content::of(body).await;
                Response::new(full(format!(
                    "{} {} {content}",
                    head.method,
                    head.uri.path_and_query().unwrap()
                )))
            }
        }
    })
    .await;
    let client = client().redirect(redirect::Policy::limited(5)).build().unwrap();
    for path in ["/302", "/303", "/307", "/308", "/loop"] {
        let answer = client.post(server.url(path)).body("posted").send().await;
        match answer {
            Ok(answer) => {
                let end = answer.url().path().to_owned();
                say!(log, "{path}: {end} {}", answer.text().await.unwrap());
            }
            Err(error) => say!(log, "{path}: {}", describe(&error)),
        }
    }
    say!(log, "connections: {}", server.accepted.count());
}

async fn statuses_and_fields(log: Log) {
    let server = Server::start(async |request: Request<Incoming>| {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut answer = Response::new(full(fields(request.headers()).replace(":authority", "")));
        *answer.status_mut() = status.try_into().unwrap();
        answer.headers_mut().insert("x-answer", "yes".parse().unwrap());
        answer
    })
    .await;
    let client = client().user_agent("proof").build().unwrap();
    for status in [200, 201, 400, 404, 500, 503] {
        let answer =
            client.get(server.url(&format!("/{status}"))).header("x-asked", "yes").send().await.unwrap();
        say!(log, "{}", fields(answer.headers()));
        match answer.error_for_status() {
            Ok(answer) => say!(log, "{status}: {}", answer.text().await.unwrap()),
            Err(error) => say!(log, "{status}: {} {:?}", describe(&error), error.status()),
        }
    }
    say!(log, "{}", outcome(client.head(server.url("/200")).send().await).await);
}

async fn connection_closed_by_the_server_is_replaced(log: Log) {
    let server = Server::start(echo).await;
    let client = client().build().unwrap();
    for _ in 0..3 {
        say!(log, "{}", outcome(client.post(server.url("/")).body("content").send().await).await);
        _ = server.kill.send(());
        sleep(Duration::from_millis(200)).await;
    }
    say!(log, "connections: {}", server.accepted.count());
}

/// Reads from a client until the head of a request is there, and returns its stream.
async fn read_request(io: &mut TcpStream, receiver: &mut Receiver) -> Option<u32> {
    let mut buffer = [0; 10_000];
    loop {
        while let Some(frame) = receiver.next_frame().unwrap() {
            if frame.kind == kind::HEADERS {
                return Some(frame.stream);
            }
        }
        match io.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(size) => receiver.push(&buffer[..size]).unwrap(),
        }
    }
}

/// Reads what is still on its way, so that the connection is not reset.
async fn read_to_end(mut io: TcpStream) {
    while io.read(&mut [0; 1000]).await.is_ok_and(|size| size > 0) {}
}

/// Answers the first requests with frames of the caller, and later ones with 200; returns the number of requests.
fn fails_first(listener: TcpListener, first: Vec<fn(u32) -> Vec<u8>>) -> Counter {
    let requests = Counter::new();
    let count = requests.clone();
    tokio::spawn(async move {
        let mut first = first.into_iter();
        while let Ok((mut io, _)) = listener.accept().await {
            let mut receiver = Receiver::from_client();
            let hello = [frames::settings(&[]), frames::settings_ack()].concat();
            io.write_all(&hello).await.unwrap();
            while let Some(stream) = read_request(&mut io, &mut receiver).await {
                count.add();
                let ok = frames::headers(stream, flag::END_STREAM, frames::OK);
                let answer = first.next().map_or(ok, |frames| frames(stream));
                if io.write_all(&answer).await.is_err() || answer.starts_with(&[0, 0, 8, kind::GOAWAY]) {
                    break;
                }
            }
            _ = io.shutdown().await;
            tokio::spawn(read_to_end(io));
        }
    });
    requests
}

async fn refused_stream_is_retried(log: Log) {
    let (listener, address) = listen().await;
    let requests = fails_first(listener, vec![|stream| frames::rst_stream(stream, code::REFUSED_STREAM)]);
    let client = client().build().unwrap();
    say!(log, "{}", outcome(client.get(format!("http://{address}/")).send().await).await);
    say!(log, "requests: {}", requests.count());
}

async fn go_away_is_retried(log: Log) {
    let (listener, address) = listen().await;
    let requests = fails_first(listener, vec![|stream| frames::go_away(stream - 1, code::NO_ERROR)]);
    let client = client().build().unwrap();
    say!(log, "{}", outcome(client.post(format!("http://{address}/")).body("content").send().await).await);
    say!(log, "requests: {}", requests.count());
}

async fn errors_that_are_not_retried(log: Log) {
    let (listener, address) = listen().await;
    let requests = fails_first(
        listener,
        vec![
            |stream| frames::rst_stream(stream, code::INTERNAL_ERROR),
            |stream| frames::rst_stream(stream, code::CANCEL),
            |stream| frames::rst_stream(stream, code::NO_ERROR),
            |stream| frames::go_away(stream, code::ENHANCE_YOUR_CALM),
        ],
    );
    let client = client().build().unwrap();
    for _ in 0..5 {
        say!(log, "{}", outcome(client.get(format!("http://{address}/")).send().await).await);
        // The client learns of a closed connection.
        sleep(Duration::from_millis(200)).await;
    }
    say!(log, "requests: {}", requests.count());
}

async fn broken_off_response(log: Log) {
    let heads = Counter::new();
    let received = heads.clone();
    let server = Server::start(move |request: Request<Incoming>| {
        let (received, number) = (received.clone(), request.uri().path()[1..].parse().unwrap());
        async move {
            let (feed, body) = fed();
            tokio::spawn(async move {
                _ = feed.send(Ok(http_body::Frame::data(pattern(1000)))).await;
                // The client has the head.
                received.reaches(number).await;
                _ = feed.send(Err("the body is broken".into())).await;
            });
            Response::new(body)
        }
    })
    .await;
    let client = client().build().unwrap();
    let answer = client.get(server.url("/1")).send().await;
    heads.add();
    say!(log, "{}", outcome(answer).await);
    let answer = client.get(server.url("/2")).send().await.unwrap();
    heads.add();
    say!(log, "as text: {}", describe(&answer.text().await.unwrap_err()));
    let body: reqwest::Body = client.get(server.url("/3")).send().await.unwrap().into();
    heads.add();
    say!(log, "as a body: {}", Content::of(body).await);
    say!(log, "connections: {}", server.accepted.count());
}

async fn broken_upload(log: Log) {
    let server = Server::start(echo).await;
    let client = client().build().unwrap();
    let parts = [Ok(pattern(1000)), Err(std::io::Error::other("the upload is broken"))];
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(parts));
    let answer = client.post(server.url("/nothing")).body(body).send().await;
    // The service may have begun to answer.
    let error = match answer {
        Ok(answer) => answer.bytes().await.err(),
        Err(error) => Some(error),
    };
    say!(log, "failed: {}", error.is_some());
    let parts = http_body_util::StreamBody::new(futures_util::stream::iter([
        Ok::<_, std::io::Error>(http_body::Frame::data(pattern(100))),
        Ok(http_body::Frame::trailers(crate::net::trailers(&[("x-end", "yes")]))),
    ]));
    let answer = client.post(server.url("/")).body(reqwest::Body::wrap(parts)).send().await.unwrap();
    let answer: Response<reqwest::Body> = answer.into();
    let collected = answer.into_body().collect().await.unwrap();
    say!(log, "trailers: {:?}", collected.trailers().map(fields));
}

async fn connection_refused(log: Log) {
    let (listener, address) = listen().await;
    drop(listener);
    let error = client().build().unwrap().get(format!("http://{address}/")).send().await.unwrap_err();
    say!(log, "connect: {}, timeout: {}", error.is_connect(), error.is_timeout());
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut io, _)) = listener.accept().await {
            _ = io.read_exact(&mut [0; 24]).await;
            _ = io.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            read_to_end(io).await;
        }
    });
    let error = client().build().unwrap().get(format!("http://{address}/")).send().await.unwrap_err();
    say!(log, "a server of HTTP/1.1: {}", describe(&error));
}

async fn builder_options(log: Log) {
    let server = Server::start(echo).await;
    let interval = Duration::from_millis(20);
    let builders = [
        (
            "windows",
            client().http2_initial_stream_window_size(1234).http2_initial_connection_window_size(70_000),
        ),
        ("adaptive", client().http2_adaptive_window(true)),
        ("frames", client().http2_max_frame_size(1_000_000)),
        ("fields", client().http2_max_header_list_size(100_000)),
        ("pings", client().http2_keep_alive_interval(interval).http2_keep_alive_while_idle(true)),
    ];
    for (name, builder) in builders {
        let client = builder.build().unwrap();
        for size in [10, 500_000] {
            let answer = client.post(server.url("/")).body(pattern(size)).send().await;
            say!(log, "{name}: {}", outcome(answer).await);
        }
        sleep(interval * 4).await;
        say!(log, "{name}: {}", outcome(client.get(server.url("/")).send().await).await);
    }
}

async fn early_response_to_an_upload(log: Log) {
    let server = Server::start(async |_| {
        let mut answer = Response::new(pieces(&pattern(1000), 100, None));
        *answer.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
        answer
    })
    .await;
    let client = client().build().unwrap();
    for _ in 0..3 {
        let body = reqwest::Body::wrap_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 5000]))
        }));
        say!(log, "{}", outcome(client.post(server.url("/")).body(body).send().await).await);
    }
    say!(log, "connections: {}", server.accepted.count());
}
