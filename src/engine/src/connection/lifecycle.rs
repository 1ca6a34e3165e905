//! The beginning, the changes and the end of streams.

use super::Connection;
use crate::error::ErrorCode;
use crate::frame::StreamId;
use crate::stream::{Ending, Expect, State, Transition, Transitioned};

impl Connection {
    /// Releases a stream: no event of it follows, and its slot is free.
    ///
    /// If the stream has not ended, it continues only to send the rest of a complete message: of a response, or of a
    /// request whose response has arrived in full. Otherwise it is reset with CANCEL.
    ///
    /// A server whose response is complete reads and discards the rest of the request, up to
    /// [`linger_timeout`](crate::Config::linger_timeout) and [`linger_bytes`](crate::Config::linger_bytes). Beyond
    /// that, RST_STREAM with NO_ERROR stops the client (RFC 9113, 8.1). This is the last resort, because many
    /// clients handle it badly.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (mut client, mut server) = pair();
    /// let id = client.open(&request("GET"), true)?;
    /// carry(&mut client, &mut server);
    /// # while server.poll_event().is_some() {}
    /// server.send_response(id, &response("204"), true)?;
    /// carry(&mut client, &mut server);
    ///
    /// assert!(server.is_finished(id));
    /// assert_eq!(server.stream_count(), 1, "the caller may still ask about the stream");
    /// server.release(id);
    /// assert_eq!((server.stream_count(), server.state(id)), (0, None));
    /// # Ok(())
    /// # }
    /// ```
    pub fn release(&mut self, id: StreamId) {
        if !self.streams.release(id) {
            return;
        }
        let client = self.is_client();
        let Some(stream) = self.streams.get_mut(id) else { return };
        let unread = u32::try_from(stream.recv.content.clear()).unwrap_or(u32::MAX);
        let answered = match stream.send.ending {
            Ending::Open => false,
            _ => stream.recv.expect == Expect::Nothing || !client,
        };
        let closed = stream.is_closed();
        let unwanted = matches!(stream.send.ending, Ending::Sent) && stream.recv.expect != Expect::Nothing;
        self.discarded(id, unread);
        if closed {
            self.forget(id);
        } else if !answered {
            self.reset(id, ErrorCode::CANCEL);
        } else if unwanted {
            self.linger(id);
        }
        self.admit_arriving();
    }

    /// Moves a stream to the next state of RFC 9113, 5.1.
    pub(super) fn transition(&mut self, id: StreamId, transition: Transition) {
        let Some(change) = self.streams.transition(id, transition) else { return };
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.transition(id, change.from, change.to);
        }
        if change.to == State::Closed {
            self.stream_closed(id, change);
        }
    }

    fn stream_closed(&mut self, id: StreamId, change: Transitioned) {
        let local = self.streams.is_local(id);
        let Some(stream) = self.streams.get_mut(id) else { return };
        let unneeded = stream.is_released() || (change.withdrawn && !local);
        self.lingering.remove(stream);
        self.sending.remove(stream);
        if stream.is_complete() {
            self.stats.streams_completed = self.stats.streams_completed.saturating_add(1);
            self.abuse.earn_stream();
        }
        self.make_room();
        if unneeded {
            self.forget(id);
        }
        self.tell_streams_available();
        self.maybe_finish_drain();
    }

    /// Removes a closed stream that the caller does not hold.
    fn forget(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let unread = u32::try_from(stream.recv.content.clear()).unwrap_or(u32::MAX);
        self.discarded(id, unread);
        self.streams.remove(id);
    }

    /// Records that all of the local message was sent.
    ///
    /// If the caller has released the stream, the rest of the peer's message is not wanted.
    pub(super) fn sent_end_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        stream.send.ending = Ending::Sent;
        let unwanted = stream.is_released() && stream.recv.expect != Expect::Nothing;
        self.transition(id, Transition::SendEndStream);
        if unwanted {
            self.linger(id);
        }
    }
}
