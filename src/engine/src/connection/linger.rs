//! Requests that are read only to be discarded, after their answer is complete.

use core::time::Duration;
use std::collections::BTreeSet;

use super::Connection;
use crate::error::ErrorCode;
use crate::frame::StreamId;
use crate::stream::{Linger, Stream};
use crate::time::Time;

/// How often content may postpone the deadline of a lingering stream by all of
/// [`linger_timeout`](crate::Config::linger_timeout).
const PAUSES: u32 = 30;

/// The lingering streams, by their deadlines.
#[derive(Debug, Default)]
pub(super) struct Lingering(BTreeSet<(Time, StreamId)>);

impl Lingering {
    /// Returns the first deadline and its stream.
    pub(super) fn first(&self) -> Option<(Time, StreamId)> {
        self.0.first().copied()
    }

    fn add(&mut self, stream: &mut Stream, linger: Linger) {
        self.0.insert((linger.until, stream.id()));
        stream.set_linger(linger);
    }

    /// Ends the lingering of a stream, if it lingers, and returns its limits.
    pub(super) fn remove(&mut self, stream: &mut Stream) -> Option<Linger> {
        let linger = stream.take_linger()?;
        self.0.remove(&(linger.until, stream.id()));
        Some(linger)
    }

    /// Counts `bytes` of discarded content, and postpones the deadline; returns false if the limit is reached.
    fn postpone(&mut self, stream: &mut Stream, bytes: u32, until: Time) -> bool {
        let Some(mut linger) = self.remove(stream) else { return true };
        linger.left = linger.left.saturating_sub(bytes);
        linger.until = until.min(linger.latest);
        let goes_on = linger.left > 0;
        self.add(stream, linger);
        goes_on
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
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

    /// Counts `bytes` of discarded content against the limit of a lingering stream, and postpones its deadline.
    pub(super) fn linger_on(&mut self, id: StreamId, bytes: u32) {
        let timeout = self.config.linger_timeout.unwrap_or(Duration::ZERO);
        let Some(stream) = self.streams.get_mut(id) else { return };
        if !self.lingering.postpone(stream, bytes, self.now + timeout) {
            self.reset(id, ErrorCode::NO_ERROR);
        }
    }
}
