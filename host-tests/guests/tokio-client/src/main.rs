//! A client of `http2-tokio` in a WebAssembly component, and checks of its sockets and timer.
//!
//! `tokio-client requests|echo ADDRESS` calls a server; `tokio-client reset ADDRESS` expects a reset; `tokio-client sockets`
//! and `tokio-client timers` need no server.

mod requests;
mod sockets;
mod timers;

use std::error::Error;

use http2_tokio::wasi::{block_on, block_on_with_timers};

type Result = std::result::Result<(), Box<dyn Error>>;

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["timers"] => block_on_with_timers(timers::check())?,
        _ => block_on(run(&arguments))?,
    }
}

async fn run(arguments: &[&str]) -> Result {
    match *arguments {
        ["requests", address] => requests::many(address).await,
        ["echo", address] => requests::echo(address).await,
        ["sockets"] => sockets::check().await,
        ["reset", address] => sockets::reset(address).await,
        _ => Err(
            "usage: tokio-client requests|echo ADDRESS, tokio-client reset ADDRESS, or tokio-client sockets|timers"
                .into(),
        ),
    }
}
