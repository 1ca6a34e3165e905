//! A command-line HTTP/2 client in a WebAssembly component.
//!
//! `http2:engine` implements the protocol and the sockets.

mod client;
mod failure;
mod link;
mod options;
mod output;
mod target;
mod transfer;
mod upload;
mod verbose;

use std::process::ExitCode;

use crate::client::Client;
use crate::failure::Failure;
use crate::options::{Command, HELP};

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
        Ok(Command::Fetch(options)) => Client::connect(&options).and_then(Client::run),
        Err(error) => Err(Failure::new("", "reading the command line", format!("{error}; see --help"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("fetch: {failure}");
            ExitCode::FAILURE
        }
    }
}
