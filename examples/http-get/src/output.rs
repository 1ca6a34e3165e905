//! The output of responses.

use std::io::{self, Stdout, Write};

use wasip3::http::types::{Fields, Response};

use crate::failure::Failure;

/// Writes the requested parts of responses to standard output.
pub(crate) struct Output {
    /// `None` to discard everything.
    sink: Option<Stdout>,
    include_head: bool,
    trailers: bool,
    /// Whether the content so far ends inside a line.
    inside_line: bool,
}

impl Output {
    /// Writes to standard output.
    pub(crate) fn stdout(include_head: bool, trailers: bool) -> Self {
        Self { sink: Some(io::stdout()), include_head, trailers, inside_line: false }
    }

    /// Discards everything.
    pub(crate) fn nothing() -> Self {
        Self { sink: None, include_head: false, trailers: false, inside_line: false }
    }

    /// Writes the head of a response, if requested, without the version of HTTP, which `wasi:http` does not provide.
    pub(crate) fn head(&mut self, response: &Response) -> Result<(), Failure> {
        if !self.include_head {
            return Ok(());
        }
        let mut text = format!("HTTP {}\r\n", response.get_status_code()).into_bytes();
        append_fields(&mut text, &response.get_headers());
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
        let inside_line = std::mem::take(&mut self.inside_line);
        if let Some(trailers) = trailers.filter(|_| self.trailers) {
            let mut text = if inside_line { b"\r\n".to_vec() } else { Vec::new() };
            append_fields(&mut text, trailers);
            self.write(&text)?;
        }
        self.sink.as_mut().map_or(Ok(()), Write::flush).map_err(|error| failure(&error))
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let Some(sink) = &mut self.sink else { return Ok(()) };
        sink.write_all(octets).map_err(|error| failure(&error))
    }
}

fn failure(error: &io::Error) -> Failure {
    Failure::new("writing to standard output", error)
}

fn append_fields(text: &mut Vec<u8>, fields: &Fields) {
    for (name, value) in fields.copy_all() {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(&value);
        text.extend_from_slice(b"\r\n");
    }
}
