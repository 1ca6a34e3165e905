//! PING in both directions (RFC 9113, 6.7).

use std::collections::VecDeque;

use super::{Connection, show_sent};
use crate::error::{SendError, Violation};
use crate::event::Event;
use crate::frame::{FrameHeader, Ping};
use crate::time::Time;

/// Payload of the PING that follows the announcement of a shutdown. It is the one of h2, because the drop-in for h2
/// looks the same on the wire.
const SHUTDOWN: [u8; 8] = [0x0b, 0x7b, 0xa2, 0xf0, 0x8b, 0x9b, 0xfe, 0x54];

impl Connection {
    /// Sends a PING with the caller's payload; [`Event::Pong`] reports the answer.
    ///
    /// Several PINGs may be outstanding.
    ///
    /// # Errors
    ///
    /// [`SendError::WouldBlock`] if [`Limits::pings`](crate::Limits::pings) are outstanding; [`SendError::Closed`]
    /// if the connection has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use http2_engine::{Event, Time};
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    /// # while client.poll_event().is_some() {}
    ///
    /// client.ping(*b"question")?;
    /// let (sent, answered) = (Time::from_nanos(0), Time::from_nanos(20_000_000));
    /// let (mut there, mut back) = (Vec::new(), Vec::new());
    /// client.poll_transmit(sent, &mut there, 1_000);
    /// assert_eq!(server.recv(sent, &mut there.into()), 17);
    /// server.poll_transmit(sent, &mut back, 1_000);
    /// assert_eq!(client.recv(answered, &mut back.into()), 17);
    /// let Some(Event::Pong { payload, round_trip }) = client.poll_event() else { panic!("no answer") };
    /// assert_eq!((&payload, round_trip), (b"question", Duration::from_millis(20)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn ping(&mut self, payload: [u8; 8]) -> Result<(), SendError> {
        if self.close_reason.is_some() {
            return Err(SendError::Closed);
        }
        if self.pings.of_caller() >= self.config.limits.pings {
            return Err(SendError::WouldBlock);
        }
        self.pings.send(Purpose::Caller, payload);
        Ok(())
    }

    /// Handles PING: answers it with the same payload, unless it is an answer itself (RFC 9113, 6.7).
    pub(super) fn recv_ping(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let ping = Ping::parse(header, payload)?;
        if !ping.ack {
            self.pongs.push(ping.opaque_data);
            return Ok(());
        }
        let Some(answered) = self.pings.answered(ping.opaque_data) else { return Ok(()) };
        let round_trip = self.now - answered.sent_at;
        self.stats.round_trip_nanos = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX);
        match answered.purpose {
            Purpose::Caller => {
                self.events.push_back(Event::Pong { payload: ping.opaque_data, round_trip });
            }
            Purpose::Bandwidth => self.receiving.bandwidth_mut().finish(round_trip),
            Purpose::KeepAlive => self.timers.keep_alive_answered(),
            Purpose::Shutdown => self.finish_shutdown(),
        }
        Ok(())
    }

    /// Answers PINGs before sending anything else (RFC 9113, 6.7).
    ///
    /// `control` holds complete frames, so the answers stand between two of them.
    pub(super) fn write_pongs(&mut self, out: &mut Vec<u8>) {
        // Only the preface precedes the answers.
        if self.pongs.is_empty() || self.close_reason.is_some() {
            return;
        }
        if self.stats.bytes_sent == 0 {
            self.flush_control(out);
        }
        let start = out.len();
        let pongs = core::mem::take(&mut self.pongs);
        self.stats.frames_sent = self.stats.frames_sent.saturating_add(pongs.len() as u64);
        for opaque_data in pongs {
            Ping { ack: true, opaque_data }.encode(out);
        }
        show_sent(&mut self.subscriber, out.get(start..).unwrap_or_default());
    }

    pub(super) fn write_pings(&mut self) {
        while let Some(opaque_data) = self.pings.take_unsent(self.now) {
            self.write_control(|out| Ping { ack: false, opaque_data }.encode(out));
        }
    }
}

/// The purpose of a PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Caller,
    Bandwidth,
    KeepAlive,
    Shutdown,
}

/// A PING that was handed to the transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) purpose: Purpose,
    pub(super) payload: [u8; 8],
    pub(super) sent_at: Time,
}

/// This endpoint's PINGs, unsent and unanswered.
#[derive(Debug, Default)]
pub(super) struct Pings {
    unsent: VecDeque<(Purpose, [u8; 8])>,
    unanswered: VecDeque<Sent>,
    /// Sequence number of the engine's own PINGs.
    next: u32,
}

impl Pings {
    pub(super) fn send(&mut self, purpose: Purpose, payload: [u8; 8]) {
        self.unsent.push_back((purpose, payload));
    }

    /// Asks whether the peer has taken note of a shutdown.
    pub(super) fn send_shutdown(&mut self) {
        self.send(Purpose::Shutdown, SHUTDOWN);
    }

    /// Sends a PING of the engine's own, with a unique payload.
    pub(super) fn send_own(&mut self, purpose: Purpose) {
        let mut payload = *b"engn\0\0\0\0";
        if let Some(number) = payload.last_chunk_mut::<4>() {
            *number = self.next.to_be_bytes();
        }
        self.next = self.next.wrapping_add(1);
        self.send(purpose, payload);
    }

    /// Gives back the memory of answered PINGs.
    pub(super) fn shrink(&mut self) {
        if self.unsent.is_empty() && self.unanswered.is_empty() && self.unanswered.capacity() > 0 {
            (self.unsent, self.unanswered) = (VecDeque::new(), VecDeque::new());
        }
    }

    pub(super) fn measure_bandwidth(&mut self) {
        self.send_own(Purpose::Bandwidth);
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Moves the oldest unsent PING to the unanswered ones, and returns its payload.
    pub(super) fn take_unsent(&mut self, now: Time) -> Option<[u8; 8]> {
        let (purpose, payload) = self.unsent.pop_front()?;
        self.unanswered.push_back(Sent { purpose, payload, sent_at: now });
        Some(payload)
    }

    /// Removes and returns the PING that this payload answers.
    fn answered(&mut self, payload: [u8; 8]) -> Option<Sent> {
        let at = self.unanswered.iter().position(|sent| sent.payload == payload)?;
        self.unanswered.remove(at)
    }

    fn of_caller(&self) -> usize {
        let unsent = self.unsent.iter().map(|&(purpose, _)| purpose);
        let unanswered = self.unanswered.iter().map(|sent| sent.purpose);
        unsent.chain(unanswered).filter(|&purpose| purpose == Purpose::Caller).count()
    }
}
