//! The actions of an endpoint's application, and the other steps of an endpoint.

use std::fmt;

use http2_engine::Time;

use crate::cut::Queued;

/// An action of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Client: opens this many complete requests.
    Get(u8),
    /// Client: opens a request with content to follow.
    Post,
    /// Client: opens a tunnel with CONNECT.
    Connect,
    /// Server: begins a response with content to follow.
    Respond,
    /// Server: sends a complete response, even if the request is incomplete.
    Answer,
    /// Server: sends an informational response.
    Inform,
    /// Sends this many bytes of content.
    Send(u32),
    /// Checks for send capacity, and waits if it is 0.
    LookForRoom,
    /// Ends the message.
    End,
    /// Ends the message with trailers.
    Trailers,
    /// Reads until nothing is left.
    Read,
    /// Resets a stream.
    Reset,
    /// Releases a stream in any state.
    Release,
    /// Server: promises this many responses.
    Push(u8),
    /// Requests another priority.
    Prioritize,
    /// Raises the receive window of a stream, or of the connection, by this many bytes.
    Raise(u32),
    RaiseConnection(u32),
    Ping,
    /// Changes a setting: SETTINGS_MAX_CONCURRENT_STREAMS, SETTINGS_INITIAL_WINDOW_SIZE, or
    /// SETTINGS_HEADER_TABLE_SIZE.
    LimitStreams(u32),
    LimitWindow(u32),
    LimitTable(u32),
    /// Client: enables or disables push from now on.
    EnablePush(bool),
    Shutdown,
    /// Performs the action on every stream where it is possible.
    ResetAll,
    ReleaseAll,
    AnswerAll,
    /// Passes output to the transport, in scenarios where that does not happen automatically.
    Transmit,
}

impl Action {
    /// Whether the action applies to one stream.
    pub(crate) fn is_of_stream(self) -> bool {
        matches!(
            self,
            Self::Respond
                | Self::Answer
                | Self::Inform
                | Self::Send(_)
                | Self::LookForRoom
                | Self::End
                | Self::Trailers
                | Self::Read
                | Self::Reset
                | Self::Release
                | Self::Push(_)
                | Self::Prioritize
                | Self::Raise(_)
        )
    }
}

/// A step of one endpoint; its whole state follows from its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The application acts: the index of the action in the scenario, and of the stream among the
    /// application's streams.
    Act { entry: u8, stream: u8 },
    /// The item at the front of the queue arrives.
    Deliver(Queued),
    /// The clock advances to this time, at which deadlines may expire.
    Wake(Time),
}

/// Describes a step.
pub(crate) struct StepDisplay<'a>(pub(crate) &'a Step, pub(crate) Option<Action>);

impl fmt::Display for StepDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Step::Act { stream, .. }, Some(action)) if action.is_of_stream() => {
                write!(f, "{action:?}, its stream number {stream}")
            }
            (Step::Act { .. }, Some(action)) => write!(f, "{action:?}"),
            (Step::Act { entry, .. }, None) => write!(f, "action {entry}"),
            (Step::Deliver(queued), _) => write!(f, "receives {}", Frames(queued)),
            (Step::Wake(time), _) => write!(f, "the clock advances to {} ms", time.as_nanos() / 1_000_000),
        }
    }
}

/// Describes queued frames.
pub(crate) struct Frames<'a>(pub(crate) &'a Queued);

impl fmt::Display for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Queued::End => f.write_str("the end of the transport"),
            Queued::Frames(bytes) => {
                let panic_message: Vec<_> =
                    crate::cut::frames(bytes).map(|(header, payload)| header.describe(payload)).collect();
                match panic_message.as_slice() {
                    [first, .., last] if panic_message.len() > 3 => {
                        write!(f, "{first}; … {} frames in all …; {last}", panic_message.len())
                    }
                    _ => f.write_str(&panic_message.join("; ")),
                }
            }
        }
    }
}
