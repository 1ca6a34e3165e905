//! How long a message takes to the other side and back, one at a time: our client with each server that is installed, each
//! client that is installed with our server, and beside them that peer's own client with its own server.
//!
//! With Nagle's algorithm and a delayed ACK in its way, a message takes 40 ms instead of a fraction of one.

mod peers;

#[path = "../../tests/interop/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;

use std::io::Write;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use wasi_http2::{Composition, Invocation, Network, Program, Runtime, components};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::peers::Peer;
use crate::support::{Process, Serve, run};

/// What is measured.
const CASES: [Case; 3] = [Case::Get, Case::Post, Case::PingPong];

/// Round trips at the beginning that do not count: those include the connection.
const WARM_UP: usize = 10;

/// Measures the latency of small messages, one at a time
#[derive(Parser)]
#[command(bin_name = "cargo bench -p wasi-http2 --bench latency --profile dev --")]
struct Options {
    /// Round trips of each case
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(20..))]
    round_trips: u32,

    /// A tenth as many
    #[arg(long)]
    quick: bool,

    /// What Cargo says to a benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Get,
    /// 5 bytes, which come back.
    Post,
    /// 5 bytes there and back, again and again on one stream.
    PingPong,
}

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::PingPong => "ping-pong",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Get => "/",
            Self::Post | Self::PingPong => "/echo",
        }
    }
}

/// Microseconds that round trips take.
struct Latency {
    median: u64,
    p99: u64,
}

impl Latency {
    /// Of the times that a client has told, one a line.
    fn read(lines: &str) -> Result<Self> {
        let mut times: Vec<u64> = lines.lines().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(times.len() > WARM_UP, "too few round trips: {lines}");
        times.drain(..WARM_UP);
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() - 1) * percent / 100).copied().unwrap_or_default();
        Ok(Self { median: at(50), p99: at(99) })
    }
}

/// Our client, compiled.
struct OurClient(Program);

impl OurClient {
    fn compile() -> Result<Self> {
        let component = Composition::default().compose(components::ROUND_TRIPS)?;
        Ok(Self(Runtime::new()?.load(&component)?))
    }

    fn measure(&self, case: Case, url: &str, count: u32) -> Result<Latency> {
        let address = url.strip_prefix("http://").context("a URL of http")?;
        let stdout = MemoryOutputPipe::new(16 << 20);
        let invocation = Invocation::new("round-trips")
            .args([address, case.name(), case.path(), &count.to_string()])
            .network(Network::Connect)
            .stdout(stdout.clone())
            .stderr(wasmtime_wasi::cli::stderr());
        let outcome = tokio::runtime::Runtime::new()?.block_on(self.0.run(invocation))?;
        ensure!(outcome.is_success(), "round-trips: {outcome}");
        Latency::read(str::from_utf8(&stdout.contents())?)
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let count = if options.quick { options.round_trips.div_ceil(10).max(20) } else { options.round_trips };
    let ours = OurClient::compile()?;
    let peers: Vec<Peer> = peers::installed();
    println!("Microseconds of {count} round trips, median / 99th percentile:\n");
    println!("| client → server | GET | POST of 5 bytes | ping-pong of 5 bytes |");
    println!("|---|--:|--:|--:|");
    let serve = Serve::start();
    row("ours → ours", |case| Some(ours.measure(case, &serve.url(""), count)))?;
    for peer in &peers {
        let name = peer.name;
        let (_server, url) = peer.serve();
        row(&format!("ours → {name}"), |case| peer.serves(case).then(|| ours.measure(case, &url, count)))?;
        row(&format!("{name} → ours"), |case| peer.measure(case, &serve.url(""), count))?;
        row(&format!("{name} → {name}"), |case| {
            peer.serves(case).then(|| peer.measure(case, &url, count)).flatten()
        })?;
    }
    ensure!(serve.stop().code == Some(0), "the server has not drained");
    Ok(())
}

/// Prints a row of the table, and what is being measured as long as that lasts.
fn row(title: &str, mut measure: impl FnMut(Case) -> Option<Result<Latency>>) -> Result<()> {
    let mut cells = Vec::new();
    for case in CASES {
        eprint!("\r{title}: {} …        \r", case.name());
        std::io::stderr().flush()?;
        cells.push(match measure(case).transpose().with_context(|| format!("{title}: {}", case.name()))? {
            Some(Latency { median, p99 }) => format!("{median} / {p99}"),
            None => "–".to_owned(),
        });
    }
    println!("| {title} | {} |", cells.join(" | "));
    Ok(())
}
