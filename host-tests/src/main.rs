//! The command `wasi-http2`: try out HTTP/2 as a WebAssembly component, and compose it with applications.

mod cli;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("wasi-http2: {error:#}");
            ExitCode::FAILURE
        }
    }
}
