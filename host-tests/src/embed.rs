//! HTTP/2 connections for Rust programs, the protocol of which runs in a sandbox.
//!
//! Hand over anything that Tokio can read and write, such as a TCP or TLS connection, and get a client or a server,
//! used much like that of the crate `h2`. Every octet that comes from the peer is parsed in WebAssembly, by an instance
//! of the engine that belongs to this connection alone. Whatever a peer sends, the worst that can happen is that its own
//! instance reaches a limit of memory or time: then this connection ends with a [`Trap`] that names the limit, and
//! nothing else of the program notices.
//!
//! ```
//! use http::{Request, Response};
//! use wasi_http2::embed::{Limits, Options, Sandbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Once in a program.
//! let sandbox = Sandbox::new(Limits::new())?;
//! // In place of two TCP connections.
//! let (near, far) = tokio::io::duplex(64 * 1024);
//!
//! let mut server = sandbox.server(far, &Options::new())?;
//! let serving = tokio::spawn(async move {
//!     while let Some(accepted) = server.accept().await {
//!         let (mut request, mut responder) = accepted?;
//!         tokio::spawn(async move {
//!             let mut echo = responder.respond(Response::new(()), false).await?;
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
//! // Without anyone who uses it, the connection ends in good order.
//! drop((client, response, body));
//! serving.await??;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Sandbox`] is the compiled engine; [`Limits`] are what a connection may use up, [`Options`] what it is like.
//! - [`Client`] sends requests, and [`ResponseFuture`] is what comes back; [`Server`] accepts requests, and
//!   [`Responder`] answers them.
//! - [`RecvBody`] and [`SendBody`] are the content and the trailers of messages, with flow control: who sends waits for
//!   room, and who does not read makes the peer wait.
//! - [`Control`] concerns the connection as a whole: PING, shutdown, settings, counters.
//! - A stream lives as long as there is a handle on it. A handle that is dropped early cancels it.
//!
//! Each connection has a task, which owns its instance; the handles are channels to it.

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
pub use head::Protocol;
pub use http2_engine::{ErrorCode, SettingId};
pub use options::Options;
pub use sandbox::{Limits, Sandbox};
pub use server::{Responder, Server};
