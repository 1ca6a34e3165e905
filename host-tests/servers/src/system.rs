//! Sockets, a clock and a runtime of the operating system, by the names of those for guests.

use std::future::Future;
use std::io;

pub use http2_tokio::TokioClock as Clock;
pub use tokio::net::{TcpListener, TcpStream};

/// Runs a future on a runtime of one thread.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}
