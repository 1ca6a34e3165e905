//! The command line, and what the subcommands share.

mod compose;
mod demo;
mod get;
mod serve;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use wasi_http2::{Composition, Invocation, Outcome, Runtime};
use wasmtime_wasi::cli as stdio;

/// HTTP/2 as a WebAssembly component: a server and a client to try it out, and composition with your own.
#[derive(Parser)]
#[command(version, after_help = EXAMPLE)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "\
See it work, then try it in two terminals:
  wasi-http2 demo
  wasi-http2 serve
  wasi-http2 get -v http://127.0.0.1:8080/";

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Get(get::Get),
    Compose(compose::Compose),
}

/// Limits of what runs in Wasmtime.
#[derive(Args)]
struct Limits {
    /// Memory that the components may use together, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 512)]
    max_memory: usize,
}

impl Limits {
    fn apply(&self, invocation: Invocation) -> Invocation {
        invocation.memory_limit(self.max_memory.saturating_mul(1 << 20))
    }
}

pub(crate) async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Demo(demo) => demo.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Get(get) => get.run().await,
        Command::Compose(compose) => compose.run(),
    }
}

/// Runs an application of this project, composed with the engine and the socket component, on the terminal's
/// output.
async fn run_application(application: &[u8], invocation: Invocation) -> Result<ExitCode> {
    let component = Composition::default().compose(application)?;
    let program = Runtime::new()?.load(&component)?;
    let invocation = invocation.stdout(stdio::stdout()).stderr(stdio::stderr());
    match program.run(invocation).await? {
        Outcome::Exited(code) => Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)),
        ended => anyhow::bail!("{ended}"),
    }
}
