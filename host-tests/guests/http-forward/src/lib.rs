//! A forward proxy: a handler of wasi:http that passes every request to its own client.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Request, Response};

struct Forward;

#[cfg(target_arch = "wasm32")]
wasip3::http::service::export!(Forward);

impl wasip3::exports::http::handler::Guest for Forward {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        client::send(request).await
    }
}
