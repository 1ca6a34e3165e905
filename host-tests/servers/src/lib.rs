//! The application that each server runs, on a runtime of one thread.
//!
//! `/` answers with a line of text, `/bytes/N` sends N zero bytes, and `/upload` counts the bytes of the request and
//! answers with their number. These are routes of `examples/echo-server` and of the guest `http-service`, too.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
#[cfg(target_family = "wasm")]
use http2_tokio::wasi as system;
use hyper::body::{Body, Frame, SizeHint};

#[cfg(not(target_family = "wasm"))]
mod system;

pub use system::{Clock, TcpStream};

/// Content of the response at `/`.
const GREETING: &str = "Hello from a WebAssembly component, over HTTP/2.\n";

/// Content of a piece of `/bytes/N`.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Returns the next piece of `left` bytes.
pub fn piece(left: usize) -> Bytes {
    Bytes::from_static(&ZEROS[..left.min(ZEROS.len())])
}

/// Returns N of `/bytes/N`.
pub fn bytes_of(path: &str) -> Option<usize> {
    path.strip_prefix("/bytes/")?.parse().ok()
}

/// Returns the response at `/`.
pub fn greeting() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(GREETING.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(GREETING.len()));
    response
}

/// Serves each connection by `serve`, and prints the address to the standard output.
///
/// The address is the first argument; without one, it has a free port.
pub fn run<F: Future<Output = ()> + 'static>(serve: fn(TcpStream) -> F) {
    let address = std::env::args().nth(1).map(|address| address.parse().expect("ADDRESS:PORT"));
    let address = address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let serve = async move {
        let listener = system::TcpListener::bind(address).await.expect("a socket");
        println!("{}", listener.local_addr().expect("an address"));
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            // WASI has no such option.
            #[cfg(not(target_family = "wasm"))]
            socket.set_nodelay(true).expect("no delay");
            tokio::task::spawn_local(serve(socket));
        }
    };
    system::block_on(tokio::task::LocalSet::new().run_until(serve)).expect("a runtime")
}

/// Answers a request.
pub async fn answer<B: Body<Data = Bytes> + Unpin>(
    request: Request<B>,
) -> Result<Response<Content>, Infallible> {
    let path = request.uri().path();
    if path == "/" {
        return Ok(greeting().map(|text| Content::Whole(Some(text))));
    }
    let left = bytes_of(path);
    let mut received = 0;
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        received += frame.data_ref().map_or(0, Bytes::len);
    }
    Ok(Response::new(match left {
        Some(left) => Content::Zeros(left),
        None => Content::Whole(Some(received.to_string().into())),
    }))
}

/// The content of a response.
pub enum Content {
    /// One piece.
    Whole(Option<Bytes>),
    /// So many zero bytes.
    Zeros(usize),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(
            match &mut *self {
                Self::Whole(content) => content.take(),
                Self::Zeros(0) => None,
                Self::Zeros(left) => {
                    let data = piece(*left);
                    *left -= data.len();
                    Some(data)
                }
            }
            .map(|data| Ok(Frame::data(data))),
        )
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(content) => content.as_ref().map_or(0, |content| content.len() as u64),
            Self::Zeros(left) => *left as u64,
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None) | Self::Zeros(0))
    }
}
