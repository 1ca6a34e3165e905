//! The requests and their connections.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::http2::engine::types::{Error, ErrorKind, Method, RequestHead, Scheme};
use crate::failure::Failure;
use crate::link::Link;
use crate::options::{Load, Options};
use crate::output::Output;
use crate::target::Target;
use crate::transfer::{Order, Transfer};
use crate::upload::Upload;
use crate::verbose::Verbose;

/// How often the server may refuse a request on connections that continue.
const REFUSALS: u32 = 10;

/// How many connections in a row may end without a response before the client gives up.
const FRUITLESS: u32 = 3;

/// The client: its requests, on one connection at a time.
pub(crate) struct Client<'a> {
    options: &'a Options,
    targets: Vec<Target>,
    /// The target whose origin all targets share.
    origin: Target,
    requests: u64,
    at_a_time: usize,
    output: Output,
    verbose: Option<Verbose>,
    deadline: Option<Instant>,
    transfers: BTreeMap<u32, Transfer>,
    /// Requests to send again, since the server has certainly not processed them (RFC 9113, 8.7).
    again: VecDeque<Order>,
    started: u64,
    succeeded: u64,
    /// The first failure; other requests continue after it only with -n.
    failure: Option<Failure>,
    /// Why the connection accepts no more requests.
    exhausted: Option<Failure>,
    /// How many requests had succeeded before the current connection.
    succeeded_before: u64,
    /// How many connections in a row ended without a response.
    fruitless: u32,
    link: Link,
}

impl<'a> Client<'a> {
    /// Connects to the origin that the URLs share.
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
        let link = Link::connect(first, options, deadline)?;
        let load = options.load.unwrap_or(Load { requests: targets.len() as u64, at_a_time: 1 });
        Ok(Self {
            options,
            origin: first.clone(),
            requests: load.requests,
            at_a_time: load.at_a_time,
            targets,
            output,
            verbose,
            deadline,
            transfers: BTreeMap::new(),
            again: VecDeque::new(),
            started: 0,
            succeeded: 0,
            failure: None,
            exhausted: None,
            succeeded_before: 0,
            fruitless: 0,
            link,
        })
    }

    /// Sends all requests, and receives all responses completely.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let began = monotonic_clock::now();
        let outcome = self.transfer_all();
        let took = monotonic_clock::now().saturating_sub(began);
        self.transfers.clear();
        self.close();
        if self.options.load.is_some() {
            self.summarise(took);
        }
        outcome?;
        self.failure.take().map_or(Ok(()), Err)
    }

    fn transfer_all(&mut self) -> Result<(), Failure> {
        loop {
            let started = self.start()?;
            // Queue content before the turn, so that it goes out together with the head.
            for &id in &started {
                self.advance(id)?;
            }
            let turn = self.link.connection.turn();
            self.print_trace();
            for &id in turn.iter().flat_map(|turn| &turn.changed) {
                self.advance(id)?;
            }
            self.advance_uploads()?;
            if self.is_done() {
                return Ok(());
            }
            self.check_deadline()?;
            match turn {
                Ok(_) if self.transfers.is_empty() && self.exhausted.is_some() => self.reconnect()?,
                Ok(turn) if turn.moved || !started.is_empty() || !turn.changed.is_empty() => {}
                Ok(_) => self.wait(),
                Err(error) => self.lose_connection(&error)?,
            }
        }
    }

    /// Gives up a connection that has ended with an error.
    ///
    /// Requests that the server has certainly not processed, or that were not sent, move to another connection, unless
    /// the server broke the protocol. The failure names the first affected request.
    fn lose_connection(&mut self, error: &Error) -> Result<(), Failure> {
        let failure = self.failure_of_any(&error.message);
        let ids: Vec<u32> = self.transfers.keys().copied().collect();
        ids.into_iter().try_for_each(|id| self.advance(id))?;
        if self.is_done() {
            return Ok(());
        }
        if !self.transfers.is_empty() || !self.link.was_ended_by_peer(error) {
            return Err(failure);
        }
        self.exhausted = Some(failure);
        self.reconnect()
    }

    fn is_done(&self) -> bool {
        self.transfers.is_empty() && self.again.is_empty() && self.started == self.requests
    }

    /// Starts requests while more are due and permitted, and first those to send again.
    fn start(&mut self) -> Result<Vec<u32>, Failure> {
        let mut started = Vec::new();
        while self.transfers.len() < self.at_a_time && self.exhausted.is_none() {
            let Some(order) = self.again.pop_front().or_else(|| self.next_order()) else { break };
            let Some(target) = self.targets.get(order.target) else { break };
            let upload = self.options.data.as_ref().map(Upload::open).transpose()?;
            let head = request_head(target, self.options, upload.as_ref());
            match self.link.connection.open_stream(&head, upload.is_none()) {
                Ok(stream) => {
                    started.push(stream.id());
                    let transfer = Transfer::new(target.url.clone(), order, stream, upload);
                    self.transfers.insert(transfer.id(), transfer);
                }
                Err(error) if matches!(error.kind, ErrorKind::WouldBlock) && !self.transfers.is_empty() => {
                    self.again.push_front(order);
                    break;
                }
                Err(error) => {
                    let failure = Failure::http2(&target.url, "sending the request", &error);
                    if !failure.is_retryable() {
                        return Err(failure);
                    }
                    // The server may still answer the requests in flight.
                    self.again.push_front(order);
                    self.exhausted = Some(failure);
                }
            }
        }
        Ok(started)
    }

    /// Returns the next request that has not been sent yet.
    fn next_order(&mut self) -> Option<Order> {
        if self.started == self.requests {
            return None;
        }
        let target = self.started % self.targets.len().max(1) as u64;
        self.started += 1;
        Some(Order::new(usize::try_from(target).unwrap_or_default()))
    }

    /// Advances one transfer.
    ///
    /// A request that the server has not processed is sent again: after GOAWAY, as often as
    /// [`reconnect`](Self::reconnect) permits. Any other failure ends the run or, with -n, is counted.
    fn advance(&mut self, id: u32) -> Result<(), Failure> {
        let Some(transfer) = self.transfers.get_mut(&id) else { return Ok(()) };
        let outcome = transfer.advance(&mut self.output);
        if matches!(outcome, Ok(false)) {
            return Ok(());
        }
        let order = transfer.order();
        let order = if self.link.connection.received_go_away().is_some() { order } else { order.refused() };
        let repeatable = transfer.is_repeatable();
        self.transfers.remove(&id);
        match outcome {
            Ok(_) => self.succeeded += 1,
            Err(failure) if failure.is_retryable() && repeatable && order.refusals() < REFUSALS => {
                self.again.push_back(order);
            }
            Err(failure) if self.options.load.is_some() => {
                self.failure.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Opens another connection, unless the last [`FRUITLESS`] ones ended without a response.
    fn reconnect(&mut self) -> Result<(), Failure> {
        let Some(failure) = self.exhausted.take() else { return Ok(()) };
        let fruitful = self.succeeded > self.succeeded_before;
        self.fruitless = if fruitful { 0 } else { self.fruitless.saturating_add(1) };
        if self.fruitless == FRUITLESS {
            return Err(failure);
        }
        self.succeeded_before = self.succeeded;
        self.close();
        self.link = Link::connect(&self.origin, self.options, self.deadline)?;
        Ok(())
    }

    /// Ends the connection, and logs its frames and statistics if requested.
    fn close(&self) {
        self.link.close();
        self.print_trace();
        if self.options.stats {
            self.link.log_end(&self.origin);
        }
    }

    /// Advances the transfers that wait for standard input.
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

    /// Waits for work.
    fn wait(&self) {
        let connection = &self.link.connection;
        let write_ready = connection.has_output().then(|| connection.subscribe_write());
        let deadline = connection.next_timeout().into_iter().chain(self.deadline).min();
        let timer = deadline.map(monotonic_clock::subscribe_instant);
        let mut pollables: Vec<&Pollable> =
            connection.takes_input().then_some(&self.link.read_ready).into_iter().collect();
        pollables.extend(&write_ready);
        pollables.extend(&timer);
        pollables.extend(self.transfers.values().filter_map(Transfer::pollable));
        poll(&pollables);
    }

    fn failure_of_any(&self, cause: &str) -> Failure {
        match self.transfers.values().next() {
            Some(transfer) => Failure::new(transfer.url(), transfer.operation(), cause),
            None => Failure::new(&self.origin.url, "sending the request", cause),
        }
    }

    fn print_trace(&self) {
        if let Some(verbose) = &self.verbose {
            verbose.print_trace(&self.link.connection);
        }
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

/// Returns the head of a request for a target.
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
        headers,
    }
}

/// Parses a method, which is case-sensitive (RFC 9110, 9.1).
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
