//! Services of hyper and tower on the connections of `http2-tokio`.
//!
//! [`serve`] answers the requests of a connection with a service: an axum `Router`, the routes of a tonic server, or a
//! function. [`Pool`] is a client as a `tower::Service`, on which tonic's generated clients run.
//!
//! Neither needs hyper's own HTTP/2. The crate is apart from `http2-tokio` because hyper depends on `h2`, in whose place
//! `http2-tokio` can be put.
//!
//! | to change | open |
//! |---|---|
//! | how a service is called | `service.rs` |
//! | connections for origins | `pool.rs` |
//! | what HTTP/2 adds to or removes from a message | `message.rs` |

#![forbid(unsafe_code)]

mod message;
#[cfg(feature = "pool")]
mod pool;
mod service;

#[cfg(feature = "pool")]
pub use pool::{Pool, PoolError, PoolFuture, Task};
pub use service::{Serve, serve};
