//! Other implementations, as servers and as clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use host_tests::support::peers::{find, nghttpd, peers_folder, skip};
use tempfile::TempDir;

use crate::{Case, Latency, Process, run};

/// An installed implementation.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    kind: Kind,
}

enum Kind {
    /// A program that acts as a server, or measures as a client.
    Program(Box<dyn Fn() -> Command>),
    /// `nghttpd` and `h2load`, with the folder of files to serve and send.
    Nghttp2(TempDir),
}

/// Returns the installed HTTP implementations.
pub(crate) fn installed() -> Vec<Peer> {
    [nghttp2(), node(), go()].into_iter().flatten().collect()
}

/// Returns the installed gRPC implementations.
pub(crate) fn grpc_installed() -> Vec<Peer> {
    grpc_go().into_iter().collect()
}

/// Returns the path of a file in this package.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn nghttp2() -> Option<Peer> {
    if find("nghttpd").is_none() || find("h2load").is_none() {
        skip("nghttpd or h2load is missing (apt-get install nghttp2)");
        return None;
    }
    let folder = TempDir::new().ok()?;
    fs::write(folder.path().join("index.html"), "hello\n").ok()?;
    fs::write(folder.path().join("content"), "hello").ok()?;
    Some(Peer { name: "nghttp2", kind: Kind::Nghttp2(folder) })
}

fn node() -> Option<Peer> {
    if find("node").is_none() {
        skip("node is missing (apt-get install nodejs)");
        return None;
    }
    let command = || {
        let mut node = Command::new("node");
        node.arg(file("benches/latency/peer.mjs"));
        node
    };
    Some(Peer { name: "Node.js", kind: Kind::Program(Box::new(command)) })
}

fn go() -> Option<Peer> {
    let program = build_go("latency-go", |go| go.arg(file("benches/latency/peer.go")))?;
    Some(Peer { name: "Go net/http", kind: Kind::Program(Box::new(move || Command::new(&program))) })
}

/// Builds the Go driver of the test suite `peers`, which contains grpc-go; its modules are downloaded.
fn grpc_go() -> Option<Peer> {
    let program = build_go("latency-grpc-go", |go| go.arg(".").current_dir(file("tests/peers/go")))?;
    let command = move || {
        let mut driver = Command::new(&program);
        driver.arg("latency");
        driver
    };
    Some(Peer { name: "grpc-go", kind: Kind::Program(Box::new(command)) })
}

/// Builds a Go program from the sources that `sources` adds to the command.
fn build_go(name: &str, sources: impl FnOnce(&mut Command) -> &mut Command) -> Option<PathBuf> {
    let Some(mut go) = find("go") else {
        skip("go is missing: 1.26 or later is needed (https://go.dev/dl)");
        return None;
    };
    let program = peers_folder().join(name);
    let built = run(sources(go.env("GOFLAGS", "").args(["build", "-o"]).arg(&program)));
    if built.code != Some(0) {
        skip(&format!("Go cannot build {name} (1.26 or later is needed): {}", built.stderr));
        return None;
    }
    Some(program)
}

impl Peer {
    /// Starts the peer's server, and returns its URL.
    pub(crate) fn serve(&self) -> (Process, String) {
        match &self.kind {
            Kind::Program(command) => Process::start_listening(command().arg("serve")),
            Kind::Nghttp2(folder) => {
                nghttpd(folder.path(), &["--echo-upload"]).expect("nghttpd was found before")
            }
        }
    }

    /// Returns whether the peer's server supports the case: `nghttpd` echoes content only once it is complete.
    pub(crate) fn serves(&self, case: Case) -> bool {
        case != Case::PingPong || matches!(self.kind, Kind::Program(_))
    }

    /// Measures with the peer's client, if it supports the case.
    pub(crate) fn measure(&self, case: Case, url: &str, count: u32) -> Option<Result<Latency>> {
        let url = format!("{url}{}", case.path());
        match &self.kind {
            Kind::Program(command) => {
                let finished = run(command().args([case.name(), &url, &count.to_string()]));
                Some(
                    ensure_success(finished.code, &finished.stderr)
                        .and_then(|()| Latency::read(&String::from_utf8_lossy(&finished.stdout))),
                )
            }
            Kind::Nghttp2(_) if case == Case::PingPong => None,
            Kind::Nghttp2(folder) => Some(h2load(folder.path(), case, &url, count)),
        }
    }
}

/// Runs `h2load`, which logs a line per request: the time it was sent, its status, and its duration in microseconds.
fn h2load(folder: &Path, case: Case, url: &str, count: u32) -> Result<Latency> {
    let log = folder.join("log");
    // h2load appends to its log.
    _ = fs::remove_file(&log);
    let mut h2load = Command::new("h2load");
    h2load.args(["-c1", "-m1", &format!("-n{count}"), &format!("--log-file={}", log.display())]);
    if case == Case::Post {
        h2load.arg("-d").arg(folder.join("content"));
    }
    let finished = run(h2load.arg(url));
    ensure_success(finished.code, &finished.stderr)?;
    let lines = fs::read_to_string(&log)?;
    let times: Vec<&str> = lines.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    Latency::read(&times.join("\n"))
}

fn ensure_success(code: Option<i32>, stderr: &str) -> Result<()> {
    ensure!(code == Some(0), "{stderr}");
    Ok(())
}
