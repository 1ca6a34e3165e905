//! Connections as a whole: settings, PING, counters, and their end.

use http::Response;
use wasi_http2::embed::{ErrorCode, ErrorKind, Fault, Options, SettingId};

use crate::support::{
    SANDBOX, content, echo, get, pair, pair_with, post, read, send_and_return, with_timeout,
};

#[tokio::test]
async fn settings_of_both_sides_can_be_read_and_changed() {
    let options = Options::new().setting(SettingId::MAX_CONCURRENT_STREAMS, 7);
    let (client, server) = pair_with(&Options::new(), &options).await;
    let (client, server_control) = (client.control(), server.control());
    let limit = async |settings: Vec<(SettingId, u32)>| {
        settings.into_iter().find(|(id, _)| *id == SettingId::MAX_CONCURRENT_STREAMS).map(|(_, value)| value)
    };
    with_timeout(client.ping()).await.unwrap();
    assert_eq!(limit(client.peer_settings().await.unwrap()).await, Some(7));

    server_control.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 9)]).await.unwrap();
    with_timeout(server_control.ping()).await.unwrap();
    assert_eq!(limit(server_control.local_settings().await.unwrap()).await, Some(9));
    assert_eq!(limit(client.peer_settings().await.unwrap()).await, Some(9));

    let error = server_control.change_settings(&[(SettingId::MAX_FRAME_SIZE, 1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    drop(server);
}

#[tokio::test]
async fn invalid_options_are_refused() {
    let (near, _far) = tokio::io::duplex(64);
    let options = Options::new().setting(SettingId::MAX_FRAME_SIZE, 1);
    let error = SANDBOX.client(near, &options).err().expect("an error");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::InvalidArgument, Fault::Caller));
}

#[tokio::test]
async fn pings_may_overlap() {
    let (client, server) = pair().await;
    echo(server);
    let control = client.control();
    let (first, second, third) =
        with_timeout(async { tokio::join!(control.ping(), control.ping(), control.ping()) }).await;
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
}

#[tokio::test]
async fn counters_include_the_bytes_of_both_directions() {
    let (client, server) = pair().await;
    echo(server);
    with_timeout(send_and_return(&client, content(100_000))).await.unwrap();
    let stats = client.control().stats().await.unwrap();
    let bytes = |name: &str| stats.iter().find(|(stat, _)| stat == name).expect("a counter").1;
    assert!(bytes("bytes_sent") > 100_000 && bytes("bytes_received") > 100_000, "{stats:?}");
}

#[tokio::test]
async fn shutdown_completes_open_requests_and_refuses_new_ones() {
    let (client, mut server) = pair().await;
    let (response, mut body) = client.request(post("/"), false).await.unwrap();
    let (mut request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    server.control().shutdown();
    let accepting = tokio::spawn(async move { server.accept().await.is_none() });
    // The server sends GOAWAY before it acknowledges this PING.
    with_timeout(client.control().ping()).await.unwrap();
    let refused = with_timeout(client.request(get("/"), true)).await.err().expect("no more requests");
    assert_eq!(refused.kind(), ErrorKind::ConnectionClosed);
    assert!(refused.is_retryable());

    body.send_data("to the end", true).await.unwrap();
    assert_eq!(with_timeout(read(request.body_mut())).await.unwrap(), b"to the end");
    responder.send_response(Response::new(()), true).await.unwrap();
    assert_eq!(with_timeout(response).await.unwrap().status(), 200);
    drop((request, responder, body));
    assert!(with_timeout(accepting).await.unwrap());
    with_timeout(client.control().closed()).await.unwrap();
}

#[tokio::test]
async fn dropping_the_last_client_completes_open_requests() {
    let (client, server) = pair().await;
    let serving = echo(server);
    let (response, mut body) = client.request(post("/"), false).await.unwrap();
    let control = client.control();
    drop(client);
    body.send_data("content", true).await.unwrap();
    let mut response = with_timeout(response).await.unwrap();
    assert_eq!(with_timeout(read(response.body_mut())).await.unwrap(), b"content");
    drop((response, body));
    with_timeout(control.closed()).await.unwrap();
    with_timeout(serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn dropping_the_server_refuses_requests_it_has_not_accepted() {
    let (client, mut server) = pair().await;
    let (first, _) = client.request(get("/first"), true).await.unwrap();
    let (_, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    let (second, _) = client.request(get("/second"), true).await.unwrap();
    with_timeout(client.control().ping()).await.unwrap();
    drop(server);
    responder.send_response(Response::new(()), true).await.unwrap();
    assert_eq!(with_timeout(first).await.unwrap().status(), 200);
    let error = with_timeout(second).await.err().expect("no response");
    assert_eq!(error.code(), Some(ErrorCode::REFUSED_STREAM));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn abort_ends_all_streams_with_code_and_debug_data() {
    let (client, mut server) = pair().await;
    let (response, _) = client.request(get("/"), true).await.unwrap();
    let (_request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
    server.control().abort(ErrorCode::INADEQUATE_SECURITY, "not like this");

    let error = with_timeout(response).await.err().expect("no response");
    assert_eq!(error.code(), Some(ErrorCode::INADEQUATE_SECURITY));
    let error = with_timeout(client.control().closed()).await.unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::ConnectionClosed, Fault::Peer));
    assert!(error.to_string().contains("not like this"), "{error}");

    let error = with_timeout(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::ConnectionClosed, Fault::Caller));
    assert!(responder.send_response(Response::new(()), true).await.is_err());
}
