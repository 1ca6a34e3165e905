//! The byte-stream under a connection, with what waits to be written to it and what tells when it is ready.

use wasi::clocks::monotonic_clock::{self, Instant};
use wasi::io::poll::{Pollable, poll};

use crate::bindings::http2::engine::transport::{ByteStream, TransportError};

/// Octets asked for in one read. Each call crosses a component boundary, so that large pieces are cheaper.
pub(crate) const INPUT: usize = 64 << 10;
/// Octets gathered for one write: as much as a stream usually has, so that few segments are not full.
pub(crate) const OUTPUT: usize = 256 << 10;

/// Octets of capacity for output that a connection keeps while it has nothing to send.
const KEPT: usize = 4 << 10;

/// Where output goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// The byte-stream has failed: output goes nowhere.
    Broken,
    /// The peer was told that there is no more.
    Ended,
}

/// A byte-stream, and where it stands.
///
/// The pollables stand before the byte-stream that they belong to, and so are dropped first.
pub(crate) struct Transport {
    readable: Option<Pollable>,
    writable: Option<Pollable>,
    /// A timer, and when it is due. It serves again as long as nothing earlier is wanted.
    timer: Option<(Instant, Pollable)>,
    output: Vec<u8>,
    written: usize,
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
            read_ended: false,
            writing: Writing::Open,
            io,
        }
    }

    /// Whether more may arrive.
    pub(crate) fn can_read(&self) -> bool {
        !self.read_ended
    }

    /// Whether octets can still be sent.
    pub(crate) fn can_write(&self) -> bool {
        self.writing == Writing::Open
    }

    /// Whether it has failed to take output.
    pub(crate) fn is_broken(&self) -> bool {
        self.writing == Writing::Broken
    }

    /// Whether output is taken, be it only to be thrown away.
    pub(crate) fn takes_output(&self) -> bool {
        self.writing != Writing::Ended
    }

    /// Whether output waits for the transport.
    pub(crate) fn has_output(&self) -> bool {
        self.written < self.output.len()
    }

    /// What has arrived, at most [`INPUT`] octets. An error is the last that is ever read.
    pub(crate) fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        self.io.read(INPUT as u32).inspect_err(|_| self.read_ended = true)
    }

    /// Where output is put once all that was there is written.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Writes what the transport takes now, and says how much that was. After an error, all output is thrown away.
    pub(crate) fn write(&mut self) -> Result<usize, TransportError> {
        let rest = self.output.get(self.written..).unwrap_or_default();
        if self.writing == Writing::Broken {
            let thrown_away = rest.len();
            self.clear();
            return Ok(thrown_away);
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

    /// Tells the peer that no more will come.
    pub(crate) fn finish(&mut self) {
        let writing = std::mem::replace(&mut self.writing, Writing::Ended);
        self.clear();
        if writing == Writing::Open {
            // The connection has ended: a transport that has failed meanwhile changes nothing about it.
            let _ = self.io.finish();
        }
    }

    /// A pollable of the application's own.
    pub(crate) fn subscribe_read(&self) -> Pollable {
        self.io.subscribe_read()
    }

    /// A pollable of the application's own.
    pub(crate) fn subscribe_write(&self) -> Pollable {
        self.io.subscribe_write()
    }

    /// Waits until there is something to read, if that is wanted, or room for the output that waits, or until a time.
    /// Returns at once if there is nothing to wait for.
    pub(crate) fn wait(&mut self, reading: bool, until: Option<Instant>) {
        let writing = self.has_output();
        if let Some(until) = until {
            self.arm_timer(until);
        }
        let readable = (reading && !self.read_ended)
            .then(|| &*self.readable.get_or_insert_with(|| self.io.subscribe_read()));
        let writable = writing.then(|| &*self.writable.get_or_insert_with(|| self.io.subscribe_write()));
        let timer = until.and(self.timer.as_ref()).map(|(_, timer)| timer);
        let pollables: Vec<&Pollable> = [readable, writable, timer].into_iter().flatten().collect();
        if !pollables.is_empty() {
            poll(&pollables);
        }
    }

    /// Has a timer that is due at `until`, or earlier: who is woken too early waits again, while most timers, whose
    /// time is put off again and again, need not be made anew.
    fn arm_timer(&mut self, until: Instant) {
        let serves = |(due, _): &(Instant, Pollable)| *due <= until && *due > monotonic_clock::now();
        if !self.timer.as_ref().is_some_and(serves) {
            self.timer = Some((until, monotonic_clock::subscribe_instant(until)));
        }
    }

    /// Gives the memory of the output back, as long as there is none: a silent connection needs no more than a little.
    pub(crate) fn give_back(&mut self) {
        if self.output.capacity() > KEPT {
            self.output = Vec::new();
        }
    }

    fn clear(&mut self) {
        self.output.clear();
        self.written = 0;
    }
}
