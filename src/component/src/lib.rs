//! The engine as a component: exports `http2:engine/connection` over an imported `byte-stream`.
//!
//! The crate `http2-engine` implements all of HTTP/2. This crate supplies its bytes and its clock, and waits for it.
//!
//! - [`endpoint`]: an engine with its transport: moves bytes, and waits;
//! - [`wait`]: waits for several endpoints at once;
//! - [`io`]: the byte-stream, for which `src/over-tcp` has its own;
//! - [`transport`]: the byte-stream with its buffers and pollables;
//! - [`streams`]: input of each stream that the application has not taken yet;
//! - [`guest`]: the interface; [`connection`], [`stream`], [`options`]: its resources;
//! - [`wide`]: the interface for content in words;
//! - [`heads`], [`errors`], [`trace`]: conversions from the engine's types to those of the interface.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]
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
        reason = "no action of a peer or a caller may end the program"
    )
)]

mod connection;
mod endpoint;
mod errors;
mod guest;
mod heads;
mod options;
mod stream;
mod streams;
mod trace;
mod transport;
mod wait;
mod wide;

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

/// The byte-stream, which another component or the host supplies.
mod io {
    pub(crate) use crate::bindings::http2::engine::transport::{ByteStream, TransportError};

    /// The byte-stream as the application passes it.
    pub(crate) type Handle = ByteStream;

    /// Returns the byte-stream of a handle.
    pub(crate) fn open(handle: Handle) -> ByteStream {
        handle
    }
}

/// The implementation of the component's exports.
struct Component;

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);
