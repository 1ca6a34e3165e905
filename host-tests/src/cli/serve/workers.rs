//! `wasi-http2 serve --workers`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;
use wasi_http2::run::Share;
use wasi_http2::{Network, Outcome, Program, Runtime, SharedListener};

use super::Serve;
use crate::cli::exit_code;

/// Runs so many instances of the server, and replaces those that break.
pub(super) async fn run(
    serve: Serve,
    runtime: &Runtime,
    program: &Program,
    workers: usize,
    mut draining: watch::Receiver<bool>,
) -> Result<ExitCode> {
    let mut listener = Some(SharedListener::bind(runtime, serve.addr, workers).await?);
    let serve = Arc::new(serve);
    let mut running = JoinSet::new();
    for share in listener.iter().flat_map(SharedListener::shares) {
        let worker = Worker { serve: serve.clone(), program: program.clone(), share };
        running.spawn(worker.run(draining.clone()));
    }
    loop {
        tokio::select! {
            _ = draining.wait_for(|draining| *draining), if listener.is_some() => listener = None,
            ended = running.join_next() => match ended {
                Some(ended) => match ended.context("a worker cannot be run")?? {
                    Outcome::Exited(0) => {}
                    outcome => return exit_code(outcome),
                },
                None => return Ok(ExitCode::SUCCESS),
            },
        }
    }
}

/// One instance, and those that take its place.
struct Worker {
    serve: Arc<Serve>,
    program: Program,
    share: Share,
}

impl Worker {
    /// Runs until an instance ends by itself. One that breaks without having had a connection would do so again and
    /// again, and is not replaced.
    async fn run(self, draining: watch::Receiver<bool>) -> Result<Outcome> {
        loop {
            let taken = self.share.taken();
            let mut invocation = self.serve.invocation(self.share.address(), &draining);
            if self.serve.client {
                invocation = invocation.network(Network::Connect);
            }
            let outcome = self.program.run(invocation.listener(self.share.clone())).await?;
            if matches!(outcome, Outcome::Exited(_)) || self.share.taken() == taken {
                return Ok(outcome);
            }
            eprintln!("wasi-http2: worker {}: {outcome}; another takes its place", self.share.guest());
        }
    }
}
