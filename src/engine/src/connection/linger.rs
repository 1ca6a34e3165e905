//! Requests that are read only to be discarded, after their answer is complete.

use core::time::Duration;
use std::collections::BTreeSet;

use super::Connection;
use crate::error::ErrorCode;
use crate::frame::StreamId;
use crate::stream::{Linger, Stream};
use crate::time::Time;

/// How many times [`linger_timeout`](crate::Config::linger_timeout) a stream may linger while content arrives.
const PAUSES: u32 = 30;

/// The lingering streams.
#[derive(Debug, Default)]
pub(super) struct Lingering {
    by_deadline: BTreeSet<(Time, StreamId)>,
    /// When content last arrived on the connection.
    last_content: Time,
}

impl Lingering {
    /// Returns the first deadline and its stream.
    pub(super) fn first(&self) -> Option<(Time, StreamId)> {
        self.by_deadline.first().copied()
    }

    fn add(&mut self, stream: &mut Stream, linger: Linger) {
        self.by_deadline.insert((linger.until, stream.id()));
        stream.set_linger(linger);
    }

    /// Ends the lingering of a stream, if it lingers, and returns its limits.
    pub(super) fn remove(&mut self, stream: &mut Stream) -> Option<Linger> {
        let linger = stream.take_linger()?;
        self.by_deadline.remove(&(linger.until, stream.id()));
        Some(linger)
    }

    /// Records that content arrived on any stream of the connection.
    ///
    /// That postpones the deadlines of all lingering streams, but only when the first of them has come.
    pub(super) fn content_arrived(&mut self, now: Time) {
        self.last_content = now;
    }

    /// Returns whether to stop the client, at the deadline of a stream.
    ///
    /// While other content arrives, the stream may only be waiting for its turn: requests share a slow link.
    fn has_expired(&mut self, stream: &mut Stream, timeout: Duration, now: Time) -> bool {
        let Some(linger) = self.remove(stream) else { return false };
        let until = (self.last_content + timeout).min(linger.latest);
        if until > now {
            self.add(stream, Linger { until, ..linger });
        }
        until <= now
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_deadline.len()
    }
}

impl Connection {
    /// Discards the rest of a message that the caller no longer wants, after its answer is complete.
    pub(super) fn linger(&mut self, id: StreamId) {
        let left = self.config.linger_bytes;
        let Some(timeout) = self.config.linger_timeout.filter(|_| left > 0 && !self.is_client()) else {
            return self.reset(id, ErrorCode::NO_ERROR);
        };
        let until = self.now + timeout;
        let latest = self.now + timeout.saturating_mul(PAUSES);
        if let Some(stream) = self.streams.get_mut(id) {
            self.lingering.add(stream, Linger { until, latest, left });
        }
    }

    /// Stops the client at the deadline of a lingering stream, unless it is sending other content.
    pub(super) fn linger_timed_out(&mut self, id: StreamId) {
        let timeout = self.config.linger_timeout.unwrap_or(Duration::ZERO);
        let Some(stream) = self.streams.get_mut(id) else { return };
        if self.lingering.has_expired(stream, timeout, self.now) {
            self.reset(id, ErrorCode::NO_ERROR);
        }
    }

    /// Counts `bytes` of discarded content against the limit of a lingering stream.
    pub(super) fn linger_on(&mut self, id: StreamId, bytes: u32) {
        let Some(linger) = self.streams.get_mut(id).and_then(Stream::linger_mut) else { return };
        linger.left = linger.left.saturating_sub(bytes);
        if linger.left == 0 {
            self.reset(id, ErrorCode::NO_ERROR);
        }
    }
}
