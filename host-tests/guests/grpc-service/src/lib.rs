//! The service of the public gRPC interoperability tests, and one of this project, built with tonic as a handler
//! of wasi:http.
//!
//! It has no knowledge of connections; the component that it is composed with serves it.

mod echo;
mod interop;
mod metadata;

/// Messages and services, generated from `proto`.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
mod proto {
    pub(crate) mod grpc {
        tonic::include_proto!("grpc.testing");
    }
    pub(crate) mod http2 {
        tonic::include_proto!("http2.testing");
    }
}

use std::convert::Infallible;

use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::{Code, Status};
use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::{IncomingRequestBody, http_from_wasi_request, http_into_wasi_response};

use crate::echo::Echo;
use crate::interop::Interop;
use crate::proto::grpc::test_service_server::TestServiceServer;
use crate::proto::http2::echo_server::EchoServer;

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        http_into_wasi_response(route(http_from_wasi_request(request)?).await)
    }
}

/// Passes a request to the service named by its path.
async fn route(request: http::Request<IncomingRequestBody>) -> http::Response<Body> {
    let service = request.uri().path().split('/').nth(1).unwrap_or_default();
    // Only clients that compress get compressed responses: messages of the public tests are mostly zeros.
    let compresses = request.headers().get("grpc-encoding").is_some_and(|encoding| encoding == "gzip");
    if service == TestServiceServer::<Interop>::NAME {
        let metadata = request.headers().clone();
        let service = TestServiceServer::new(Interop).max_decoding_message_size(usize::MAX);
        let service = service.accept_compressed(Gzip);
        let service = if compresses { service.send_compressed(Gzip) } else { service };
        metadata::echo(&metadata, call(service, request).await)
    } else if service == EchoServer::<Echo>::NAME {
        let service = EchoServer::new(Echo).max_decoding_message_size(usize::MAX).accept_compressed(Gzip);
        call(if compresses { service.send_compressed(Gzip) } else { service }, request).await
    } else {
        Status::new(Code::Unimplemented, format!("unknown service {service:?}")).into_http()
    }
}

async fn call<S>(mut service: S, request: http::Request<IncomingRequestBody>) -> http::Response<Body>
where
    S: Service<http::Request<IncomingRequestBody>, Response = http::Response<Body>, Error = Infallible>,
{
    match service.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
