//! Wasmtime's side of `http2:engine`: the transport that the host supplies, and the engine that it can drive.

#![allow(missing_docs, reason = "the documentation stands in the WIT")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "http2:engine/engine",
    exports: { default: async },
    with: {
        "wasi": wasmtime_wasi::p2::bindings,
        "http2:engine/transport.byte-stream": crate::byte_stream::ByteStream,
    },
    imports: { default: trappable },
});
