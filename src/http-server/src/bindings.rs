//! The server's imports beyond those of the shared crate, and its exported command, generated from the WIT.

#![allow(missing_docs, reason = "the WIT files hold the documentation")]

wit_bindgen::generate!({
    path: "../wasi-http/wit",
    world: "http2:wasi-http/server",
    with: {
        "wasi:clocks/types@0.3.0": http2_wasi_http::bindings::wasi::clocks::types,
        "wasi:http/types@0.3.0": http2_wasi_http::bindings::wasi::http::types,
    },
    generate_all,
});
