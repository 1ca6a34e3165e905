//! The service for this project's own cases.

use std::sync::atomic::{AtomicI32, Ordering};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
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
        let first = messages(request).try_next().await?;
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

/// The messages of a request; an error in their place counts as a cancellation by the client.
pub(crate) fn messages<T>(
    request: Request<Streaming<T>>,
) -> impl Stream<Item = Result<T, Status>> + Send + Unpin
where
    T: Send + 'static,
{
    // Tonic may report an error twice.
    let mut is_counted = false;
    request.into_inner().inspect_err(move |_| {
        if !std::mem::replace(&mut is_counted, true) {
            drop(CancelGuard);
        }
    })
}

/// Counts a cancelled call when dropped, as happens when the call is cancelled.
pub(crate) struct CancelGuard;

impl Drop for CancelGuard {
    fn drop(&mut self) {
        CANCELLED_CALLS.fetch_add(1, Ordering::Relaxed);
    }
}
