//! Peers that disconnect in the middle of a frame, or that violate the protocol.

use http2_test_support::{OK, PREFACE, data, flag, frame, headers, kind, ping, settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasi_http2::embed::{ErrorCode, ErrorKind, Fault, Options};

use crate::support::{PIPE, SANDBOX, get, read, with_timeout};

/// A PING frame that lacks its last 10 bytes.
fn cut_ping() -> Vec<u8> {
    ping([0; 8])[..7].to_vec()
}

#[tokio::test]
async fn a_connection_cut_inside_a_frame_ends_with_a_transport_error() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    peer.write_all(&[PREFACE, &settings(&[]), &cut_ping()].concat()).await.unwrap();
    drop(peer);
    let error = with_timeout(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::TransportFailed, Fault::Transport));

    let (mut peer, io) = tokio::io::duplex(PIPE);
    let client = SANDBOX.client(io, &Options::new()).unwrap();
    let (response, _) = client.request(get("/"), true).await.unwrap();
    peer.write_all(&[settings(&[]), cut_ping()].concat()).await.unwrap();
    drop(peer);
    let error = with_timeout(response).await.err().expect("no response");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::TransportFailed, Fault::Transport));
}

#[tokio::test]
async fn a_response_is_read_to_its_end_after_the_server_stops_reading() {
    let (mut requests, writer) = tokio::io::duplex(PIPE);
    let (mut responses, reader) = tokio::io::duplex(PIPE);
    let client = SANDBOX.client(tokio::io::join(reader, writer), &Options::new()).unwrap();
    let (response, _) = client.request(get("/"), true).await.unwrap();
    responses.write_all(&settings(&[])).await.unwrap();
    // HEADERS on stream 1, with END_STREAM and END_HEADERS.
    let mut received = Vec::new();
    while !received.windows(6).any(|octets| octets == [1, 5, 0, 0, 0, 1]) {
        assert_ne!(with_timeout(requests.read_buf(&mut received)).await.unwrap(), 0, "no request");
    }
    drop(requests);
    // Each of these PINGs has to be acknowledged, but the acknowledgement cannot be written.
    for _ in 0..10 {
        responses.write_all(&ping(*b"12345678")).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(client.request(get("/"), true).await.is_err(), "the request cannot be sent");
    responses.write_all(&headers(1, 0, OK)).await.unwrap();
    for flags in [0, 0, flag::END_STREAM] {
        responses.write_all(&data(1, flags, &[b'x'; 0x4000])).await.unwrap();
    }
    let mut response = with_timeout(response).await.unwrap();
    assert_eq!(with_timeout(read(response.body_mut())).await.unwrap(), [b'x'; 3 * 0x4000]);
}

#[tokio::test]
async fn an_http1_client_is_detected() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").await.unwrap();
    let error = with_timeout(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::NotHttp2, Fault::Peer));
    assert!(error.to_string().contains("HTTP/1"), "{error}");
    drop(server);
    // The connection must be closed, not just abandoned.
    with_timeout(peer.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn an_http1_server_is_detected() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let client = SANDBOX.client(io, &Options::new()).unwrap();
    let (response, _) = client.request(get("/"), true).await.unwrap();
    peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let error = with_timeout(response).await.err().expect("no response");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::NotHttp2, Fault::Peer));
}

#[tokio::test]
async fn a_protocol_violation_ends_the_connection_with_goaway() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    // A PING on a stream (RFC 9113, 6.7).
    let ping = frame(kind::PING, 0, 1, b"12345678");
    peer.write_all(&[PREFACE, &settings(&[]), &ping].concat()).await.unwrap();
    let error = with_timeout(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::ConnectionClosed, Fault::Peer));
    assert_eq!(error.code(), Some(ErrorCode::PROTOCOL_ERROR));

    drop(server);
    let mut received = Vec::new();
    with_timeout(peer.read_to_end(&mut received)).await.unwrap();
    // Type 7, no flags, stream 0.
    assert!(received.windows(6).any(|octets| octets == [7, 0, 0, 0, 0, 0]), "no GOAWAY: {received:?}");
}
