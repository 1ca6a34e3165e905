//! Our side: the servers and clients under test, and their reports on ended connections.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use host_tests::guests;
use host_tests::support::command_path;
use tempfile::TempDir;
use wasi_http2::compose::with_client;

use crate::process::Server;

/// The part of this project under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Ours {
    /// `wasi-http2 serve`.
    Serve,
    /// A `wasi:http` handler behind `http2_server.wasm`.
    Http2Server,
    /// The gRPC service behind `http2_server.wasm`.
    GrpcService,
    /// `wasi-http2 get`.
    Get,
    /// `wasi-http2 get --wasi-http`.
    WasiHttp,
    /// The gRPC client over `http2_client.wasm`.
    GrpcClient,
}

impl Ours {
    /// The name on the command line and in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Http2Server => "http2_server",
            Self::GrpcService => "grpc_service",
            Self::Get => "get",
            Self::WasiHttp => "wasi_http",
            Self::GrpcClient => "grpc_client",
        }
    }
}

/// The command under test, and the folder of the guests.
pub(crate) struct Workshop {
    command: PathBuf,
    folder: TempDir,
}

impl Workshop {
    /// Writes the guests to a folder, which will also hold the content of uploads.
    pub(crate) fn new(command: PathBuf) -> Result<Self> {
        let folder = TempDir::new()?;
        let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content);
        write("handler.wasm", guests::HTTP_SERVICE)?;
        write("grpc.wasm", guests::GRPC_SERVICE)?;
        Ok(Self { command, folder })
    }

    /// Returns a file of this many zero bytes.
    pub(crate) fn file(&self, bytes: u64) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{bytes}.bytes"));
        if !path.exists() {
            std::fs::File::create(&path)?.set_len(bytes)?;
        }
        Ok(path)
    }

    /// Creates a call of the command under test.
    pub(crate) fn wasi_http2(&self) -> Command {
        Command::new(&self.command)
    }

    /// Returns the option if the command under test supports it.
    pub(crate) fn supported(&self, subcommand: &str, option: &'static str) -> Result<Option<&'static str>> {
        let help = self.wasi_http2().args([subcommand, "--help"]).output()?;
        Ok(String::from_utf8_lossy(&help.stdout).contains(option).then_some(option))
    }

    /// Starts a server; it ends when the returned value is dropped.
    pub(crate) fn serve(&self, ours: Ours) -> Result<OurServer> {
        let handler = match ours {
            Ours::Serve => None,
            Ours::Http2Server => Some("handler.wasm"),
            Ours::GrpcService => Some("grpc.wasm"),
            Ours::Get | Ours::WasiHttp | Ours::GrpcClient => bail!("{} is no server", ours.name()),
        };
        let mut command = self.wasi_http2();
        command.args(["serve", "--addr", "127.0.0.1:0"]);
        command.args(self.supported("serve", "--log-connections")?);
        if let Some(handler) = handler {
            command.arg("--component").arg(self.folder.path().join(handler));
        }
        if ours == Ours::Http2Server {
            // Otherwise, a call that takes a minute would keep its slot as long, even after its client has
            // cancelled it.
            command.args(["--", "--cancel"]);
        }
        let told = |line: &str| line.split_once("listening on ").map(|(_, address)| address.to_owned());
        let (server, address) = Server::start(&mut command, told)?;
        let address = address.trim_start_matches("http://");
        Ok(OurServer { url: format!("http://{address}"), server })
    }

    /// The guest that calls gRPC servers, over `http2_client.wasm`.
    pub(crate) fn grpc_client(&self) -> Result<Vec<u8>> {
        with_client(guests::GRPC_CLIENT)
    }
}

/// A running server of ours.
pub(crate) struct OurServer {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    server: Server,
}

impl OurServer {
    /// Returns the connections that ended since the last call, and all other lines unchanged.
    pub(crate) fn ended_connections(&self) -> (Vec<Ended>, Vec<String>) {
        sort_lines(self.server.lines())
    }

    /// Fails if the process has ended.
    pub(crate) fn check_running(&mut self) -> Result<()> {
        if !self.server.is_running() {
            bail!("our server has ended");
        }
        Ok(())
    }

    /// Drains the server, and waits for its end.
    pub(crate) fn stop(self) -> Result<()> {
        if !self.server.stop()? {
            bail!("our server's exit code is not 0");
        }
        Ok(())
    }
}

/// The end of a connection, as our side reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// `ok`, or the reason.
    pub(crate) reason: String,
    /// The highest abuse score of the connection.
    pub(crate) score: u64,
    /// The score that ends a connection.
    pub(crate) limit: u64,
}

impl Ended {
    /// Parses `connection from ADDRESS ended: ok; requests 1234, highest abuse score 3 of 2000`, or
    /// `connection to`.
    fn parse(line: &str) -> Option<Self> {
        let (before, end) = line.split_once(" ended: ")?;
        before.contains("connection ").then_some(())?;
        let (reason, figures) = end.rsplit_once("; requests ")?;
        let (score, limit) = figures.rsplit_once("highest abuse score ")?.1.split_once(" of ")?;
        Some(Self {
            reason: reason.to_owned(),
            score: score.parse().ok()?,
            limit: limit.trim().parse().ok()?,
        })
    }

    /// Returns whether the peer may have caused the end by a lapse: OkHttp, for one, says PROTOCOL_ERROR when it closes
    /// a connection that it still reads.
    pub(crate) fn is_tolerable(&self) -> bool {
        self.check().is_ok() || self.reason.starts_with("the peer ended")
    }

    /// Fails if the connection ended with an error, or came near the abuse limit; some peers close without
    /// GOAWAY.
    pub(crate) fn check(&self) -> Result<()> {
        if self.reason != "ok" && !self.reason.starts_with("the transport ended") {
            bail!("a connection ended with an error: {}", self.reason);
        }
        if self.score.saturating_mul(10) > self.limit {
            bail!("the abuse score reached {} of {}", self.score, self.limit);
        }
        Ok(())
    }
}

/// Separates reports on ended connections from other lines.
pub(crate) fn sort_lines(lines: impl IntoIterator<Item = String>) -> (Vec<Ended>, Vec<String>) {
    let (mut ended, mut others) = (Vec::new(), Vec::new());
    for line in lines {
        match Ended::parse(&line) {
            Some(end) => ended.push(end),
            None => others.push(line),
        }
    }
    (ended, others)
}

/// The command of this build, unless the options name another.
pub(crate) fn command(given: Option<&Path>) -> Result<PathBuf> {
    let command = given.map_or_else(command_path, Path::to_owned);
    command.canonicalize().with_context(|| format!("{} is missing", command.display()))
}
