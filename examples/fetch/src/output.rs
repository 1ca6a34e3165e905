//! The output of responses.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use wasi::cli::stdout::{OutputStream, get_stdout};
use wasi::io::streams::StreamError;

use crate::bindings::http2::engine::types::{Fields, ResponseHead};
use crate::failure::Failure;

/// The destination of the content.
enum Sink {
    Stdout(OutputStream),
    File(File),
    Nothing,
}

/// Writes the requested parts of responses.
pub(crate) struct Output {
    sink: Sink,
    /// A description of the destination.
    place: String,
    include_head: bool,
    trailers: bool,
    /// Whether the content so far ends inside a line.
    inside_line: bool,
}

impl Output {
    /// Writes to standard output, or to a file, which is created or truncated.
    pub(crate) fn open(path: Option<&Path>, include_head: bool, trailers: bool) -> Result<Self, Failure> {
        let (sink, place) = match path {
            None => (Sink::Stdout(get_stdout()), "standard output".to_owned()),
            Some(path) => {
                let place = path.display().to_string();
                let file = File::create(path).map_err(|error| Failure::new(&place, "opening", error))?;
                (Sink::File(file), place)
            }
        };
        Ok(Self { sink, place, include_head, trailers, inside_line: false })
    }

    /// Discards everything.
    pub(crate) fn nothing() -> Self {
        Self {
            sink: Sink::Nothing,
            place: String::new(),
            include_head: false,
            trailers: false,
            inside_line: false,
        }
    }

    /// Writes the head of a final or informational response, if requested.
    pub(crate) fn head(&mut self, head: &ResponseHead) -> Result<(), Failure> {
        if !self.include_head {
            return Ok(());
        }
        let mut text = format!("HTTP/2 {}\r\n", head.status).into_bytes();
        append_fields(&mut text, &head.headers);
        text.extend_from_slice(b"\r\n");
        self.write(&text)
    }

    /// Writes content.
    pub(crate) fn content(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.inside_line = octets.last().is_some_and(|&last| last != b'\n');
        self.write(octets)
    }

    /// Ends a response: writes its trailers, if requested, starting on a new line.
    pub(crate) fn end(&mut self, trailers: Option<&Fields>) -> Result<(), Failure> {
        if let Some(trailers) = trailers.filter(|_| self.trailers) {
            let mut text = if std::mem::take(&mut self.inside_line) { b"\r\n".to_vec() } else { Vec::new() };
            append_fields(&mut text, trailers);
            self.write(&text)?;
        }
        let flushed = match &mut self.sink {
            Sink::Stdout(stdout) => stdout.blocking_flush().map_err(describe),
            Sink::File(file) => file.flush().map_err(|error| error.to_string()),
            Sink::Nothing => Ok(()),
        };
        flushed.map_err(|error| Failure::new(&self.place, "writing", error))
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.sink {
            Sink::Stdout(stdout) => write_all(stdout, octets).map_err(describe),
            Sink::File(file) => file.write_all(octets).map_err(|error| error.to_string()),
            Sink::Nothing => Ok(()),
        };
        written.map_err(|error| Failure::new(&self.place, "writing", error))
    }
}

/// Writes everything, and waits for room.
///
/// The standard library would look for the ends of lines, and write at most 4 KiB at once.
fn write_all(stdout: &OutputStream, mut octets: &[u8]) -> Result<(), StreamError> {
    while !octets.is_empty() {
        let room = usize::try_from(stdout.check_write()?).unwrap_or(usize::MAX);
        let (now, later) = octets.split_at(room.min(octets.len()));
        if now.is_empty() {
            stdout.subscribe().block();
        } else {
            stdout.write(now)?;
        }
        octets = later;
    }
    Ok(())
}

fn describe(error: StreamError) -> String {
    match error {
        StreamError::Closed => "closed".to_owned(),
        StreamError::LastOperationFailed(error) => {
            error.to_debug_string().lines().next().unwrap_or_default().to_owned()
        }
    }
}

fn append_fields(text: &mut Vec<u8>, fields: &Fields) {
    for (name, value) in fields {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
    }
}
