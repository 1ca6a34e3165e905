//! The command line.

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Serves HTTP/2 over cleartext TCP, with prior knowledge.

Usage: echo-server [--addr ADDRESS] [--max-connections N] [--drain-on-stdin-eof] [--log-connections]

Options:
  --addr ADDRESS          The address to listen on; port 0 selects a free port [default: 127.0.0.1:8080]
  --max-connections N     Limit of connections open at the same time; further ones wait [default: 800]
  --drain-on-stdin-eof    Drain when standard input ends: refuse new requests, finish those in progress, exit
  --log-connections       Log to standard error how each connection ended
  --help                  Print this help

Requests:
  GET /                   A line of text
  POST /, POST /upload    The size of the request's content in bytes
  any /echo               The content and trailers of the request, as they arrive
  any /refuse             Status 401 at once, without reading the content
  any /early              10,000 bytes at once, without reading the content
  GET /bytes/N            N bytes
  GET /endless            An endless response
  GET /status/N           A response with status N
  GET /delay/MS           A response after MS milliseconds
  GET /headers            The fields of the request
  GET /early-hints        An informational response (103), then the final response
";

/// The command selected on the command line.
pub(crate) enum Command {
    Serve(Options),
    Help,
}

/// The options of the server.
pub(crate) struct Options {
    /// The address and port to listen on, in the format of `http2:engine/tcp`.
    pub(crate) address: String,
    /// The limit of connections open at the same time.
    pub(crate) max_connections: usize,
    /// Whether to drain when standard input ends.
    pub(crate) drain_on_stdin_eof: bool,
    /// Whether to log how each connection ended.
    pub(crate) log_connections: bool,
}

/// Parses the command line.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options {
        address: "127.0.0.1:8080".to_owned(),
        // With 100 streams on each, this stays below the 100,000 handles that Wasmtime allows an instance.
        max_connections: 800,
        drain_on_stdin_eof: false,
        log_connections: false,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("addr") => options.address = arguments.value()?.string()?,
            Long("max-connections") => options.max_connections = arguments.value()?.parse()?,
            Long("drain-on-stdin-eof") => options.drain_on_stdin_eof = true,
            Long("log-connections") => options.log_connections = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Serve(options))
}
