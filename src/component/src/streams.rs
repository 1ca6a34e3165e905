//! Input of each stream that the application has not taken yet.

use std::collections::{BTreeMap, VecDeque};

use http2_engine::{FieldSection, StreamError, StreamId};

#[cfg(test)]
mod tests;

/// Informational responses kept per stream until the application takes them.
const MAX_INFORMATIONAL: usize = 16;

/// The state of one stream, from its opening until the application drops it.
#[derive(Default)]
pub(crate) struct StreamState {
    /// The head of the request, if the peer opened or promised the stream.
    pub(crate) request: Option<FieldSection>,
    /// The head of the response, until the application takes it.
    pub(crate) response: Option<FieldSection>,
    /// Whether the application has taken the response.
    pub(crate) response_taken: bool,
    /// Informational responses, until the application takes them.
    informational: VecDeque<FieldSection>,
    /// Streams that the peer promised on this one, until the application takes them.
    pub(crate) pushed: VecDeque<StreamId>,
    /// The trailers, from the end of the content until the application takes them.
    pub(crate) trailers: Option<FieldSection>,
    /// The error that ended the stream early.
    pub(crate) error: Option<StreamError>,
    /// Whether that error is the end of the whole connection.
    pub(crate) ended_with_connection: bool,
    /// Names of fields to send as never-indexed literals.
    pub(crate) never_indexed: Vec<String>,
    /// Names of fields that the peer marked as never-indexed in the response.
    pub(crate) response_never_indexed: Vec<String>,
    /// Whether the engine has released the stream, because everything about it is done.
    released: bool,
    /// Whether the client waits for 100 (Continue) or a final response before it sends the content.
    awaits_continue: bool,
    /// Whether the application has a handle to the stream.
    app_owned: bool,
    /// Whether something has happened that [`Streams::take_changed`] has not reported.
    changed: bool,
    /// Whether a part of the peer's message may wait to be read.
    pub(crate) readable: bool,
    /// Whether the response has arrived since the application last waited to send content.
    pub(crate) answered: bool,
}

impl StreamState {
    /// Creates the state of a stream that the application opens.
    pub(crate) fn opened() -> Self {
        Self { app_owned: true, ..Self::default() }
    }

    /// Creates the state of a stream that the peer opens or promises.
    pub(crate) fn arrived(request: FieldSection) -> Self {
        Self { awaits_continue: expects_continue(&request), request: Some(request), ..Self::default() }
    }

    /// Keeps an informational response, unless [`MAX_INFORMATIONAL`] wait already.
    pub(crate) fn push_informational(&mut self, head: FieldSection) {
        if self.informational.len() < MAX_INFORMATIONAL {
            self.informational.push_back(head);
        }
    }

    /// Takes the next informational response.
    pub(crate) fn take_informational(&mut self) -> Option<FieldSection> {
        self.informational.pop_front()
    }
}

/// Returns whether the client waits for 100 (Continue) before it sends the content (RFC 9110, 10.1.1).
fn expects_continue(request: &FieldSection) -> bool {
    request.iter().any(|field| field.name == b"expect" && field.value.eq_ignore_ascii_case(b"100-continue"))
}

/// All streams that the application holds or has yet to accept.
#[derive(Default)]
pub(crate) struct Streams {
    states: BTreeMap<StreamId, StreamState>,
    /// Streams to report as changed, each once.
    changed: Vec<StreamId>,
    /// Streams whose local message is complete.
    ending: Vec<StreamId>,
}

impl Streams {
    pub(crate) fn insert(&mut self, id: StreamId, state: StreamState) {
        self.states.insert(id, state);
    }

    pub(crate) fn remove(&mut self, id: StreamId) -> Option<StreamState> {
        self.states.remove(&id)
    }

    pub(crate) fn get(&self, id: StreamId) -> Option<&StreamState> {
        self.states.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: StreamId) -> Option<&mut StreamState> {
        self.states.get_mut(&id)
    }

    /// Marks the stream as owned by the application: from now on its changes are reported.
    pub(crate) fn set_app_owned(&mut self, id: StreamId) {
        if let Some(state) = self.states.get_mut(&id) {
            state.app_owned = true;
            if state.changed {
                self.changed.push(id);
            }
        }
    }

    /// Marks a stream as changed, and returns its state to record the change in.
    pub(crate) fn mark_changed(&mut self, id: StreamId) -> Option<&mut StreamState> {
        let state = self.states.get_mut(&id)?;
        if state.app_owned && !state.changed {
            self.changed.push(id);
        }
        state.changed = true;
        Some(state)
    }

    /// Returns whether the application has something to read, or a response has arrived since the last call.
    pub(crate) fn take_arrived(&mut self, id: StreamId) -> bool {
        let arrived = |stream: &mut StreamState| std::mem::take(&mut stream.answered) || stream.readable;
        self.states.get_mut(&id).is_some_and(arrived)
    }

    /// Watches a stream whose local message is complete: see [`take_done`](Self::take_done).
    pub(crate) fn watch(&mut self, id: StreamId) {
        self.ending.push(id);
    }

    /// Takes the watched streams for which `is_done` is true; they keep only what the application has not taken yet.
    pub(crate) fn take_done(
        &mut self,
        mut is_done: impl FnMut(StreamId, &StreamState) -> bool,
    ) -> Vec<StreamId> {
        let mut done = Vec::new();
        self.ending.retain(|&id| {
            let Some(state) = self.states.get_mut(&id).filter(|state| !state.released) else { return false };
            if is_done(id, state) {
                state.released = true;
                done.push(id);
            }
            !state.released
        });
        done
    }

    /// Returns the watched streams.
    pub(crate) fn watched(&self) -> impl Iterator<Item = StreamId> {
        self.ending.iter().copied()
    }

    /// Returns whether the engine has released a stream that the application still holds.
    pub(crate) fn is_released(&self, id: StreamId) -> bool {
        self.states.get(&id).is_some_and(|state| state.released)
    }

    /// Records that the client need not wait before it sends the content; returns whether it was waiting.
    pub(crate) fn stop_awaiting_continue(&mut self, id: StreamId) -> bool {
        self.states.get_mut(&id).is_some_and(|state| std::mem::take(&mut state.awaits_continue))
    }

    /// Returns whether [`take_changed`](Self::take_changed) has something to report.
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Takes the streams on which something has happened since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<StreamId> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|id| match self.states.get_mut(id) {
            Some(state) => std::mem::take(&mut state.changed),
            None => false,
        });
        changed
    }
}
