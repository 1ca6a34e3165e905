//! An HTTP/2 server for any component that exports `wasi:http/handler@0.3`: compose the two, and run the result.
//!
//! Clients speak HTTP/2 with prior knowledge (RFC 9113, 3.3). Every request becomes a call of the handler; all
//! calls are tasks of one instance.
//!
//! | to change | open |
//! |---|---|
//! | options and `--help` | `options.rs` |
//! | standard output and standard error | `console.rs` |
//! | accepting connections, limits, draining | `server.rs`, `listener.rs` |
//! | one request: the call of the handler, its cancellation | `exchange.rs` |
//! | fairness between connections | `scheduler.rs` |

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only components export it: other linkers reject the names")
)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used,
        reason = "neither a peer nor a caller may end the program"
    )
)]

mod bindings;
mod console;
mod exchange;
mod listener;
mod options;
mod scheduler;
mod server;

use http2_wasi_http::Tasks;

use crate::bindings::exports::wasi::cli::run::Guest;
use crate::options::{HELP, Request};
use crate::server::Server;

/// The text printed by `--version`.
const VERSION: &str = concat!("http2-server ", env!("CARGO_PKG_VERSION"), "\n");

struct Command;

#[cfg(target_arch = "wasm32")]
bindings::export!(Command with_types_in bindings);

impl Guest for Command {
    async fn run() -> Result<(), ()> {
        let done = match Request::parse(console::arguments()) {
            Ok(Request::Help) => {
                console::print(HELP.to_owned()).await;
                Ok(())
            }
            Ok(Request::Version) => {
                console::print(VERSION.to_owned()).await;
                Ok(())
            }
            Ok(Request::Serve(options)) => {
                let tasks = Tasks::new();
                tasks.run(Server::new(*options, &tasks).serve()).await
            }
            Err(error) => Err(format!("{error}\nSee --help.")),
        };
        match done {
            Ok(()) => Ok(()),
            Err(error) => {
                console::print_error(format!("http2-server: {error}\n")).await;
                Err(())
            }
        }
    }
}
