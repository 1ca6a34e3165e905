//! Drivers: programs in other languages that run cases, with the command line described in README.md.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::peer::{Attempt, Listening, Peer, Report, Role};
use crate::process::{self, Server};

/// The time that a driver may take beyond ten times the requested seconds.
const SLACK: Duration = Duration::from_secs(330);

/// A driver that is ready to run.
#[derive(Clone)]
pub(crate) struct Driver {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Driver {
    /// Creates a driver that runs `program` with these arguments, followed by its own.
    pub(crate) fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.into(), arguments }
    }

    /// The peers that the driver lists.
    pub(crate) fn peers(&self) -> Result<Vec<Peer>> {
        let list = process::run(self.command().arg("list"), SLACK)?.success()?.stdout;
        let mut peers = Vec::new();
        for line in list.lines() {
            self.read_line(line, &mut peers).with_context(|| format!("the driver lists {line:?}"))?;
        }
        Ok(peers)
    }

    /// Parses `client NAME CONFIG CASE…`, `server NAME CONFIG CASE…`, or `omit ROLE NAME CONFIG CASE REASON`,
    /// where the reason extends to the end of the line.
    fn read_line(&self, line: &str, peers: &mut Vec<Peer>) -> Result<()> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().context("too few words");
        let kind = word()?;
        if kind == "omit" {
            let (role, name, config, case) = (word()?, word()?, word()?, word()?);
            let reason = words.collect::<Vec<_>>().join(" ");
            let peer = peers.iter_mut().find(|peer| {
                let its_role = if matches!(peer.role, Role::Client(_)) { "client" } else { "server" };
                (its_role, &*peer.name, &*peer.config) == (role, name, config)
            });
            peer.context("no earlier line names the peer")?.omitted.push((case.to_owned(), reason));
            return Ok(());
        }
        let (name, config) = (word()?.to_owned(), word()?.to_owned());
        let cases = words.map(str::to_owned).collect();
        let (driver, peer) = (self.clone(), [name.clone(), config.clone()]);
        let role = match kind {
            "client" => Role::Client(Box::new(move |attempt| driver.client(&peer, attempt))),
            "server" => Role::Server(Box::new(move || driver.server(&peer))),
            _ => return Err(anyhow!("unknown kind")),
        };
        peers.push(Peer { name, config, cases, omitted: Vec::new(), role });
        Ok(())
    }

    fn client(&self, peer: &[String; 2], attempt: &Attempt) -> Result<Report> {
        let mut command = self.command();
        command.arg("client").args(peer).args([attempt.case, attempt.url]);
        command.args([attempt.seconds.to_string(), attempt.at_a_time.to_string()]);
        // Drivers end by themselves, or say where they hang; on a busy machine, some rounds take minutes.
        let deadline = Duration::from_secs(10 * attempt.seconds) + SLACK;
        let output = process::run(&mut command, deadline)?.success()?;
        let line = output.stdout.lines().last().unwrap_or_default();
        let number = |name| {
            number(line, name).with_context(|| format!("the driver reports {line:?}, without {name:?}"))
        };
        Ok(Report { requests: number("requests")?, bytes: number("bytes")? })
    }

    /// Starts a server, given its name and configuration.
    pub(crate) fn server(&self, peer: &[impl AsRef<OsStr>; 2]) -> Result<Listening> {
        let port = |line: &str| line.strip_prefix("PORT ").and_then(|port| port.trim().parse::<u16>().ok());
        let (server, port) = Server::start(self.command().arg("server").args(peer), port)?;
        Ok(Listening { url: format!("http://127.0.0.1:{port}"), server, behind: Vec::new() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

/// Returns a number from a flat JSON object.
fn number(json: &str, name: &str) -> Option<u64> {
    let (_, value) = json.split_once(&format!("\"{name}\""))?;
    let value = value.trim_start().strip_prefix(':')?.trim_start();
    let end = value.find(|character: char| !character.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}
