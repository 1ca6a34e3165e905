//! Peers that break off, or that do not speak HTTP/2.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasi_http2::embed::{ErrorCode, ErrorKind, Fault, Options};

use crate::support::{PIPE, SANDBOX, get, soon};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn a_connection_that_is_cut_inside_a_frame_ends_with_that() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    peer.write_all(&[PREFACE, SETTINGS, &[0, 0, 8, 6, 0, 0, 0]].concat()).await.unwrap();
    drop(peer);
    let error = soon(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::TransportFailed, Fault::Transport));

    let (mut peer, io) = tokio::io::duplex(PIPE);
    let client = SANDBOX.client(io, &Options::new()).unwrap();
    let (response, _) = client.request(get("/"), true).await.unwrap();
    peer.write_all(&[SETTINGS, &[0, 0, 8, 6, 0, 0, 0]].concat()).await.unwrap();
    drop(peer);
    let error = soon(response).await.err().expect("no response");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::TransportFailed, Fault::Transport));
}

#[tokio::test]
async fn a_client_that_speaks_http1_is_told_from_http2() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    peer.write_all(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").await.unwrap();
    let error = soon(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::NotHttp2, Fault::Peer));
    assert!(error.to_string().contains("HTTP/1"), "{error}");
    drop(server);
    // The connection is closed, and not only given up.
    soon(peer.read_to_end(&mut Vec::new())).await.unwrap();
}

#[tokio::test]
async fn a_server_that_speaks_http1_is_told_from_http2() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let client = SANDBOX.client(io, &Options::new()).unwrap();
    let (response, _) = client.request(get("/"), true).await.unwrap();
    peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let error = soon(response).await.err().expect("no response");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::NotHttp2, Fault::Peer));
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection_with_goaway() {
    let (mut peer, io) = tokio::io::duplex(PIPE);
    let mut server = SANDBOX.server(io, &Options::new()).unwrap();
    // PING on a stream (RFC 9113, 6.7).
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    peer.write_all(&[PREFACE, SETTINGS, &ping].concat()).await.unwrap();
    let error = soon(server.accept()).await.unwrap().err().expect("an end");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::ConnectionClosed, Fault::Peer));
    assert_eq!(error.code(), Some(ErrorCode::PROTOCOL_ERROR));

    drop(server);
    let mut received = Vec::new();
    soon(peer.read_to_end(&mut received)).await.unwrap();
    // Type 7, no flags, stream 0.
    assert!(received.windows(6).any(|octets| octets == [7, 0, 0, 0, 0, 0]), "no GOAWAY: {received:?}");
}
