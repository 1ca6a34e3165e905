//! The application on `hyper`.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http2_servers::{bytes_of, piece, run};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

fn main() {
    run(serve);
}

/// Runs futures on the one thread.
#[derive(Clone)]
struct Local;

impl<F: Future + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move { drop(future.await) });
    }
}

async fn serve(socket: TcpStream) {
    let mut builder = http2::Builder::new(Local);
    builder.timer(TokioTimer::new()).max_concurrent_streams(1_000);
    // The client may have left.
    let _ = builder.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Content>, Infallible> {
    let path = request.uri().path();
    if path == "/" {
        return Ok(Response::new(Content::Whole(Some(Bytes::from_static(b"hello")))));
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

enum Content {
    Whole(Option<Bytes>),
    Zeros(usize),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(match &mut *self {
            Self::Whole(content) => content.take(),
            Self::Zeros(0) => None,
            Self::Zeros(left) => {
                let data = piece(*left);
                *left -= data.len();
                Some(data)
            }
        }
        .map(|data| Ok(Frame::data(data))))
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
