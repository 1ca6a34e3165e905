//! Bindings to the component for a host that never blocks, over a transport in memory.

#![allow(missing_docs, unreachable_pub, reason = "the documentation stands in the WIT")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "http2:engine/engine",
    with: {
        "wasi": wasmtime_wasi::p2::bindings::sync,
        "http2:engine/transport.byte-stream": super::wire::Wire,
    },
    imports: { default: trappable },
});
