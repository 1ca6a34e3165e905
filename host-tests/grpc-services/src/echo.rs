//! The service for this project's own cases.

use std::sync::atomic::{AtomicI32, Ordering};
use std::task::{Poll, ready};

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::proto::http2::echo_server::Echo as EchoService;
use crate::proto::http2::{Content, Count, Nothing};

static CANCELLED_CALLS: AtomicI32 = AtomicI32::new(0);

pub(crate) struct Echo;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn whole(&self, request: Request<Content>) -> Result<Response<Content>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn each(
        &self,
        request: Request<Streaming<Content>>,
    ) -> Result<Response<BoxStream<Content>>, Status> {
        Ok(Response::new(Box::pin(messages(request))))
    }

    async fn first(&self, request: Request<Streaming<Content>>) -> Result<Response<Content>, Status> {
        let first = request.into_inner().try_next().await?;
        first.map(Response::new).ok_or_else(|| Status::invalid_argument("no message"))
    }

    async fn refuse(&self, _request: Request<Streaming<Content>>) -> Result<Response<Content>, Status> {
        let details = Bytes::from_static(b"\0details\xff");
        Err(Status::with_details(Code::FailedPrecondition, "not today", details))
    }

    async fn cancelled_calls(&self, _request: Request<Nothing>) -> Result<Response<Count>, Status> {
        Ok(Response::new(Count { calls: CANCELLED_CALLS.load(Ordering::Relaxed) }))
    }
}

/// The messages of a request. If they end with an error, or are dropped before their end, that counts as a cancellation
/// by the client: which of them happens depends on the server.
pub(crate) fn messages<T>(
    request: Request<Streaming<T>>,
) -> impl Stream<Item = Result<T, Status>> + Send + Unpin
where
    T: Send + 'static,
{
    let mut guard = Some(CancelGuard);
    let mut messages = request.into_inner();
    stream::poll_fn(move |cx| {
        let next = ready!(messages.poll_next_unpin(cx));
        match next {
            Some(Ok(_)) => {}
            Some(Err(_)) => drop(guard.take()),
            None => std::mem::forget(guard.take()),
        }
        Poll::Ready(next)
    })
}

/// Counts a cancelled call when dropped, as happens when the call is cancelled.
struct CancelGuard;

impl Drop for CancelGuard {
    fn drop(&mut self) {
        CANCELLED_CALLS.fetch_add(1, Ordering::Relaxed);
    }
}
