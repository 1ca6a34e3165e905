//! The command line.

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Serves HTTP/2 over cleartext TCP, with prior knowledge.

Usage: echo-server [--addr ADDRESS] [--max-connections N] [--drain-on-stdin-eof] [--log-connections]

Options:
  --addr ADDRESS          Where to listen; port 0 takes any free one [default: 127.0.0.1:8080]
  --max-connections N     Connections that are open at a time; others wait [default: 1000]
  --drain-on-stdin-eof    When standard input ends: take nothing new, finish what runs, exit
  --log-connections       Tell on standard error how each connection has ended
  --help                  Print this

Requests:
  GET /                   A line of text
  POST /, POST /upload    How many bytes the content of the request has
  any /echo               The content and the trailers of the request, as they come
  any /refuse             An answer with status 401 at once; the content is not read
  any /early              10,000 bytes at once; the content is not read
  GET /bytes/N            N bytes
  GET /endless            Bytes without end
  GET /status/N           An answer with status N
  GET /delay/MS           An answer after MS milliseconds
  GET /headers            The fields of the request
  GET /early-hints        An informational response (103) before the answer
";

/// What the command line asks for.
pub(crate) enum Command {
    Serve(Options),
    Help,
}

/// How to serve.
pub(crate) struct Options {
    /// An address with a port, as `http2:engine/tcp` takes it.
    pub(crate) address: String,
    /// Connections that are open at a time.
    pub(crate) max_connections: usize,
    /// Whether the end of standard input is the sign to finish.
    pub(crate) drain_on_stdin_eof: bool,
    /// Whether to tell how each connection has ended.
    pub(crate) log_connections: bool,
}

/// Reads the command line.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options {
        address: "127.0.0.1:8080".to_owned(),
        max_connections: 1000,
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
