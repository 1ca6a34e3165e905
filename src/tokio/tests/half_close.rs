//! Clients that end their direction of the transport, and wait for the answers.

use std::future::{Future, poll_fn};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http2_engine::{Connection, Event, FieldSection, Read, StreamId, Time};
use http2_tokio::{Config, ConnectionError, Error, Initiator, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};

type Server = server::Connection<DuplexStream>;

/// Runs a test that must not hang.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("the test hangs")
}

/// A client's engine, and its output that opens a stream for each path; only every second request is complete.
fn requests(paths: &[&str]) -> (Connection, Vec<u8>) {
    let mut client = Connection::client(Config::default()).unwrap();
    for (number, path) in paths.iter().enumerate() {
        let head = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", *path)];
        client.open(&FieldSection::from_iter(head), number % 2 == 0).unwrap();
    }
    let mut output = Vec::new();
    while client.poll_transmit(Time::default(), &mut output, usize::MAX) > 0 {}
    (client, output)
}

/// A server whose client has sent all of its requests, and ended its direction.
async fn half_closed(paths: &[&str], config: Config) -> (Connection, DuplexStream, Server) {
    let (mut near, far) = tokio::io::duplex(1 << 20);
    let (client, output) = requests(paths);
    near.write_all(&output).await.unwrap();
    near.shutdown().await.unwrap();
    (client, near, server::handshake(far, config).unwrap())
}

/// Reads everything that the server sends, and returns the content of its responses.
async fn answers(mut client: Connection, mut io: DuplexStream) -> Vec<(u32, Vec<u8>)> {
    let mut input = Vec::new();
    soon(io.read_to_end(&mut input)).await.unwrap();
    let mut input = Bytes::from(input);
    while client.recv(Time::default(), &mut input) > 0 {}
    let mut answers = Vec::new();
    while let Some(event) = client.poll_event() {
        let Event::Response { id, .. } = event else { continue };
        answers.push((id.as_u32(), content(&mut client, id)));
    }
    answers
}

fn content(client: &mut Connection, id: StreamId) -> Vec<u8> {
    let mut content = Vec::new();
    while let Ok(Read::Data(piece)) = client.read(id, usize::MAX) {
        content.extend_from_slice(&piece);
    }
    content
}

#[tokio::test]
async fn complete_requests_are_answered_and_incomplete_ones_fail() {
    let (client, io, mut server) = half_closed(&["/1", "/3", "/5"], Config::default()).await;
    let served = tokio::spawn(async move {
        while let Some(request) = server.accept().await {
            let (mut request, respond) = request?;
            tokio::spawn(async move {
                // The server knows of the end by then.
                tokio::time::sleep(Duration::from_millis(50)).await;
                match request.body_mut().data().await {
                    None => respond.respond(Response::new(request.uri().path().to_owned().into())).unwrap(),
                    data => {
                        let error = data.unwrap().unwrap_err();
                        assert_eq!(error.initiator(), Some(Initiator::Transport), "{error}");
                        assert_eq!(request.uri().path(), "/3");
                    }
                }
            });
        }
        Ok::<_, Error>(())
    });
    assert_eq!(answers(client, io).await, [(1, b"/1".to_vec()), (5, b"/5".to_vec())]);
    soon(served).await.unwrap().unwrap();
}

#[tokio::test]
async fn half_close_ends_the_connection_if_the_caller_wants_that() {
    let mut config = Config::default();
    config.half_close = false;
    let (client, io, mut server) = half_closed(&["/"], config).await;
    let served = tokio::spawn(async move {
        let (_request, _respond) = server.accept().await.unwrap()?;
        server.accept().await.map_or(Ok(()), |end| end.map(drop))
    });
    assert!(answers(client, io).await.is_empty());
    let error = soon(served).await.unwrap().unwrap_err();
    let ended = ConnectionError::TransportEnded { inside_frame: false };
    assert!(matches!(&error, Error::Connection(reason) if *reason == ended), "{error}");
}

/// The windows cannot grow any more, so that an answer beyond them never ends.
#[tokio::test]
async fn answer_beyond_the_windows_is_given_up() {
    let mut config = Config::default();
    config.drain_timeout = Some(Duration::from_millis(200));
    let (_client, _io, mut server) = half_closed(&["/"], config).await;
    let (_request, respond) = soon(server.accept()).await.unwrap().unwrap();
    respond.respond(Response::new(vec![0; 1_000_000].into())).unwrap();
    let end = soon(server.accept()).await.unwrap().err();
    assert!(matches!(end, Some(Error::Connection(ConnectionError::DrainTimeout))), "{end:?}");
}

/// The transport of a client that is gone looks half-closed at first.
#[tokio::test]
async fn client_that_is_gone_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    socket.write_all(&requests(&["/"]).1).await.unwrap();
    let mut server = server::handshake(listener.accept().await.unwrap().0, Config::default()).unwrap();
    let (_request, mut respond) = soon(server.accept()).await.unwrap().unwrap();
    let served = tokio::spawn(async move { while let Some(Ok(_)) = server.accept().await {} });
    // Everything is read, so that the end is no reset.
    let mut buffer = [0; 1_000];
    while tokio::time::timeout(Duration::from_millis(100), socket.read(&mut buffer)).await.is_ok() {}
    drop(socket);
    let start = tokio::time::Instant::now();
    soon(poll_fn(|cx| respond.poll_reset(cx))).await.unwrap_err();
    assert!(start.elapsed() < Config::default().drain_timeout.unwrap(), "before the deadline");
    soon(served).await.unwrap();
}
