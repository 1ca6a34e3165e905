//! The run loop of a connection: it moves bytes between the transport and the engine.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http2_engine::{ConnectionError, HTTP1_ANSWER, Role, Segments, TCP_WRITE, Time};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::error::Error;
use crate::shared::{Incoming, Inner, Shared};

/// Smallest and largest buffer for one read, in bytes.
const READ: (usize, usize) = (4 << 10, 64 << 10);
/// Bytes read before the task yields, so that the readers of the content run while it is in the processor's cache.
const YIELD: usize = 128 << 10;
/// Slices of one vectored write.
const SLICES: usize = 64;
/// Largest output buffer that a connection without streams keeps, in bytes.
const OUTPUT_KEPT: usize = 1 << 10;
/// Input that is discarded after the end, in bytes, so that a reset by this host does not destroy the last output
/// before the peer has read it.
const DISCARDED: usize = 1 << 20;

/// Progress of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// The engine is done; the transport is being closed.
    Closing,
    Closed,
    /// The result was returned.
    Told,
}

/// Moves bytes between a transport and the engine.
pub(crate) struct Driver<T, C> {
    io: T,
    clock: C,
    shared: Arc<Shared>,
    phase: Phase,
    /// Buffers of reads, which content occupies until the caller has read it.
    buffers: Buffers,
    /// Bytes read since the task has last yielded.
    read_on: usize,
    /// The size of the next read, which follows the sizes of the previous ones.
    read_size: usize,
    /// Whether the latest read filled less than half of its buffer.
    read_little: bool,
    /// Input that the engine has not taken.
    input: Bytes,
    /// Whether anything was read. A server has nothing to say to a client that says nothing, and may find that the client
    /// speaks HTTP/1.
    has_read: bool,
    answered_http1: bool,
    read_closed: bool,
    output: Segments,
    flushed: bool,
    /// Whether the transport takes no more output.
    write_closed: bool,
    wakes: Vec<Waker>,
}

impl<T: AsyncWrite, C> Driver<T, C> {
    pub(crate) fn new(io: T, clock: C, shared: Arc<Shared>) -> Self {
        let output = if io.is_write_vectored() { Segments::default() } else { Segments::new(usize::MAX) };
        Self {
            io,
            clock,
            shared,
            phase: Phase::Running,
            buffers: Buffers::default(),
            read_on: 0,
            read_size: READ.0,
            read_little: true,
            input: Bytes::new(),
            has_read: false,
            answered_http1: false,
            read_closed: false,
            output,
            flushed: true,
            write_closed: false,
            wakes: Vec::new(),
        }
    }
}

impl<T, C> Driver<T, C> {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn get_ref(&self) -> &T {
        &self.io
    }

    /// Wakes the tasks of streams, without the lock.
    fn wake(&mut self) {
        self.wakes.drain(..).for_each(Waker::wake);
    }

    /// Runs `operation` on the shared state, and then wakes the tasks to be woken.
    fn with<R>(&mut self, operation: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.shared.lock();
        let result = operation(&mut inner);
        std::mem::swap(&mut inner.wakes, &mut self.wakes);
        drop(inner);
        self.wake();
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin, C: Clock> Driver<T, C> {
    /// Runs the connection until a request arrives (server), or until it has ended: `None`.
    ///
    /// # Errors
    ///
    /// Returns why the connection ended, unless it was orderly; once, and `None` from then on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Incoming>, Error>> {
        self.read_on = 0;
        if self.phase == Phase::Running {
            // The usual case with many requests at once: they were all read before the first one was returned.
            let request = self.with(|inner| {
                inner.driver_runs(cx);
                inner.dispatch()
            });
            if request.is_some() {
                return Poll::Ready(Ok(request));
            }
        }
        while self.phase == Phase::Running {
            if let Some(request) = ready!(self.step(cx)) {
                return Poll::Ready(Ok(Some(request)));
            }
        }
        ready!(self.poll_close(cx));
        if self.phase == Phase::Told {
            return Poll::Ready(Ok(None));
        }
        self.phase = Phase::Told;
        Poll::Ready(self.with(|inner| match inner.closed() {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(None),
        }))
    }

    /// Moves bytes once in each direction; `Pending` if no more can move.
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let now = self.clock.now();
        let mut progress = self.transmit(now);
        self.write(cx, now);
        progress |= self.read(cx, now);
        let blocked = !self.output.is_empty();
        let has_read = self.has_read;
        let mut input = std::mem::take(&mut self.input);
        let (request, closed, idle) = self.with(|inner| {
            let request = inner.dispatch();
            // Room for events was all that the engine may have lacked.
            progress |= !input.is_empty() && inner.engine.recv(now, &mut input) > 0;
            let closed = inner.engine.is_closed();
            // The output of a server waits for its client's first input.
            let running = inner.engine.close_reason().is_none();
            let holds_back = !has_read && running && inner.engine.role() == Role::Server;
            let can_write = !blocked && !holds_back && inner.engine.has_output();
            let sleeps = request.is_none() && !progress && !can_write;
            if sleeps {
                inner.driver_sleeps();
            }
            (request, closed, sleeps.then(|| (inner.engine.poll_timeout(), inner.engine.stream_count() == 0)))
        });
        self.input = input;
        if closed && !blocked && self.flushed {
            self.phase = Phase::Closing;
            return Poll::Ready(request);
        }
        if let Some((deadline, unused)) = idle {
            return self.sleep(cx, deadline, unused);
        }
        if request.is_none() && self.read_on >= YIELD {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(request)
    }

    /// Waits until the transport, a handle or the clock wakes the task; `Ready` if the deadline has passed.
    fn sleep(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Option<Time>,
        unused: bool,
    ) -> Poll<Option<Incoming>> {
        if let Some(deadline) = deadline
            && self.clock.poll_deadline(cx, deadline).is_ready()
        {
            let now = self.clock.now().max(deadline);
            self.with(|inner| inner.engine.handle_timeout(now));
            return Poll::Ready(None);
        }
        self.give_back(unused);
        Poll::Pending
    }

    /// Gives back buffers, before the task sleeps.
    fn give_back(&mut self, unused: bool) {
        if self.read_little {
            self.read_size = (self.read_size / 2).max(READ.0);
        }
        if unused {
            self.buffers.clear();
            self.shared.lock().copies.clear();
            if self.output.is_empty() {
                self.output.shrink_to(OUTPUT_KEPT);
            }
        }
    }

    /// Collects output, if the transport has taken the previous one.
    fn transmit(&mut self, now: Time) -> bool {
        let Self { shared, output, input, wakes, write_closed, has_read, answered_http1, .. } = self;
        let mut inner = shared.lock();
        inner.now = now;
        if inner.engine.role() == Role::Client && inner.is_unused() {
            inner.engine.shutdown(now);
        }
        let mut progress = false;
        // Input that the engine did not take at once.
        if !input.is_empty() {
            progress = inner.engine.recv(now, input) > 0;
        }
        let is_server = inner.engine.role() == Role::Server;
        if is_server && !*has_read && inner.engine.close_reason().is_none() {
            // Arms the deadline for the preface.
            inner.engine.handle_timeout(now);
        } else if is_server && matches!(inner.engine.close_reason(), Some(Err(ConnectionError::NotHttp2))) {
            // In place of the frames.
            while inner.engine.poll_transmit(now, &mut Vec::new(), TCP_WRITE) > 0 {}
            if !std::mem::replace(answered_http1, true) {
                output.extend_from_slice(HTTP1_ANSWER);
            }
        } else if output.is_empty() {
            while inner.engine.has_output() && inner.engine.poll_transmit_segments(now, output, TCP_WRITE) > 0
            {
                if !*write_closed {
                    break;
                }
                output.clear();
            }
            inner.transmitted(output.len());
        }
        if !inner.capacity_waiters.is_empty() {
            inner.wake_capacity_waiters();
        }
        std::mem::swap(&mut inner.wakes, wakes);
        drop(inner);
        self.wake();
        progress
    }

    /// Hands output to the transport.
    fn write(&mut self, cx: &mut Context<'_>, now: Time) {
        let before = self.output.len();
        while !self.output.is_empty() {
            self.flushed = false;
            match self.poll_write(cx) {
                Poll::Ready(Ok(0)) => return self.write_failed(io::ErrorKind::WriteZero.into(), now),
                Poll::Ready(Ok(bytes)) => self.output.advance(bytes),
                Poll::Ready(Err(error)) => return self.write_failed(error, now),
                Poll::Pending => {
                    let moved = before.saturating_sub(self.output.len());
                    if moved > 0 {
                        self.with(|inner| inner.engine.handle_write_progress(now, moved));
                    }
                    return;
                }
            }
        }
        self.flush(cx, now);
    }

    /// Writes once, at most so many slices.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut output = self.output.slices();
        let first = output.next().unwrap_or_default();
        let Some(second) = output.next() else { return Pin::new(&mut self.io).poll_write(cx, first) };
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slot, slice) in slices.iter_mut().zip([first, second].into_iter().chain(output)) {
            *slot = IoSlice::new(slice);
            count += 1;
        }
        Pin::new(&mut self.io).poll_write_vectored(cx, slices.get(..count).unwrap_or_default())
    }

    fn flush(&mut self, cx: &mut Context<'_>, now: Time) {
        if self.flushed {
            return;
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Ok(())) => self.flushed = true,
            Poll::Ready(Err(error)) => self.write_failed(error, now),
            Poll::Pending => {}
        }
    }

    /// Discards all output from now on.
    ///
    /// Input that has arrived may hold the rest of a response, or the peer's reason to close.
    fn write_failed(&mut self, error: io::Error, now: Time) {
        self.output.clear();
        self.flushed = true;
        self.write_closed = true;
        let read_closed = self.read_closed;
        self.with(|inner| {
            inner.io_error.get_or_insert_with(|| Arc::new(error));
            inner.engine.shutdown(now);
            if read_closed {
                inner.engine.recv_end(now);
            }
        });
    }

    /// Reads once; returns whether anything arrived, or the end.
    fn read(&mut self, cx: &mut Context<'_>, now: Time) -> bool {
        if self.read_closed || !self.input.is_empty() {
            return false;
        }
        let buffer = self.buffers.with_room(self.read_size);
        let room = buffer.capacity();
        let (at_end, error) = match poll_read_buf(Pin::new(&mut self.io), cx, buffer) {
            Poll::Ready(Ok(bytes)) if bytes > 0 => {
                self.has_read = true;
                self.read_on = self.read_on.saturating_add(bytes);
                self.read_little = bytes < room / 2;
                if bytes >= room {
                    self.read_size = (self.read_size * 2).min(READ.1);
                }
                self.input = buffer.split().freeze();
                let Self { shared, input, .. } = self;
                // The engine takes the rest after its events and output were taken.
                let _ = shared.lock().engine.recv(now, input);
                if input.is_empty() {
                    // An empty part would keep the buffer in use.
                    *input = Bytes::new();
                }
                return true;
            }
            // The transport has ended for both directions as soon as nothing is left to read.
            Poll::Pending if self.write_closed => (false, None),
            Poll::Pending => return false,
            Poll::Ready(Ok(_)) => (true, None),
            Poll::Ready(Err(error)) => (false, Some(error)),
        };
        self.read_closed = true;
        let may_write = !self.write_closed;
        self.with(|inner| {
            if let Some(error) = error {
                inner.io_error.get_or_insert_with(|| Arc::new(error));
            }
            if at_end {
                // The peer has closed the transport, which is why it took no more output.
                inner.io_error.take_if(|error| error.kind() == io::ErrorKind::BrokenPipe);
            }
            if at_end && may_write {
                inner.engine.recv_half_close(now);
            } else {
                inner.engine.recv_end(now);
            }
        });
        true
    }

    /// Closes the transport.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.phase == Phase::Closing {
            if !self.write_closed {
                // The connection has ended, whether or not its transport closes properly.
                let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
            }
            self.discard_input(cx);
            self.phase = Phase::Closed;
        }
        Poll::Ready(())
    }

    /// Discards the input that has arrived.
    fn discard_input(&mut self, cx: &mut Context<'_>) {
        let mut scratch = [0; READ.0];
        for _ in 0..DISCARDED / scratch.len() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                _ => return,
            }
        }
    }
}

impl<T, C> Drop for Driver<T, C> {
    fn drop(&mut self) {
        if self.phase == Phase::Running {
            self.with(Inner::abandon);
        }
    }
}
