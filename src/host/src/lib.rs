//! The native side of wasi-http2: composes components, runs them in Wasmtime, and supplies them with byte-streams.
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
//! - [`components`] holds the components built with this crate: the engine, its transport over TCP, the server and the
//!   client for `wasi:http`, and the examples.
//! - [`compose`] combines several components into one: an application of `http2:engine` with the engine and a transport
//!   ([`Composition`]), or an application of `wasi:http` with the server ([`with_server`](compose::with_server)) or the
//!   client ([`with_client`](compose::with_client)).
//! - [`Runtime`] compiles a WASI 0.2 or 0.3 command and runs it any number of times, each time with an [`Invocation`]:
//!   arguments, input and output, files, network, and limits on memory and time.
//! - [`embed`] is HTTP/2 for Rust programs: clients and servers over any connection, with the protocol in a sandbox.
//! - [`ByteStream`] is a transport supplied by the host, over anything that Tokio can read and write.
//!
//! | to change | open |
//! |---|---|
//! | a subcommand of `wasi-http2` (`get -v`, `serve`, …) | `cli/NAME.rs` |
//! | which components are built | `../build.rs`, `components.rs` |
//! | how components are joined | `compose/` |
//! | limits, network and interruption of a run | `run.rs`, `run/` |
//! | the sandbox | `embed.rs`, `embed/` |

pub mod bindings;
pub mod byte_stream;
#[cfg(feature = "cli")]
pub mod cli;
pub mod components;
pub mod compose;
pub mod embed;
pub mod run;

pub use byte_stream::ByteStream;
pub use compose::Composition;
pub use run::{Invocation, Network, Outcome, Program, Runtime, SharedListener};
