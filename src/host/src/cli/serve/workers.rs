//! `wasi-http2 serve --workers`.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use crate::run::Share;
use crate::{Network, Outcome, Program, Runtime, SharedListener};
use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use wasmtime_wasi::cli::AsyncStdoutStream;

use super::Serve;
use crate::cli::exit_code;

/// How many bytes of a worker's output are buffered until they are printed.
const OUTPUT: usize = 4_096;

/// Runs `workers` instances of the server, and replaces instances that fail.
pub(super) async fn run(
    serve: Serve,
    runtime: &Runtime,
    program: &Program,
    workers: usize,
    draining: watch::Receiver<bool>,
) -> Result<ExitCode> {
    let listener = match &serve.component {
        Some(_) => SharedListener::bind(runtime, serve.addr, workers).await?,
        None => SharedListener::bind_byte_streams(serve.addr, workers).await?,
    };
    let serve = Arc::new(serve);
    let mut running = JoinSet::new();
    for share in listener.shares() {
        let worker = Worker { serve: serve.clone(), program: program.clone(), share };
        running.spawn(worker.run(draining.clone()));
    }
    let closing = async {
        if draining.clone().wait_for(|draining| *draining).await.is_ok() {
            listener.close();
        }
        std::future::pending().await
    };
    let ending = async {
        let mut failed = None;
        while let Some(ended) = running.join_next().await {
            match ended.context("a worker cannot be run")?? {
                Outcome::Exited(0) if *draining.borrow() => {}
                // Go on: the other workers still have requests to finish.
                outcome if *draining.borrow() => failed = Some(outcome),
                outcome => return exit_code(outcome),
            }
        }
        listener.sent().await;
        failed.map_or(Ok(ExitCode::SUCCESS), exit_code)
    };
    tokio::select! {
        code = ending => code,
        code = closing => code,
    }
}

/// Returns an output that prints whole lines, so that the lines of several workers do not mix, and the task that prints
/// them until the output is closed.
fn lines(mut to: impl Write + Send + 'static) -> (AsyncStdoutStream, JoinHandle<()>) {
    let (output, input) = tokio::io::duplex(OUTPUT);
    let printing = tokio::spawn(async move {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).await.is_ok_and(|octets| octets > 0) {
            // An error means that standard output is closed: keep draining the worker's output.
            _ = to.write_all(&line);
            line.clear();
        }
    });
    (AsyncStdoutStream::new(OUTPUT, output), printing)
}

/// One instance of the server, and its replacements.
struct Worker {
    serve: Arc<Serve>,
    program: Program,
    share: Share,
}

impl Worker {
    /// Runs instances until the server has drained. An instance that ends before it has taken a connection is not
    /// replaced, because its replacement would fail in the same way.
    async fn run(self, draining: watch::Receiver<bool>) -> Result<Outcome> {
        loop {
            let taken = self.share.taken();
            let (stdout, stdout_lines) = lines(io::stdout());
            let (stderr, stderr_lines) = lines(io::stderr());
            let mut invocation = self.serve.invocation(self.share.address(), &draining);
            invocation = invocation.stdout(stdout).stderr(stderr);
            if self.serve.client {
                invocation = invocation.network(Network::Connect);
            }
            let outcome = self.program.run(invocation.listener(self.share.clone())).await?;
            stdout_lines.await?;
            stderr_lines.await?;
            if *draining.borrow() || self.share.taken() == taken {
                return Ok(outcome);
            }
            eprintln!("wasi-http2: worker {}: {outcome}; another takes its place", self.share.guest());
        }
    }
}
