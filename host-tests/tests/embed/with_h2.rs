//! A sandbox on one side, and `h2` on the other.

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use http::{Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use wasi_http2::embed::{Client, ErrorCode, ErrorKind, Fault, Options};

use crate::support::{
    PIPE, SANDBOX, SIZES, content, get, post, read, send_and_return, serve, tcp, trailers, with_timeout,
};

/// Sends all of `data`, as capacity allows.
async fn send_all(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    end_of_stream: bool,
) -> Result<(), h2::Error> {
    if data.is_empty() {
        return stream.send_data(data, end_of_stream);
    }
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let Some(room) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return Ok(()) };
        let piece = data.split_to(room?.min(data.len()));
        stream.send_data(piece, end_of_stream && data.is_empty())?;
    }
    Ok(())
}

/// Reads a body to its end, and releases its capacity.
async fn read_all(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut content = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        content.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    Ok(content)
}

/// Connects a client in the sandbox to an `h2` server that echoes content and trailers.
async fn client_of_h2(
    near: impl AsyncRead + AsyncWrite + Send + 'static,
    far: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Client {
    tokio::spawn(async move {
        let mut server = h2::server::handshake(far).await?;
        while let Some(accepted) = server.accept().await {
            let (request, mut respond) = accepted?;
            tokio::spawn(async move {
                if request.uri().path() == "/hints" {
                    respond.send_informational(Response::builder().status(103).body(()).unwrap())?;
                }
                let mut sent = respond.send_response(Response::new(()), false)?;
                let mut body = request.into_body();
                while let Some(data) = body.data().await {
                    let data = data?;
                    body.flow_control().release_capacity(data.len())?;
                    send_all(&mut sent, data, false).await?;
                }
                match body.trailers().await? {
                    Some(trailers) => sent.send_trailers(trailers),
                    None => sent.send_data(Bytes::new(), true),
                }
            });
        }
        Ok::<_, h2::Error>(())
    });
    SANDBOX.client(near, &Options::new()).unwrap()
}

/// Starts an `h2` client over `io`.
async fn h2_client(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> h2::client::SendRequest<Bytes> {
    let (client, connection) = h2::client::handshake(io).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn h2_send_and_return(
    mut client: h2::client::SendRequest<Bytes>,
    content: Bytes,
) -> Result<Vec<u8>, h2::Error> {
    client = client.ready().await?;
    let (response, mut sent) = client.send_request(post("/echo"), false)?;
    let send = send_all(&mut sent, content, true);
    let receive = async { read_all(response.await?.body_mut()).await };
    let (_, received) = tokio::try_join!(send, receive)?;
    Ok(received)
}

mod as_client {
    use super::*;

    #[tokio::test]
    async fn content_is_echoed_over_memory() {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = client_of_h2(near, far).await;
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
        let client = client_of_h2(near, far).await;
        for size in SIZES {
            let content = content(size);
            assert!(
                with_timeout(send_and_return(&client, content.clone())).await.unwrap() == content,
                "{size} bytes"
            );
        }
    }

    #[tokio::test]
    async fn informational_responses_and_trailers_arrive() {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = client_of_h2(near, far).await;
        let (mut response, mut body) = client.request(post("/hints"), false).await.unwrap();
        body.send_trailers(&trailers("checksum", "none")).await.unwrap();
        let hints = with_timeout(response.informational()).await.expect("103").unwrap();
        assert_eq!(hints.status(), StatusCode::EARLY_HINTS);
        let mut response = with_timeout(response).await.unwrap();
        let trailers = with_timeout(response.body_mut().trailers()).await.unwrap().expect("trailers");
        assert_eq!(trailers["checksum"], "none");
    }

    #[tokio::test]
    async fn a_hundred_requests_run_at_once() {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = client_of_h2(near, far).await;
        let mut requests = JoinSet::new();
        for number in 0..100 {
            let client = client.clone();
            requests.spawn(async move {
                let content = content(1_000 * number);
                send_and_return(&client, content.clone()).await.unwrap() == content
            });
        }
        assert!(with_timeout(requests.join_all()).await.into_iter().all(|same| same));
    }

    #[tokio::test]
    async fn a_reset_arrives_with_its_code() {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = SANDBOX.client(near, &Options::new()).unwrap();
        let (response, _) = client.request(get("/"), true).await.unwrap();
        let mut server = h2::server::handshake(far).await.unwrap();
        let (_, mut respond) = with_timeout(server.accept()).await.unwrap().unwrap();
        respond.send_reset(h2::Reason::ENHANCE_YOUR_CALM);
        let serving = tokio::spawn(async move { while server.accept().await.is_some() {} });
        let error = with_timeout(response).await.err().expect("no response");
        assert_eq!((error.kind(), error.fault()), (ErrorKind::StreamReset, Fault::Peer));
        assert_eq!(error.code(), Some(ErrorCode::ENHANCE_YOUR_CALM));
        drop(client);
        with_timeout(serving).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_shuts_down_answers_accepted_requests() {
        let (near, far) = tokio::io::duplex(PIPE);
        let client = SANDBOX.client(near, &Options::new()).unwrap();
        let (response, _) = client.request(get("/"), true).await.unwrap();
        let mut server = h2::server::handshake(far).await.unwrap();
        let (_, mut respond) = with_timeout(server.accept()).await.unwrap().unwrap();
        server.graceful_shutdown();
        let serving = tokio::spawn(async move { while server.accept().await.is_some() {} });
        respond.send_response(Response::new(()), true).unwrap();
        assert_eq!(with_timeout(response).await.unwrap().status(), StatusCode::OK);
        with_timeout(serving).await.unwrap();
        with_timeout(client.control().closed()).await.unwrap();
        let error = client.request(get("/"), true).await.err().expect("no more requests");
        assert_eq!(error.kind(), ErrorKind::ConnectionClosed);
    }
}

mod as_server {
    use super::*;

    #[tokio::test]
    async fn content_is_echoed_over_memory() {
        let (near, far) = tokio::io::duplex(PIPE);
        serve(far).await;
        let client = h2_client(near).await;
        for size in SIZES {
            let content = content(size);
            assert!(
                with_timeout(h2_send_and_return(client.clone(), content.clone())).await.unwrap() == content,
                "{size} bytes"
            );
        }
    }

    #[tokio::test]
    async fn content_is_echoed_over_tcp() {
        let (near, far) = tcp().await;
        serve(far).await;
        let client = h2_client(near).await;
        for size in SIZES {
            let content = content(size);
            assert!(
                with_timeout(h2_send_and_return(client.clone(), content.clone())).await.unwrap() == content,
                "{size} bytes"
            );
        }
    }

    #[tokio::test]
    async fn informational_responses_and_trailers_arrive() {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut server = SANDBOX.server(far, &Options::new()).unwrap();
        let mut client = h2_client(near).await;
        let (mut response, mut body) = client.send_request(post("/"), false).unwrap();
        body.send_trailers(trailers("checksum", "none")).unwrap();

        let (mut request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
        let trailers = with_timeout(request.body_mut().trailers()).await.unwrap().expect("trailers");
        assert_eq!(trailers["checksum"], "none");
        responder.send_informational(Response::builder().status(103).body(()).unwrap()).await.unwrap();
        let hints = with_timeout(std::future::poll_fn(|cx| response.poll_informational(cx)))
            .await
            .expect("103")
            .unwrap();
        assert_eq!(hints.status(), StatusCode::EARLY_HINTS);
        responder
            .send_response(Response::new(()), false)
            .await
            .unwrap()
            .send_trailers(&trailers)
            .await
            .unwrap();
        let mut response = with_timeout(response).await.unwrap();
        assert_eq!(read_all(response.body_mut()).await.unwrap(), b"");
        assert_eq!(
            with_timeout(response.body_mut().trailers()).await.unwrap().expect("trailers")["checksum"],
            "none"
        );
    }

    #[tokio::test]
    async fn a_hundred_requests_run_at_once() {
        let (near, far) = tokio::io::duplex(PIPE);
        serve(far).await;
        let client = h2_client(near).await;
        let mut requests = JoinSet::new();
        for number in 0..100 {
            let client = client.clone();
            requests.spawn(async move {
                let content = content(1_000 * number);
                h2_send_and_return(client, content.clone()).await.unwrap() == content
            });
        }
        assert!(with_timeout(requests.join_all()).await.into_iter().all(|same| same));
    }

    #[tokio::test]
    async fn a_reset_arrives_with_its_code() {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut server = SANDBOX.server(far, &Options::new()).unwrap();
        let mut client = h2_client(near).await;
        let (_response, mut body) = client.send_request(post("/"), false).unwrap();
        let (mut request, _responder) = with_timeout(server.accept()).await.unwrap().unwrap();
        body.send_reset(h2::Reason::CANCEL);
        let error = with_timeout(request.body_mut().data()).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::StreamReset, Fault::Peer));
        assert_eq!(error.code(), Some(ErrorCode::CANCEL));
    }

    #[tokio::test]
    async fn a_server_that_shuts_down_answers_accepted_requests() {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut server = SANDBOX.server(far, &Options::new()).unwrap();
        let (mut client, connection) = h2::client::handshake(near).await.unwrap();
        let connection = tokio::spawn(connection);
        let (response, _) =
            client.send_request(Request::get("http://example.com/").body(()).unwrap(), true).unwrap();
        let (request, mut responder) = with_timeout(server.accept()).await.unwrap().unwrap();
        server.control().shutdown();
        responder
            .send_response(Response::new(()), false)
            .await
            .unwrap()
            .send_data("last words", true)
            .await
            .unwrap();
        drop((request, responder));
        assert_eq!(read_all(with_timeout(response).await.unwrap().body_mut()).await.unwrap(), b"last words");
        assert!(with_timeout(server.accept()).await.is_none());
        drop(server);
        with_timeout(connection).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn requests_fail_when_the_client_disconnects() {
        let (near, far) = tokio::io::duplex(PIPE);
        let mut server = SANDBOX.server(far, &Options::new()).unwrap();
        let (mut client, connection) = h2::client::handshake(near).await.unwrap();
        let connection = tokio::spawn(connection);
        let (_response, _body) = client.send_request(post("/"), false).unwrap();
        let (mut request, _responder) = with_timeout(server.accept()).await.unwrap().unwrap();
        connection.abort();
        let error = with_timeout(read(request.body_mut())).await.unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::TransportFailed, Fault::Transport));
        assert!(with_timeout(server.accept()).await.unwrap().is_err());
    }
}
