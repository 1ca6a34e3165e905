//! The flow of received content: the connection's window, and the credit for both kinds of windows.

#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::flow::{Bandwidth, ReceiveWindow};
use crate::settings::DEFAULT_WINDOW;
use crate::stream::Stream;
use crate::time::Time;

/// The flow of received content.
///
/// Every byte that the peer sends occupies the connection's window until it is consumed: read by the caller, or
/// discarded. Then it becomes credit for the peer, which this type decides when to return.
#[derive(Debug)]
pub(super) struct ReceiveFlow {
    window: ReceiveWindow,
    bandwidth: Bandwidth,
    /// Whether the caller returns the credit for content that it reads.
    manual: bool,
}

impl ReceiveFlow {
    pub(super) fn new(config: &Config) -> Self {
        let bandwidth = Bandwidth::new(
            config.initial_window_size,
            config.stream_window_max,
            config.connection_window,
            config.connection_window_max,
        );
        Self { window: ReceiveWindow::new(0), bandwidth, manual: config.manual_window_update }
    }

    /// Returns the bytes the peer may send on the connection.
    pub(super) fn available(&self) -> i64 {
        self.window.available(DEFAULT_WINDOW)
    }

    /// Returns the bytes up to which the engine raises the connection's window.
    pub(super) fn target(&self) -> u32 {
        self.bandwidth.connection_window()
    }

    /// Changes the bytes up to which the engine raises the connection's window, and returns the increment to send now.
    ///
    /// A lower window takes effect as the peer uses up the present one.
    pub(super) fn set_target(&mut self, target: u32) -> Option<u32> {
        self.bandwidth.set_connection_window(target);
        self.window.take_raise(DEFAULT_WINDOW, target)
    }

    /// Records `bytes` sent by the peer; returns false if they exceed the connection's window.
    #[must_use]
    pub(super) fn receive(&mut self, bytes: u32) -> bool {
        self.window.receive(bytes, DEFAULT_WINDOW)
    }

    /// Raises the connection's window; returns false if it would exceed 2^31-1.
    #[must_use]
    pub(super) fn raise(&mut self, increment: u32) -> bool {
        self.window.raise(increment, DEFAULT_WINDOW)
    }

    /// Records that the caller has read `bytes` of a stream; returns whether the engine returns the credit.
    pub(super) fn read(&mut self, stream: &mut Stream, bytes: u32) -> bool {
        if self.manual {
            self.window.consume_manually(bytes);
            stream.recv.window.consume_manually(bytes);
        } else {
            self.consume(Some(stream), bytes);
        }
        !self.manual
    }

    /// Records that `bytes` were read or discarded, and that the peer is owed credit for them.
    pub(super) fn consume(&mut self, stream: Option<&mut Stream>, bytes: u32) {
        if let Some(stream) = stream {
            stream.recv.window.consume(bytes);
        }
        self.window.consume(bytes);
    }

    /// Returns the increment of the connection's window to send now, if one is due.
    ///
    /// `awaited` returns the bytes still to come on all streams, if known.
    pub(super) fn connection_credit(
        &mut self,
        now: Time,
        awaited: impl FnOnce() -> Option<u64>,
    ) -> Option<u32> {
        let target = (!self.manual).then(|| self.bandwidth.connection_window());
        let increment = self.window.take_due(DEFAULT_WINDOW, target, awaited)?;
        self.bandwidth.connection_updated(self.window.updated(now));
        Some(increment)
    }

    /// Returns the increment of a stream's window to send now, if one is due and the peer may send on the stream.
    ///
    /// `initial` is the initial window that the peer uses when it receives the increment.
    pub(super) fn stream_credit(&mut self, stream: &mut Stream, initial: u32, now: Time) -> Option<u32> {
        if !stream.state().can_recv() {
            return None;
        }
        let target = (!self.manual).then(|| self.bandwidth.stream_window());
        let awaited = stream.awaited().map(u64::from);
        let increment = stream.recv.window.take_due(initial, target, || awaited)?;
        self.bandwidth.stream_updated(stream.recv.window.updated(now));
        Some(increment)
    }

    /// Returns whether to measure the round trip now that a window was raised.
    pub(super) fn starts_measurement(&mut self) -> bool {
        !self.manual && self.bandwidth.start()
    }

    /// Returns the part of the flow that adapts the windows to the bandwidth-delay product.
    pub(super) fn bandwidth_mut(&mut self) -> &mut Bandwidth {
        &mut self.bandwidth
    }

    /// Returns the bytes the peer may still send, the unconsumed bytes, and the pending credit.
    #[cfg(test)]
    pub(super) fn parts(&self) -> (i64, u32, u32) {
        self.window.parts(DEFAULT_WINDOW)
    }
}
