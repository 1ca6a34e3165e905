//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::bindings::http2::engine::types::Fields;

pub(crate) const HELP: &str = "\
Sends requests over HTTP/2 and prints the responses. Uses cleartext TCP with prior knowledge. Several URLs must share
one origin; they then share one connection.

Usage: fetch [OPTIONS] URL...

Options:
  -X, --request METHOD      The method [default: GET, or POST with -d]
  -H, --header 'NAME: VALUE'
                            A header field of the request; may be repeated
  -d, --data DATA           The content of the request: the text itself, @FILE, or @- for standard input
  -i, --include             Print the heads of responses as well
  -o, --output FILE         Write the content to FILE instead of standard output
      --trailers            Print the trailers of responses after the content
  -v, --verbose             Log each frame to standard error
      --max-header-list BYTES
                            Accept response heads up to this size [default: 32768]
      --max-headers N       Accept up to N fields in one response head [default: 128]
      --stats               Log to standard error how each connection ended, and its highest abuse score
  -n N                      Send N requests, discard the content, and print how long it took
  -m M                      With -n: keep M requests in flight [default: 1]
      --timeout SECONDS     Give up after this many seconds
  -h, --help                Print this help

The exit code is 0 if every response was received completely, whatever its status.
";

/// The command selected on the command line.
pub(crate) enum Command {
    Fetch(Options),
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
    pub(crate) at_a_time: usize,
}

/// The options of the client.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) urls: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) headers: Fields,
    pub(crate) data: Option<Data>,
    pub(crate) include_head: bool,
    pub(crate) output: Option<PathBuf>,
    pub(crate) trailers: bool,
    pub(crate) verbose: bool,
    pub(crate) stats: bool,
    /// The size limit of a response head, in bytes as counted by SETTINGS_MAX_HEADER_LIST_SIZE.
    pub(crate) max_header_list: Option<u32>,
    /// The limit of the number of fields in a response head.
    pub(crate) max_headers: Option<u32>,
    pub(crate) load: Option<Load>,
    pub(crate) timeout: Option<Duration>,
}

/// Parses the command line.
pub(crate) fn parse() -> Result<Command, lexopt::Error> {
    let mut options = Options {
        urls: Vec::new(),
        method: None,
        headers: Vec::new(),
        data: None,
        include_head: false,
        output: None,
        trailers: false,
        verbose: false,
        stats: false,
        max_header_list: None,
        max_headers: None,
        load: None,
        timeout: None,
    };
    let (mut requests, mut at_a_time) = (None, None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('X') | Long("request") => options.method = Some(arguments.value()?.string()?),
            Short('H') | Long("header") => options.headers.push(header(&arguments.value()?.string()?)?),
            Short('d') | Long("data") => options.data = Some(data(arguments.value()?)?),
            Short('i') | Long("include") => options.include_head = true,
            Short('o') | Long("output") => options.output = Some(arguments.value()?.into()),
            Long("trailers") => options.trailers = true,
            Short('v') | Long("verbose") => options.verbose = true,
            Long("max-header-list") => options.max_header_list = Some(arguments.value()?.parse()?),
            Long("max-headers") => options.max_headers = Some(arguments.value()?.parse()?),
            Long("stats") => options.stats = true,
            Short('n') => requests = Some(arguments.value()?.parse()?),
            Short('m') => at_a_time = Some(arguments.value()?.parse()?),
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
    check(options).map(Command::Fetch)
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
    if options.load.is_some() && (options.output.is_some() || options.include_head || options.trailers) {
        return Err("-n discards the responses, so -o, -i and --trailers cannot be used with it".into());
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
