//! Reads futures of wasi:http on behalf of a component that may hold their other ends, which the component model
//! does not let it do itself. The server and the client are shipped with this component inside.

mod bindings {
    #![allow(missing_docs, reason = "the documentation stands in the WIT files")]

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

bindings::export!(Relay with_types_in bindings);

impl Guest for Relay {
    async fn read_trailers(
        trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    ) -> Result<Option<Trailers>, ErrorCode> {
        let mut reading = pin!(trailers.into_future());
        let at_once = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
        match at_once {
            Poll::Ready(end) => {
                // Wasmtime 48 to 50 keeps what it knows of a call for ever if its task ends in the turn in which
                // it began. The caller has its answer at once; the task ends a turn later.
                wit_bindgen::spawn_local(wit_bindgen::yield_async());
                end
            }
            Poll::Pending => reading.await,
        }
    }
}
