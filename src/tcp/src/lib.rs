//! The socket component of wasi-http2: `http2:engine/transport` and `http2:engine/tcp` over wasi:sockets 0.2.
//!
//! - [`connect`]: name lookup, and outgoing connections;
//! - [`listener`]: incoming connections;
//! - [`byte_stream`]: a connection as a `byte-stream`, which never blocks;
//! - [`closing`]: returns sockets to the host without a trap and without waiting;
//! - [`address`], [`error`]: conversions from the types of wasi:sockets to those of `http2:engine`.

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

mod address;
mod byte_stream;
mod closing;
mod connect;
mod error;
mod guest;
mod listener;

mod bindings {
    #![allow(missing_docs, reason = "the WIT has the documentation")]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "sockets",
        with: {
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
            "wasi:io/error@0.2.12": wasi::io::error,
            "wasi:io/poll@0.2.12": wasi::io::poll,
            "wasi:io/streams@0.2.12": wasi::io::streams,
            "wasi:sockets/instance-network@0.2.12": wasi::sockets::instance_network,
            "wasi:sockets/ip-name-lookup@0.2.12": wasi::sockets::ip_name_lookup,
            "wasi:sockets/network@0.2.12": wasi::sockets::network,
            "wasi:sockets/tcp@0.2.12": wasi::sockets::tcp,
            "wasi:sockets/tcp-create-socket@0.2.12": wasi::sockets::tcp_create_socket,
        },
    });
}

/// The implementation of the component's exports.
struct Component;

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);
