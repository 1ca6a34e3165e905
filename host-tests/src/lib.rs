//! The native side of wasi-http2: composes components, runs them in Wasmtime, and supplies byte-streams to them.
//!
//! To run an application that imports `http2:engine`:
//!
//! ```no_run
//! use wasi_http2::{Composition, Invocation, Network, Runtime};
//!
//! # async fn example(application: &[u8]) -> anyhow::Result<()> {
//! let component = Composition::default().compose(application)?;
//! let program = Runtime::new()?.load(&component)?;
//! let invocation = Invocation::new("application").args(["--help"]).network(Network::Loopback);
//! let outcome = program.run(invocation).await?;
//! println!("{outcome}");
//! # Ok(())
//! # }
//! ```
//!
//! - [`components`] holds the components of this project, built with it: the engine, the socket component, the
//!   examples, and the guests of the tests.
//! - [`compose`] makes one component of several: an application of `http2:engine` with the engine and a transport
//!   ([`Composition`]), one of `wasi:http` with the server ([`with_server`](compose::with_server)) or the client
//!   ([`with_client`](compose::with_client)).
//! - [`Runtime`] compiles a command of WASI 0.2 or 0.3, and runs it as often as wanted, each time with an [`Invocation`]: arguments,
//!   input and output, files, network, and limits of memory and time.
//! - [`embed`] is HTTP/2 for Rust programs: clients and servers over any connection, the protocol in a sandbox.
//! - [`ByteStream`] is a transport from the host, over whatever Tokio can read and write.
//!
//! A guest of the tests is a package in `host-tests/guests`. It is built by itself, is
//! `wasi_http2::components::ITS_NAME`, and must have a test named like it in `tests/guests.rs`.

pub mod bindings;
pub mod byte_stream;
pub mod components;
pub mod compose;
pub mod embed;
pub mod run;

pub use byte_stream::ByteStream;
pub use compose::Composition;
pub use run::{Invocation, Network, Outcome, Program, Runtime, SharedListener};
