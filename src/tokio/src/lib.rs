//! HTTP/2 (RFC 9113) over anything `AsyncRead + AsyncWrite`, natively and in WebAssembly guests.
//!
//! [`client::handshake`] and [`server::handshake`] begin a connection over a transport that is already open, such as a
//! `TcpStream` or a TLS stream with the ALPN protocol `h2`. The connection is a future, which the caller spawns or polls;
//! no task, thread or timer is created behind its back.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http2_tokio::{Config, client, server};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! tokio::spawn(async move {
//!     let (socket, _) = listener.accept().await.expect("a connection");
//!     let mut connection = server::handshake(socket, Config::default())?;
//!     while let Some(request) = connection.accept().await {
//!         let (request, respond) = request?;
//!         respond.respond(Response::new(Bytes::from(format!("you asked for {}", request.uri().path()))))?;
//!     }
//!     Ok::<_, http2_tokio::Error>(())
//! });
//!
//! let socket = TcpStream::connect(address).await?;
//! let (mut client, connection) = client::handshake(socket, Config::default())?;
//! tokio::spawn(connection);
//! let request = Request::get("http://localhost/hello").body(())?;
//! let (response, _) = client.send_request(request, true)?;
//! let mut body = response.await?.into_body();
//! assert_eq!(body.data().await.expect("content")?, "you asked for /hello");
//! # Ok(())
//! # }
//! ```
//!
//! # In WebAssembly
//!
//! In a component for `wasm32-wasip2` (Rust 1.95), Tokio's tasks and channels work. So does its timer with the feature
//! `time`, in a runtime of its own. Its sockets, which need `RUSTFLAGS="--cfg tokio_unstable"` and the feature `net`, do not
//! suffice for a server (Tokio 1.54, Wasmtime 48): `TcpStream` works in both directions and with half-close, but
//! `TcpListener::accept` fails with EINVAL and closes the connection, because it makes it non-blocking with `fcntl`, which
//! wasi-libc refuses for sockets. With another listener, they stall for good once more than 128 sockets are ready at the
//! same time, and dropping one whose peer reads nothing blocks the whole component.
//!
//! So the feature `wasi` adds a module of that name with a listener, connections, a clock, and `block_on`, which runs a Tokio
//! runtime on `wasi:io/poll`: `tokio::spawn`, `tokio::sync` and everything on them works in it. With the feature `time`,
//! `block_on_with_timers` adds `tokio::time`, at the price of some wake-ups.
//! `wasmtime run -Sinherit-network` is all that such a component needs.
//!
//! | to change | open |
//! |---|---|
//! | how bytes move between transport and engine | `driver.rs` |
//! | how events reach the handles of a stream | `shared.rs` |
//! | the API for requests, responses, content, whole connections | `client.rs`, `server.rs`, `send.rs` and `recv.rs`, `control.rs` |
//! | deadlines | `clock.rs`; their values are those of [`Config`] |
//! | TCP and time in WebAssembly | `wasi.rs` |
//! | the protocol | the crate `http2-engine` |

#![forbid(unsafe_code)]

mod buffers;
pub mod client;
mod clock;
mod control;
mod driver;
mod error;
mod recv;
mod send;
pub mod server;
mod shared;
#[cfg(feature = "tracing")]
mod trace;
mod tunnel;
#[cfg(feature = "wasi")]
pub mod wasi;

pub use clock::Clock;
#[cfg(feature = "time")]
pub use clock::TokioClock;
pub use control::{Control, Pong};
pub use error::Error;
pub use http2_engine::{
    Config, ConfigError, ConnectionError, ErrorCode, FieldSection, GoAway, Initiator, KeepAlive, Limits,
    Malformed, OpenError, Priority, Protocol, SendError, SettingId, Settings, Stats, StreamError, StreamId,
    Subscriber, Time, Violation, WindowError, Windows,
};
pub use recv::{FlowControl, RecvStream};
pub use send::SendStream;
#[cfg(feature = "tracing")]
pub use trace::Trace;
pub use tunnel::Tunnel;
