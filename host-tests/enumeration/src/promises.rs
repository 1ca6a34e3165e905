//! Checks the obligations of an endpoint towards its application, independent of the other endpoint: once no event,
//! input or output is left, every promised event has been delivered.

use http2_engine::{ConnectionError, State};

use crate::endpoint::{Endpoint, Fault};

impl Endpoint<'_> {
    /// Checks the engine against its promises so far.
    pub(crate) fn check_promises(&self) -> Result<(), Fault> {
        self.check_end()?;
        let stats = self.engine.stats();
        let tenth = u64::from(self.scenario.configs[self.side].limits.abuse) / 10;
        if stats.abuse_score > tenth {
            return Err(format!("the abuse score is {}, more than a tenth of the limit", stats.abuse_score));
        }
        if !self.scenario.slow_transport && self.engine.has_output() {
            return Err("output is left".to_owned());
        }
        let waits_for_transport = self.engine.has_output();
        if !self.inbox.is_empty() && !waits_for_transport {
            return Err("the engine does not take input, although no event or output is pending".to_owned());
        }
        if self.waits_for_streams && self.engine.open_capacity() > 0 && !waits_for_transport {
            return Err("StreamsAvailable is missing: open would succeed".to_owned());
        }
        if self.inbox.is_empty() {
            self.check_counts()?;
            self.check_streams()?;
        }
        Ok(())
    }

    /// Checks that the engine's counts of streams are correct (RFC 9113, 5.1.2).
    fn check_counts(&self) -> Result<(), Fault> {
        if self.has_ended() {
            return Ok(());
        }
        let known = |id| self.streams.iter().any(|stream| stream.id == id);
        let on_wire = self.wires.iter().map(|wire| wire.id).filter(|&id| !known(id));
        let ids = on_wire.chain(self.streams.iter().map(|stream| stream.id));
        let (mut open, mut waiting) = (0, 0);
        for id in ids {
            match self.engine.state(id) {
                Some(State::Open | State::HalfClosedLocal | State::HalfClosedRemote) => open += 1,
                Some(State::Idle) => waiting += 1,
                _ => {}
            }
        }
        let stats = self.engine.stats();
        if stats.streams_open != open {
            return Err(format!("{} streams are counted as open, but {open} are", stats.streams_open));
        }
        if self.is_client() && stats.streams_waiting != waiting {
            return Err(format!(
                "{} requests are counted as waiting, but {waiting} are",
                stats.streams_waiting
            ));
        }
        Ok(())
    }

    /// Checks that an honest peer never causes a connection to end with an error.
    fn check_end(&self) -> Result<(), Fault> {
        match self.engine.close_reason() {
            None => Ok(()),
            Some(Ok(())) if self.told_closed => Ok(()),
            Some(Err(ConnectionError::DrainTimeout)) if self.shut_down && self.told_closed => Ok(()),
            Some(Ok(())) => Err("the connection has ended, but Closed was not delivered".to_owned()),
            Some(Err(error)) => Err(format!("the connection ends: {error}")),
        }
    }

    fn check_streams(&self) -> Result<(), Fault> {
        for stream in self.streams.iter().filter(|stream| !stream.released) {
            let id = stream.id;
            let state = self.engine.state(id);
            let wire = self.wires.iter().find(|wire| wire.id == id);
            let (content, ended) = wire.map_or((0, false), |wire| (wire.content_heard, wire.end_heard));
            let more = content > stream.read || (ended && (!stream.bare || stream.waits_for_more));
            let first = !stream.woken && !stream.is_read() && stream.read == 0;
            if more
                && stream.reported.is_none()
                && !stream.reset
                && (stream.waits_for_more || (first && !stream.bare))
            {
                return Err(format!("Readable is missing: stream {id} has something to read"));
            }
            let limit = self.engine.send_limit();
            let room = self.engine.send_capacity(id);
            if stream.waits_for_room && room > 0 && room >= limit - limit / 2 {
                return Err(format!("Writable is missing: stream {id} has room for {room} of {limit}"));
            }
            let unsent = stream.content > wire.map_or(0, |wire| wire.content_sent);
            let sends = matches!(state, Some(State::Open | State::HalfClosedRemote));
            let window = self.engine.stream_windows(id).map_or(0, |windows| windows.send);
            if unsent && sends && window.min(self.engine.windows().send) > 0 && !self.engine.has_output() {
                return Err(format!("stream {id} has content and a window, but nothing is sent"));
            }
            let reset = wire.is_some_and(|wire| wire.reset_heard);
            if reset && stream.reported.is_none() && !stream.reset {
                return Err(format!("Reset is missing: the peer has reset stream {id}"));
            }
            let closed = matches!(state, None | Some(State::Closed));
            let complete = (ended || stream.promised) && stream.ended;
            if closed && !complete && stream.reported.is_none() && !stream.reset {
                return Err(format!("stream {id} is closed, but the application was not told why"));
            }
        }
        Ok(())
    }
}
