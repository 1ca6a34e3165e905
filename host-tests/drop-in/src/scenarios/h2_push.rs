//! `h2`: server push, from both sides.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use futures_util::StreamExt;
use h2::{Reason, client, server};
use http::{HeaderValue, Request, Response};

use crate::describe::{fields, h2_error, pattern, reset};
use crate::h2_pair::{Signal, done, end, get, ok, outcome, post, send_all, settle, start, start_with};
use crate::net::soon;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single pushes_with_content,
    single push_promises_as_a_stream,
    single push_is_disabled,
    single requests_that_may_not_be_pushed,
    single push_after_the_response,
    single push_promises_twice,
    single pushes_that_the_client_does_not_want,
    single pushes_that_the_server_resets,
    single dropped_push,
    single limit_of_pushed_streams,
    single client_does_not_look_at_pushes,
}

fn pushed(path: &str) -> Request<()> {
    let mut request = get(path);
    request.headers_mut().insert("x-pushed", HeaderValue::from_static("yes"));
    request
}

/// The promises of a response, with their responses.
async fn promised(log: &Log, mut promises: client::PushPromises) {
    while let Some(promise) = promises.push_promise().await {
        match promise {
            Ok(mut promise) => {
                say!(
                    log,
                    "promise: {} {} {}",
                    promise.request().method(),
                    promise.request().uri(),
                    fields(promise.request().headers())
                );
                promise.request_mut().headers_mut().clear();
                let (request, response) = promise.into_parts();
                say!(log, "promise: {} stream {:?}", fields(request.headers()), response.stream_id());
                say!(log, "pushed: {}", outcome(response.await).await);
            }
            Err(error) => {
                say!(log, "promise: {}", h2_error(&error));
                break;
            }
        }
    }
    say!(log, "no more promises");
}

async fn pushes_with_content(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        for number in 0..3 {
            let mut push = respond.push_request(pushed(&format!("/pushed/{number}"))).unwrap();
            assert_eq!(push.stream_id().as_u32(), 2 + 2 * number);
            let mut stream = push.send_response(ok(), number == 0).unwrap();
            if number > 0 {
                let content = pattern(50_000 * number as usize);
                tokio::spawn(async move { send_all(&mut stream, content, None).await });
            }
        }
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(Bytes::from_static(b"the answer"), true).unwrap();
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let promises = response.push_promises();
    promised(&log, promises).await;
    say!(log, "{}", outcome(response.await).await);
}

async fn push_promises_as_a_stream(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        for path in ["/a", "/b"] {
            let mut push = respond.push_request(pushed(path)).unwrap();
            push.send_response(Response::builder().status(404).body(()).unwrap(), true).unwrap();
        }
        _ = respond.send_response(ok(), true);
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut promises = response.push_promises();
    let first = promises.next().await.unwrap().unwrap();
    say!(log, "next: {}", first.request().uri());
    let second = poll_fn(|context| promises.poll_push_promise(context)).await.unwrap().unwrap();
    say!(log, "poll_push_promise: {}", second.request().uri());
    say!(log, "{}", outcome(response.await).await);
    for promise in [first, second] {
        say!(log, "{}", outcome(promise.into_parts().1.await).await);
    }
    say!(log, "then: {}", promises.next().await.is_none());
}

async fn push_is_disabled(log: Log) {
    let seen = log.clone();
    let mut client = client::Builder::new();
    client.enable_push(false);
    let mut pair = start_with(&client, &server::Builder::new(), move |_, mut respond| {
        let seen = seen.clone();
        async move {
            say!(seen, "server: {}", done(respond.push_request(pushed("/"))));
            _ = respond.send_response(ok(), true);
        }
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut promises = response.push_promises();
    say!(log, "{}", outcome(response.await).await);
    say!(log, "promises: {}", promises.push_promise().await.is_none());
}

async fn requests_that_may_not_be_pushed(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |_, mut respond| {
        let seen = seen.clone();
        async move {
            for method in ["HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS"] {
                let request = Request::builder().method(method).uri("http://test.example/").body(()).unwrap();
                say!(seen, "server: {method} {}", done(respond.push_request(request)));
            }
            let mut long = pushed("/long");
            long.headers_mut().insert("content-length", HeaderValue::from_static("5"));
            say!(seen, "server: content-length {}", done(respond.push_request(long)));
            let mut zero = pushed("/zero");
            zero.headers_mut().insert("content-length", HeaderValue::from_static("0"));
            say!(seen, "server: no content {}", done(respond.push_request(zero)));
            let relative = Request::get("/relative").body(()).unwrap();
            say!(seen, "server: relative {}", done(respond.push_request(relative)));
            let mut bad = pushed("/bad");
            bad.headers_mut().insert("connection", HeaderValue::from_static("close"));
            say!(seen, "server: connection {}", done(respond.push_request(bad)));
            _ = respond.send_response(ok(), true);
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

async fn push_after_the_response(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |_, mut respond| {
        let seen = seen.clone();
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            match respond.push_request(pushed("/late")) {
                Ok(mut push) => {
                    say!(seen, "server: pushed {}", done(push.send_response(ok(), true)));
                    say!(seen, "server: twice {}", done(push.send_response(ok(), true)));
                }
                Err(error) => say!(seen, "server: {}", h2_error(&error)),
            }
            stream.send_data(Bytes::from_static(b"the answer"), true).unwrap();
            say!(seen, "server: after the end {}", done(respond.push_request(pushed("/too-late"))));
        }
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let promises = response.push_promises();
    say!(log, "{}", outcome(response.await).await);
    promised(&log, promises).await;
}

/// The documentation promises the panic.
async fn push_promises_twice(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        let mut push = respond.push_request(pushed("/a")).unwrap();
        push.send_response(ok(), true).unwrap();
        _ = respond.send_response(ok(), true);
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let promises = response.push_promises();
    let panic = catch_unwind(AssertUnwindSafe(|| drop(response.push_promises()))).err();
    say!(log, "twice panics: {}", panic.is_some());
    // The panic has harmed nothing.
    promised(&log, promises).await;
    say!(log, "{}", outcome(response.await).await);
}

async fn pushes_that_the_client_does_not_want(log: Log) {
    let (seen, over) = (log.clone(), Signal::default());
    let signal = over.clone();
    let mut pair = start(move |_, mut respond| {
        let (seen, signal) = (seen.clone(), signal.clone());
        async move {
            let mut push = respond.push_request(pushed("/unwanted")).unwrap();
            _ = respond.send_response(ok(), true);
            let reset = poll_fn(|context| push.poll_reset(context)).await;
            say!(seen, "server: {}", self::reset(reset));
            say!(seen, "server: {}", done(push.send_response(ok(), true)));
            signal.give();
        }
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut promises = response.push_promises();
    let promise = promises.push_promise().await.unwrap().unwrap();
    drop(promise);
    say!(log, "{}", outcome(response.await).await);
    over.wait().await;
}

async fn pushes_that_the_server_resets(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        let mut push = respond.push_request(pushed("/reset")).unwrap();
        _ = respond.send_response(ok(), true);
        settle().await;
        push.send_reset(Reason::INTERNAL_ERROR);
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut promises = response.push_promises();
    let promise = promises.push_promise().await.unwrap().unwrap();
    say!(log, "{}", outcome(promise.into_parts().1.await).await);
    say!(log, "{}", outcome(response.await).await);
}

/// The server forgets its promise.
async fn dropped_push(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        let push = respond.push_request(pushed("/dropped")).unwrap();
        _ = respond.send_response(ok(), true);
        settle().await;
        drop(push);
    })
    .await;
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut promises = response.push_promises();
    let promise = promises.push_promise().await.unwrap().unwrap();
    say!(log, "{}", outcome(response.await).await);
    say!(log, "{}", outcome(soon("the end of the push", promise.into_parts().1).await).await);
}

async fn limit_of_pushed_streams(log: Log) {
    let mut client = client::Builder::new();
    client.max_concurrent_streams(2);
    let (seen, over) = (log.clone(), Signal::default());
    let signal = over.clone();
    let mut pair = start_with(&client, &server::Builder::new(), move |request, mut respond| {
        let (seen, signal) = (seen.clone(), signal.clone());
        async move {
            if request.uri().path() == "/first" {
                _ = respond.send_response(ok(), true);
                return;
            }
            let mut pushes = Vec::new();
            for number in 0..4 {
                match respond.push_request(pushed(&format!("/{number}"))) {
                    Ok(mut push) => {
                        let sent = push.send_response(ok(), false);
                        say!(
                            seen,
                            "server: {number} {}",
                            sent.as_ref().map_or_else(h2_error, |_| "pushed".to_owned())
                        );
                        pushes.push((push, sent));
                    }
                    Err(error) => say!(seen, "server: {number} {}", h2_error(&error)),
                }
            }
            let mut stream = respond.send_response(ok(), false).unwrap();
            signal.wait().await;
            for (_, sent) in pushes {
                if let Ok(mut stream) = sent {
                    _ = stream.send_data(Bytes::from_static(b"pushed"), true);
                }
            }
            stream.send_data(Bytes::from_static(b"the answer"), true).unwrap();
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/first"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    let (mut response, _) = pair.send.send_request(get("/"), true).unwrap();
    let promises = response.push_promises();
    settle().await;
    over.give();
    promised(&log, promises).await;
    say!(log, "{}", outcome(response.await).await);
    drop(pair.send);
    say!(log, "client: {}, server: {}", end(pair.client).await, end(pair.server).await);
}

async fn client_does_not_look_at_pushes(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        for number in 0..5 {
            if let Ok(mut push) = respond.push_request(pushed(&format!("/{number}"))) {
                let mut stream = push.send_response(ok(), false).unwrap();
                stream.send_data(pattern(30_000), true).unwrap();
            }
        }
        _ = respond.send_response(ok(), true);
    })
    .await;
    for _ in 0..10 {
        let (response, _) = pair.send.send_request(post("/"), true).unwrap();
        say!(log, "{}", soon("the answer", async { outcome(response.await).await }).await);
        settle().await;
    }
}
