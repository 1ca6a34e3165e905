//! Good clients, built on the crate `h2`, and clients that are killed.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, SendRequest};
use http::Request;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::phase::Scene;

/// How long an idle client pauses between requests.
///
/// Servers close a connection after a minute without streams.
const IDLE_TIME: Duration = Duration::from_secs(40);
/// The size of a response to a slow reader, in bytes.
const SLOW: usize = 256 << 10;
/// How long a slow reader takes for a response.
const SLOW_TIME: Duration = Duration::from_secs(10);
/// The flow-control window of a slow reader, in bytes.
const SLOW_WINDOW: u32 = 16 << 10;

/// A connection, and the task that drives it.
struct Connection {
    requests: SendRequest<Bytes>,
    running: JoinHandle<()>,
}

impl Connection {
    async fn open(server: SocketAddr, builder: &Builder) -> Result<Self> {
        let tcp = TcpStream::connect(server).await?;
        tcp.set_nodelay(true)?;
        // If the socket is dropped before the connection has ended, the server receives only an RST.
        tcp.set_zero_linger()?;
        let (requests, connection) = builder.handshake(tcp).await?;
        let running = tokio::spawn(async move {
            // The callers of requests see its errors as well.
            _ = connection.await;
        });
        Ok(Self { requests, running })
    }

    /// Sends a request, and returns the content of its response, whose status must be 200.
    async fn ask(&mut self, path: &str, content: Option<Bytes>) -> Result<RecvStream> {
        let method = if content.is_some() { "POST" } else { "GET" };
        let uri = format!("http://localhost{path}");
        let request = Request::builder().method(method).uri(uri).body(())?;
        poll_fn(|context| self.requests.poll_ready(context)).await?;
        let (response, mut sending) = self.requests.send_request(request, content.is_none())?;
        if let Some(content) = content {
            sending.send_data(content, true)?;
        }
        let response = response.await?;
        ensure!(response.status() == 200, "{} to {path}", response.status());
        Ok(response.into_body())
    }
}

/// Reads content to its end, pausing after each piece, and returns its length in bytes.
async fn read(mut content: RecvStream, pause: Duration) -> Result<usize> {
    let mut octets = 0;
    while let Some(piece) = content.data().await {
        let piece = piece?.len();
        if !pause.is_zero() {
            sleep(pause).await;
        }
        octets += piece;
        content.flow_control().release_capacity(piece)?;
    }
    Ok(octets)
}

/// A client that sends a request whenever one is due.
///
/// All `clients` together send `rate` requests per second.
pub(crate) async fn busy(scene: Scene, n: u32, clients: u32, rate: u32) {
    let interval = Duration::from_secs(1) * clients / rate;
    let mut due = Instant::now() + interval * n / clients;
    let run = async {
        let mut connection = Connection::open(scene.server, &Builder::new()).await?;
        let upload = Bytes::from(vec![b'u'; 2_000]);
        let mut kinds =
            [("/", None, None), ("/bytes/10000", None, Some(10_000)), ("/echo", Some(upload), Some(2_000))]
                .into_iter()
                .cycle();
        while !scene.is_over() {
            // A late request counts from when it was due. One on time counts from now, because sleeping takes slightly
            // longer than requested.
            let start = if Instant::now() < due {
                sleep_until(due).await;
                Instant::now()
            } else {
                due
            };
            let (path, content, length) = kinds.next().context("a cycle has no end")?;
            let octets = read(connection.ask(path, content).await?, Duration::ZERO).await?;
            ensure!(length.is_none_or(|length| length == octets), "{octets} bytes of {path}");
            scene.seen.response(start.elapsed());
            due += interval;
        }
        Ok(())
    };
    if let Err(error) = run.await {
        scene.seen.failure("busy", &error);
    }
}

/// A client that sends a request from time to time, and a last one before it leaves.
pub(crate) async fn idle(scene: Scene) {
    let run = async {
        let mut connection = Connection::open(scene.server, &Builder::new()).await?;
        loop {
            let is_last = scene.is_over();
            read(connection.ask("/", None).await?, Duration::ZERO).await?;
            scene.seen.other_response();
            if is_last {
                return Ok(());
            }
            _ = timeout(IDLE_TIME, scene.wait_until_over()).await;
        }
    };
    if let Err(error) = run.await {
        scene.seen.failure("idle", &error);
    }
}

/// A client that reads slowly but steadily.
pub(crate) async fn slow(scene: Scene, n: u32) {
    let run = async {
        let mut builder = Builder::new();
        builder.initial_window_size(SLOW_WINDOW).initial_connection_window_size(65_535);
        sleep(Duration::from_millis(u64::from(n) * 7)).await;
        let mut connection = Connection::open(scene.server, &builder).await?;
        let pieces = u32::try_from(SLOW)? / SLOW_WINDOW;
        while !scene.is_over() {
            let content = connection.ask(&format!("/bytes/{SLOW}"), None).await?;
            let octets = read(content, SLOW_TIME / pieces).await?;
            ensure!(octets == SLOW, "{octets} bytes of {SLOW}");
            scene.seen.other_response();
        }
        Ok(())
    };
    if let Err(error) = run.await {
        scene.seen.failure("slow", &error);
    }
}

/// A series of clients, each killed in the middle of a download and an upload.
pub(crate) async fn killed(scene: Scene, n: u32) {
    loop {
        sleep(Duration::from_millis(500 + u64::from(n) % 100 * 3)).await;
        // Ignore how far the client gets.
        _ = be_killed(&scene).await;
        scene.seen.killed();
    }
}

async fn be_killed(scene: &Scene) -> Result<()> {
    let mut connection = Connection::open(scene.server, &Builder::new()).await?;
    let upload = Request::post("http://localhost/echo").body(())?;
    let (_response, mut sending) = connection.requests.send_request(upload, false)?;
    sending.send_data(Bytes::from_static(&[b'u'; 10_000]), false)?;
    let mut content = connection.ask("/bytes/4194304", None).await?;
    _ = content.data().await;
    connection.running.abort();
    Ok(())
}
