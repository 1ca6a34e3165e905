//! The service of the public gRPC interoperability tests, and one of this project, built with tonic.
//!
//! It has no knowledge of connections: each guest that serves it passes the requests.

mod echo;
mod interop;
mod metadata;

/// Messages and services, generated from `guests/grpc-service/proto`.
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
use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::{Body as HttpBody, Service, StdError};
use tonic::server::NamedService;
use tonic::{Code, Status};

use crate::echo::Echo;
use crate::interop::Interop;
use crate::proto::grpc::test_service_server::TestServiceServer;
use crate::proto::http2::echo_server::EchoServer;

/// Waits by the clock of the guest.
pub type Sleep = fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Passes a request to the service named by its path.
pub async fn answer<B>(request: Request<B>, sleep: Sleep) -> Response<Body>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    let service = request.uri().path().split('/').nth(1).unwrap_or_default();
    // Only clients that compress get compressed responses: messages of the public tests are mostly zeros.
    let compresses = request.headers().get("grpc-encoding").is_some_and(|encoding| encoding == "gzip");
    if service == TestServiceServer::<Interop>::NAME {
        let metadata = request.headers().clone();
        let service = TestServiceServer::new(Interop { sleep }).max_decoding_message_size(usize::MAX);
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

async fn call<S, B>(mut service: S, request: Request<B>) -> Response<Body>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    match service.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
