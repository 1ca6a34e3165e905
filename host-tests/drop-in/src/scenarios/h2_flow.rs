//! `h2`: capacity, windows, and who gives them back.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, client, server};
use http::Request;
use tokio::sync::{mpsc, watch};

use crate::describe::{Digest, h2_error, pattern};
use crate::h2_pair::{Pair, done, end, get, ok, outcome, post, read, send, send_all, settle, start_with};
use crate::net::soon;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single reserved_capacity,
    single capacity_is_limited_by_the_window,
    single capacity_is_limited_by_the_send_buffer,
    single capacity_is_limited_by_the_connection,
    single unused_reservation,
    single reservation_is_taken_back,
    single data_without_capacity_is_buffered,
    single capacity_of_a_closed_stream,
    single windows_are_given_back_by_the_caller,
    single released_too_much,
    single released_after_the_body,
    single dropped_bodies_give_the_window_back,
    single unread_stream_does_not_stop_others,
    single windows_of_many_sizes,
    single connection_windows_of_many_sizes,
    single frames_of_many_sizes,
    single empty_data,
    single reader_ahead_of_the_writer,
}

/// A client, and a server that hands over each request's body, and answers when the test lets it.
struct Half {
    pair: Pair,
    bodies: mpsc::UnboundedReceiver<RecvStream>,
    answer: watch::Sender<bool>,
}

async fn half(client: &client::Builder, server: &server::Builder) -> Half {
    let (sender, bodies) = mpsc::unbounded_channel();
    let answer = watch::Sender::new(false);
    let signal = answer.subscribe();
    let pair = start_with(client, server, move |request: Request<RecvStream>, mut respond| {
        let mut signal = signal.clone();
        _ = sender.send(request.into_body());
        async move {
            _ = signal.wait_for(|answer| *answer).await;
            _ = respond.send_response(ok(), true);
        }
    })
    .await;
    Half { pair, bodies, answer }
}

/// The next growth of the capacity, or that there is none.
async fn growth(stream: &mut SendStream<Bytes>) -> String {
    settle().await;
    match poll_fn(|context| Poll::Ready(stream.poll_capacity(context))).await {
        Poll::Ready(Some(Ok(capacity))) => format!("ready {capacity}"),
        Poll::Ready(Some(Err(error))) => h2_error(&error),
        Poll::Ready(None) => "none".to_owned(),
        Poll::Pending => format!("pending, capacity {}", stream.capacity()),
    }
}

/// A stream whose request has reached the server.
async fn open(half: &mut Half) -> (client::ResponseFuture, SendStream<Bytes>, RecvStream) {
    let (response, stream) = half.pair.send.send_request(post("/"), false).unwrap();
    let body = soon("the request", half.bodies.recv()).await.unwrap();
    settle().await;
    (response, stream, body)
}

async fn reserved_capacity(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, _body) = open(&mut half).await;
    say!(log, "at first: {}", growth(&mut stream).await);
    stream.reserve_capacity(100);
    say!(log, "100: {}", growth(&mut stream).await);
    say!(log, "again: {}", growth(&mut stream).await);
    stream.reserve_capacity(200);
    say!(log, "200 in all: {}", growth(&mut stream).await);
    stream.send_data(Bytes::from_static(b"hello"), false).unwrap();
    say!(log, "after 5: capacity {}", stream.capacity());
    stream.reserve_capacity(200);
    say!(log, "200 more: {}", growth(&mut stream).await);
    stream.send_data(pattern(200), false).unwrap();
    say!(log, "all used: {}", growth(&mut stream).await);
    stream.reserve_capacity(0);
    say!(log, "nothing: {}", growth(&mut stream).await);
}

async fn capacity_is_limited_by_the_window(log: Log) {
    for window in [0, 1, 1000, 65_535, 100_000] {
        let mut server = server::Builder::new();
        server.initial_window_size(window).initial_connection_window_size(1_000_000);
        let mut client = client::Builder::new();
        client.max_send_buffer_size(10_000_000);
        let mut half = half(&client, &server).await;
        let (_response, mut stream, _body) = open(&mut half).await;
        stream.reserve_capacity(1_000_000);
        say!(log, "{window}: {}", growth(&mut stream).await);
        say!(log, "{window}: {}", growth(&mut stream).await);
    }
}

async fn capacity_is_limited_by_the_send_buffer(log: Log) {
    for buffer in [10, 1000, 20_000] {
        let mut client = client::Builder::new();
        client.max_send_buffer_size(buffer);
        let mut half = half(&client, &server::Builder::new()).await;
        let (_response, mut stream, mut body) = open(&mut half).await;
        stream.reserve_capacity(60_000);
        say!(log, "{buffer}: {}", growth(&mut stream).await);
        let capacity = stream.capacity();
        stream.send_data(pattern(capacity), false).unwrap();
        say!(log, "{buffer}: capacity {}", stream.capacity());
        let received = body.data().await.unwrap().unwrap().len();
        say!(log, "{buffer}: received {}, {}", received > 0, growth(&mut stream).await);
        say!(log, "{buffer}: {}", done(send(&mut stream, pattern(buffer.min(200) * 50)).await));
    }
}

/// Two streams want more than the connection allows.
async fn capacity_is_limited_by_the_connection(log: Log) {
    let mut server = server::Builder::new();
    server.initial_window_size(1_000_000);
    let mut half = half(&client::Builder::new(), &server).await;
    let (_first_response, mut first, mut first_body) = open(&mut half).await;
    let (_second_response, mut second, mut second_body) = open(&mut half).await;
    first.reserve_capacity(60_000);
    say!(log, "first: {}", growth(&mut first).await);
    second.reserve_capacity(60_000);
    say!(log, "second: {}", growth(&mut second).await);
    first.send_data(pattern(60_000), false).unwrap();
    let mut received = 0;
    while received < 60_000 {
        let data = first_body.data().await.unwrap().unwrap();
        received += data.len();
        first_body.flow_control().release_capacity(data.len()).unwrap();
    }
    // The window comes back in portions that are the receiver's to choose.
    let reader = tokio::spawn(async move { read(&mut second_body).await });
    say!(log, "second: {}", done(soon("capacity", send_all(&mut second, pattern(60_000), None)).await));
    say!(log, "second: {}", reader.await.unwrap());
}

/// A stream that has reserved everything, and sends nothing.
async fn unused_reservation(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_first_response, mut first, _first_body) = open(&mut half).await;
    let (_second_response, mut second, mut second_body) = open(&mut half).await;
    first.reserve_capacity(65_535);
    say!(log, "first: {}", growth(&mut first).await);
    second.reserve_capacity(1000);
    say!(log, "second: {}", growth(&mut second).await);
    // It gives up its reservation.
    first.reserve_capacity(0);
    settle().await;
    let reader = tokio::spawn(async move { read(&mut second_body).await });
    say!(log, "second: {}", done(soon("capacity", send_all(&mut second, pattern(1000), None)).await));
    say!(log, "second: {}", reader.await.unwrap());
}

/// What one stream does not need any more, another gets.
async fn reservation_is_taken_back(log: Log) {
    let mut server = server::Builder::new();
    server.initial_window_size(1_000_000);
    for way in ["reserve 0", "drop", "reset"] {
        let mut half = half(&client::Builder::new(), &server).await;
        let (_first_response, mut first, _first_body) = open(&mut half).await;
        let (_second_response, mut second, _second_body) = open(&mut half).await;
        first.reserve_capacity(65_535);
        say!(log, "{way}: first {}", growth(&mut first).await);
        second.reserve_capacity(1000);
        say!(log, "{way}: second {}", growth(&mut second).await);
        match way {
            "reserve 0" => first.reserve_capacity(0),
            "drop" => drop(first),
            _ => first.send_reset(Reason::CANCEL),
        }
        say!(log, "{way}: second {}", growth(&mut second).await);
    }
}

async fn data_without_capacity_is_buffered(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (response, mut stream, mut body) = open(&mut half).await;
    for _ in 0..10 {
        stream.send_data(pattern(100_000), false).unwrap();
    }
    say!(log, "capacity {}", stream.capacity());
    stream.send_data(Bytes::new(), true).unwrap();
    say!(log, "{}", read(&mut body).await);
    half.answer.send_replace(true);
    say!(log, "{}", outcome(response.await).await);
}

async fn capacity_of_a_closed_stream(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, _body) = open(&mut half).await;
    stream.send_data(Bytes::new(), true).unwrap();
    stream.reserve_capacity(10);
    say!(log, "ended: {}", growth(&mut stream).await);
    let (_response, mut stream, body) = open(&mut half).await;
    stream.send_reset(Reason::CANCEL);
    stream.reserve_capacity(10);
    say!(log, "reset: {}", growth(&mut stream).await);
    drop(body);
    let (response, mut stream, body) = open(&mut half).await;
    half.answer.send_replace(true);
    drop(body);
    say!(log, "{}", outcome(response.await).await);
    stream.reserve_capacity(10);
    say!(log, "the server wants no more: {}", growth(&mut stream).await);
}

/// Nothing is given back until the caller says so.
async fn windows_are_given_back_by_the_caller(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, mut body) = open(&mut half).await;
    stream.send_data(pattern(65_535), false).unwrap();
    let mut received = 0;
    while received < 65_535 {
        received += body.data().await.unwrap().unwrap().len();
    }
    let control = body.flow_control();
    say!(
        log,
        "stream {:?} available {} used {}",
        control.stream_id(),
        control.available_capacity(),
        control.used_capacity()
    );
    stream.reserve_capacity(1);
    say!(log, "nothing released: {}", growth(&mut stream).await);
    for size in [1, 10_000, 30_000] {
        let mut control = body.flow_control().clone();
        control.release_capacity(size).unwrap();
        say!(log, "released {size}: used {}", control.used_capacity());
    }
    say!(log, "enough released: {}", growth(&mut stream).await);
    stream.send_data(Bytes::from_static(b"x"), true).unwrap();
    say!(
        log,
        "{:?}",
        body.data().await.map(|data| data.map(|data| data.len()).map_err(|error| h2_error(&error)))
    );
}

async fn released_too_much(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, mut body) = open(&mut half).await;
    say!(log, "nothing received: {}", done(body.flow_control().release_capacity(1)));
    say!(log, "zero: {}", done(body.flow_control().release_capacity(0)));
    stream.send_data(pattern(100), false).unwrap();
    body.data().await.unwrap().unwrap();
    for size in [101, usize::MAX, 60, 60, 40, 1] {
        say!(log, "{size}: {}", done(body.flow_control().release_capacity(size)));
    }
    stream.send_data(pattern(10), true).unwrap();
    say!(log, "{}", read(&mut body).await);
}

/// The flow control of a body outlives it.
async fn released_after_the_body(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, mut body) = open(&mut half).await;
    stream.send_data(pattern(60_000), true).unwrap();
    let mut received = 0;
    while let Some(data) = body.data().await {
        received += data.unwrap().len();
    }
    let mut control = body.flow_control().clone();
    drop(body);
    say!(log, "received {received}, used {}", control.used_capacity());
    say!(log, "released: {}", done(control.release_capacity(received)));
    say!(log, "again: {}", done(control.release_capacity(1)));
    // The connection has its window back.
    let (_response, mut stream, mut body) = open(&mut half).await;
    stream.send_data(pattern(60_000), true).unwrap();
    say!(log, "{}", read(&mut body).await);
}

async fn dropped_bodies_give_the_window_back(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    for number in 0..20 {
        let (_response, mut stream, mut body) = open(&mut half).await;
        stream.send_data(pattern(50_000), number % 2 == 0).unwrap();
        let first = soon("content", body.data()).await.unwrap().unwrap();
        say!(log, "{number}: {}", !first.is_empty());
        // What has been delivered is the caller's to give back.
        body.flow_control().release_capacity(first.len()).unwrap();
        drop(body);
        settle().await;
    }
}

/// The windows of streams protect them from each other, as long as the connection's is larger.
async fn unread_stream_does_not_stop_others(log: Log) {
    let mut server = server::Builder::new();
    server.initial_connection_window_size(1_000_000);
    let mut half = half(&client::Builder::new(), &server).await;
    let mut unread = Vec::new();
    for _ in 0..5 {
        let (response, mut stream, body) = open(&mut half).await;
        stream.send_data(pattern(100_000), true).unwrap();
        unread.push((response, stream, body));
    }
    let (_response, mut stream, mut body) = open(&mut half).await;
    stream.send_data(pattern(500_000), true).unwrap();
    say!(log, "{}", soon("the content", read(&mut body)).await);
    for (_, _, mut body) in unread {
        say!(log, "{}", soon("the content", read(&mut body)).await);
    }
}

/// Echoes content in both directions.
async fn echo(client: &client::Builder, server: &server::Builder, size: usize) -> String {
    let mut pair = start_with(client, server, |request, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        let mut body = request.into_body();
        while let Some(Ok(data)) = body.data().await {
            body.flow_control().release_capacity(data.len()).unwrap();
            send(&mut stream, data).await.unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    })
    .await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    let sent = tokio::spawn(async move {
        send_all(&mut stream, pattern(size), None).await.map_err(|error| h2_error(&error))
    });
    let read = outcome(response.await).await;
    let sent = sent.await.unwrap();
    drop(pair.send);
    format!("{sent:?} {read}, client {}", end(pair.client).await)
}

async fn windows_of_many_sizes(log: Log) {
    let random = log.random().u32(2..300_000);
    for size in [1, 2, 9, 1000, 16_384, 65_535, 65_536, 1 << 20, (1 << 31) - 1, random] {
        let (mut client, mut server) = (client::Builder::new(), server::Builder::new());
        client.initial_window_size(size);
        server.initial_window_size(size);
        let length = (size as usize).saturating_mul(200).min(500_000);
        say!(log, "{size}: {}", echo(&client, &server, length).await);
    }
}

async fn connection_windows_of_many_sizes(log: Log) {
    let random = log.random().u32(65_535..300_000);
    for size in [65_535, 65_536, 1 << 20, (1 << 31) - 1, random] {
        let (mut client, mut server) = (client::Builder::new(), server::Builder::new());
        client.initial_connection_window_size(size).initial_window_size(1 << 20);
        server.initial_connection_window_size(size).initial_window_size(1 << 20);
        say!(log, "{size}: {}", echo(&client, &server, 700_000).await);
    }
}

async fn frames_of_many_sizes(log: Log) {
    for size in [16_384, 16_385, 50_000, (1 << 24) - 1] {
        let (mut client, mut server) = (client::Builder::new(), server::Builder::new());
        client.max_frame_size(size).initial_window_size(1 << 22).initial_connection_window_size(1 << 22);
        server.max_frame_size(size).initial_window_size(1 << 22).initial_connection_window_size(1 << 22);
        say!(log, "{size}: {}", echo(&client, &server, 700_000).await);
    }
}

async fn empty_data(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, mut body) = open(&mut half).await;
    for _ in 0..5 {
        stream.send_data(Bytes::new(), false).unwrap();
    }
    stream.send_data(Bytes::from_static(b"content"), false).unwrap();
    let mut digest = Digest::EMPTY;
    while digest.length() < 7 {
        digest.add(&body.data().await.unwrap().unwrap());
    }
    say!(log, "{digest}, end {}", body.is_end_stream());
    stream.send_data(Bytes::new(), true).unwrap();
    say!(log, "{}, end {}", read(&mut body).await, body.is_end_stream());
    let (_response, mut stream, mut body) = open(&mut half).await;
    stream.send_data(Bytes::new(), true).unwrap();
    say!(log, "{}", read(&mut body).await);
}

/// The reader waits for each piece, and is woken.
async fn reader_ahead_of_the_writer(log: Log) {
    let mut half = half(&client::Builder::new(), &server::Builder::new()).await;
    let (_response, mut stream, mut body) = open(&mut half).await;
    let reader = tokio::spawn(async move { read(&mut body).await });
    for number in 0..50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        stream.send_data(pattern(number * 37), number == 49).unwrap();
    }
    say!(log, "{}", soon("the reader", reader).await.unwrap());
    let (response, _) = half.pair.send.send_request(get("/"), true).unwrap();
    half.answer.send_replace(true);
    say!(log, "{}", soon("an answer", response).await.is_ok());
}
