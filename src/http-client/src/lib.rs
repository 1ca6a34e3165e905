//! An HTTP/2 client for any component that imports `wasi:http/client@0.3` or `wasi:http/handler@0.3`.
//!
//! Composed under that component, it sends requests over HTTP/2 with prior knowledge (RFC 9113, 3.3). Requests to
//! one origin share connections; a further one is opened only when the server's limit of streams is reached. A
//! request that the server certainly has not processed (RFC 9113, 8.7) is sent again.
//!
//! | to change | open |
//! |---|---|
//! | the environment variables | `options.rs` |
//! | which connection carries a request | `pool.rs` |
//! | one request: timeouts, retries, the response | `exchange.rs` |
//! | connecting, name lookup | `connect.rs`, `target.rs` |

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "neither a peer nor a caller may end the program"
    )
)]

mod bindings;
mod calls;
mod connect;
mod exchange;
mod options;
mod pool;
mod target;

use http2_wasi_http::bindings::wasi::http::types::{ErrorCode, Request, Response};

use crate::bindings::exports::wasi::http::{client, handler};

struct Client;

#[cfg(target_arch = "wasm32")]
bindings::export!(Client with_types_in bindings);

impl client::Guest for Client {
    async fn send(request: Request) -> Result<Response, ErrorCode> {
        calls::send(request).await
    }
}

/// Serves a middleware or, composed directly with a server, makes it a reverse proxy.
impl handler::Guest for Client {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        calls::send(request).await
    }
}
