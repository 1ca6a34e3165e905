//! A server with the routes of `wasi-http2 serve`, natively on Tokio.
//!
//! `cargo run -p http2-tokio --example serve -- serve --addr 127.0.0.1:8080`, then
//! `curl --http2-prior-knowledge http://127.0.0.1:8080/bytes/1000`. It takes the place of the command in the suite of peers:
//! `cargo test --workspace --test peers -- --command target/debug/examples/serve --ours serve`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use http2_tokio::server::{self, Respond};
use http2_tokio::{Config, Control, Error, RecvStream, SendStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const USAGE: &str = "serve --addr ADDRESS:PORT [--log-connections]";
static ZEROS: [u8; 16 << 10] = [0; 16 << 10];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut address = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut log = false;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "serve" => {}
            "--addr" => match arguments.next().and_then(|value| value.parse().ok()) {
                Some(value) => address = value,
                None => return usage(),
            },
            "--log-connections" => log = true,
            "--help" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            _ => return usage(),
        }
    }
    match listen(address, log).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {address}: {error}; try another --addr");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: {USAGE}");
    ExitCode::FAILURE
}

/// Serves connections until Ctrl-C, and then until all of them have ended.
async fn listen(address: SocketAddr, log: bool) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let mut connections = JoinSet::new();
    let mut controls: Vec<Control> = Vec::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // The client may have left while it waited.
                let Ok((socket, peer)) = accepted else { continue };
                let mut config = Config::default();
                config.idle_timeout = Some(Duration::from_secs(60));
                let Ok(connection) = server::handshake(socket, config) else { continue };
                controls.retain(Control::is_running);
                controls.push(connection.control());
                connections.spawn(serve(connection, peer, log));
            }
            _ = tokio::signal::ctrl_c() => break,
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    controls.iter().for_each(Control::shutdown);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn serve(mut connection: server::Connection<TcpStream>, peer: SocketAddr, log: bool) {
    // It only costs latency.
    let _ = connection.get_ref().set_nodelay(true);
    let control = connection.control();
    let requests = Arc::new(AtomicU64::new(0));
    let mut outcome = "ok".to_owned();
    while let Some(request) = connection.accept().await {
        match request {
            Ok((request, respond)) => {
                let requests = requests.clone();
                tokio::spawn(async move {
                    // The client may cancel at any time.
                    let _ = answer(request, respond).await;
                    requests.fetch_add(1, Ordering::Relaxed);
                });
            }
            // A client that exits with unread input resets its connection.
            Err(Error::Io(error)) => outcome = format!("the transport ended: {error}"),
            Err(error) => outcome = error.to_string(),
        }
    }
    if log {
        let (requests, score) = (requests.load(Ordering::Relaxed), control.stats().abuse_score_peak);
        eprintln!(
            "connection from {peer} ended: {outcome}; requests {requests}, highest abuse score {score} of 2000"
        );
    }
}

async fn answer(request: Request<RecvStream>, mut respond: Respond) -> Result<(), Error> {
    let (head, body) = request.into_parts();
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let head_only = head.method == Method::HEAD;
    if head.headers.get(header::EXPECT).is_some_and(|value| value == "100-continue") {
        let mut proceed = Response::new(());
        *proceed.status_mut() = http::StatusCode::CONTINUE;
        respond.send_informational(proceed)?;
    }
    match head.uri.path() {
        "/echo" => return echo(body, respond).await,
        "/refuse" => return text(respond, 401, "refused\n", head_only),
        "/early" => return bytes(respond, 10_000, head_only).await,
        "/" | "/upload" if head.method == Method::POST => return count(body, respond).await,
        "/" if reads => return text(respond, 200, "Hello from Tokio, over HTTP/2.\n", head_only),
        _ => {}
    }
    let mut segments = head.uri.path().trim_start_matches('/').split('/');
    let resource = segments.next().unwrap_or_default();
    let number = segments.next().and_then(|number| number.parse::<u64>().ok());
    match (resource, number) {
        ("bytes", Some(length)) if reads => bytes(respond, length, head_only).await,
        ("endless", None) if reads => bytes(respond, u64::MAX, head_only).await,
        ("delay", Some(milliseconds)) if reads => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(milliseconds)) => {}
                reset = std::future::poll_fn(|cx| respond.poll_reset(cx)) => return reset.map(drop),
            }
            text(respond, 200, "late\n", head_only)
        }
        _ => text(respond, 404, "not found\n", head_only),
    }
}

fn response(status: u16, length: Option<u64>) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    if response.status() == http::StatusCode::UNAUTHORIZED {
        // RFC 9110, 15.5.2.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    response
}

fn text(respond: Respond, status: u16, text: &str, head_only: bool) -> Result<(), Error> {
    let length = u64::try_from(text.len()).ok();
    let content = if head_only { Bytes::new() } else { Bytes::copy_from_slice(text.as_bytes()) };
    respond.respond(response(status, length).map(|()| content))
}

/// Sends `length` zero bytes; `u64::MAX` is endless.
async fn bytes(mut respond: Respond, length: u64, head_only: bool) -> Result<(), Error> {
    let known = (length != u64::MAX).then_some(length);
    let mut content = respond.send_response(response(200, known), head_only || length == 0)?;
    let mut left = if head_only { 0 } else { length };
    while left > 0 {
        let piece = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        content.send(Bytes::from_static(&ZEROS[..piece])).await?;
        left -= piece as u64;
        if left == 0 {
            content.finish()?;
        }
    }
    Ok(())
}

async fn echo(mut body: RecvStream, mut respond: Respond) -> Result<(), Error> {
    let mut content: SendStream = respond.send_response(response(200, None), false)?;
    while let Some(data) = body.data().await {
        content.send(data?).await?;
    }
    match body.trailers().await? {
        Some(trailers) => content.send_trailers(&trailers),
        None => content.finish(),
    }
}

async fn count(mut body: RecvStream, respond: Respond) -> Result<(), Error> {
    let mut length = 0;
    while let Some(data) = body.data().await {
        length += data?.len();
    }
    text(respond, 200, &format!("{length} bytes\n"), false)
}
