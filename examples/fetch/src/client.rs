//! The connection, and the requests on it.

use std::collections::BTreeMap;
use std::time::Duration;

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::http2::engine::connection::{Connection, Options as Http2Options, Role};
use crate::bindings::http2::engine::tcp;
use crate::bindings::http2::engine::types::{Error, ErrorKind, Method, RequestHead, Scheme};
use crate::failure::Failure;
use crate::options::{Load, Options};
use crate::output::Output;
use crate::target::Target;
use crate::transfer::Transfer;
use crate::upload::Upload;
use crate::verbose::Verbose;

/// How long the end of the connection may take, in nanoseconds.
const FAREWELL: u64 = 1_000_000_000;

/// The abuse score at which the engine ends a connection.
const ABUSE_LIMIT: u64 = 2_000;

/// A connection with the requests that are under way on it.
///
/// Pollables stand before what they belong to, and so are dropped first.
pub(crate) struct Client<'a> {
    options: &'a Options,
    targets: Vec<Target>,
    requests: u64,
    at_a_time: usize,
    output: Output,
    verbose: Option<Verbose>,
    deadline: Option<Instant>,
    transfers: BTreeMap<u32, Transfer>,
    started: u64,
    succeeded: u64,
    /// The first failure; only with -n do others go on after it.
    failure: Option<Failure>,
    /// The connection takes no more requests.
    exhausted: bool,
    read_ready: Pollable,
    connection: Connection,
}

impl<'a> Client<'a> {
    /// Connects to the origin that the URLs have in common.
    pub(crate) fn connect(options: &'a Options) -> Result<Self, Failure> {
        let targets: Vec<Target> =
            options.urls.iter().map(|url| Target::parse(url)).collect::<Result<_, _>>()?;
        let Some((first, others)) = targets.split_first() else {
            return Err(Failure::new("", "reading the command line", "a URL is missing"));
        };
        if let Some(other) = others.iter().find(|other| !first.same_origin(other)) {
            return Err(Failure::new(
                &other.url,
                "sharing the connection",
                format!("{} has another origin", first.url),
            ));
        }
        let output = match options.load {
            Some(_) => Output::nothing(),
            None => Output::open(options.output.as_deref(), options.include_head, options.trailers)?,
        };
        let verbose = options.verbose.then(Verbose::start);
        let timeout = options.timeout.map(nanoseconds);
        let deadline = timeout.map(|timeout| monotonic_clock::now().saturating_add(timeout));
        let io = tcp::connect(&first.host, first.port, timeout)
            .map_err(|error| Failure::transport(&first.url, "connecting", &error))?;
        let http2_options = Http2Options::new();
        http2_options.trace(options.verbose);
        let connection = Connection::handshake(io, Role::Client, Some(http2_options))
            .map_err(|error| Failure::http2(&first.url, "starting HTTP/2", &error))?;
        let load = options.load.unwrap_or(Load { requests: targets.len() as u64, at_a_time: 1 });
        Ok(Self {
            options,
            requests: load.requests,
            at_a_time: load.at_a_time,
            targets,
            output,
            verbose,
            deadline,
            transfers: BTreeMap::new(),
            started: 0,
            succeeded: 0,
            failure: None,
            exhausted: false,
            read_ready: connection.subscribe_read(),
            connection,
        })
    }

    /// Sends the requests and receives the responses, all of them whole.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let began = monotonic_clock::now();
        let outcome = self.transfer_all();
        let took = monotonic_clock::now().saturating_sub(began);
        self.transfers.clear();
        self.connection.shutdown();
        // Everything was received, or an error is reported anyway: a farewell that does not arrive changes nothing.
        let _ = self.connection.blocking_flush(Some(FAREWELL));
        self.tell();
        if self.options.stats {
            self.log_end();
        }
        if self.options.load.is_some() {
            self.summarise(took);
        }
        outcome?;
        self.failure.take().map_or(Ok(()), Err)
    }

    fn transfer_all(&mut self) -> Result<(), Failure> {
        loop {
            let started = self.start()?;
            let driven = self.connection.drive();
            self.tell();
            let changed = self.connection.changed();
            let opened = started.iter().chain(&changed);
            let mut worked = !started.is_empty();
            for &id in opened {
                worked = true;
                self.advance(id)?;
            }
            self.advance_uploads()?;
            if self.is_done() {
                return Ok(());
            }
            self.check_deadline()?;
            match driven {
                Ok(moved) if moved || worked => {}
                Ok(_) => self.wait(),
                Err(error) => return Err(self.connection_failure(&error)),
            }
        }
    }

    fn is_done(&self) -> bool {
        self.transfers.is_empty() && (self.started == self.requests || self.exhausted)
    }

    /// Sends requests as long as more are wanted and allowed.
    fn start(&mut self) -> Result<Vec<u32>, Failure> {
        let mut started = Vec::new();
        while self.started < self.requests && self.transfers.len() < self.at_a_time && !self.exhausted {
            let index = self.started % self.targets.len().max(1) as u64;
            let Some(target) = self.targets.get(index as usize) else { break };
            let upload = self.options.data.as_ref().map(Upload::open).transpose()?;
            let head = request_head(target, self.options, upload.as_ref());
            match self.connection.open_stream(&head, upload.is_none()) {
                Ok(stream) => {
                    self.started += 1;
                    started.push(stream.id());
                    self.transfers.insert(stream.id(), Transfer::new(target.url.clone(), stream, upload));
                }
                Err(error) if matches!(error.kind, ErrorKind::WouldBlock) && !self.transfers.is_empty() => {
                    break;
                }
                Err(error) => {
                    let failure = Failure::http2(&target.url, "sending the request", &error);
                    if self.transfers.is_empty() {
                        return Err(failure);
                    }
                    // Those that are under way may still be answered.
                    self.failure.get_or_insert(failure);
                    self.exhausted = true;
                }
            }
        }
        Ok(started)
    }

    /// Goes on with one transfer. A failure ends all, or, with -n, is counted.
    fn advance(&mut self, id: u32) -> Result<(), Failure> {
        let Some(transfer) = self.transfers.get_mut(&id) else { return Ok(()) };
        match transfer.advance(&mut self.output) {
            Ok(false) => {}
            Ok(true) => {
                self.succeeded += 1;
                self.transfers.remove(&id);
            }
            Err(failure) if self.options.load.is_some() => {
                self.transfers.remove(&id);
                self.failure.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Goes on with those that wait for standard input.
    fn advance_uploads(&mut self) -> Result<(), Failure> {
        let waiting = |(&id, transfer): (&u32, &Transfer)| {
            transfer.pollable().is_some_and(Pollable::ready).then_some(id)
        };
        let ready: Vec<u32> = self.transfers.iter().filter_map(waiting).collect();
        ready.into_iter().try_for_each(|id| self.advance(id))
    }

    fn check_deadline(&self) -> Result<(), Failure> {
        match self.deadline {
            Some(deadline) if deadline <= monotonic_clock::now() => {
                Err(self.failure_of_any("no end within the time allowed"))
            }
            _ => Ok(()),
        }
    }

    /// Waits until there is something to do.
    fn wait(&self) {
        let write_ready = self.connection.subscribe_write();
        let deadline = self.connection.next_timeout().into_iter().chain(self.deadline).min();
        let timer = deadline.map(monotonic_clock::subscribe_instant);
        let mut pollables: Vec<&Pollable> =
            self.connection.takes_input().then_some(&self.read_ready).into_iter().collect();
        pollables.extend(&write_ready);
        pollables.extend(&timer);
        pollables.extend(self.transfers.values().filter_map(Transfer::pollable));
        poll(&pollables);
    }

    /// A failure of the connection, told of the request that it hits first.
    fn connection_failure(&self, error: &Error) -> Failure {
        self.failure_of_any(&error.message)
    }

    fn failure_of_any(&self, cause: &str) -> Failure {
        match (self.transfers.values().next(), self.targets.first()) {
            (Some(transfer), _) => Failure::new(transfer.url(), transfer.doing(), cause),
            (None, Some(target)) => Failure::new(&target.url, "sending the request", cause),
            (None, None) => Failure::new("", "sending the request", cause),
        }
    }

    fn tell(&self) {
        if let Some(verbose) = &self.verbose {
            verbose.tell(&self.connection);
        }
    }

    /// Tells how the connection has ended, and how near it came to the limit of the engine's abuse score.
    fn log_end(&self) {
        let Some(Target { host, port, .. }) = self.targets.first() else { return };
        let outcome = match self.connection.closed() {
            Some(Err(error)) => error.message,
            _ => "ok".to_owned(),
        };
        let stats = self.connection.stats();
        let counter = |name: &str| stats.iter().find(|(counter, _)| counter == name).map(|&(_, value)| value);
        let requests = counter("streams_opened").unwrap_or_default();
        let score = counter("abuse_score_peak").or_else(|| counter("abuse_score")).unwrap_or_default();
        eprintln!(
            "connection to {host}:{port} ended: {outcome}; requests {requests}, highest abuse score {score} of {ABUSE_LIMIT}"
        );
    }

    fn summarise(&self, nanoseconds: u64) {
        let seconds = Duration::from_nanos(nanoseconds).as_secs_f64();
        let rate = if seconds > 0.0 { self.succeeded as f64 / seconds } else { 0.0 };
        println!(
            "{} requests: {} succeeded, {} failed, {seconds:.3} s, {rate:.0} req/s",
            self.requests,
            self.succeeded,
            self.requests - self.succeeded
        );
    }
}

/// The head of a request for a target.
fn request_head(target: &Target, options: &Options, upload: Option<&Upload>) -> RequestHead {
    let method = match (&options.method, upload) {
        (Some(method), _) => self::method(method),
        (None, Some(_)) => Method::Post,
        (None, None) => Method::Get,
    };
    let mut headers = options.headers.clone();
    let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let length = upload.and_then(Upload::length).filter(|_| !given("content-length"));
    let agent = !given("user-agent");
    let authority = (!given("host")).then(|| target.authority.clone());
    if let Some(length) = length {
        headers.push(("content-length".to_owned(), length.to_string().into_bytes()));
    }
    if agent {
        headers.push((
            "user-agent".to_owned(),
            concat!("fetch/", env!("CARGO_PKG_VERSION")).as_bytes().to_vec(),
        ));
    }
    RequestHead {
        method,
        scheme: Some(Scheme::Http),
        authority,
        path_with_query: Some(target.path.clone()),
        protocol: None,
        headers,
        never_indexed: Vec::new(),
    }
}

/// A method by its token, which is case-sensitive (RFC 9110, 9.1).
fn method(token: &str) -> Method {
    match token {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
