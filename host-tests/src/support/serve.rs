//! `wasi-http2 serve`.

use std::fs;
use std::net::SocketAddr;

use tempfile::TempDir;

use super::{Finished, Process, wasi_http2};

/// A server of this project, which runs until it is dropped.
pub struct Serve {
    process: Process,
    url: String,
    /// A folder that must exist while the server runs.
    _folder: Option<TempDir>,
}

impl Serve {
    /// Serves on a free port.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Serves on a free port, with additional options.
    #[track_caller]
    pub fn start_with(options: &[&str]) -> Self {
        let mut command = wasi_http2(&["serve", "--addr", "127.0.0.1:0"]);
        let (process, url) = Process::start_listening(command.args(options));
        Self { process, url, _folder: None }
    }

    /// Serves a handler of `wasi:http` on a free port, with additional options.
    #[track_caller]
    pub fn start_handler(handler: &[u8], options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("handler.wasm");
        fs::write(&file, handler).unwrap();
        let mut command = wasi_http2(&["serve", "--addr", "127.0.0.1:0", "--component"]);
        let told = "http2-server: listening on ";
        let (process, address) = Process::start_and_read_line(command.arg(file).args(options), told);
        let url = format!("http://{address}");
        Self { process, url, _folder: Some(folder) }
    }

    /// Returns the URL of a path on the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Returns the server's address.
    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Sends SIGINT, as Ctrl-C does in a terminal.
    pub fn interrupt(&self) {
        self.process.interrupt();
    }

    /// Waits until the server exits.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.process.finish()
    }

    /// Sends SIGINT, and waits until the server exits.
    #[track_caller]
    pub fn stop(self) -> Finished {
        self.interrupt();
        self.finish()
    }

    /// Returns the server's resident memory in KiB, or `None` without /proc.
    pub fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }
}
