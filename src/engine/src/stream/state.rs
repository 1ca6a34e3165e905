//! The states of a stream (RFC 9113, 5.1), as one table.

use core::fmt;

/// The state of a stream (RFC 9113, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was sent or received on the stream.
    Idle,
    /// This endpoint has promised the stream.
    ReservedLocal,
    /// The peer has promised the stream.
    ReservedRemote,
    /// Both endpoints may send.
    Open,
    /// This endpoint has sent END_STREAM.
    HalfClosedLocal,
    /// The peer has sent END_STREAM.
    HalfClosedRemote,
    /// Neither endpoint may send.
    Closed,
}

/// An event that moves a stream from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    SendHeaders,
    RecvHeaders,
    SendEndStream,
    RecvEndStream,
    SendPushPromise,
    RecvPushPromise,
    SendReset,
    RecvReset,
    /// This endpoint gives up a stream of which it has sent nothing: the identifier counts as used
    /// (RFC 9113, 5.1.1).
    Withdraw,
    /// The connection has ended, and the stream with it.
    EndConnection,
}

/// The current state of a stream, which changes only as [`State::after`] says.
#[derive(Debug)]
pub(crate) struct CurrentState(State);

impl CurrentState {
    pub(super) fn get(&self) -> State {
        self.0
    }

    /// Moves to the next state, and returns the one before; `None` if the table has no such transition.
    pub(super) fn apply(&mut self, transition: Transition) -> Option<State> {
        let next = self.0.after(transition)?;
        Some(core::mem::replace(&mut self.0, next))
    }
}

impl Default for CurrentState {
    fn default() -> Self {
        Self(State::Idle)
    }
}

impl State {
    /// Returns the next state, or `None` if there is no such transition.
    ///
    /// PUSH_PROMISE applies to the promised stream. END_STREAM is a transition of its own, after the HEADERS that
    /// carry it. The transitions are those of the RFC, and two that involve no frame on the stream.
    fn after(self, transition: Transition) -> Option<Self> {
        use State::*;
        use Transition::*;
        Some(match (self, transition) {
            (Idle, SendHeaders | RecvHeaders) => Open,
            (Idle, SendPushPromise) => ReservedLocal,
            (Idle, RecvPushPromise) => ReservedRemote,
            (ReservedLocal, SendHeaders) => HalfClosedRemote,
            (ReservedRemote, RecvHeaders) => HalfClosedLocal,
            (Open, SendHeaders | RecvHeaders) => Open,
            (Open, SendEndStream) => HalfClosedLocal,
            (Open, RecvEndStream) => HalfClosedRemote,
            (HalfClosedLocal, RecvHeaders) => HalfClosedLocal,
            (HalfClosedLocal, RecvEndStream) => Closed,
            (HalfClosedRemote, SendHeaders) => HalfClosedRemote,
            (HalfClosedRemote, SendEndStream) => Closed,
            (
                ReservedLocal | ReservedRemote | Open | HalfClosedLocal | HalfClosedRemote,
                SendReset | RecvReset,
            ) => Closed,
            (Idle, Withdraw) => Closed,
            (
                Idle | ReservedLocal | ReservedRemote | Open | HalfClosedLocal | HalfClosedRemote,
                EndConnection,
            ) => Closed,
            _ => return None,
        })
    }

    /// Returns whether the peer may still send HEADERS or DATA.
    pub(crate) fn can_recv(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }

    /// Returns whether this endpoint may still send HEADERS or DATA, on a stream that is not reserved.
    pub(crate) fn can_send(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }

    /// Returns whether the stream is promised, but not yet open.
    pub(crate) fn is_reserved(self) -> bool {
        matches!(self, Self::ReservedLocal | Self::ReservedRemote)
    }

    /// Returns whether the stream counts against SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 5.1.2).
    pub(crate) fn counts(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal | Self::HalfClosedRemote)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::ReservedLocal => "reserved (local)",
            Self::ReservedRemote => "reserved (remote)",
            Self::Open => "open",
            Self::HalfClosedLocal => "half-closed (local)",
            Self::HalfClosedRemote => "half-closed (remote)",
            Self::Closed => "closed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::State::*;
    use super::Transition::*;

    /// The table has exactly the transitions of the diagram in RFC 9113, 5.1, and the two that involve no frame.
    #[test]
    fn transitions_are_those_of_the_rfc() {
        let states = [Idle, ReservedLocal, ReservedRemote, Open, HalfClosedLocal, HalfClosedRemote, Closed];
        let transitions = [
            SendHeaders,
            RecvHeaders,
            SendEndStream,
            RecvEndStream,
            SendPushPromise,
            RecvPushPromise,
            SendReset,
            RecvReset,
            Withdraw,
            EndConnection,
        ];
        let mut drawn = String::new();
        for state in states {
            for transition in transitions {
                if let Some(next) = state.after(transition) {
                    drawn.push_str(&format!("{state} --{transition:?}--> {next}\n"));
                }
            }
        }
        assert_eq!(
            drawn,
            "\
idle --SendHeaders--> open
idle --RecvHeaders--> open
idle --SendPushPromise--> reserved (local)
idle --RecvPushPromise--> reserved (remote)
idle --Withdraw--> closed
idle --EndConnection--> closed
reserved (local) --SendHeaders--> half-closed (remote)
reserved (local) --SendReset--> closed
reserved (local) --RecvReset--> closed
reserved (local) --EndConnection--> closed
reserved (remote) --RecvHeaders--> half-closed (local)
reserved (remote) --SendReset--> closed
reserved (remote) --RecvReset--> closed
reserved (remote) --EndConnection--> closed
open --SendHeaders--> open
open --RecvHeaders--> open
open --SendEndStream--> half-closed (local)
open --RecvEndStream--> half-closed (remote)
open --SendReset--> closed
open --RecvReset--> closed
open --EndConnection--> closed
half-closed (local) --RecvHeaders--> half-closed (local)
half-closed (local) --RecvEndStream--> closed
half-closed (local) --SendReset--> closed
half-closed (local) --RecvReset--> closed
half-closed (local) --EndConnection--> closed
half-closed (remote) --SendHeaders--> half-closed (remote)
half-closed (remote) --SendEndStream--> closed
half-closed (remote) --SendReset--> closed
half-closed (remote) --RecvReset--> closed
half-closed (remote) --EndConnection--> closed
"
        );
    }
}
