//! Command-line arguments.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use http2_engine::Config;
use lexopt::{Arg, Parser, ValueExt};

/// The text printed by `--help`.
pub(crate) const HELP: &str = "\
Serves the wasi:http handler composed with it over HTTP/2, with prior knowledge (no TLS).

Usage: http2-server [OPTIONS]

Options:
      --addr <ADDRESS>                 Address to listen on [default: 127.0.0.1:8080]
      --max-connections <N>            Maximum number of open connections; further ones wait [default: 1024]
      --max-concurrent-streams <N>     Maximum number of concurrent requests per connection [default: 100]
      --max-requests <N>               Maximum number of concurrent requests on all connections; further ones wait.
                                       Wasmtime traps an instance with more than 100,000 handles; a request
                                       holds 5 to 20 of them [default: 4096]
      --max-header-list-size <BYTES>   Maximum size of a header section [default: 32768]
      --idle-timeout <SECONDS>         Close connections that have had no request for this long; 0 for never
                                       [default: 60]
      --stall-timeout <SECONDS>        Reset responses of which the client takes less than 1 KiB in this time; 0
                                       for never [default: 300; 120 while much output is queued]
      --drain-timeout <SECONDS>        Time for requests to complete after a drain has begun; 0 for no limit
                                       [default: 30]
      --cancel                         Cancel calls of the handler when the client cancels the request. The handler
                                       must support it: one built with wit-bindgen 0.63 or older traps, unless its
                                       feature inter-task-wakeup is on
      --drain-on-stdin-eof             Drain when standard input ends: accept no more connections, complete the
                                       requests, and exit
      --log-connections                Print a line when a connection ends, with the reason, the number of requests
                                       and its highest abuse score; also with --quiet
  -q, --quiet                          Print only errors at startup
  -h, --help                           Print help
  -V, --version                        Print version
";

/// The settings of a server.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) max_connections: usize,
    pub(crate) max_requests: usize,
    pub(crate) config: Config,
    pub(crate) cancel: bool,
    pub(crate) drain_on_stdin_eof: bool,
    pub(crate) log_connections: bool,
    pub(crate) quiet: bool,
}

/// The action requested by the arguments.
#[derive(Debug)]
pub(crate) enum Request {
    Serve(Box<Options>),
    Help,
    Version,
}

impl Default for Options {
    fn default() -> Self {
        let mut config = Config::default();
        config.idle_timeout = Some(Duration::from_secs(60));
        // The size of an application's single write. Slow clients keep this much queued per response.
        config.send_buffer = 128 << 10;
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_connections: 1024,
            max_requests: 4096,
            config,
            cancel: false,
            drain_on_stdin_eof: false,
            log_connections: false,
            quiet: false,
        }
    }
}

impl Request {
    /// Parses the arguments, starting with the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Options::default();
        let mut parser = Parser::from_iter(arguments);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Long("addr") => options.address = value(&mut parser, "addr")?,
                Arg::Long("max-connections") => {
                    options.max_connections = positive(&mut parser, "max-connections")?;
                }
                Arg::Long("max-requests") => options.max_requests = positive(&mut parser, "max-requests")?,
                Arg::Long("max-concurrent-streams") => {
                    options.config.max_concurrent_streams = value(&mut parser, "max-concurrent-streams")?;
                }
                Arg::Long("max-header-list-size") => {
                    let octets: u32 = value(&mut parser, "max-header-list-size")?;
                    options.config.max_header_list_size = octets;
                    let hard = &mut options.config.limits.field_section_hard;
                    *hard = (*hard).max(octets.saturating_mul(2));
                }
                Arg::Long("idle-timeout") => {
                    options.config.idle_timeout = seconds(&mut parser, "idle-timeout")?;
                }
                Arg::Long("stall-timeout") => {
                    options.config.stall_timeout = seconds(&mut parser, "stall-timeout")?;
                }
                Arg::Long("drain-timeout") => {
                    options.config.drain_timeout = seconds(&mut parser, "drain-timeout")?;
                }
                Arg::Long("cancel") => options.cancel = true,
                Arg::Long("drain-on-stdin-eof") => options.drain_on_stdin_eof = true,
                Arg::Long("log-connections") => options.log_connections = true,
                Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                Arg::Short('V') | Arg::Long("version") => return Ok(Self::Version),
                _ => return Err(argument.unexpected().to_string()),
            }
        }
        options.config.check().map_err(|error| error.to_string())?;
        Ok(Self::Serve(Box::new(options)))
    }
}

fn value<T: FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(
    parser: &mut Parser,
    option: &str,
) -> Result<T, String> {
    let value = parser.value().and_then(|value| value.parse());
    value.map_err(|error| format!("--{option}: {error}"))
}

fn seconds(parser: &mut Parser, option: &str) -> Result<Option<Duration>, String> {
    let seconds: f64 = value(parser, option)?;
    let timeout = Duration::try_from_secs_f64(seconds).map_err(|error| format!("--{option}: {error}"))?;
    Ok(Some(timeout).filter(|timeout| !timeout.is_zero()))
}

fn positive(parser: &mut Parser, option: &str) -> Result<usize, String> {
    match value(parser, option)? {
        0 => Err(format!("--{option}: at least one is needed")),
        number => Ok(number),
    }
}
