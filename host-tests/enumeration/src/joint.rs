//! Checks between the two endpoints.

use http2_engine::State;

use crate::endpoint::Fault;
use crate::scenario::{CLIENT, SERVER};
use crate::stream::Wire;
use crate::view::View;

/// Two endpoints, and whether both queues are empty.
pub(crate) struct Joint<'a> {
    pub(crate) views: [&'a View; 2],
    pub(crate) quiet: bool,
}

impl Joint<'_> {
    /// Compares the two endpoints.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.check_refusals()?;
        if !self.quiet {
            return Ok(());
        }
        let [client, server] = self.views;
        match (client.over, server.over) {
            (true, true) => Ok(()),
            (false, false) => self.check_quiet(),
            _ => Err("one endpoint has ended the connection, but the other has not".to_owned()),
        }
    }

    /// Checks that no request reported as safe to retry was delivered to the server's application.
    fn check_refusals(&self) -> Result<(), Fault> {
        let [client, server] = self.views;
        let again = |stream: &&crate::stream::Stream| stream.reported.is_some_and(|error| error.retryable);
        for stream in client.streams.iter().filter(again) {
            if server.streams.iter().any(|theirs| theirs.id == stream.id) {
                return Err(format!(
                    "request {} is reported as safe to retry, but was delivered to the server",
                    stream.id
                ));
            }
        }
        Ok(())
    }

    /// Checks, when both queues are empty, that both endpoints agree.
    fn check_quiet(&self) -> Result<(), Fault> {
        let [client, server] = self.views;
        if client.open != server.open {
            return Err(format!(
                "the client counts {} open streams, the server {}",
                client.open, server.open
            ));
        }
        for (side, receiver) in [(CLIENT, server), (SERVER, client)] {
            let sender = self.views[side];
            if sender.windows.send != receiver.windows.receive {
                let (may, expected) = (sender.windows.send, receiver.windows.receive);
                return Err(format!(
                    "{may} bytes may be sent on the connection, but {expected} are expected"
                ));
            }
            if sender.pings > 0 {
                return Err("a PING was not answered".to_owned());
            }
            self.check_shutdown(sender)?;
            for wire in &sender.wires {
                check_stream(wire, receiver.wires.iter().find(|theirs| theirs.id == wire.id))?;
            }
            check_progress(sender, receiver)?;
        }
        Ok(())
    }

    /// Checks that a shutdown is complete once all streams have ended.
    fn check_shutdown(&self, view: &View) -> Result<(), Fault> {
        let reserved =
            |wire: &&Wire| matches!(wire.state, Some(State::ReservedLocal | State::ReservedRemote));
        let busy = view.open > 0 || view.waiting > 0 || view.wires.iter().any(|wire| reserved(&wire));
        if view.shut_down && !busy {
            return Err("Closed is missing: the connection was shut down, and no stream is left".to_owned());
        }
        Ok(())
    }
}

/// Checks that both endpoints have a stream in matching states, and count the same bytes.
fn check_stream(wire: &Wire, theirs: Option<&Wire>) -> Result<(), Fault> {
    let id = wire.id;
    let theirs_open = theirs.is_some_and(Wire::is_open);
    if wire.is_open() != theirs_open {
        let state = theirs.and_then(|theirs| theirs.state);
        return Err(format!("stream {id} is {:?} for one endpoint, but {state:?} for the other", wire.state));
    }
    let (Some(state), Some(theirs)) = (wire.state.filter(|_| wire.is_open()), theirs) else { return Ok(()) };
    let expected = match state {
        State::HalfClosedLocal => State::HalfClosedRemote,
        State::HalfClosedRemote => State::HalfClosedLocal,
        State::ReservedLocal => State::ReservedRemote,
        State::ReservedRemote => State::ReservedLocal,
        other => other,
    };
    if theirs.state != Some(expected) {
        return Err(format!("stream {id} is {state} for one endpoint, but {:?} for the other", theirs.state));
    }
    let sends = matches!(state, State::Open | State::HalfClosedRemote);
    if let (true, Some(ours), Some(theirs)) = (sends, wire.windows, theirs.windows)
        && let (may, expects) = (ours.send, theirs.receive)
        && may != expects
    {
        return Err(format!("{may} bytes may be sent on stream {id}, but {expects} are expected"));
    }
    if sends && wire.content_sent != theirs.content_heard {
        let (sent, record_received) = (wire.content_sent, theirs.content_heard);
        return Err(format!("{sent} bytes were sent on stream {id}, but {record_received} have arrived"));
    }
    Ok(())
}

/// Checks that content waits for a window only while the other application has something to read.
fn check_progress(sender: &View, receiver: &View) -> Result<(), Fault> {
    let unread = receiver.streams.iter().any(|stream| {
        let record_received =
            receiver.wires.iter().find(|wire| wire.id == stream.id).map_or(0, |wire| wire.content_heard);
        !stream.released && record_received > stream.read
    });
    // The server's application cannot yet read the content of a request that it has not accepted.
    if sender.flushed || unread || !receiver.gives_credit || receiver.waiting > 0 {
        return Ok(());
    }
    for stream in &sender.streams {
        let Some(wire) = sender.wires.iter().find(|wire| wire.id == stream.id) else { continue };
        let sends = matches!(wire.state, Some(State::Open | State::HalfClosedRemote));
        if sends && stream.content > wire.content_sent {
            return Err(format!("stream {} has no window, although everything received was read", stream.id));
        }
    }
    Ok(())
}
