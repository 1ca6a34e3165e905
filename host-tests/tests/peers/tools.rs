//! Peers with their own command line: programs and proxies.

pub(crate) mod apache;
pub(crate) mod caddy;
pub(crate) mod curl;
pub(crate) mod envoy;
pub(crate) mod h2load;
pub(crate) mod h2o;
pub(crate) mod haproxy;
pub(crate) mod lighttpd;
pub(crate) mod nghttp;
pub(crate) mod nghttpd;
pub(crate) mod nghttpx;
pub(crate) mod nginx;
mod proxy;

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use crate::peer::{Attempt, Listening, Peer, PlayClient, Report, Role, StartServer};
use crate::process::Server;

/// The time that a command may take beyond five times the requested seconds.
const SLACK: Duration = Duration::from_secs(60);

/// In runs shorter than this many seconds, large transfers are smaller.
const BRIEF: u64 = 10;

/// Returns the path of a program; an error names the package that contains it.
pub(crate) fn program(name: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian installs servers in folders that are only in the administrator's PATH.
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("{name} is missing (apt-get install {package})"))
}

/// Creates a peer in one configuration.
fn peer(name: &str, config: &str, cases: &[&str], role: Role) -> Peer {
    let cases = cases.iter().map(|&case| case.to_owned()).collect();
    Peer { name: name.to_owned(), config: config.to_owned(), cases, omitted: Vec::new(), role }
}

/// Creates a client in one configuration.
fn client(name: &str, config: &str, cases: &[&str], play: PlayClient) -> Peer {
    peer(name, config, cases, Role::Client(play))
}

/// Creates a server in one configuration.
fn server(name: &str, config: &str, cases: &[&str], start: StartServer) -> Peer {
    peer(name, config, cases, Role::Server(start))
}

/// Starts a server that must be given a port of 127.0.0.1, and waits until it accepts connections.
fn on_free_port(command: impl Fn(u16) -> Result<Command>) -> Result<Listening> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut server = Server::start_silent(&mut command(port)?)?;
    let started = Instant::now();
    while server.is_running() && started.elapsed() < SLACK {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(Listening { url: format!("http://127.0.0.1:{port}"), server, behind: Vec::new() });
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(anyhow!("the server does not listen: {}", server.lines().join(" | ")))
}

/// The deadline of a command that runs for the time of an attempt, or longer on a busy machine.
fn deadline(attempt: &Attempt) -> Duration {
    Duration::from_secs(5 * attempt.seconds) + SLACK
}

/// The size of a large transfer in bytes.
fn size(attempt: &Attempt, full: u64) -> u64 {
    if attempt.seconds < BRIEF { 16_000_000 } else { full }
}

/// Repeats something at least once until the time of an attempt is over; returns the totals.
fn repeat(attempt: &Attempt, mut something: impl FnMut() -> Result<Report>) -> Result<Report> {
    let (started, mut sum) = (Instant::now(), Report::default());
    loop {
        let report = something()?;
        sum.requests += report.requests;
        sum.bytes += report.bytes;
        if started.elapsed() >= Duration::from_secs(attempt.seconds) {
            return Ok(sum);
        }
    }
}

/// Creates a file of this many zero bytes.
fn zeros(folder: &TempDir, bytes: u64) -> Result<PathBuf> {
    let path = folder.path().join(format!("{bytes}.bytes"));
    std::fs::File::create(&path)?.set_len(bytes)?;
    Ok(path)
}

/// Reports a case that a tool does not have.
fn unknown(attempt: &Attempt) -> Result<Report> {
    bail!("no case {:?}", attempt.case)
}
