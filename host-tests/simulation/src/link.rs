//! One direction of the transport: it delays bytes, limits how many are in flight, delivers them in pieces,
//! and may lose them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http2_engine::Time;

use crate::random::Random;

/// One direction of the transport.
pub(crate) struct Link {
    /// The most bytes in flight.
    capacity: usize,
    /// The minimum delay, and the maximum additional delay.
    delay: Duration,
    jitter: Duration,
    in_flight: VecDeque<(Time, Bytes)>,
    octets: usize,
    /// Nothing arrives before this time.
    stalled_until: Time,
    /// The number of bytes after which nothing more arrives.
    lost_after: Option<usize>,
    /// How the direction ends after the last byte that arrives.
    pub(crate) end: Option<EndOfStream>,
}

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    /// The receiver is told.
    Reported,
    /// The receiver is not told.
    Silent,
}

impl Link {
    pub(crate) fn new(random: &mut Random, calm: bool) -> Self {
        let capacity = 1 + random.size(1 << 18);
        // A link both narrow and slow would take too long for its bytes.
        let delay = random.size(if calm { 50_000 } else { 500_000 }).min(10 * capacity);
        let jitter = random.size(delay + 2);
        Self {
            capacity,
            delay: micros(delay),
            jitter: micros(jitter),
            in_flight: VecDeque::new(),
            octets: 0,
            stalled_until: Time::default(),
            lost_after: None,
            end: None,
        }
    }

    /// The most bytes in flight.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of bytes that the link accepts now; a link that has ended accepts and loses everything.
    pub(crate) fn room(&self) -> usize {
        if self.end.is_some() { usize::MAX } else { self.capacity.saturating_sub(self.octets) }
    }

    /// Puts bytes on the link.
    pub(crate) fn push(&mut self, now: Time, random: &mut Random, mut octets: Bytes) {
        if self.end.is_some() {
            return;
        }
        if let Some(left) = &mut self.lost_after {
            octets.truncate(*left);
            *left -= octets.len();
        }
        if !octets.is_empty() {
            let later = micros(random.below(usize::try_from(self.jitter.as_micros()).unwrap_or(0) + 1));
            let earliest = self.in_flight.back().map_or(now, |&(arrival, _)| arrival);
            self.octets += octets.len();
            self.in_flight.push_back((earliest.max(now + self.delay + later), octets));
        }
        if self.lost_after == Some(0) {
            self.end = Some(EndOfStream::Reported);
        }
    }

    /// Takes at most `most` bytes that have arrived.
    pub(crate) fn take(&mut self, now: Time, most: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while now >= self.stalled_until
            && taken.len() < most
            && let Some((arrival, octets)) = self.in_flight.front_mut()
            && *arrival <= now
        {
            let piece = octets.split_to(octets.len().min(most - taken.len()));
            taken.extend_from_slice(&piece);
            if !octets.has_remaining() {
                self.in_flight.pop_front();
            }
        }
        self.octets -= taken.len();
        taken
    }

    /// The time when bytes, or the end, next arrive.
    pub(crate) fn next_arrival(&self) -> Option<Time> {
        self.in_flight.front().map(|&(arrival, _)| arrival.max(self.stalled_until))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether the receiver has taken all bytes that will ever arrive, and is told of the end.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_empty() && self.end == Some(EndOfStream::Reported)
    }

    pub(crate) fn stall(&mut self, until: Time) {
        self.stalled_until = until;
    }

    /// Loses everything after this many more bytes.
    pub(crate) fn lose_after(&mut self, octets: usize) {
        self.lost_after.get_or_insert(octets);
    }

    /// Closes the link: it accepts nothing more, and only this many of the bytes in flight arrive.
    pub(crate) fn cut(&mut self, mut octets: usize, end: EndOfStream) {
        self.end.get_or_insert(end);
        self.in_flight.retain_mut(|(_, piece)| {
            piece.truncate(octets);
            octets -= piece.len();
            !piece.is_empty()
        });
        self.octets = self.in_flight.iter().map(|(_, piece)| piece.len()).sum();
    }

    /// Closes the link after the sender's last byte.
    pub(crate) fn finish(&mut self) {
        self.end.get_or_insert(EndOfStream::Reported);
    }

    /// Reports the end to a receiver that does not know of it yet.
    pub(crate) fn report_end(&mut self) {
        self.end = self.end.map(|_| EndOfStream::Reported);
        self.stalled_until = Time::default();
    }
}

fn micros(micros: usize) -> Duration {
    Duration::from_micros(u64::try_from(micros).expect("a delay"))
}
