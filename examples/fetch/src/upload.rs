//! The content of a request, streamed from its source.

use std::fs::{File, Metadata};
use std::io::{self, Read};

use wasi::cli::stdin::{InputStream, get_stdin};
use wasi::io::poll::Pollable;
use wasi::io::streams::StreamError;

use crate::bindings::http2::engine::connection::Http2Stream;
use crate::bindings::http2::engine::types::ErrorKind;
use crate::bindings::http2::engine::wide;
use crate::failure::Failure;
use crate::options::Data;

/// Bytes per read.
const CHUNK: usize = 64 << 10;
/// Bytes of a word.
const WORD: usize = size_of::<u64>();

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
    chunk: Chunk,
    taken: usize,
    complete: bool,
}

/// A piece of content, in words.
#[derive(Default)]
struct Chunk {
    words: Vec<u64>,
    /// The length in bytes.
    len: usize,
}

impl Chunk {
    fn copy(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(WORD)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// Reads the next bytes of a file in place of the old ones; none are left at its end.
    fn read(&mut self, file: &mut File) -> io::Result<()> {
        self.words.resize(CHUNK / WORD, 0);
        self.len = loop {
            match file.read(bytemuck::cast_slice_mut(&mut self.words)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        Ok(())
    }
}

impl Upload {
    /// Opens the source.
    pub(crate) fn open(data: &Data) -> Result<Self, Failure> {
        let (source, origin, length, chunk) = match data {
            Data::Given(octets) => (None, String::new(), Some(octets.len() as u64), Chunk::copy(octets)),
            Data::File(path) => {
                let origin = path.display().to_string();
                let file = File::open(path).map_err(|error| Failure::new(&origin, "opening", error))?;
                let length = file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len());
                (Some(Source::File(file)), origin, length, Chunk::default())
            }
            Data::Stdin => {
                let stdin = get_stdin();
                (
                    Some(Source::Stdin(stdin.subscribe(), stdin)),
                    "standard input".to_owned(),
                    None,
                    Chunk::default(),
                )
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
            Some(Source::Stdin(ready, _)) if !self.complete && self.taken == self.chunk.len => Some(ready),
            _ => None,
        }
    }

    /// Sends as much as possible without waiting.
    pub(crate) fn advance(&mut self, url: &str, stream: &Http2Stream) -> Result<(), Failure> {
        while !self.complete {
            if self.taken < self.chunk.len {
                self.send(url, stream, self.source.is_none())?;
                if self.taken < self.chunk.len {
                    return Ok(());
                }
            }
            match self.read()? {
                Some(()) if self.chunk.len == 0 => return Ok(()),
                Some(()) => {}
                // The engine always accepts an end without content.
                None => self.send(url, stream, true)?,
            }
        }
        Ok(())
    }

    /// Queues the rest of the current chunk, which is the last one if `end` is true.
    ///
    /// If the stream accepts no more content, it has ended, and reading the response reports the reason.
    fn send(&mut self, url: &str, stream: &Http2Stream, end: bool) -> Result<(), Failure> {
        let Chunk { words, len } = &self.chunk;
        let (skip, rest) = ((self.taken % WORD) as u32, (len - self.taken) as u32);
        match wide::send_data(stream, &words[self.taken / WORD..len.div_ceil(WORD)], skip, rest, end) {
            Ok(taken) => self.taken += taken as usize,
            // The content contradicts the head, for example in its length.
            Err(error) if matches!(error.kind, ErrorKind::InvalidArgument) => {
                return Err(Failure::http2(url, "sending the content", &error));
            }
            Err(_) => self.complete = true,
        }
        self.complete |= end && self.taken == self.chunk.len;
        Ok(())
    }

    /// Reads the next chunk, which is empty if no input is available yet; returns `None` at the end.
    fn read(&mut self) -> Result<Option<()>, Failure> {
        self.taken = 0;
        self.chunk.len = 0;
        match &mut self.source {
            None => Ok(None),
            Some(Source::File(file)) => {
                let read = self.chunk.read(file);
                read.map_err(|error| Failure::new(&self.origin, "reading", error))?;
                Ok((self.chunk.len > 0).then_some(()))
            }
            Some(Source::Stdin(_, stdin)) => match InputStream::read(stdin, CHUNK as u64) {
                Ok(bytes) => {
                    self.chunk = Chunk::copy(&bytes);
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
