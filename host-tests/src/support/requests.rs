//! Runs the guest `http-requests` over the client for `wasi:http`: it sends the requests of a test and reports
//! results.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wasi_http2::compose::with_client;
use wasi_http2::{Invocation, Network, Outcome, Program, Runtime};
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use super::DEADLINE;
use crate::guests;

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let component = with_client(guests::HTTP_REQUESTS).unwrap();
    Runtime::new().unwrap().load(&component).unwrap()
});

/// A guest composed with a client, which runs until it is dropped.
pub struct Client {
    orders: UnboundedSender<String>,
    exchanges: Exchanges,
    next: AtomicU32,
}

/// The receivers of the lines about each request.
type Exchanges = Arc<Mutex<BTreeMap<u32, Sender<Line>>>>;
/// The words of a line after the request's number.
type Line = Vec<String>;

impl Client {
    /// Starts a client with default settings.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a client with environment variables.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        let (orders, queue) = unbounded_channel();
        let exchanges = Exchanges::default();
        let mut invocation = Invocation::new("http-requests").network(Network::Connect);
        for (name, value) in variables {
            invocation = invocation.env(name, value);
        }
        let answers = Arc::clone(&exchanges);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(invocation, queue, answers));
        });
        Self { orders, exchanges, next: AtomicU32::new(1) }
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) -> Exchange {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, lines) = channel();
        self.exchanges.lock().unwrap().insert(id, sender);
        let exchange = Exchange { id, orders: self.orders.clone(), lines, passed: VecDeque::new() };
        exchange.order(&["send"].into_iter().chain(request.0.iter().map(String::as_str)).collect::<Vec<_>>());
        exchange
    }

    /// Sends a GET request.
    pub fn get(&self, url: &str) -> Exchange {
        self.send(&Request::new("GET", url))
    }
}

/// Runs the guest until the test closes the queue of orders.
async fn run(invocation: Invocation, queue: UnboundedReceiver<String>, answers: Exchanges) {
    let (stdin, orders) = tokio::io::duplex(64 << 10);
    let (stdout, lines) = tokio::io::duplex(64 << 10);
    let stderr = MemoryOutputPipe::new(1 << 20);
    let invocation = invocation
        .stdin(AsyncStdinStream::new(stdin))
        .stdout(AsyncStdoutStream::new(64 << 10, stdout))
        .stderr(stderr.clone());
    tokio::spawn(write_orders(queue, orders));
    tokio::spawn(read_answers(lines, Arc::clone(&answers)));
    let outcome = PROGRAM.run(invocation).await.unwrap();
    // Waiting tests see the end of their channels.
    answers.lock().unwrap().clear();
    if !matches!(outcome, Outcome::Exited(0)) {
        eprintln!("the guest: {outcome}\n{}", String::from_utf8_lossy(&stderr.contents()));
    }
}

async fn write_orders(mut queue: UnboundedReceiver<String>, mut orders: DuplexStream) {
    while let Some(line) = queue.recv().await {
        if orders.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_answers(lines: DuplexStream, answers: Exchanges) {
    let mut lines = BufReader::new(lines).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split('\t').map(str::to_owned);
        let id = words.next().and_then(|id| id.parse().ok()).unwrap();
        // The test may have dropped the receiver.
        _ = answers.lock().unwrap().get(&id).map(|waiting| waiting.send(words.collect()));
    }
}

/// A request to send.
#[derive(Clone)]
pub struct Request(Vec<String>);

impl Request {
    /// A request to a URL.
    pub fn new(method: &str, url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        Self(Vec::new())
            .option("method", method)
            .option("scheme", scheme)
            .option("authority", authority)
            .option("path", path)
    }

    /// Adds a field.
    pub fn field(self, name: &str, value: &str) -> Self {
        self.option("field", &format!("{name}: {value}"))
    }

    /// Sets an option of the guest.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.0.push(format!("{name}={value}"));
        self
    }

    /// Enables an option of the guest.
    pub fn with(mut self, name: &str) -> Self {
        self.0.push(name.to_owned());
        self
    }

    /// Adds content of this many bytes.
    pub fn content(self, octets: usize) -> Self {
        self.option("content", &octets.to_string())
    }

    /// Removes an option of the guest.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|option| option.split('=').next() != Some(name));
        self
    }
}

/// A request that was sent, and the lines about it.
pub struct Exchange {
    id: u32,
    orders: UnboundedSender<String>,
    lines: Receiver<Line>,
    /// Lines that were skipped.
    passed: VecDeque<Line>,
}

/// The head of a response, or trailers.
pub type Fields = Vec<String>;

/// A response up to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Fields as "NAME: VALUE".
    pub fields: Fields,
    /// The content, summarized.
    pub content: Content,
    /// The trailers, if any; or the error that ended the response early.
    pub end: Result<Option<Fields>, String>,
}

/// A summary of received content.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Its length in bytes.
    pub octets: usize,
    /// The hash of all of it, as [`hash`] computes it.
    pub hash: String,
    /// The start of each piece.
    pub text: String,
}

impl Exchange {
    /// Waits for the head of the response: its status and fields, or the error-code.
    #[track_caller]
    pub fn head(&mut self) -> Result<(u16, Fields), String> {
        let mut line = self.wait_for(&["head", "error"]);
        let is_error = line.remove(0) == "error";
        let first = line.remove(0);
        if is_error { Err(first) } else { Ok((first.parse().unwrap(), line)) }
    }

    /// Waits for the end of the response.
    #[track_caller]
    pub fn response(mut self) -> Result<Response, String> {
        let (status, fields) = self.head()?;
        let (content, end) = self.rest();
        Ok(Response { status, fields, content, end })
    }

    /// Waits for the end of a response whose head was already read.
    #[track_caller]
    pub fn rest(&mut self) -> (Content, Result<Option<Fields>, String>) {
        let mut content = Content::default();
        loop {
            let mut line = self.wait_for(&["data", "end", "cut"]);
            let kind = line.remove(0);
            let octets: usize = line.remove(0).parse().unwrap();
            match kind.as_str() {
                "data" => {
                    content.text += &line[0];
                    continue;
                }
                "end" => content.hash = line.remove(0),
                _ => {}
            }
            content.octets = octets;
            let end = match (kind.as_str(), line.first().map(String::as_str)) {
                ("cut", _) => Err(line.remove(0)),
                ("end", Some("none")) => Ok(None),
                _ => Ok(Some(line)),
            };
            return (content, end);
        }
    }

    /// Waits for the end of a response: its trailers, if any, or the error that ended it early.
    #[track_caller]
    pub fn rest_end(&mut self) -> Result<Option<Fields>, String> {
        self.rest().1
    }

    /// Waits for a piece of content, as text.
    #[track_caller]
    pub fn data(&mut self) -> String {
        self.wait_for(&["data"]).remove(2)
    }

    /// Waits for the result of sending the request: "Ok", or an error-code.
    #[track_caller]
    pub fn sent(&mut self) -> String {
        self.wait_for(&["sent"]).remove(1)
    }

    /// Waits until the client no longer reads the request's content.
    #[track_caller]
    pub fn is_unwanted(&mut self) {
        self.wait_for(&["unwanted"]);
    }

    /// Bytes of the request's content written so far.
    pub fn written(&mut self) -> usize {
        self.passed.extend(self.lines.try_iter());
        let written = self.passed.iter().rev().find(|line| line[0] == "written");
        written.map_or(0, |line| line[1].parse().unwrap())
    }

    /// Writes more bytes of the request's content.
    pub fn more(&self, octets: usize) {
        self.order(&["more", &octets.to_string()]);
    }

    /// Ends the request's content.
    pub fn end(&self) {
        self.order(&["end"]);
    }

    /// Starts to read the response's content, if the request delayed that.
    pub fn read(&self) {
        self.order(&["read"]);
    }

    /// Drops the call or the response, and waits until that is done.
    #[track_caller]
    pub fn cancel(&mut self) {
        self.order(&["cancel"]);
        self.wait_for(&["cancelled"]);
    }

    fn order(&self, words: &[&str]) {
        // If the guest has ended, the receiver of its lines reports it.
        _ = self.orders.send(format!("{}\t{}\n", self.id, words.join("\t")));
    }

    /// The next line of one of these kinds.
    #[track_caller]
    fn wait_for(&mut self, kinds: &[&str]) -> Line {
        let wanted = |line: &Line| kinds.contains(&line[0].as_str());
        if let Some(at) = self.passed.iter().position(wanted) {
            return self.passed.remove(at).unwrap();
        }
        loop {
            let line = self.lines.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|error| panic!("no {kinds:?}: {error}; {:?}", self.passed));
            if wanted(&line) {
                return line;
            }
            self.passed.push_back(line);
        }
    }
}

/// The content sent by the guest.
pub fn pattern(octets: usize) -> Vec<u8> {
    (0..octets).map(|number| u8::try_from(number % 251).unwrap()).collect()
}

/// The hash with which the guest identifies content (FNV-1a).
pub fn hash(content: &[u8]) -> String {
    let add = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", content.iter().fold(0xcbf2_9ce4_8422_2325, add))
}
