//! `wasi-http2 demo`.

use std::process::ExitCode;

use crate::{Composition, Invocation, Network, Runtime, components};
use anyhow::{Context, Result, bail};
use clap::{Args, Parser};
use tokio::io::{AsyncBufReadExt, BufReader};
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};

use super::Cli;

/// How many bytes of the server's output are buffered until they are read.
const OUTPUT: usize = 4_096;

/// Serve and fetch over a real TCP socket, and show the frames on the wire
///
/// Starts the server of `wasi-http2 serve` on a free port of 127.0.0.1, sends it two requests with `wasi-http2 get -v`,
/// and shuts both down gracefully.
#[derive(Args)]
pub(crate) struct Demo {}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode> {
        eprintln!("* composing the echo server with the engine over TCP");
        let component = Composition::default().compose(components::ECHO_SERVER)?;
        let program = Runtime::new()?.load(&component)?;
        let (stdin, drain) = tokio::io::duplex(1);
        let (stdout, output) = tokio::io::duplex(OUTPUT);
        let invocation = Invocation::new("echo-server")
            .args(["--addr=127.0.0.1:0", "--drain-on-stdin-eof"])
            .network(Network::Loopback)
            .stdin(AsyncStdinStream::new(stdin))
            .stdout(AsyncStdoutStream::new(OUTPUT, stdout));
        let server = tokio::spawn(async move { program.run(invocation).await });

        let line =
            BufReader::new(output).lines().next_line().await.context("the server's output cannot be read")?;
        let Some(url) = line.as_deref().and_then(|line| line.strip_prefix("listening on ")) else {
            bail!("the server did not start: {}", server.await??);
        };
        eprintln!("* the server listens on {url}; running wasi-http2 get -v {url}/");
        get(&["-v", &format!("{url}/")]).await?;
        eprintln!("* running wasi-http2 get -v -i -d 'and back' {url}/echo");
        let code = get(&["-v", "-i", "-d", "and back\n", &format!("{url}/echo")]).await?;
        eprintln!("* asking the server to drain");
        drop(drain);
        eprintln!("* the server has ended: {}", server.await??);
        Ok(code)
    }
}

/// Runs `wasi-http2 get` with these arguments.
async fn get(arguments: &[&str]) -> Result<ExitCode> {
    let command = Cli::parse_from(["wasi-http2", "get"].iter().chain(arguments));
    Box::pin(super::run(command)).await
}
