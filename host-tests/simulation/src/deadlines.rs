//! Predicts the deadlines of an endpoint from outside: from its configuration, its traffic, and the times of
//! both.
//!
//! The engine must request a wake-up neither earlier nor later. If an exact time is not visible from outside,
//! the prediction is a range: the earliest and the latest possible time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use http2_engine::{Config, Role, StreamId, Time};
use http2_test_support::{Part, flag, kind};

use crate::wire::stream_id;
use crate::wire_model::WireModel;

/// The deadlines of one endpoint.
#[derive(Default)]
pub(crate) struct Deadlines {
    /// When the endpoint first learned the time, and when it was last offered input.
    started: Option<Time>,
    received: Time,
    /// Whether the peer's first frame has begun.
    preface_heard: bool,
    /// When each unacknowledged SETTINGS frame was sent.
    settings: VecDeque<Time>,
    /// When the current field block began.
    block: Option<Time>,
    /// When output began to wait for the transport.
    untaken: Option<Time>,
    /// When the last stream ended, if none is open.
    idle: Option<Time>,
    /// Whether the connection is being shut down, and the deadline for that.
    shut_down: bool,
    drain_until: Option<Time>,
    /// A graceful shutdown was announced, and new requests are still accepted.
    announced: Option<Announced>,
    /// A keep-alive PING was sent, and may have been answered.
    asked: Option<Asked>,
    /// The progress of content through the connection window.
    connection: Progress,
    /// The latest time from which on the connection window has certainly blocked content.
    connection_closed: Option<Time>,
    /// Streams with content to send.
    stalls: BTreeMap<StreamId, Stall>,
}

/// A keep-alive PING.
///
/// PINGs look alike from outside: when this one may have been answered, another may also have been sent.
struct Asked {
    earliest: Time,
    latest: Time,
    /// The number of PINGs answered by then.
    answered: usize,
    /// Whether the PING has been taken by the transport.
    sent: bool,
}

/// The announcement of a shutdown, and the deadline for its acknowledgement.
struct Announced {
    until: Time,
    /// The number of PINGs answered before: any later acknowledgement may be the one for the announcement.
    answered: usize,
}

/// The time that a server allows for the acknowledgement of the announcement.
const ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// The time since when a stream has had content that its window does not allow: earliest and latest.
struct Stall {
    progress: Progress,
    latest: Option<Time>,
}

impl Stall {
    fn new(now: Time) -> Self {
        Self { progress: Progress::new(now), latest: None }
    }

    /// Records a larger window: if it is open now, the stream first waits for its turn.
    fn window_raised(&mut self, id: StreamId, model: &WireModel) {
        if model.stream_send_window(id) > 0 {
            self.latest = None;
        }
    }
}

/// Bytes of content that end a stall.
const KIBIBYTE: u32 = 1_024;

/// The earliest possible beginning of a stall that 1 KiB of content has not ended.
///
/// The beginning is not visible from outside, so content is counted in steps: a stall that began before the
/// last mark but one has ended.
#[derive(Default)]
struct Progress {
    earliest: Time,
    mark: Time,
    sent: u32,
}

impl Progress {
    fn new(now: Time) -> Self {
        Self { earliest: now, mark: now, sent: 0 }
    }

    fn sent(&mut self, bytes: u32, now: Time) {
        if bytes >= KIBIBYTE {
            *self = Self::new(now);
            return;
        }
        self.sent += bytes;
        if self.sent >= KIBIBYTE {
            *self = Self { earliest: self.mark, mark: now, sent: self.sent - KIBIBYTE };
        }
    }
}

/// The part of an endpoint's state that determines its deadlines.
pub(crate) struct Situation {
    /// Whether the engine has output for the transport.
    pub(crate) has_output: bool,
    /// Whether any stream is open.
    pub(crate) busy: bool,
    /// Streams with content to send.
    pub(crate) waiting: BTreeSet<StreamId>,
}

impl Situation {
    /// Whether some content can be blocked only by the connection window.
    fn is_blocked_by_connection(&self, model: &WireModel) -> bool {
        self.waiting.iter().any(|&id| model.stream_send_window(id) > 0)
    }
}

impl Deadlines {
    /// Records that the endpoint was offered input.
    pub(crate) fn offered(&mut self, now: Time) {
        self.received = now;
    }

    /// Records input that the endpoint accepted.
    pub(crate) fn received(&mut self, part: &Part, model: &WireModel, now: Time) {
        let header = match part {
            Part::Header(_) => {
                self.preface_heard = true;
                return;
            }
            Part::Content(..) => return,
            Part::Frame(header, _) => *header,
        };
        match header.kind {
            kind::SETTINGS if header.has(flag::ACK) => _ = self.settings.pop_front(),
            kind::SETTINGS => {
                self.stalls.iter_mut().for_each(|(&id, stall)| stall.window_raised(id, model));
            }
            kind::WINDOW_UPDATE if header.stream == 0 => self.connection_closed = None,
            kind::WINDOW_UPDATE => {
                if let Some(stall) = self.stalls.get_mut(&stream_id(header)) {
                    stall.window_raised(stream_id(header), model);
                }
            }
            _ if header.carries_field_block() => {
                self.block = header.is_continued().then(|| self.block.unwrap_or(now));
            }
            _ => {}
        }
    }

    /// Records output of the endpoint.
    pub(crate) fn sent(&mut self, part: &Part, now: Time) {
        let Part::Header(header) = part else { return };
        match header.kind {
            kind::SETTINGS if !header.has(flag::ACK) => self.settings.push_back(now),
            kind::DATA if header.length > 0 => {
                self.connection.sent(header.length, now);
                self.connection_closed = None;
                let stall = self.stalls.entry(stream_id(*header)).or_insert_with(|| Stall::new(now));
                stall.progress.sent(header.length, now);
                stall.latest = None;
            }
            _ => {}
        }
    }

    /// Records that the transport has taken output, including all PINGs.
    pub(crate) fn taken(&mut self) {
        self.untaken = None;
        if let Some(asked) = &mut self.asked {
            asked.sent = true;
        }
    }

    /// Records that the connection is shut down.
    pub(crate) fn shut_down(&mut self, config: &Config, model: &WireModel, now: Time) {
        if !std::mem::replace(&mut self.shut_down, true) {
            self.drain_until = config.drain_timeout.map(|timeout| now + timeout);
            let announced = Announced { until: now + ANNOUNCEMENT, answered: model.pings_answered };
            self.announced = Some(announced).filter(|_| model.role == Role::Server);
        }
    }

    /// Records the time passed to the endpoint, from which on it knows the current situation.
    pub(crate) fn record_time(&mut self, situation: &Situation, model: &WireModel, now: Time) {
        let waiting = &situation.waiting;
        if self.started.is_none() {
            (self.started, self.received) = (Some(now), now);
        }
        let since = |since: Option<Time>, holds: bool| holds.then(|| since.unwrap_or(now));
        self.untaken = since(self.untaken, situation.has_output);
        self.idle = since(self.idle, !situation.busy);
        self.stalls.retain(|id, _| waiting.contains(id));
        let closed = model.send_window() <= 0;
        self.connection_closed =
            since(self.connection_closed, closed && situation.is_blocked_by_connection(model));
        for &id in waiting {
            let stall = self.stalls.entry(id).or_insert_with(|| Stall::new(now));
            if !closed && !situation.has_output {
                stall.latest.get_or_insert(now);
            }
        }
    }

    /// Records a time passed to the endpoint at which its deadlines may have expired, if it survives that.
    pub(crate) fn record_timeout(
        &mut self,
        situation: &Situation,
        config: &Config,
        model: &WireModel,
        now: Time,
    ) {
        if self.idle_at(situation, config).is_some_and(|at| at <= now) {
            self.shut_down(config, model, now);
        }
        self.announced.take_if(|announced| announced.until <= now);
        if self.silent_at(config).is_some_and(|at| at <= now) {
            let answered = model.pings_answered;
            match &mut self.asked {
                None => self.asked = Some(Asked { earliest: now, latest: now, answered, sent: false }),
                Some(asked) if answered > asked.answered => (asked.latest, asked.sent) = (now, false),
                Some(_) => {}
            }
        }
    }

    fn idle_at(&self, situation: &Situation, config: &Config) -> Option<Time> {
        let idle = self.idle.filter(|_| !self.shut_down && !situation.busy);
        Some(idle? + config.idle_timeout?)
    }

    /// The time of the next keep-alive PING, unless one is outstanding.
    fn silent_at(&self, config: &Config) -> Option<Time> {
        self.started?;
        Some(self.received + config.keep_alive?.interval)
    }

    /// The earliest and the latest time for which the engine may request a wake-up; `None` for never.
    pub(crate) fn next(
        &mut self,
        situation: &Situation,
        config: &Config,
        model: &WireModel,
    ) -> (Option<Time>, Option<Time>) {
        let all_answered = model.pings_answered == model.pings_sent;
        self.asked.take_if(|asked| asked.sent && all_answered);
        let after = |since: Option<Time>, timeout: Option<Duration>| Some(since? + timeout?);
        let stall = config.stall_timeout;
        let known = [
            after(self.started.filter(|_| !self.preface_heard), config.preface_timeout),
            after(self.settings.front().copied(), config.settings_timeout),
            after(self.block, config.headers_timeout),
            after(self.untaken, stall),
            self.idle_at(situation, config),
            self.drain_until,
            self.silent_at(config).filter(|_| self.asked.is_none()),
        ];
        let mut earliest = known.to_vec();
        let mut latest = known.to_vec();
        if let (Some(asked), Some(keep_alive)) = (&self.asked, config.keep_alive) {
            let silent = self.silent_at(config).filter(|_| model.pings_answered > asked.answered);
            let [low, high] = [asked.earliest, asked.latest].map(|at| at + keep_alive.timeout);
            earliest.push(silent.into_iter().chain([low]).min());
            latest.push(silent.into_iter().chain([high]).max());
        }
        self.announced.take_if(|_| model.go_away_sent.is_some_and(|last| last < StreamId::MAX));
        if let Some(announced) = &self.announced {
            earliest.push(Some(announced.until));
            latest.push(Some(announced.until).filter(|_| model.pings_answered == announced.answered));
        }
        if model.send_window() <= 0 && !situation.waiting.is_empty() {
            earliest.push(after(Some(self.connection.earliest), stall));
            if situation.is_blocked_by_connection(model) {
                latest.push(after(self.connection_closed, stall));
            }
        }
        for (&id, at) in &self.stalls {
            if situation.waiting.contains(&id) && model.stream_send_window(id) <= 0 {
                earliest.push(after(Some(at.progress.earliest), stall));
                latest.push(after(at.latest, stall));
            }
        }
        (earliest.into_iter().flatten().min(), latest.into_iter().flatten().min())
    }
}
