//! One end of the connection: an engine and its observers.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http2_engine::{
    Config, Connection, ConnectionError, ErrorCode, Event, Role, SettingId, State, StreamId, Time,
};
use http2_test_support::{Frames, HEADER_LEN, PREFACE, Part, kind, number};

use crate::acts::Acts;
use crate::context::Context;
use crate::credit::{Call, Credit};
use crate::deadlines::Deadlines;
use crate::stream::Stream;
use crate::wire::{frames_of, stream_id};
use crate::wire_model::WireModel;

/// An engine with its observers.
///
/// Every call of the engine passes through this type, followed by [all checks](Self::check) that are possible
/// from outside.
pub(crate) struct End {
    pub(crate) role: Role,
    pub(crate) config: Config,
    pub(crate) engine: Connection,
    /// Output that the transport has not taken, and input that the engine has not taken.
    pub(crate) outbox: Bytes,
    pub(crate) inbox: Bytes,
    /// Whether the transport has ended for reading.
    pub(crate) input_ended: bool,
    /// The caller's present and past streams, and its other actions.
    pub(crate) streams: BTreeMap<StreamId, Stream>,
    pub(crate) acts: Acts,
    pub(crate) model: WireModel,
    /// The accounts of credit; `None` once it is uncertain which bytes the engine keeps.
    pub(crate) credit: Option<Credit>,
    pub(crate) deadlines: Deadlines,
    tx: Frames,
    rx: Frames,
    pub(crate) bytes_sent: u64,
    pub(crate) octets_heard: u64,
    /// The type of the last frame sent.
    pub(crate) last_sent: u8,
    /// Streams that were closed after the last call, and all others.
    pub(crate) closed: BTreeSet<StreamId>,
    pub(crate) live: Vec<StreamId>,
    /// Whether the last call left no events.
    no_events: bool,
    /// Whether [`Event::Closed`] was delivered.
    pub(crate) told_closed: bool,
    /// Streams that a deadline closed, and whether one closed the connection.
    pub(crate) stalled: BTreeSet<StreamId>,
    pub(crate) timed_out: bool,
}

impl End {
    pub(crate) fn new(role: Role, config: Config) -> Self {
        let (engine, peer) = match role {
            Role::Client => (Connection::client(config.clone()), Role::Server),
            Role::Server => (Connection::server(config.clone()), Role::Client),
        };
        Self {
            role,
            engine: engine.expect("a valid configuration"),
            outbox: Bytes::new(),
            inbox: Bytes::new(),
            input_ended: false,
            streams: BTreeMap::new(),
            acts: Acts::new(&config),
            model: WireModel::new(role, config.initial_max_send_streams),
            credit: Some(Credit::new(&config)),
            deadlines: Deadlines::default(),
            tx: frames_of(role),
            rx: frames_of(peer),
            bytes_sent: 0,
            octets_heard: 0,
            last_sent: kind::SETTINGS,
            closed: BTreeSet::new(),
            live: Vec::new(),
            no_events: true,
            told_closed: false,
            stalled: BTreeSet::new(),
            timed_out: false,
            config,
        }
    }

    /// Whether the connection is alive.
    pub(crate) fn is_alive(&self) -> bool {
        self.engine.close_reason().is_none()
    }

    /// Whether the engine considers a stream ended in both directions.
    pub(crate) fn is_closed(&self, id: StreamId) -> bool {
        self.engine.state(id).is_none_or(|state| state == State::Closed)
    }

    /// Whether the limits on the peer are so low that an honest one exceeds them.
    pub(crate) fn has_tight_limits(&self) -> bool {
        self.config.limits.abuse < 2_000
    }

    /// The streams that the caller holds.
    pub(crate) fn app_owned(&self) -> Vec<StreamId> {
        self.streams.iter().filter(|(_, stream)| !stream.released).map(|(&id, _)| id).collect()
    }

    /// Performs an operation of the caller, of the given kind.
    pub(crate) fn perform<R>(&mut self, call: Call, operation: impl FnOnce(&mut Connection) -> R) -> R {
        let result = operation(&mut self.engine);
        self.check_after(call);
        result
    }

    /// Checks the engine after an operation of the caller.
    pub(crate) fn check_after(&mut self, call: Call) {
        self.no_events = false;
        self.check(call, None);
    }

    /// Shuts the connection down, as the caller.
    pub(crate) fn shut_down(&mut self, now: Time) {
        self.acts.shut_down = true;
        self.deadlines.shut_down(&self.config, &self.model, now);
        self.perform(Call::Other, |engine| engine.shutdown(now));
    }

    /// Changes a setting, as the caller; returns whether the engine accepted it.
    pub(crate) fn change_setting(&mut self, cx: &mut Context, setting: SettingId, value: u32) -> bool {
        let result = self.engine.change_settings(&[(setting, value)]);
        cx.trace.log(|| format!("{:?} changes {setting} to {value}: {result:?}", self.role));
        // A window may have been raised to its maximum.
        assert!(result.is_ok() || setting == SettingId::INITIAL_WINDOW_SIZE, "{result:?}");
        if result.is_ok() {
            self.acts.change_setting(setting, value);
            if let Some(credit) = self.credit.as_mut().filter(|_| setting == SettingId::INITIAL_WINDOW_SIZE) {
                credit.change_initial_window(value);
            }
        }
        self.check_after(Call::Other);
        result.is_ok()
    }

    /// Takes bytes from the front of the output.
    pub(crate) fn take_output(&mut self, most: usize) -> Bytes {
        self.outbox.split_to(most.min(self.outbox.len()))
    }

    /// Offers the engine the input that has arrived.
    pub(crate) fn recv(&mut self, cx: &mut Context) {
        let offered = self.inbox.clone();
        let (alive, had_output, quiet) = (self.is_alive(), self.engine.has_output(), self.no_events);
        let taken = offered.slice(..self.engine.recv(cx.now, &mut self.inbox));
        assert_eq!(taken.len() + self.inbox.len(), offered.len());
        cx.trace.log(|| format!("{:?} takes {} of {} bytes", self.role, taken.len(), offered.len()));
        self.octets_heard += taken.len() as u64;
        if !alive {
            return assert!(self.inbox.is_empty(), "after the end, input is discarded");
        }
        let nothing_waits = quiet && !had_output;
        assert!(!taken.is_empty() || !nothing_waits, "nothing is pending, yet none of {offered:?} was taken");
        self.no_events = false;
        let parts = self.rx.take(&taken).expect("frames");
        self.observe_input(cx, &parts);
        let incomplete = parts.iter().all(|part| matches!(part, Part::Header(_)));
        if incomplete && quiet && !self.has_tight_limits() {
            let event = self.engine.poll_event();
            assert!(event.is_none(), "an incomplete frame caused an event: {event:?}");
            assert_eq!(self.engine.has_output(), had_output, "an incomplete frame caused output");
        }
        self.check(Call::Recv, Some(cx.now));
    }

    fn observe_input(&mut self, cx: &mut Context, parts: &[Part]) {
        self.deadlines.offered(cx.now);
        for part in parts {
            if let Part::Frame(header, payload) = part {
                cx.trace.log(|| format!("    {:?} received {}", self.role, header.describe(payload)));
            }
            self.model.received(part);
            self.deadlines.received(part, &self.model, cx.now);
        }
        // If a violation closed a stream within the input, it is not visible from outside which bytes were
        // kept.
        let in_the_midst = parts.iter().any(|part| match part {
            Part::Content(header, _) => self.has_just_reset(stream_id(*header)),
            _ => false,
        });
        self.credit.take_if(|_| in_the_midst);
        let Self { engine, streams, closed, .. } = self;
        if let Some(credit) = &mut self.credit {
            credit.received(parts, |id| {
                let released = streams.get(&id).is_some_and(|stream| stream.released);
                !released && !closed.contains(&id) && engine.state(id).is_some()
            });
        }
    }

    /// Whether the engine closed a stream in the current call, without the caller or the peer asking for it.
    fn has_just_reset(&self, id: StreamId) -> bool {
        let wire = &self.model.streams[&id];
        self.engine.state(id) == Some(State::Closed) && !self.closed.contains(&id) && !wire.is_closed()
    }

    /// Reports the end of the transport to the engine.
    pub(crate) fn recv_end(&mut self, cx: &mut Context) {
        self.input_ended = true;
        let alive = self.is_alive();
        let inside = !self.rx.is_between_frames() || self.model.is_in_block();
        self.engine.recv_end(cx.now);
        self.no_events = false;
        cx.trace.log(|| format!("{:?} receives the end: {:?}", self.role, self.engine.close_reason()));
        assert!(!self.is_alive(), "nothing more can arrive");
        if let Some(Err(ConnectionError::TransportEnded { inside_frame })) = self.engine.close_reason()
            && alive
        {
            assert_eq!(*inside_frame, inside && self.octets_heard > 0, "where it was cut");
        }
        self.check(Call::Other, None);
    }

    /// Takes about `max` bytes of output; returns the streams that it resets.
    pub(crate) fn transmit(&mut self, cx: &mut Context, max: usize) -> Vec<(StreamId, ErrorCode)> {
        let had_output = self.engine.has_output();
        let mut out = Vec::new();
        let written = self.engine.poll_transmit(cx.now, &mut out, max);
        assert_eq!(written, out.len());
        assert!(written == 0 || had_output, "has_output was false, but poll_transmit produces output");
        assert!(
            written > 0 || !self.engine.has_output(),
            "has_output is true, but poll_transmit produces nothing"
        );
        self.no_events = false;
        let preface = if self.role == Role::Client && self.bytes_sent == 0 { PREFACE.len() } else { 0 };
        let resets = self.observe_output(cx, &out, max.saturating_sub(preface));
        self.bytes_sent += written as u64;
        assert!(self.bytes_sent == 0 || self.tx.is_between_frames(), "half a frame was sent");
        if written > 0 {
            self.deadlines.taken();
        }
        self.outbox = [&self.outbox[..], &out].concat().into();
        self.check(Call::Other, Some(cx.now));
        if self.is_alive() {
            self.check_flushed();
        }
        resets
    }

    /// Observes output; content begins before `max` bytes, regardless of the preceding frames.
    fn observe_output(&mut self, cx: &mut Context, out: &[u8], max: usize) -> Vec<(StreamId, ErrorCode)> {
        let (mut at, mut resets) = (0, Vec::new());
        for part in self.tx.take(out).expect("frames") {
            match &part {
                Part::Header(header) => {
                    let content = header.kind == kind::DATA && header.length > 0;
                    assert!(!content || at < max, "content after {max} bytes");
                    at += HEADER_LEN + header.length as usize;
                    self.last_sent = header.kind;
                }
                Part::Content(..) => {}
                Part::Frame(header, payload) => {
                    cx.trace.log(|| format!("    {:?} sends {}", self.role, header.describe(payload)));
                    if header.kind == kind::RST_STREAM {
                        resets.push((stream_id(*header), ErrorCode(number(payload, 0))));
                    }
                }
            }
            self.model.sent(&part);
            self.deadlines.sent(&part, cx.now);
        }
        resets
    }

    /// Calls the engine's timeout handler, at or before its next deadline.
    pub(crate) fn timeout(&mut self, cx: &mut Context) {
        let due = self.engine.poll_timeout().is_some_and(|at| at <= cx.now);
        let before = (self.engine.has_output(), self.engine.stats(), self.is_alive());
        let quiet = self.no_events;
        self.engine.handle_timeout(cx.now);
        cx.trace.log(|| {
            format!(
                "{:?} is told the time, a deadline {}",
                self.role,
                if due { "has come" } else { "has not" }
            )
        });
        self.no_events = false;
        if !due {
            assert_eq!(before, (self.engine.has_output(), self.engine.stats(), self.is_alive()), "too early");
            let event = if quiet { self.engine.poll_event() } else { None };
            assert!(event.is_none(), "too early for {event:?}");
        }
        assert!(self.engine.poll_timeout().is_none_or(|next| next > cx.now), "the deadline has not passed");
        self.timed_out |= before.2 && !self.is_alive();
        self.acts.shut_down |= !self.engine.is_open();
        self.find_live();
        let closed: Vec<_> = self.live.iter().copied().filter(|&id| self.is_closed(id)).collect();
        self.stalled.extend(closed);
        if self.is_alive() {
            let situation = self.situation();
            self.deadlines.record_timeout(&situation, &self.config, &self.model, cx.now);
        }
        self.check(Call::Other, Some(cx.now));
    }

    /// Takes the next event.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.engine.poll_event();
        self.no_events = event.is_none();
        assert!(event.is_none() || !self.told_closed, "an event after the last one: {event:?}");
        self.told_closed |= matches!(event, Some(Event::Closed));
        event
    }
}
