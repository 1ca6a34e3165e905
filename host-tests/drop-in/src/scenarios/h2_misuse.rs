//! `h2`: functions that are called at the wrong time, or with the wrong arguments. None may panic.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::{Ping, Reason, RecvStream, client, server};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};

use crate::describe::{h2_error, pattern, reset};
use crate::h2_pair::{Signal, connect, done, duplex, get, ok, outcome, post, read, serve, settle, start};
use crate::net::{soon, trailers};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single sending_after_the_end,
    single trailers_twice,
    single trailers_with_forbidden_fields,
    single sending_without_a_body,
    single sending_after_a_reset,
    single responses_twice,
    single resets_twice,
    single functions_of_the_server_after_the_end,
    single polling_after_the_end,
    single data_after_trailers,
    single trailers_before_data,
    single pings_at_the_wrong_time,
    single requests_without_ready,
    single reserving_too_much,
    single windows_out_of_range,
    single content_length_is_checked,
    single other_tasks_wait_for_one_stream,
    single everything_is_dropped_in_any_order,
}

fn some() -> HeaderMap {
    trailers(&[("x-some", "trailers")])
}

/// A server that reads everything, then answers with what it has read.
async fn reading_server() -> crate::h2_pair::Pair {
    start(|request, mut respond| async move {
        let content = read(&mut request.into_body()).await;
        if let Ok(mut stream) = respond.send_response(ok(), false) {
            _ = stream.send_data(Bytes::from(content), true);
        }
    })
    .await
}

async fn sending_after_the_end(log: Log) {
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"a"), true)));
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"b"), false)));
    say!(log, "data: {}", done(stream.send_data(Bytes::new(), true)));
    say!(log, "trailers: {}", done(stream.send_trailers(some())));
    say!(log, "{}", outcome(response.await).await);
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"c"), true)));
    say!(log, "capacity: {}", stream.capacity());
}

async fn trailers_twice(log: Log) {
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    say!(log, "trailers: {}", done(stream.send_trailers(some())));
    say!(log, "trailers: {}", done(stream.send_trailers(some())));
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"a"), true)));
    say!(log, "{}", outcome(response.await).await);
}

async fn trailers_with_forbidden_fields(log: Log) {
    for name in ["connection", "te", "transfer-encoding", "upgrade", "content-length", "host", "x-good"] {
        let mut pair = reading_server().await;
        let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
        let mut ends = HeaderMap::new();
        ends.insert(name, HeaderValue::from_static("value"));
        let sent = stream.send_trailers(ends);
        say!(log, "{name}: {}", done(sent));
        if name != "x-good" {
            _ = stream.send_data(Bytes::new(), true);
        }
        drop(stream);
        say!(log, "{name}: {}", outcome(response.await).await);
    }
    // Trailers without a field.
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    say!(log, "empty: {}", done(stream.send_trailers(HeaderMap::new())));
    say!(log, "empty: {}", outcome(response.await).await);
}

async fn sending_without_a_body(log: Log) {
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), true).unwrap();
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"a"), false)));
    say!(log, "trailers: {}", done(stream.send_trailers(some())));
    stream.reserve_capacity(10);
    let capacity = poll_fn(|context| Poll::Ready(stream.poll_capacity(context))).await;
    say!(
        log,
        "capacity: {:?}",
        capacity.map(|capacity| capacity.map(|capacity| capacity.map_err(|error| h2_error(&error))))
    );
    say!(log, "{}", outcome(response.await).await);
}

async fn sending_after_a_reset(log: Log) {
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    stream.send_reset(Reason::CANCEL);
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"a"), false)));
    say!(log, "trailers: {}", done(stream.send_trailers(some())));
    let reset = poll_fn(|context| stream.poll_reset(context)).now_or_never();
    say!(log, "poll_reset: {:?}", reset.map(self::reset));
    say!(log, "response: {}", outcome(soon("the response", response).await).await);
    settle().await;
    say!(log, "data: {}", done(stream.send_data(Bytes::from_static(b"a"), false)));
}

async fn responses_twice(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |_, mut respond| {
        let seen = seen.clone();
        async move {
            let first = respond.send_response(ok(), false);
            say!(seen, "server: {}", first.as_ref().map_or_else(h2_error, |_| "done".to_owned()));
            say!(seen, "server: again {}", done(respond.send_response(ok(), true)));
            let mut stream = first.unwrap();
            stream.send_data(Bytes::from_static(b"content"), true).unwrap();
            say!(seen, "server: after the end {}", done(respond.send_response(ok(), true)));
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

async fn resets_twice(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |_, mut respond| {
        let seen = seen.clone();
        async move {
            respond.send_reset(Reason::REFUSED_STREAM);
            respond.send_reset(Reason::CANCEL);
            say!(seen, "server: response {}", done(respond.send_response(ok(), true)));
            let hint = Response::builder().status(StatusCode::EARLY_HINTS).body(()).unwrap();
            say!(seen, "server: hint {}", done(respond.send_informational(hint)));
            say!(seen, "server: push {}", done(respond.push_request(get("/"))));
        }
    })
    .await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    say!(log, "{}", outcome(response.await).await);
    stream.send_reset(Reason::CANCEL);
    stream.send_reset(Reason::INTERNAL_ERROR);
    say!(log, "data: {}", done(stream.send_data(Bytes::new(), true)));
}

/// Functions of a server's connection that has ended.
async fn functions_of_the_server_after_the_end(log: Log) {
    let (near, far) = duplex();
    let handshake = server::Builder::new().handshake::<_, Bytes>(far);
    let (mut send, client) = connect(near, &client::Builder::new()).await;
    let mut connection = handshake.await.unwrap();
    let (response, _) = send.send_request(get("/"), true).unwrap();
    connection.accept().await.unwrap().unwrap().1.send_response(ok(), true).unwrap();
    tokio::select! {
        response = response => say!(log, "{}", outcome(response).await),
        _ = connection.accept() => panic!("no further request"),
    }
    settle().await;
    drop(send);
    say!(log, "accept: {}", connection.accept().await.is_none());
    connection.graceful_shutdown();
    connection.abrupt_shutdown(Reason::INTERNAL_ERROR);
    connection.set_target_window_size(100_000);
    say!(log, "window: {}", done(connection.set_initial_window_size(1000)));
    say!(log, "ping_pong: {}", connection.ping_pong().is_some());
    say!(log, "accept: {}", connection.accept().await.is_none());
    say!(log, "streams: {}", connection.has_streams());
    _ = client.await;
}

async fn polling_after_the_end(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(Bytes::from_static(b"content"), false).unwrap();
        stream.send_trailers(some()).unwrap();
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    say!(log, "{}", read(&mut body).await);
    for _ in 0..2 {
        say!(log, "data: {}", body.data().await.is_none());
        say!(
            log,
            "trailers: {:?}",
            body.trailers().await.map(|some| some.is_some()).map_err(|error| h2_error(&error))
        );
        say!(log, "end: {}", body.is_end_stream());
    }
    say!(log, "release: {}", done(body.flow_control().release_capacity(1)));
}

/// A caller that asks for trailers has no interest in the rest of the content.
async fn trailers_before_data(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(Bytes::from_static(b"content"), false).unwrap();
        stream.send_trailers(some()).unwrap();
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    settle().await;
    let early = body.trailers().now_or_never();
    say!(
        log,
        "early: {:?}",
        early.map(|some| some.map(|some| some.is_some()).map_err(|error| h2_error(&error)))
    );
    let data: Option<Option<Result<Bytes, String>>> =
        body.data().now_or_never().map(|data| data.map(|data| data.map_err(|error| h2_error(&error))));
    say!(log, "data: {data:?}");
}

/// Data of a received body is not lost when the caller polls in between.
async fn data_after_trailers(log: Log) {
    let mut pair = start(|request: Request<RecvStream>, mut respond| async move {
        let mut body = request.into_body();
        let mut stream = respond.send_response(ok(), false).unwrap();
        let trailers = poll_fn(|context| Poll::Ready(body.poll_trailers(context).is_pending())).await;
        stream.send_data(Bytes::from(format!("trailers pending {trailers}")), false).unwrap();
        let content = read(&mut body).await;
        stream.send_data(Bytes::from(content), true).unwrap();
    })
    .await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    say!(log, "{:?}", body.data().await.map(|data| data.map_err(|error| h2_error(&error))));
    stream.send_data(pattern(10), false).unwrap();
    stream.send_trailers(some()).unwrap();
    say!(log, "{:?}", body.data().await.map(|data| data.map_err(|error| h2_error(&error))));
}

async fn pings_at_the_wrong_time(log: Log) {
    let (near, far) = duplex();
    let served = serve(far, &server::Builder::new(), |_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    });
    let (send, mut connection) = client::handshake(near).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    let pong = poll_fn(|context| Poll::Ready(pings.poll_pong(context))).await;
    say!(log, "pong without a ping: {:?}", pong.map(done));
    say!(log, "before the connection runs: {}", done(pings.send_ping(Ping::opaque())));
    say!(log, "a second: {}", done(pings.send_ping(Ping::opaque())));
    let client = tokio::spawn(connection);
    say!(log, "pong: {}", done(soon("a pong", poll_fn(|context| pings.poll_pong(context))).await));
    let pong = poll_fn(|context| Poll::Ready(pings.poll_pong(context))).await;
    say!(log, "a second pong: {:?}", pong.map(done));
    served.abort();
    _ = client.await;
    say!(log, "afterwards: {}", done(pings.send_ping(Ping::opaque())));
    drop(send);
}

/// Requests work without asking whether the handle is ready, as long as streams are left.
async fn requests_without_ready(log: Log) {
    let mut pair = reading_server().await;
    let responses: Vec<_> =
        (0..100).map(|_| pair.send.send_request(get("/"), true).map(|(response, _)| response)).collect();
    for response in responses {
        match response {
            Ok(response) => say!(log, "{}", outcome(response.await).await),
            Err(error) => say!(log, "{}", h2_error(&error)),
        }
    }
}

async fn reserving_too_much(log: Log) {
    let mut pair = reading_server().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    settle().await;
    for size in [1 << 20, (1 << 31) - 1, (1 << 32) - 1] {
        stream.reserve_capacity(size);
        let capacity = poll_fn(|context| Poll::Ready(stream.poll_capacity(context))).await;
        say!(
            log,
            "{size}: {:?} {}",
            capacity.map(|capacity| capacity.map(|capacity| capacity.map_err(|error| h2_error(&error)))),
            stream.capacity()
        );
    }
    stream.reserve_capacity(0);
    say!(log, "0: {}", stream.capacity());
    stream.send_data(Bytes::from_static(b"content"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

/// Windows beyond 2^31-1 (RFC 9113, 6.5.2).
async fn windows_out_of_range(log: Log) {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let (near, _far) = duplex();
    let (_send, mut connection) = client::handshake(near).await.unwrap();
    let panics = catch_unwind(AssertUnwindSafe(|| connection.set_target_window_size(1 << 31))).is_err();
    say!(log, "target window of 2^31 panics: {panics}");
    let panics = catch_unwind(AssertUnwindSafe(|| _ = connection.set_initial_window_size(1 << 31))).is_err();
    say!(log, "initial window of 2^31 panics: {panics}");
}

/// A sender may claim another length than it sends; the receiver finds out.
async fn content_length_is_checked(log: Log) {
    for (claimed, sent) in [(5, 5), (5, 4), (5, 6), (0, 0), (0, 1), (5, 0)] {
        let seen = log.clone();
        let over = Signal::default();
        let signal = over.clone();
        let mut pair = start(move |request, mut respond| {
            let (seen, signal) = (seen.clone(), signal.clone());
            async move {
                signal.give();
                let mut body = request.into_body();
                let end = loop {
                    match body.data().await {
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break h2_error(&error),
                        None => break "the end".to_owned(),
                    }
                };
                say!(seen, "server: {claimed} {sent}: {end}");
                _ = respond.send_response(ok(), true);
                signal.give();
            }
        })
        .await;
        let mut request = post("/");
        request.headers_mut().insert("content-length", HeaderValue::from(claimed));
        let (response, mut stream) = pair.send.send_request(request, false).unwrap();
        // A request that is malformed at once may not arrive at all.
        over.wait().await;
        say!(log, "{claimed} {sent}: {}", done(stream.send_data(pattern(sent), true)));
        let response = response.await;
        over.wait().await;
        say!(log, "{claimed} {sent}: {}", outcome(response).await);
    }
}

/// Several tasks poll the same connection's handles.
async fn other_tasks_wait_for_one_stream(log: Log) {
    let mut pair = reading_server().await;
    let mut tasks = Vec::new();
    for number in 0..20 {
        let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
        tasks.push(tokio::spawn(async move {
            for _ in 0..10 {
                tokio::task::yield_now().await;
                stream.send_data(pattern(number * 100), false).unwrap();
            }
            stream.send_trailers(some()).unwrap();
            outcome(response.await).await
        }));
    }
    for task in tasks {
        say!(log, "{}", task.await.unwrap());
    }
}

/// Handles that are dropped in an order that depends on the seed.
async fn everything_is_dropped_in_any_order(log: Log) {
    let mut random = log.random();
    for round in 0..50 {
        let mut pair = reading_server().await;
        let mut kept: Vec<Box<dyn std::any::Any + Send>> = Vec::new();
        for number in 0..5 {
            let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
            _ = stream.send_data(pattern(10_000 * number), number % 2 == 0);
            kept.push(Box::new(stream));
            kept.push(Box::new(response));
            if random.bool() {
                settle().await;
            }
        }
        kept.push(Box::new(pair.send));
        random.shuffle(&mut kept);
        if round % 5 == 0 {
            pair.client.abort();
        }
        for handle in kept {
            drop(handle);
            if random.u8(0..4) == 0 {
                settle().await;
            }
        }
        // The order of both ends decides whether the later one is an error.
        _ = soon("the client's end", pair.client).await;
        _ = soon("the server's end", pair.server).await.unwrap();
        say!(log, "both ended");
    }
}
