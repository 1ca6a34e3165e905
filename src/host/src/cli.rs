//! The command `wasi-http2`, and the helpers that its subcommands share.

mod components;
mod compose;
mod demo;
mod get;
mod serve;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::{Invocation, Outcome, Runtime};
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use tokio::runtime::Builder;
use wasmtime_wasi::cli::{self as stdio, StdoutStream};

/// HTTP/2 as a WebAssembly component: a server and a client to try it out, and composition with your own components.
#[derive(Parser)]
#[command(name = "wasi-http2", bin_name = "wasi-http2", version, after_help = EXAMPLE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "\
Run the demonstration, or try it in two terminals:
  wasi-http2 demo
  wasi-http2 serve
  wasi-http2 get -v http://127.0.0.1:8080/";

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Get(get::Get),
    Compose(compose::Compose),
    Components(components::Components),
}

/// Limits on the components that run in Wasmtime.
#[derive(Args)]
struct LimitArguments {
    /// Memory limit for all components together, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    max_memory: usize,

    /// How long the components may compute without waiting and without calling the host, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    max_compute: Duration,
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}

impl LimitArguments {
    /// Applies the limits to the only guest of the process.
    fn apply(&self, invocation: Invocation) -> Invocation {
        self.apply_memory(invocation).process_limit(self.max_compute)
    }

    /// Applies the limits to one of several guests.
    fn apply_to_one(&self, invocation: Invocation) -> Invocation {
        self.apply_memory(invocation).compute_limit(self.max_compute)
    }

    fn apply_memory(&self, invocation: Invocation) -> Invocation {
        invocation.memory_limit(self.max_memory.saturating_mul(1 << 20))
    }
}

/// Runs the command with the arguments of the process, and returns its exit code.
///
/// Errors go to the standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = executor(&cli.command).and_then(|executor| executor.block_on(run(cli)));
    outcome.unwrap_or_else(|error| {
        eprintln!("wasi-http2: {error:#}");
        ExitCode::FAILURE
    })
}

/// Returns the Tokio runtime for a command.
///
/// A single guest runs on a single thread, which also waits for its sockets: with a thread for the sockets alone, each
/// event would wake up both threads in turn.
fn executor(command: &Command) -> Result<tokio::runtime::Runtime> {
    let mut builder = match command {
        Command::Serve(serve) if serve.has_workers() => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build().context("Tokio cannot be started")
}

async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Demo(demo) => demo.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Get(get) => get.run().await,
        Command::Compose(compose) => compose.run(),
        Command::Components(components) => components.run(),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}

fn write(file: &Path, component: &[u8]) -> Result<()> {
    fs::write(file, component).with_context(|| format!("{} cannot be written", file.display()))
}

/// Runs a command with its output on the terminal.
async fn run_command(component: &[u8], invocation: Invocation) -> Result<ExitCode> {
    let program = Runtime::new()?.load(component)?;
    let invocation = invocation.stdout(stdout()?).stderr(stdio::stderr());
    exit_code(program.run(invocation).await?)
}

/// Returns the standard output without the buffer of the standard library, which looks for the ends of lines.
#[cfg(unix)]
fn stdout() -> Result<impl StdoutStream> {
    use std::io;
    use std::os::fd::AsFd;

    let output = io::stdout().as_fd().try_clone_to_owned().context("there is no standard output")?;
    Ok(stdio::OutputFile::new(output.into()))
}

/// Returns the standard output, which converts text for the console.
#[cfg(not(unix))]
fn stdout() -> Result<impl StdoutStream> {
    Ok(stdio::stdout())
}

/// Returns the command's exit code, or an error if the command did not exit by itself.
fn exit_code(outcome: Outcome) -> Result<ExitCode> {
    match outcome {
        Outcome::Exited(code) => Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)),
        ended => anyhow::bail!("{ended}"),
    }
}
