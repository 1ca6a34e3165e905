//! `h2::client`: every function of connections, requests and responses.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::ext::Protocol;
use h2::{Ping, Reason, client, server};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};

use crate::describe::{fields, h2_error, pattern, reset};
use crate::h2_pair::{
    Signal, done, end, get, ok, outcome, post, read, send, send_all, settle, start, start_with,
};
use crate::net::trailers;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single request_and_response,
    single content_and_trailers_both_ways,
    single stream_ids,
    single ready,
    single limits_that_the_peer_sets,
    single one_stream_at_a_time,
    single informational_responses,
    single informational_response_after_the_final_one,
    single informational_responses_that_nobody_asks_for,
    single requests_that_are_refused,
    single request_fields,
    single extended_connect,
    single extended_connect_that_is_not_enabled,
    single plain_connect,
    single ping_pong,
    single windows_at_run_time,
    single handles_keep_the_connection,
    single dropped_response_resets_the_stream,
    single dropped_body_resets_the_stream,
    single reset_by_the_client,
    single reset_by_the_server,
    single connection_dropped,
    single functions_on_a_dead_connection,
    single debug_and_clone,
}

async fn request_and_response(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |request, mut respond| {
        let (head, body) = request.into_parts();
        say!(seen, "server: {} {} {:?} {}", head.method, head.uri, head.version, fields(&head.headers));
        say!(seen, "server: end {} stream {:?}", body.is_end_stream(), body.stream_id());
        let mut response = ok();
        response.headers_mut().insert("x-answer", HeaderValue::from_static("yes"));
        say!(seen, "server: {}", done(respond.send_response(response, true)));
        async {}
    })
    .await;
    let mut request = get("/path?query");
    request.headers_mut().insert("x-question", HeaderValue::from_static("yes"));
    let (response, stream) = pair.send.send_request(request, true).unwrap();
    say!(log, "stream {:?} {:?}", response.stream_id(), stream.stream_id());
    let response = response.await.unwrap();
    say!(log, "{:?} {:?} {}", response.status(), response.version(), fields(response.headers()));
    let mut body = response.into_body();
    say!(log, "end {} stream {:?}", body.is_end_stream(), body.stream_id());
    say!(log, "data {:?}", body.data().await.is_none());
    say!(log, "trailers {:?}", body.trailers().await.unwrap());
}

async fn content_and_trailers_both_ways(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        let mut body = request.into_body();
        while let Some(data) = body.data().await {
            let data = data.unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            send(&mut stream, data).await.unwrap();
        }
        let ends = body.trailers().await.unwrap();
        match ends {
            Some(ends) => stream.send_trailers(ends).unwrap(),
            None => stream.send_data(Bytes::new(), true).unwrap(),
        }
    })
    .await;
    for size in [1, 16_384, 65_535, 65_536, 1_000_000] {
        for ends in [None, Some(trailers(&[("x-end", "yes"), ("x-empty", "")]))] {
            let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
            let content = pattern(size);
            let sent = tokio::spawn(async move { done(send_all(&mut stream, content, ends).await) });
            let read = outcome(response.await).await;
            say!(log, "{size}: {} {read}", sent.await.unwrap());
        }
    }
}

async fn stream_ids(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let id = format!("{:?} {:?}", request.body().stream_id(), respond.stream_id());
        let mut response = ok();
        response.headers_mut().insert("x-id", id.parse().unwrap());
        let stream = respond.send_response(response, true).unwrap();
        assert_eq!(stream.stream_id(), respond.stream_id());
    })
    .await;
    for _ in 0..3 {
        let (response, stream) = pair.send.send_request(get("/"), true).unwrap();
        let number = response.stream_id().as_u32();
        say!(log, "{number} {:?} {}", stream.stream_id(), outcome(response.await).await);
    }
}

async fn ready(log: Log) {
    let pair = start(|_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    })
    .await;
    let mut send = pair.send.ready().await.unwrap();
    say!(
        log,
        "poll_ready: {:?}",
        poll_fn(|context| send.poll_ready(context)).await.map_err(|e| h2_error(&e))
    );
    let (response, _) = send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    // It may be asked twice.
    let mut send = send.ready().await.unwrap().ready().await.unwrap();
    let clone = send.clone().ready().await.map(drop);
    say!(log, "clone: {}", done(clone));
    let (response, _) = send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

async fn limits_that_the_peer_sets(log: Log) {
    let mut server = server::Builder::new();
    server.max_concurrent_streams(7);
    let mut client = client::Builder::new();
    client.initial_max_send_streams(3).max_concurrent_streams(11);
    let mut pair = start_with(&client, &server, |_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    })
    .await;
    say!(
        log,
        "before: send {} recv {}",
        pair.send.current_max_send_streams(),
        pair.send.current_max_recv_streams()
    );
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    say!(
        log,
        "after: send {} recv {}",
        pair.send.current_max_send_streams(),
        pair.send.current_max_recv_streams()
    );
    let mut unlimited = start(|_, mut respond| async move {
        _ = respond.send_response(ok(), true);
    })
    .await;
    let (response, _) = unlimited.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    let (send, recv) = (unlimited.send.current_max_send_streams(), unlimited.send.current_max_recv_streams());
    say!(log, "no limit: send {} recv {}", send == usize::MAX, recv == usize::MAX);
}

/// Requests beyond the limit wait; a handle takes one that waits.
async fn one_stream_at_a_time(log: Log) {
    let mut server = server::Builder::new();
    server.max_concurrent_streams(1);
    let gate = Signal::default();
    let opened = gate.clone();
    let pair = start_with(&client::Builder::new(), &server, move |request, mut respond| {
        let opened = opened.clone();
        async move {
            if request.uri().path() != "/first" {
                opened.wait().await;
            }
            _ = respond.send_response(ok(), true);
        }
    })
    .await;
    let mut send = pair.send.ready().await.unwrap();
    let (response, _) = send.send_request(get("/first"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);

    let mut send = send.ready().await.unwrap();
    let (second, _) = send.send_request(get("/second"), true).unwrap();
    settle().await;
    let mut send = send.ready().await.unwrap();
    let (third, _) = send.send_request(get("/third"), true).unwrap();
    settle().await;
    let waiting = poll_fn(|context| Poll::Ready(send.poll_ready(context).is_pending())).await;
    say!(log, "a request waits: {waiting}");
    say!(log, "a further one: {}", done(send.send_request(get("/fourth"), true)));
    let mut clone = send.clone();
    let waiting = poll_fn(|context| Poll::Ready(clone.poll_ready(context).is_pending())).await;
    say!(log, "a clone waits: {waiting}");
    let (fourth, _) = clone.send_request(get("/fourth"), true).unwrap();
    for response in [second, third, fourth] {
        gate.give();
        say!(log, "{:?}: {}", response.stream_id(), outcome(response.await).await);
    }
    say!(log, "ready again: {}", done(send.ready().await));
}

fn informational(status: u16, value: &'static str) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("x-hint", HeaderValue::from_static(value));
    response
}

async fn informational_responses(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |request, mut respond| {
        let seen = seen.clone();
        async move {
            if request.method() == Method::POST {
                say!(seen, "server: 100 {}", done(respond.send_informational(informational(100, "go on"))));
                say!(seen, "server: {}", read(&mut request.into_body()).await);
            }
            for (status, value) in [(103, "one"), (103, "two"), (102, "three")] {
                say!(
                    seen,
                    "server: {status} {}",
                    done(respond.send_informational(informational(status, value)))
                );
            }
            for status in [200, 404] {
                say!(
                    seen,
                    "server: {status} {}",
                    done(respond.send_informational(informational(status, "no")))
                );
            }
            let mut stream = respond.send_response(ok(), false).unwrap();
            stream.send_data(Bytes::from_static(b"content"), true).unwrap();
        }
    })
    .await;
    for content in [false, true] {
        let request = if content { post("/") } else { get("/") };
        let (mut response, mut stream) = pair.send.send_request(request, !content).unwrap();
        if content {
            let first = poll_fn(|context| response.poll_informational(context)).await;
            say!(log, "first {}", hint(first.as_ref()));
            stream.send_data(Bytes::from_static(b"at last"), true).unwrap();
        }
        loop {
            let next = poll_fn(|context| response.poll_informational(context)).await;
            say!(log, "{}", hint(next.as_ref()));
            if next.is_none() {
                break;
            }
        }
        say!(log, "{}", outcome(response.await).await);
    }
}

fn hint(response: Option<&Result<Response<()>, h2::Error>>) -> String {
    match response {
        Some(Ok(response)) => format!("{} {}", response.status().as_u16(), fields(response.headers())),
        Some(Err(error)) => h2_error(error),
        None => "no more".to_owned(),
    }
}

/// The documentation promises an error.
async fn informational_response_after_the_final_one(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |_, mut respond| {
        let stream = respond.send_response(ok(), false);
        say!(seen, "server: {}", done(respond.send_informational(informational(103, "late"))));
        async move { _ = stream.unwrap().send_data(Bytes::from_static(b"content"), true) }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

async fn informational_responses_that_nobody_asks_for(log: Log) {
    let mut pair = start(|_, mut respond| async move {
        respond.send_informational(informational(103, "one")).unwrap();
        respond.send_informational(informational(103, "two")).unwrap();
        _ = respond.send_response(ok(), true);
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
}

/// Heads that cannot be sent.
async fn requests_that_are_refused(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let mut response = ok();
        let seen = format!("{} {} {:?}", request.method(), request.uri(), request.version());
        response.headers_mut().insert("x-seen", seen.parse().unwrap());
        _ = respond.send_response(response, true);
    })
    .await;
    for (method, uri) in [
        ("GET", "/path"),
        ("GET", "test.example"),
        ("GET", "http://test.example"),
        ("OPTIONS", "*"),
        ("OPTIONS", "http://test.example"),
        ("CONNECT", "test.example:1"),
        ("CONNECT", "http://test.example/path"),
        ("GET", "https://user@test.example:1/"),
    ] {
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        match pair.send.send_request(request, true) {
            Ok((response, _)) => say!(log, "{method} {uri}: {}", outcome(response.await).await),
            Err(error) => say!(log, "{method} {uri}: {}", h2_error(&error)),
        }
    }
    for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_11, Version::HTTP_2, Version::HTTP_3] {
        let mut request = get("/");
        *request.version_mut() = version;
        match pair.send.send_request(request, true) {
            Ok((response, _)) => say!(log, "{version:?}: {}", outcome(response.await).await),
            Err(error) => say!(log, "{version:?}: {}", h2_error(&error)),
        }
    }
}

async fn request_fields(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let mut response = ok();
        let seen = fields(request.headers());
        response.headers_mut().insert("x-seen", seen.parse().unwrap());
        _ = respond.send_response(response, true);
    })
    .await;
    for (name, value) in [
        ("connection", "close"),
        ("keep-alive", "5"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "x"),
        ("te", "trailers"),
        ("te", "gzip"),
        ("host", "other.example"),
        ("content-length", "0"),
        ("content-length", "nonsense"),
        ("cookie", "a=b; c=d"),
    ] {
        let mut request = get("/");
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        match pair.send.send_request(request, true) {
            Ok((response, _)) => say!(log, "{name}: {value}: {}", outcome(response.await).await),
            Err(error) => say!(log, "{name}: {value}: {}", h2_error(&error)),
        }
    }
}

async fn extended_connect(log: Log) {
    let mut server = server::Builder::new();
    server.enable_connect_protocol();
    let seen = log.clone();
    let mut pair = start_with(&client::Builder::new(), &server, move |request, mut respond| {
        let protocol = request.extensions().get::<Protocol>().cloned();
        say!(
            seen,
            "server: {} {} {:?}",
            request.method(),
            request.uri(),
            protocol.as_ref().map(Protocol::as_str)
        );
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            let mut body = request.into_body();
            while let Some(Ok(data)) = body.data().await {
                body.flow_control().release_capacity(data.len()).unwrap();
                stream.send_data(data, false).unwrap();
            }
            stream.send_data(Bytes::new(), true).unwrap();
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    say!(log, "enabled: {}", pair.send.is_extended_connect_protocol_enabled());
    for protocol in [Protocol::from_static("websocket"), Protocol::from("other-protocol")] {
        say!(log, "protocol {} {:?}", protocol.as_str(), AsRef::<[u8]>::as_ref(&protocol));
        let mut request =
            Request::builder().method("CONNECT").uri("https://test.example/chat").body(()).unwrap();
        request.extensions_mut().insert(protocol);
        let (response, mut stream) = pair.send.send_request(request, false).unwrap();
        let response = response.await.unwrap();
        stream.send_data(Bytes::from_static(b"through the tunnel"), true).unwrap();
        say!(log, "{} {}", response.status(), read(&mut response.into_body()).await);
    }
    // With another method, the extension means nothing or is an error.
    let mut request = get("/get");
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    match pair.send.send_request(request, true) {
        Ok((response, _)) => say!(log, "GET: {}", outcome(response.await).await),
        Err(error) => say!(log, "GET: {}", h2_error(&error)),
    }
}

async fn extended_connect_that_is_not_enabled(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        drop(request);
        _ = respond.send_response(ok(), true);
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    say!(log, "enabled: {}", pair.send.is_extended_connect_protocol_enabled());
    let mut request = Request::builder().method("CONNECT").uri("https://test.example/chat").body(()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    match pair.send.send_request(request, false) {
        Ok((response, stream)) => {
            drop(stream);
            say!(log, "{}", outcome(response.await).await);
        }
        Err(error) => say!(log, "refused: {}", h2_error(&error)),
    }
}

async fn plain_connect(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |request, mut respond| {
        let authority = request.uri().authority().map(ToString::to_string);
        say!(seen, "server: {} {authority:?} {:?}", request.method(), request.uri().path());
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            let content = read(&mut request.into_body()).await;
            stream.send_data(content.into(), true).unwrap();
        }
    })
    .await;
    let request = Request::builder().method("CONNECT").uri("target.example:443").body(()).unwrap();
    let (response, mut stream) = pair.send.send_request(request, false).unwrap();
    let response = response.await.unwrap();
    stream.send_data(Bytes::from_static(b"through the tunnel"), true).unwrap();
    say!(log, "{} {}", response.status(), read(&mut response.into_body()).await);
}

async fn ping_pong(log: Log) {
    let (near, far) = crate::h2_pair::duplex();
    let server = tokio::spawn(async move {
        let mut connection = server::handshake(far).await.unwrap();
        let first = connection.ping_pong();
        let second = connection.ping_pong().is_some();
        let mut pings = first.unwrap();
        let pinged = tokio::spawn(async move {
            let mut pongs = 0;
            for _ in 0..5 {
                pongs += usize::from(pings.ping(Ping::opaque()).await.is_ok());
            }
            pongs
        });
        while connection.accept().await.is_some() {}
        (second, pinged.await.unwrap())
    });
    let (send, mut connection) = client::handshake(near).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    say!(log, "a second handle: {}", connection.ping_pong().is_some());
    let client = tokio::spawn(connection);
    for _ in 0..3 {
        say!(log, "ping: {}", done(pings.ping(Ping::opaque()).await));
    }
    say!(log, "send_ping: {}", done(pings.send_ping(Ping::opaque())));
    say!(log, "while one is on its way: {}", done(pings.send_ping(Ping::opaque())));
    say!(log, "poll_pong: {}", done(poll_fn(|context| pings.poll_pong(context)).await));
    say!(log, "send_ping: {}", done(pings.send_ping(Ping::opaque())));
    say!(log, "poll_pong: {}", done(poll_fn(|context| pings.poll_pong(context)).await));
    settle().await;
    drop(send);
    say!(log, "client: {}", end(client).await);
    say!(log, "server: second handle and pongs {:?}", server.await.unwrap());
    say!(log, "afterwards: {}", done(pings.ping(Ping::opaque()).await));
}

/// The client widens its windows while the server sends.
async fn windows_at_run_time(log: Log) {
    let (near, far) = crate::h2_pair::duplex();
    let server = crate::h2_pair::serve(far, &server::Builder::new(), |request, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        if request.uri().path() == "/first" {
            stream.send_data(Bytes::new(), true).unwrap();
            return;
        }
        stream.reserve_capacity(1 << 20);
        let mut capacity = 0;
        while capacity < 200_000 {
            capacity = poll_fn(|context| stream.poll_capacity(context)).await.unwrap().unwrap();
        }
        stream.send_data(Bytes::from(capacity.to_string()), true).unwrap();
    });
    let (mut send, mut connection) = client::handshake(near).await.unwrap();
    let (sent, received) =
        (connection.max_concurrent_send_streams(), connection.max_concurrent_recv_streams());
    say!(log, "no limits: {} {}", sent == usize::MAX, received == usize::MAX);
    say!(log, "before the first acknowledgement: {}", done(connection.set_initial_window_size(200_000)));
    let (response, _) = send.send_request(get("/first"), true).unwrap();
    tokio::select! {
        response = response => say!(log, "{}", outcome(response).await),
        ended = &mut connection => say!(log, "client: {}", done(ended)),
    }
    connection.set_target_window_size(1 << 20);
    say!(log, "initial window: {}", done(connection.set_initial_window_size(200_000)));
    say!(log, "a second before the acknowledgement: {}", done(connection.set_initial_window_size(200_001)));
    let (response, _) = send.send_request(get("/"), true).unwrap();
    let client = tokio::spawn(connection);
    let response = response.await.unwrap();
    let mut body = response.into_body();
    let last = body.data().await.unwrap().unwrap();
    say!(log, "the server's capacity: {}", last.escape_ascii());
    drop((send, body));
    say!(log, "client: {}, server: {}", end(client).await, end(server).await);
}

/// The connection ends when neither handles nor streams are left.
async fn handles_keep_the_connection(log: Log) {
    let gate = Signal::default();
    let opened = gate.clone();
    let mut pair = start(move |_, mut respond| {
        let opened = opened.clone();
        async move {
            opened.wait().await;
            let mut stream = respond.send_response(ok(), false).unwrap();
            opened.wait().await;
            stream.send_data(Bytes::from_static(b"late"), true).unwrap();
        }
    })
    .await;
    let clone = pair.send.clone();
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    drop(pair.send);
    settle().await;
    say!(log, "with a clone: ended {}", pair.client.is_finished());
    drop(clone);
    settle().await;
    say!(log, "with a response: ended {}", pair.client.is_finished());
    gate.give();
    let mut body = response.await.unwrap().into_body();
    settle().await;
    say!(log, "with a body: ended {}", pair.client.is_finished());
    gate.give();
    say!(log, "{}", read(&mut body).await);
    drop(body);
    say!(log, "client: {}, server: {}", end(pair.client).await, end(pair.server).await);
}

/// What the server learns of each way to give up.
async fn given_up(log: Log, give_up: fn(client::ResponseFuture, h2::SendStream<Bytes>)) {
    let (seen, over, begun) = (log.clone(), Signal::default(), Signal::default());
    let (done_with_it, started) = (over.clone(), begun.clone());
    let mut pair = start(move |request, mut respond| {
        let (seen, over, started) = (seen.clone(), done_with_it.clone(), started.clone());
        async move {
            started.give();
            let mut body = request.into_body();
            say!(seen, "server: {}", read(&mut body).await);
            let reset = poll_fn(|context| Poll::Ready(respond.poll_reset(context))).await;
            let reset = match reset {
                Poll::Ready(result) => self::reset(result),
                Poll::Pending => "pending".to_owned(),
            };
            say!(seen, "server: reset {reset}");
            say!(seen, "server: response {}", done(respond.send_response(ok(), true)));
            over.give();
        }
    })
    .await;
    let (response, stream) = pair.send.send_request(post("/"), false).unwrap();
    begun.wait().await;
    give_up(response, stream);
    over.wait().await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    stream.send_data(Bytes::from_static(b"content"), true).unwrap();
    say!(log, "afterwards: {}", outcome(response.await).await);
}

async fn dropped_response_resets_the_stream(log: Log) {
    given_up(log, |response, stream| drop((stream, response))).await;
}

async fn reset_by_the_client(log: Log) {
    given_up(log.clone(), |_response, mut stream| stream.send_reset(Reason::INADEQUATE_SECURITY)).await;
    given_up(log, |_response, mut stream| stream.send_reset(Reason::from(0x1234_5678))).await;
}

async fn dropped_body_resets_the_stream(log: Log) {
    let (seen, over) = (log.clone(), Signal::default());
    let signal = over.clone();
    let mut pair = start(move |_, mut respond| {
        let (seen, signal) = (seen.clone(), signal.clone());
        async move {
            let mut stream = respond.send_response(ok(), false).unwrap();
            stream.send_data(Bytes::from_static(b"some"), false).unwrap();
            let reset = poll_fn(|context| stream.poll_reset(context)).await;
            say!(seen, "server: {}", self::reset(reset));
            say!(seen, "server: {}", done(stream.send_data(Bytes::from_static(b"more"), true)));
            signal.give();
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    say!(log, "{:?}", body.data().await.unwrap().unwrap());
    drop(body);
    over.wait().await;
}

async fn reset_by_the_server(log: Log) {
    for code in (0..14).chain([255]) {
        let mut pair = start(move |request, mut respond| async move {
            let reason = Reason::from(code);
            match request.uri().path() {
                "/before" => respond.send_reset(reason),
                _ => {
                    let mut stream = respond.send_response(ok(), false).unwrap();
                    stream.send_data(Bytes::from_static(b"some"), false).unwrap();
                    let mut body = request.into_body();
                    // The client has the content.
                    body.data().await.unwrap().unwrap();
                    stream.send_reset(reason);
                }
            }
        })
        .await;
        let (response, _) = pair.send.send_request(get("/before"), true).unwrap();
        say!(log, "{code} before: {}", outcome(response.await).await);
        let (response, mut stream) = pair.send.send_request(post("/after"), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        let some = body.data().await.unwrap().unwrap();
        stream.send_data(some, false).unwrap();
        say!(log, "{code} after: {}", read(&mut body).await);
        say!(log, "{code} trailers: {}", done(body.trailers().await));
        say!(log, "{code} data: {}", done(stream.send_data(Bytes::new(), true)));
        let reset = poll_fn(|context| stream.poll_reset(context)).now_or_never();
        say!(log, "{code} poll_reset: {:?}", reset.map(self::reset));
    }
}

/// A client that drops its connection, with everything still in flight.
async fn connection_dropped(log: Log) {
    let (seen, over) = (log.clone(), Signal::default());
    let signal = over.clone();
    let mut pair = start(move |request, respond| {
        let (seen, signal) = (seen.clone(), signal.clone());
        async move {
            let mut body = request.into_body();
            signal.give();
            say!(seen, "server: {}", read(&mut body).await);
            drop(respond);
            signal.give();
        }
    })
    .await;
    let (response, stream) = pair.send.send_request(post("/"), false).unwrap();
    over.wait().await;
    pair.client.abort();
    over.wait().await;
    say!(log, "server: {}", end(pair.server).await);
    drop((response, stream));
}

/// The server closes the connection; every function of the client says so.
async fn functions_on_a_dead_connection(log: Log) {
    let mut pair = start(|_, respond| async move {
        let _respond = respond;
        std::future::pending::<()>().await;
    })
    .await;
    let (mut response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    settle().await;
    pair.server.abort();
    say!(log, "client: {}", end(pair.client).await);
    say!(
        log,
        "poll_informational: {}",
        hint(poll_fn(|context| response.poll_informational(context)).await.as_ref())
    );
    say!(log, "response: {}", outcome(response.await).await);
    say!(log, "poll_ready: {}", done(poll_fn(|context| pair.send.poll_ready(context)).await));
    say!(log, "send_request: {}", done(pair.send.send_request(get("/"), true)));
    say!(log, "send_data: {}", done(stream.send_data(Bytes::from_static(b"x"), false)));
    stream.reserve_capacity(100);
    let capacity = poll_fn(|context| stream.poll_capacity(context)).await;
    say!(
        log,
        "poll_capacity: {:?}, capacity: {}",
        capacity.map(|result| result.map_err(|e| h2_error(&e))),
        stream.capacity()
    );
    say!(log, "poll_reset: {}", reset(poll_fn(|context| stream.poll_reset(context)).await));
    say!(log, "send_trailers: {}", done(stream.send_trailers(trailers(&[("x-a", "b")]))));
    stream.send_reset(Reason::CANCEL);
    say!(log, "ready: {}", done(pair.send.ready().await));
}

/// Types that can be cloned, printed and sent to other threads.
async fn debug_and_clone(log: Log) {
    fn sendable<T: Send + std::fmt::Debug>(value: &T) -> bool {
        !format!("{value:?}").is_empty()
    }
    let (near, far) = crate::h2_pair::duplex();
    let handshake = server::Builder::new().handshake::<_, Bytes>(far);
    say!(log, "handshake {}", sendable(&handshake));
    let builders = (client::Builder::new(), server::Builder::default());
    say!(log, "builders {} {}", sendable(&builders.0.clone()), sendable(&builders.1.clone()));
    let (mut send, connection) = client::Builder::default().handshake::<_, Bytes>(near).await.unwrap();
    say!(log, "client {} {}", sendable(&send.clone()), sendable(&connection));
    let client = tokio::spawn(connection);
    let (response, stream) = send.send_request(get("/"), true).unwrap();
    say!(log, "request {} {}", sendable(&response), sendable(&stream));
    let mut connection = handshake.await.unwrap();
    say!(log, "server {}", sendable(&connection));
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    say!(log, "accepted {} {}", sendable(request.body()), sendable(&respond));
    respond.send_response(ok(), true).unwrap();
    let server = tokio::spawn(async move { while connection.accept().await.is_some() {} });
    let mut body = response.await.unwrap().into_body();
    say!(log, "flow control {}", sendable(&body.flow_control().clone()));
    drop((send, body, stream));
    say!(log, "client {}", end(client).await);
    server.await.unwrap();
}
