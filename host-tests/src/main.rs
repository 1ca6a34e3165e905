//! The command `wasi-http2` once more: Cargo lets tests run the programs of their own package only.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasi_http2::cli::main()
}
