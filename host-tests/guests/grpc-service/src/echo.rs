//! The service of this project's own cases.

use bytes::Bytes;
use futures::TryStreamExt;
use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::proto::http2::Content;
use crate::proto::http2::echo_server::Echo as EchoService;

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
        Ok(Response::new(Box::pin(request.into_inner())))
    }

    async fn first(&self, request: Request<Streaming<Content>>) -> Result<Response<Content>, Status> {
        let first = request.into_inner().try_next().await?;
        first.map(Response::new).ok_or_else(|| Status::invalid_argument("there is no message"))
    }

    async fn refuse(&self, _request: Request<Streaming<Content>>) -> Result<Response<Content>, Status> {
        let details = Bytes::from_static(b"\0details\xff");
        Err(Status::with_details(Code::FailedPrecondition, "not today", details))
    }
}
