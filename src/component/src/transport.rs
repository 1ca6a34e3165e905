//! The byte-stream under a connection, with its output buffer and its pollables.

use http2_engine::TCP_WRITE;
use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::io::{ByteStream, TransportError};

/// Bytes requested in one read while much arrives: each call crosses a component boundary, so large reads are cheaper.
const LARGE_READ: u32 = 64 << 10;
/// Bytes requested in one read otherwise: hosts clear a buffer of the size requested, whatever arrives.
const SMALL_READ: u32 = 8 << 10;
/// Bytes gathered for one write: as many as a stream usually has waiting, in full segments.
pub(crate) const WRITE_SIZE: usize = 4 * TCP_WRITE;

/// Bytes of output capacity that a connection keeps while it has nothing to send.
const IDLE_CAPACITY: usize = 4 << 10;

/// Where output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// The byte-stream has failed, and output is discarded.
    Broken,
    /// The sending direction is finished.
    Ended,
}

/// A byte-stream and its state.
///
/// The pollables are declared before their byte-stream, and so are dropped first.
pub(crate) struct Transport {
    readable: Option<Pollable>,
    writable: Option<Pollable>,
    /// A timer and its deadline; reused until an earlier deadline is needed.
    timer: Option<(Instant, Pollable)>,
    output: Vec<u8>,
    written: usize,
    /// Bytes to request in the next read.
    read_size: u32,
    read_ended: bool,
    writing: Writing,
    io: ByteStream,
}

impl Transport {
    pub(crate) fn new(io: ByteStream) -> Self {
        Self {
            readable: None,
            writable: None,
            timer: None,
            output: Vec::new(),
            written: 0,
            read_size: SMALL_READ,
            read_ended: false,
            writing: Writing::Open,
            io,
        }
    }

    /// Returns whether more input may arrive.
    pub(crate) fn can_read(&self) -> bool {
        !self.read_ended
    }

    /// Returns whether bytes can still be sent.
    pub(crate) fn can_write(&self) -> bool {
        self.writing == Writing::Open
    }

    /// Returns whether writing has failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.writing == Writing::Broken
    }

    /// Returns whether output is accepted, even if only to be discarded.
    pub(crate) fn accepts_output(&self) -> bool {
        self.writing != Writing::Ended
    }

    /// Returns whether output waits for the transport.
    pub(crate) fn has_output(&self) -> bool {
        self.written < self.output.len()
    }

    /// Reads bytes, and returns whether more of them may be there; after an error, nothing more can be read.
    pub(crate) fn read(&mut self) -> Result<(Vec<u8>, bool), TransportError> {
        let bytes = self.io.read(self.read_size).inspect_err(|_| self.read_ended = true)?;
        let is_full = bytes.len() >= self.read_size as usize;
        if is_full {
            self.read_size = LARGE_READ;
        } else if !bytes.is_empty() && bytes.len() <= SMALL_READ as usize {
            self.read_size = SMALL_READ;
        }
        Ok((bytes, is_full))
    }

    /// Returns the output buffer, which may be filled once everything in it has been written.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Writes as much as the transport accepts now, and returns the number of bytes.
    ///
    /// After an error, all output is discarded.
    pub(crate) fn write(&mut self) -> Result<usize, TransportError> {
        let rest = self.output.get(self.written..).unwrap_or_default();
        if self.writing == Writing::Broken {
            let discarded = rest.len();
            self.clear();
            return Ok(discarded);
        }
        match self.io.write(rest) {
            Ok(taken) => {
                self.written = self.written.saturating_add(taken as usize);
                if self.written >= self.output.len() {
                    self.clear();
                }
                Ok(taken as usize)
            }
            Err(error) => {
                self.writing = Writing::Broken;
                self.clear();
                Err(error)
            }
        }
    }

    /// Finishes the sending direction.
    pub(crate) fn finish(&mut self) {
        let writing = std::mem::replace(&mut self.writing, Writing::Ended);
        self.clear();
        if writing == Writing::Open {
            // The connection has ended already, so a failure of the transport no longer matters.
            let _ = self.io.finish();
        }
    }

    /// Returns a pollable for the application.
    pub(crate) fn subscribe_read(&self) -> Pollable {
        self.io.subscribe_read()
    }

    /// Returns a pollable for the application.
    pub(crate) fn subscribe_write(&self) -> Pollable {
        self.io.subscribe_write()
    }

    /// Waits until input arrives (if `reading`), the transport has room for waiting output, or `until` has come.
    ///
    /// Returns at once if none of these can happen.
    pub(crate) fn wait(&mut self, reading: bool, until: Option<Instant>) {
        if let Some(until) = until {
            self.arm_timer(until);
        }
        self.subscribe(reading);
        let timer = until.and(self.timer.as_ref()).map(|(_, timer)| timer);
        let pollables: Vec<&Pollable> = self.pollables(reading).chain(timer).collect();
        if !pollables.is_empty() {
            poll(&pollables);
        }
    }

    /// Creates the pollables that [`pollables`](Self::pollables) returns, unless they exist.
    pub(crate) fn subscribe(&mut self, reading: bool) {
        if reading && !self.read_ended {
            self.readable.get_or_insert_with(|| self.io.subscribe_read());
        }
        if self.has_output() {
            self.writable.get_or_insert_with(|| self.io.subscribe_write());
        }
    }

    /// Returns the pollables of input (if `reading`) and of room for waiting output.
    pub(crate) fn pollables(&self, reading: bool) -> impl Iterator<Item = &Pollable> {
        let readable = self.readable.as_ref().filter(|_| reading && !self.read_ended);
        let writable = self.writable.as_ref().filter(|_| self.has_output());
        readable.into_iter().chain(writable)
    }

    /// Ensures that a timer fires at `until` or earlier.
    ///
    /// Most deadlines are postponed again and again. Keeping the earlier timer saves creating a new one each time; a
    /// caller that wakes up too early waits again.
    fn arm_timer(&mut self, until: Instant) {
        let is_usable = |(due, _): &(Instant, Pollable)| *due <= until && *due > monotonic_clock::now();
        if !self.timer.as_ref().is_some_and(is_usable) {
            self.timer = Some((until, monotonic_clock::subscribe_instant(until)));
        }
    }

    /// Frees the output buffer, which must be empty, so that an idle connection uses little memory.
    pub(crate) fn shrink(&mut self) {
        if self.output.capacity() > IDLE_CAPACITY {
            self.output = Vec::new();
        }
    }

    fn clear(&mut self) {
        self.output.clear();
        self.written = 0;
    }
}
