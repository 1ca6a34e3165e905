//! Measures the round-trip time of small messages, one at a time.
//!
//! The pairs are our client with each installed server, each installed client with our server, and for comparison that
//! peer's own client with its own server.
//!
//! If Nagle's algorithm and a delayed ACK get in its way, a message takes 40 ms instead of a fraction of one.

mod peers;

use std::io::Write;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use host_tests::guests;
use host_tests::support::{Process, Serve, run};
use wasi_http2::compose::with_client;
use wasi_http2::{Composition, Invocation, Network, Program, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::peers::Peer;

/// The HTTP cases and the gRPC cases.
const HTTP: &[Case] = &[Case::Get, Case::Post, Case::PingPong];
const GRPC: &[Case] = &[Case::Call, Case::Messages];

/// How many initial round trips are discarded, because they include connection setup.
const WARM_UP: usize = 10;

/// Measure the round-trip time of small messages, one at a time
#[derive(Parser)]
#[command(bin_name = "cargo bench -p host-tests --bench latency --profile dev --")]
struct Options {
    /// Number of round trips per case
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(20..))]
    round_trips: u32,

    /// Run a tenth of the round trips
    #[arg(long)]
    quick: bool,

    /// Passed by Cargo to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Get,
    /// A request with 5 bytes of content, which the server echoes.
    Post,
    /// 5 bytes there and back, repeatedly on one stream.
    PingPong,
    /// A unary gRPC call with 5 bytes in both directions.
    Call,
    /// Messages of 5 bytes there and back, on one gRPC stream.
    Messages,
}

impl Case {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::PingPong => "ping-pong",
            Self::Call => "call",
            Self::Messages => "messages",
        }
    }

    /// The title of the case's column.
    fn title(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST of 5 bytes",
            Self::PingPong => "ping-pong of 5 bytes",
            Self::Call => "unary call",
            Self::Messages => "messages on one stream",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Get => "/",
            Self::Post | Self::PingPong => "/echo",
            Self::Call | Self::Messages => "",
        }
    }
}

/// Round-trip times in microseconds.
struct Latency {
    median: u64,
    p99: u64,
}

impl Latency {
    /// Parses the times that a client printed, one per line.
    fn read(lines: &str) -> Result<Self> {
        let mut times: Vec<u64> = lines.lines().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(times.len() > WARM_UP, "too few round trips: {lines}");
        times.drain(..WARM_UP);
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() - 1) * percent / 100).copied().unwrap_or_default();
        Ok(Self { median: at(50), p99: at(99) })
    }
}

/// One of our clients, compiled.
enum OurClient {
    /// Uses the blocking calls of `http2:engine`.
    Http(Program),
    /// Uses tonic over `http2_client.wasm`.
    Grpc(Program),
}

impl OurClient {
    fn http() -> Result<Self> {
        let component = Composition::default().compose(guests::ROUND_TRIPS)?;
        Ok(Self::Http(Runtime::new()?.load(&component)?))
    }

    fn grpc() -> Result<Self> {
        Ok(Self::Grpc(Runtime::new()?.load(&with_client(guests::GRPC_CLIENT)?)?))
    }

    fn measure(&self, case: Case, url: &str, count: u32) -> Result<Latency> {
        let address = url.strip_prefix("http://").context("the URL is not http")?;
        let count = count.to_string();
        let (program, args) = match self {
            Self::Http(program) => (program, [address, case.name(), case.path(), &count]),
            Self::Grpc(program) => (program, [url, "latency", case.name(), &count]),
        };
        let stdout = MemoryOutputPipe::new(16 << 20);
        let invocation = Invocation::new("client")
            .args(args)
            .network(Network::Connect)
            .stdout(stdout.clone())
            .stderr(wasmtime_wasi::cli::stderr());
        let outcome = tokio::runtime::Runtime::new()?.block_on(program.run(invocation))?;
        ensure!(outcome.is_success(), "our client: {outcome}");
        Latency::read(str::from_utf8(&stdout.contents())?)
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let count = if options.quick { options.round_trips.div_ceil(10).max(20) } else { options.round_trips };
    println!("Round-trip times in microseconds over {count} round trips, median / 99th percentile.\n");
    table(HTTP, count, &OurClient::http()?, Serve::start(), &peers::installed())?;
    println!("\ngRPC; ours is tonic over http2_client.wasm and behind http2_server.wasm:\n");
    let serve = Serve::start_handler(guests::GRPC_SERVICE, &[]);
    table(GRPC, count, &OurClient::grpc()?, serve, &peers::grpc_installed())
}

/// Prints a table, with a row for each pair of a client and a server.
fn table(cases: &[Case], count: u32, ours: &OurClient, serve: Serve, peers: &[Peer]) -> Result<()> {
    let titles: Vec<_> = cases.iter().map(|case| case.title()).collect();
    println!("| client → server | {} |", titles.join(" | "));
    println!("|---|{}", "--:|".repeat(cases.len()));
    row(cases, "ours → ours", |case| Some(ours.measure(case, &serve.url(""), count)))?;
    for peer in peers {
        let name = peer.name;
        let (_server, url) = peer.serve();
        row(cases, &format!("ours → {name}"), |case| {
            peer.serves(case).then(|| ours.measure(case, &url, count))
        })?;
        row(cases, &format!("{name} → ours"), |case| peer.measure(case, &serve.url(""), count))?;
        row(cases, &format!("{name} → {name}"), |case| {
            peer.serves(case).then(|| peer.measure(case, &url, count)).flatten()
        })?;
    }
    ensure!(serve.stop().code == Some(0), "the server has not drained");
    Ok(())
}

/// Measures and prints a row of a table, and shows the current measurement meanwhile.
fn row(cases: &[Case], title: &str, mut measure: impl FnMut(Case) -> Option<Result<Latency>>) -> Result<()> {
    let mut cells = Vec::new();
    for &case in cases {
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
