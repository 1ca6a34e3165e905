//! hyper's client and server with limits of all sizes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use crate::describe::{Digest, pattern, response, result};
use crate::net::{
    Counter, Gauge, SendRequest, both, both_with, client_builder, echo, empty, full, get, keeping, pieces,
    request, server_builder, soon,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel windows_of_the_server,
    parallel windows_of_the_client,
    parallel windows_of_connections,
    parallel adaptive_windows,
    single frame_sizes,
    single send_buffers,
    single header_tables,
    single limit_of_streams_queues_requests,
    single limit_of_one_stream,
    single limit_of_no_stream,
    single request_fields_up_to_the_limit,
    single response_fields_up_to_the_limit,
    single raised_limit_of_fields,
    single lowered_limit_of_fields,
    single many_reset_streams,
}

/// Sizes of windows that are easily got wrong, and one that depends on the seed.
fn window_sizes(log: &Log) -> Vec<u32> {
    vec![
        1,
        2,
        7,
        100,
        16_383,
        16_384,
        65_534,
        65_535,
        65_536,
        1_000_001,
        (1 << 31) - 1,
        log.random().u32(1..500_000),
    ]
}

/// Echoes as much as is quick with windows of a size.
async fn echo_through(sender: &mut SendRequest, window: u32) -> String {
    let size = (window as usize).saturating_mul(300).clamp(300, 700_000);
    let body = pieces(&pattern(size), 20_000, None);
    response(sender.send_request(request("POST", "/", body)).await.unwrap()).await
}

async fn windows_of_the_server(log: Log) {
    for size in window_sizes(&log) {
        let mut server = server_builder();
        server.initial_stream_window_size(size);
        let (mut sender, ..) = both_with(&client_builder(), &server, echo).await;
        say!(log, "{size}: {}", echo_through(&mut sender, size).await);
    }
}

async fn windows_of_the_client(log: Log) {
    for size in window_sizes(&log) {
        let mut client = client_builder();
        client.initial_stream_window_size(size);
        let (mut sender, ..) = both_with(&client, &server_builder(), echo).await;
        say!(log, "{size}: {}", echo_through(&mut sender, size).await);
    }
}

async fn windows_of_connections(log: Log) {
    // RFC 9113 lets no endpoint begin with less.
    for size in window_sizes(&log).into_iter().filter(|size| *size >= 65_535) {
        let (mut client, mut server) = (client_builder(), server_builder());
        client.initial_connection_window_size(size);
        server.initial_connection_window_size(size);
        let (sender, ..) = both_with(&client, &server, echo).await;
        // Several streams share the window.
        let echoes = (0..5).map(|_| {
            let mut sender = sender.clone();
            async move { echo_through(&mut sender, 1000).await }
        });
        say!(log, "{size}: {:?}", join_all(echoes).await);
    }
}

async fn adaptive_windows(log: Log) {
    let (mut client, mut server) = (client_builder(), server_builder());
    client.adaptive_window(true);
    server.adaptive_window(true);
    let (mut sender, ..) = both_with(&client, &server, echo).await;
    for size in [0, 100_000, 10_000_000, 1000, 3_000_000] {
        let body = pieces(&pattern(size), 100_000, None);
        say!(log, "{}", response(sender.send_request(request("POST", "/", body)).await.unwrap()).await);
    }
}

async fn frame_sizes(log: Log) {
    for size in [16_384, 16_385, 100_001, (1 << 24) - 1] {
        let (mut client, mut server) = (client_builder(), server_builder());
        client.max_frame_size(size);
        server.max_frame_size(size);
        let (mut sender, ..) = both_with(&client, &server, echo).await;
        let body = pieces(&pattern(2_000_000), 1_000_000, None);
        say!(
            log,
            "{size}: {}",
            response(sender.send_request(request("POST", "/", body)).await.unwrap()).await
        );
    }
}

async fn send_buffers(log: Log) {
    for size in [1, 2, 100, 16_384, 1 << 20] {
        let (mut client, mut server) = (client_builder(), server_builder());
        client.max_send_buf_size(size);
        server.max_send_buf_size(size);
        let (mut sender, ..) = both_with(&client, &server, echo).await;
        let length = if size < 100 { 3000 } else { 500_000 };
        // hyper sends each piece at once when there is any capacity.
        let body = pieces(&pattern(length), 700, None);
        say!(
            log,
            "{size}: {}",
            response(sender.send_request(request("POST", "/", body)).await.unwrap()).await
        );
    }
}

async fn header_tables(log: Log) {
    for size in [0, 1, 100, 4096, 65_536] {
        let mut client = client_builder();
        client.header_table_size(size);
        let (mut sender, ..) = both_with(&client, &server_builder(), async |request: Request<Incoming>| {
            let mut answer = Response::new(empty());
            *answer.headers_mut() = request.headers().clone();
            answer
        })
        .await;
        for number in 0..50 {
            let mut message = get("/");
            for field in 0..10 {
                let name =
                    HeaderName::from_bytes(format!("x-field-{}", (number + field) % 17).as_bytes()).unwrap();
                message.headers_mut().insert(name, HeaderValue::from(number * field));
            }
            let answer = response(sender.send_request(message).await.unwrap()).await;
            if number % 10 == 0 {
                say!(log, "{size}: {answer}");
            }
        }
    }
}

/// Sends requests at once through a limit, and returns how many the service saw at once.
async fn through_limit(log: &Log, limit: u32, requests: usize) -> usize {
    let (gauge, gate) = (Gauge::default(), Arc::new(Semaphore::new(0)));
    let (seen, opened, arrived) = (gauge.clone(), gate.clone(), Counter::new());
    let count = arrived.clone();
    let mut server = server_builder();
    server.max_concurrent_streams(limit);
    let (mut sender, ..) = both_with(&client_builder(), &server, move |request: Request<Incoming>| {
        let (guard, gate, count) = (seen.enter(), gate.clone(), count.clone());
        async move {
            count.add();
            if request.uri().path() != "/first" {
                gate.acquire().await.unwrap().forget();
            }
            Response::new(keeping(full(request.uri().path().to_owned()), guard))
        }
    })
    .await;
    // After this, the client knows the limit.
    say!(log, "{}", response(sender.send_request(get("/first")).await.unwrap()).await);
    let answers = (0..requests).map(|number| {
        let mut sender = sender.clone();
        tokio::spawn(async move { result(sender.send_request(get(&format!("/{number}"))).await).await })
    });
    let answers: Vec<_> = answers.collect();
    soon("a full house", arrived.reaches(1 + (limit as usize).min(requests))).await;
    opened.add_permits(requests);
    for answer in join_all(answers).await {
        say!(log, "{}", answer.unwrap());
    }
    gauge.most()
}

async fn limit_of_streams_queues_requests(log: Log) {
    let most = through_limit(&log, 3, 20).await;
    say!(log, "at once: {most}");
}

async fn limit_of_one_stream(log: Log) {
    let most = through_limit(&log, 1, 10).await;
    say!(log, "at once: {most}");
}

/// Requests wait, and can be given up.
async fn limit_of_no_stream(log: Log) {
    let mut client = client_builder();
    client.initial_max_send_streams(0);
    let mut server = server_builder();
    server.max_concurrent_streams(0);
    let (mut sender, ..) = both_with(&client, &server, echo).await;
    for _ in 0..3 {
        let waiting = tokio::time::timeout(Duration::from_millis(100), sender.send_request(get("/"))).await;
        say!(log, "answered: {}", waiting.is_ok());
    }
}

/// A field of a given size, RFC 9113's 32 bytes of overhead included.
fn field(size: usize) -> HeaderValue {
    HeaderValue::from_bytes(&vec![b'f'; size - 32 - "x-field".len()]).unwrap()
}

async fn request_with_field(sender: &mut SendRequest, size: usize) -> String {
    let mut message = get("/");
    message.headers_mut().insert("x-field", field(size));
    result(sender.send_request(message).await).await
}

/// hyper's servers accept 16 KiB.
async fn request_fields_up_to_the_limit(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        Response::new(full(Digest::of(request.headers()["x-field"].as_bytes()).to_string()))
    })
    .await;
    // The pseudo-header fields take a little.
    for size in [100, 10_000, 16_000, 16_384, 20_000, 60_000, 10_000] {
        say!(log, "{size}: {}", request_with_field(&mut sender, size).await);
    }
}

/// hyper's clients accept 16 KiB.
async fn response_fields_up_to_the_limit(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let mut answer = Response::new(empty());
        answer.headers_mut().insert("x-field", field(request.uri().path()[1..].parse().unwrap()));
        answer
    })
    .await;
    for size in [100, 10_000, 16_000, 16_384, 20_000, 60_000, 10_000] {
        say!(log, "{size}: {}", result(sender.send_request(get(&format!("/{size}"))).await).await);
    }
}

async fn raised_limit_of_fields(log: Log) {
    let (mut client, mut server) = (client_builder(), server_builder());
    client.max_header_list_size(1 << 20);
    server.max_header_list_size(1 << 20);
    let (mut sender, ..) = both_with(&client, &server, async |request: Request<Incoming>| {
        let mut answer = Response::new(empty());
        answer.headers_mut().insert("x-field", request.headers()["x-field"].clone());
        answer
    })
    .await;
    for size in [16_384, 17_000, 40_000, 100_000, 500_000, 1_000_000] {
        say!(log, "{size}: {}", request_with_field(&mut sender, size).await);
    }
}

async fn lowered_limit_of_fields(log: Log) {
    let (mut client, mut server) = (client_builder(), server_builder());
    client.max_header_list_size(500);
    server.max_header_list_size(500);
    let (mut sender, ..) = both_with(&client, &server, async |request: Request<Incoming>| {
        let mut answer = Response::new(empty());
        if let Some(field) = request.headers().get("x-field") {
            answer.headers_mut().insert("x-field", field.clone());
        }
        answer
    })
    .await;
    for size in [50, 200, 1000, 50] {
        say!(log, "{size}: {}", request_with_field(&mut sender, size).await);
    }
}

/// A client that gives up many requests on one connection, as a proxy in front of impatient people does.
async fn many_reset_streams(log: Log) {
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
            Response::new(empty())
        }
    })
    .await;
    for number in 1..=300 {
        sender.ready().await.unwrap();
        let answer = sender.send_request(get("/wait"));
        {
            let mut answer = std::pin::pin!(answer);
            let arrived = started.reaches(number);
            tokio::select! {
                _ = &mut answer => say!(log, "an answer to request {number}"),
                () = arrived => {}
            }
        }
        soon("the service's end", dropped.reaches(number)).await;
    }
    say!(log, "given up: {}", dropped.count());
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}
