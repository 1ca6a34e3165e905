//! Priorities (RFC 9218), and PRIORITY, which they have replaced.

use std::collections::BTreeMap;

use super::Connection;
use crate::error::{SendError, Violation};
use crate::event::Event;
use crate::frame::{FrameHeader, PriorityFrame, PriorityUpdate, StreamId};
use crate::priority::Priority;

impl Connection {
    /// Sets the priority of a stream.
    ///
    /// A server schedules the response accordingly. A client asks the server to do so with PRIORITY_UPDATE
    /// (RFC 9218, 7.1), and schedules its own request accordingly.
    ///
    /// # Errors
    ///
    /// [`SendError::UnknownStream`].
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::Priority;
    /// # let (mut client, mut server) = pair();
    ///
    /// let id = client.open(&request("GET"), true)?;
    /// client.set_priority(id, Priority::new(0, false))?;
    /// carry(&mut client, &mut server);
    /// assert_eq!(server.priority(id), Some(Priority::new(0, false)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_priority(&mut self, id: StreamId, priority: Priority) -> Result<(), SendError> {
        let stream = self.streams.get_mut(id).ok_or(SendError::UnknownStream)?;
        let under_way = stream.state().counts();
        if let Some(waiting) = stream.waiting_mut() {
            waiting.reprioritized = true;
        }
        self.sending.prioritize(stream, priority);
        if self.is_client() && under_way {
            self.write_priority_update(id);
        }
        Ok(())
    }

    pub(super) fn write_priority_update(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(id) else { return };
        let value = stream.priority.to_string();
        let update = PriorityUpdate { prioritized_id: id, field_value: value.as_bytes() };
        self.write_control(|out| update.encode(out));
    }

    /// Handles PRIORITY, which has no effect but must be well-formed (RFC 9113, 6.3, 5.3.2).
    pub(super) fn recv_priority(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let priority = PriorityFrame::parse(header, payload)?;
        if priority.is_self_dependent() { Err(Violation::SelfDependency) } else { Ok(()) }
    }

    pub(super) fn recv_priority_update(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let update = PriorityUpdate::parse(payload)?;
        let id = update.prioritized_id;
        // RFC 9218, 7.1: only clients send it, and a push must have been promised.
        if self.is_client() || id.is_connection() || (id.is_server_initiated() && self.streams.is_idle(id)) {
            return Err(Violation::BadPriorityUpdate);
        }
        let priority = Priority::parse(update.field_value);
        if !self.streams.is_idle(id) {
            if let Some(stream) = self.streams.live_mut(id) {
                self.sending.prioritize(stream, priority);
                if stream.is_app_owned() {
                    self.events.push_back(Event::PriorityUpdate { id, priority });
                }
            }
            return Ok(());
        }
        // This endpoint will not accept a request above the last stream, so its priority does not matter.
        if self.is_above_last(id) {
            return Ok(());
        }
        let room = self.max_peer_streams().saturating_sub(self.streams.counts().peer);
        if self.early_priorities.set(id, priority, room) { Ok(()) } else { Err(Violation::BadPriorityUpdate) }
    }
}

/// Priorities received before their requests (RFC 9218, 7.1).
#[derive(Debug, Default)]
pub(super) struct EarlyPriorities(BTreeMap<StreamId, Priority>);

impl EarlyPriorities {
    /// Records a priority; returns false, without effect, if that of another stream would exceed `room`.
    #[must_use]
    fn set(&mut self, id: StreamId, priority: Priority, room: usize) -> bool {
        let fits = self.0.len() < room || self.0.contains_key(&id);
        if fits {
            self.0.insert(id, priority);
        }
        fits
    }

    /// Takes the priority that was received before the request, and drops those of skipped streams.
    pub(super) fn take(&mut self, id: StreamId) -> Option<Priority> {
        while let Some(first) = self.0.first_entry().filter(|first| *first.key() <= id) {
            let (first, priority) = first.remove_entry();
            if first == id {
                return Some(priority);
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
