//! `wasi-http2 serve`.

mod workers;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::{self, ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use tokio::sync::watch;
use wasi_http2::compose::{with_client, with_server};
use wasi_http2::{Composition, Invocation, Network, Runtime, components};
use wasmtime_wasi::cli::{self as stdio, AsyncStdinStream};

use super::{Limits, exit_code, read};

/// The exit code of a process that SIGINT has ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// Serves HTTP/2 on a TCP port
///
/// Two servers are there, and both run in Wasmtime. Without --component it is the demonstration examples/echo-server,
/// composed with the engine and the socket component. With --component it is http2_server.wasm around a handler of
/// wasi:http 0.3 of yours. The handler gets the terminal's output, and neither files nor variables; compose it and run
/// it by `wasmtime run` where it is to have more.
///
/// Clients have to start with HTTP/2 at once (prior knowledge), such as curl --http2-prior-knowledge.
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

    /// Serve this component, which exports wasi:http/handler 0.3, through http2_server.wasm
    #[arg(long, value_name = "APP.wasm")]
    component: Option<PathBuf>,

    /// Give the component http2_client.wasm as its wasi:http/client, and the permission to connect to any host
    #[arg(long, requires = "component")]
    client: bool,

    /// Run N instances of the server, among which the connections go round
    ///
    /// As many as there are cores is a good choice. Each has memory of its own, so that what a component keeps there
    /// is not shared. One that traps, wants more memory than it may have, or computes without end, ends with its
    /// connections and is replaced; the others go on. The sockets themselves are handed over to the instances, so that
    /// this costs nothing. --max-connections and --max-memory are for each.
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroU16>,

    /// Tell on standard error how each connection has ended, how many requests it had, and its highest abuse score
    #[arg(long)]
    log_connections: bool,

    #[command(flatten)]
    limits: Limits,

    /// Options of the server itself; `wasi-http2 serve --component APP.wasm -- --help` lists them
    #[arg(last = true, value_name = "SERVER OPTIONS")]
    options: Vec<String>,
}

const PATHS: &str = "\
What it answers without --component:
  GET /             A line of text
  POST /            How many bytes the content of the request has; so does POST /upload
  POST /echo        The content and the trailers of the request, as they come
  POST /refuse      An answer with status 401 at once; the content is not read
  POST /early       10,000 bytes at once; the content is not read
  GET /bytes/N      N bytes
  GET /endless      Bytes without end
  GET /status/N     An answer with status N
  GET /delay/MS     An answer after MS milliseconds
  GET /headers      The fields of the request
  GET /early-hints  An informational response (103) before the answer";

impl Serve {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let runtime = Runtime::with_interrupts()?;
        let program = runtime.load(&self.server()?)?;
        let draining = drain_on_signal();
        if let Some(workers) = self.workers {
            return workers::run(self, &runtime, &program, workers.get().into(), draining).await;
        }
        let network =
            if self.client { Network::ListenAndConnect(self.addr) } else { Network::Listen(self.addr) };
        let invocation = self.invocation(self.addr, &draining).network(network);
        exit_code(program.run(invocation).await?)
    }

    /// The server as one component, with what it serves.
    fn server(&self) -> Result<Vec<u8>> {
        let Some(file) = &self.component else {
            let composition = Composition::default();
            // Workers share a listener of the host.
            let composition = if self.workers.is_some() { composition.host_transport() } else { composition };
            return composition.compose(components::ECHO_SERVER);
        };
        let component = read(file)?;
        let server = if self.client {
            with_client(&component).and_then(|component| with_server(&component))
        } else {
            with_server(&component)
        };
        server.with_context(|| format!("{} cannot be served", file.display()))
    }

    /// A run of the server, on the terminal's output.
    fn invocation(&self, address: SocketAddr, draining: &watch::Receiver<bool>) -> Invocation {
        let name = if self.component.is_some() { "http2-server" } else { "echo-server" };
        let mut args = vec![format!("--addr={address}"), "--drain-on-stdin-eof".to_owned()];
        args.extend(self.max_connections.map(|connections| format!("--max-connections={connections}")));
        args.extend(self.log_connections.then(|| "--log-connections".to_owned()));
        args.extend(self.options.iter().cloned());
        let invocation = Invocation::new(name)
            .args(args)
            .stdin(open_until(draining.clone()))
            .stdout(stdio::stdout())
            .stderr(stdio::stderr());
        self.limits.apply(invocation)
    }
}

/// A standard input that ends when the server is to drain: WASI has no signals.
fn open_until(mut draining: watch::Receiver<bool>) -> AsyncStdinStream {
    let (stdin, end) = tokio::io::duplex(1);
    tokio::spawn(async move {
        // Without a sender, nobody is there any more who could ask.
        _ = draining.wait_for(|draining| *draining).await;
        drop(end);
    });
    AsyncStdinStream::new(stdin)
}

/// Tells when to drain: at the first signal. The second one ends the process.
fn drain_on_signal() -> watch::Receiver<bool> {
    let (drain, draining) = watch::channel(false);
    tokio::spawn(async move {
        if let Err(error) = signal().await {
            eprintln!("wasi-http2: {error:#}");
            return std::future::pending().await;
        }
        eprintln!("wasi-http2: draining; interrupt again to end at once");
        drain.send_replace(true);
        if signal().await.is_ok() {
            process::exit(INTERRUPTED)
        }
    });
    draining
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
