//! The receiving direction of a byte-stream.

use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, ReadBuf};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::Pollable;

use crate::bindings::http2::engine::transport::TransportError;

/// The maximum size of one read, and of the data read ahead of the guest, in bytes.
const PIECE: usize = 64 * 1024;

/// A shared handle on the receiving direction.
#[derive(Clone)]
pub(super) struct Receiver(Arc<Mutex<State>>);

struct State {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    /// The buffer that the reader writes into.
    scratch: Box<[u8]>,
    /// Bytes that were read in order to find out whether the stream is readable.
    ahead: Vec<u8>,
    /// How the direction ended; reported once `ahead` is empty.
    end: Option<TransportError>,
    /// Whether `end` has been reported to the guest.
    told: bool,
}

impl Receiver {
    pub(super) fn new(reader: Box<dyn AsyncRead + Send + Unpin>) -> Self {
        let scratch = vec![0; PIECE].into_boxed_slice();
        Self(Arc::new(Mutex::new(State { reader, scratch, ahead: Vec::new(), end: None, told: false })))
    }

    /// Returns bytes that have arrived, at most `max` of them.
    pub(super) fn read(&self, max: usize) -> Result<Vec<u8>, TransportError> {
        let mut state = self.state();
        // A guest that gets no bytes waits on the pollable, which registers its own waker.
        if state.poll_fill(&mut Context::from_waker(Waker::noop())).is_pending() {
            return Ok(Vec::new());
        }
        match &state.end {
            Some(end) if state.ahead.is_empty() => {
                let end = end.clone();
                state.told = true;
                Err(end)
            }
            _ if state.ahead.len() <= max => Ok(mem::take(&mut state.ahead)),
            _ => {
                let rest = state.ahead.split_off(max);
                Ok(mem::replace(&mut state.ahead, rest))
            }
        }
    }

    /// Waits until `read` has bytes, or an end that it has not reported before.
    pub(super) async fn news(&self) {
        poll_fn(|cx| {
            let mut state = self.state();
            if state.told { Poll::Pending } else { state.poll_fill(cx) }
        })
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ready once `read` has bytes or the end to report.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.ahead.is_empty() || self.end.is_some() {
            return Poll::Ready(());
        }
        let mut buffer = ReadBuf::new(&mut self.scratch);
        match ready!(Pin::new(&mut self.reader).poll_read(cx, &mut buffer)) {
            Ok(()) => {
                self.ahead = buffer.filled().to_vec();
                if self.ahead.is_empty() {
                    self.end = Some(TransportError::Closed);
                }
            }
            Err(error) => self.end = Some((&error).into()),
        }
        Poll::Ready(())
    }
}

#[async_trait]
impl Pollable for Receiver {
    async fn ready(&mut self) {
        poll_fn(|cx| self.state().poll_fill(cx)).await;
    }
}
