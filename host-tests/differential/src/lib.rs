//! Differential tests: the engine against other implementations of HTTP/2, in memory and in one process.
//!
//! Two [endpoints](Endpoint) hold a conversation determined by a seed. It consists of [requests and
//! responses](plan) with content, trailers and informational responses, some of them reset; changes of
//! settings and windows; PINGs; padding; and the end of the connection. The bytes between the endpoints
//! arrive in pieces of any size. The conversation is valid, so neither endpoint may report an error; in the
//! end, [both must agree](agreement) on everything that was delivered.
//!
//! ```sh
//! cargo test -p http2-differential                       # a fixed number of seeds for every pairing
//! SEEDS=20000 cargo test -p http2-differential h2        # more seeds, for the pairings with `h2`
//! SEED=17 cargo test -p http2-differential h2            # replays one seed
//! ```
//!
//! A failure prints its seed, all operations and frames, and the views of both ends.

pub mod agreement;
pub mod conversation;
mod endpoint;
mod engine;
pub mod message;
mod nghttp2;
pub mod plan;
mod python_h2;
mod rust_h2;
mod seeds;
mod wire;

pub use endpoint::{Change, Endpoint, Refused, Start};
pub use engine::Engine;
pub use nghttp2::Nghttp2;
pub use python_h2::{Python, PythonH2};
pub use rust_h2::RustH2;
pub use seeds::{Pairing, with_seeds};
