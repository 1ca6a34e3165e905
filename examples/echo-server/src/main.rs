//! An HTTP/2 server in a WebAssembly component.
//!
//! `http2:engine` implements the protocol and the sockets. This crate has the event loop, which
//! serves all connections, and the responses.

mod connection;
mod exchange;
mod options;
mod route;
mod server;

use std::process::ExitCode;

use crate::options::{Command, HELP};
use crate::server::Server;

#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "bulk-application",
        with: {
            "wasi:io/poll@0.2.12": wasi::io::poll,
            "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
        },
        generate_all,
    });
}

fn main() -> ExitCode {
    let outcome = match options::parse() {
        Ok(Command::Help) => {
            print!("{HELP}");
            Ok(())
        }
        Ok(Command::Serve(options)) => Server::listen(&options).and_then(Server::run),
        Err(error) => Err(format!("{error}; see --help")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("echo-server: {message}");
            ExitCode::FAILURE
        }
    }
}
