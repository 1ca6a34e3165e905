//! A client of `h2` with a server that writes its frames by hand: endings of all kinds, and broken rules.

use std::future::poll_fn;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::{Method, Request};
use http2_test_support::{self as frames, Frame, OK, code, flag, kind, setting};

use crate::describe::{h2_error, pattern, reset};
use crate::h2_pair::{Ended, connect, done, duplex, end, get, outcome, post, read, settle};
use crate::net::soon;
use crate::raw::Raw;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single resets_before_the_response,
    single resets_in_the_response,
    single go_away_with_a_last_stream,
    single go_away_of_a_graceful_server,
    single go_away_with_errors,
    single go_away_then_closed,
    single go_away_while_idle,
    single go_away_twice,
    single closed_socket,
    single malformed_responses,
    single content_length_of_responses,
    single responses_to_head,
    single informational_responses,
    single frames_that_servers_may_not_send,
    single frames_on_the_wrong_stream,
    single frames_of_the_wrong_size,
    single windows,
    single pushes_that_break_the_rules,
    single pushes_to_a_client_that_disabled_them,
    single limit_of_streams_is_lowered,
    single windows_are_changed,
    single upload_is_stopped,
    single response_before_the_request_ends,
    single trailers_that_are_wrong,
    single late_frames_of_a_reset_stream,
    single ping_is_answered,
}

/// A client, and a server that has exchanged SETTINGS with it.
async fn start() -> (SendRequest<Bytes>, Ended, Raw) {
    start_with(&client::Builder::new(), &[]).await
}

async fn start_with(builder: &client::Builder, settings: &[(u16, u32)]) -> (SendRequest<Bytes>, Ended, Raw) {
    let (near, far) = duplex();
    let (send, client) = connect(near, builder).await;
    let server = Raw::greeted_server(far, settings).await;
    settle().await;
    (send, client, server)
}

/// The head of a response.
fn ok(stream: u32, flags: u8) -> Vec<u8> {
    frames::headers(stream, flags, OK)
}

/// Sends a GET, answers it by frames, and notes all that comes of it.
async fn exchange(log: &Log, name: &str, octets: &[u8]) {
    let (mut send, client, mut server) = start().await;
    let (response, stream) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(octets).await;
    let answers = server.answers().await;
    settle().await;
    server.shutdown().await;
    let response = soon("the response", async { outcome(response.await).await }).await;
    drop((stream, send));
    say!(log, "{name}: {answers:?}; client: {}; response: {response}", end(client).await);
}

async fn resets_before_the_response(log: Log) {
    for code in (0..14).chain([0xdead_beef]) {
        exchange(&log, &code::name(code), &frames::rst_stream(1, code)).await;
    }
}

async fn resets_in_the_response(log: Log) {
    for code in (0..14).chain([0xdead_beef]) {
        let (mut send, client, mut server) = start().await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(&[ok(1, 0), frames::data(1, 0, b"some")].concat()).await;
        let mut body = response.await.unwrap().into_body();
        say!(log, "{}: {:?}", code::name(code), body.data().await.unwrap().unwrap());
        server.write(&frames::rst_stream(1, code)).await;
        say!(log, "  content: {}", read(&mut body).await);
        say!(log, "  poll_reset: {}", reset(poll_fn(|context| stream.poll_reset(context)).await));
        say!(log, "  send_data: {}", done(stream.send_data(Bytes::new(), true)));
        let (next, _) = send.send_request(get("/"), true).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS && frame.stream == 3).await;
        server.write(&ok(3, flag::END_STREAM)).await;
        say!(log, "  next: {}", outcome(next.await).await);
        drop((send, stream, body));
        say!(log, "  client: {}", end(client).await);
    }
}

/// Streams above the last one have not been processed.
async fn go_away_with_a_last_stream(log: Log) {
    for code in [code::NO_ERROR, code::ENHANCE_YOUR_CALM] {
        say!(log, "{}:", code::name(code));
        let (mut send, client, mut server) = start().await;
        let requests: Vec<_> = (0..3).map(|_| send.send_request(get("/"), true).unwrap()).collect();
        server.until(|frame| frame.kind == kind::HEADERS && frame.stream == 5).await;
        server.write(&frames::go_away(1, code)).await;
        server.write(&[ok(1, 0), frames::data(1, flag::END_STREAM, b"processed")].concat()).await;
        settle().await;
        say!(log, "  poll_ready: {}", done(poll_fn(|context| send.poll_ready(context)).await));
        say!(log, "  a further request: {}", done(send.send_request(get("/"), true)));
        for (response, _stream) in requests {
            let id = response.stream_id();
            say!(log, "  {id:?}: {}", soon("an end", async { outcome(response.await).await }).await);
        }
        drop(send);
        server.shutdown().await;
        say!(log, "  client: {}", end(client).await);
    }
}

/// Two GOAWAYs, as RFC 9113, 6.8 recommends; the request in flight is answered.
async fn go_away_of_a_graceful_server(log: Log) {
    let (mut send, client, mut server) = start().await;
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&frames::go_away((1 << 31) - 1, code::NO_ERROR)).await;
    _ = server.answers().await;
    say!(log, "request: {}", done(send.send_request(get("/"), true)));
    server.write(&frames::go_away(1, code::NO_ERROR)).await;
    stream.send_data(pattern(50_000), true).unwrap();
    let mut received = 0;
    while received < 50_000 {
        received += server.until(|frame| frame.kind == kind::DATA).await.payload.len();
    }
    say!(log, "received {received}");
    server.write(&[ok(1, 0), frames::data(1, flag::END_STREAM, b"the answer")].concat()).await;
    say!(log, "{}", outcome(response.await).await);
    // All is answered, so the client closes the connection.
    say!(log, "{:?}", server.rest().await.last().map(|last| last.split(' ').next().map(str::to_owned)));
    say!(log, "client: {}", end(client).await);
    drop((send, stream));
}

async fn go_away_with_errors(log: Log) {
    for code in (0..14).chain([0xdead_beef]) {
        let debug = [&0_u32.to_be_bytes()[..], &u32::to_be_bytes(code), b"a reason in words"].concat();
        let frame = frames::frame(kind::GOAWAY, 0, 0, &debug);
        say!(log, "{}:", code::name(code));
        let (mut send, client, mut server) = start().await;
        let (response, _stream) = send.send_request(get("/"), true).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(&frame).await;
        server.shutdown().await;
        say!(log, "  response: {}", soon("the response", async { outcome(response.await).await }).await);
        say!(log, "  poll_ready: {}", done(poll_fn(|context| send.poll_ready(context)).await));
        say!(log, "  client: {}", end(client).await);
    }
}

/// The server may have processed the request, so it must not look safe to send it again.
async fn go_away_then_closed(log: Log) {
    for code in [code::NO_ERROR, code::ENHANCE_YOUR_CALM] {
        for last in [0, 1] {
            let (mut send, client, mut server) = start().await;
            let (response, stream) = send.send_request(get("/"), true).unwrap();
            server.until(|frame| frame.kind == kind::HEADERS).await;
            server.write(&frames::go_away(last, code)).await;
            settle().await;
            server.shutdown().await;
            let response = soon("the response", async { outcome(response.await).await }).await;
            say!(log, "{} {last}: {response}", code::name(code));
            drop((send, stream));
            say!(log, "{} {last}: client {}", code::name(code), end(client).await);
        }
    }
}

async fn go_away_while_idle(log: Log) {
    for code in [code::NO_ERROR, code::INTERNAL_ERROR] {
        let (mut send, client, mut server) = start().await;
        server.write(&frames::go_away(0, code)).await;
        say!(log, "{}: client {}", code::name(code), end(client).await);
        say!(
            log,
            "{}: poll_ready {}",
            code::name(code),
            done(poll_fn(|context| send.poll_ready(context)).await)
        );
        say!(log, "{}: request {}", code::name(code), done(send.send_request(get("/"), true)));
    }
}

/// The last stream may only become less.
async fn go_away_twice(log: Log) {
    for (first, second) in [(5, 1), (1, 5), (1, 1)] {
        say!(log, "{first} then {second}:");
        let (mut send, client, mut server) = start().await;
        let requests: Vec<_> = (0..3).map(|_| send.send_request(get("/"), true).unwrap()).collect();
        server.until(|frame| frame.kind == kind::HEADERS && frame.stream == 5).await;
        let both = [frames::go_away(first, code::NO_ERROR), frames::go_away(second, code::NO_ERROR)].concat();
        server.write(&both).await;
        server.write(&ok(1, flag::END_STREAM)).await;
        settle().await;
        server.shutdown().await;
        for (response, _stream) in requests {
            let id = response.stream_id();
            say!(log, "  {id:?}: {}", soon("an end", async { outcome(response.await).await }).await);
        }
        drop(send);
        say!(log, "  client: {}", end(client).await);
    }
}

async fn closed_socket(log: Log) {
    let body = [ok(1, 0), frames::data(1, 0, b"content")].concat();
    let ended = [ok(1, 0), frames::data(1, flag::END_STREAM, b"content")].concat();
    for (name, octets) in [
        ("before the response", &[][..]),
        ("in a frame header", &body[..4]),
        ("in the head", &body[..12]),
        ("in DATA", &body[..body.len() - 2]),
        ("in the body", &body[..]),
        ("after the response", &ended[..]),
    ] {
        say!(log, "{name}:");
        let (mut send, client, mut server) = start().await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(octets).await;
        settle().await;
        server.shutdown().await;
        drop(server);
        say!(log, "  response: {}", soon("the response", async { outcome(response.await).await }).await);
        let ended = end(client).await;
        say!(log, "  send_data: {}", done(stream.send_data(Bytes::new(), true)));
        say!(log, "  poll_ready: {}", done(poll_fn(|context| send.poll_ready(context)).await));
        say!(log, "  client: {ended}");
    }
}

async fn malformed_responses(log: Log) {
    let with = |field| [OK, &[field]].concat();
    for (name, fields) in [
        ("without :status", vec![("x", "y")]),
        (":status of letters", vec![(":status", "two")]),
        (":status of two digits", vec![(":status", "20")]),
        (":status of four digits", vec![(":status", "2000")]),
        ("two :status", vec![(":status", "200"), (":status", "200")]),
        (":path", with((":path", "/"))),
        ("pseudo-header field last", vec![("x", "y"), (":status", "200")]),
        ("upper case", with(("X-Upper", "x"))),
        ("connection", with(("connection", "close"))),
        ("transfer-encoding", with(("transfer-encoding", "chunked"))),
        ("upgrade", with(("upgrade", "x"))),
        ("te", with(("te", "trailers"))),
        ("line feed in a value", with(("x", "a\nb"))),
        ("content-length of letters", with(("content-length", "ten"))),
        (":status 101", vec![(":status", "101")]),
        (":status 100 at the end", vec![(":status", "100")]),
        (":status 999", vec![(":status", "999")]),
    ] {
        exchange(&log, name, &frames::headers(1, flag::END_STREAM, &fields)).await;
    }
    exchange(&log, "DATA before HEADERS", &frames::data(1, flag::END_STREAM, b"x")).await;
    exchange(&log, "a broken block", &frames::headers_block(1, flag::END_STREAM, &[0x80])).await;
}

async fn content_length_of_responses(log: Log) {
    for (claimed, status, content) in [
        ("5", "200", &b"12345"[..]),
        ("5", "200", b"1234"),
        ("5", "200", b"123456"),
        ("0", "200", b""),
        ("5", "304", b""),
        ("5", "204", b""),
        ("5", "304", b"12345"),
    ] {
        let head = frames::headers(1, 0, &[(":status", status), ("content-length", claimed)]);
        let name = format!("{claimed} of {status}, {} sent", content.len());
        exchange(&log, &name, &[head, frames::data(1, flag::END_STREAM, content)].concat()).await;
    }
    for status in ["200", "204", "304"] {
        let head = frames::headers(1, flag::END_STREAM, &[(":status", status), ("content-length", "5")]);
        exchange(&log, &format!("5 of {status}, ended by HEADERS"), &head).await;
    }
    let twice = [(":status", "200"), ("content-length", "5"), ("content-length", "6")];
    exchange(
        &log,
        "two that differ",
        &[frames::headers(1, 0, &twice), frames::data(1, flag::END_STREAM, b"12345")].concat(),
    )
    .await;
}

async fn responses_to_head(log: Log) {
    for (name, octets) in [
        ("good", frames::headers(1, flag::END_STREAM, &[(":status", "200"), ("content-length", "5")])),
        (
            "empty DATA",
            [frames::headers(1, 0, &[(":status", "200"), ("content-length", "5")]), frames::data(1, 1, b"")]
                .concat(),
        ),
        ("with content", [ok(1, 0), frames::data(1, flag::END_STREAM, b"12345")].concat()),
    ] {
        let (mut send, client, mut server) = start().await;
        let head = Request::builder().method(Method::HEAD).uri("http://test.example/").body(()).unwrap();
        let (response, _) = send.send_request(head, true).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(&octets).await;
        settle().await;
        say!(log, "{name}: {}", outcome(response.await).await);
        say!(log, "{name}: {:?}", server.answers().await);
        drop(send);
        say!(log, "{name}: client {}", end(client).await);
    }
}

async fn informational_responses(log: Log) {
    let hint = |status, flags| frames::headers(1, flags, &[(":status", status), ("x-hint", "yes")]);
    for (name, octets) in [
        ("one", [hint("103", 0), ok(1, flag::END_STREAM)].concat()),
        (
            "many",
            [hint("100", 0), hint("102", 0), hint("103", 0), hint("103", 0), ok(1, flag::END_STREAM)]
                .concat(),
        ),
        ("that ends the stream", hint("103", flag::END_STREAM)),
        ("after the response", [ok(1, 0), hint("103", 0), frames::data(1, flag::END_STREAM, b"x")].concat()),
        ("with content", [hint("103", 0), frames::data(1, 0, b"x")].concat()),
        ("and a reset", [hint("103", 0), frames::rst_stream(1, code::CANCEL)].concat()),
    ] {
        exchange(&log, name, &octets).await;
    }
}

async fn frames_that_servers_may_not_send(log: Log) {
    for (name, octets) in [
        ("HEADERS on a stream of the client's", frames::headers(3, 0, OK)),
        ("HEADERS on a stream of its own", frames::headers(2, 0, OK)),
        ("ENABLE_PUSH = 1", frames::settings(&[(setting::ENABLE_PUSH, 1)])),
        ("ENABLE_PUSH = 0", frames::settings(&[(setting::ENABLE_PUSH, 0)])),
        ("INITIAL_WINDOW_SIZE = 2^31", frames::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)])),
        ("MAX_FRAME_SIZE = 1", frames::settings(&[(setting::MAX_FRAME_SIZE, 1)])),
        ("the preface", frames::PREFACE.to_vec()),
    ] {
        exchange(&log, name, &[octets, ok(1, flag::END_STREAM)].concat()).await;
    }
}

async fn frames_on_the_wrong_stream(log: Log) {
    for (name, octets) in [
        ("DATA on stream 0", frames::data(0, 0, b"x")),
        ("DATA on idle stream", frames::data(9, 0, b"x")),
        ("RST_STREAM on stream 0", frames::rst_stream(0, code::CANCEL)),
        ("RST_STREAM on idle stream", frames::rst_stream(9, code::CANCEL)),
        ("WINDOW_UPDATE on idle stream", frames::window_update(9, 1)),
        ("SETTINGS on stream 1", frames::frame(kind::SETTINGS, 0, 1, &[])),
        ("PING on stream 1", frames::frame(kind::PING, 0, 1, &[0; 8])),
        ("GOAWAY on stream 1", frames::frame(kind::GOAWAY, 0, 1, &[0; 8])),
        ("CONTINUATION", frames::frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[])),
        ("DATA after the end", [ok(1, flag::END_STREAM), frames::data(1, 0, b"x")].concat()),
        ("HEADERS after the end", [ok(1, flag::END_STREAM), ok(1, flag::END_STREAM)].concat()),
    ] {
        exchange(&log, name, &octets).await;
    }
}

async fn frames_of_the_wrong_size(log: Log) {
    for (name, octets) in [
        ("DATA of 16,385", [ok(1, 0), frames::data(1, 0, &[0; 16_385])].concat()),
        ("PING of 7", frames::frame(kind::PING, 0, 0, &[0; 7])),
        ("RST_STREAM of 5", frames::frame(kind::RST_STREAM, 0, 1, &[0; 5])),
        ("WINDOW_UPDATE of 3", frames::frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3])),
        ("SETTINGS of 7", frames::frame(kind::SETTINGS, 0, 0, &[0; 7])),
        ("GOAWAY of 4", frames::frame(kind::GOAWAY, 0, 0, &[0; 4])),
    ] {
        exchange(&log, name, &octets).await;
    }
}

async fn windows(log: Log) {
    for (name, octets) in [
        ("connection by 0", frames::window_update(0, 0)),
        ("stream by 0", frames::window_update(1, 0)),
        ("connection to overflow", frames::window_update(0, (1 << 31) - 1)),
        ("stream to overflow", frames::window_update(1, (1 << 31) - 1)),
    ] {
        let (mut send, client, mut server) = start().await;
        let (response, stream) = send.send_request(post("/"), false).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        server.write(&octets).await;
        let answers = server.answers().await;
        settle().await;
        server.shutdown().await;
        say!(log, "{name}: {answers:?}");
        say!(log, "{name}: {}", soon("the response", async { outcome(response.await).await }).await);
        drop((stream, send));
        say!(log, "{name}: client {}", end(client).await);
    }
    // More content than the client's window allows; nobody reads.
    let (mut send, client, mut server) = start().await;
    let (response, _) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&ok(1, 0)).await;
    let response = response.await.unwrap();
    for _ in 0..5 {
        server.write(&frames::data(1, 0, &[0; 16_000])).await;
        settle().await;
    }
    say!(log, "beyond the window: {:?}", server.answers().await);
    drop((response, send));
    server.shutdown().await;
    say!(log, "beyond the window: client {}", end(client).await);
}

async fn pushes_that_break_the_rules(log: Log) {
    let fields = |method, path| {
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost")]
    };
    let answer = ok(1, flag::END_STREAM);
    for (name, octets) in [
        ("an odd stream", frames::push_promise(1, 3, &fields("GET", "/"))),
        ("stream 0", frames::push_promise(1, 0, &fields("GET", "/"))),
        ("the same stream twice", [2, 2].map(|id| frames::push_promise(1, id, &fields("GET", "/"))).concat()),
        ("backwards", [4, 2].map(|id| frames::push_promise(1, id, &fields("GET", "/"))).concat()),
        ("on stream 0", frames::push_promise(0, 2, &fields("GET", "/"))),
        ("on an idle stream", frames::push_promise(9, 2, &fields("GET", "/"))),
        ("a POST", frames::push_promise(1, 2, &fields("POST", "/"))),
        ("without a method", frames::push_promise(1, 2, &fields("GET", "/")[1..])),
        (
            "with content",
            frames::push_promise(1, 2, &[&fields("GET", "/")[..], &[("content-length", "3")]].concat()),
        ),
        (
            "DATA before the response",
            [frames::push_promise(1, 2, &fields("GET", "/")), frames::data(2, 0, b"x")].concat(),
        ),
        ("good, and unwanted", frames::push_promise(1, 2, &fields("GET", "/"))),
    ] {
        exchange(&log, name, &[octets, answer.clone()].concat()).await;
    }
}

async fn pushes_to_a_client_that_disabled_them(log: Log) {
    let mut builder = client::Builder::new();
    builder.enable_push(false);
    let (mut send, client, mut server) = start_with(&builder, &[]).await;
    let (response, _stream) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&frames::push_promise(1, 2, frames::GET)).await;
    say!(log, "{:?}", server.answers().await);
    server.shutdown().await;
    say!(log, "{}", soon("the response", async { outcome(response.await).await }).await);
    say!(log, "client: {}", end(client).await);
    drop(send);
}

/// Requests wait until there are fewer streams than the new limit.
async fn limit_of_streams_is_lowered(log: Log) {
    let limit = |most| frames::settings(&[(setting::MAX_CONCURRENT_STREAMS, most)]);
    let (mut send, _client, mut server) =
        start_with(&client::Builder::new(), &[(setting::MAX_CONCURRENT_STREAMS, 3)]).await;
    let mut requests = Vec::new();
    for _ in 0..3 {
        send = soon("readiness", send.ready()).await.unwrap();
        requests.push(send.send_request(get("/"), true).unwrap().0);
    }
    server.until(|frame| frame.kind == kind::HEADERS && frame.stream == 5).await;
    server.write(&limit(1)).await;
    _ = server.answers().await;
    say!(log, "limit {}", send.current_max_send_streams());
    requests.push(send.send_request(get("/"), true).unwrap().0);
    settle().await;
    for stream in [1, 3] {
        server.write(&ok(stream, flag::END_STREAM)).await;
        let waits = !server.answers().await.iter().any(|answer| answer.starts_with("HEADERS"));
        say!(log, "after {stream}: the fourth waits {waits}");
    }
    server.write(&ok(5, flag::END_STREAM)).await;
    server.until(|frame| frame.kind == kind::HEADERS && frame.stream == 7).await;
    server.write(&ok(7, flag::END_STREAM)).await;
    for response in requests {
        say!(log, "{:?} {}", response.stream_id(), outcome(response.await).await);
    }
}

/// The window of an open stream becomes negative, and positive again (RFC 9113, 6.9.2).
async fn windows_are_changed(log: Log) {
    let window = |size| frames::settings(&[(setting::INITIAL_WINDOW_SIZE, size)]);
    let (mut send, _client, mut server) =
        start_with(&client::Builder::new(), &[(setting::INITIAL_WINDOW_SIZE, 100)]).await;
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    stream.send_data(pattern(300), true).unwrap();
    let mut received = 0;
    while received < 100 {
        received += server.until(|frame| frame.kind == kind::DATA).await.payload.len();
    }
    say!(log, "received {received}");
    for (size, increment) in [(50, 0), (50, 50), (60, 0), (0, 0), (100, 0), (100, 40), (200, 0)] {
        server.write(&window(size)).await;
        if increment > 0 {
            server.write(&frames::window_update(1, increment)).await;
        }
        server.write(&frames::ping([7; 8])).await;
        // Data may follow the answer to the PING.
        server.until(|frame| frame.kind == kind::PING && frame.flags & flag::ACK != 0).await;
        settle().await;
    }
    server.write(&window(100_000)).await;
    server.write(&ok(1, flag::END_STREAM)).await;
    say!(log, "{}", outcome(response.await).await);
}

/// The server has answered, and wants no more of the upload (RFC 9113, 8.1).
async fn upload_is_stopped(log: Log) {
    for code in [code::NO_ERROR, code::CANCEL, code::REFUSED_STREAM] {
        let (mut send, client, mut server) = start().await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        stream.send_data(pattern(10_000), false).unwrap();
        server.until(|frame| frame.kind == kind::DATA).await;
        let answer = [ok(1, 0), frames::data(1, flag::END_STREAM, b"enough")].concat();
        server.write(&answer).await;
        let response = response.await.unwrap();
        server.write(&frames::rst_stream(1, code)).await;
        let reset = reset(poll_fn(|context| stream.poll_reset(context)).await);
        say!(log, "{}: {reset}", code::name(code));
        let mut body = response.into_body();
        say!(
            log,
            "{}: {:?}",
            code::name(code),
            body.data().await.map(|data| data.map_err(|error| h2_error(&error)))
        );
        say!(log, "{}: then {}", code::name(code), read(&mut body).await);
        say!(log, "{}: {}", code::name(code), done(stream.send_data(Bytes::new(), true)));
        drop((send, stream, body));
        say!(log, "{}: client {}", code::name(code), end(client).await);
    }
}

async fn response_before_the_request_ends(log: Log) {
    let (mut send, client, mut server) = start().await;
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    server.write(&[ok(1, 0), frames::data(1, flag::END_STREAM, b"already")].concat()).await;
    say!(log, "{}", outcome(response.await).await);
    for last in [false, false, true] {
        say!(log, "{}", done(stream.send_data(Bytes::from_static(b"more"), last)));
    }
    let last = server.until(Frame::ends_stream).await;
    say!(log, "the server received the end: {}", last.payload.len() <= 12);
    drop((send, stream));
    say!(log, "client: {}", end(client).await);
}

async fn trailers_that_are_wrong(log: Log) {
    let open = [ok(1, 0), frames::data(1, 0, b"content")].concat();
    for (name, flags, fields) in [
        ("good", flag::END_STREAM, &[("x-end", "yes")][..]),
        ("without END_STREAM", 0, &[("x-end", "yes")][..]),
        ("with :status", flag::END_STREAM, &[(":status", "200")][..]),
        ("with upper case", flag::END_STREAM, &[("X-End", "yes")][..]),
        ("empty", flag::END_STREAM, &[][..]),
    ] {
        exchange(&log, name, &[open.clone(), frames::headers(1, flags, fields)].concat()).await;
    }
}

/// Frames that were on their way when the client reset the stream.
async fn late_frames_of_a_reset_stream(log: Log) {
    let (mut send, client, mut server) = start().await;
    let (response, stream) = send.send_request(get("/"), true).unwrap();
    server.until(|frame| frame.kind == kind::HEADERS).await;
    drop((response, stream));
    server.until(|frame| frame.kind == kind::RST_STREAM).await;
    let late =
        [ok(1, 0), frames::data(1, 0, &[0; 10_000]), frames::window_update(1, 5), frames::data(1, 1, b"end")];
    server.write(&late.concat()).await;
    say!(log, "{:?}", server.answers().await);
    // The connection's window was not lost: many such streams would exhaust it.
    for number in 1..20 {
        let (response, stream) = send.send_request(get("/"), true).unwrap();
        server.until(|frame| frame.kind == kind::HEADERS).await;
        drop((response, stream));
        server.until(|frame| frame.kind == kind::RST_STREAM).await;
        let id = 2 * number + 1;
        server.write(&[ok(id, 0), frames::data(id, flag::END_STREAM, &[0; 16_000])].concat()).await;
        let answers = server.answers().await;
        if answers.iter().any(|answer| answer.starts_with("GOAWAY")) {
            say!(log, "{number}: {answers:?}");
        }
    }
    drop(send);
    say!(log, "client: {}", end(client).await);
}

async fn ping_is_answered(log: Log) {
    let (send, client, mut server) = start().await;
    for number in 0..5_u64 {
        server.write(&frames::ping(number.to_be_bytes())).await;
        let pong = server.until(|frame| frame.kind == kind::PING).await;
        say!(log, "{:?} {:?}", pong.flags, pong.payload);
    }
    // An answer that nobody waits for.
    server.write(&frames::frame(kind::PING, flag::ACK, 0, &[9; 8])).await;
    say!(log, "{:?}", server.answers().await);
    drop(send);
    say!(log, "client: {}", end(client).await);
}
