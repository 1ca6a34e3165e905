//! `wasi-http2 serve`.

use std::net::SocketAddr;
use std::process::{self, ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use tokio::io::DuplexStream;
use wasi_http2::{Invocation, Network, components};
use wasmtime_wasi::cli::AsyncStdinStream;

use super::{Limits, run_application};

/// The exit code of a process that SIGINT has ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Serves HTTP/2 on a TCP port, to try it out
///
/// The demonstration service examples/echo-server runs in Wasmtime, composed with the engine and the socket
/// component. Clients have to start with HTTP/2 at once (prior knowledge), such as curl --http2-prior-knowledge.
///
/// Ctrl-C drains: no new requests are taken, those that run are finished. A second Ctrl-C ends at once.
#[derive(Args)]
#[command(after_help = PATHS)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,

    /// Connections that are open at a time; others wait
    #[arg(long, value_name = "N")]
    max_connections: Option<u32>,

    #[command(flatten)]
    limits: Limits,
}

const PATHS: &str = "\
What it answers:
  GET /             A line of text
  POST /, /echo     The content and the trailers of the request, as they come
  GET /bytes/N      N octets
  GET /status/N     An answer with status N
  GET /delay/MS     An answer after MS milliseconds
  GET /headers      The fields of the request
  GET /early-hints  An informational response (103) before the answer";

impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode> {
        // WASI 0.2 has no signals: the end of its standard input tells the guest to drain.
        let (stdin, end) = tokio::io::duplex(1);
        let mut args = vec![format!("--addr={}", self.addr), "--drain-on-stdin-eof".to_owned()];
        args.extend(self.max_connections.map(|connections| format!("--max-connections={connections}")));
        let invocation = Invocation::new("echo-server")
            .args(args)
            .network(Network::Listen(self.addr))
            .stdin(AsyncStdinStream::new(stdin));
        let signals = tokio::spawn(drain_on_signal(end));
        let result = run_application(components::ECHO_SERVER, self.limits.apply(invocation)).await;
        signals.abort();
        result
    }
}

/// Closes the guest's standard input at the first signal, and ends the process at the second.
async fn drain_on_signal(stdin: DuplexStream) -> Result<()> {
    signal().await?;
    eprintln!("wasi-http2: draining; interrupt again to end at once");
    drop(stdin);
    signal().await?;
    process::exit(INTERRUPTED)
}

/// Waits for Ctrl-C or, where there is one, a request to terminate.
async fn signal() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.context("Ctrl-C cannot be caught"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("Ctrl-C cannot be caught")
}
