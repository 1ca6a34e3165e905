//! axum: applications on `axum::serve`, and on hyper-util's server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get, post};
use axum::{Extension, Json, Router, middleware};
use futures_util::future::join_all;
use futures_util::stream::{self, Stream, StreamExt};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use crate::describe::{Digest, pattern, response, result};
use crate::net::{
    AnyBody, Counter, SendRequest, client_builder, connect, empty, full, get as get_request, listen, pieces,
    request, soon, trailers,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel concurrent_requests,
    parallel streaming_bodies,
    single server_sent_events,
    single server_sent_events_dropped_by_the_client,
    single extractors_and_rejections,
    single json_of_a_megabyte,
    single middleware_sees_trailers,
    single graceful_shutdown,
    single on_hyper_util,
}

/// Serves an application by `axum::serve`, and connects hyper's client.
async fn serve(app: Router) -> SendRequest {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, app).await });
    client(address).await
}

async fn client(address: SocketAddr) -> SendRequest {
    connect(TcpStream::connect(address).await.unwrap(), &client_builder()).await.0
}

async fn echo(body: Body) -> Body {
    body
}

async fn concurrent_requests(log: Log) {
    let app =
        Router::new().route("/{number}", get(|Path(number): Path<usize>| async move { pattern(number) }));
    let sender = serve(app).await;
    let answers = (0..200).map(|number| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            result(sender.send_request(get_request(&format!("/{}", number * 100))).await).await
        })
    });
    for answer in join_all(answers.collect::<Vec<_>>()).await {
        say!(log, "{}", answer.unwrap());
    }
}

async fn streaming_bodies(log: Log) {
    let download = async |Path(chunks): Path<usize>| {
        let chunk = |number: usize| Ok::<_, Infallible>(format!("chunk {number}\n"));
        Body::from_stream(stream::iter(0..chunks).map(chunk))
    };
    let upload = async |body: Body| {
        let (mut stream, mut digest) = (body.into_data_stream(), Digest::EMPTY);
        while let Some(chunk) = stream.next().await {
            digest.add(&chunk.unwrap());
        }
        digest.to_string()
    };
    let app = Router::new()
        .route("/download/{chunks}", get(download))
        .route("/upload", post(upload))
        .route("/echo", post(echo));
    let mut sender = serve(app).await;
    for chunks in [0, 1, 1000] {
        say!(log, "{}", result(sender.send_request(get_request(&format!("/download/{chunks}"))).await).await);
    }
    for path in ["/upload", "/echo"] {
        let ends = Some(trailers(&[("x-end", "yes")]));
        let body = pieces(&pattern(3_000_000), 33_333, ends);
        let answer = sender.send_request(request("POST", path, body)).await.unwrap();
        if path == "/upload" {
            let digest = answer.into_body().collect().await.unwrap().to_bytes();
            say!(log, "{path}: {}", digest.escape_ascii());
        } else {
            say!(log, "{path}: {}", response(answer).await);
        }
    }
}

/// Each event arrives before the next is made.
async fn server_sent_events(log: Log) {
    let (next, _) = watch::channel(0_u32);
    let app = Router::new().route("/", get(events)).with_state(next.clone());
    let mut sender = serve(app).await;
    let answer = sender.send_request(get_request("/")).await.unwrap();
    say!(log, "{:?}", answer.headers().get("content-type"));
    let (mut body, mut text) = (answer.into_body(), String::new());
    for number in 1..=100 {
        next.send_replace(number);
        while !text.ends_with("\n\n") || !text.contains(&format!("id: {number}\n")) {
            let frame = soon("an event", body.frame()).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        if number % 20 == 0 {
            say!(log, "{}", text.rsplit_terminator("\n\n").next().unwrap());
        }
    }
    next.send_replace(u32::MAX);
    while let Some(frame) = body.frame().await {
        text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
    say!(log, "{}", Digest::of(text.as_bytes()));
}

async fn events(
    State(next): State<watch::Sender<u32>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let numbers = stream::unfold((next.subscribe(), 0), |(mut next, last)| async move {
        let number = *next.wait_for(|number| *number > last).await.ok()?;
        (number < u32::MAX).then_some((number, (next, number)))
    });
    Sse::new(numbers.map(|number| {
        let event =
            Event::default().event("tick").id(number.to_string()).data(format!("line 1\nline {number}"));
        Ok(event)
    }))
}

async fn server_sent_events_dropped_by_the_client(log: Log) {
    let dropped = Counter::new();
    let end = dropped.clone();
    let app = Router::new().route(
        "/",
        get(move || {
            let guard = end.on_drop();
            async move {
                let first = stream::iter([Ok::<_, Infallible>(Event::default().data("first"))]);
                let rest = stream::pending().map(move |event| {
                    _ = &guard;
                    event
                });
                Sse::new(first.chain(rest))
            }
        }),
    );
    let mut sender = serve(app).await;
    let mut body = sender.send_request(get_request("/")).await.unwrap().into_body();
    say!(log, "{:?}", body.frame().await.unwrap().unwrap().data_ref());
    drop(body);
    soon("the end of the events", dropped.reaches(1)).await;
    say!(log, "the stream was dropped");
}

#[derive(Deserialize, Serialize)]
struct Item {
    name: String,
    amount: u32,
}

async fn extractors_and_rejections(log: Log) {
    let app = Router::new()
        .route("/path/{name}/{amount}", get(|Path(item): Path<Item>| async { Json(item) }))
        .route("/query", get(|Query(item): Query<Item>| async { Json(item) }))
        .route("/json", post(|Json(item): Json<Item>| async { (StatusCode::CREATED, Json(item)) }))
        .route(
            "/fields",
            get(|fields: HeaderMap| async move { fields["x-field"].to_str().unwrap().to_owned() }),
        )
        .route("/text", post(|text: String| async { text }))
        .route(
            "/limited",
            post(|bytes: Bytes| async move { bytes.len().to_string() }).layer(DefaultBodyLimit::max(1000)),
        )
        .route("/extension", get(|Extension(number): Extension<u32>| async move { number.to_string() }))
        .route("/redirect", get(|| async { Redirect::to("/query") }))
        .route(
            "/any",
            any(|request: axum::extract::Request| async move {
                format!("{} {:?}", request.uri(), request.version())
            }),
        )
        .layer(Extension(42_u32));
    let mut sender = serve(app).await;
    let item = r#"{"name":"a","amount":3}"#;
    for (method, path, kind, content) in [
        ("GET", "/path/a%20b/3", "", ""),
        ("GET", "/path/a/three", "", ""),
        ("GET", "/query?name=a&amount=3", "", ""),
        ("GET", "/query?name=a", "", ""),
        ("POST", "/json", "application/json", item),
        ("POST", "/json", "application/json", r#"{"name":"a"}"#),
        ("POST", "/json", "application/json", "{"),
        ("POST", "/json", "text/plain", item),
        ("GET", "/json", "", ""),
        ("GET", "/fields", "", ""),
        ("POST", "/text", "", "some text"),
        ("POST", "/limited", "", "short"),
        ("GET", "/extension", "", ""),
        ("GET", "/redirect", "", ""),
        ("HEAD", "/extension", "", ""),
        ("DELETE", "/any", "", ""),
        ("GET", "/nowhere", "", ""),
    ] {
        let mut message = request(method, path, if content.is_empty() { empty() } else { full(content) });
        message.headers_mut().insert("x-field", "seen".parse().unwrap());
        if !kind.is_empty() {
            message.headers_mut().insert("content-type", kind.parse().unwrap());
        }
        let answer = sender.send_request(message).await.unwrap();
        let (head, body) = answer.into_parts();
        let content = body.collect().await.unwrap().to_bytes();
        say!(
            log,
            "{method} {path}: {} {} {}",
            head.status,
            crate::describe::fields(&head.headers),
            content.escape_ascii()
        );
    }
    let too_large = request("POST", "/limited", pieces(&pattern(100_000), 500, None));
    say!(log, "too large: {}", result(sender.send_request(too_large).await).await);
}

async fn json_of_a_megabyte(log: Log) {
    let double = |Json(mut items): Json<Vec<Item>>| async {
        items.iter_mut().for_each(|item| item.amount *= 2);
        Json(items)
    };
    let app = Router::new().route("/", post(double));
    let mut sender = serve(app).await;
    let item = |amount| format!(r#"{{"name":"the name of an item","amount":{amount}}}"#);
    let items: Vec<_> = (0..22_000).map(item).collect();
    let content = format!("[{}]", items.join(","));
    say!(log, "{}", content.len());
    let mut message = request("POST", "/", full(content));
    message.headers_mut().insert("content-type", "application/json".parse().unwrap());
    say!(log, "{}", result(sender.send_request(message).await).await);
}

async fn middleware_sees_trailers(log: Log) {
    let seen = log.clone();
    let layer = middleware::from_fn(move |request: axum::extract::Request, next: middleware::Next| {
        let seen = seen.clone();
        async move {
            let (head, body) = request.into_parts();
            let collected = body.collect().await.unwrap();
            say!(seen, "trailers: {:?}", collected.trailers().map(crate::describe::fields));
            let request = Request::from_parts(head, Body::new(collected));
            let mut answer = next.run(request).await;
            answer.headers_mut().insert("x-layer", "passed".parse().unwrap());
            answer
        }
    });
    let mut sender = serve(Router::new().route("/", post(echo)).layer(layer)).await;
    let body = pieces(&pattern(50_000), 10_000, Some(trailers(&[("x-sum", "7")])));
    say!(log, "{}", result(sender.send_request(request("POST", "/", body)).await).await);
}

async fn graceful_shutdown(log: Log) {
    let (gate, arrived) = (watch::channel(false).0, Counter::new());
    let (opened, arrive) = (gate.subscribe(), arrived.clone());
    let app = Router::new().route(
        "/",
        get(move || {
            let mut opened = opened.clone();
            arrive.add();
            async move {
                opened.wait_for(|open| *open).await.unwrap();
                pattern(200_000)
            }
        }),
    );
    let (listener, address) = listen().await;
    let (shutdown, asked) = oneshot::channel::<()>();
    let served = tokio::spawn(async move {
        axum::serve(listener, app).with_graceful_shutdown(async { _ = asked.await }).await
    });
    let mut sender = client(address).await;
    let mut clone = sender.clone();
    let waiting = tokio::spawn(async move { result(clone.send_request(get_request("/")).await).await });
    soon("the request", arrived.reaches(1)).await;
    _ = shutdown.send(());
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.send_replace(true);
    say!(log, "{}", waiting.await.unwrap());
    say!(log, "server: {:?}", soon("the server's end", served).await.unwrap().map_err(|error| error.kind()));
    say!(log, "late: {}", result(sender.send_request(get_request("/")).await).await);
    say!(log, "connect: {}", TcpStream::connect(address).await.is_ok());
}

/// The way of programs that set options of HTTP/2.
async fn on_hyper_util(log: Log) {
    let (listener, address) = listen().await;
    let app =
        Router::new().route("/", post(echo)).fallback(|| async { StatusCode::IM_A_TEAPOT.into_response() });
    tokio::spawn(async move {
        while let Ok((io, _)) = listener.accept().await {
            let service = TowerToHyperService::new(app.clone());
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder
                .http2()
                .initial_stream_window_size(5000)
                .max_frame_size(20_000)
                .max_header_list_size(2000);
            tokio::spawn(async move {
                builder
                    .serve_connection_with_upgrades(TokioIo::new(io), service)
                    .await
                    .map_err(|error| error.to_string())
            });
        }
    });
    let mut sender = client(address).await;
    let body: AnyBody = pieces(&pattern(300_000), 7000, None);
    say!(log, "{}", result(sender.send_request(request("POST", "/", body)).await).await);
    say!(log, "{}", result(sender.send_request(get_request("/nowhere")).await).await);
    let mut large = get_request("/");
    large.headers_mut().insert("x-large", "v".repeat(3000).parse().unwrap());
    say!(log, "{}", result(sender.send_request(large).await).await);
}
