//! The API of `h2` 0.4, implemented by the engine of wasi-http2.
//!
//! A program that reaches HTTP/2 through `h2`, such as one on hyper, reqwest, tonic or axum, gets this implementation
//! without a change of its own:
//!
//! ```toml
//! [patch.crates-io]
//! h2 = { git = "https://github.com/wasi-http2/wasi-http2" }
//! ```
//!
//! The README of the package lists the differences. New programs use `http2-tokio`, on which this package is built.
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (ours, theirs) = tokio::io::duplex(65_536);
//! tokio::spawn(async move {
//!     let mut connection = h2::server::handshake(theirs).await?;
//!     while let Some(request) = connection.accept().await {
//!         let (_request, mut respond) = request?;
//!         let mut content = respond.send_response(Response::new(()), false)?;
//!         content.send_data(Bytes::from_static(b"hello"), true)?;
//!     }
//!     Ok::<_, h2::Error>(())
//! });
//!
//! let (client, connection) = h2::client::handshake(ours).await?;
//! tokio::spawn(connection);
//! let mut client = client.ready().await?;
//! let request = Request::get("http://localhost/").body(())?;
//! let (response, _) = client.send_request(request, true)?;
//! let mut body = response.await?.into_body();
//! let data = body.data().await.expect("content")?;
//! body.flow_control().release_capacity(data.len())?;
//! assert_eq!(data, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! | to change | open |
//! |---|---|
//! | the default limits, and which limit of the engine a builder sets | `config.rs` |
//! | how an error of the engine appears | `error.rs` |
//! | the fields of a request | `head.rs` |
//! | capacity, credit, content | `share.rs` |

#![forbid(unsafe_code)]

pub mod client;
mod config;
mod error;
pub mod ext;
mod head;
mod reason;
pub mod server;
mod share;

pub use error::Error;
pub use reason::Reason;
pub use share::{FlowControl, Ping, PingPong, Pong, RecvStream, SendStream, StreamId};
