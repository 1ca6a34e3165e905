//! Differential tests: the engine against other implementations of HTTP/2, in memory and in one process.
//!
//! Two [endpoints](Endpoint) hold a conversation that is made up from a seed: [requests and responses](plan) with
//! content, trailers and informational responses, some of them broken off; settings that change in mid-flight, windows,
//! PINGs, padding, and the end of the connection, while the octets between the two arrive in pieces of any size. All of
//! it is valid, so nobody has a reason to complain; and in the end [both must agree](agreement) on everything that was
//! delivered.
//!
//! ```sh
//! cargo test -p http2-differential                       # a fixed number of seeds for every pairing
//! SEEDS=20000 cargo test -p http2-differential h2        # more of them
//! SEED=17 cargo test -p http2-differential h2            # one of them again
//! ```
//!
//! A disagreement is shown with its seed, all that was done and sent, and what each end has to say.

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
