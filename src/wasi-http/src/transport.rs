//! The driver of a connection: the tasks that move its bytes and watch its deadlines.
//!
//! A connection runs over two byte streams, and knows no socket. [`tcp`](crate::tcp) takes them from a TCP socket.
//!
//! # TLS
//!
//! A TLS layer is a pair of functions from stream to stream, which stands between the socket and the connection. It is
//! `wasi:tls`, or a TLS library in this component with one task per direction:
//!
//! ```text
//! incoming = decrypt(socket.receive())      encrypted bytes of the peer -> incoming
//! socket.send(encrypt(outgoing's reader))   outgoing -> encrypted bytes for the peer
//! ```
//!
//! The layer completes its handshake, with ALPN "h2" (RFC 9113, 3.2), before [`Connection::run`] starts. It maps the
//! end of each stream: `close_notify` from the peer ends `incoming`; when `outgoing` is dropped, the layer sends
//! `close_notify` and ends its own output. An aborted or truncated session also just ends `incoming`: HTTP/2 detects
//! incomplete messages by itself. Nothing else changes, as this module never asks the socket for anything.

use std::future::Future;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http2_engine::{ConnectionError, HTTP1_ANSWER, Role, TCP_WRITE};
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::connection::Connection;
use crate::signal::{Latch, race};

/// Sizes of the read buffer in bytes, for a peer with little output and for a busy one.
///
/// Every connection keeps one buffer, even while it is idle.
const READ_SIZES: (usize, usize) = (4 << 10, 64 << 10);
/// After a whole segment, output of fewer bytes waits for more until the end of a turn.
const SMALL_REST: usize = 8 << 10;
/// How long an ended connection may take to write its last bytes and to see the peer's end.
///
/// Closing a socket with unread input can make the peer lose the last bytes written.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between reads after the end of a connection, so that a peer with endless output cannot starve the other
/// connections.
const DISCARD_PAUSE: Duration = Duration::from_millis(50);

impl Connection {
    /// Drives the connection over a pair of byte streams until both have ended.
    ///
    /// `incoming` carries the peer's bytes, and ends when the peer sends no more or the transport fails. `outgoing`
    /// takes the bytes for the peer, and is dropped after the last one; if its reader is dropped, the transport has
    /// failed. The future completes when both have ended, or a short time after the connection has: then the caller
    /// closes the transport.
    ///
    /// # Errors
    ///
    /// The error of the connection, unless it ended gracefully.
    pub async fn run(
        &self,
        incoming: StreamReader<u8>,
        outgoing: StreamWriter<u8>,
    ) -> Result<(), ConnectionError> {
        let cancelled = Rc::new(Latch::default());
        let writing = self.spawn_unless(&cancelled, self.clone().write_loop(outgoing));
        let reading = self.spawn_unless(&cancelled, self.clone().read_loop(incoming));
        self.run_timer().await;
        race(pause(LINGER_TIMEOUT), |context| {
            let read = reading.poll(context).is_ready();
            let written = writing.poll(context).is_ready();
            if read && written { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        cancelled.set();
        self.close_reason()
    }

    /// Starts a task, cancelled by `cancelled`; the returned latch is set when it has ended.
    fn spawn_unless(&self, cancelled: &Rc<Latch>, work: impl Future<Output = ()> + 'static) -> Rc<Latch> {
        let ended = Rc::new(Latch::default());
        let (has_ended, cancelled) = (Rc::clone(&ended), Rc::clone(cancelled));
        self.tasks().spawn(async move {
            _ = cancelled.or(work).await;
            has_ended.set();
        });
        ended
    }

    async fn read_loop(self, mut incoming: StreamReader<u8>) {
        let mut buffer = Vec::with_capacity(READ_SIZES.0);
        loop {
            let (result, octets) = incoming.read(buffer).await;
            if !matches!(result, StreamResult::Complete(_)) {
                self.engine().recv_end(self.tasks().now());
                self.process_events();
                return self.wake_driver();
            }
            let wanted = if octets.len() >= READ_SIZES.0 { READ_SIZES.1 } else { READ_SIZES.0 };
            buffer = self.receive(octets).await;
            if self.engine().is_closed() {
                pause(DISCARD_PAUSE).await;
            }
            if buffer.capacity() != wanted {
                buffer = Vec::with_capacity(wanted);
            }
        }
    }

    /// Passes bytes to the engine, and returns the buffer for reuse unless the engine keeps a part of it.
    async fn receive(&self, octets: Vec<u8>) -> Vec<u8> {
        let mut input = Bytes::from(octets);
        let mut whole = input.clone();
        loop {
            // The loop goes on until nothing is left.
            _ = self.engine().recv(self.tasks().now(), &mut input);
            self.process_events();
            self.signals().input_received.set();
            self.wake_driver();
            if input.is_empty() {
                break;
            }
            // The engine takes more input only after its events and output were taken.
            self.signals().flushed.wait().await;
        }
        drop(input);
        whole.clear();
        Vec::from(whole)
    }

    async fn write_loop(self, mut outgoing: StreamWriter<u8>) {
        let mut output = Vec::new();
        // A server sends nothing before the client's first bytes: the client may speak HTTP/1.
        if self.role() == Role::Server {
            self.engine().poll_transmit(self.tasks().now(), &mut output, TCP_WRITE);
            self.check_timer();
            self.signals().input_received.wait().await;
        }
        let mut broken = false;
        loop {
            if self.role() == Role::Server && matches!(self.close_reason(), Err(ConnectionError::NotHttp2)) {
                outgoing.write_all(HTTP1_ANSWER.to_vec()).await;
                return;
            }
            if self.signals().flush_now.or(self.tasks().turn_end()).await.is_none() {
                // Content is large: a buffer that grows with each frame would copy it again.
                output.reserve(TCP_WRITE.saturating_sub(output.len()));
            }
            let mut wrote_segment = false;
            while self.transmit(&mut output) {
                // A small rest may become part of the next segment: it is written after another turn at the latest.
                if wrote_segment && output.len() < SMALL_REST && !self.engine().is_closed() {
                    break;
                }
                wrote_segment = output.len() >= TCP_WRITE;
                if !broken {
                    output = self.write(&mut outgoing, output).await;
                    broken = !output.is_empty();
                    if broken {
                        // Input that has already arrived must still be read: the rest of a response, or the reason
                        // why the peer closed. Further output is discarded.
                        self.engine().shutdown(self.tasks().now());
                    }
                }
                output.clear();
            }
            self.check_timer();
            self.signals().flushed.notify();
            if !output.is_empty() {
                continue;
            }
            if self.engine().is_closed() {
                return;
            }
            // An idle connection keeps no output buffer.
            output = Vec::new();
            self.signals().output.wait().await;
        }
    }

    /// Writes all of the output, and returns the bytes not taken by a failed transport.
    ///
    /// The engine learns of every partial write: a slow transport is not a stalled one.
    async fn write(&self, outgoing: &mut StreamWriter<u8>, output: Vec<u8>) -> Vec<u8> {
        let (mut result, mut rest) = outgoing.write(output).await;
        while rest.remaining() > 0 && result != StreamResult::Dropped {
            if let StreamResult::Complete(bytes) = result {
                self.engine().handle_write_progress(self.tasks().now(), bytes);
            }
            (result, rest) = outgoing.write_buf(rest).await;
        }
        rest.into_vec()
    }

    /// Fills the buffer with pending output; returns whether it is not empty.
    fn transmit(&self, output: &mut Vec<u8>) -> bool {
        // All output announced so far is taken now.
        self.signals().output.clear();
        self.signals().flush_now.clear();
        self.process_events();
        self.send_pending_heads();
        let room = TCP_WRITE.saturating_sub(output.len());
        self.engine().poll_transmit(self.tasks().now(), output, room);
        self.process_events();
        !output.is_empty()
    }

    /// Calls the engine at its deadlines until the connection has ended.
    async fn run_timer(&self) {
        let signals = self.signals();
        while !signals.closed.is_set() {
            let Some(deadline) = self.arm_timer() else {
                signals.deadline_moved.wait().await;
                continue;
            };
            let timer = monotonic_clock::wait_until(deadline.as_nanos());
            if signals.deadline_moved.or(timer).await.is_some() {
                // Input may be pending that no task has had time to read; take it before the timers fire.
                let _input = self.tasks().outstanding();
                self.tasks().turn_end().await;
                self.engine().handle_timeout(self.tasks().now());
                self.process_events();
                self.wake_driver();
            }
        }
    }
}

async fn pause(time: Duration) {
    monotonic_clock::wait_for(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).await;
}
