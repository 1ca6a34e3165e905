//! A connection as a `byte-stream`.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::tcp::{ShutdownType, TcpSocket};

use crate::bindings::exports::http2::engine::transport::{GuestByteStream, TransportError};
use crate::closing::{self, Connection};
use crate::error;

/// Bytes written at most by one call of the host: the largest TCP segment over IPv4, with timestamps.
///
/// A little more, as the host would permit, costs a second packet; and its rest waits for an acknowledgement.
const SEGMENT: usize = 65_483;

/// A TCP connection.
pub(crate) struct Stream {
    connection: Rc<Connection>,
    /// The final errors of receiving and sending: the host reports each once, and "closed" afterwards.
    read_error: OnceCell<TransportError>,
    write_error: OnceCell<TransportError>,
    /// Whether this side has finished sending.
    finished: Cell<bool>,
    /// Whether the application got a pollable.
    subscribed: Cell<bool>,
}

impl Stream {
    pub(crate) fn new(socket: TcpSocket, input: InputStream, output: OutputStream) -> Self {
        Self {
            connection: Rc::new(Connection { input, output, socket }),
            read_error: OnceCell::new(),
            write_error: OnceCell::new(),
            finished: Cell::new(false),
            subscribed: Cell::new(false),
        }
    }

    /// Reads at most `max` bytes; after an error, the same error again.
    pub(crate) fn read(&self, max: u32) -> Result<Vec<u8>, TransportError> {
        closing::drop_closed_listeners();
        self.connection.input.read(max.into()).map_err(|error| {
            self.read_error
                .get_or_init(|| error::from_stream_error(&error).unwrap_or(TransportError::Closed))
                .clone()
        })
    }

    /// Writes as much from the front of `bytes` as the host accepts, and returns the number of bytes.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<u32, TransportError> {
        if self.finished.get() {
            return Err(TransportError::Closed);
        }
        let mut left = bytes;
        while !left.is_empty() {
            match self.write_permitted(left) {
                Ok(0) => break,
                Ok(taken) => left = left.get(taken..).unwrap_or_default(),
                // The peer accepts no more before this side has finished: treat that as a reset.
                Err(error) => {
                    let reason =
                        || error::from_stream_error(&error).unwrap_or(TransportError::ConnectionReset);
                    return Err(self.write_error.get_or_init(reason).clone());
                }
            }
        }
        let taken = bytes.len().saturating_sub(left.len());
        Ok(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    /// Ends the sending direction.
    pub(crate) fn finish(&self) -> Result<(), TransportError> {
        if self.finished.replace(true) {
            return Ok(());
        }
        // The host sends all output before it ends the direction.
        self.connection.socket.shutdown(ShutdownType::Send).map_err(error::from_socket_error)
    }

    /// Returns a pollable, ready when `read` would return bytes or an error.
    pub(crate) fn subscribe_read(&self) -> Pollable {
        self.subscribed.set(true);
        self.connection.input.subscribe()
    }

    /// Returns a pollable, ready when `write` would accept bytes or return an error.
    pub(crate) fn subscribe_write(&self) -> Pollable {
        self.subscribed.set(true);
        self.connection.output.subscribe()
    }

    /// Writes as much from the front of `bytes` as the host permits now, and returns the number of bytes.
    fn write_permitted(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        let output = &self.connection.output;
        let permit = usize::try_from(output.check_write()?).unwrap_or(usize::MAX).min(SEGMENT);
        let permitted = bytes.get(..permit).unwrap_or(bytes);
        if !permitted.is_empty() {
            output.write(permitted)?;
        }
        Ok(permitted.len())
    }
}

impl GuestByteStream for Stream {
    fn read(&self, max: u32) -> Result<Vec<u8>, TransportError> {
        self.read(max)
    }

    fn write(&self, bytes: Vec<u8>) -> Result<u32, TransportError> {
        self.write(&bytes)
    }

    fn finish(&self) -> Result<(), TransportError> {
        self.finish()
    }

    fn subscribe_read(&self) -> Pollable {
        self.subscribe_read()
    }

    fn subscribe_write(&self) -> Pollable {
        self.subscribe_write()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        closing::close(&self.connection, self.subscribed.get());
    }
}
