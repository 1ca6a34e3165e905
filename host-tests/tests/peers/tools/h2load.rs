//! h2load, of nghttp2, which also sends requests through proxies.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{client, deadline, program, unknown, zeros};
use crate::peer::{Attempt, Peer, Report};
use crate::process;

const CASES: &[&str] = &["get", "post", "download", "upload", "refuse", "early", "soak"];

pub(crate) fn peers() -> Result<Vec<Peer>> {
    program("h2load", "nghttp2-client")?;
    // Windows of 2^N − 1 bytes for streams and the connection, and the size of the dynamic table.
    let configs: [(&str, &[&str]); 4] = [
        ("default", &[]),
        ("awkward", &["-w", "10", "-W", "16", "--header-table-size=0", "--encoder-header-table-size=0"]),
        ("huge", &["-w", "30", "-W", "30", "--header-table-size=1m", "--encoder-header-table-size=1m"]),
        ("connections", &["-c", "50", "-t", "2"]),
    ];
    let peer = |(config, options): (_, &'static [&'static str])| {
        let play = move |attempt: &Attempt| {
            let mut h2load = command()?;
            h2load.args(options);
            play(h2load, attempt)
        };
        // Each connection makes at least one request, and 50 large ones take long.
        let cases: Vec<_> =
            CASES.iter().filter(|case| config != "connections" || !is_large(case)).copied().collect();
        client("h2load", config, &cases, Box::new(play))
    };
    Ok(configs.into_iter().map(peer).collect())
}

/// Runs a case with h2load, whose other options are already set.
pub(crate) fn play(mut h2load: Command, attempt: &Attempt) -> Result<Report> {
    let folder = TempDir::new()?;
    let (path, content, status) = match attempt.case {
        "get" | "soak" => ("/", None, "2xx"),
        "post" => ("/echo", Some(5), "2xx"),
        "download" => ("/bytes/16000000", None, "2xx"),
        "upload" => ("/", Some(16_000_000), "2xx"),
        "refuse" => ("/refuse", Some(1_000_000), "4xx"),
        "early" => ("/early", Some(1_000_000), "2xx"),
        _ => return unknown(attempt),
    };
    if let Some(bytes) = content {
        h2load.arg("-d").arg(zeros(&folder, bytes)?);
    }
    let is_large = is_large(attempt.case);
    let at_a_time = if is_large { 2 } else { attempt.at_a_time };
    h2load.args(["-m", &at_a_time.to_string()]);
    match attempt.seconds {
        0 => {
            let count = if is_large {
                "2"
            } else if content > Some(5) {
                "100"
            } else {
                "1000"
            };
            h2load.args(["-n", count])
        }
        seconds => h2load.args(["-D", &seconds.to_string()]),
    };
    h2load.arg(format!("{}{path}", attempt.url));
    run(&mut h2load, deadline(attempt), status)
}

/// Runs h2load, all of whose requests must end with this status.
pub(crate) fn run(h2load: &mut Command, deadline: Duration, status: &str) -> Result<Report> {
    let said = process::run(h2load, deadline)?.success()?.stdout;
    report(&said, status).with_context(|| said.trim().to_owned())
}

/// Creates a call of h2load, for other tools.
pub(crate) fn command() -> Result<Command> {
    program("h2load", "nghttp2-client").map(Command::new)
}

/// Whether a case has few, large transfers.
fn is_large(case: &str) -> bool {
    matches!(case, "download" | "upload")
}

/// Parses the summary: all responses must have this status, also those that the end of the time cut off.
fn report(said: &str, status: &str) -> Result<Report> {
    let line = |name: &str| said.lines().find(|line| line.starts_with(name)).context("no summary");
    let (requests, statuses, traffic) = (line("requests:")?, line("status codes:")?, line("traffic:")?);
    let done = number(requests, "done")?;
    let others = ["2xx", "3xx", "4xx", "5xx"].into_iter().filter(|other| *other != status);
    let others = others.map(|other| number(statuses, other)).sum::<Result<u64>>()?;
    ensure!(
        done > 0 && number(statuses, status)? >= done && others == 0,
        "not all responses have status {status}"
    );
    for failure in ["errored", "timeout"] {
        ensure!(number(requests, failure)? == 0, "some requests failed");
    }
    let bytes = traffic.rsplit_once('(').and_then(|(_, bytes)| bytes.split(')').next()?.parse().ok());
    Ok(Report { requests: done, bytes: bytes.unwrap_or_default() })
}

/// Returns the number before a word, as in `1000 done,`.
fn number(line: &str, word: &str) -> Result<u64> {
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|&other| other == word).context("the summary lacks a figure")?;
    at.checked_sub(1).and_then(|before| words.get(before)?.parse().ok()).context("no number")
}
