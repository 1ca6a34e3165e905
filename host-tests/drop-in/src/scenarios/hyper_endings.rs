//! hyper's client and server: cancellation, errors in the middle, shutdown, and peers that vanish.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::describe::{Content, Digest, describe, pattern, response, result, root};
use crate::net::{
    AnyBody, Counter, both, both_with, client_builder, connect, echo, empty, endless, failing, fed, full,
    get, keeping, pieces, relayed, request, serve, server_builder, soon, tcp,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single broken_request_body,
    single broken_response_body,
    single early_response_ends_an_upload,
    single client_gives_up_before_the_response,
    single client_drops_the_response,
    single client_drops_an_upload,
    single server_drops_the_connection,
    single lost_connection,
    single server_closes_while_idle,
    single service_fails,
    single graceful_shutdown,
    single graceful_shutdown_of_an_idle_connection,
    single last_sender_dropped,
    single keep_alive_of_an_idle_connection,
    single keep_alive_detects_a_dead_server,
    single keep_alive_detects_a_dead_client,
    single keep_alive_detects_a_client_that_stops_in_its_preface,
    single ready_and_closed,
}

fn ended(result: Result<(), hyper::Error>) -> String {
    result.map_or_else(|error| describe(&error), |()| "ended well".to_owned())
}

async fn broken_request_body(log: Log) {
    let (seen, begun, ends) = (log.clone(), Counter::new(), Counter::new());
    let (begin, count) = (begun.clone(), ends.clone());
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let (seen, guard) = (seen.clone(), count.on_drop());
        begin.add();
        async move {
            let content = Content::of(request.into_body()).await;
            say!(seen, "server: {content}");
            drop(guard);
            Response::new(full("answer"))
        }
    })
    .await;
    for (number, size) in [0, 1000, 100_000].into_iter().enumerate() {
        let (feed, body) = fed();
        let mut clone = sender.clone();
        let answer =
            tokio::spawn(async move { result(clone.send_request(request("POST", "/", body)).await).await });
        // A request that is broken off at once may not arrive at all.
        soon("the request", begun.reaches(number + 1)).await;
        if size > 0 {
            feed.send(Ok(Frame::data(pattern(size)))).await.unwrap();
        }
        feed.send(Err("the body is broken".into())).await.unwrap();
        soon("the service's end", ends.reaches(number + 1)).await;
        say!(log, "{size}: {}", answer.await.unwrap());
    }
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

async fn broken_response_body(log: Log) {
    let begun = Counter::new();
    let received = begun.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let received = received.clone();
        async move {
            Response::new(match request.uri().path() {
                "/" => full("answer"),
                "/at-once" => failing(pattern(1000)),
                _ => {
                    let (feed, body) = fed();
                    tokio::spawn(async move {
                        _ = feed.send(Ok(Frame::data(pattern(1000)))).await;
                        received.reaches(1).await;
                        _ = feed.send(Err("the body is broken".into())).await;
                    });
                    body
                }
            })
        }
    })
    .await;
    let mut body = sender.send_request(get("/later")).await.unwrap().into_body();
    say!(log, "first: {}", body.frame().await.unwrap().unwrap().data_ref().unwrap().len());
    begun.add();
    say!(log, "then {}", Content::of(body).await);
    // The client may see the error before it sees the head.
    let error = match sender.send_request(get("/at-once")).await {
        Ok(answer) => answer.into_body().collect().await.unwrap_err(),
        Err(error) => error,
    };
    say!(log, "at once: {}", root(&error));
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

/// A server refuses an upload that would not end.
async fn early_response_ends_an_upload(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let mut body = request.into_body();
        let first = body.frame().await.unwrap().unwrap();
        let mut answer = Response::new(full(format!("content is too much: {}", first.is_data())));
        *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        answer
    })
    .await;
    for _ in 0..3 {
        let uploads = Counter::new();
        let body = keeping(endless(), uploads.on_drop());
        say!(log, "{}", result(sender.send_request(request("POST", "/", body)).await).await);
        soon("the end of the upload", uploads.reaches(1)).await;
        say!(log, "upload ended");
    }
}

async fn client_gives_up_before_the_response(log: Log) {
    let (started, dropped) = (Counter::new(), Counter::new());
    let (start, end) = (started.clone(), dropped.clone());
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let guard = end.on_drop();
        start.add();
        async move {
            let _guard = guard;
            if request.uri().path() == "/wait" {
                std::future::pending::<()>().await;
            }
            Response::new(full("answer"))
        }
    })
    .await;
    let mut clone = sender.clone();
    let waiting = tokio::spawn(async move { clone.send_request(get("/wait")).await.map(drop) });
    soon("the request", started.reaches(1)).await;
    waiting.abort();
    _ = waiting.await;
    soon("the service's end", dropped.reaches(1)).await;
    say!(log, "the service was dropped");
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

async fn client_drops_the_response(log: Log) {
    let dropped = Counter::new();
    let end = dropped.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let guard = end.on_drop();
        async move {
            Response::new(match request.uri().path() {
                "/endless" => keeping(endless(), guard),
                "/silent" => {
                    let (feed, body) = fed();
                    tokio::spawn(async move {
                        _ = feed.send(Ok(Frame::data(Bytes::from_static(b"first")))).await;
                        // Ends when nobody wants more.
                        feed.closed().await;
                        drop(guard);
                    });
                    body
                }
                _ => full("answer"),
            })
        }
    })
    .await;
    for (number, path) in ["/endless", "/silent"].into_iter().enumerate() {
        let mut body = sender.send_request(get(path)).await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(body);
        soon("the end of the response's body", dropped.reaches(number + 1)).await;
        say!(log, "{path}: first {}, then dropped", !first.is_empty());
    }
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

/// The server sees how an upload was broken off.
async fn client_drops_an_upload(log: Log) {
    let (seen, ends, started) = (log.clone(), Counter::new(), Counter::new());
    let (count, start) = (ends.clone(), started.clone());
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let (seen, guard, start) = (seen.clone(), count.on_drop(), start.clone());
        tokio::spawn(async move {
            let _guard = guard;
            let mut body = request.into_body();
            let first = body.frame().await.unwrap().unwrap();
            start.add();
            say!(seen, "server: {} bytes, then {}", first.data_ref().unwrap().len(), Content::of(body).await);
        });
        std::future::pending()
    })
    .await;
    let (feed, body) = fed();
    let waiting =
        tokio::spawn(async move { sender.send_request(request("POST", "/", body)).await.map(drop) });
    feed.send(Ok(Frame::data(pattern(1000)))).await.unwrap();
    soon("the first piece", started.reaches(1)).await;
    waiting.abort();
    soon("the server's end", ends.reaches(1)).await;
    say!(log, "the upload is wanted: {}", !feed.is_closed());
}

/// The server's process dies in the middle of a response.
async fn server_drops_the_connection(log: Log) {
    let (mut sender, ended_client, served) =
        both(async |request: Request<Incoming>| match request.uri().path() {
            "/wait" => std::future::pending().await,
            _ => {
                let (feed, body) = fed();
                tokio::spawn(async move {
                    _ = feed.send(Ok(Frame::data(Bytes::from_static(b"first")))).await;
                    std::future::pending::<()>().await;
                    drop(feed);
                });
                Response::new(body)
            }
        })
        .await;
    let mut body = sender.send_request(get("/")).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap();
    say!(log, "first: {}", first.data_ref().unwrap().len());
    let mut clone = sender.clone();
    let waiting = tokio::spawn(async move { result(clone.send_request(get("/wait")).await).await });
    tokio::task::yield_now().await;
    served.abort();
    _ = served.await;
    say!(log, "body: {}", Content::of(body).await);
    say!(log, "waiting: {}", waiting.await.unwrap());
    say!(log, "client: {}", ended(ended_client.await.unwrap()));
    say!(log, "closed: {}", sender.is_closed());
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

/// The connection is lost in the middle of a request.
async fn lost_connection(log: Log) {
    let (seen, ends, started) = (log.clone(), Counter::new(), Counter::new());
    let (count, start) = (ends.clone(), started.clone());
    let (near, far, relay) = relayed().await;
    let served = serve(far, &server_builder(), move |request: Request<Incoming>| {
        let (seen, guard, start) = (seen.clone(), count.on_drop(), start.clone());
        async move {
            let mut body = request.into_body();
            _ = body.frame().await;
            start.add();
            tokio::spawn(async move {
                let _guard = guard;
                say!(seen, "request: {}", Content::of(body).await);
            });
            std::future::pending().await
        }
    });
    let (mut sender, client) = connect(near, &client_builder()).await;
    let (feed, body) = fed();
    let waiting =
        tokio::spawn(async move { result(sender.send_request(request("POST", "/", body)).await).await });
    feed.send(Ok(Frame::data(pattern(1000)))).await.unwrap();
    soon("the first piece", started.reaches(1)).await;
    relay.abort();
    soon("the request's end", ends.reaches(1)).await;
    say!(log, "request: {}", waiting.await.unwrap());
    say!(log, "client: {}", ended(client.await.unwrap()));
    say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
}

async fn server_closes_while_idle(log: Log) {
    let (mut sender, client, served) = both(echo).await;
    say!(log, "{}", result(sender.send_request(get("/")).await).await);
    served.abort();
    // Whether this is an error depends on the writes under way.
    _ = soon("the client's end", client).await.unwrap();
    say!(log, "closed: {}, ready: {}", sender.is_closed(), sender.is_ready());
    say!(log, "ready(): {}", ended(sender.ready().await));
}

/// hyper resets the stream when a service returns an error.
async fn service_fails(log: Log) {
    let (near, far) = tcp().await;
    let service = service_fn(async |request: Request<Incoming>| match request.uri().path() {
        "/fail" => Err("the service fails"),
        _ => Ok(Response::new(full("answer"))),
    });
    let served = tokio::spawn(server_builder().serve_connection(TokioIo::new(far), service));
    let (mut sender, client) = connect(near, &client_builder()).await;
    for path in ["/fail", "/", "/fail"] {
        say!(log, "{path}: {}", result(sender.send_request(get(path)).await).await);
    }
    drop(sender);
    say!(log, "client: {}", ended(client.await.unwrap()));
    say!(log, "server: {}", ended(served.await.unwrap()));
}

/// Requests in flight are answered; further ones are not accepted.
async fn graceful_shutdown(log: Log) {
    let (near, far) = tcp().await;
    let (shutdown, mut asked) = watch::channel(false);
    let (gate, started) = (watch::channel(false).0, Counter::new());
    let (opened, start) = (gate.subscribe(), started.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let mut opened = opened.clone();
        start.add();
        async move {
            let content = Content::of(request.into_body()).await;
            opened.wait_for(|open| *open).await.unwrap();
            Ok::<_, std::convert::Infallible>(Response::new(pieces(
                &pattern(content.digest.length() * 10),
                999,
                None,
            )))
        }
    });
    let connection = server_builder().serve_connection(TokioIo::new(far), service);
    let served = tokio::spawn(async move {
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            result = connection.as_mut() => return result,
            _ = asked.wait_for(|asked| *asked) => connection.as_mut().graceful_shutdown(),
        }
        // A second call changes nothing.
        connection.as_mut().graceful_shutdown();
        connection.await
    });
    let (mut sender, client) = connect(near, &client_builder()).await;
    let answers: Vec<_> = (0..3)
        .map(|number| {
            let mut sender = sender.clone();
            let body = full(pattern(number * 30_000));
            tokio::spawn(async move { result(sender.send_request(request("POST", "/", body)).await).await })
        })
        .collect();
    soon("three requests", started.reaches(3)).await;
    shutdown.send_replace(true);
    sleep(Duration::from_millis(50)).await;
    gate.send_replace(true);
    for answer in answers {
        say!(log, "{}", answer.await.unwrap());
    }
    say!(log, "client: {}", ended(soon("the client's end", client).await.unwrap()));
    say!(log, "a further request: {}", result(sender.send_request(get("/")).await).await);
    say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
}

async fn graceful_shutdown_of_an_idle_connection(log: Log) {
    for used in [false, true] {
        let (near, far) = tcp().await;
        let connection = server_builder().serve_connection(
            TokioIo::new(far),
            service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(empty()))),
        );
        let (shutdown, asked) = tokio::sync::oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                result = connection.as_mut() => return result,
                _ = asked => connection.as_mut().graceful_shutdown(),
            }
            connection.await
        });
        let (mut sender, client) = connect(near, &client_builder()).await;
        if used {
            say!(log, "{}", response(sender.send_request(get("/")).await.unwrap()).await);
        }
        drop(shutdown);
        say!(log, "client: {}", ended(soon("the client's end", client).await.unwrap()));
        say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
        drop(sender);
    }
}

/// The client's connection ends when nobody can send any more, and all has been received.
async fn last_sender_dropped(log: Log) {
    let (mut sender, client, served) = both(echo).await;
    let body = pieces(&pattern(1_000_000), 10_000, None);
    let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
    drop(sender);
    say!(log, "{}", response(answer).await);
    say!(log, "client: {}", ended(soon("the client's end", client).await.unwrap()));
    say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
}

async fn keep_alive_of_an_idle_connection(log: Log) {
    let (mut client, mut server) = (client_builder(), server_builder());
    let interval = Duration::from_millis(20);
    client
        .keep_alive_interval(interval)
        .keep_alive_while_idle(true)
        .keep_alive_timeout(Duration::from_secs(60));
    server.keep_alive_interval(interval).keep_alive_timeout(Duration::from_secs(60));
    let (mut sender, ..) = both_with(&client, &server, echo).await;
    for _ in 0..3 {
        say!(log, "{}", result(sender.send_request(request("POST", "/", full("alive"))).await).await);
        sleep(Duration::from_millis(300)).await;
    }
    say!(log, "closed: {}", sender.is_closed());
}

/// A server that accepts everything, and never answers.
async fn keep_alive_detects_a_dead_server(log: Log) {
    for idle in [true, false] {
        let (near, far) = tcp().await;
        let mut client = client_builder();
        client.keep_alive_interval(Duration::from_millis(50)).keep_alive_while_idle(idle);
        client.keep_alive_timeout(Duration::from_millis(200));
        let (mut sender, ended_client) = connect(near, &client).await;
        if !idle {
            say!(log, "request: {}", result(timeout_free(sender.send_request(get("/"))).await).await);
        }
        say!(log, "client: {}", ended(soon("the client's end", ended_client).await.unwrap()));
        say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
        drop(far);
    }
}

/// A request that must end by itself.
async fn timeout_free<T>(answer: impl Future<Output = T>) -> T {
    soon("the answer", answer).await
}

/// A client that stops before its SETTINGS are complete.
async fn keep_alive_detects_a_client_that_stops_in_its_preface(log: Log) {
    use http2_test_support as frames;
    let (mut near, far) = tcp().await;
    let mut server = server_builder();
    server.keep_alive_interval(Duration::from_millis(50)).keep_alive_timeout(Duration::from_millis(200));
    let served = serve(far, &server, echo);
    near.write_all(&[frames::PREFACE, &frames::settings(&[])[..8]].concat()).await.unwrap();
    say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
}

/// A client that sends a request, and no answer to a PING.
async fn keep_alive_detects_a_dead_client(log: Log) {
    use http2_test_support as frames;
    let (mut near, far) = tcp().await;
    let mut server = server_builder();
    server.keep_alive_interval(Duration::from_millis(50)).keep_alive_timeout(Duration::from_millis(200));
    let dropped = Counter::new();
    let guard = dropped.clone();
    let served = serve(far, &server, move |_: Request<Incoming>| {
        let guard = guard.on_drop();
        async move {
            let _guard = guard;
            std::future::pending::<Response<AnyBody>>().await
        }
    });
    let hello = [frames::PREFACE, &frames::settings(&[]), &frames::headers(1, 5, frames::GET)].concat();
    near.write_all(&hello).await.unwrap();
    say!(log, "server: {}", ended(soon("the server's end", served).await.unwrap()));
    soon("the service's end", dropped.reaches(1)).await;
    let mut rest = Vec::new();
    _ = timeout(Duration::from_secs(5), near.read_to_end(&mut rest)).await;
    say!(log, "the client read something: {}", Digest::of(&rest).length() > 0);
}

async fn ready_and_closed(log: Log) {
    let (mut sender, client, served) = both(echo).await;
    say!(log, "ready(): {}", ended(sender.ready().await));
    say!(log, "ready: {}, closed: {}", sender.is_ready(), sender.is_closed());
    match sender.try_send_request(request("POST", "/", full("content"))).await {
        Ok(answer) => say!(log, "{}", response(answer).await),
        Err(error) => say!(log, "{}", describe(error.error())),
    }
    served.abort();
    _ = soon("the client's end", client).await;
    say!(log, "ready: {}, closed: {}", sender.is_ready(), sender.is_closed());
    match sender.try_send_request(request("POST", "/back", full("content"))).await {
        Ok(answer) => say!(log, "{}", response(answer).await),
        Err(mut error) => {
            say!(log, "{}", describe(error.error()));
            let back = error.take_message().map(|request| request.uri().clone());
            say!(log, "given back: {back:?}");
        }
    }
}
