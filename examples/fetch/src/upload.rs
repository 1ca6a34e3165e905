//! The content of a request, streamed from its source.

use std::fs::{File, Metadata};
use std::io::Read;

use wasi::cli::stdin::{InputStream, get_stdin};
use wasi::io::poll::Pollable;
use wasi::io::streams::StreamError;

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::ErrorKind;
use crate::failure::Failure;
use crate::options::Data;

/// Bytes per read.
const CHUNK: usize = 64 << 10;

/// The source of the content.
enum Source {
    File(File),
    /// The pollable comes first, and so is dropped first.
    Stdin(Pollable, InputStream),
}

/// Content that is being sent.
pub(crate) struct Upload {
    source: Option<Source>,
    /// A description of the source.
    origin: String,
    length: Option<u64>,
    chunk: Vec<u8>,
    taken: usize,
    complete: bool,
}

impl Upload {
    /// Opens the source.
    pub(crate) fn open(data: &Data) -> Result<Self, Failure> {
        let (source, origin, length, chunk) = match data {
            Data::Given(octets) => (None, String::new(), Some(octets.len() as u64), octets.clone()),
            Data::File(path) => {
                let origin = path.display().to_string();
                let file = File::open(path).map_err(|error| Failure::new(&origin, "opening", error))?;
                let length = file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
                (Some(Source::File(file)), origin, length, Vec::new())
            }
            Data::Stdin => {
                let stdin = get_stdin();
                (Some(Source::Stdin(stdin.subscribe(), stdin)), "standard input".to_owned(), None, Vec::new())
            }
        };
        Ok(Self { source, origin, length, chunk, taken: 0, complete: false })
    }

    /// Returns the length of the content in bytes, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns whether everything has been sent, or the server accepts no more.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns whether the content can be read again from its beginning.
    pub(crate) fn is_repeatable(&self) -> bool {
        !matches!(self.source, Some(Source::Stdin(..)))
    }

    /// Returns the pollable of standard input, if the upload waits for it and not for the connection.
    pub(crate) fn pollable(&self) -> Option<&Pollable> {
        match &self.source {
            Some(Source::Stdin(ready, _)) if !self.complete && self.taken == self.chunk.len() => Some(ready),
            _ => None,
        }
    }

    /// Sends as much as possible without waiting.
    pub(crate) fn advance(&mut self, url: &str, stream: &Http2Stream) -> Result<(), Failure> {
        while !self.complete {
            if self.taken < self.chunk.len() {
                self.send(url, stream, false)?;
                if self.taken < self.chunk.len() {
                    return Ok(());
                }
            }
            match self.read()? {
                Some(()) if self.chunk.is_empty() => return Ok(()),
                Some(()) => {}
                None => {
                    self.send(url, stream, true)?;
                    self.complete = true;
                }
            }
        }
        Ok(())
    }

    /// Queues the current chunk.
    ///
    /// If the stream accepts no more content, it has ended, and reading the response reports the reason.
    fn send(&mut self, url: &str, stream: &Http2Stream, end: bool) -> Result<(), Failure> {
        match stream.send_data(&self.chunk[self.taken..], end) {
            Ok(taken) => self.taken += taken as usize,
            // The content contradicts the head, for example in its length.
            Err(error) if matches!(error.kind, ErrorKind::InvalidArgument) => {
                return Err(Failure::http2(url, "sending the content", &error));
            }
            Err(_) => self.complete = true,
        }
        Ok(())
    }

    /// Reads the next chunk, which is empty if no input is available yet; returns `None` at the end.
    fn read(&mut self) -> Result<Option<()>, Failure> {
        self.taken = 0;
        self.chunk.clear();
        match &mut self.source {
            None => Ok(None),
            Some(Source::File(file)) => {
                let read = file.take(CHUNK as u64).read_to_end(&mut self.chunk);
                let read = read.map_err(|error| Failure::new(&self.origin, "reading", error))?;
                Ok((read > 0).then_some(()))
            }
            Some(Source::Stdin(_, stdin)) => match InputStream::read(stdin, CHUNK as u64) {
                Ok(octets) => {
                    self.chunk = octets;
                    Ok(Some(()))
                }
                Err(StreamError::Closed) => Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    Err(Failure::new(&self.origin, "reading", error.to_debug_string()))
                }
            },
        }
    }
}
