//! A client and a server of `h2`, connected in memory.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{self, SendRequest};
use h2::server::{self, SendResponse};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::describe::{Digest, fields, h2_error};

/// The end of a connection.
pub(crate) type Ended = JoinHandle<Result<(), h2::Error>>;

/// Two ends of a connection in memory.
pub(crate) fn duplex() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(1 << 16)
}

/// A connection between a client and a server.
pub(crate) struct Pair {
    /// The client's handle.
    pub(crate) send: SendRequest<Bytes>,
    /// The client's end.
    pub(crate) client: Ended,
    /// The server's end.
    pub(crate) server: Ended,
}

/// Starts a client and a server with default options.
pub(crate) async fn start<F, R>(handler: F) -> Pair
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    start_with(&client::Builder::new(), &server::Builder::new(), handler).await
}

/// Starts a client and a server; each request gets a task of its own.
pub(crate) async fn start_with<F, R>(client: &client::Builder, server: &server::Builder, handler: F) -> Pair
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let (near, far) = duplex();
    let served = serve(far, server, handler);
    let (send, client) = connect(near, client).await;
    Pair { send, client, server: served }
}

/// Serves a connection; each request gets a task of its own.
pub(crate) fn serve<T, F, R>(io: T, server: &server::Builder, handler: F) -> Ended
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let handshake = server.handshake(io);
    tokio::spawn(async move {
        let mut connection = handshake.await?;
        while let Some(accepted) = connection.accept().await {
            let (request, respond) = accepted?;
            tokio::spawn(handler(request, respond));
        }
        Ok(())
    })
}

/// Connects a client.
pub(crate) async fn connect<T>(io: T, client: &client::Builder) -> (SendRequest<Bytes>, Ended)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (send, connection) = client.handshake(io).await.expect("a handshake");
    (send, tokio::spawn(connection))
}

/// A GET request.
pub(crate) fn get(path: &str) -> Request<()> {
    Request::get(format!("http://test.example{path}")).body(()).expect("a request")
}

/// A POST request.
pub(crate) fn post(path: &str) -> Request<()> {
    Request::post(format!("http://test.example{path}")).body(()).expect("a request")
}

/// A response with status 200.
pub(crate) fn ok() -> Response<()> {
    Response::new(())
}

/// Reads content and trailers, and gives the window back.
pub(crate) async fn read(body: &mut RecvStream) -> String {
    let mut digest = Digest::EMPTY;
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => {
                digest.add(&data);
                if let Err(error) = body.flow_control().release_capacity(data.len()) {
                    return format!("not released: {}", h2_error(&error));
                }
            }
            Err(error) => return format!("broken off: {}", h2_error(&error)),
        }
    }
    match body.trailers().await {
        Ok(Some(trailers)) => format!("{digest} trailers {}", fields(&trailers)),
        Ok(None) => digest.to_string(),
        Err(error) => format!("{digest}, then {}", h2_error(&error)),
    }
}

/// A response with its content.
pub(crate) async fn outcome(response: Result<Response<RecvStream>, h2::Error>) -> String {
    match response {
        Ok(response) => {
            let (head, mut body) = response.into_parts();
            let content = read(&mut body).await;
            format!("{} {} {content}", head.status.as_u16(), fields(&head.headers))
        }
        Err(error) => h2_error(&error),
    }
}

/// A result without a value, as text.
pub(crate) fn done<T>(result: Result<T, h2::Error>) -> String {
    result.map_or_else(|error| h2_error(&error), |_| "done".to_owned())
}

/// The end of a connection, as text.
pub(crate) async fn end(ended: Ended) -> String {
    done(crate::net::soon("the connection's end", ended).await.expect("a task without a panic"))
}

/// Sends as much as the windows allow, and waits for more, until all is sent; does not end the stream.
pub(crate) async fn send(stream: &mut h2::SendStream<Bytes>, mut content: Bytes) -> Result<(), h2::Error> {
    while !content.is_empty() {
        stream.reserve_capacity(content.len());
        // Only growth is reported.
        if stream.capacity() == 0 {
            match poll_fn(|context| stream.poll_capacity(context)).await {
                Some(capacity) => capacity?,
                None => return Err(h2::Reason::STREAM_CLOSED.into()),
            };
        }
        let piece = content.split_to(stream.capacity().min(content.len()));
        stream.send_data(piece, false)?;
    }
    Ok(())
}

/// Sends content, and the end of the stream with or without trailers.
pub(crate) async fn send_all(
    stream: &mut h2::SendStream<Bytes>,
    content: Bytes,
    trailers: Option<HeaderMap>,
) -> Result<(), h2::Error> {
    send(stream, content).await?;
    match trailers {
        Some(trailers) => stream.send_trailers(trailers),
        None => stream.send_data(Bytes::new(), true),
    }
}

/// A signal from one task to another.
#[derive(Clone, Default)]
pub(crate) struct Signal(Arc<Notify>);

impl Signal {
    /// Lets one waiter go on.
    pub(crate) fn give(&self) {
        self.0.notify_one();
    }

    /// Waits for the signal.
    pub(crate) async fn wait(&self) {
        crate::net::soon("a signal", self.0.notified()).await;
    }
}

/// Lets the other tasks of a runtime with one thread run until all of them wait.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
