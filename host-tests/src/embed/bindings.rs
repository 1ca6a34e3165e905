//! The engine as the host calls it here: only what does not wait, and so without `async`.

#![allow(missing_docs, reason = "the documentation stands in the WIT")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "http2:engine/engine",
    with: {
        "wasi": wasmtime_wasi::p2::bindings::sync,
        "http2:engine/transport": crate::bindings::http2::engine::transport,
        "http2:engine/types": crate::bindings::http2::engine::types,
    },
});
