//! The engine as a component: `http2:engine/connection` over a `byte-stream` that is imported.
//!
//! All of HTTP/2 is in the crate `http2-engine`. What is here gives it octets, a clock and someone to wait for it.
//!
//! - [`endpoint`]: an engine with its transport: moving octets, and waiting;
//! - [`transport`]: the byte-stream with its buffers and pollables;
//! - [`streams`]: what has arrived on each stream and was not asked for yet;
//! - [`connection`], [`stream`], [`options`]: the resources of the interface;
//! - [`heads`], [`errors`], [`trace`]: terms of the engine in terms of the interface.

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
        reason = "nothing that a peer or a caller does may end the program"
    )
)]

mod connection;
mod endpoint;
mod errors;
mod heads;
mod options;
mod stream;
mod streams;
mod trace;
mod transport;

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "engine",
        with: {
            "wasi:io/poll@0.2.12": wasi::io::poll,
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
        },
        generate_all,
    });
}

/// What the component exports.
struct Component;

impl bindings::exports::http2::engine::connection::Guest for Component {
    type Options = options::Options;
    type Connection = connection::Connection;
    type Http2Stream = stream::Stream;
}

bindings::export!(Component with_types_in bindings);
