//! One end of the connection: an engine, and all that watches it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http2_engine::frame::{FrameType, HEADER_LEN};
use http2_engine::{
    Config, Connection, ConnectionError, ErrorCode, Event, Role, SettingId, State, StreamId, Time,
};

use crate::acts::Acts;
use crate::books::Books;
use crate::context::Context;
use crate::credit::{Call, Credit};
use crate::deadlines::Deadlines;
use crate::stream::Stream;
use crate::wire::{Frames, PREFACE, Part, describe, number};

/// An engine with its observers. Every call of the engine goes through here, and is followed by [all checks](Self::check)
/// that can be made from outside.
pub(crate) struct End {
    pub(crate) role: Role,
    pub(crate) config: Config,
    pub(crate) engine: Connection,
    /// What the transport has not taken, and what the engine has not.
    pub(crate) outbox: Bytes,
    pub(crate) inbox: Bytes,
    /// The transport has ended for reading.
    pub(crate) input_ended: bool,
    /// The streams that the caller has, or has had, and what else it has done.
    pub(crate) streams: BTreeMap<StreamId, Stream>,
    pub(crate) acts: Acts,
    pub(crate) books: Books,
    /// None once it is not certain any more which octets were kept.
    pub(crate) credit: Option<Credit>,
    pub(crate) deadlines: Deadlines,
    mouth: Frames,
    ear: Frames,
    pub(crate) octets_sent: u64,
    pub(crate) octets_heard: u64,
    /// The last frame that was sent.
    pub(crate) last_sent: FrameType,
    /// Streams that were closed after the last call, and all others.
    pub(crate) closed: BTreeSet<StreamId>,
    pub(crate) live: Vec<StreamId>,
    /// There was no event after the last call.
    no_events: bool,
    /// [`Event::Closed`] was told.
    pub(crate) told_closed: bool,
    /// Streams that were closed when a deadline came, and whether the connection was.
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
            engine: engine.expect("the configuration is possible"),
            outbox: Bytes::new(),
            inbox: Bytes::new(),
            input_ended: false,
            streams: BTreeMap::new(),
            acts: Acts::new(&config),
            books: Books::new(role, config.initial_max_send_streams),
            credit: Some(Credit::new(&config)),
            deadlines: Deadlines::default(),
            mouth: Frames::new(role),
            ear: Frames::new(peer),
            octets_sent: 0,
            octets_heard: 0,
            last_sent: FrameType::SETTINGS,
            closed: BTreeSet::new(),
            live: Vec::new(),
            no_events: true,
            told_closed: false,
            stalled: BTreeSet::new(),
            timed_out: false,
            config,
        }
    }

    /// Whether the connection goes on.
    pub(crate) fn is_alive(&self) -> bool {
        self.engine.close_reason().is_none()
    }

    /// Whether the engine says that a stream has ended in both directions.
    pub(crate) fn is_closed(&self, id: StreamId) -> bool {
        self.engine.state(id).is_none_or(|state| state == State::Closed)
    }

    /// Whether limits on the peer are so low that a good one breaks them.
    pub(crate) fn is_touchy(&self) -> bool {
        self.config.limits.abuse < 2_000
    }

    /// The streams that the caller has.
    pub(crate) fn held(&self) -> Vec<StreamId> {
        self.streams.iter().filter(|(_, stream)| !stream.released).map(|(&id, _)| id).collect()
    }

    /// An operation of the caller, with what it is about.
    pub(crate) fn operate<R>(&mut self, call: Call, operation: impl FnOnce(&mut Connection) -> R) -> R {
        let result = operation(&mut self.engine);
        self.operated(call);
        result
    }

    /// The caller has operated on the engine.
    pub(crate) fn operated(&mut self, call: Call) {
        self.no_events = false;
        self.check(call, None);
    }

    /// The caller shuts the connection down.
    pub(crate) fn shut_down(&mut self, now: Time) {
        self.acts.shut_down = true;
        self.deadlines.shut_down(&self.config, &self.books, now);
        self.operate(Call::Other, |engine| engine.shutdown(now));
    }

    /// The caller changes a setting. True if it can be changed so.
    pub(crate) fn change_setting(&mut self, cx: &mut Context, setting: SettingId, value: u32) -> bool {
        let result = self.engine.change_settings(&[(setting, value)]);
        cx.trace.note(|| format!("{:?} changes {setting} to {value}: {result:?}", self.role));
        // A window may have been raised as far as it goes.
        assert!(result.is_ok() || setting == SettingId::INITIAL_WINDOW_SIZE, "{result:?}");
        if result.is_ok() {
            self.acts.change_setting(setting, value);
            if let Some(credit) = self.credit.as_mut().filter(|_| setting == SettingId::INITIAL_WINDOW_SIZE) {
                credit.change_initial_window(value);
            }
        }
        self.operated(Call::Other);
        result.is_ok()
    }

    /// The transport takes octets from the front of what waits for it.
    pub(crate) fn take_output(&mut self, most: usize) -> Bytes {
        self.outbox.split_to(most.min(self.outbox.len()))
    }

    /// Offers the engine what has arrived.
    pub(crate) fn recv(&mut self, cx: &mut Context) {
        let offered = self.inbox.clone();
        let (alive, had_output, quiet) = (self.is_alive(), self.engine.has_output(), self.no_events);
        self.engine.recv(cx.now, &mut self.inbox);
        let taken = offered.slice(..offered.len() - self.inbox.len());
        cx.trace.note(|| format!("{:?} takes {} of {} octets", self.role, taken.len(), offered.len()));
        self.octets_heard += taken.len() as u64;
        if !alive {
            return assert!(self.inbox.is_empty(), "after the end, input is swallowed");
        }
        let nothing_waits = quiet && !had_output;
        assert!(
            !taken.is_empty() || !nothing_waits,
            "nothing waits, and yet nothing of {offered:?} is taken"
        );
        self.no_events = false;
        let parts = self.ear.take(&taken);
        self.hear(cx, &parts);
        let incomplete = parts.iter().all(|part| matches!(part, Part::Header(_)));
        if incomplete && quiet && !self.is_touchy() {
            let event = self.engine.poll_event();
            assert!(event.is_none(), "an incomplete frame makes an event: {event:?}");
            assert_eq!(self.engine.has_output(), had_output, "an incomplete frame makes output");
        }
        self.check(Call::Recv, Some(cx.now));
    }

    fn hear(&mut self, cx: &mut Context, parts: &[Part]) {
        self.deadlines.offered(cx.now);
        for part in parts {
            if let Part::Frame(header, payload) = part {
                cx.trace.note(|| format!("    {:?} has heard {}", self.role, describe(*header, payload)));
            }
            self.books.heard(part);
            self.deadlines.heard(part, &self.books, cx.now);
        }
        // When a stream was closed for a violation in the midst of it, nobody can tell from outside what was kept.
        let in_the_midst = parts.iter().any(|part| match part {
            Part::Content(header, _) => self.has_just_reset(header.stream_id),
            _ => false,
        });
        self.credit.take_if(|_| in_the_midst);
        let Self { engine, streams, closed, .. } = self;
        if let Some(credit) = &mut self.credit {
            credit.heard(parts, |id| {
                let released = streams.get(&id).is_some_and(|stream| stream.released);
                !released && !closed.contains(&id) && engine.state(id).is_some()
            });
        }
    }

    /// Whether the engine has closed a stream in the present call, and neither the caller nor the peer wanted that.
    fn has_just_reset(&self, id: StreamId) -> bool {
        let wire = &self.books.streams[&id];
        self.engine.state(id) == Some(State::Closed) && !self.closed.contains(&id) && !wire.is_closed()
    }

    /// The transport has ended for reading.
    pub(crate) fn recv_end(&mut self, cx: &mut Context) {
        self.input_ended = true;
        let alive = self.is_alive();
        let inside = !self.ear.is_between_frames() || self.books.is_in_block();
        self.engine.recv_end(cx.now);
        self.no_events = false;
        cx.trace.note(|| format!("{:?} hears the end: {:?}", self.role, self.engine.close_reason()));
        assert!(!self.is_alive(), "nothing more can come");
        if let Some(Err(ConnectionError::TransportEnded { inside_frame })) = self.engine.close_reason()
            && alive
        {
            assert_eq!(*inside_frame, inside && self.octets_heard > 0, "where it was cut");
        }
        self.check(Call::Other, None);
    }

    /// Takes output: about `max` octets of it. Gives the streams that were reset with it.
    pub(crate) fn transmit(&mut self, cx: &mut Context, max: usize) -> Vec<(StreamId, ErrorCode)> {
        let had_output = self.engine.has_output();
        let mut out = Vec::new();
        let written = self.engine.poll_transmit(cx.now, &mut out, max);
        assert_eq!(written, out.len());
        assert!(written == 0 || had_output, "output where there was none");
        assert!(written > 0 || !self.engine.has_output(), "no output where there is some");
        self.no_events = false;
        let preface = if self.role == Role::Client && self.octets_sent == 0 { PREFACE.len() } else { 0 };
        let resets = self.say(cx, &out, max.saturating_sub(preface));
        self.octets_sent += written as u64;
        assert!(self.octets_sent == 0 || self.mouth.is_between_frames(), "half a frame was sent");
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

    /// Looks at what is sent. Content begins before `max` octets, whatever stands before it.
    fn say(&mut self, cx: &mut Context, out: &[u8], max: usize) -> Vec<(StreamId, ErrorCode)> {
        let (mut at, mut resets) = (0, Vec::new());
        for part in self.mouth.take(out) {
            match &part {
                Part::Header(header) => {
                    let content = header.kind == FrameType::DATA && header.length > 0;
                    assert!(!content || at < max, "content behind {max} octets");
                    at += HEADER_LEN + header.length as usize;
                    self.last_sent = header.kind;
                }
                Part::Content(..) => {}
                Part::Frame(header, payload) => {
                    cx.trace.note(|| format!("    {:?} sends {}", self.role, describe(*header, payload)));
                    if header.kind == FrameType::RST_STREAM {
                        resets.push((header.stream_id, ErrorCode(number(payload, 0))));
                    }
                }
            }
            self.books.sent(&part);
            self.deadlines.sent(&part, cx.now);
        }
        resets
    }

    /// Tells the engine that the time of its next deadline has come, or has not.
    pub(crate) fn timeout(&mut self, cx: &mut Context) {
        let due = self.engine.poll_timeout().is_some_and(|at| at <= cx.now);
        let before = (self.engine.has_output(), self.engine.stats(), self.is_alive());
        let quiet = self.no_events;
        self.engine.handle_timeout(cx.now);
        cx.trace.note(|| {
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
            self.deadlines.passed(&situation, &self.config, &self.books, cx.now);
        }
        self.check(Call::Other, Some(cx.now));
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        let event = self.engine.poll_event();
        self.no_events = event.is_none();
        assert!(event.is_none() || !self.told_closed, "an event after the last one: {event:?}");
        self.told_closed |= matches!(event, Some(Event::Closed));
        event
    }
}
