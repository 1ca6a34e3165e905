//! curl.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tempfile::TempDir;

use super::{client, deadline, program, repeat, size, unknown, zeros};
use crate::peer::{Attempt, Peer, Report};
use crate::process;

const CASES: &[&str] = &["get", "post", "download", "download-slow", "upload", "cancel", "refuse", "expect"];

/// The figures printed for each transfer.
const FIGURES: &str = "%{http_code} %{size_download}\\n";

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let found = program("curl", "curl")?;
    let peer = |config, parallel, cases: &'static [&'static str]| {
        let curl = Curl { program: found.clone(), parallel };
        client("curl", config, cases, Box::new(move |attempt| repeat(attempt, || curl.play(attempt))))
    };
    let mut peers = vec![
        peer("default", None, CASES),
        // The most concurrent transfers that curl allows. With prior knowledge, curl 7.88 fails on a reused
        // connection (curl/curl#10634), so each transfer has its own; the peer `libcurl` uses one connection.
        peer("awkward", Some(300), &["get", "post", "refuse"]),
    ];
    let reason = "curl 7.88 hangs or fails when a response with status 200 ends before its upload; with Go's server, too";
    peers[0].omitted.push(("early".to_owned(), reason.to_owned()));
    Ok(peers)
}

/// curl with a number of concurrent transfers.
struct Curl {
    program: PathBuf,
    parallel: Option<usize>,
}

/// The expected result of transfers.
#[derive(Clone, Copy)]
struct Wanted {
    status: u64,
    bytes: Option<u64>,
}

impl Curl {
    fn play(&self, attempt: &Attempt) -> Result<Report> {
        let folder = TempDir::new()?;
        let file = |bytes| zeros(&folder, bytes);
        let wanted = |status, bytes| Wanted { status, bytes };
        let megabyte = Some(file(1_000_000)?);
        match attempt.case {
            "get" => self.transfers(attempt, "/", &[], None, wanted(200, None)),
            "post" => self.transfers(attempt, "/echo", &["-d", "hello"], None, wanted(200, Some(5))),
            "download" => self.download(attempt, size(attempt, 200_000_000), &[]),
            // In long runs, it takes a minute.
            "download-slow" => {
                let bytes = 1_000_000 * attempt.seconds.clamp(2, 60);
                self.download(attempt, bytes, &["--limit-rate", "1000000"])
            }
            "upload" => {
                let file = Some(file(size(attempt, 100_000_000))?);
                self.transfers(attempt, "/", &["-H", "Expect:"], file, wanted(200, None))
            }
            // This case fails unless the answer arrives before curl continues on its own.
            "expect" => {
                let options = ["-H", "Expect: 100-continue", "--expect100-timeout", "30", "--max-time", "20"];
                self.transfers(attempt, "/", &options, megabyte, wanted(200, None))
            }
            "refuse" => self.transfers(attempt, "/refuse", &[], megabyte, wanted(401, None)),
            "cancel" => self.cancel(attempt),
            _ => unknown(attempt),
        }
    }

    /// Makes `count` transfers in one call, as many as run concurrently; each uploads the file, if there is
    /// one.
    fn transfers(
        &self,
        attempt: &Attempt,
        path: &str,
        options: &[&str],
        file: Option<PathBuf>,
        wanted: Wanted,
    ) -> Result<Report> {
        let count = self.parallel.unwrap_or(1);
        let mut curl = self.command();
        curl.args(["-w", FIGURES]).args(options);
        if let Some(file) = &file {
            curl.arg("--data-binary").arg(format!("@{}", file.display()));
        }
        for _ in 0..count {
            curl.args(["-o", "/dev/null"]).arg(format!("{}{path}", attempt.url));
        }
        let said = process::run(&mut curl, deadline(attempt))?.success()?.stdout;
        let uploaded = file.map_or(Ok(0), |file| file.metadata().map(|file| file.len()))?;
        let mut report = Report::default();
        for line in said.lines() {
            let mut figures = line.split(' ').map(str::parse::<u64>);
            let (Some(Ok(status)), Some(Ok(bytes))) = (figures.next(), figures.next()) else {
                bail!("curl printed no figures: {line}");
            };
            ensure!(status == wanted.status, "{line}: expected status {}", wanted.status);
            ensure!(
                wanted.bytes.is_none_or(|wanted| wanted == bytes),
                "{line}: expected {:?} bytes",
                wanted.bytes
            );
            report.requests += 1;
            report.bytes += bytes + uploaded;
        }
        ensure!(report.requests == count as u64, "{} transfers of {count}", report.requests);
        Ok(report)
    }

    fn download(&self, attempt: &Attempt, bytes: u64, options: &[&str]) -> Result<Report> {
        let wanted = Wanted { status: 200, bytes: Some(bytes) };
        self.transfers(attempt, &format!("/bytes/{bytes}"), options, None, wanted)
    }

    /// Kills downloads; the server must still answer others.
    fn cancel(&self, attempt: &Attempt) -> Result<Report> {
        for _ in 0..5 {
            let mut curl = self.command();
            curl.args(["-o", "/dev/null"]).arg(format!("{}/endless", attempt.url));
            process::run_and_kill(&mut curl, Duration::from_millis(200))?;
        }
        self.transfers(attempt, "/", &[], None, Wanted { status: 200, bytes: None })
    }

    fn command(&self) -> Command {
        let mut curl = Command::new(&self.program);
        curl.args(["--silent", "--show-error", "--no-progress-meter", "--http2-prior-knowledge"]);
        if let Some(parallel) = self.parallel {
            curl.args(["--parallel", "--parallel-immediate", "--parallel-max", &parallel.to_string()]);
        }
        curl
    }
}
