//! `h2::server`: every function of connections and responses.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use h2::{Reason, client, server};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::describe::{h2_error, pattern, reason, reset};
use crate::h2_pair::{
    Signal, connect, done, duplex, end, get, ok, outcome, post, read, send_all, serve, settle, start,
};
use crate::net::trailers;
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single accept_and_stream,
    single responses,
    single response_fields,
    single early_response_then_no_more_reading,
    single poll_reset_of_a_response,
    single poll_closed_drives_the_connection,
    single graceful_shutdown_with_streams,
    single graceful_shutdown_without_streams,
    single abrupt_shutdowns,
    single windows_at_run_time,
    single connect_protocol_at_run_time,
    single dropped_response_handle,
    single dropped_connection,
    single idle_end_of_the_client,
    single end_of_the_client_in_the_middle,
    single limits_of_the_client,
    single pipe_of_a_thousand_streams,
}

/// Starts a server whose connection the test drives itself.
async fn driven(
    server: &server::Builder,
) -> (client::SendRequest<Bytes>, crate::h2_pair::Ended, server::Connection<tokio::io::DuplexStream, Bytes>) {
    let (near, far) = duplex();
    let handshake = server.handshake(far);
    let (send, client) = connect(near, &client::Builder::new()).await;
    (send, client, handshake.await.unwrap())
}

/// What a server has accepted, as text.
fn accepted<T>(accepted: Option<Result<T, h2::Error>>) -> String {
    match accepted {
        Some(Ok(_)) => "a request".to_owned(),
        Some(Err(error)) => h2_error(&error),
        None => "no more".to_owned(),
    }
}

/// The connection is a stream of requests too.
async fn accept_and_stream(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    let responses: Vec<_> =
        (0..4).map(|number| send.send_request(get(&format!("/{number}")), true).unwrap().0).collect();
    say!(log, "streams before: {}", connection.has_streams());
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    say!(log, "accept: {} {:?}", request.uri(), respond.stream_id());
    respond.send_response(ok(), true).unwrap();
    let (request, mut respond) = connection.next().await.unwrap().unwrap();
    say!(log, "next: {} {:?}", request.uri(), respond.stream_id());
    respond.send_response(ok(), true).unwrap();
    let (request, mut respond) = poll_fn(|context| connection.poll_accept(context)).await.unwrap().unwrap();
    say!(log, "poll_accept: {} {:?}", request.uri(), respond.stream_id());
    respond.send_response(ok(), true).unwrap();
    let (_, mut respond) = connection.accept().await.unwrap().unwrap();
    say!(log, "streams: {}", connection.has_streams());
    respond.send_response(ok(), true).unwrap();
    drop(respond);
    say!(log, "nothing more: {}", connection.accept().now_or_never().is_none());
    for response in responses {
        say!(log, "{}", outcome(response.await).await);
    }
    say!(log, "nothing more: {}", connection.accept().now_or_never().is_none());
    say!(log, "streams afterwards: {}", connection.has_streams());
    let (sent, received) =
        (connection.max_concurrent_send_streams(), connection.max_concurrent_recv_streams());
    say!(log, "no limits: {} {}", sent == usize::MAX, received == usize::MAX);
    drop(send);
    say!(log, "the end: {:?}", connection.accept().await.is_none());
    say!(log, "after the end: {:?}", connection.accept().await.is_none());
    say!(log, "client: {}", end(client).await);
}

async fn responses(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let status: u16 = request.uri().path()[1..].parse().unwrap();
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let has_content = !matches!(status, 204 | 304);
        let mut stream = respond.send_response(response, !has_content).unwrap();
        if has_content {
            stream.send_data(Bytes::from(status.to_string()), true).unwrap();
        }
    })
    .await;
    for status in [200, 201, 204, 304, 400, 500, 599, 999] {
        let (response, _) = pair.send.send_request(get(&format!("/{status}")), true).unwrap();
        say!(log, "{}", outcome(response.await).await);
    }
}

/// Fields that a response may not have, and informational statuses as final ones.
async fn response_fields(log: Log) {
    let seen = log.clone();
    let mut pair = start(move |request, mut respond| {
        let seen = seen.clone();
        async move {
            let name = request.headers()["x-name"].to_str().unwrap().to_owned();
            let mut response = ok();
            if let Ok(status) = name.parse::<u16>() {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
            } else {
                let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                response.headers_mut().insert(name, HeaderValue::from_static("value"));
            }
            match respond.send_response(response, true) {
                Ok(_) => say!(seen, "server: sent"),
                Err(error) => {
                    say!(seen, "server: {}", h2_error(&error));
                    // The handle can still send a correct one, or not.
                    say!(seen, "server: {}", done(respond.send_response(ok(), true)));
                }
            }
        }
    })
    .await;
    for name in [
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "te",
        "x-good",
        "host",
    ] {
        let mut request = get("/");
        request.headers_mut().insert("x-name", HeaderValue::from_static(name));
        let (response, _) = pair.send.send_request(request, true).unwrap();
        say!(log, "{name}: {}", outcome(response.await).await);
    }
}

/// A server that has answered completely asks the client to stop.
async fn early_response_then_no_more_reading(log: Log) {
    let mut pair = start(|request, mut respond| async move {
        let mut stream = respond.send_response(ok(), false).unwrap();
        stream.send_data(Bytes::from_static(b"enough"), true).unwrap();
        drop((request, respond, stream));
    })
    .await;
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    stream.send_data(pattern(10_000), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    say!(log, "{}", read(&mut body).await);
    let reset = poll_fn(|context| stream.poll_reset(context)).await;
    say!(log, "{}", self::reset(reset));
    say!(log, "{}", done(stream.send_data(pattern(10), true)));
    let (response, mut stream) = pair.send.send_request(post("/"), false).unwrap();
    let error = done(send_all(&mut stream, pattern(1_000_000), None).await);
    say!(log, "upload failed: {}", error != "done");
    say!(log, "{}", outcome(response.await).await);
}

async fn poll_reset_of_a_response(log: Log) {
    let (mut send, _client, mut connection) = driven(&server::Builder::new()).await;
    let (_response, mut stream) = send.send_request(post("/"), false).unwrap();
    let (_request, mut respond) = connection.accept().await.unwrap().unwrap();
    let driver = tokio::spawn(async move { connection.accept().await.is_none() });
    let pending = poll_fn(|context| Poll::Ready(respond.poll_reset(context).is_pending())).await;
    say!(log, "pending before: {pending}");
    stream.send_reset(Reason::CONNECT_ERROR);
    say!(log, "{}", reset(poll_fn(|context| respond.poll_reset(context)).await));
    let again = poll_fn(|context| respond.poll_reset(context)).now_or_never();
    say!(log, "again {:?}", again.map(reset));
    driver.abort();

    let (mut send, _client, mut connection) = driven(&server::Builder::new()).await;
    let _request = send.send_request(post("/"), false).unwrap();
    let (_request, mut respond) = connection.accept().await.unwrap().unwrap();
    let mut stream = respond.send_response(ok(), false).unwrap();
    let after = poll_fn(|context| respond.poll_reset(context)).now_or_never();
    say!(log, "after the response: {:?}", after.map(reset));
    let after = poll_fn(|context| stream.poll_reset(context)).now_or_never();
    say!(log, "of the stream: {:?}", after.map(reset));
    drop(connection);
    let lost = poll_fn(|context| stream.poll_reset(context)).now_or_never();
    say!(log, "without the connection: {:?}", lost.map(reset));
}

async fn poll_closed_drives_the_connection(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    let (response, mut stream) = send.send_request(post("/"), false).unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    let driver = tokio::spawn(async move { done(poll_fn(|context| connection.poll_closed(context)).await) });
    stream.send_data(pattern(100_000), true).unwrap();
    let mut body = request.into_body();
    say!(log, "server: {}", read(&mut body).await);
    respond.send_response(ok(), true).unwrap();
    say!(log, "{}", outcome(response.await).await);
    drop((send, stream, respond, body));
    say!(log, "client: {}", end(client).await);
    say!(log, "server: {}", driver.await.unwrap());
}

async fn graceful_shutdown_with_streams(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    let (first, mut upload) = send.send_request(post("/first"), false).unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    connection.graceful_shutdown();
    connection.graceful_shutdown();
    let (seen, stop) = (log.clone(), Signal::default());
    let stopped = stop.clone();
    let driver = tokio::spawn(async move {
        while let Some(accepted) = connection.accept().await {
            say!(
                seen,
                "server: accepted {:?}",
                accepted.map(|(request, _)| request.uri().to_string()).map_err(|e| h2_error(&e))
            );
        }
        stopped.give();
        say!(seen, "server: {}", done(poll_fn(|context| connection.poll_closed(context)).await));
    });
    settle().await;
    // Both GOAWAYs have arrived.
    say!(log, "ready: {}", done(poll_fn(|context| send.poll_ready(context)).await));
    say!(
        log,
        "a further request: {}",
        match send.send_request(get("/second"), true) {
            Ok((response, _)) => outcome(response.await).await,
            Err(error) => h2_error(&error),
        }
    );
    upload.send_data(pattern(200_000), true).unwrap();
    let mut body = request.into_body();
    say!(log, "server: {}", read(&mut body).await);
    let mut stream = respond.send_response(ok(), false).unwrap();
    let sent = tokio::spawn(async move { done(send_all(&mut stream, pattern(200_000), None).await) });
    say!(log, "{}", outcome(first.await).await);
    say!(log, "sent: {}", sent.await.unwrap());
    drop((upload, respond, body, send));
    stop.wait().await;
    say!(log, "client: {}", end(client).await);
    driver.await.unwrap();
}

/// One exchange, after which both sides know each other's settings.
async fn exchange(
    send: &mut client::SendRequest<Bytes>,
    connection: &mut server::Connection<tokio::io::DuplexStream, Bytes>,
) {
    let (response, _) = send.send_request(get("/"), true).unwrap();
    let (_, mut respond) = connection.accept().await.unwrap().unwrap();
    respond.send_response(ok(), true).unwrap();
    tokio::select! {
        response = response => drop(response.unwrap()),
        _ = connection.accept() => panic!("no further request"),
    }
    settle().await;
}

async fn graceful_shutdown_without_streams(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    exchange(&mut send, &mut connection).await;
    connection.graceful_shutdown();
    say!(log, "server: {}", accepted(connection.accept().await));
    say!(log, "server: {}", done(poll_fn(|context| connection.poll_closed(context)).await));
    drop(connection);
    say!(log, "client: {}", end(client).await);
    drop(send);
}

async fn abrupt_shutdowns(log: Log) {
    for code in [Reason::NO_ERROR, Reason::INTERNAL_ERROR, Reason::ENHANCE_YOUR_CALM, Reason::from(77)] {
        let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        connection.abrupt_shutdown(code);
        say!(log, "{} accept: {}", reason(code), accepted(connection.accept().await));
        say!(log, "closed: {}", done(poll_fn(|context| connection.poll_closed(context)).await));
        say!(log, "body: {}", read(&mut request.into_body()).await);
        say!(log, "respond: {}", done(respond.send_response(ok(), true)));
        drop(connection);
        say!(log, "client: {}", end(client).await);
        say!(log, "response: {}", outcome(response.await).await);
        say!(log, "send_data: {}", done(stream.send_data(Bytes::new(), true)));
        say!(log, "ready: {}", done(poll_fn(|context| send.poll_ready(context)).await));
    }
}

/// The server widens its windows while the client sends.
async fn windows_at_run_time(log: Log) {
    let (mut send, _client, mut connection) = driven(&server::Builder::new()).await;
    let (_response, mut stream) = send.send_request(post("/"), false).unwrap();
    let (request, _respond) = connection.accept().await.unwrap().unwrap();
    connection.set_target_window_size(500_000);
    say!(log, "initial window: {}", done(connection.set_initial_window_size(300_000)));
    say!(log, "a second before the acknowledgement: {}", done(connection.set_initial_window_size(100_000)));
    let driver = tokio::spawn(async move {
        let closed = poll_fn(|context| connection.poll_closed(context));
        tokio::time::timeout(std::time::Duration::from_millis(300), closed).await.is_err()
    });
    stream.reserve_capacity(1_000_000);
    let mut capacity = 0;
    while capacity < 300_000 {
        capacity = poll_fn(|context| stream.poll_capacity(context)).await.unwrap().unwrap();
    }
    say!(log, "the client's capacity: {capacity}");
    let mut body = request.into_body();
    say!(
        log,
        "available {}, used {}",
        body.flow_control().available_capacity(),
        body.flow_control().used_capacity()
    );
    say!(log, "still open: {}", driver.await.unwrap());
}

async fn connect_protocol_at_run_time(log: Log) {
    let (mut send, _client, mut connection) = driven(&server::Builder::new()).await;
    let (response, _) = send.send_request(get("/"), true).unwrap();
    let (_, mut respond) = connection.accept().await.unwrap().unwrap();
    respond.send_response(ok(), true).unwrap();
    say!(log, "enable: {}", done(connection.enable_connect_protocol()));
    say!(log, "again at once: {}", done(connection.enable_connect_protocol()));
    let driver =
        tokio::spawn(async move { poll_fn(|context| connection.poll_closed(context)).await.is_ok() });
    say!(log, "{}", outcome(response.await).await);
    settle().await;
    say!(log, "enabled: {}", send.is_extended_connect_protocol_enabled());
    driver.abort();
}

/// A handler that ends without an answer.
async fn dropped_response_handle(log: Log) {
    let mut pair = start(|request, respond| async move {
        match request.uri().path() {
            "/unanswered" => drop((request, respond)),
            "/unfinished" => {
                let mut respond = respond;
                let mut stream = respond.send_response(ok(), false).unwrap();
                stream.send_data(Bytes::from_static(b"some"), false).unwrap();
                // The client has the content.
                request.into_body().data().await.unwrap().unwrap();
                drop(stream);
            }
            _ => unreachable!(),
        }
    })
    .await;
    let (response, _) = pair.send.send_request(get("/unanswered"), true).unwrap();
    say!(log, "unanswered: {}", outcome(response.await).await);
    let (response, mut stream) = pair.send.send_request(post("/unfinished"), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    let some = body.data().await.unwrap().unwrap();
    stream.send_data(some, true).unwrap();
    say!(log, "unfinished: {}", read(&mut body).await);
}

/// The server drops its connection; its handles say so.
async fn dropped_connection(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    let (response, _upload) = send.send_request(post("/"), false).unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    drop(connection);
    say!(log, "client: {}", end(client).await);
    say!(log, "response: {}", outcome(response.await).await);
    let mut body = request.into_body();
    say!(log, "body: {}", read(&mut body).await);
    say!(
        log,
        "respond: {}",
        done(respond.send_informational({
            let mut hint = ok();
            *hint.status_mut() = StatusCode::EARLY_HINTS;
            hint
        }))
    );
    say!(log, "respond: {}", done(respond.send_response(ok(), false)));
    say!(log, "push: {}", done(respond.push_request(get("/"))));
    respond.send_reset(Reason::CANCEL);
    say!(log, "release: {}", done(body.flow_control().release_capacity(0)));
}

async fn idle_end_of_the_client(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    exchange(&mut send, &mut connection).await;
    drop(send);
    say!(log, "server: {}", accepted(connection.accept().await));
    say!(log, "client: {}", end(client).await);
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    exchange(&mut send, &mut connection).await;
    // Without a GOAWAY.
    client.abort();
    _ = client.await;
    drop(send);
    say!(log, "server: {}", accepted(connection.accept().await));
    say!(log, "server: {}", done(poll_fn(|context| connection.poll_closed(context)).await));
}

async fn end_of_the_client_in_the_middle(log: Log) {
    let (mut send, client, mut connection) = driven(&server::Builder::new()).await;
    let (_response, mut upload) = send.send_request(post("/"), false).unwrap();
    upload.send_data(Bytes::from_static(b"some"), false).unwrap();
    let (request, mut respond) = connection.accept().await.unwrap().unwrap();
    let mut body = request.into_body();
    let mut stream = respond.send_response(ok(), false).unwrap();
    client.abort();
    _ = client.await;
    say!(log, "server: {}", accepted(connection.accept().await));
    say!(log, "some: {:?}", body.data().await.map(|data| data.map_err(|error| h2_error(&error))));
    say!(log, "body: {}", read(&mut body).await);
    say!(log, "send: {}", done(stream.send_data(Bytes::from_static(b"x"), true)));
    stream.reserve_capacity(1);
    let capacity = poll_fn(|context| stream.poll_capacity(context)).await;
    say!(log, "capacity: {:?}", capacity.map(|capacity| capacity.map_err(|error| h2_error(&error))));
}

async fn limits_of_the_client(log: Log) {
    let (near, far) = duplex();
    let handshake = server::Builder::new().max_concurrent_streams(9).handshake::<_, Bytes>(far);
    let mut client = client::Builder::new();
    client.max_concurrent_streams(5);
    let (mut send, _client) = connect(near, &client).await;
    let mut connection = handshake.await.unwrap();
    let (response, _) = send.send_request(get("/"), true).unwrap();
    let (_, mut respond) = connection.accept().await.unwrap().unwrap();
    say!(
        log,
        "send {} recv {}",
        connection.max_concurrent_send_streams(),
        connection.max_concurrent_recv_streams()
    );
    respond.send_response(ok(), true).unwrap();
    let driver = tokio::spawn(async move { connection.accept().await.is_none() });
    say!(log, "{}", outcome(response.await).await);
    driver.abort();
}

/// Many streams with content both ways, and trailers from both sides.
async fn pipe_of_a_thousand_streams(log: Log) {
    let (near, far) = duplex();
    let server = serve(far, &server::Builder::new(), |request, mut respond| async move {
        let mut body = request.into_body();
        let content = read(&mut body).await;
        let mut response = ok();
        response.headers_mut().insert("x-read", content.parse().unwrap());
        let mut stream = respond.send_response(response, false).unwrap();
        send_all(&mut stream, pattern(3000), Some(trailers(&[("x-end", "server")]))).await.unwrap();
    });
    let (send, client) = connect(near, &client::Builder::new()).await;
    let mut send = send;
    let mut requests = Vec::new();
    for number in 0..1000 {
        send = send.ready().await.unwrap();
        let (response, mut stream) = send.send_request(post("/"), false).unwrap();
        let ends: HeaderMap = trailers(&[("x-end", "client")]);
        tokio::spawn(async move { send_all(&mut stream, pattern(2000 + number), Some(ends)).await });
        requests.push(tokio::spawn(async move { outcome(response.await).await }));
    }
    for (number, request) in requests.into_iter().enumerate() {
        let answer = request.await.unwrap();
        if number % 100 == 0 {
            say!(log, "{answer}");
        }
    }
    drop(send);
    say!(log, "client: {}, server: {}", end(client).await, end(server).await);
}
