//! What the application of an endpoint can do, and what else can happen to the endpoint.

use std::fmt;

use http2_engine::Time;
use http2_simulation::wire::describe;

use crate::cut::Queued;

/// Something that an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Client: opens so many requests that are complete.
    Get(u8),
    /// Client: opens a request whose content follows.
    Post,
    /// Client: asks for a tunnel.
    Connect,
    /// Server: begins a response whose content follows.
    Respond,
    /// Server: sends a response that is complete, whatever of the request is still to come.
    Answer,
    /// Server: sends an informational response.
    Inform,
    /// Sends content: so many bytes.
    Send(u32),
    /// Looks whether there is room for content, and waits if there is none.
    LookForRoom,
    /// Ends the message.
    End,
    /// Ends the message with trailers.
    Trailers,
    /// Reads what has arrived, until nothing is left.
    Read,
    /// Ends a stream at once.
    Reset,
    /// Is done with a stream, whatever has become of it.
    Release,
    /// Server: promises so many responses.
    Push(u8),
    /// Asks for another priority.
    Prioritize,
    /// Raises the receive window of a stream, or of the connection, by so many bytes.
    Raise(u32),
    RaiseConnection(u32),
    Ping,
    /// Sends another value of a setting: SETTINGS_MAX_CONCURRENT_STREAMS, SETTINGS_INITIAL_WINDOW_SIZE,
    /// SETTINGS_HEADER_TABLE_SIZE.
    LimitStreams(u32),
    LimitWindow(u32),
    LimitTable(u32),
    /// Client: wants pushes, or none, from now on.
    EnablePush(bool),
    Shutdown,
    /// Does the same on every stream where it can be done.
    ResetAll,
    ReleaseAll,
    AnswerAll,
    /// Hands output to the transport, where that does not happen by itself.
    Transmit,
}

impl Action {
    /// Whether it is done to one stream.
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

/// Something that happens to one endpoint. Its whole state follows from the steps that it has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its application does something: the number of the action in the scenario, and of the stream among those that the
    /// application has.
    Act { entry: u8, stream: u8 },
    /// What stands at the front of the queue arrives.
    Deliver(Queued),
    /// It is this time, and a deadline may have come.
    Wake(Time),
}

/// A step in words.
pub(crate) struct InWords<'a>(pub(crate) &'a Step, pub(crate) Option<Action>);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Step::Act { stream, .. }, Some(action)) if action.is_of_stream() => {
                write!(f, "{action:?}, its stream number {stream}")
            }
            (Step::Act { .. }, Some(action)) => write!(f, "{action:?}"),
            (Step::Act { entry, .. }, None) => write!(f, "action {entry}"),
            (Step::Deliver(queued), _) => write!(f, "receives {}", Frames(queued)),
            (Step::Wake(time), _) => write!(f, "looks at the clock: {} ms", time.as_nanos() / 1_000_000),
        }
    }
}

/// Queued frames in words.
pub(crate) struct Frames<'a>(pub(crate) &'a Queued);

impl fmt::Display for Frames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Queued::End => f.write_str("the end of the transport"),
            Queued::Frames(bytes) => {
                let words: Vec<_> =
                    crate::cut::frames(bytes).map(|(header, payload)| describe(header, payload)).collect();
                match words.as_slice() {
                    [first, .., last] if words.len() > 3 => {
                        write!(f, "{first}; … {} frames in all …; {last}", words.len())
                    }
                    _ => f.write_str(&words.join("; ")),
                }
            }
        }
    }
}
