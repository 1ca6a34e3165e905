//! Cases of our clients against the peers' servers.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use wasi_http2::{Invocation, Network, Runtime};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::cancel::cancel;
use crate::ours::{Ended, Ours, Workshop, sort_lines};
use crate::peer::{Attempt, Report};
use crate::process::{self, Output};

/// The time limit of one call of the client.
const DEADLINE: Duration = Duration::from_secs(900);

/// The public interoperability cases of gRPC, except those that ask the server how many cancelled calls it
/// saw, which require a service of this project.
const GRPC_CASES: &[&str] = &[
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "timeout_on_sleeping_server",
];

/// One of our clients in one case.
pub(crate) struct Client<'a> {
    workshop: &'a Workshop,
    ours: Ours,
    attempt: Attempt<'a>,
    report: Report,
    ended: Vec<Ended>,
}

impl<'a> Client<'a> {
    /// Creates a client for a case.
    pub(crate) fn new(workshop: &'a Workshop, ours: Ours, attempt: Attempt<'a>) -> Self {
        Self { workshop, ours, attempt, report: Report::default(), ended: Vec::new() }
    }

    /// Repeats the case until the time is over; also returns the connections that ended.
    pub(crate) fn run(mut self) -> (Result<Report>, Vec<Ended>) {
        let began = Instant::now();
        loop {
            if let Err(error) = self.round() {
                return (Err(error), self.ended);
            }
            if began.elapsed() >= Duration::from_secs(self.attempt.seconds) {
                return (Ok(self.report), self.ended);
            }
        }
    }

    fn round(&mut self) -> Result<()> {
        let at_a_time = self.attempt.at_a_time;
        let brief = self.attempt.seconds < 10;
        let requests = (100 * at_a_time).min(if brief { 1_000 } else { 10_000 });
        match self.attempt.case {
            "get" => self.load("/", requests, at_a_time, None),
            "post" => self.load("/echo", requests, at_a_time, Some(5)),
            "refuse" => {
                self.single("/refuse", Some(1_000_000), 401, None)?;
                self.load("/refuse", at_a_time * 5, at_a_time, Some(1_000_000))
            }
            "early" => {
                self.single("/early", Some(1_000_000), 200, Some(10_000))?;
                self.load("/early", at_a_time * 5, at_a_time, Some(1_000_000))
            }
            "download" => {
                let bytes = if brief { 16_000_000 } else { 200_000_000 };
                self.single(&format!("/bytes/{bytes}"), None, 200, Some(bytes))
            }
            "upload" => self.upload(if brief { 16_000_000 } else { 100_000_000 }),
            "cancel" => self.cancel(),
            "one-stream" => self.load("/", requests.max(200), 100, None),
            "shutdown" => self.load("/delay/5", requests.max(500), 100, None),
            "grpc-interop" => self.grpc(),
            case => bail!("our client has no case {case:?}"),
        }
    }

    /// Makes many requests; all must succeed.
    fn load(&mut self, path: &str, requests: usize, at_a_time: usize, upload: Option<u64>) -> Result<()> {
        let mut get = self.get(path, upload)?;
        get.args(["-n", &requests.to_string(), "-m", &at_a_time.to_string()]);
        let output = self.call(&mut get)?;
        ensure!(
            output.stdout.contains(&format!("{requests} succeeded, 0 failed")),
            "{}{}",
            output.stderr,
            output.stdout
        );
        self.report.requests += requests as u64;
        self.report.bytes += upload.unwrap_or_default() * requests as u64;
        Ok(())
    }

    /// Makes one request, whose response must have this status and length.
    fn single(&mut self, path: &str, upload: Option<u64>, status: u16, bytes: Option<u64>) -> Result<()> {
        let output = self.call(self.get(path, upload)?.arg("-i"))?;
        let (head, _) = output.stdout.split_once("\r\n\r\n").context("no head")?;
        let its_status = head.lines().next().and_then(|line| line.rsplit(' ').next());
        ensure!(its_status == Some(&*status.to_string()), "expected status {status}: {head}");
        let content = output.stdout_bytes - (head.len() + 4) as u64;
        ensure!(bytes.is_none_or(|bytes| content == bytes), "{content} bytes instead of {bytes:?}");
        self.report.requests += 1;
        self.report.bytes += content + upload.unwrap_or_default();
        Ok(())
    }

    /// Uploads one large request; the server must report its length.
    fn upload(&mut self, bytes: u64) -> Result<()> {
        let output = self.call(&mut self.get("/upload", Some(bytes))?)?;
        let counted = output.stdout.split(|character: char| !character.is_ascii_digit());
        ensure!(
            counted.into_iter().any(|number| number.parse() == Ok(bytes)),
            "the server received {:?} instead of {bytes} bytes",
            output.stdout
        );
        self.report.requests += 1;
        self.report.bytes += bytes;
        Ok(())
    }

    /// Cancels requests, after which the server must still answer; `get` cancels them by closing their
    /// connection.
    fn cancel(&mut self) -> Result<()> {
        if self.ours == Ours::WasiHttp {
            self.report.requests += cancel(self.attempt.url)?;
            return Ok(());
        }
        let mut get = self.get("/endless", None)?;
        get.args(["-n", "100", "-m", "100", "--timeout", "0.5"]);
        let output = process::run(&mut get, DEADLINE)?;
        ensure!(!output.is_success, "an endless response ended");
        ensure!(output.stderr.contains("no end within the time allowed"), "{}", output.stderr);
        self.load("/", 10, 10, None)
    }

    /// Runs the public cases of gRPC in the guest over `http2_client.wasm`, inside this process.
    fn grpc(&mut self) -> Result<()> {
        let program = Runtime::with_interrupts()?.load(&self.workshop.grpc_client()?)?;
        let stdout = MemoryOutputPipe::new(1 << 20);
        let arguments = [&[self.attempt.url][..], GRPC_CASES].concat();
        let invocation = Invocation::new("grpc-client")
            .args(&arguments)
            .network(Network::Connect)
            .stdout(stdout.clone())
            .time_limit(DEADLINE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(program.run(invocation))?;
        ensure!(outcome.is_success(), "{}", String::from_utf8_lossy(&stdout.contents()));
        self.report.requests += GRPC_CASES.len() as u64;
        Ok(())
    }

    /// The command `wasi-http2 get`, with content of this length in bytes.
    fn get(&self, path: &str, upload: Option<u64>) -> Result<Command> {
        let mut get = self.workshop.wasi_http2();
        get.arg("get");
        match self.ours {
            Ours::WasiHttp => get.arg("--wasi-http"),
            _ => get.args(self.workshop.supported("get", "--stats")?),
        };
        if let Some(bytes) = upload {
            get.arg("-d").arg(format!("@{}", self.workshop.file(bytes)?.display()));
        }
        get.arg(format!("{}{path}", self.attempt.url));
        Ok(get)
    }

    /// Runs the client, which must succeed, and records its reports on connections.
    fn call(&mut self, get: &mut Command) -> Result<Output> {
        let output = process::run(get, DEADLINE)?;
        let (ended, _) = sort_lines(output.stderr.lines().map(str::to_owned));
        self.ended.extend(ended);
        output.success()
    }
}
