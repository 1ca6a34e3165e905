//! Measures the CPU time and the memory of HTTP/2 servers under the same loads, and prints a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use serde::Serialize;

/// Measures the CPU time and the memory of HTTP/2 servers under the same loads.
///
/// Each server runs on the first core, and the load (h2load) on the second. CPU time is the operating system's
/// account of the server's threads. The table shows the median of the rounds, and in brackets the ratio to h2.
///
/// Needs h2load (Debian: nghttp2-client) and taskset (util-linux). h2o and nghttpd are measured if they are installed.
#[derive(Parser)]
struct Options {
    /// Rounds; each measures every server once.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A tenth of the requests, and one round.
    #[arg(long)]
    quick: bool,
    /// A program to measure in addition, built elsewhere; it prints its address.
    #[arg(long, value_name = "NAME=PROGRAM")]
    also: Vec<String>,
    /// File for the results.
    #[arg(long, value_name = "FILE", default_value = "target/servers.json")]
    json: PathBuf,
}

/// A load, and the unit of its result.
struct Load {
    name: &'static str,
    /// Options of h2load, without the number of requests.
    options: &'static [&'static str],
    path: &'static str,
    requests: u32,
    /// Whether a result is the CPU time of a GB instead of that of a request.
    bytes: bool,
}

const MIB: u32 = 1 << 20;
const LOADS: [Load; 5] = [
    Load {
        name: "small, 100 at once, us",
        options: &["-c1", "-m100"],
        path: "/",
        requests: 300_000,
        bytes: false,
    },
    Load {
        name: "small, 10 × 10, us",
        options: &["-c10", "-m10"],
        path: "/",
        requests: 300_000,
        bytes: false,
    },
    Load {
        name: "small, one at a time, us",
        options: &["-c1", "-m1"],
        path: "/",
        requests: 30_000,
        bytes: false,
    },
    Load {
        name: "1 MiB down, s/GB",
        options: &["-c1", "-m10"],
        path: "/bytes/1048576",
        requests: 2_000,
        bytes: true,
    },
    Load {
        name: "1 MiB up, s/GB",
        options: &["-c1", "-m10", "-d"],
        path: "/echo",
        requests: 2_000,
        bytes: true,
    },
];
const IDLE: &str = "idle connection, KiB";
const OPEN: &str = "open stream, KiB";

/// The results of one server by measure, one a round.
type Results = BTreeMap<&'static str, Vec<f64>>;

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.quick {
        options.rounds = 1;
    }
    let place = tempfile::tempdir()?;
    let content = place.path().join("content");
    fs::write(&content, vec![0; MIB as usize])?;
    let mut servers = servers(place.path(), &options.also)?;
    let mut all: Vec<(String, Results)> =
        servers.iter().map(|server| (server.name.clone(), Results::new())).collect();
    for round in 1..=options.rounds {
        for (server, (name, results)) in servers.iter_mut().zip(&mut all) {
            progress(&format!("round {round} of {}: {name}", options.rounds));
            measure(server, results, &content, options.quick).with_context(|| name.clone())?;
        }
    }
    progress("");
    println!("{}", table(&all));
    save(&all, &options.json)
}

/// A server to measure.
struct Server {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    /// The address, unless the server prints it.
    address: Option<SocketAddr>,
    /// The paths that it serves.
    paths: &'static [&'static str],
}

/// Returns the servers of this package, and those that are installed.
fn servers(place: &Path, also: &[String]) -> Result<Vec<Server>> {
    let here = std::env::current_exe()?;
    let ours = |name: &str, program: PathBuf| Server {
        name: name.to_owned(),
        program,
        arguments: Vec::new(),
        address: None,
        paths: &["/", "/bytes/1048576", "/echo"],
    };
    let mut servers: Vec<_> = ["h2", "http2-tokio", "h2-drop-in", "hyper", "http2-hyper", "hyper-drop-in"]
        .into_iter()
        .map(|name| ours(name, here.with_file_name(name)))
        .collect();
    for other in also {
        let (name, program) = other.split_once('=').context("--also NAME=PROGRAM")?;
        servers.push(ours(name, program.into()));
    }
    let files = place.join("files");
    fs::create_dir_all(files.join("bytes"))?;
    fs::write(files.join("index.html"), "hello")?;
    fs::write(files.join("bytes/1048576"), vec![0; MIB as usize])?;
    let port = |offset: u16| SocketAddr::from(([127, 0, 0, 1], 18_000 + offset));
    if let Some(program) = installed("h2o") {
        let config = place.join("h2o.conf");
        let text = format!(
            "num-threads: 1\nlisten: {{host: 127.0.0.1, port: {}}}\nhosts: {{default: {{paths: {{/: {{file.dir: {}}}}}}}}}\n",
            port(1).port(),
            files.display()
        );
        fs::write(&config, text)?;
        let arguments = vec!["-c".to_owned(), config.display().to_string()];
        servers.push(Server {
            name: "h2o".to_owned(),
            program,
            arguments,
            address: Some(port(1)),
            paths: &["/", "/bytes/1048576"],
        });
    }
    if let Some(program) = installed("nghttpd") {
        let arguments = ["--no-tls", "-a", "127.0.0.1", "-d"]
            .map(str::to_owned)
            .into_iter()
            .chain([files.display().to_string(), port(2).port().to_string()]);
        servers.push(Server {
            name: "nghttpd".to_owned(),
            program,
            arguments: arguments.collect(),
            address: Some(port(2)),
            paths: &["/", "/bytes/1048576"],
        });
    }
    Ok(servers)
}

fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A running server, which ends with this value.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    fn start(server: &Server) -> Result<Self> {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(&server.program)
            .args(&server.arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("taskset of util-linux is needed")?;
        let address = match server.address {
            Some(address) => address,
            None => {
                let mut line = String::new();
                let output = child.stdout.take().context("no output")?;
                BufReader::new(output).read_line(&mut line)?;
                line.trim().parse().with_context(|| format!("no address in {line:?}"))?
            }
        };
        let running = Self { child, address };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            ensure!(Instant::now() < deadline, "the server does not listen on {address}");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    /// Returns the CPU time of all threads.
    fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Returns the memory that only this process uses, in KiB.
    fn memory(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line =
            text.lines().find(|line| line.starts_with("Private_Dirty:")).context("no Private_Dirty")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures a server once.
fn measure(server: &Server, results: &mut Results, content: &Path, quick: bool) -> Result<()> {
    let running = Running::start(server)?;
    for load in LOADS.iter().filter(|load| server.paths.contains(&load.path)) {
        let requests = if quick { load.requests / 10 } else { load.requests };
        let before = running.cpu()?;
        let mut command = Command::new("taskset");
        command.args(["-c", "1", "h2load", "-n", &requests.to_string()]).args(load.options);
        if load.options.contains(&"-d") {
            command.arg(content);
        }
        let output = command.arg(format!("http://{}{}", running.address, load.path)).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !text.contains(&format!(" {requests} succeeded")) {
            bail!("{}: not every request succeeded:\n{text}", load.name);
        }
        let cpu = (running.cpu()? - before).as_secs_f64();
        let result = if load.bytes {
            cpu * 1e9 / (f64::from(requests) * f64::from(MIB))
        } else {
            cpu * 1e6 / f64::from(requests)
        };
        results.entry(load.name).or_default().push(result);
    }
    drop(running);
    if server.address.is_none() {
        memory(server, results)?;
    }
    Ok(())
}

/// Measures the memory of idle connections that have served a request, and of streams whose request is incomplete.
fn memory(server: &Server, results: &mut Results) -> Result<()> {
    const CONNECTIONS: u32 = 500;
    const STREAMS: u32 = 100;
    let running = Running::start(server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let before = running.memory()?;
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let socket = tokio::net::TcpStream::connect(running.address).await?;
            let (mut client, connection) = h2::client::handshake(socket).await?;
            tokio::spawn(connection);
            let request = http::Request::get(format!("http://{}/", running.address)).body(())?;
            let mut body = client.send_request(request, true)?.0.await?.into_body();
            while let Some(data) = body.data().await {
                data?;
            }
            clients.push(client);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let idle = running.memory()?;
        results.entry(IDLE).or_default().push((idle - before) / f64::from(CONNECTIONS));
        let mut streams = Vec::new();
        for client in clients.iter_mut().take(100) {
            for _ in 0..STREAMS {
                let request = http::Request::post(format!("http://{}/echo", running.address)).body(())?;
                streams.push(client.send_request(request, false)?);
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let open = running.memory()?;
        results.entry(OPEN).or_default().push((open - idle) / f64::from(100 * STREAMS));
        Ok(())
    })
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns a table in Markdown.
fn table(all: &[(String, Results)]) -> String {
    let mut text = String::from("|");
    for (name, _) in all {
        let _ = write!(text, " | {name}");
    }
    let _ = write!(text, " |\n|---{}|\n", "|---".repeat(all.len()));
    for measure in LOADS.iter().map(|load| load.name).chain([IDLE, OPEN]) {
        let _ = write!(text, "| {measure}");
        let reference =
            all.iter().find(|(name, _)| name == "h2").and_then(|(_, results)| results.get(measure));
        for (_, results) in all {
            match results.get(measure).map(|values| median(values)) {
                Some(value) => {
                    let _ = write!(text, " | {value:.2}");
                    if let Some(reference) = reference {
                        let _ = write!(text, " ({:.2})", value / median(reference));
                    }
                }
                None => text.push_str(" | –"),
            }
        }
        text.push_str(" |\n");
    }
    text
}

#[derive(Serialize)]
struct Record<'a> {
    server: &'a str,
    results: &'a Results,
}

fn save(all: &[(String, Results)], file: &Path) -> Result<()> {
    let records: Vec<_> = all.iter().map(|(server, results)| Record { server, results }).collect();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, serde_json::to_string_pretty(&records)?)?;
    println!("every round: {}", file.display());
    Ok(())
}

/// Shows the progress on a terminal in one line, elsewhere in a line each.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
        let _ = std::io::stderr().flush();
    } else if !text.is_empty() {
        eprintln!("{text}");
    }
}
