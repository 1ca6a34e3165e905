//! The tasks that move a connection's bytes and watch its deadlines.

use std::future::Future;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http2_engine::{ConnectionError, HTTP1_ANSWER, Role};
use wit_bindgen::{StreamReader, StreamResult, StreamWriter};

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::sockets::types::TcpSocket;
use crate::bindings::wit_stream;
use crate::connection::{Connection, now};
use crate::signal::{Latch, race};

/// Sizes of the read buffer in bytes, for a peer that sends little and for one that sends much.
///
/// Every connection keeps one buffer, even while it is idle.
const READ: (usize, usize) = (4 << 10, 64 << 10);
/// Approximate size of one write, in bytes.
const WRITE: usize = 64 << 10;
/// How long a connection that has ended may take to write its last bytes and to see the peer's end.
///
/// Closing a socket with unread input can make the peer lose the last bytes written.
const LINGER: Duration = Duration::from_secs(2);
/// Pause between reads after the end of a connection, so that a peer that keeps sending cannot starve the other
/// connections.
const DISCARD_PAUSE: Duration = Duration::from_millis(50);

impl Connection {
    /// Moves bytes between the connection and a socket until both have ended.
    ///
    /// # Errors
    ///
    /// The error that ended the connection, unless it ended gracefully.
    pub async fn run(&self, socket: TcpSocket) -> Result<(), ConnectionError> {
        let (sender, outgoing) = wit_stream::new();
        let (incoming, _) = socket.receive();
        _ = socket.send(outgoing);
        let abandoned = Rc::new(Latch::default());
        let writing = self.start(&abandoned, self.clone().write_all(sender));
        let reading = self.start(&abandoned, self.clone().read_all(incoming));
        self.keep_deadlines().await;
        race(pause(LINGER), |context| {
            let read = reading.poll(context).is_ready();
            let written = writing.poll(context).is_ready();
            if read && written { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        abandoned.set();
        self.close_reason()
    }

    /// Starts a task that `abandoned` cancels; the latch returned is set when the task has ended.
    fn start(&self, abandoned: &Rc<Latch>, work: impl Future<Output = ()> + 'static) -> Rc<Latch> {
        let ended = Rc::new(Latch::default());
        let (has_ended, abandoned) = (Rc::clone(&ended), Rc::clone(abandoned));
        self.tasks().spawn(async move {
            _ = abandoned.or(work).await;
            has_ended.set();
        });
        ended
    }

    async fn read_all(self, mut incoming: StreamReader<u8>) {
        let mut buffer = Vec::with_capacity(READ.0);
        loop {
            let (result, octets) = incoming.read(buffer).await;
            if !matches!(result, StreamResult::Complete(_)) {
                self.engine().recv_end(now());
                self.take_events();
                return self.touch();
            }
            let wanted = if octets.len() >= READ.0 { READ.1 } else { READ.0 };
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
            _ = self.engine().recv(now(), &mut input);
            self.take_events();
            self.signals().heard.set();
            self.touch();
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

    async fn write_all(self, mut sender: StreamWriter<u8>) {
        let mut output = Vec::new();
        // A server sends nothing before the client's first bytes: the client may speak HTTP/1.
        if self.role() == Role::Server {
            self.engine().poll_transmit(now(), &mut output, WRITE);
            self.check_deadline();
            self.signals().heard.wait().await;
        }
        let mut broken = false;
        loop {
            if self.role() == Role::Server && matches!(self.close_reason(), Err(ConnectionError::NotHttp2)) {
                sender.write_all(HTTP1_ANSWER.to_vec()).await;
                return;
            }
            self.signals().plenty.or(self.tasks().turn_end()).await;
            while self.transmit(&mut output) {
                if !broken {
                    output = self.write(&mut sender, output).await;
                    broken = !output.is_empty();
                    if broken {
                        // Input that has already arrived must still be read: the rest of a response, or the reason
                        // why the peer closed. Further output is discarded.
                        self.engine().shutdown(now());
                    }
                }
                output.clear();
            }
            self.check_deadline();
            self.signals().flushed.give();
            if self.engine().is_closed() {
                return;
            }
            // An idle connection keeps no output buffer.
            output = Vec::new();
            self.signals().output.wait().await;
        }
    }

    /// Writes all of the output, and returns the bytes that a broken socket did not take.
    ///
    /// The engine learns of every partial write, so that a slow transport does not count as stalled.
    async fn write(&self, sender: &mut StreamWriter<u8>, output: Vec<u8>) -> Vec<u8> {
        let (mut result, mut rest) = sender.write(output).await;
        while rest.remaining() > 0 && result != StreamResult::Dropped {
            if let StreamResult::Complete(bytes) = result {
                self.engine().handle_write_progress(now(), bytes);
            }
            (result, rest) = sender.write_buf(rest).await;
        }
        rest.into_vec()
    }

    /// Fills the buffer with pending output; returns whether there is any.
    fn transmit(&self, output: &mut Vec<u8>) -> bool {
        self.take_events();
        self.send_waiting_heads();
        self.engine().poll_transmit(now(), output, WRITE);
        self.take_events();
        !output.is_empty()
    }

    /// Calls the engine at its deadlines until the connection has ended.
    async fn keep_deadlines(&self) {
        let signals = self.signals();
        while !signals.closed.is_set() {
            let Some(deadline) = self.arm() else {
                signals.deadline_moved.wait().await;
                continue;
            };
            let timer = monotonic_clock::wait_until(deadline.as_nanos());
            if signals.deadline_moved.or(timer).await.is_some() {
                // Input may be pending that no task has had time to read; take it before the timers fire.
                self.tasks().turn_end().await;
                self.engine().handle_timeout(now());
                self.take_events();
                self.touch();
            }
        }
    }
}

async fn pause(time: Duration) {
    monotonic_clock::wait_for(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).await;
}
