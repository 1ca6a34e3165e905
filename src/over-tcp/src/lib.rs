//! The engine and the socket component in one module: exports `http2:engine/connection`, `tcp`, `transport` and `over-tcp`.
//!
//! The modules are those of `src/component` and `src/tcp`. In place of a byte-stream of another component, the engine calls
//! the TCP stream directly: no byte crosses the border of a component on its way between the host and the engine.

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

#[path = "../../component/src"]
mod engine {
    pub(crate) mod connection;
    pub(crate) mod endpoint;
    pub(crate) mod errors;
    mod guest;
    pub(crate) mod heads;
    pub(crate) mod options;
    pub(crate) mod stream;
    pub(crate) mod streams;
    pub(crate) mod trace;
    pub(crate) mod transport;
    pub(crate) mod wait;
    mod wide;
}

#[path = "../../tcp/src"]
mod sockets {
    pub(crate) mod address;
    pub(crate) mod byte_stream;
    pub(crate) mod closing;
    pub(crate) mod connect;
    pub(crate) mod error;
    mod guest;
    pub(crate) mod listener;
}

use bindings::exports::http2::engine::connection::{self as exports, GuestConnection, Role};
use bindings::exports::http2::engine::over_tcp;
use bindings::exports::http2::engine::transport::TransportError;
use bindings::http2::engine::types::{Error, ErrorKind, Fault};
use wasi::clocks::monotonic_clock::Duration;

use engine::{connection, endpoint, errors, heads, options, stream, streams, trace, transport, wait};
use sockets::{address, byte_stream, closing, connect, error, listener};

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "engine-over-tcp",
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
        generate_all,
    });
}

/// The byte-stream, which is part of this component.
mod io {
    pub(crate) use crate::bindings::exports::http2::engine::transport::{
        ByteStream as Handle, TransportError,
    };
    pub(crate) use crate::byte_stream::Stream as ByteStream;

    /// Returns the byte-stream of a handle.
    pub(crate) fn open(handle: Handle) -> ByteStream {
        handle.into_inner()
    }
}

/// The implementation of the component's exports.
struct Component;

impl over_tcp::Guest for Component {
    fn dial(
        host: String,
        port: u16,
        options: Option<exports::Options>,
        timeout: Option<Duration>,
    ) -> Result<exports::Connection, Error> {
        let io = connect::connect(&host, port, timeout).map_err(|error| {
            let (kind, fault) = match error {
                TransportError::Timeout => (ErrorKind::Timeout, Fault::Limit),
                _ => (ErrorKind::TransportFailed, Fault::Transport),
            };
            let message = format!("connecting to {host}, port {port}: {}", errors::transport_reason(&error));
            Error { kind, fault, code: None, retryable: true, message }
        })?;
        connection::Connection::handshake(io, Role::Client, options)
    }
}

#[cfg(target_arch = "wasm32")]
bindings::export!(Component with_types_in bindings);
