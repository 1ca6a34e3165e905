//! The replacement under clients of hyper and tonic in a WebAssembly component, in Wasmtime.
//!
//! The component has the replacement in any case. Its servers are native: hyper on the `h2` under test, and grpcio.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::net::{echo, listen, serve, server_builder};
use crate::scenario::{Log, say, scenarios};
use crate::scenarios::grpcio;

scenarios! {
    parallel hyper_calls_hyper,
    parallel tonic_calls_grpcio,
}

/// Runs the component with Wasmtime, and appends its output.
///
/// The variables `GUEST` and `WASMTIME` name the two; `run` builds and installs them.
async fn run(log: &Log, arguments: [&str; 2]) {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(guest), Some(wasmtime)) = (variable("GUEST"), variable("WASMTIME")) else {
        return say!(log, "skipped: GUEST and WASMTIME are not set");
    };
    let mut command = Command::new(wasmtime);
    command.args(["run", "-Sinherit-network"]).arg(guest).args(arguments);
    let output = command.stderr(Stdio::inherit()).kill_on_drop(true).output().await.expect("Wasmtime");
    String::from_utf8_lossy(&output.stdout).lines().for_each(|line| log.line(line));
    say!(log, "ended well: {}", output.status.success());
}

async fn hyper_calls_hyper(log: Log) {
    let (listener, address) = listen().await;
    let served = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a client");
        serve(socket, &server_builder(), echo).await.expect("a task without a panic")
    });
    run(&log, ["hyper", &address.to_string()]).await;
    served.abort();
}

async fn tonic_calls_grpcio(log: Log) {
    let Some((_server, address)) = grpcio::start(&log).await else { return };
    run(&log, ["tonic", address.strip_prefix("http://").expect("a URL")]).await;
}
