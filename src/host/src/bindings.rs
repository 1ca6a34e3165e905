//! Wasmtime bindings of `http2:engine`: the transport, which the host supplies, and the engine, which it can drive.

#![allow(missing_docs, reason = "documented in the WIT files")]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "http2:engine/engine",
    exports: { default: async },
    with: {
        "wasi": wasmtime_wasi::p2::bindings,
        "http2:engine/transport.byte-stream": crate::byte_stream::ByteStream,
    },
    imports: { default: trappable },
});

/// `http2:engine/tcp`, supplied by the host.
pub(crate) mod tcp {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package wasi-http2:host;
            world listening { import http2:engine/tcp@0.2.0; }
        ",
        world: "wasi-http2:host/listening",
        with: {
            "wasi": wasmtime_wasi::p2::bindings,
            "http2:engine/transport": crate::bindings::http2::engine::transport,
            "http2:engine/tcp.listener": crate::run::Listener,
        },
        imports: {
            "http2:engine/tcp.[method]listener.blocking-accept": async | trappable,
            default: trappable,
        },
        require_store_data_send: true,
    });
}
