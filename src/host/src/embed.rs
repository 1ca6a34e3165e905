//! HTTP/2 connections for Rust programs, with the protocol running in a sandbox.
//!
//! Pass in anything that Tokio can read and write, for example a TCP or TLS connection, to get a client or a server
//! with an API similar to the crate `h2`. Every byte from the peer is parsed in WebAssembly, by an instance of the
//! engine that belongs to this connection alone. A hostile peer can at worst drive its own instance into a limit of
//! memory or time: this connection then ends with a [`Trap`] that names the limit, and the rest of the program is not
//! affected.
//!
//! ```
//! use http::{Request, Response};
//! use wasi_http2::embed::{SandboxLimits, Options, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once in a program.
//! let sandbox = Sandbox::new(SandboxLimits::new())?;
//! // In place of two TCP connections.
//! let (near, far) = tokio::io::duplex(64 * 1024);
//!
//! let mut server = sandbox.server(far, &Options::new())?;
//! let serving = tokio::spawn(async move {
//!     while let Some(accepted) = server.accept().await {
//!         let (mut request, mut responder) = accepted?;
//!         tokio::spawn(async move {
//!             let mut echo = responder.send_response(Response::new(()), false).await?;
//!             while let Some(data) = request.body_mut().data().await {
//!                 echo.send_data(data?, false).await?;
//!             }
//!             echo.send_data("", true).await
//!         });
//!     }
//!     Ok::<_, wasi_http2::embed::Error>(())
//! });
//!
//! let client = sandbox.client(near, &Options::new())?;
//! let request = Request::post("http://example.com/echo").body(())?;
//! let (response, mut body) = client.request(request, false).await?;
//! body.send_data("hello", true).await?;
//!
//! let mut response = response.await?;
//! assert_eq!(response.status(), 200);
//! let mut content = Vec::new();
//! while let Some(data) = response.body_mut().data().await {
//!     content.extend_from_slice(&data?);
//! }
//! assert_eq!(content, b"hello");
//!
//! // Once all handles are dropped, the connection shuts down gracefully.
//! drop((client, response, body));
//! serving.await??;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Sandbox`] is the compiled engine; [`SandboxLimits`] bound the resources of one connection, [`Options`] configure it.
//! - [`Client`] sends requests, and [`ResponseFuture`] resolves to a response; [`Server`] accepts requests, and
//!   [`Responder`] answers them.
//! - [`RecvBody`] and [`SendBody`] are the content and the trailers of messages, with flow control: a sender waits for
//!   room, and a receiver that does not read makes the peer wait.
//! - [`Control`] is for the connection as a whole: PING, shutdown, settings, counters.
//! - A stream lives as long as a handle on it exists. Dropping the last handle early cancels the stream.
//!
//! Each connection has a task, which owns its instance; the handles send commands to that task over channels.

mod bindings;
mod body;
mod client;
mod command;
mod control;
mod driver;
mod error;
mod handle;
mod head;
mod instance;
mod options;
mod sandbox;
mod server;
mod streams;

pub use body::{RecvBody, SendBody};
pub use client::{Client, Pushes, ResponseFuture};
pub use control::Control;
pub use error::{Error, ErrorKind, Fault, Trap};
pub use http2_engine::{ErrorCode, Protocol, SettingId, Windows};
pub use options::Options;
pub use sandbox::{Sandbox, SandboxLimits};
pub use server::{Responder, Server};
