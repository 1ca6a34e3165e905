//! Tunnels through hyper: CONNECT, and extended CONNECT (RFC 8441), with `hyper::upgrade`.

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::describe::{Digest, describe, pattern, result};
use crate::net::{
    AnyBody, Counter, SendRequest, both_with, client_builder, empty, full, get, request, server_builder, soon,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    parallel ten_mb_both_ways_by_extended_connect,
    parallel ten_mb_both_ways_by_connect,
    parallel hundred_tunnels,
    single tunnel_ends_in_each_direction,
    single tunnel_is_dropped_by_the_client,
    single tunnel_is_dropped_by_the_server,
    single tunnel_and_connection_lost,
    single refused_tunnels,
    single extended_connect_that_the_server_does_not_know,
    single protocol_of_a_request,
}

type Tunnel = TokioIo<Upgraded>;

/// Starts a client and a server that hands each tunnel to a function.
async fn tunnels<F, R>(log: &Log, tunnel: F) -> (SendRequest, tokio::task::AbortHandle)
where
    F: Fn(Tunnel) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let mut server = server_builder();
    server.enable_connect_protocol();
    let answer = move |mut request: Request<Incoming>| {
        let tunnel = tunnel.clone();
        async move {
            if request.method() != Method::CONNECT {
                return Response::new(empty());
            }
            if request.uri().path() == "/refused" || request.uri().port_u16() == Some(25) {
                let mut answer = Response::new(full("no such tunnel"));
                *answer.status_mut() = StatusCode::FORBIDDEN;
                return answer;
            }
            let protocol =
                request.extensions().get::<Protocol>().map(|protocol| protocol.as_str().to_owned());
            let upgraded = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let io = TokioIo::new(upgraded.await.unwrap());
                tunnel(io).await;
            });
            let mut answer = Response::new(empty());
            let seen = protocol.unwrap_or_else(|| "none".to_owned());
            answer.headers_mut().insert("x-protocol", seen.parse().unwrap());
            answer
        }
    };
    let (mut sender, _, served) = both_with(&client_builder(), &server, answer).await;
    // After this, the client knows the server's settings.
    say!(log, "{}", result(sender.send_request(get("/")).await).await);
    (sender, served.abort_handle())
}

fn extended(path: &str) -> Request<AnyBody> {
    let mut request = request("CONNECT", path, empty());
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request
}

fn plain(authority: &str) -> Request<AnyBody> {
    Request::builder().method("CONNECT").uri(authority).body(empty()).unwrap()
}

/// Opens a tunnel.
async fn open(log: &Log, sender: &mut SendRequest, request: Request<AnyBody>) -> Tunnel {
    let answer = sender.send_request(request).await.unwrap();
    say!(log, "{} {:?}", answer.status(), answer.headers()["x-protocol"]);
    TokioIo::new(hyper::upgrade::on(answer).await.unwrap())
}

async fn echo(mut tunnel: Tunnel) {
    let (mut reader, mut writer) = tokio::io::split(&mut tunnel);
    _ = tokio::io::copy(&mut reader, &mut writer).await;
    _ = writer.shutdown().await;
}

/// Sends content and its end, and reads everything that comes back.
async fn through(tunnel: Tunnel, content: bytes::Bytes) -> Digest {
    let (mut reader, mut writer) = tokio::io::split(tunnel);
    let sent = tokio::spawn(async move {
        writer.write_all(&content).await.unwrap();
        writer.shutdown().await.unwrap();
        // Dropping a half would not end the tunnel, but returning it does no harm.
        writer
    });
    let (mut received, mut buffer) = (Digest::EMPTY, vec![0; 50_000]);
    loop {
        match reader.read(&mut buffer).await.unwrap() {
            0 => break,
            size => received.add(&buffer[..size]),
        }
    }
    drop(sent.await.unwrap());
    received
}

async fn ten_mb_both_ways_by_extended_connect(log: Log) {
    let (mut sender, _) = tunnels(&log, echo).await;
    let content = pattern(10_000_000);
    let tunnel = open(&log, &mut sender, extended("/chat")).await;
    let received = through(tunnel, content.clone()).await;
    say!(log, "{received}, the same: {}", received == Digest::of(&content));
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

async fn ten_mb_both_ways_by_connect(log: Log) {
    let (mut sender, _) = tunnels(&log, echo).await;
    let content = pattern(10_000_000);
    let tunnel = open(&log, &mut sender, plain("target.example:443")).await;
    let received = through(tunnel, content.clone()).await;
    say!(log, "{received}, the same: {}", received == Digest::of(&content));
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

async fn hundred_tunnels(log: Log) {
    let (sender, _) = tunnels(&log, echo).await;
    let opened = (0..100).map(|number| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            let request = if number % 2 == 0 { extended("/chat") } else { plain("target.example:1") };
            let answer = sender.send_request(request).await.unwrap();
            let tunnel = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
            let content = pattern(10_000 + number);
            through(tunnel, content.clone()).await == Digest::of(&content)
        })
    });
    let results = futures_util::future::join_all(opened.collect::<Vec<_>>()).await;
    say!(log, "the same content: {}", results.into_iter().filter(|same| *same.as_ref().unwrap()).count());
}

/// Each side ends its direction first, and goes on reading.
async fn tunnel_ends_in_each_direction(log: Log) {
    let seen = log.clone();
    let (mut sender, _) = tunnels(&log, move |mut tunnel: Tunnel| {
        let seen = seen.clone();
        async move {
            let mut first = [0; 5];
            tunnel.read_exact(&mut first).await.unwrap();
            if &first == b"begin" {
                // The server ends first.
                tunnel.write_all(b"server's last").await.unwrap();
                tunnel.shutdown().await.unwrap();
            }
            let mut rest = Vec::new();
            let result = tunnel.read_to_end(&mut rest).await;
            say!(seen, "server: {:?} {}", result.map_err(|error| describe(&error)), rest.escape_ascii());
            if &first != b"begin" {
                tunnel.write_all(b"server's answer").await.unwrap();
                tunnel.shutdown().await.unwrap();
            }
        }
    })
    .await;
    for (request, first) in [(extended("/a"), &b"begin"[..]), (plain("b.example:1"), b"wait!")] {
        let mut tunnel = open(&log, &mut sender, request).await;
        tunnel.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        if first == b"begin" {
            tunnel.read_to_end(&mut rest).await.unwrap();
            tunnel.write_all(b"client's last").await.unwrap();
            tunnel.shutdown().await.unwrap();
        } else {
            tunnel.write_all(b"client's content").await.unwrap();
            tunnel.shutdown().await.unwrap();
            tunnel.read_to_end(&mut rest).await.unwrap();
        }
        say!(log, "client: {}", rest.escape_ascii());
        // The server's line comes before the next tunnel's.
        soon("the request", sender.send_request(get("/"))).await.unwrap();
    }
}

/// One side reads until the other is gone.
async fn read_until_gone(mut tunnel: Tunnel) -> String {
    let (mut received, mut buffer) = (0, [0; 1000]);
    loop {
        match tunnel.read(&mut buffer).await {
            Ok(0) => return format!("{received} bytes, then the end"),
            Ok(size) => received += size,
            Err(error) => return format!("{received} bytes, then {}", describe(&error)),
        }
    }
}

async fn tunnel_is_dropped_by_the_client(log: Log) {
    let (seen, ends) = (log.clone(), Counter::new());
    let end = ends.clone();
    let (mut sender, _) = tunnels(&log, move |mut tunnel: Tunnel| {
        let (seen, guard) = (seen.clone(), end.on_drop());
        async move {
            let _guard = guard;
            tunnel.write_all(b"hello").await.unwrap();
            say!(seen, "server: {}", read_until_gone(tunnel).await);
        }
    })
    .await;
    for (number, request) in [extended("/a"), plain("b.example:1")].into_iter().enumerate() {
        let mut tunnel = open(&log, &mut sender, request).await;
        tunnel.read_exact(&mut [0; 5]).await.unwrap();
        drop(tunnel);
        soon("the server's end", ends.reaches(number + 1)).await;
    }
}

async fn tunnel_is_dropped_by_the_server(log: Log) {
    let (mut sender, _) = tunnels(&log, async |mut tunnel: Tunnel| {
        tunnel.read_exact(&mut [0; 5]).await.unwrap();
    })
    .await;
    for request in [extended("/a"), plain("b.example:1")] {
        let mut tunnel = open(&log, &mut sender, request).await;
        tunnel.write_all(b"hello").await.unwrap();
        say!(log, "client: {}", soon("the server's end", read_until_gone(tunnel)).await);
    }
}

async fn tunnel_and_connection_lost(log: Log) {
    let (mut sender, served) = tunnels(&log, async |mut tunnel: Tunnel| {
        tunnel.write_all(b"hello").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut tunnel = open(&log, &mut sender, extended("/a")).await;
    tunnel.read_exact(&mut [0; 5]).await.unwrap();
    served.abort();
    say!(log, "client: {}", soon("the end", read_until_gone(tunnel)).await);
}

async fn refused_tunnels(log: Log) {
    let (mut sender, _) = tunnels(&log, echo).await;
    for request in [extended("/refused"), plain("mail.example:25")] {
        say!(log, "{}", result(sender.send_request(request).await).await);
    }
    // A response without a tunnel has nothing to upgrade to.
    let answer = sender.send_request(get("/")).await.unwrap();
    let error = hyper::upgrade::on(answer).await.err().map(|error| describe(&error));
    say!(log, "upgrade of a GET: {error:?}");
}

async fn extended_connect_that_the_server_does_not_know(log: Log) {
    let (mut sender, ..) =
        both_with(&client_builder(), &server_builder(), async |_| Response::new(empty())).await;
    say!(log, "{}", result(sender.send_request(get("/")).await).await);
    say!(log, "{}", result(sender.send_request(extended("/chat")).await).await);
    say!(log, "afterwards: {}", result(sender.send_request(get("/")).await).await);
}

/// The extension means something with CONNECT only.
async fn protocol_of_a_request(log: Log) {
    let mut server = server_builder();
    server.enable_connect_protocol();
    let (mut sender, ..) = both_with(&client_builder(), &server, async |request: Request<Incoming>| {
        let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
        Response::new(full(format!("{} {} {protocol:?}", request.method(), request.uri())))
    })
    .await;
    say!(log, "{}", result(sender.send_request(get("/")).await).await);
    let mut message = get("/with");
    message.extensions_mut().insert(Protocol::from_static("websocket"));
    let answer = sender.send_request(message).await;
    say!(
        log,
        "GET: {}",
        match answer {
            Ok(answer) => {
                use http_body_util::BodyExt;
                format!("{} {:?}", answer.status(), answer.into_body().collect().await.unwrap().to_bytes())
            }
            Err(error) => describe(&error),
        }
    );
}
