//! What has arrived on each stream and was not asked for yet.

use std::collections::{BTreeMap, VecDeque};

use http2_engine::{FieldSection, StreamError, StreamId};

#[cfg(test)]
mod tests;

/// Informational responses that are kept for a caller who does not ask for them.
const INFORMATIONAL_MAX: usize = 16;

/// One stream, from when it was opened until the application drops it.
#[derive(Default)]
pub(crate) struct StreamState {
    /// The head of the request, on streams that the peer has opened or promised.
    pub(crate) request: Option<FieldSection>,
    /// The head of the response, until it is given.
    pub(crate) response: Option<FieldSection>,
    /// Whether the application was given the response.
    pub(crate) response_given: bool,
    /// Informational responses, until they are given.
    informational: VecDeque<FieldSection>,
    /// Streams that the peer has promised on this one, until they are given.
    pub(crate) pushed: VecDeque<StreamId>,
    /// The trailers, once the content was read, until they are given.
    pub(crate) trailers: Option<FieldSection>,
    /// Why the stream has ended before its time.
    pub(crate) error: Option<StreamError>,
    /// Whether that was because the whole connection ended.
    pub(crate) ended_with_connection: bool,
    /// Whether the client waits for 100 (Continue), or a final response, before it sends the content.
    awaits_continue: bool,
    /// Whether the application has a handle on it.
    held: bool,
    /// Whether something has happened that [`Streams::take_changed`] has not told.
    changed: bool,
}

impl StreamState {
    /// A stream that the application opens.
    pub(crate) fn opened() -> Self {
        Self { held: true, ..Self::default() }
    }

    /// A stream that the peer opens, or promises.
    pub(crate) fn arrived(request: FieldSection) -> Self {
        Self { awaits_continue: expects_continue(&request), request: Some(request), ..Self::default() }
    }

    /// Keeps an informational response, unless too many wait already.
    pub(crate) fn inform(&mut self, head: FieldSection) {
        if self.informational.len() < INFORMATIONAL_MAX {
            self.informational.push_back(head);
        }
    }

    /// The next informational response.
    pub(crate) fn take_informational(&mut self) -> Option<FieldSection> {
        self.informational.pop_front()
    }
}

/// Whether the client wants to be told before it sends the content (RFC 9110, 10.1.1).
fn expects_continue(request: &FieldSection) -> bool {
    request.iter().any(|field| field.name == b"expect" && field.value.eq_ignore_ascii_case(b"100-continue"))
}

/// All streams that the application has or will be given.
#[derive(Default)]
pub(crate) struct Streams {
    states: BTreeMap<StreamId, StreamState>,
    /// Streams that have changed, each once.
    changed: Vec<StreamId>,
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

    /// The application has a handle on the stream from now on: it may hear of it.
    pub(crate) fn hold(&mut self, id: StreamId) {
        if let Some(state) = self.states.get_mut(&id) {
            state.held = true;
            if state.changed {
                self.changed.push(id);
            }
        }
    }

    /// Something has happened on a stream. Gives the stream, to be told what.
    pub(crate) fn touch(&mut self, id: StreamId) -> Option<&mut StreamState> {
        let state = self.states.get_mut(&id)?;
        if state.held && !state.changed {
            self.changed.push(id);
        }
        state.changed = true;
        Some(state)
    }

    /// The client need not wait any longer before it sends the content; true if it did so far.
    pub(crate) fn told_to_continue(&mut self, id: StreamId) -> bool {
        self.states.get_mut(&id).is_some_and(|state| std::mem::take(&mut state.awaits_continue))
    }

    /// Whether there is something for [`take_changed`](Self::take_changed) to tell.
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The streams on which something has happened since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<StreamId> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.retain(|id| match self.states.get_mut(id) {
            Some(state) => std::mem::take(&mut state.changed),
            None => false,
        });
        changed
    }
}
