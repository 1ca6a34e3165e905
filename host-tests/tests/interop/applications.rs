//! Applications of wasi:http from outside this project, composed with its server and client, in stock Wasmtime.

mod container;
mod examples;
mod grpc;
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use host_tests::support::peers::{Python, peers_folder};
use host_tests::support::{Process, apps};

/// Runs a command that listens for HTTP/2, and returns its URL.
#[track_caller]
fn run(python: &Python, component: &Path, options: &[&str]) -> (Process, String) {
    let mut wasmtime = wasmtime(python, "run");
    wasmtime.arg("-Sp3,http,inherit-network,allow-ip-name-lookup").arg(component);
    wasmtime.args(["--addr", "127.0.0.1:0"]).args(options);
    let _lock = apps::lock();
    let (process, address) = Process::start_and_read_line(&mut wasmtime, "http2-server: listening on ");
    (process, format!("http://{address}"))
}

/// Serves a handler over HTTP/1.1 with Wasmtime, and returns its URL.
#[track_caller]
fn serve(python: &Python, component: &Path) -> (Process, String) {
    let mut wasmtime = wasmtime(python, "serve");
    wasmtime.args(["-Sp3,cli,inherit-network,allow-ip-name-lookup", "--addr", "127.0.0.1:0"]).arg(component);
    let _lock = apps::lock();
    let (process, url) = Process::start_and_read_line(&mut wasmtime, "Serving HTTP on ");
    (process, url.trim_end_matches('/').to_owned())
}

/// Wasmtime's cache configuration.
///
/// It is written only once, because other tests may be reading it.
static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let config = peers_folder().join("wasmtime-cache.toml");
    fs::write(&config, format!("[cache]\ndirectory = {:?}\n", peers_folder().join("wasmtime-cache")))
        .unwrap();
    config
});

/// Returns a command for a subcommand of Wasmtime.
fn wasmtime(python: &Python, subcommand: &str) -> Command {
    let mut wasmtime = python.wasmtime();
    wasmtime.arg(subcommand).arg(format!("-Ccache-config={}", CACHE.display()));
    wasmtime
}
