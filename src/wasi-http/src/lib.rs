//! The code that the server and the client component share to join HTTP/2 connections to wasi:http 0.3.
//!
//! A [`Connection`] wraps the engine's connection and runs the tasks that move its bytes over a pair of byte streams
//! and watch its deadlines; [`tcp`] takes the pair from a socket. A [`Stream`] is one request on that connection, with
//! its response. [`head`] and [`body`] convert messages between HTTP/2 and wasi:http, and [`error`] maps the errors.
//! All tasks run on the component's single thread, in [`Tasks`].
//!
//! Back-pressure is end to end. Content leaves a stream, and so opens the peer's flow-control window, only when
//! its reader in wasi:http takes it. Content is read from wasi:http only up to the peer's window and a bounded
//! buffer. Cancellation passes as well: when a stream is reset, this crate drops its ends of the wasi:http
//! streams and futures, which the application notices at the other ends; when the application drops its reader,
//! the HTTP/2 stream ends.
//!
//! wasi:http has no informational responses (1xx), no server push and no priorities, so these do not pass.
//!
//! | to change | open |
//! |---|---|
//! | how bytes move, and deadlines; where TLS would go | `transport.rs`, `tcp.rs` |
//! | the tasks woken by an event of the engine | `connection.rs`, `stream.rs` |
//! | which fields pass, and how | `head.rs` |
//! | how content passes, and back-pressure | `body.rs` |
//! | how trailers reach the application | `trailers.rs` |
//! | the mapping between `error-code`s and HTTP/2 errors | `error.rs` |

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
        reason = "neither a peer nor a caller may end the program"
    )
)]

pub mod address;
pub mod bindings;
pub mod body;
mod connection;
pub mod error;
pub mod head;
pub mod signal;
mod stream;
mod tasks;
pub mod tcp;
pub mod trailers;
mod transport;

pub use connection::{Connection, IncomingRequest};
pub use stream::Stream;
pub use tasks::{Outstanding, Tasks};
