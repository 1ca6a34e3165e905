//! The life of a stream (RFC 9113, 5.1), as one table.

use core::fmt;

/// The state of a stream (RFC 9113, 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was sent or received on it.
    Idle,
    /// This endpoint has promised it.
    ReservedLocal,
    /// The peer has promised it.
    ReservedRemote,
    /// Both endpoints may send.
    Open,
    /// This endpoint has sent END_STREAM.
    HalfClosedLocal,
    /// The peer has sent END_STREAM.
    HalfClosedRemote,
    /// Neither may send.
    Closed,
}

/// What moves a stream from one state to another.
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
}

impl State {
    /// The state that follows; `None` where the RFC has no such transition.
    ///
    /// PUSH_PROMISE concerns the promised stream. END_STREAM is told after the HEADERS that carry it.
    pub(crate) fn after(self, transition: Transition) -> Option<Self> {
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
            _ => return None,
        })
    }

    /// Whether the peer may still send HEADERS or DATA.
    pub(crate) fn can_recv(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedLocal)
    }

    /// Whether this endpoint may still send HEADERS or DATA, on a stream that is not merely promised.
    pub(crate) fn can_send(self) -> bool {
        matches!(self, Self::Open | Self::HalfClosedRemote)
    }

    /// Whether the stream is promised, and no more.
    pub(crate) fn is_reserved(self) -> bool {
        matches!(self, Self::ReservedLocal | Self::ReservedRemote)
    }

    /// Whether the stream counts against SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 5.1.2).
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

    /// The drawing of RFC 9113, 5.1, as the table has it; a dot is a transition that does not exist.
    #[test]
    fn the_table_is_the_drawing() {
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
reserved (local) --SendHeaders--> half-closed (remote)
reserved (local) --SendReset--> closed
reserved (local) --RecvReset--> closed
reserved (remote) --RecvHeaders--> half-closed (local)
reserved (remote) --SendReset--> closed
reserved (remote) --RecvReset--> closed
open --SendHeaders--> open
open --RecvHeaders--> open
open --SendEndStream--> half-closed (local)
open --RecvEndStream--> half-closed (remote)
open --SendReset--> closed
open --RecvReset--> closed
half-closed (local) --RecvHeaders--> half-closed (local)
half-closed (local) --RecvEndStream--> closed
half-closed (local) --SendReset--> closed
half-closed (local) --RecvReset--> closed
half-closed (remote) --SendHeaders--> half-closed (remote)
half-closed (remote) --SendEndStream--> closed
half-closed (remote) --SendReset--> closed
half-closed (remote) --RecvReset--> closed
"
        );
    }
}
