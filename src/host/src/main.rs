//! The command `wasi-http2`: try out HTTP/2 as a WebAssembly component, and compose it with applications.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasi_http2::cli::main()
}
