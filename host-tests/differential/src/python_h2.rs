//! Python's `h2` as an endpoint, in a separate process that runs the script beside this file.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use http2_engine::Role;

use crate::endpoint::{Change, Endpoint, Refused, Start};
use crate::message::{Delivery, Fields};

/// A Python process that plays one endpoint after another.
pub struct Python {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    /// Starts the interpreter, which must have the package `h2`.
    ///
    /// # Panics
    ///
    /// Panics if the interpreter does not start.
    pub fn start(interpreter: &Path) -> Rc<RefCell<Self>> {
        let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/python_h2.py"].iter().collect();
        let mut process = Command::new(interpreter)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let input = process.stdin.take().expect("standard input is a pipe");
        let output = BufReader::new(process.stdout.take().expect("standard output is a pipe"));
        Rc::new(RefCell::new(Self { process, input, output }))
    }

    /// Sends a command, and returns the lines of its answer; the last one is the verdict.
    fn command(&mut self, command: &str) -> Vec<String> {
        writeln!(self.input, "{command}").and_then(|()| self.input.flush()).expect("Python listens");
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let octets = self.output.read_line(&mut line).expect("Python answers with text");
            assert!(octets > 0, "Python ended during {command:.200}");
            let line = line.trim_end().to_owned();
            let more = line.starts_with("delivered ") || line.starts_with("pongs ");
            lines.push(line);
            if !more {
                return lines;
            }
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// A connection of Python's `h2`.
///
/// The package does not continue after a GOAWAY in either direction. It applies a changed setting when an
/// earlier change of another setting is acknowledged; therefore, only one change is in progress at any time,
/// the configured initial settings follow the default ones, and the connection begins without a stream limit.
pub struct PythonH2 {
    python: Rc<RefCell<Python>>,
    /// Received pieces, to be passed on together, each as a separate input.
    pieces: String,
    deliveries: Vec<(u32, Delivery)>,
    pongs: usize,
    failure: Option<String>,
}

impl PythonH2 {
    /// Creates a connection, which replaces the process's previous one.
    pub fn new(python: &Rc<RefCell<Python>>, start: &Start) -> Self {
        let role = match start.role {
            Role::Client => "client",
            Role::Server => "server",
        };
        python.borrow_mut().command(&format!(
            "start {role} {} {} {} {} {}",
            start.seed,
            start.initial_window_size,
            start.max_frame_size,
            start.header_table_size,
            start.connection_window,
        ));
        Self {
            python: python.clone(),
            pieces: String::new(),
            deliveries: Vec::new(),
            pongs: 0,
            failure: None,
        }
    }

    /// Passes on the received pieces.
    fn deliver_pieces(&mut self) {
        if !self.pieces.is_empty() {
            let pieces = std::mem::take(&mut self.pieces);
            _ = self.plain_command(&format!("receive{pieces}"));
        }
    }

    /// Sends a command after the received pieces; returns the answer, if any.
    fn command(&mut self, command: &str) -> Result<String, Refused> {
        self.deliver_pieces();
        self.plain_command(command)
    }

    fn plain_command(&mut self, command: &str) -> Result<String, Refused> {
        if self.failure.is_some() {
            return Err(Refused::Gone);
        }
        let lines = self.python.borrow_mut().command(command);
        let mut verdict = Ok(String::new());
        for line in lines {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match word {
                "delivered" => self.deliveries.push(parse_delivery(rest)),
                "pongs" => self.pongs = rest.parse().expect("a number of PINGs"),
                "taken" => verdict = Ok(rest.to_owned()),
                "later" => verdict = Err(Refused::NotNow),
                "gone" => verdict = Err(Refused::Gone),
                _ => {
                    self.failure = Some(rest.to_owned());
                    verdict = Err(Refused::Gone);
                }
            }
        }
        verdict
    }

    fn headers(&mut self, stream: u32, section: &Fields, end_stream: bool) -> Result<(), Refused> {
        let command = format!("headers {stream} {} {}", show_section(section), end(end_stream));
        self.command(&command).map(drop)
    }
}

impl Endpoint for PythonH2 {
    fn receive(&mut self, octets: &[u8]) {
        self.pieces.push(' ');
        self.pieces.push_str(&hex(octets));
    }

    fn transmit(&mut self, max: usize, out: &mut Vec<u8>) {
        if let Ok(octets) = self.command(&format!("transmit {max}")) {
            out.extend(unhex(&octets));
        }
    }

    fn open(&mut self, head: &Fields, end_stream: bool) -> Result<u32, Refused> {
        let stream = self.command(&format!("open {} {}", show_section(head), end(end_stream)))?;
        Ok(stream.parse().expect("a stream id"))
    }

    fn inform(&mut self, stream: u32, head: &Fields) -> Result<(), Refused> {
        self.headers(stream, head, false)
    }

    fn respond(&mut self, stream: u32, head: &Fields, end_stream: bool) -> Result<(), Refused> {
        self.headers(stream, head, end_stream)
    }

    fn send_data(&mut self, stream: u32, content: &[u8], end_stream: bool) -> Result<usize, Refused> {
        let taken = self.command(&format!("data {stream} {} {}", end(end_stream), hex(content)))?;
        Ok(taken.parse().expect("a number of bytes"))
    }

    fn send_trailers(&mut self, stream: u32, trailers: &Fields) -> Result<(), Refused> {
        self.headers(stream, trailers, true)
    }

    fn reset(&mut self, stream: u32, code: u32) {
        _ = self.command(&format!("reset {stream} {code}"));
    }

    fn read(&mut self, stream: u32, max: usize) {
        _ = self.command(&format!("read {stream} {max}"));
    }

    fn change(&mut self, change: Change) -> Result<(), Refused> {
        let (setting, value) = match change {
            Change::HeaderTableSize(octets) => ("table", octets),
            Change::MaxConcurrentStreams(streams) => ("streams", streams),
            Change::InitialWindowSize(octets) => ("window", octets),
            Change::MaxFrameSize(octets) => ("frame", octets),
        };
        self.command(&format!("change {setting} {value}")).map(drop)
    }

    fn raise_window(&mut self, stream: u32, octets: u32) -> Result<(), Refused> {
        self.command(&format!("window {stream} {octets}")).map(drop)
    }

    fn ping(&mut self) -> Result<(), Refused> {
        self.command("ping").map(drop)
    }

    fn pongs(&self) -> usize {
        self.pongs
    }

    fn shut_down(&mut self) -> Result<(), Refused> {
        Err(Refused::NotNow)
    }

    fn deliveries(&mut self) -> Vec<(u32, Delivery)> {
        self.deliver_pieces();
        std::mem::take(&mut self.deliveries)
    }

    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }

    fn continues_after_goaway(&self) -> bool {
        false
    }

    fn repeats_resets(&self) -> bool {
        true
    }

    /// h2 treats it as exceeding the window.
    fn takes_empty_data_below_zero(&self) -> bool {
        false
    }

    /// h2 ends the connection.
    fn takes_informational_after_reset(&self) -> bool {
        false
    }

    /// h2 announces every change, even those above the final size.
    fn sums_up_table_sizes(&self) -> bool {
        false
    }
}

fn end(end_stream: bool) -> &'static str {
    if end_stream { "end" } else { "more" }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        _ = write!(text, "{octet:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let octet = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two hexadecimal digits");
    (0..text.len()).step_by(2).map(octet).collect()
}

fn show_section(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!("{}:{}", hex(name), hex(value))).collect::<Vec<_>>().join(",")
}

fn parse_section(text: &str) -> Fields {
    let fields = text.split(',').filter_map(|field| field.split_once(':'));
    fields.map(|(name, value)| (unhex(name), unhex(value))).collect()
}

fn parse_delivery(text: &str) -> (u32, Delivery) {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let stream = word().parse().expect("a stream id");
    let (kind, value) = (word(), word());
    let delivery = match kind {
        "informational" => Delivery::Informational(parse_section(value)),
        "head" => Delivery::Head(parse_section(value)),
        "content" => Delivery::Content(unhex(value)),
        "trailers" => Delivery::Trailers(parse_section(value)),
        "end" => Delivery::End,
        "reset" => Delivery::Reset(value.parse().expect("an error code")),
        _ => panic!("unknown delivery {text:.200}"),
    };
    (stream, delivery)
}
