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

use wit_bindgen::FutureReader;

use crate::bindings::exports::http2::wasi_http::relay::Guest;
use crate::bindings::wasi::http::types::{ErrorCode, Trailers};

struct Relay;

bindings::export!(Relay with_types_in bindings);

impl Guest for Relay {
    async fn read_trailers(
        trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    ) -> Result<Option<Trailers>, ErrorCode> {
        trailers.await
    }
}
