//! TCP, time and a runtime for WebAssembly components, on wasi:sockets, wasi:clocks and wasi:io 0.2.
//!
//! [`block_on`] runs a Tokio runtime that waits for sockets and timers of this module. The
//! [crate's documentation](crate#in-webassembly) says why it exists.
//!
//! ```no_run
//! use http2_tokio::wasi::{self, Clock, TcpListener};
//! use http2_tokio::{Config, server};
//!
//! fn main() -> std::io::Result<()> {
//!     wasi::block_on(async {
//!         let listener = TcpListener::bind("127.0.0.1:8080").await?;
//!         loop {
//!             let (socket, _) = listener.accept().await?;
//!             tokio::spawn(async move {
//!                 let mut connection = server::handshake_with_clock(socket, Config::default(), Clock::new())?;
//!                 while let Some(request) = connection.accept().await {
//!                     let (_, respond) = request?;
//!                     respond.respond(http::Response::new("hello".into()))?;
//!                 }
//!                 Ok::<_, http2_tokio::Error>(())
//!             });
//!         }
//!     })?
//! }
//! ```

mod address;
mod error;
mod listener;
mod reactor;
mod stream;
mod time;
#[cfg(feature = "time")]
mod timed;

use std::io;

use tokio::runtime::Builder;

pub use listener::TcpListener;
pub use stream::TcpStream;
pub use time::{Clock, sleep};
#[cfg(feature = "time")]
pub use timed::block_on_with_timers;

/// Runs a future, and all tasks that it spawns with `tokio::spawn`, in a Tokio runtime of the current thread.
///
/// When no task can run, the component waits in `wasi:io/poll` for all sockets and timers of this module that a task waits
/// for. Each pollable costs the host half a microsecond: if nearly all that happens belongs to few of many sockets, it looks
/// at the others at intervals of at most 20 ms. Tokio's own sockets do not work in the runtime, nor do its timers: those need
/// `block_on_with_timers`. A task that never waits, but only yields, keeps the others from their sockets.
///
/// # Errors
///
/// Returns an error if the runtime cannot be created.
///
/// # Panics
///
/// Panics if it is called within a Tokio runtime, and if the future waits for something that cannot happen.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().on_thread_park(reactor::wait).build()?;
    Ok(runtime.block_on(future))
}
