//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Sends requests through wasi:http and prints the responses. The component that this one is composed with selects the
version of HTTP.

Usage: http-get [OPTIONS] URL...

Options:
  -X, --request METHOD      The method [default: GET, or POST with -d]
  -H, --header 'NAME: VALUE'
                            A header field of the request; may be repeated
  -d, --data DATA           The content of the request: the text itself, @FILE, or @- for standard input
  -i, --include             Print the heads of responses as well
      --trailers            Print the trailers of responses after the content
  -n N                      Send N requests, discard the content, and print how long it took
  -m M                      With -n: keep M requests in flight [default: 1]
      --timeout SECONDS     Give up after this many seconds
  -h, --help                Print this help

The exit code is 0 if every response was received completely, whatever its status.
";

/// The command selected on the command line.
pub(crate) enum Command {
    Get(Options),
    Help,
}

/// The content of requests.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Given(Vec<u8>),
    File(PathBuf),
    Stdin,
}

/// The parameters of -n and -m.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) at_a_time: u64,
}

/// The options of the client.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) urls: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) data: Option<Data>,
    pub(crate) include_head: bool,
    pub(crate) trailers: bool,
    pub(crate) load: Option<Load>,
    pub(crate) timeout: Option<Duration>,
}

/// Parses the command line.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options::default();
    let (mut requests, mut at_a_time) = (None, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('X') | Long("request") => options.method = Some(arguments.value()?.string()?),
            Short('H') | Long("header") => options.headers.push(header(&arguments.value()?.string()?)?),
            Short('d') | Long("data") => options.data = Some(data(arguments.value()?)?),
            Short('i') | Long("include") => options.include_head = true,
            Long("trailers") => options.trailers = true,
            Short('n') => requests = Some(arguments.value()?.parse()?),
            Short('m') => at_a_time = Some(arguments.value()?.parse::<u64>()?),
            Long("timeout") => options.timeout = Some(arguments.value()?.parse_with(seconds)?),
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(url) => options.urls.push(url.string()?),
            other => return Err(other.unexpected()),
        }
    }
    options.load = match (requests, at_a_time) {
        (None, None) => None,
        (None, Some(_)) => return Err("-m needs -n".into()),
        (Some(requests), at_a_time) => Some(Load { requests, at_a_time: at_a_time.unwrap_or(1).max(1) }),
    };
    check(options).map(Command::Get)
}

/// Rejects combinations of options that cannot work together.
fn check(options: Options) -> Result<Options, lexopt::Error> {
    let once = options.urls.len() == 1 && options.load.is_none_or(|load| load.requests == 1);
    if options.urls.is_empty() {
        return Err("a URL is missing".into());
    }
    if matches!(options.data, Some(Data::Stdin)) && !once {
        return Err("standard input can be sent only once".into());
    }
    if options.load.is_some() && (options.include_head || options.trailers) {
        return Err("-n discards the responses, so -i and --trailers cannot be used with it".into());
    }
    Ok(options)
}

fn header(argument: &str) -> Result<(String, Vec<u8>), lexopt::Error> {
    let Some((name, value)) = argument.split_once(':') else {
        return Err(format!("a header field has the form NAME: VALUE, but {argument:?} has no colon").into());
    };
    Ok((name.trim().to_owned(), value.trim().as_bytes().to_vec()))
}

fn data(argument: OsString) -> Result<Data, lexopt::Error> {
    let argument = argument.string()?;
    Ok(match argument.strip_prefix('@') {
        Some("-") => Data::Stdin,
        Some(file) => Data::File(file.into()),
        None => Data::Given(argument.into_bytes()),
    })
}

fn seconds(argument: &str) -> Result<Duration, String> {
    let seconds: f64 = argument.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a number of seconds".to_owned())
}
