//! The service for the public tests.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::Sleep;
use crate::echo::messages;
use crate::proto::grpc::test_service_server::TestService;
use crate::proto::grpc::{
    EchoStatus, Empty, Payload, SimpleRequest, SimpleResponse, StreamingInputCallRequest,
    StreamingInputCallResponse, StreamingOutputCallRequest, StreamingOutputCallResponse,
};

pub(crate) struct Interop {
    pub(crate) sleep: Sleep,
}

#[tonic::async_trait]
impl TestService for Interop {
    async fn empty_call(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        let message = request.into_inner();
        wanted_status(message.response_status)?;
        let payload = Some(zeros(message.response_size)?);
        Ok(Response::new(SimpleResponse { payload }))
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<BoxStream<StreamingOutputCallResponse>>, Status> {
        Ok(Response::new(Box::pin(responses(request.into_inner(), self.sleep))))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut messages = messages(request);
        let mut octets = 0_usize;
        while let Some(message) = messages.try_next().await? {
            octets = octets.saturating_add(message.payload.map_or(0, |payload| payload.body.len()));
        }
        let aggregated_payload_size = i32::try_from(octets).map_err(|_| Status::out_of_range("too much"))?;
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size }))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<BoxStream<StreamingOutputCallResponse>>, Status> {
        let sleep = self.sleep;
        let responses = messages(request).map_ok(move |message| responses(message, sleep)).try_flatten();
        Ok(Response::new(Box::pin(responses)))
    }
}

/// The responses and the status that a message requests.
fn responses(
    message: StreamingOutputCallRequest,
    sleep: Sleep,
) -> impl Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send {
    let status = wanted_status(message.response_status).err().map(Err);
    let responses = stream::iter(message.response_parameters).then(move |wanted| async move {
        let interval = u64::try_from(wanted.interval_us).unwrap_or_default();
        if interval > 0 {
            sleep(Duration::from_micros(interval)).await;
        }
        Ok(StreamingOutputCallResponse { payload: Some(zeros(wanted.size)?) })
    });
    responses.chain(stream::iter(status))
}

/// The status that a message requests, as an error unless it is OK.
fn wanted_status(status: Option<EchoStatus>) -> Result<(), Status> {
    let Some(EchoStatus { code, message }) = status else { return Ok(()) };
    match Code::from_i32(code) {
        Code::Ok => Ok(()),
        code => Err(Status::new(code, message)),
    }
}

fn zeros(octets: i32) -> Result<Payload, Status> {
    let octets = usize::try_from(octets).map_err(|_| Status::invalid_argument("a negative size"))?;
    Ok(Payload { body: Bytes::from(vec![0; octets]) })
}
