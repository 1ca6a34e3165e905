//! `wasi-http2 serve`.

mod workers;

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::thread;

use crate::compose::{with_client, with_server};
use crate::{Composition, Invocation, Network, Runtime, components};
use anyhow::{Context, Result};
use clap::Args;
use tokio::runtime::Builder;
use tokio::sync::watch;
use wasmtime_wasi::cli::{self as stdio, AsyncStdinStream};

use super::{LimitArguments, exit_code, read};

/// The exit code of a process terminated by SIGINT: 128 plus the signal's number.
const INTERRUPTED: i32 = 130;

/// Serve HTTP/2 on a TCP port
///
/// Without --component, runs the demonstration server examples/echo-server, composed with the engine over TCP. With
/// --component, runs http2_server.wasm around your handler of wasi:http 0.3. Both run in Wasmtime. The handler can write to the terminal, but sees neither files nor environment variables; to give it more, compose it
/// with `wasi-http2 compose` and run the result with `wasmtime run`.
///
/// Clients must start with HTTP/2 at once (prior knowledge), for example curl --http2-prior-knowledge.
///
/// Ctrl-C drains: the server refuses new requests and finishes those in progress. A second Ctrl-C exits at once.
#[derive(Args)]
#[command(after_help = PATHS)]
pub(crate) struct Serve {
    /// The address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,

    /// Limit of connections open at the same time; further ones wait
    #[arg(long, value_name = "N")]
    max_connections: Option<u32>,

    /// Serve this component, which exports wasi:http/handler 0.3, through http2_server.wasm
    #[arg(long, value_name = "APP.wasm")]
    component: Option<PathBuf>,

    /// Give the component http2_client.wasm as its wasi:http/client, and permission to connect to any host
    #[arg(long, requires = "component")]
    client: bool,

    /// Run N instances of the server, and distribute the connections among them in turn
    ///
    /// The number of cores is a good choice. Each instance has its own memory, so state that a component keeps there is
    /// not shared. An instance that traps, exceeds its memory limit or computes for too long ends with its connections
    /// and is replaced; the others go on. Sockets are handed over to the instances directly, so this adds no cost per
    /// byte. --max-connections and --max-memory apply to each instance.
    #[arg(long, value_name = "N")]
    workers: Option<NonZeroU16>,

    /// Log to standard error how each connection ended, how many requests it served, and its highest abuse score
    #[arg(long)]
    log_connections: bool,

    #[command(flatten)]
    limits: LimitArguments,

    /// Options for the server itself; `wasi-http2 serve --component APP.wasm -- --help` lists them
    #[arg(last = true, value_name = "SERVER OPTIONS")]
    options: Vec<String>,
}

const PATHS: &str = "\
Routes without --component:
  GET /             A line of text
  POST /            The size of the request's content in bytes; POST /upload does the same
  POST /echo        The content and trailers of the request, as they arrive
  POST /refuse      Status 401 at once, without reading the content
  POST /early       10,000 bytes at once, without reading the content
  GET /bytes/N      N bytes
  GET /endless      An endless response
  GET /status/N     A response with status N
  GET /delay/MS     A response after MS milliseconds
  GET /headers      The header fields of the request
  GET /early-hints  An informational response (103) before the final response";

impl Serve {
    /// Returns whether several instances of the server run.
    pub(super) fn has_workers(&self) -> bool {
        self.workers.is_some()
    }

    pub(super) async fn run(self) -> Result<ExitCode> {
        let runtime = if self.has_workers() { Runtime::with_interrupts()? } else { Runtime::new()? };
        let program = runtime.load(&self.server()?)?;
        let draining = drain_on_signal()?;
        if let Some(workers) = self.workers {
            return workers::run(self, &runtime, &program, workers.get().into(), draining).await;
        }
        let network =
            if self.client { Network::ListenAndConnect(self.addr) } else { Network::Listen(self.addr) };
        let invocation = self.invocation(self.addr, &draining).network(network);
        exit_code(program.run(invocation).await?)
    }

    /// Returns the server as one component, composed with the application it serves.
    fn server(&self) -> Result<Vec<u8>> {
        let Some(file) = &self.component else {
            let composition = Composition::default();
            // Workers share a listener of the host, which supplies the transport.
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

    /// Returns an invocation of the server with its output on the terminal.
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
        if self.has_workers() { self.limits.apply_to_one(invocation) } else { self.limits.apply(invocation) }
    }
}

/// Returns a standard input that ends when the server must drain, because WASI has no signals.
fn open_until(mut draining: watch::Receiver<bool>) -> AsyncStdinStream {
    let (stdin, end) = tokio::io::duplex(1);
    tokio::spawn(async move {
        // An error means that the sender is gone: no drain can be requested any more.
        _ = draining.wait_for(|draining| *draining).await;
        drop(end);
    });
    AsyncStdinStream::new(stdin)
}

/// Reports the first signal as a request to drain. The second signal exits the process.
///
/// A thread of its own waits for the signals, because a guest may keep the other one busy.
fn drain_on_signal() -> Result<watch::Receiver<bool>> {
    let (drain, draining) = watch::channel(false);
    let executor = Builder::new_current_thread().enable_all().build().context("Tokio cannot be started")?;
    let mut signals = {
        let _executor = executor.enter();
        Signals::new().context("Ctrl-C cannot be caught")?
    };
    thread::spawn(move || {
        executor.block_on(async {
            signals.next().await;
            eprintln!("wasi-http2: draining; interrupt again to end at once");
            drain.send_replace(true);
            signals.next().await;
            process::exit(INTERRUPTED)
        });
    });
    Ok(draining)
}

/// Ctrl-C and, on Unix, SIGTERM. A signal that arrives between two waits ends the second one.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}
