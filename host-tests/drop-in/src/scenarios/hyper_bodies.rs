//! hyper's client and server: many streams, and content of any size in both directions.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Barrier;

use crate::describe::{Content, Digest, fields, pattern, response, result};
use crate::net::{
    self, AnyBody, Counter, Gauge, both, both_with, client_builder, echo, fed, full, get, pieces, request,
    server_builder, trailers,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel thousand_concurrent_streams,
    parallel thousand_concurrent_echoes,
    parallel full_duplex_50_mb,
    parallel several_large_bodies_at_once,
    single ten_thousand_sequential_requests,
    single bodies_and_trailers_of_many_sizes,
    single body_of_many_small_pieces,
    single piece_by_piece,
    single trailers_without_content,
    single response_without_reading_the_request,
}

/// All 1,000 requests have arrived before the first is answered.
async fn thousand_concurrent_streams(log: Log) {
    const STREAMS: usize = 1000;
    let (barrier, gauge) = (Arc::new(Barrier::new(STREAMS)), Gauge::default());
    let seen = gauge.clone();
    let answer = move |request: Request<Incoming>| {
        let (barrier, gauge) = (barrier.clone(), seen.clone());
        async move {
            let guard = gauge.enter();
            barrier.wait().await;
            Response::new(net::keeping(full(request.uri().path().to_owned()), guard))
        }
    };
    let mut server = server_builder();
    server.max_concurrent_streams(2000);
    let mut client = client_builder();
    client.initial_max_send_streams(STREAMS);
    let (sender, ended, served) = both_with(&client, &server, answer).await;
    let requests = (0..STREAMS).map(|number| {
        let mut sender = sender.clone();
        tokio::spawn(
            async move { response(sender.send_request(get(&format!("/{number}"))).await.unwrap()).await },
        )
    });
    let mut transcript = Digest::EMPTY;
    for answer in join_all(requests.collect::<Vec<_>>()).await {
        transcript.add(answer.unwrap().as_bytes());
    }
    say!(log, "responses: {transcript}; at once: {}", gauge.most());
    drop(sender);
    say!(log, "client: {:?}, server: {:?}", ended.await.unwrap(), served.await.unwrap());
}

/// 1,000 bodies at once share the connection's window.
async fn thousand_concurrent_echoes(log: Log) {
    let mut server = server_builder();
    server.max_concurrent_streams(1000);
    let (sender, ..) = both_with(&client_builder(), &server, echo).await;
    let content = pattern(20_000);
    let requests = (0..1000).map(|number| {
        let (mut sender, content) = (sender.clone(), content.slice(number..));
        tokio::spawn(async move {
            let body = pieces(&content, 3000, None);
            let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
            Content::of(answer.into_body()).await.digest == Digest::of(&content)
        })
    });
    let same =
        join_all(requests.collect::<Vec<_>>()).await.into_iter().filter(|same| *same.as_ref().unwrap());
    say!(log, "the same content: {}", same.count());
}

async fn ten_thousand_sequential_requests(log: Log) {
    let (mut sender, ..) =
        both(async |request: Request<Incoming>| Response::new(full(request.uri().path().to_owned()))).await;
    let mut transcript = Digest::EMPTY;
    for number in 0..10_000 {
        sender.ready().await.unwrap();
        let answer = sender.send_request(get(&format!("/{number}"))).await.unwrap();
        transcript.add(&answer.into_body().collect().await.unwrap().to_bytes());
    }
    say!(log, "contents: {transcript}");
}

async fn full_duplex_50_mb(log: Log) {
    let (mut sender, ..) = both(echo).await;
    let content = pattern(50_000_000);
    let body = pieces(&content, 100_000, Some(trailers(&[("x-end", "of 50 MB")])));
    let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
    let received = Content::of(answer.into_body()).await;
    say!(log, "{received}, the same: {}", received.digest == Digest::of(&content));
}

async fn several_large_bodies_at_once(log: Log) {
    let (sender, ..) = both(echo).await;
    let content = pattern(5_000_000);
    let requests = (0..8).map(|number| {
        let (mut sender, content) = (sender.clone(), content.slice(number..));
        tokio::spawn(async move {
            let body = pieces(&content, 70_000 + number, None);
            let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
            Content::of(answer.into_body()).await.to_string()
        })
    });
    for answer in join_all(requests.collect::<Vec<_>>()).await {
        say!(log, "{}", answer.unwrap());
    }
}

/// Sizes around those of frames and windows, and some that depend on the seed.
async fn bodies_and_trailers_of_many_sizes(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let mut answer = Response::new(net::echoed(request.into_body()));
        answer.headers_mut().insert("x-kind", HeaderValue::from_static("echo"));
        answer
    })
    .await;
    let mut random = log.random();
    let mut sizes = vec![0, 1, 255, 256, 16_383, 16_384, 16_385, 65_535, 65_536, 1 << 20];
    sizes.extend(std::iter::repeat_with(|| random.usize(0..3_000_000)).take(5));
    for size in sizes {
        let (content, piece) = (pattern(size), random.usize(1000..100_000));
        let ends = trailers(&[("x-sum", "1"), ("x-more", "two words"), ("x-empty", "")]);
        let body = pieces(&content, piece, (size % 2 == 0).then_some(ends));
        let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
        say!(log, "unknown length: {}", response(answer).await);
        let answer = sender.send_request(request("PUT", "/", full(content))).await.unwrap();
        say!(log, "known length: {}", response(answer).await);
    }
}

/// More frames than windows allow for, if each were as expensive as a large one.
async fn body_of_many_small_pieces(log: Log) {
    let (mut sender, ..) = both(echo).await;
    for (size, piece) in [(1000, 1), (30_000, 100), (60_000, 255)] {
        let body = pieces(&pattern(size), piece, None);
        let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
        say!(log, "pieces of {piece}: {}", response(answer).await);
    }
}

/// Each piece comes back before the next is sent, so nothing may be held back.
async fn piece_by_piece(log: Log) {
    let (mut sender, ..) = both(echo).await;
    let (feed, body) = fed();
    let mut answer = sender.send_request(request("POST", "/", body)).await.unwrap().into_body();
    let mut whole = Digest::EMPTY;
    for size in [1, 2, 100, 16_384, 1, 50_000, 3] {
        feed.send(Ok(Frame::data(pattern(size)))).await.unwrap();
        let mut received = Digest::EMPTY;
        while received.length() < size {
            let frame = net::soon("the echo of a piece", answer.frame()).await.unwrap().unwrap();
            received.add(frame.data_ref().unwrap());
            whole.add(frame.data_ref().unwrap());
        }
        say!(log, "{received}");
    }
    say!(log, "at the end: {}", answer.is_end_stream());
    feed.send(Ok(Frame::trailers(trailers(&[("x-last", "yes")])))).await.unwrap();
    drop(feed);
    let last = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
    say!(log, "{whole} {}, at the end: {}", fields(&last), answer.is_end_stream());
    say!(log, "more: {}", answer.frame().await.is_some());
}

async fn trailers_without_content(log: Log) {
    let (mut sender, ..) = both(echo).await;
    let body = pieces(&Bytes::new(), 1, Some(trailers(&[("x-only", "trailers")])));
    say!(log, "{}", result(sender.send_request(request("POST", "/", body)).await).await);
    let (feed, body) = fed();
    let answer = sender.send_request(request("POST", "/", body)).await.unwrap();
    // An empty piece of content says nothing.
    feed.send(Ok(Frame::data(Bytes::new()))).await.unwrap();
    feed.send(Ok(Frame::trailers(trailers(&[("x-after", "nothing")])))).await.unwrap();
    drop(feed);
    say!(log, "{}", response(answer).await);
}

/// The server drops the request's body, answers at once, and goes on serving.
async fn response_without_reading_the_request(log: Log) {
    let dropped = Counter::new();
    let seen = dropped.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let guard = seen.on_drop();
        async move {
            drop((request, guard));
            Response::new(full("done") as AnyBody)
        }
    })
    .await;
    for size in [0, 10, 100_000, 10_000_000] {
        let body = pieces(&pattern(size), 50_000, None);
        say!(log, "{size}: {}", result(sender.send_request(request("POST", "/", body)).await).await);
    }
    say!(log, "requests dropped: {}", dropped.count());
}
