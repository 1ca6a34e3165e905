//! The engine's bindings for this module: only calls that do not block, and therefore without `async`.

#![allow(missing_docs, reason = "documented in the WIT files")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "http2:engine/engine",
    with: {
        "wasi": wasmtime_wasi::p2::bindings::sync,
        "http2:engine/transport": crate::bindings::http2::engine::transport,
        "http2:engine/types": crate::bindings::http2::engine::types,
    },
});
