//! A client and a server over an in-memory transport.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http2_tokio::client::{self, SendRequest};
use http2_tokio::server::{self, Respond};
use http2_tokio::{
    Config, ConnectionError, Error, ErrorCode, Initiator, OpenError, Priority, Protocol, RecvStream,
    SendError, SettingId, Tunnel, Violation,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

#[allow(unused_qualifications, reason = "the doc tests include it without imports")]
mod pair {
    include!("doc/pair.rs");
}
use pair::{echo, pair};

type Server = server::Connection<DuplexStream>;

/// Runs a test that must not hang.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("the test hangs")
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://localhost{path}")).body(()).unwrap()
}

fn post(path: &str) -> Request<()> {
    Request::post(format!("http://localhost{path}")).body(()).unwrap()
}

/// A client and a server with these configurations.
fn configured(client: Config, server: Config) -> (SendRequest, Server) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (client, connection) = client::handshake(ours, client).unwrap();
    tokio::spawn(connection);
    (client, server::handshake(theirs, server).unwrap())
}

/// Returns the next request, and runs the connection in the background from then on.
async fn accept_one(mut server: Server) -> (Request<RecvStream>, Respond) {
    let request = soon(server.accept()).await.unwrap().unwrap();
    tokio::spawn(async move { while let Some(Ok(_)) = server.accept().await {} });
    request
}

async fn read_all(body: &mut RecvStream) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(data) = soon(body.data()).await {
        content.extend_from_slice(&data.unwrap());
    }
    content
}

#[tokio::test]
async fn content_and_trailers_go_both_ways() {
    let (mut client, server) = pair().unwrap();
    tokio::spawn(echo(server));
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    content.send("first".into()).await.unwrap();
    content.send("second".into()).await.unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("0123"));
    content.send_trailers(&trailers).unwrap();

    let response = soon(response).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    assert_eq!(read_all(&mut body).await, b"firstsecond");
    assert!(!body.is_end_stream(), "the trailers are left");
    assert_eq!(soon(body.trailers()).await.unwrap(), Some(trailers));
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_thousand_requests_wait_for_a_limit_of_ten() {
    let mut config = Config::default();
    config.max_concurrent_streams = 10;
    let mut ours = Config::default();
    ours.waiting_streams = 5;
    let (client, server) = configured(ours, config);
    tokio::spawn(echo(server));
    // Until the limit is known, a client may send more, and is refused.
    soon(client.control().peer_settings()).await.unwrap();
    let requests = (0..1_000).map(|number| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let (response, mut content) = loop {
                client.ready().await.unwrap();
                match client.send_request(post(&format!("/{number}")), false) {
                    // Another task was faster.
                    Err(Error::Open(OpenError::WouldBlock)) => {}
                    result => break result.unwrap(),
                }
            };
            content.send_data(number.to_string().into(), true).unwrap();
            let mut body = response.await.unwrap().into_body();
            assert_eq!(read_all(&mut body).await, number.to_string().as_bytes());
        })
    });
    for request in requests.collect::<Vec<_>>() {
        soon(request).await.unwrap();
    }
}

#[tokio::test]
async fn large_content_waits_for_windows() {
    let (mut client, server) = pair().unwrap();
    tokio::spawn(echo(server));
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    let sending = tokio::spawn(async move {
        let data = Bytes::from(vec![7; 20_000_000]);
        content.send(data).await.unwrap();
        content.finish().unwrap();
    });
    let mut body = soon(response).await.unwrap().into_body();
    let mut length = 0;
    while let Some(data) = soon(body.data()).await {
        length += data.unwrap().len();
    }
    assert_eq!(length, 20_000_000);
    soon(sending).await.unwrap();
}

#[tokio::test]
async fn capacity_is_the_window_and_send_data_may_exceed_it() {
    let mut config = Config::default();
    config.initial_window_size = 1_000;
    let (mut client, server) = configured(Config::default(), config);
    let control = client.control();
    let running = tokio::spawn(accept_one(server));
    soon(control.peer_settings()).await.unwrap();
    let (_response, mut content) = client.send_request(post("/"), false).unwrap();
    assert_eq!(content.capacity(), 1_000);
    content.send_data(Bytes::from(vec![0; 1_500]), false).unwrap();
    assert_eq!(content.capacity(), 0);
    let waits = poll_fn(|cx| Poll::Ready(content.poll_capacity(cx).is_pending())).await;
    assert!(waits);
    let (request, _respond) = soon(running).await.unwrap();
    let mut body = request.into_body();
    let mut received = 0;
    while received < 1_500 {
        received += soon(body.data()).await.unwrap().unwrap().len();
    }
    assert!(soon(poll_fn(|cx| content.poll_capacity(cx))).await.unwrap() > 0);
}

#[tokio::test]
async fn copies_wait_until_earlier_ones_are_written() {
    let (mut client, server) = configured(Config::default(), Config::default());
    let control = client.control();
    let running = tokio::spawn(accept_one(server));
    soon(control.peer_settings()).await.unwrap();
    let (_response, mut content) = client.send_request(post("/"), false).unwrap();
    let (_other_response, other) = client.send_request(post("/"), false).unwrap();
    content.send_copy(&mut &[7; 100_000][..], false).unwrap();
    assert!(content.capacity() > 0 && other.capacity() > 0);
    content.send_copy(&mut &[7; 100_000][..], false).unwrap();
    assert_eq!((content.capacity(), other.capacity()), (0, 0));
    // The peer has read nothing.
    let _request = soon(running).await.unwrap();
    assert!(soon(poll_fn(|cx| content.poll_capacity(cx))).await.unwrap() > 0);
}

#[tokio::test]
async fn copies_without_a_window_do_not_hold_up_other_streams() {
    let mut config = Config::default();
    config.initial_window_size = 1_000;
    let (mut client, mut server) = configured(Config::default(), config);
    tokio::spawn(async move {
        let mut unread = Vec::new();
        while let Some(Ok(request)) = server.accept().await {
            unread.push(request);
        }
    });
    let control = client.control();
    soon(control.peer_settings()).await.unwrap();
    let (_response, mut content) = client.send_request(post("/"), false).unwrap();
    let (_other_response, other) = client.send_request(post("/"), false).unwrap();
    content.send_copy(&mut &[7; 2_000][..], false).unwrap();
    soon(control.ping().unwrap()).await.unwrap();
    // The stream has used up its window.
    content.send_copy(&mut &[7; 200_000][..], false).unwrap();
    assert_eq!((content.capacity(), other.capacity()), (0, 1_000));
}

#[tokio::test]
async fn streams_that_copy_take_turns() {
    const PIECES: usize = 20;
    let piece = [7; 50_000];
    let (mut client, server) = configured(Config::default(), Config::default());
    tokio::spawn(echo(server));
    let mut sending = Vec::new();
    for _ in 0..20 {
        soon(client.ready()).await.unwrap();
        let (response, mut content) = client.send_request(post("/"), false).unwrap();
        sending.push(tokio::spawn(async move {
            let mut body = response.await.unwrap().into_body();
            let reading = tokio::spawn(async move { read_all(&mut body).await.len() });
            for _ in 0..PIECES {
                poll_fn(|cx| content.poll_capacity(cx)).await.unwrap();
                content.send_copy(&mut &piece[..], false).unwrap();
            }
            content.finish().unwrap();
            reading.await.unwrap()
        }));
    }
    for stream in sending {
        assert_eq!(soon(stream).await.unwrap(), PIECES * piece.len());
    }
}

#[tokio::test]
async fn the_caller_can_hold_back_credit() {
    let mut config = Config::default();
    config.initial_window_size = 10_000;
    config.stream_window_max = 10_000;
    let (mut client, server) = configured(Config::default(), config);
    soon(async {
        let running = tokio::spawn(accept_one(server));
        client.control().peer_settings().await.unwrap();
        let (_response, mut content) = client.send_request(post("/"), false).unwrap();
        content.send_data(Bytes::from(vec![0; 15_000]), true).unwrap();
        let mut body = running.await.unwrap().0.into_body();
        let mut window = body.flow_control();
        let mut received = 0;
        while received < 10_000 {
            received += body.data().await.unwrap().unwrap().len();
        }
        assert_eq!((window.used_capacity(), window.available_capacity()), (10_000, 0));
        assert!(matches!(window.release_capacity(10_001), Err(Error::ReleasedTooMuch)));
        window.release_capacity(10_000).unwrap();
        assert_eq!(read_all(&mut body).await.len(), 5_000);
    })
    .await;
}

#[tokio::test]
async fn dropped_content_occupies_no_window_of_the_connection() {
    let mut config = Config::default();
    config.connection_window = 65_535;
    config.connection_window_max = 65_535;
    config.initial_window_size = 65_535;
    config.stream_window_max = 65_535;
    let (mut client, mut server) = configured(Config::default(), config);
    soon(async {
        let serving = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Some(request) = server.accept().await {
                let (request, respond) = request.unwrap();
                if request.uri().path() == "/unread" {
                    // Only the sending half is kept.
                    held.push(respond);
                } else {
                    tokio::spawn(async move {
                        let mut body = request.into_body();
                        let length = read_all(&mut body).await.len();
                        respond.respond(Response::new(length.to_string().into())).unwrap();
                    });
                }
            }
        });
        client.control().peer_settings().await.unwrap();
        let (_unread, mut content) = client.send_request(post("/unread"), false).unwrap();
        content.send_data(Bytes::from(vec![0; 65_535]), false).unwrap();
        for _ in 0..5 {
            let (response, mut content) = client.send_request(post("/"), false).unwrap();
            content.send(Bytes::from(vec![0; 200_000])).await.unwrap();
            content.finish().unwrap();
            let mut body = response.await.unwrap().into_body();
            assert_eq!(read_all(&mut body).await, b"200000");
        }
        serving.abort();
    })
    .await;
}

#[tokio::test]
async fn informational_responses_precede_the_final_one() {
    let (mut client, server) = pair().unwrap();
    let running = tokio::spawn(accept_one(server));
    let (mut response, _) = client.send_request(get("/"), true).unwrap();
    let (_, mut respond) = soon(running).await.unwrap();
    for status in [100, 103] {
        let hints = Response::builder().status(status).header("link", "</style.css>").body(()).unwrap();
        respond.send_informational(hints).unwrap();
    }
    assert!(matches!(
        respond.send_informational(Response::new(())),
        Err(Error::Send(SendError::Malformed(_)))
    ));
    respond.send_response(Response::new(()), true).unwrap();
    assert!(matches!(respond.send_response(Response::new(()), true), Err(Error::Send(_))));
    let mut statuses = Vec::new();
    while let Some(head) = soon(poll_fn(|cx| response.poll_informational(cx))).await {
        statuses.push(head.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [100, 103]);
    assert_eq!(soon(response).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_pushes() {
    let mut config = Config::default();
    config.enable_push = true;
    let (mut client, server) = configured(config, Config::default());
    let running = tokio::spawn(accept_one(server));
    let (response, _) = client.send_request(get("/page"), true).unwrap();
    let (_, mut respond) = soon(running).await.unwrap();
    let mut pushed = respond.push_request(get("/style.css")).unwrap();
    let refused = respond.push_request(post("/style.css")).unwrap_err();
    assert!(matches!(refused, Error::Open(OpenError::Promise)), "{refused:?}");
    respond.send_response(Response::new(()), true).unwrap();
    pushed.send_response(Response::new(()), false).unwrap().send_data("style".into(), true).unwrap();

    let mut pushes = response.pushes().unwrap();
    soon(response).await.unwrap();
    let push = soon(pushes.push()).await.unwrap().unwrap();
    assert_eq!(push.request.uri().path(), "/style.css");
    let mut body = soon(push.response).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await, b"style");
    assert!(soon(pushes.push()).await.is_none());
}

#[tokio::test]
async fn push_is_refused_to_a_client_that_has_disabled_it() {
    let (mut client, server) = pair().unwrap();
    let running = tokio::spawn(accept_one(server));
    let _response = client.send_request(get("/page"), true).unwrap();
    let (_, mut respond) = soon(running).await.unwrap();
    let refused = respond.push_request(get("/style.css")).unwrap_err();
    assert!(matches!(refused, Error::Open(OpenError::PushDisabled)), "{refused:?}");
}

#[tokio::test]
async fn extended_connect_is_a_byte_stream() {
    let mut config = Config::default();
    config.enable_connect_protocol = true;
    let (mut client, server) = configured(Config::default(), config);
    let running = tokio::spawn(async move {
        let (request, mut respond) = accept_one(server).await;
        assert_eq!(request.extensions().get(), Some(&Protocol::from_static("websocket")));
        let send = respond.send_response(Response::new(()), false).unwrap();
        let mut tunnel = Tunnel::new(send, request.into_body());
        let mut received = vec![0; 3_000_000];
        tunnel.read_exact(&mut received).await.unwrap();
        tunnel.write_all(&received).await.unwrap();
        tunnel.shutdown().await.unwrap();
        let rest = tunnel.read_u8().await.unwrap_err();
        assert_eq!(rest.kind(), io::ErrorKind::UnexpectedEof, "the client has ended, too");
    });
    let settings = soon(client.control().peer_settings()).await.unwrap();
    assert!(settings.enable_connect_protocol);
    let mut request = Request::connect("http://localhost/chat").body(()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let (response, send) = client.send_request(request, false).unwrap();
    let tunnel = Tunnel::new(send, soon(response).await.unwrap().into_body());
    let (mut reader, mut writer) = tokio::io::split(tunnel);
    let writing = tokio::spawn(async move {
        writer.write_all(&[3; 3_000_000]).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    soon(reader.read_to_end(&mut received)).await.unwrap();
    assert_eq!(received, [3; 3_000_000]);
    soon(writing).await.unwrap();
    soon(running).await.unwrap();
}

#[tokio::test]
async fn a_reset_reaches_every_handle_of_the_other_side() {
    let (mut client, server) = pair().unwrap();
    let running = tokio::spawn(accept_one(server));
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    let (request, mut respond) = soon(running).await.unwrap();
    respond.reset(ErrorCode::REFUSED_STREAM);
    let reset = soon(poll_fn(|cx| content.poll_reset(cx))).await.unwrap();
    assert_eq!((reset.code, reset.initiator), (ErrorCode::REFUSED_STREAM, Initiator::Peer));
    let error = soon(response).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.code(), Some(ErrorCode::REFUSED_STREAM));
    let error = content.send_data("late".into(), true).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::REFUSED_STREAM));

    // The resetting side sees its own code.
    let error = soon(request.into_body().data()).await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.initiator()), (Some(ErrorCode::REFUSED_STREAM), Some(Initiator::Local)));
}

#[tokio::test]
async fn dropping_all_handles_cancels_the_request() {
    let (mut client, server) = pair().unwrap();
    let running = tokio::spawn(accept_one(server));
    let (response, content) = client.send_request(post("/"), false).unwrap();
    let (_request, mut respond) = soon(running).await.unwrap();
    drop(response);
    let waits = poll_fn(|cx| Poll::Ready(respond.poll_reset(cx).is_pending())).await;
    assert!(waits, "one handle is left");
    drop(content);
    let reset = soon(poll_fn(|cx| respond.poll_reset(cx))).await.unwrap();
    assert_eq!(reset.code, ErrorCode::CANCEL);
}

#[tokio::test]
async fn the_connection_ends_with_the_last_handle() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (mut client, connection) = client::handshake(ours, Config::default()).unwrap();
    let running = tokio::spawn(connection);
    tokio::spawn(echo(server::handshake(theirs, Config::default()).unwrap()));
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    drop(client);
    content.send_data("still served".into(), true).unwrap();
    let mut body = soon(response).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await, b"still served");
    assert!(!running.is_finished(), "handles of the stream are left");
    drop((body, content));
    soon(running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_graceful_shutdown_finishes_what_has_begun() {
    let (mut client, server) = pair().unwrap();
    let control = server.control();
    let running = tokio::spawn(accept_one(server));
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    let (request, respond) = soon(running).await.unwrap();
    control.shutdown();
    while client.is_open() {
        tokio::task::yield_now().await;
    }
    let error = client.send_request(get("/late"), true).unwrap_err();
    assert!(matches!(&error, Error::GoAway(_)) && error.is_retryable(), "{error:?}");
    content.send_data("content".into(), true).unwrap();
    let mut body = request.into_body();
    assert_eq!(read_all(&mut body).await, b"content");
    respond.respond(Response::new("done".into())).unwrap();
    let mut body = soon(response).await.unwrap().into_body();
    assert_eq!(read_all(&mut body).await, b"done");
    soon(control.closed()).await.unwrap();
}

#[tokio::test]
async fn abort_tells_the_peer_why() {
    let (mut client, server) = pair().unwrap();
    let control = server.control();
    let running = tokio::spawn(accept_one(server));
    let (response, _content) = client.send_request(post("/"), false).unwrap();
    let _request = soon(running).await.unwrap();
    control.abort(ErrorCode::INADEQUATE_SECURITY, b"no");
    let error = soon(response).await.unwrap_err();
    assert_eq!(
        (error.code(), error.initiator()),
        (Some(ErrorCode::INADEQUATE_SECURITY), Some(Initiator::Peer))
    );
    assert_eq!(error.to_string(), "the peer ended the connection with INADEQUATE_SECURITY: no");
}

/// A transport whose reads or writes fail with this error once it is set.
struct Failing<T> {
    io: T,
    read: Option<io::ErrorKind>,
    write: Option<io::ErrorKind>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Failing<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.read {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => Pin::new(&mut self.io).poll_read(cx, buffer),
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Failing<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.write {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => Pin::new(&mut self.io).poll_write(cx, data),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_failing_transport_is_the_error_of_everything() {
    let kinds = [(Some(io::ErrorKind::ConnectionReset), None), (None, Some(io::ErrorKind::BrokenPipe))];
    for (read, write) in kinds {
        let (io, _open) = tokio::io::duplex(1 << 16);
        let (mut client, connection) =
            client::handshake(Failing { io, read, write }, Config::default()).unwrap();
        let (response, mut content) = client.send_request(post("/"), false).unwrap();
        let running = tokio::spawn(connection);
        let errors = [
            soon(response).await.unwrap_err(),
            soon(poll_fn(|cx| content.poll_reset(cx))).await.unwrap_err(),
            soon(running).await.unwrap().unwrap_err(),
            client.send_request(get("/"), true).unwrap_err(),
            soon(client.ready()).await.unwrap_err(),
        ];
        for error in errors {
            let kind = error.io().unwrap_or_else(|| panic!("{error:?}")).kind();
            assert_eq!(Some(kind), read.or(write));
        }
    }
}

#[tokio::test]
async fn a_transport_that_ends_in_the_midst_is_an_error() {
    let (mut client, mut server) = pair().unwrap();
    let (response, _content) = client.send_request(post("/"), false).unwrap();
    let _request = soon(server.accept()).await.unwrap().unwrap();
    // Until the client has nothing left to write.
    let mut pong = client.control().ping().unwrap();
    soon(poll_fn(|cx| {
        let _ = Box::pin(server.accept()).as_mut().poll(cx);
        Pin::new(&mut pong).poll(cx)
    }))
    .await
    .unwrap();
    drop(server);
    let error = soon(response).await.unwrap_err();
    let ended = ConnectionError::TransportEnded { inside_frame: false };
    assert!(matches!(&error, Error::Connection(reason) if *reason == ended), "{error:?}");
}

#[tokio::test]
async fn a_dropped_connection_fails_its_handles() {
    let (ours, _theirs) = tokio::io::duplex(1 << 16);
    let (mut client, connection) = client::handshake(ours, Config::default()).unwrap();
    let (response, mut content) = client.send_request(post("/"), false).unwrap();
    let pong = client.control().ping().unwrap();
    drop(connection);
    assert!(matches!(soon(response).await, Err(Error::Dropped)));
    assert!(matches!(soon(pong).await, Err(Error::Dropped)));
    assert!(content.send_data("late".into(), false).is_err());
    assert!(matches!(soon(client.ready()).await, Err(Error::Dropped)));
}

#[tokio::test]
async fn a_violation_by_the_peer_is_told_to_both() {
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let mut server = server::handshake(theirs, Config::default()).unwrap();
    // A WINDOW_UPDATE of 0 on the connection, after preface and SETTINGS.
    ours.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x04\x08\0\0\0\0\0\0\0\0\0")
        .await
        .unwrap();
    let error = soon(server.accept()).await.unwrap().unwrap_err();
    let Error::Connection(ConnectionError::Violation(violation)) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*violation, Violation::ZeroConnectionIncrement);
    assert_eq!(error.initiator(), Some(Initiator::Local));
    let mut sent = Vec::new();
    soon(ours.read_to_end(&mut sent)).await.unwrap();
    assert!(sent.windows(9).any(|window| window[3] == 7 && window[..3] == [0, 0, 44]), "GOAWAY: {sent:?}");
}

#[tokio::test]
async fn an_error_is_returned_once() {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let mut server = server::handshake(theirs, Config::default()).unwrap();
    drop(ours);
    assert!(soon(server.accept()).await.unwrap().is_err());
    assert!(soon(server.accept()).await.is_none());
    assert!(soon(server.accept()).await.is_none());
}

#[tokio::test]
async fn an_http1_client_gets_an_answer_that_it_understands() {
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let mut server = server::handshake(theirs, Config::default()).unwrap();
    ours.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let error = soon(server.accept()).await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Connection(ConnectionError::NotHttp2)), "{error:?}");
    let mut answer = String::new();
    soon(ours.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 505 ") && answer.ends_with("prior knowledge only."), "{answer}");
}

#[tokio::test]
async fn settings_change_at_runtime() {
    let (client, server) = pair().unwrap();
    let control = server.control();
    tokio::spawn(echo(server));
    soon(client.control().peer_settings()).await.unwrap();
    control.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 7)]).unwrap();
    while control.local_settings().max_concurrent_streams != Some(7) {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.control().current_peer_settings().max_concurrent_streams, Some(7));
    let refused = control.change_settings(&[(SettingId::ENABLE_PUSH, 1)]).unwrap_err();
    assert!(matches!(refused, Error::Config(_)));
}

#[tokio::test]
async fn priorities_reach_the_server() {
    let (mut client, server) = pair().unwrap();
    let running = tokio::spawn(accept_one(server));
    let (mut response, _) = client.send_request(get("/"), true).unwrap();
    response.set_priority(Priority::new(1, true)).unwrap();
    let (_request, mut respond) = soon(running).await.unwrap();
    respond.set_priority(Priority::new(2, false)).unwrap();
    respond.send_response(Response::new(()), true).unwrap();
    assert_eq!(soon(response).await.unwrap().status(), 200);
}

#[tokio::test]
async fn deadlines_pass_by_the_runtime_s_clock() {
    let (_ours, theirs) = tokio::io::duplex(1 << 16);
    let timeout = Duration::from_millis(50);
    let mut config = Config::default();
    config.preface_timeout = Some(timeout);
    let start = tokio::time::Instant::now();
    let mut server = server::handshake(theirs, config).unwrap();
    let error = soon(server.accept()).await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ENHANCE_YOUR_CALM), "no preface: {error}");
    assert!(start.elapsed() >= timeout);
}

#[tokio::test]
async fn misuse_is_an_error() {
    let (mut client, server) = pair().unwrap();
    tokio::spawn(echo(server));
    let relative = Request::get("/no-authority").body(()).unwrap();
    assert!(matches!(client.send_request(relative, true), Err(Error::Open(OpenError::Malformed(_)))));
    let mut upgrade = get("/");
    upgrade.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    assert!(matches!(client.send_request(upgrade, true), Err(Error::Open(OpenError::Malformed(_)))));

    let (_response, mut content) = client.send_request(post("/"), false).unwrap();
    content.finish().unwrap();
    let ended = content.send_data("more".into(), false).unwrap_err();
    assert!(matches!(ended, Error::Send(SendError::MessageEnded)), "{ended:?}");
    let ended = soon(poll_fn(|cx| content.poll_capacity(cx))).await.unwrap_err();
    assert!(matches!(ended, Error::Send(SendError::MessageEnded)), "{ended:?}");

    let mut config = Config::default();
    config.max_frame_size = 1;
    let (io, _) = tokio::io::duplex(1);
    assert!(matches!(client::handshake(io, config), Err(Error::Config(_))));

    let mut sized = post("/");
    sized.headers_mut().insert("content-length", HeaderValue::from_static("3"));
    assert_eq!(*sized.method(), Method::POST);
    let (_response, mut content) = client.send_request(sized, false).unwrap();
    let too_much = content.send_data("four".into(), true).unwrap_err();
    assert!(matches!(too_much, Error::Send(SendError::Malformed(_))), "{too_much:?}");
}

/// Handles are used from any thread, and connections are spawned on any.
#[test]
fn handles_and_connections_are_send() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<client::Connection<DuplexStream>>();
    send::<server::Connection<DuplexStream>>();
    send::<client::ResponseFuture>();
    send::<http2_tokio::SendStream>();
    send::<RecvStream>();
    send::<Respond>();
    sync::<SendRequest>();
    sync::<http2_tokio::Control>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn handles_work_from_many_threads() {
    let (ours, theirs) = tokio::io::duplex(10_000);
    let (client, connection) = client::handshake(ours, Config::default()).unwrap();
    tokio::spawn(connection);
    let mut server = server::handshake(theirs, Config::default()).unwrap();
    tokio::spawn(async move {
        while let Some(Ok((request, mut respond))) = server.accept().await {
            tokio::spawn(async move {
                let mut body = request.into_body();
                let mut content = respond.send_response(Response::new(()), false).unwrap();
                while let Some(data) = body.data().await {
                    content.send(data.unwrap()).await.unwrap();
                }
                content.finish().unwrap();
            });
        }
    });
    let tasks = (0..50).map(|number: usize| {
        let mut client = client.clone();
        tokio::spawn(async move {
            for round in 0..40 {
                let length = number * 997 + round * 31;
                let (response, mut content) = client.send_request(post("/"), false).unwrap();
                let sending = tokio::spawn(async move {
                    content.send(vec![1; length].into()).await.unwrap();
                    content.finish().unwrap();
                });
                let mut body = soon(response).await.unwrap().into_body();
                assert_eq!(read_all(&mut body).await.len(), length);
                soon(sending).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        tokio::time::timeout(Duration::from_secs(60), task).await.expect("the test hangs").unwrap();
    }
}
