//! Load tests of this project's servers over TCP, with good clients, slow readers, dying clients and attackers at once.
//!
//! Each server first gets good clients and clients that are killed, and then attackers as well. Good clients must lose
//! no response, their latency at the 99th percentile may at most double, and the server's memory must level off. If a
//! condition is not met, the benchmark prints it and exits with code 1. It needs Linux.

mod attackers;
mod clients;
mod figures;
mod phase;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum};
use host_tests::guests;
use host_tests::support::Serve;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::attackers::{ATTACKS, Attack, Prepared};
use crate::phase::{Phase, Population};

/// Load this project's servers, with attackers and without
#[derive(Parser)]
#[command(bin_name = "cargo bench -p host-tests --bench load --profile dev --")]
struct Options {
    /// Minutes with attackers; a fifth of that time runs before, without them
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,

    /// Total number of concurrent connections
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(20..))]
    connections: u32,

    /// Total requests per second of the busy clients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,

    /// Number of instances of each server
    #[arg(long, default_value_t = 2)]
    workers: u32,

    /// Test only this server; may be repeated
    #[arg(long, value_enum)]
    server: Vec<Server>,

    /// Run only this attack; may be repeated
    #[arg(long, value_parser = PossibleValuesParser::new(ATTACKS.map(|attack| attack.name)))]
    attack: Vec<String>,

    /// Passed by Cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Server {
    /// wasi-http2 serve
    Demonstration,
    /// wasi-http2 serve --component, with a handler of wasi:http
    WasiHttp,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Demonstration => "`wasi-http2 serve`",
            Self::WasiHttp => "a handler behind `http2_server.wasm`",
        }
    }

    fn start(self, options: &[&str]) -> Serve {
        match self {
            Self::Demonstration => Serve::start_with(options),
            Self::WasiHttp => Serve::start_handler(guests::HTTP_SERVICE, options),
        }
    }
}

fn main() -> Result<ExitCode> {
    let mut options = Options::parse();
    raise_limit_of_files()?;
    if options.server.is_empty() {
        options.server = vec![Server::Demonstration, Server::WasiHttp];
    }
    let mut all_well = true;
    for server in &options.server {
        all_well &= options.load(*server)?;
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Options {
    /// Loads one server, and prints the results.
    ///
    /// Returns false if a condition is not met.
    fn load(&self, server: Server) -> Result<bool> {
        let length = Duration::try_from_secs_f64(self.minutes * 60.0).context("--minutes")?;
        let workers = self.workers.to_string();
        let process = server.start(&["--workers", &workers]);
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let population = Population::of(self.connections, self.rate);
        let before = Phase { name: "without attackers", length: length / 5, attacks: None };
        let is_tried =
            |attack: &&Attack| self.attack.is_empty() || self.attack.iter().any(|name| name == attack.name);
        let attacks = ATTACKS.iter().filter(is_tried).map(Prepared::new).collect();
        let during = Phase { name: "with attackers", length, attacks: Some(attacks) };
        let before = tokio.block_on(before.run(server.name(), &process, population))?;
        let during = tokio.block_on(during.run(server.name(), &process, population))?;
        println!("{}, {} instances, {population}:\n", server.name(), self.workers);
        let all_well = figures::print(&before, &during);
        let ended = process.stop();
        anyhow::ensure!(ended.code == Some(0), "the server has not drained: {}", ended.stderr);
        Ok(all_well)
    }
}

/// Raises the limit of open files to the maximum allowed: each connection needs one here and one in the server.
fn raise_limit_of_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files cannot be raised: see `ulimit -Hn`")
}
