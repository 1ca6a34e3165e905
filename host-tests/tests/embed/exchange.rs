//! Requests and responses between a client and a server that both run in sandboxes.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::task::JoinSet;
use wasi_http2::embed::{ErrorCode, ErrorKind, Fault, Options, Protocol, SettingId};

use crate::support::{
    SANDBOX, SIZES, content, echo, get, pair, pair_with, post, read, send_and_return, serve, tcp, trailers,
    with_timeout,
};

#[tokio::test]
async fn heads_arrive_unchanged() {
    let (client, mut server) = pair().await;
    let mut request = Request::get("http://example.com:8080/a?b=c").header("accept", "text/plain");
    let mut secret = http::HeaderValue::from_static("of-a-kind");
    secret.set_sensitive(true);
    request = request.header("x-twice", "1").header("x-twice", "2").header("x-secret", secret);
    let (response, _) = client.request(request.body(()).unwrap(), true).await.unwrap();

    let (request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    assert_eq!(request.method(), "GET");
    assert_eq!(request.uri(), "http://example.com:8080/a?b=c");
    assert_eq!(request.headers()["accept"], "text/plain");
    let twice: Vec<_> = request.headers().get_all("x-twice").iter().collect();
    assert_eq!(twice, ["1", "2"]);
    assert!(request.headers()["x-secret"].is_sensitive());
    let head = Response::builder().status(404).header("server", "sandbox").body(()).unwrap();
    responder.send_response(head, true).await.unwrap();

    let mut response = with_timeout(response).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.headers()["server"], "sandbox");
    assert_eq!(read(response.body_mut()).await.unwrap(), b"");
}

#[tokio::test]
async fn content_is_echoed_over_memory() {
    let (client, server) = pair().await;
    echo(server);
    for size in SIZES {
        let content = content(size);
        assert!(
            with_timeout(send_and_return(&client, content.clone())).await.unwrap() == content,
            "{size} bytes"
        );
    }
}

#[tokio::test]
async fn content_is_echoed_over_tcp() {
    let (near, far) = tcp().await;
    serve(far).await;
    let client = SANDBOX.client(near, &Options::new()).unwrap();
    for size in SIZES {
        let content = content(size);
        assert!(
            with_timeout(send_and_return(&client, content.clone())).await.unwrap() == content,
            "{size} bytes"
        );
    }
}

#[tokio::test]
async fn trailers_follow_the_content() {
    let (client, server) = pair().await;
    echo(server);
    let (response, mut body) = client.request(post("/"), false).await.unwrap();
    body.send_data("content", false).await.unwrap();
    body.send_trailers(&trailers("grpc-status", "0")).await.unwrap();

    let mut response = with_timeout(response).await.unwrap();
    assert_eq!(read(response.body_mut()).await.unwrap(), b"content");
    let trailers = response.body_mut().trailers().await.unwrap().expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test]
async fn trailers_discards_unread_content() {
    let (client, server) = pair().await;
    echo(server);
    let (response, mut body) = client.request(post("/"), false).await.unwrap();
    body.send_data(content(100_000), false).await.unwrap();
    body.send_trailers(&trailers("done", "yes")).await.unwrap();

    let mut response = with_timeout(response).await.unwrap();
    let trailers = with_timeout(response.body_mut().trailers()).await.unwrap();
    assert_eq!(trailers.expect("trailers")["done"], "yes");
}

#[tokio::test]
async fn informational_responses_precede_the_final_response() {
    let (client, mut server) = pair().await;
    let (mut response, _) = client.request(get("/"), true).await.unwrap();
    let (_, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let hints = Response::builder().status(103).header("link", "</style.css>").body(()).unwrap();
    responder.send_informational(hints).await.unwrap();

    let hints = with_timeout(response.informational()).await.expect("103").unwrap();
    assert_eq!(hints.status(), StatusCode::EARLY_HINTS);
    assert_eq!(hints.headers()["link"], "</style.css>");
    responder.send_response(Response::new(()), true).await.unwrap();
    assert!(with_timeout(response.informational()).await.is_none());
    assert_eq!(with_timeout(response).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn pushed_responses_arrive() {
    let options = Options::new().setting(SettingId::ENABLE_PUSH, 1);
    let (client, mut server) = pair_with(&options, &Options::new()).await;
    let (response, _) = client.request(get("/"), true).await.unwrap();
    let mut pushes = response.pushes();

    let (_, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let mut promised = responder.push_request(get("/style.css")).await.unwrap();
    responder.send_response(Response::new(()), true).await.unwrap();
    promised.send_response(Response::new(()), false).await.unwrap().send_data("body {}", true).await.unwrap();

    let (request, pushed) = with_timeout(pushes.next()).await.expect("a promise").unwrap();
    assert_eq!(request.uri().path(), "/style.css");
    assert_eq!(read(with_timeout(pushed).await.unwrap().body_mut()).await.unwrap(), b"body {}");
    let mut response = with_timeout(response).await.unwrap();
    assert_eq!(read(response.body_mut()).await.unwrap(), b"");
    assert!(with_timeout(pushes.next()).await.is_none());
}

#[tokio::test]
async fn an_extended_connect_names_its_protocol() {
    let options = Options::new().setting(SettingId::ENABLE_CONNECT_PROTOCOL, 1);
    let (client, mut server) = pair_with(&Options::new(), &options).await;
    // The client must have received the server's SETTINGS before it may send an extended CONNECT.
    with_timeout(client.control().ping()).await.unwrap();
    let mut request = Request::connect("http://example.com/chat").body(()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let (response, _sending) = client.request(request, false).await.unwrap();

    let (request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    assert_eq!(request.extensions().get(), Some(&Protocol::from_static("websocket")));
    assert_eq!(request.uri(), "http://example.com/chat");
    responder.send_response(Response::new(()), false).await.unwrap();
    assert_eq!(with_timeout(response).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_malformed_request_is_refused_before_it_is_sent() {
    let (client, server) = pair().await;
    echo(server);
    let request = Request::get("/without-authority").body(()).unwrap();
    let error = client.request(request, true).await.err().expect("no scheme");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::InvalidArgument, Fault::Caller));
    assert!(with_timeout(send_and_return(&client, "next".into())).await.is_ok());
}

#[tokio::test]
async fn a_hundred_requests_run_at_once() {
    let (client, mut server) = pair().await;
    let mut requests = JoinSet::new();
    for number in 0..100 {
        let client = client.clone();
        requests
            .spawn(async move { send_and_return(&client, Bytes::from(format!("request {number}"))).await });
    }
    // Answer none before all have arrived.
    let mut accepted = Vec::new();
    while accepted.len() < 100 {
        accepted.push(with_timeout(server.accept()).await.unwrap().unwrap());
    }
    for (mut request, mut responder) in accepted {
        let content = read(request.body_mut()).await.unwrap();
        responder
            .send_response(Response::new(()), false)
            .await
            .unwrap()
            .send_data(content, true)
            .await
            .unwrap();
    }
    let mut answers: Vec<_> =
        with_timeout(requests.join_all()).await.into_iter().map(Result::unwrap).collect();
    let mut expected: Vec<_> = (0..100).map(|number| format!("request {number}").into_bytes()).collect();
    answers.sort();
    expected.sort();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn requests_beyond_the_stream_limit_wait() {
    let options = Options::new().setting(SettingId::MAX_CONCURRENT_STREAMS, 2);
    let (client, server) = pair_with(&Options::new().waiting_streams(3), &options).await;
    echo(server);
    // Without the server's SETTINGS, the client would send more requests, and the server would refuse them.
    with_timeout(client.control().ping()).await.unwrap();
    let mut requests = JoinSet::new();
    for _ in 0..300 {
        let client = client.clone();
        requests.spawn(async move { send_and_return(&client, "content".into()).await.unwrap() });
    }
    let answers = with_timeout(requests.join_all()).await;
    assert!(answers.len() == 300 && answers.iter().all(|answer| answer == b"content"));
}

#[tokio::test]
async fn sending_waits_for_a_slow_reader() {
    let window = Options::new().connection_window(65_536, 65_536).stream_window_maximum(65_536);
    let window = window.setting(SettingId::INITIAL_WINDOW_SIZE, 65_536);
    let (client, mut server) = pair_with(&Options::new(), &window).await;
    let (response, mut body) = client.request(post("/"), false).await.unwrap();
    let (mut request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let content = content(2 << 20);
    let sending = tokio::spawn({
        let content = content.clone();
        async move { body.send_data(content, true).await }
    });
    // The windows are used up, and the rest of the content waits with the sender.
    with_timeout(async {
        while request.body().windows().await.unwrap().receive > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!sending.is_finished());
    assert!(with_timeout(read(request.body_mut())).await.unwrap() == content);
    with_timeout(sending).await.unwrap().unwrap();
    responder.send_response(Response::new(()), true).await.unwrap();
    with_timeout(response).await.unwrap();
}

#[tokio::test]
async fn windows_can_be_updated_manually() {
    let options = Options::new().manual_window_update(true).setting(SettingId::INITIAL_WINDOW_SIZE, 10);
    let (client, mut server) = pair_with(&Options::new(), &options).await;
    with_timeout(client.control().ping()).await.unwrap();
    let (_response, mut body) = client.request(post("/"), false).await.unwrap();
    body.send_data("ten bytes.and ten more", true).await.unwrap();

    let (mut request, _responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let body = request.body_mut();
    assert_eq!(with_timeout(body.data()).await.unwrap().unwrap(), "ten bytes.");
    assert_eq!(body.windows().await.unwrap().receive, 0);
    body.window_update(12).await.unwrap();
    assert_eq!(with_timeout(body.data()).await.unwrap().unwrap(), "and ten more");
    assert!(with_timeout(body.data()).await.is_none());
    let error = body.window_update(0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn a_reset_reaches_the_peer_with_its_code() {
    let (client, mut server) = pair().await;
    let (response, body) = client.request(post("/"), false).await.unwrap();
    let (mut request, _responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    body.reset(ErrorCode::INTERNAL_ERROR);
    let error = with_timeout(request.body_mut().data()).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::StreamReset, Fault::Peer));
    assert_eq!(error.code(), Some(ErrorCode::INTERNAL_ERROR));
    assert_eq!(with_timeout(response).await.err().expect("no response").fault(), Fault::Caller);

    let (response, _) = client.request(get("/"), true).await.unwrap();
    let (_, responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    responder.reset(ErrorCode::REFUSED_STREAM);
    let error = with_timeout(response).await.err().expect("no response");
    assert_eq!(error.code(), Some(ErrorCode::REFUSED_STREAM));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn dropped_handles_release_their_streams() {
    let one_at_a_time = Options::new().setting(SettingId::MAX_CONCURRENT_STREAMS, 1);
    let (client, mut server) = pair_with(&Options::new(), &one_at_a_time).await;
    with_timeout(client.control().ping()).await.unwrap();
    for _ in 0..3 {
        // Neither side completes this stream.
        let unanswered = client.request(post("/"), false).await.unwrap();
        let (mut request, responder) = with_timeout(server.accept()).await.unwrap().unwrap();
        drop(unanswered);
        let error = with_timeout(request.body_mut().data()).await.unwrap().unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::CANCEL));
        drop((request, responder));
    }
    let (response, _) = client.request(get("/"), true).await.unwrap();
    let accepted = with_timeout(server.accept()).await.unwrap().unwrap();
    drop(accepted);
    let error = with_timeout(response).await.err().expect("no response");
    assert_eq!(error.code(), Some(ErrorCode::CANCEL));
}

#[tokio::test]
async fn waiting_is_cancel_safe() {
    let (client, mut server) = pair().await;
    tokio::select! {
        biased;
        _ = server.accept() => panic!("no request was sent"),
        () = tokio::task::yield_now() => {}
    }
    let (mut response, mut body) = client.request(post("/"), false).await.unwrap();
    let (mut request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    tokio::select! {
        biased;
        _ = request.body_mut().data() => panic!("no content was sent"),
        () = tokio::task::yield_now() => {}
    }
    tokio::select! {
        biased;
        _ = &mut response => panic!("no response was sent"),
        () = tokio::task::yield_now() => {}
    }
    body.send_data("late", true).await.unwrap();
    responder.send_response(Response::new(()), true).await.unwrap();
    assert_eq!(with_timeout(read(request.body_mut())).await.unwrap(), b"late");
    assert_eq!(with_timeout(response).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_connections_run_concurrently() {
    let mut connections = JoinSet::new();
    for number in 0..100 {
        connections.spawn(async move {
            let (client, server) = pair().await;
            let serving = echo(server);
            for size in [0, 10, 100_000] {
                let content = content(size + number);
                assert!(with_timeout(send_and_return(&client, content.clone())).await.unwrap() == content);
            }
            drop(client);
            with_timeout(serving).await.unwrap().unwrap();
        });
    }
    connections.join_all().await;
}
