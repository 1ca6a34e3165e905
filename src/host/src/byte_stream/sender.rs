//! The sending direction of a byte-stream.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;
use tokio::time::{Sleep, sleep};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::Pollable;

use crate::bindings::http2::engine::transport::TransportError;

/// How many bytes may wait for the writer.
const CAPACITY: usize = 64 * 1024;

/// How long the writer may take to send the remaining bytes after the end.
///
/// The limit keeps a peer that takes nothing from holding memory that no guest owns any more.
const FAREWELL: Duration = Duration::from_secs(30);

/// A shared handle on the sending direction.
#[derive(Clone)]
pub(super) struct Sender(Arc<Mutex<State>>);

struct State {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    buffer: BytesMut,
    /// Whether the buffer was written out but not flushed yet.
    unflushed: bool,
    finished: bool,
    /// The deadline for the writer, once the direction is finished.
    farewell: Option<Pin<Box<Sleep>>>,
    /// Whether the last write was accepted only in part.
    refused: bool,
    /// The error that broke the direction.
    broken: Option<TransportError>,
    /// Wakes the writing task when it is idle or waits for the writer.
    task: Option<Waker>,
    /// Wakes the guest when it waits for room.
    guest: Option<Waker>,
}

impl Sender {
    /// Spawns the task that writes the guest's bytes.
    pub(super) fn spawn(writer: Box<dyn AsyncWrite + Send + Unpin>) -> Self {
        let sender = Self(Arc::new(Mutex::new(State {
            writer,
            buffer: BytesMut::new(),
            unflushed: false,
            finished: false,
            farewell: None,
            refused: false,
            broken: None,
            task: None,
            guest: None,
        })));
        let task = sender.clone();
        tokio::spawn(async move { poll_fn(|cx| task.state().poll_run(cx)).await });
        sender
    }

    /// Takes bytes from the front of `bytes` for sending, and returns how many.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, TransportError> {
        let mut state = self.state();
        state.refused = false;
        state.check()?;
        let taken = bytes.len().min(CAPACITY - state.buffer.len());
        state.refused = taken < bytes.len();
        state.buffer.extend_from_slice(&bytes[..taken]);
        state.wake_task();
        Ok(taken)
    }

    /// Ends the direction after the bytes already written.
    pub(super) fn finish(&self) -> Result<(), TransportError> {
        let mut state = self.state();
        state.finished = true;
        state.refused = false;
        state.wake_task();
        state.broken.clone().map_or(Ok(()), Err)
    }

    /// Waits for room after a write that was accepted only in part; otherwise never completes.
    pub(super) async fn room(&self) {
        poll_fn(|cx| {
            let mut state = self.state();
            if state.refused { state.poll_room(cx) } else { Poll::Pending }
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns an error if the guest may not write.
    fn check(&self) -> Result<(), TransportError> {
        match &self.broken {
            _ if self.finished => Err(TransportError::Closed),
            Some(broken) => Err(broken.clone()),
            None => Ok(()),
        }
    }

    fn wake_task(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Runs the task: writes, flushes, and shuts the writer down.
    ///
    /// Ready when no more bytes can follow.
    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let outcome = match self.poll_write(cx) {
            Poll::Pending if self.poll_farewell(cx).is_ready() => Err(std::io::ErrorKind::TimedOut.into()),
            Poll::Pending => {
                self.task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(outcome) => outcome,
        };
        if let Err(error) = outcome {
            self.broken = Some((&error).into());
            self.buffer = BytesMut::new();
            self.wake_guest();
        }
        Poll::Ready(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        while !self.buffer.is_empty() {
            let written = ready!(Pin::new(&mut self.writer).poll_write(cx, &self.buffer))?;
            if written == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.buffer.advance(written);
            self.unflushed = true;
            self.wake_guest();
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.writer).poll_flush(cx))?;
            self.unflushed = false;
        }
        if self.finished { Pin::new(&mut self.writer).poll_shutdown(cx) } else { Poll::Pending }
    }

    /// Ready once the time allowed after the end has passed.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.finished {
            return Poll::Pending;
        }
        self.farewell.get_or_insert_with(|| Box::pin(sleep(FAREWELL))).as_mut().poll(cx)
    }

    /// Ready once `write` would take bytes or return an error.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.check().is_err() || self.buffer.len() < CAPACITY {
            return Poll::Ready(());
        }
        self.guest = Some(cx.waker().clone());
        Poll::Pending
    }

    fn wake_guest(&mut self) {
        if let Some(guest) = self.guest.take() {
            guest.wake();
        }
    }
}

#[async_trait]
impl Pollable for Sender {
    async fn ready(&mut self) {
        poll_fn(|cx| self.state().poll_room(cx)).await;
    }
}
