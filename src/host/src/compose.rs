//! Composes several components into one.
//!
//! | the application | is composed with | by |
//! |---|---|---|
//! | imports `http2:engine` | the engine and a transport | [`Composition`] |
//! | exports `wasi:http/handler` 0.3 | the HTTP/2 server around it | [`with_server`] |
//! | imports `wasi:http/client` or `wasi:http/handler` 0.3 | the HTTP/2 client below it | [`with_client`] |

mod engine;
mod graph;
mod wasi_http;

pub use engine::Composition;
pub(crate) use wasi_http::with_relay;
pub use wasi_http::{with_client, with_handler, with_server};

/// The name of the user's component in error messages.
const APPLICATION: &str = "the application";
