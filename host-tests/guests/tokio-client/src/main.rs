//! A client of `http2-tokio` in a WebAssembly component, and checks of its sockets and timer.
//!
//! `tokio-client requests|echo ADDRESS` calls a server; `tokio-client reset ADDRESS` expects a reset; `tokio-client sockets`
//! needs no server.

mod requests;
mod sockets;

use std::error::Error;

type Result = std::result::Result<(), Box<dyn Error>>;

fn main() -> Result {
    http2_tokio::wasi::block_on(run())?
}

async fn run() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["requests", address] => requests::many(address).await,
        ["echo", address] => requests::echo(address).await,
        ["sockets"] => sockets::check().await,
        ["reset", address] => sockets::reset(address).await,
        _ => Err(
            "usage: tokio-client requests|echo ADDRESS, tokio-client reset ADDRESS, or tokio-client sockets"
                .into(),
        ),
    }
}
