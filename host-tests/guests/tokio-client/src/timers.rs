//! Checks of Tokio's timers, and of tasks beside others that never wait.

use std::time::{Duration, Instant};

use http2_tokio::wasi::{TcpListener, sleep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::{self, interval, timeout};

use crate::Result;
use crate::sockets::{LOCALHOST, pair};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_millis(200);

pub(crate) async fn check() -> Result {
    timers().await;
    untouched_sockets().await?;
    busy_tasks().await?;
    timers().await;
    Ok(())
}

/// Timers are never early, and those of both kinds expire beside each other.
async fn timers() {
    let begin = Instant::now();
    let expires = async |after: Duration, is_tokio: bool| {
        if is_tokio {
            time::sleep(after).await;
        } else {
            sleep(after).await;
        }
        assert!(begin.elapsed() >= after);
        begin.elapsed()
    };
    let (tokio, wasi, first) = tokio::join!(expires(LONG, true), expires(LONG, false), expires(SHORT, true));
    assert!(first < tokio && first < wasi);
    let mut ticks = interval(SHORT / 10);
    for _ in 0..10 {
        ticks.tick().await;
    }
    assert!(timeout(SHORT, std::future::pending::<()>()).await.is_err());
}

/// A timer expires while sockets wait, and input arrives while a timer waits.
async fn untouched_sockets() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let (mut client, mut server) = pair(&listener).await?;
    assert!(timeout(SHORT, server.read(&mut [0])).await.is_err());
    client.write_all(b"x").await?;
    assert_eq!(timeout(1000 * LONG, server.read(&mut [0; 2])).await??, 1);
    Ok(())
}

/// Tasks that never wait do not keep others from their sockets and timers.
async fn busy_tasks() -> Result {
    let listener = TcpListener::bind(LOCALHOST).await?;
    let (mut client, mut server) = pair(&listener).await?;
    let yielding = tokio::spawn(async {
        loop {
            yield_now().await;
        }
    });
    let waking = tokio::spawn(std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    }));
    // Both ends always have something to read.
    let (mut noisy, mut other) = pair(&listener).await?;
    let moving = tokio::spawn(async move {
        noisy.write_all(&[0; 4096]).await?;
        let mut buffer = [0; 4096];
        loop {
            let bytes = other.read(&mut buffer).await?;
            other.write_all(&buffer[..bytes]).await?;
            let bytes = noisy.read(&mut buffer).await?;
            noisy.write_all(&buffer[..bytes]).await?;
        }
        #[expect(unreachable_code, reason = "it gives the block its type")]
        Ok::<_, std::io::Error>(())
    });
    let answering = tokio::spawn(async move {
        while let Ok(byte) = server.read_u8().await {
            server.write_u8(byte).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    for byte in 0..20 {
        client.write_u8(byte).await?;
        assert_eq!(client.read_u8().await?, byte);
    }
    sleep(SHORT).await;
    time::sleep(SHORT).await;
    drop((client, pair(&listener).await?));
    answering.await??;
    assert!(!yielding.is_finished() && !waking.is_finished() && !moving.is_finished());
    yielding.abort();
    waking.abort();
    moving.abort();
    Ok(())
}
