//! hyper's client and server: heads, methods, statuses and fields.

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::describe::{Content, Digest, describe, fields, pattern, response, result};
use crate::net::{
    AnyBody, Claimed, Counter, both, both_with, client_builder, echo, empty, fed, full, get, pieces, request,
    server_builder, soon, tcp,
};
use crate::scenario::{Log, say, scenarios};

scenarios! {
    single methods_and_statuses,
    single head_204_and_304,
    single fields_of_a_request,
    single fields_of_a_response,
    single fields_that_http2_forbids,
    single cookies,
    single date,
    single uris,
    single content_length_from_the_body,
    single request_shorter_or_longer_than_declared,
    single response_shorter_or_longer_than_declared,
    single expect_continue,
    single http1_peers,
}

async fn methods_and_statuses(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let status: u16 = request.headers()["x-status"].to_str().unwrap().parse().unwrap();
        let mut answer = Response::new(full(request.method().to_string()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    })
    .await;
    for (method, status) in [
        ("GET", 200),
        ("POST", 201),
        ("PUT", 202),
        ("DELETE", 206),
        ("OPTIONS", 299),
        ("PATCH", 400),
        ("TRACE", 404),
        ("PROPFIND", 418),
        ("QUERY", 431),
        ("GET", 500),
        ("GET", 599),
        ("GET", 600),
        ("GET", 999),
    ] {
        let mut message = request(method, "/", empty());
        message.headers_mut().insert("x-status", HeaderValue::from(status));
        say!(log, "{method} {status}: {}", result(sender.send_request(message).await).await);
    }
}

/// Responses that have no content, whatever the service returns.
async fn head_204_and_304(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let mut answer = Response::new(match request.uri().path() {
            "/full" => full("content"),
            "/pieces" => pieces(&pattern(100_000), 1000, None),
            _ => empty(),
        });
        if let Some(status) = request.headers().get("x-status") {
            *answer.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
        }
        if let Some(length) = request.headers().get("x-length") {
            answer.headers_mut().insert("content-length", length.clone());
        }
        answer
    })
    .await;
    for (method, path, status, length) in [
        ("HEAD", "/empty", "200", None),
        ("HEAD", "/full", "200", None),
        ("HEAD", "/pieces", "200", None),
        ("HEAD", "/empty", "200", Some("12345")),
        ("HEAD", "/empty", "404", Some("7")),
        ("GET", "/empty", "204", None),
        ("GET", "/empty", "304", None),
        ("GET", "/empty", "304", Some("12345")),
        ("GET", "/empty", "200", Some("0")),
        ("GET", "/empty", "205", None),
    ] {
        let mut message = request(method, path, empty());
        message.headers_mut().insert("x-status", HeaderValue::from_static(status));
        if let Some(length) = length {
            message.headers_mut().insert("x-length", HeaderValue::from_static(length));
        }
        let answer = result(sender.send_request(message).await).await;
        say!(log, "{method} {path} {status} {length:?}: {answer}");
    }
}

/// Fields of all kinds that a client may send.
fn awkward_fields(fields: &mut http::HeaderMap) {
    let mut add = |name: &str, value: HeaderValue| {
        fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    };
    for (name, value) in [
        ("x-twice", "first"),
        ("x-twice", "second"),
        ("x-empty", ""),
        ("x-tab", "a\tb"),
        ("x-comma", "a, b,c"),
        ("te", "trailers"),
        ("user-agent", "proof"),
        ("accept", "*/*"),
        ("x!#$%&'*+.^_`|~", "every character of a token"),
    ] {
        add(name, HeaderValue::from_static(value));
    }
    add("x-latin", HeaderValue::from_bytes(b"caf\xe9 \xff").unwrap());
    add("x-long", HeaderValue::from_bytes(&[b'v'; 5000]).unwrap());
    let mut secret = HeaderValue::from_static("Bearer abc");
    secret.set_sensitive(true);
    add("authorization", secret);
    for number in 0..60 {
        add(&format!("x-number-{number}"), HeaderValue::from(number * 1001));
    }
}

async fn fields_of_a_request(log: Log) {
    let seen = log.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let secret = request.headers().get("authorization").map(HeaderValue::is_sensitive);
            say!(seen, "server: {}", fields(request.headers()));
            say!(seen, "server: sensitive {secret:?}");
            Response::new(empty())
        }
    })
    .await;
    // The second time, the compression of fields knows them.
    for _ in 0..2 {
        let mut message = get("/");
        awkward_fields(message.headers_mut());
        say!(log, "{}", result(sender.send_request(message).await).await);
    }
}

async fn fields_of_a_response(log: Log) {
    let (mut sender, ..) = both(async |_| {
        let mut answer = Response::new(empty());
        awkward_fields(answer.headers_mut());
        for cookie in ["a=1; Path=/", "b=2"] {
            answer.headers_mut().append("set-cookie", HeaderValue::from_static(cookie));
        }
        answer
    })
    .await;
    for _ in 0..2 {
        let answer = sender.send_request(get("/")).await.unwrap();
        let secret = answer.headers()["authorization"].is_sensitive();
        say!(log, "{}", response(answer).await);
        say!(log, "sensitive {secret}");
    }
}

async fn cookies(log: Log) {
    let crumbs = ["a=1", "b=2; c=3"].map(HeaderValue::from_static);
    let answer = crumbs.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let text = fields(request.headers());
        let mut response = Response::new(full(text));
        for crumb in answer.clone() {
            response.headers_mut().append("cookie", crumb);
        }
        async { response }
    })
    .await;
    let mut message = get("/");
    for crumb in crumbs {
        message.headers_mut().append("cookie", crumb);
    }
    let answer = sender.send_request(message).await.unwrap();
    say!(log, "response: {}", fields(answer.headers()));
    let request = answer.into_body().collect().await.unwrap().to_bytes();
    say!(log, "request: {}", request.escape_ascii());
}

/// hyper removes fields of the connection; the rest must fail alike.
async fn fields_that_http2_forbids(log: Log) {
    let seen = log.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        say!(seen, "server: {}", fields(request.headers()));
        async move {
            let mut answer = Response::new(empty());
            let name = request.uri().path().trim_start_matches('/').to_owned();
            if let Some(value) = request.headers().get("x-answer") {
                answer.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.clone());
            }
            answer
        }
    })
    .await;
    for (name, value) in [
        ("connection", "close, x-named"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("host", "other.example"),
    ] {
        let mut message = get("/");
        message.headers_mut().insert(name, HeaderValue::from_static(value));
        message.headers_mut().insert("x-named", HeaderValue::from_static("by connection"));
        say!(log, "request with {name}: {}", result(sender.send_request(message).await).await);
        let mut message = get(&format!("/{name}"));
        message.headers_mut().insert("x-answer", HeaderValue::from_static(value));
        say!(log, "response with {name}: {}", result(sender.send_request(message).await).await);
    }
}

async fn date(log: Log) {
    for automatic in [true, false] {
        let mut server = server_builder();
        server.auto_date_header(automatic);
        let (mut sender, ..) = both_with(&client_builder(), &server, async |request: Request<Incoming>| {
            let mut answer = Response::new(empty());
            if request.uri().path() == "/own" {
                answer.headers_mut().insert("date", HeaderValue::from_static("yesterday"));
            }
            answer
        })
        .await;
        let answer = sender.send_request(get("/")).await.unwrap();
        say!(log, "automatic {automatic}: {}", fields(answer.headers()));
        let answer = sender.send_request(get("/own")).await.unwrap();
        say!(log, "own date {:?}", answer.headers().get("date"));
    }
}

async fn uris(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let (uri, version) = (request.uri(), request.version());
        Response::new(full(format!("{} {uri:?} {version:?} {}", request.method(), fields(request.headers()))))
    })
    .await;
    for (method, uri) in [
        ("GET", "http://test.example"),
        ("GET", "http://test.example/a%20b?c=d&e"),
        ("GET", "https://test.example:8443/path"),
        ("GET", "http://[::1]:80/"),
        ("GET", "http://user:password@test.example/"),
        ("GET", "/only/a/path"),
        ("OPTIONS", "*"),
        ("OPTIONS", "http://test.example"),
        ("GET", "ftp://test.example/file"),
        ("GET", "test.example:80"),
        ("CONNECT", "test.example:80"),
        ("CONNECT", "http://test.example/with/path"),
    ] {
        let request = Request::builder().method(method).uri(uri).body(empty()).unwrap();
        match sender.send_request(request).await {
            Ok(answer) => {
                let status = answer.status();
                let content = if status.is_success() && method == "CONNECT" {
                    // A tunnel, which this server drops.
                    String::new()
                } else {
                    String::from_utf8_lossy(&answer.into_body().collect().await.unwrap().to_bytes())
                        .into_owned()
                };
                say!(log, "{method} {uri}: {status} {content}");
            }
            Err(error) => say!(log, "{method} {uri}: {}", describe(&error)),
        }
    }
    let mut old = get("/");
    *old.version_mut() = Version::HTTP_11;
    say!(log, "version 1.1: {}", result(sender.send_request(old).await).await);
}

async fn content_length_from_the_body(log: Log) {
    let seen = log.clone();
    let (mut sender, ..) = both(move |request: Request<Incoming>| {
        let hint = http_body::Body::size_hint(request.body()).exact();
        let end = http_body::Body::is_end_stream(request.body());
        say!(seen, "server: {} {hint:?} {end}", fields(request.headers()));
        echo(request)
    })
    .await;
    for (method, body) in [
        ("GET", empty()),
        ("POST", empty()),
        ("GET", full("content")),
        ("POST", full("content")),
        ("POST", full("")),
        ("POST", pieces(&pattern(10), 5, None)),
        ("DELETE", full("content")),
    ] {
        say!(log, "{method}: {}", result(sender.send_request(request(method, "/", body)).await).await);
    }
}

async fn request_shorter_or_longer_than_declared(log: Log) {
    let (seen, begun, answered) = (log.clone(), Counter::new(), Counter::new());
    let (begin, count) = (begun.clone(), answered.clone());
    let (sender, ..) = both(move |request: Request<Incoming>| {
        let (seen, count) = (seen.clone(), count.clone());
        begin.add();
        async move {
            let content = Content::of(request.into_body()).await;
            say!(seen, "server: {content}");
            count.add();
            Response::new(full("answer"))
        }
    })
    .await;
    for (number, size) in [10, 9, 11, 0, 20_000].into_iter().enumerate() {
        let (feed, body) = fed();
        let mut message = request("POST", "/", body);
        message.headers_mut().insert("content-length", HeaderValue::from_static("10"));
        let mut clone = sender.clone();
        let answer = tokio::spawn(async move { result(clone.send_request(message).await).await });
        // A request that is malformed at once may not arrive at all.
        soon("the request", begun.reaches(number + 1)).await;
        _ = feed.send(Ok(Frame::data(pattern(size)))).await;
        drop(feed);
        // The server's line comes first.
        soon("the service's end", answered.reaches(number + 1)).await;
        say!(log, "{size} instead of 10: {}", answer.await.unwrap());
    }
}

async fn response_shorter_or_longer_than_declared(log: Log) {
    let (mut sender, ..) = both(async |request: Request<Incoming>| {
        let size: usize = request.uri().path()[1..].parse().unwrap();
        let body = Claimed { body: pieces(&pattern(size), 1000, None), length: 10 };
        Response::new(AnyBody::new(body))
    })
    .await;
    for size in [10, 9, 11, 0, 20_000] {
        let answer = sender.send_request(get(&format!("/{size}"))).await;
        say!(log, "{size} instead of 10: {}", result(answer).await);
    }
    say!(log, "afterwards: {}", result(sender.send_request(get("/10")).await).await);
}

async fn expect_continue(log: Log) {
    let (mut sender, ..) = both(echo).await;
    let mut message = request("POST", "/", full("content"));
    message.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
    say!(log, "{}", result(sender.send_request(message).await).await);
}

/// A peer that speaks HTTP/1.1.
async fn http1_peers(log: Log) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let (mut near, far) = tcp().await;
    let served = crate::net::serve(far, &server_builder(), echo);
    near.write_all(b"GET / HTTP/1.1\r\nhost: test.example\r\n\r\n").await.unwrap();
    let ended = served.await.unwrap().map_err(|error| describe(&error));
    say!(log, "server: {ended:?}");
    let mut answer = Vec::new();
    _ = near.read_to_end(&mut answer).await;
    say!(log, "the peer read {}", Digest::of(&answer).length() > 0);

    let (near, mut far) = tcp().await;
    let (mut sender, ended) = crate::net::connect(near, &client_builder()).await;
    let answer = tokio::spawn(async move { sender.send_request(get("/")).await });
    far.read_exact(&mut [0; 24]).await.unwrap();
    far.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    say!(log, "request: {}", result(answer.await.unwrap()).await);
    say!(log, "client: {:?}", ended.await.unwrap().map_err(|error| describe(&error)));
}
