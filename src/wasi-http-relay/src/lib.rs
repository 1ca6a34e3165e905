//! Reads futures of wasi:http for a component that may hold their write ends.
//!
//! The component model does not let a component read its own futures; the server and the client are composed with
//! this one.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]

mod bindings {
    #![allow(missing_docs, reason = "the WIT files hold the documentation")]

    wit_bindgen::generate!({
        path: "../wasi-http/wit",
        world: "http2:wasi-http/relaying",
        generate_all,
    });
}

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use wit_bindgen::FutureReader;

use crate::bindings::exports::http2::wasi_http::relay::Guest;
use crate::bindings::wasi::http::types::{ErrorCode, Trailers};

struct Relay;

#[cfg(target_arch = "wasm32")]
bindings::export!(Relay with_types_in bindings);

impl Guest for Relay {
    async fn read_trailers(
        trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    ) -> Result<Option<Trailers>, ErrorCode> {
        let mut reading = pin!(trailers.into_future());
        let at_once = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
        match at_once {
            Poll::Ready(end) => {
                // Wasmtime 48 to 50 never frees its state for a call whose task ends in the turn in which it
                // began. The
                // caller gets its answer now; the task ends one turn later.
                wit_bindgen::spawn_local(wit_bindgen::yield_async());
                end
            }
            Poll::Pending => reading.await,
        }
    }
}
