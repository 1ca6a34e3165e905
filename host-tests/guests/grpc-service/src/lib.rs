//! The service of the public gRPC interoperability tests, and one of this project, built with tonic as a handler
//! of wasi:http.
//!
//! It has no knowledge of connections; the component that it is composed with serves it.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

use std::time::Duration;

use grpc_services::Sleep;
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Request, Response};
use wasip3::http_compat::{http_from_wasi_request, http_into_wasi_response};

const SLEEP: Sleep = |duration: Duration| Box::pin(monotonic_clock::wait_for(duration.as_nanos() as u64));

struct Handler;

#[cfg(target_arch = "wasm32")]
wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let request = http_from_wasi_request(request)?;
        http_into_wasi_response(grpc_services::answer(request, SLEEP).await)
    }
}
