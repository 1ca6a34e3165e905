//! Code shared by all proxies.
//!
//! A proxy is a client if it uses HTTP/2 towards our server behind it, and a server for our client, with
//! Node's HTTP/1.1 server behind it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{client, deadline, h2load, on_free_port, program, repeat, server};
use crate::node;
use crate::peer::{Attempt, Listening, Peer, Report};
use crate::process;

/// The address of the server behind a proxy, as in `127.0.0.1:8080`.
pub(crate) enum Behind<'a> {
    Http1(&'a str),
    Http2(&'a str),
}

/// The parameters for starting a proxy.
pub(crate) struct Place<'a> {
    pub(crate) program: &'a Path,
    /// A folder for its files.
    pub(crate) folder: &'a Path,
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    pub(crate) behind: &'a Behind<'a>,
    /// Whether to use the awkward configuration.
    pub(crate) is_awkward: bool,
}

impl Place<'_> {
    /// Whether it should allow few streams: our client retries requests refused before SETTINGS arrive, but
    /// h2load does not.
    pub(crate) fn allows_few_streams(&self) -> bool {
        self.is_awkward && matches!(self.behind, Behind::Http1(_))
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A call of the program, with the folder as its home.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(variable, self.folder);
        }
        command
    }
}

/// A proxy.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    /// The cases of our server behind it; none if it does not use HTTP/2 towards servers.
    pub(crate) before_ours: &'static [&'static str],
    /// The cases of our client.
    pub(crate) serves: &'static [&'static str],
    /// Cases that it fails through its own fault, each with the reason.
    pub(crate) omitted: &'static [(&'static str, &'static str)],
    /// Creates a call of the program.
    pub(crate) command: fn(&Place) -> Result<Command>,
}

/// All cases that run through a proxy.
pub(crate) const BEFORE_OURS: &[&str] =
    &["get", "post", "download", "upload", "refuse", "early", "cancel", "cancel-beside"];

/// All cases of our client, except 1,000 concurrent endless responses, which are too many for the HTTP/1.1
/// server behind.
pub(crate) const SERVES: &[&str] = &["get", "post", "download", "upload", "refuse", "early"];

impl Proxy {
    /// Creates the proxy as a peer, in both roles and both configurations.
    pub(crate) fn peers(self) -> Result<Vec<Peer>> {
        let origin = node::driver()?;
        let proxy = Arc::new(self);
        let mut peers = Vec::new();
        for (config, is_awkward) in [("default", false), ("awkward", true)] {
            let before = proxy.clone();
            let play = move |attempt: &Attempt| before.play(attempt, is_awkward);
            let front = proxy.clone();
            let origin = origin.clone();
            let start = move || {
                let origin = origin.server(&["http1-origin", "default"])?;
                let behind = Behind::Http1(origin.url.trim_start_matches("http://"));
                let mut listening = front.start(&behind, is_awkward)?;
                listening.behind.push(Box::new(origin));
                Ok(listening)
            };
            let mut both = vec![
                client(proxy.name, config, proxy.before_ours, Box::new(play)),
                server(proxy.name, config, proxy.serves, Box::new(start)),
            ];
            for peer in &mut both {
                let omitted =
                    proxy.omitted.iter().filter(|(case, _)| peer.cases.iter().any(|its| its == case));
                peer.omitted = omitted.map(|&(case, reason)| (case.to_owned(), reason.to_owned())).collect();
                peer.cases.retain(|case| proxy.omitted.iter().all(|(omitted, _)| omitted != case));
            }
            peers.extend(both.into_iter().filter(|peer| !peer.cases.is_empty()));
        }
        Ok(peers)
    }

    /// Runs a case through the proxy, in front of our server.
    fn play(&self, attempt: &Attempt, is_awkward: bool) -> Result<Report> {
        let behind = Behind::Http2(attempt.url.trim_start_matches("http://"));
        let front = self.start(&behind, is_awkward)?;
        let report = drive(&Attempt { url: &front.url, ..*attempt });
        report.with_context(|| format!("{}: {}", self.name, front.server.lines().join(" | ")))
    }

    /// Starts the proxy, in a new folder.
    fn start(&self, behind: &Behind, is_awkward: bool) -> Result<Listening> {
        let folder = TempDir::new()?;
        let mut listening = on_free_port(|port| {
            let (program, folder) = (&self.program, folder.path());
            (self.command)(&Place { program, folder, port, behind, is_awkward })
        })?;
        listening.behind.push(Box::new(folder));
        Ok(listening)
    }
}

/// Runs a case with other tools that send requests to the proxy.
fn drive(attempt: &Attempt) -> Result<Report> {
    match attempt.case {
        "cancel" => repeat(attempt, || cancel(attempt)),
        "cancel-beside" => cancel_beside(attempt),
        _ => h2load::play(h2load::command()?, attempt),
    }
}

/// Kills clients with 50 requests each; others must still be answered.
fn cancel(attempt: &Attempt) -> Result<Report> {
    for _ in 0..4 {
        let mut h2load = h2load::command()?;
        h2load.args(["-n", "50", "-m", "50", &format!("{}/endless", attempt.url)]);
        process::run_and_kill(&mut h2load, Duration::from_millis(300))?;
    }
    let mut h2load = h2load::command()?;
    h2load.args(["-n", "50", "-m", "10", &format!("{}/", attempt.url)]);
    h2load::run(&mut h2load, deadline(attempt), "2xx")
}

/// Keeps a long download running, while other clients are killed.
fn cancel_beside(attempt: &Attempt) -> Result<Report> {
    let seconds = attempt.seconds.max(3);
    let bytes = 1_000_000 * seconds;
    let mut curl = Command::new(program("curl", "curl")?);
    curl.args(["--silent", "--show-error", "--http2-prior-knowledge", "--limit-rate", "1000000"]);
    curl.arg(format!("{}/bytes/{bytes}", attempt.url));
    let end = deadline(attempt);
    let long = thread::spawn(move || process::run(&mut curl, end));
    let started = Instant::now();
    let mut sum = Report::default();
    while started.elapsed() < Duration::from_secs(seconds) {
        sum.requests += cancel(attempt)?.requests;
    }
    let long = long.join().expect("the download does not panic")?.success()?;
    ensure!(long.stdout_bytes == bytes, "{} bytes instead of {bytes}", long.stdout_bytes);
    sum.bytes += bytes;
    Ok(sum)
}
