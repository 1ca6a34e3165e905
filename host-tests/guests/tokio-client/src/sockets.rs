//! Checks of the sockets and the timer for components.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http2_tokio::wasi::{TcpListener, TcpStream, sleep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::Result;

pub(crate) const LOCALHOST: &str = "127.0.0.1:0";
/// Connections opened one after another, and at once.
const MANY: usize = 200;
/// More than the buffers of both sockets take, in bytes.
const LARGE: usize = 16 << 20;

pub(crate) async fn check() -> Result {
    errors().await?;
    cancelled_accept().await?;
    one_direction_ends_first().await?;
    slow_reader().await?;
    stalled_peer().await?;
    many().await?;
    Ok(())
}

/// Runs a future for a time; `None` if it takes longer.
async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        output = future => Some(output),
        () = sleep(duration) => None,
    }
}

pub(crate) async fn pair(listener: &TcpListener) -> std::io::Result<(TcpStream, TcpStream)> {
    let (client, accepted) = tokio::try_join!(TcpStream::connect(listener.local_addr()?), listener.accept())?;
    assert_eq!(client.local_addr()?, accepted.1);
    assert_eq!(accepted.0.peer_addr()?, accepted.1);
    Ok((client, accepted.0))
}

/// A reset by the peer at `address`, which reads a byte first, is distinguished from an end.
pub(crate) async fn reset(address: &str) -> Result {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(b"x").await?;
    let error = socket.read(&mut [0]).await.expect_err("the connection was reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    Ok(())
}

/// Errors have the kinds that they have natively.
async fn errors() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let address = listener.local_addr()?;
    let taken = TcpListener::bind(address).await;
    assert_eq!(taken.expect_err("the address is in use").kind(), ErrorKind::AddrInUse);
    drop(listener);
    let refused = TcpStream::connect(address).await;
    assert_eq!(refused.expect_err("nobody listens").kind(), ErrorKind::ConnectionRefused);
    // A closed listener gives its address back.
    TcpListener::bind(address).await?;
    Ok(())
}

/// A dropped call of `accept` loses no connection.
async fn cancelled_accept() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let begin = Instant::now();
    let pause = Duration::from_millis(50);
    assert!(timeout(pause, listener.accept()).await.is_none());
    assert!(begin.elapsed() >= pause, "{:?}", begin.elapsed());
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    sleep(pause).await;
    // It is polled once or not at all.
    if let Some(accepted) = timeout(Duration::ZERO, listener.accept()).await {
        drop(accepted?);
        client = TcpStream::connect(listener.local_addr()?).await?;
    }
    let (mut server, _) = listener.accept().await?;
    client.write_all(b"hello").await?;
    let mut received = [0; 5];
    server.read_exact(&mut received).await?;
    assert_eq!(received, *b"hello");
    Ok(())
}

async fn one_direction_ends_first() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let (mut client, mut server) = pair(&listener).await?;
    client.write_all(b"question").await?;
    client.shutdown().await?;
    let mut received = Vec::new();
    server.read_to_end(&mut received).await?;
    assert_eq!(received, b"question");
    server.write_all(b"answer").await?;
    drop(server);
    received.clear();
    client.read_to_end(&mut received).await?;
    assert_eq!(received, b"answer");
    Ok(())
}

/// A writer waits for its reader, and is woken each time there is room.
async fn slow_reader() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let (mut client, mut server) = pair(&listener).await?;
    let writer = tokio::spawn(async move {
        let content: Vec<u8> = (0..LARGE).map(|at| (at % 251) as u8).collect();
        client.write_all(&content).await?;
        client.shutdown().await
    });
    sleep(Duration::from_millis(100)).await;
    assert!(!writer.is_finished(), "nothing holds the writer up");
    let mut received = 0;
    let mut buffer = vec![0; 100_000];
    loop {
        let bytes = server.read(&mut buffer).await?;
        if bytes == 0 {
            break;
        }
        assert!(buffer[..bytes].iter().zip(received..).all(|(&byte, at)| byte == (at % 251) as u8));
        received += bytes;
        if received % 7 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(received, LARGE);
    writer.await??;
    Ok(())
}

/// Dropping a socket does not wait for a peer that reads nothing, and the others are served meanwhile.
async fn stalled_peer() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let (mut client, mut server) = pair(&listener).await?;
    let content = vec![7; LARGE];
    assert!(timeout(Duration::from_millis(100), server.write_all(&content)).await.is_none());
    drop(server);
    let (mut other, mut served) = pair(&listener).await?;
    other.write_all(b"hello").await?;
    let mut received = [0; 5];
    served.read_exact(&mut received).await?;
    // What the host had taken was sent.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await?;
    assert!(!rest.is_empty() && rest.len() < LARGE, "{}", rest.len());

    // A write after the end fails at once, even if the host has not sent everything.
    let (_client, mut server) = pair(&listener).await?;
    assert!(timeout(Duration::from_millis(100), server.write_all(&content)).await.is_none());
    server.shutdown().await?;
    let late = server.write(b"late").await;
    assert_eq!(late.expect_err("this end has finished").kind(), ErrorKind::BrokenPipe);
    Ok(())
}

/// Many connections are served in turn and at once, each by a task.
async fn many() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut received = Vec::new();
                socket.read_to_end(&mut received).await?;
                socket.write_all(&received).await
            });
        }
    });
    for number in 0..MANY {
        ask(address, number).await?;
    }
    let all: Vec<_> =
        (0..MANY).map(|number| tokio::spawn(async move { ask(address, number).await })).collect();
    for asked in all {
        asked.await??;
    }
    Ok(())
}

async fn ask(address: SocketAddr, number: usize) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    let question = number.to_string();
    socket.write_all(question.as_bytes()).await?;
    // The others get their turns.
    tokio::task::yield_now().await;
    socket.shutdown().await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    assert_eq!(answer, question);
    Ok(())
}
