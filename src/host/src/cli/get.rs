//! `wasi-http2 get`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::compose::with_client;
use crate::{Composition, Invocation, Network, components};
use anyhow::Result;
use clap::Args;
use wasmtime_wasi::{FsPerms, cli as stdio};

use super::{LimitArguments, run_command};

/// Send requests over HTTP/2 and print the responses
///
/// Runs the client examples/fetch in Wasmtime, composed with the engine over TCP. It speaks HTTP/2 from
/// the first byte (prior knowledge, RFC 9113, 3.3), over cleartext TCP. Several URLs must share one origin; they then
/// share one connection.
///
/// With --wasi-http, runs examples/http-get instead, which uses wasi:http 0.3 and knows nothing of HTTP/2, composed
/// with http2_client.wasm.
///
/// The exit code is 0 if every response was received completely, whatever its status.
#[derive(Args)]
pub(crate) struct Get {
    /// The URL to request, for example http://127.0.0.1:8080/
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,

    /// The method; defaults to GET, or to POST with --data
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,

    /// Send the requests through wasi:http and http2_client.wasm
    #[arg(long, conflicts_with_all = ["verbose", "output", "stats", "max_header_list", "max_headers"])]
    wasi_http: bool,

    /// A header field of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// The content of the request: the text itself, @FILE, or @- for standard input
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true)]
    data: Option<String>,

    /// Print the heads of responses as well
    #[arg(short, long)]
    include: bool,

    /// Write the content to FILE instead of standard output; not with --wasi-http
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print the trailers of responses after the content
    #[arg(long)]
    trailers: bool,

    /// Log each frame to standard error; not with --wasi-http, which does not expose frames
    #[arg(short, long)]
    verbose: bool,

    /// Accept response heads up to this size, as counted by SETTINGS_MAX_HEADER_LIST_SIZE; not with --wasi-http
    #[arg(long, value_name = "BYTES")]
    max_header_list: Option<u32>,

    /// Accept up to N fields in one response head; not with --wasi-http
    #[arg(long, value_name = "N")]
    max_headers: Option<u32>,

    /// Log to standard error how each connection ended, and its highest abuse score; not with --wasi-http
    #[arg(long)]
    stats: bool,

    /// Send N requests, discard the content, and print how long it took
    #[arg(short = 'n', value_name = "N")]
    requests: Option<u64>,

    /// With -n: keep M requests in flight
    #[arg(short = 'm', value_name = "M", requires = "requests")]
    at_a_time: Option<usize>,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<f64>,

    #[command(flatten)]
    limits: LimitArguments,
}

impl Get {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let mut invocation = Invocation::new("get").args(self.arguments()).network(Network::Connect);
        // The guest sees only the directories of the files named here.
        if let Some(file) = self.data.as_deref().and_then(|data| data.strip_prefix('@')) {
            if file == "-" {
                invocation = invocation.stdin(stdio::stdin());
            } else {
                invocation = with_directory_of(invocation, Path::new(file), FsPerms::ReadOnly)?;
            }
        }
        if let Some(file) = &self.output {
            invocation = with_directory_of(invocation, file, FsPerms::ReadWrite)?;
        }
        let component = if self.wasi_http {
            with_client(components::HTTP_GET)?
        } else {
            Composition::default().compose(components::FETCH)?
        };
        run_command(&component, self.limits.apply(invocation)).await
    }

    /// Returns the same options in the form that the guest takes them.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                arguments.extend([name.to_owned(), value]);
            }
        };
        option("-X", self.method.clone());
        for header in &self.headers {
            option("-H", Some(header.clone()));
        }
        option("-d", self.data.clone());
        option("-o", self.output.as_ref().map(|file| file.to_string_lossy().into_owned()));
        option("-n", self.requests.map(|requests| requests.to_string()));
        option("-m", self.at_a_time.map(|at_a_time| at_a_time.to_string()));
        option("--max-header-list", self.max_header_list.map(|octets| octets.to_string()));
        option("--max-headers", self.max_headers.map(|fields| fields.to_string()));
        option("--timeout", self.timeout.map(|seconds| seconds.to_string()));
        let flags = [
            ("-i", self.include),
            ("--trailers", self.trailers),
            ("-v", self.verbose),
            ("--stats", self.stats),
        ];
        for (flag, given) in flags {
            if given {
                arguments.push(flag.to_owned());
            }
        }
        arguments.push("--".to_owned());
        arguments.extend(self.urls.iter().cloned());
        arguments
    }
}

/// Gives the guest access to the directory of `file`, under the name by which `file` refers to it.
fn with_directory_of(invocation: Invocation, file: &Path, permissions: FsPerms) -> Result<Invocation> {
    let directory = match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => file,
    };
    invocation.directory(directory, &directory.to_string_lossy(), permissions)
}
