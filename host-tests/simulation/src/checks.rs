//! Invariants of an engine after every call, as far as they are visible from outside.

use bytes::Bytes;
use http2_engine::{ConnectionError, Role, State, StreamId, Time};
use http2_test_support::kind;

use crate::context::Context;
use crate::credit::Call;
use crate::deadlines::Situation;
use crate::end::End;
use crate::stream::Length;
use crate::wire_model::DEFAULT_WINDOW;

impl End {
    /// Checks all invariants; `told` is the time that the call passed to the engine, if any.
    pub(crate) fn check(&mut self, call: Call, told: Option<Time>) {
        self.find_live();
        let stats = self.engine.stats();
        assert_eq!((stats.bytes_received, stats.bytes_sent), (self.octets_heard, self.bytes_sent));
        assert_eq!(stats.content_sent, self.model.content_sent);
        if !self.is_alive() {
            return self.check_ended();
        }
        assert_eq!(stats.frames_received, self.model.frames_received);
        assert_eq!(stats.resets_received, self.model.resets_received);
        let waiting = self.role == Role::Client && stats.streams_waiting > 0;
        assert!(!waiting || self.engine.is_open(), "requests are waiting although no stream can be opened");
        self.check_send_windows();
        let outstanding = self.live.iter().map(|&id| (id, self.outstanding_content(id))).collect();
        if let Some(credit) = &mut self.credit {
            let streams = &self.streams;
            let released = |id| streams.get(&id).is_some_and(|stream| stream.released);
            credit.settle(&self.engine, &self.model, call, &outstanding, released);
        }
        self.check_deadlines(told);
        let closed: Vec<_> = self.live.iter().copied().filter(|&id| self.is_closed(id)).collect();
        self.closed.extend(closed);
    }

    /// The most content that may still arrive on a stream, as far as the engine may know; `None` if it cannot
    /// know.
    fn outstanding_content(&self, id: StreamId) -> Option<i64> {
        let (stream, wire) = (self.streams.get(&id), self.model.streams.get(&id));
        let over = self.is_closed(id) || wire.is_some_and(|wire| wire.is_closed() || wire.received.ended);
        let received = wire.map_or(0, |wire| wire.flow.content_received);
        match stream.map_or(Length::Unseen, |stream| stream.length) {
            _ if over => Some(0),
            Length::Octets(octets) => Some(octets - received),
            Length::Unknown => None,
            // The head may have been received, if one was sent.
            Length::Unseen => wire.is_some_and(|wire| wire.promised || wire.received.begun).then_some(0),
        }
    }

    /// Collects the streams known to the caller or the wire that were not closed after the last call.
    pub(crate) fn find_live(&mut self) {
        let on_wire = self.model.streams.keys().filter(|id| !self.streams.contains_key(id));
        let known = self.streams.keys().chain(on_wire).copied();
        self.live.clear();
        self.live.extend(known.filter(|id| !self.closed.contains(id)));
    }

    /// Checks the engine's send windows against those of the observer.
    fn check_send_windows(&self) {
        assert_eq!(self.engine.windows().send, self.model.send_window(), "the connection's send window");
        for &id in self.live.iter().filter(|&&id| !self.is_closed(id)) {
            let on_wire = self.model.streams.get(&id).is_some_and(|stream| !stream.is_closed());
            if let Some(windows) = self.engine.stream_windows(id).filter(|_| on_wire) {
                assert_eq!(windows.send, self.model.stream_send_window(id), "the send window of stream {id}");
            }
        }
    }

    /// Checks that the engine requests a wake-up at its earliest deadline, neither earlier nor later.
    fn check_deadlines(&mut self, told: Option<Time>) {
        let situation = self.situation();
        if let Some(now) = told {
            self.deadlines.record_time(&situation, &self.model, now);
        }
        let (earliest, latest) = self.deadlines.next(&situation, &self.config, &self.model);
        let never = Time::from_nanos(u64::MAX);
        let times = [earliest, self.engine.poll_timeout(), latest];
        let [low, asked, high] = times.map(|time| time.unwrap_or(never).as_nanos());
        let fits = self.has_tight_limits() || (low <= asked && asked <= high);
        assert!(fits, "{:?} requests a wake-up at {asked}, instead of {low} to {high}", self.role);
    }

    /// The part of the state that determines deadlines.
    pub(crate) fn situation(&self) -> Situation {
        let stats = self.engine.stats();
        let reserved = |&id: &StreamId| {
            matches!(self.engine.state(id), Some(State::ReservedLocal | State::ReservedRemote))
        };
        Situation {
            has_output: self.engine.has_output(),
            busy: stats.streams_open > 0 || stats.streams_waiting > 0 || self.live.iter().any(reserved),
            waiting: self.live.iter().copied().filter(|&id| self.has_content_to_send(id)).collect(),
        }
    }

    /// Whether the engine has accepted content of a stream that the windows allow it to send, and has not
    /// sent it.
    fn has_content_to_send(&self, id: StreamId) -> bool {
        let may = matches!(self.engine.state(id), Some(State::Open | State::HalfClosedRemote));
        match (self.streams.get(&id), self.model.streams.get(&id)) {
            (Some(stream), Some(wire)) => {
                may && stream.sent.content as u64 > wire.flow.data_sent.unsigned_abs()
            }
            _ => false,
        }
    }

    /// Checks, once all output was taken, that the peer will know the engine's receive windows and open
    /// streams.
    pub(crate) fn check_flushed(&self) {
        let stats = self.engine.stats();
        assert_eq!((stats.frames_sent, stats.resets_sent), (self.model.frames_sent, self.model.resets_sent));
        let flow = &self.model.connection;
        let window = DEFAULT_WINDOW + flow.credit_sent - flow.data_received;
        assert_eq!(self.engine.windows().receive, window, "the connection's receive window");
        for (&id, stream) in self.model.streams.iter().filter(|(_, stream)| !stream.is_closed()) {
            let window = self.model.initial_window + stream.flow.credit_sent - stream.flow.data_received;
            let believed = self.engine.stream_windows(id).map(|windows| windows.receive);
            assert_eq!(believed, Some(window), "the receive window of stream {id}");
        }
        let open = self.model.open_streams(Role::Client) + self.model.open_streams(Role::Server);
        assert_eq!(stats.streams_open, open as u64, "streams that are not closed");
    }

    /// Checks that a closed connection keeps only the items that the caller has not taken.
    fn check_ended(&self) {
        let stats = self.engine.stats();
        assert_eq!((stats.streams_open, stats.streams_waiting), (0, 0));
        assert_eq!(self.engine.poll_timeout(), None, "a closed connection requests a wake-up");
        assert!(!self.engine.is_open() && self.engine.open_capacity() == 0);
        assert!(self.live.iter().all(|&id| self.is_closed(id)), "streams outlive their connection");
        if self.engine.is_closed() {
            assert!(!self.engine.has_output() && self.engine.is_flushed());
            let by_us = matches!(
                self.engine.close_reason(),
                Some(Err(ConnectionError::Violation(_)
                    | ConnectionError::Aborted(_)
                    | ConnectionError::DrainTimeout))
            );
            assert!(!by_us || self.last_sent == kind::GOAWAY, "{} after GOAWAY", kind::name(self.last_sent));
        }
    }

    /// Whether no output is pending, now or later.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty() && !self.engine.has_output() && self.engine.is_flushed()
    }

    /// Checks that nothing is left after the connection has ended and the caller has released everything.
    pub(crate) fn assert_nothing_is_left(&mut self, cx: &mut Context) {
        assert!(self.engine.is_closed() && self.told_closed, "{:?}", self.engine);
        assert_eq!(self.engine.stream_count(), 0);
        let mut input = Bytes::from_static(b"anything");
        assert_eq!(self.engine.recv(cx.now, &mut input), 8, "after the end, input is discarded");
        self.engine.handle_timeout(cx.now);
        let mut out = Vec::new();
        assert_eq!(self.engine.poll_transmit(cx.now, &mut out, usize::MAX), 0);
        assert!(input.is_empty() && self.poll_event().is_none() && self.engine.poll_timeout().is_none());
    }
}
