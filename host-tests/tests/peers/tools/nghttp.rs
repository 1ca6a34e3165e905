//! nghttp, of nghttp2, with PRIORITY frames for streams without a request.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use super::{client, deadline, program, repeat, size, unknown, zeros};
use crate::peer::{Attempt, Peer, Report};
use crate::process;

const CASES: &[&str] = &["get", "post", "download", "upload", "cancel", "refuse", "early", "expect"];

pub(crate) fn peers() -> Result<Vec<Peer>> {
    let found = program("nghttp", "nghttp2-client")?;
    let peer = |config, options: &'static [&'static str], scale| {
        let nghttp = Nghttp { program: found.clone(), options, scale };
        // If bytes arrive one by one, 10,000 of them take too long.
        let cases = if scale < 10_000 { &CASES[..5] } else { CASES };
        client("nghttp", config, cases, Box::new(move |attempt| repeat(attempt, || nghttp.play(attempt))))
    };
    Ok(vec![
        peer("default", &[], u64::MAX),
        // Windows of 2^1 − 1 bytes, the most padding that a frame can have, and no dynamic table.
        peer("awkward", &["-w", "1", "-W", "1", "-b", "255", "-c", "0", "--continuation"], 2_000),
        peer("padding", &["-b", "255", "--max-concurrent-streams", "1", "--weight", "256"], u64::MAX),
        peer("huge", &["-w", "30", "-W", "30", "-c", "1m", "-c", "0", "-c", "1m", "--no-dep"], u64::MAX),
    ])
}

/// nghttp in one configuration.
struct Nghttp {
    program: PathBuf,
    options: &'static [&'static str],
    /// The longest content in bytes.
    scale: u64,
}

impl Nghttp {
    fn play(&self, attempt: &Attempt) -> Result<Report> {
        let at_a_time = attempt.at_a_time;
        let large = |full| size(attempt, full).min(self.scale);
        match attempt.case {
            "get" => self.requests(attempt, "/", at_a_time, None, 200, None),
            "post" => self.requests(attempt, "/echo", at_a_time, Some(5), 200, Some(5)),
            "download" => {
                let bytes = large(200_000_000);
                self.download(attempt, bytes)
            }
            "upload" => self.requests(attempt, "/", 1, Some(large(100_000_000)), 200, None),
            "refuse" => self.requests(attempt, "/refuse", at_a_time, Some(1_000_000), 401, None),
            "early" => self.requests(attempt, "/early", at_a_time, Some(1_000_000), 200, Some(10_000)),
            "expect" => self.requests(attempt, "/", 1, Some(1_000_000), 200, None),
            "cancel" => self.cancel(attempt),
            _ => unknown(attempt),
        }
    }

    /// Repeats one request on one connection, with this many concurrent ones.
    fn requests(
        &self,
        attempt: &Attempt,
        path: &str,
        count: usize,
        upload: Option<u64>,
        status: u16,
        bytes: Option<u64>,
    ) -> Result<Report> {
        let folder = TempDir::new()?;
        let mut nghttp = self.command(attempt, path, count);
        if let Some(bytes) = upload {
            nghttp.arg("-d").arg(zeros(&folder, bytes)?);
        }
        if attempt.case == "expect" {
            nghttp.arg("--expect-continue");
        }
        // It prints each status, and the bytes of each response.
        let output = process::run(nghttp.arg("-ns"), deadline(attempt))?.success()?;
        let lines: Vec<Vec<&str>> =
            output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        let figures: Vec<_> =
            lines.iter().filter(|words| words.len() == 7 && words[0].parse::<u32>().is_ok()).collect();
        ensure!(
            figures.len() == count,
            "{} responses of {count}: {}{}",
            figures.len(),
            output.stderr,
            output.stdout
        );
        let mut report = Report::default();
        for words in figures {
            ensure!(words[4] == status.to_string(), "expected status {status}: {words:?}");
            // It prints larger sizes in units of 1,024 bytes.
            let told = bytes
                .map(|bytes| if bytes < 1024 { bytes.to_string() } else { format!("{}K", bytes / 1024) });
            ensure!(told.is_none_or(|told| told == words[5]), "expected {bytes:?} bytes: {words:?}");
            report.requests += 1;
            report.bytes += upload.unwrap_or_default() + bytes.unwrap_or_default();
        }
        Ok(report)
    }

    /// Reads one response completely.
    fn download(&self, attempt: &Attempt, bytes: u64) -> Result<Report> {
        let mut nghttp = self.command(attempt, &format!("/bytes/{bytes}"), 1);
        let written = process::run(&mut nghttp, deadline(attempt))?.success()?.stdout_bytes;
        ensure!(written == bytes, "{written} bytes instead of {bytes}");
        Ok(Report { requests: 1, bytes })
    }

    /// Kills a connection with its requests; the server must still answer others.
    fn cancel(&self, attempt: &Attempt) -> Result<Report> {
        for _ in 0..5 {
            let mut nghttp = self.command(attempt, "/endless", 50);
            process::run_and_kill(nghttp.arg("-n"), Duration::from_millis(200))?;
        }
        self.requests(attempt, "/", 1, None, 200, None)
    }

    fn command(&self, attempt: &Attempt, path: &str, count: usize) -> Command {
        let mut nghttp = Command::new(&self.program);
        nghttp.args(self.options).args(["-m", &count.to_string(), &format!("{}{path}", attempt.url)]);
        nghttp
    }
}
