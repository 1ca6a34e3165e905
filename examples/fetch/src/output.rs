//! Where responses go.

use std::fs::File;
use std::io::{self, Stdout, Write};
use std::path::Path;

use crate::bindings::http2::engine::types::{Fields, ResponseHead};
use crate::failure::Failure;

/// What takes the content.
enum Sink {
    Stdout(Stdout),
    File(File),
    Nothing,
}

/// What is shown of a response, and where.
pub(crate) struct Output {
    sink: Sink,
    /// Where that is, in words.
    place: String,
    include_head: bool,
    trailers: bool,
    /// Whether the content so far ends inside a line.
    inside_line: bool,
}

impl Output {
    /// To standard output, or to a file, which is made or emptied.
    pub(crate) fn open(path: Option<&Path>, include_head: bool, trailers: bool) -> Result<Self, Failure> {
        let (sink, place) = match path {
            None => (Sink::Stdout(io::stdout()), "standard output".to_owned()),
            Some(path) => {
                let place = path.display().to_string();
                let file = File::create(path).map_err(|error| Failure::new(&place, "opening", error))?;
                (Sink::File(file), place)
            }
        };
        Ok(Self { sink, place, include_head, trailers, inside_line: false })
    }

    /// To nowhere.
    pub(crate) fn nothing() -> Self {
        Self {
            sink: Sink::Nothing,
            place: String::new(),
            include_head: false,
            trailers: false,
            inside_line: false,
        }
    }

    /// The head of a response, informational ones included, if it is wanted.
    pub(crate) fn head(&mut self, head: &ResponseHead) -> Result<(), Failure> {
        if !self.include_head {
            return Ok(());
        }
        let mut text = format!("HTTP/2 {}\r\n", head.status).into_bytes();
        append_fields(&mut text, &head.headers);
        text.extend_from_slice(b"\r\n");
        self.write(&text)
    }

    /// Content.
    pub(crate) fn content(&mut self, octets: &[u8]) -> Result<(), Failure> {
        self.inside_line = octets.last().is_some_and(|&last| last != b'\n');
        self.write(octets)
    }

    /// The end of a response, with its trailers, if they are wanted: they begin on a line of their own.
    pub(crate) fn end(&mut self, trailers: Option<&Fields>) -> Result<(), Failure> {
        if let Some(trailers) = trailers.filter(|_| self.trailers) {
            let mut text = if std::mem::take(&mut self.inside_line) { b"\r\n".to_vec() } else { Vec::new() };
            append_fields(&mut text, trailers);
            self.write(&text)?;
        }
        let flushed = match &mut self.sink {
            Sink::Stdout(stdout) => stdout.flush(),
            Sink::File(file) => file.flush(),
            Sink::Nothing => Ok(()),
        };
        flushed.map_err(|error| Failure::new(&self.place, "writing", error))
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.sink {
            Sink::Stdout(stdout) => stdout.write_all(octets),
            Sink::File(file) => file.write_all(octets),
            Sink::Nothing => Ok(()),
        };
        written.map_err(|error| Failure::new(&self.place, "writing", error))
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
