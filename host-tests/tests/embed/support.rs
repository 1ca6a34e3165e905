//! Helpers shared by the tests.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use wasi_http2::embed::{Client, Error, Options, RecvBody, Responder, Sandbox, SandboxLimits, Server};

/// The capacity of an in-memory connection in each direction, in bytes.
pub(crate) const PIPE: usize = 64 * 1024;

/// Content sizes for echoes: empty, one byte, around the size of a frame, and several windows.
pub(crate) const SIZES: [usize; 6] = [0, 1, 16_384, 16_385, 300_000, 5 << 20];

/// One sandbox for all tests, as in a program.
pub(crate) static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(SandboxLimits::new()).unwrap());

/// Connects a client and a server over memory.
pub(crate) async fn pair() -> (Client, Server) {
    pair_with(&Options::new(), &Options::new()).await
}

/// Connects a client and a server over memory, with these options.
pub(crate) async fn pair_with(client: &Options, server: &Options) -> (Client, Server) {
    let (near, far) = tokio::io::duplex(PIPE);
    (SANDBOX.client(near, client).unwrap(), SANDBOX.server(far, server).unwrap())
}

/// Returns both ends of a TCP connection.
pub(crate) async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.unwrap(), accepted.unwrap().0)
}

/// Waits for a future that must complete.
///
/// The timeout only ends tests that hang.
pub(crate) async fn with_timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("the test hangs")
}

/// Accepts requests until the connection ends, and echoes the content and trailers of each.
pub(crate) fn echo(mut server: Server) -> JoinHandle<Result<(), Error>> {
    tokio::spawn(async move {
        while let Some(accepted) = server.accept().await {
            let (request, responder) = accepted?;
            tokio::spawn(echo_one(request, responder));
        }
        Ok(())
    })
}

async fn echo_one(request: Request<RecvBody>, mut responder: Responder) -> Result<(), Error> {
    let mut received = request.into_body();
    let mut sent = responder.send_response(Response::new(()), false).await?;
    while let Some(data) = received.data().await {
        sent.send_data(data?, false).await?;
    }
    match received.trailers().await? {
        Some(trailers) => sent.send_trailers(&trailers).await,
        None => sent.send_data(Bytes::new(), true).await,
    }
}

/// Starts an echo server over `io`.
pub(crate) async fn serve(io: impl AsyncRead + AsyncWrite + Send + 'static) -> JoinHandle<Result<(), Error>> {
    echo(SANDBOX.server(io, &Options::new()).unwrap())
}

pub(crate) fn get(path: &str) -> Request<()> {
    Request::get(format!("http://example.com{path}")).body(()).unwrap()
}

pub(crate) fn post(path: &str) -> Request<()> {
    Request::post(format!("http://example.com{path}")).body(()).unwrap()
}

/// Returns content in which neighboring bytes differ.
pub(crate) fn content(octets: usize) -> Bytes {
    (0..octets).map(|index| (index % 251) as u8).collect()
}

pub(crate) fn trailers(name: &'static str, value: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_static(value))])
}

/// Reads content to its end.
pub(crate) async fn read(body: &mut RecvBody) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    while let Some(data) = body.data().await {
        content.extend_from_slice(&data?);
    }
    Ok(content)
}

/// Sends content and reads the echo concurrently.
pub(crate) async fn send_and_return(client: &Client, content: Bytes) -> Result<Vec<u8>, Error> {
    let (response, mut sent) = client.request(post("/echo"), false).await?;
    let send = async { sent.send_data(content, true).await };
    let receive = async { read(response.await?.body_mut()).await };
    let (_, received) = tokio::try_join!(send, receive)?;
    Ok(received)
}
