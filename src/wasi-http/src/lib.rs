//! What joins HTTP/2 connections to wasi:http 0.3: the parts that a server and a client component share.
//!
//! A [`Connection`] is the engine's, with the tasks that carry its octets over a socket and watch its deadlines. A
//! [`Stream`] is a request and its response on it. [`head`] and [`body`] turn messages of one side into those of the
//! other, and [`error`] has the table of errors. All tasks run on the one thread of the component, in [`Tasks`].
//!
//! Back-pressure goes through: content is taken from a stream only when its reader in wasi:http takes it, which is
//! what opens the peer's window; and it is read from wasi:http only as far as the peer's window and a bounded buffer
//! take it. So does cancelling: a stream that is reset drops its ends of the streams and futures, and whoever has
//! the other ends sees that; a reader that goes away makes the stream end.
//!
//! wasi:http has no informational responses (1xx), no server push and no priorities, so these do not pass.

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

pub mod address;
pub mod bindings;
pub mod body;
mod connection;
pub mod end;
pub mod error;
pub mod head;
pub mod signal;
mod stream;
mod tasks;
mod transport;

pub use connection::{Connection, IncomingRequest};
pub use stream::Stream;
pub use tasks::Tasks;
