//! A conversation of two endpoints, whose callers carry out the plan at random.

use std::collections::BTreeMap;
use std::fmt::Debug;

use fastrand::Rng;
use http2_engine::Role;
use http2_simulation::content;

use crate::agreement::{Record, Side, is_refusal};
use crate::endpoint::{Change, Endpoint, Refused};
use crate::message::{Delivery, Message};
use crate::plan::{self, Exchange, Plan, Planned, size};
use crate::wire::Wire;

/// The totals of a conversation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Messages delivered completely.
    pub messages: usize,
    /// Bytes of content delivered.
    pub content: usize,
    /// Informational responses.
    pub informational: usize,
    /// Trailer sections.
    pub trailers: usize,
    /// Resets reported to the other end.
    pub resets: usize,
    /// Requests refused by the server.
    pub refused: usize,
    /// Frames with padding.
    pub padded: usize,
    /// Settings changed.
    pub changes: usize,
}

/// A disagreement or other failure, with its history.
#[derive(Debug)]
pub struct Disagreement {
    /// The failure.
    pub what: String,
    /// The operations and frames that led to it, in order.
    pub lines: Vec<String>,
}

/// Runs the conversation that the seed determines, between the endpoints that `ends` creates for its plan.
///
/// # Errors
///
/// Fails if the ends disagree, report an error, or never finish.
pub fn converse(
    seed: u64,
    ends: impl FnOnce(&Plan) -> [Box<dyn Endpoint>; 2],
) -> Result<Summary, Box<Disagreement>> {
    let mut random = Rng::with_seed(seed);
    let plan = Plan::new(&mut random);
    let mut conversation = Conversation::new(&plan, ends(&plan), random);
    let result = conversation.run().and_then(|()| conversation.judge());
    result.map_err(|what| Box::new(Disagreement { what, lines: conversation.lines }))
}

/// The index of each end in arrays.
const CLIENT: usize = 0;
const SERVER: usize = 1;
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// A frame arrived on a closed stream (RFC 9113, 7).
const STREAM_CLOSED: u32 = 5;

struct Conversation<'a> {
    plan: &'a Plan,
    random: Rng,
    ends: [End; 2],
    /// The opened exchanges of the plan, by stream.
    opened: BTreeMap<u32, ActiveExchange<'a>>,
    /// The number of exchanges opened.
    next: usize,
    /// Whether the client accepts no more requests.
    closed: bool,
    shut_down: bool,
    /// Whether the server has a reason to refuse requests.
    may_refuse: bool,
    changes: usize,
    lines: Vec<String>,
}

struct End {
    endpoint: Box<dyn Endpoint>,
    /// The frames that it has sent.
    wire: Wire,
    /// Bytes in flight to it.
    arriving: Vec<u8>,
    /// The number of bytes that it has received.
    arrived: usize,
    /// The last SETTINGS_INITIAL_WINDOW_SIZE.
    window: u32,
    pings: usize,
}

/// An exchange that has begun.
struct ActiveExchange<'a> {
    planned: &'a Exchange,
    sides: [Side; 2],
    /// Whether the exchange began before the client knew the server's stream limit.
    early: bool,
    /// Whether each endpoint has said that it can send no more on the stream.
    gone: [bool; 2],
}

impl<'a> Conversation<'a> {
    fn new(plan: &'a Plan, endpoints: [Box<dyn Endpoint>; 2], random: Rng) -> Self {
        let mut starts = [plan.client, plan.server].into_iter();
        let ends = endpoints.map(|endpoint| {
            let start = starts.next().expect("one per end");
            End {
                endpoint,
                wire: Wire::new(start.role),
                arriving: Vec::new(),
                arrived: 0,
                window: start.initial_window_size,
                pings: 0,
            }
        });
        Self {
            plan,
            random,
            ends,
            opened: BTreeMap::new(),
            next: 0,
            closed: false,
            shut_down: false,
            may_refuse: false,
            changes: 0,
            lines: vec![format!("{:?}", plan.client), format!("{:?}", plan.server)],
        }
    }

    /// First acts at random; then carries out the rest of the plan, until nothing changes.
    fn run(&mut self) -> Result<(), String> {
        for _ in 0..100 + 40 * self.plan.exchanges.len() {
            self.act()?;
        }
        self.log("now calm");
        let mut passes = 0;
        while self.pass()? {
            passes += 1;
            if passes > 20_000 {
                return Err("the conversation did not end".into());
            }
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), String> {
        let side = self.random.usize(..2);
        let streams = self.opened.len();
        let stream = match streams {
            0 => None,
            _ => self.opened.keys().copied().nth(self.random.usize(..streams)),
        };
        match (self.random.u8(..100), stream) {
            (0..35, _) => self.transfer(side)?,
            (35..50, _) => self.open(),
            (50..72, Some(stream)) => self.send(side, stream),
            (72..92, Some(stream)) => self.read(side, stream),
            (92..96, _) => self.alter(side, stream),
            (96, _) => self.ping(side),
            (97..99, Some(stream)) if self.plan.resets => self.reset(side, stream),
            (99, _) if self.plan.shut_down && self.next > self.plan.exchanges.len() / 2 => {
                self.shut_down(side)
            }
            _ => return Ok(()),
        };
        self.take_deliveries()
    }

    /// Carries out every remaining action once; returns whether anything changed.
    fn pass(&mut self) -> Result<bool, String> {
        let mut moved = false;
        for side in [CLIENT, SERVER] {
            // An end must not leave a window closed for good.
            let end = &self.ends[side];
            let least = if end.endpoint.compensates_lower_windows() { 10_000 } else { 65_535 };
            if end.window < least {
                moved |= self.change(side, Change::InitialWindowSize(65_535));
            }
            moved |= self.transfer(side)?;
        }
        while self.open() {
            moved = true;
        }
        for stream in self.opened.keys().copied().collect::<Vec<_>>() {
            for side in [CLIENT, SERVER] {
                moved |= self.send(side, stream);
                self.read(side, stream);
            }
        }
        moved |= self.ends.iter_mut().any(|end| !end.arriving.is_empty());
        let before = self.lines.len();
        self.take_deliveries()?;
        Ok(moved || self.lines.len() > before)
    }

    fn log(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Logs an end's operation if the endpoint accepted it; returns whether it did.
    fn done(&mut self, side: usize, what: &str, stream: u32, result: &Result<impl Debug, Refused>) -> bool {
        if let Err(Refused::NotNow) = result {
            return false;
        }
        self.log(format!("{:?} {what}, stream {stream}: {result:?}", ROLES[side]));
        result.is_ok()
    }

    /// Collects output of one end, and delivers some of the bytes in flight to the other; returns whether any
    /// moved.
    fn transfer(&mut self, from: usize) -> Result<bool, String> {
        let mut octets = Vec::new();
        let most = 1 + size(&mut self.random, 1 << 16);
        self.ends[from].endpoint.transmit(most, &mut octets);
        for line in self.ends[from].wire.take(&octets) {
            self.lines.push(format!("    {:?} sends {line}", ROLES[from]));
        }
        let to = &mut self.ends[1 - from];
        to.arriving.extend_from_slice(&octets);
        let (mut at, pieces) = (0, self.random.usize(1..300));
        for _ in 0..pieces {
            let left = to.arriving.len() - at;
            if left == 0 {
                break;
            }
            let piece = self.random.usize(1..=self.plan.piece).min(left);
            to.endpoint.receive(&to.arriving[at..at + piece]);
            at += piece;
        }
        to.arriving.drain(..at);
        to.arrived += at;
        if at > 0 {
            self.lines.push(format!("        {at} bytes arrive at {:?}", ROLES[1 - from]));
        }
        for (end, role) in self.ends.iter().zip(ROLES) {
            if let Some(failure) = end.endpoint.failure() {
                return Err(format!("{role:?}: {failure}"));
            }
        }
        Ok(!octets.is_empty() || at > 0)
    }

    /// Opens the next exchange of the plan; returns whether the endpoint accepted it.
    fn open(&mut self) -> bool {
        let Some(planned) = self.plan.exchanges.get(self.next).filter(|_| !self.closed) else { return false };
        let no_empty_data = !self.ends[SERVER].endpoint.takes_empty_data_below_zero();
        let end = planned.request.is_head_only() && (self.random.bool() || no_empty_data);
        let result = self.ends[CLIENT].endpoint.open(&planned.request.head, end);
        let what = format!("opens {:?}, end {end}", planned.request.head);
        self.done(CLIENT, &what, result.unwrap_or_default(), &result);
        match result {
            Ok(stream) => {
                let settings = self.ends[SERVER].wire.first_frame;
                let early = settings.is_none_or(|octets| self.ends[CLIENT].arrived < octets);
                let mut talk =
                    ActiveExchange { planned, sides: <[Side; 2]>::default(), early, gone: [false; 2] };
                talk.sides[CLIENT].sent.head = Some(planned.request.head.clone());
                talk.sides[CLIENT].sent.end = end;
                self.opened.insert(stream, talk);
                self.next += 1;
            }
            Err(Refused::Gone) => self.closed = true,
            Err(Refused::NotNow) => {}
        }
        result.is_ok()
    }

    /// Sends the next part of a message; returns whether the endpoint accepted it.
    fn send(&mut self, side: usize, stream: u32) -> bool {
        let Some(talk) = self.opened.get_mut(&stream) else { return false };
        let message = if side == CLIENT { &talk.planned.request } else { &talk.planned.response };
        let asked = side == CLIENT || talk.sides[SERVER].received.head.is_some();
        let sent = &mut talk.sides[side].sent;
        if sent.end || talk.gone[side] || !asked {
            return false;
        }
        let no_empty_data = !self.ends[1 - side].endpoint.takes_empty_data_below_zero();
        let end_now = self.random.bool() || no_empty_data;
        let endpoint = &mut self.ends[side].endpoint;
        let (what, result) = if let Some(head) = message.informational.get(sent.informational.len()) {
            let result = endpoint.inform(stream, head).map(|()| sent.informational.push(head.clone()));
            (format!("informs {head:?}"), result)
        } else if sent.head.is_none() {
            let end = message.is_head_only() && end_now;
            let result = endpoint.respond(stream, &message.head, end).map(|()| {
                sent.head = Some(message.head.clone());
                sent.end = end;
            });
            (format!("responds {:?}, end {end}", message.head), result)
        } else if let Some(trailers) =
            message.trailers.as_ref().filter(|_| sent.content.len() == message.content)
        {
            let result = endpoint.send_trailers(stream, trailers).map(|()| {
                sent.trailers = Some(trailers.clone());
                sent.end = true;
            });
            (format!("sends trailers {trailers:?}"), result)
        } else {
            let from = sent.content.len();
            let to = message.content.min(from + 1 + size(&mut self.random, 1 << 15));
            let end = to == message.content && message.trailers.is_none() && (end_now || from == to);
            let octets = content(stream, ROLES[side], from..to);
            let result = endpoint.send_data(stream, &octets, end).map(|taken| {
                sent.content.extend_from_slice(&octets[..taken]);
                sent.end = end && taken == octets.len();
            });
            (format!("sends content {from}..{to} of {}, end {end}", message.content), result)
        };
        talk.gone[side] = result == Err(Refused::Gone);
        self.done(side, &what, stream, &result)
    }

    fn read(&mut self, side: usize, stream: u32) -> bool {
        let most = 1 + size(&mut self.random, 1 << 15);
        if self.opened.get(&stream).is_some_and(|talk| talk.sides[side].has_reset.is_none()) {
            self.ends[side].endpoint.read(stream, most);
        }
        true
    }

    fn reset(&mut self, side: usize, stream: u32) -> bool {
        let code = [0x1, 0x2, 0x8, 0xb, 0xd, 0x1234][self.random.usize(..6)];
        let Some(talk) = self.opened.get_mut(&stream) else { return false };
        let own = &mut talk.sides[side];
        let asked = side == CLIENT || own.received.head.is_some();
        if !asked || own.has_reset.is_some() || own.peer_reset.is_some() || (own.sent.end && own.received.end)
        {
            return false;
        }
        let informational = side == CLIENT && !talk.planned.response.informational.is_empty();
        if informational && !self.ends[side].endpoint.takes_informational_after_reset() {
            return false;
        }
        own.has_reset = Some(code);
        talk.gone[side] = true;
        self.ends[side].endpoint.reset(stream, code);
        self.done(side, &format!("resets with {code:#x}"), stream, &Ok(()))
    }

    /// Changes a setting, or raises a window.
    fn alter(&mut self, side: usize, stream: Option<u32>) -> bool {
        let peer = &self.ends[1 - side].endpoint;
        let random = &mut self.random;
        let change = match random.u8(..6) {
            0 if !peer.sums_up_table_sizes() => return false,
            0 => Change::HeaderTableSize(u32::try_from(size(random, 1 << 13)).unwrap_or_default()),
            1 if side == SERVER => Change::MaxConcurrentStreams(random.u32(1..30)),
            2 | 3 => Change::InitialWindowSize(plan::window(random)),
            4 => Change::MaxFrameSize(random.u32(16_384..100_000)),
            _ => {
                let octets = random.u32(1..50_000);
                let stream = stream.filter(|_| random.bool()).unwrap_or(0);
                let usable = self.opened.get(&stream).is_none_or(|talk| {
                    let own = &talk.sides[side];
                    own.has_reset.is_none() && (side == CLIENT || own.received.head.is_some())
                });
                let late = stream != 0 && self.plan.shut_down && !peer.ignores_windows_of_late_streams();
                if !usable || late {
                    return false;
                }
                let result = self.ends[side].endpoint.raise_window(stream, octets);
                return self.done(side, &format!("raises a window by {octets}"), stream, &result);
            }
        };
        self.change(side, change)
    }

    fn change(&mut self, side: usize, change: Change) -> bool {
        let result = self.ends[side].endpoint.change(change);
        if result.is_ok() {
            self.changes += 1;
            match change {
                Change::InitialWindowSize(octets) => self.ends[side].window = octets,
                Change::MaxConcurrentStreams(_) => self.may_refuse = true,
                _ => {}
            }
        }
        self.done(side, &format!("changes {change:?}"), 0, &result)
    }

    fn ping(&mut self, side: usize) -> bool {
        let result = self.ends[side].endpoint.ping();
        self.ends[side].pings += usize::from(result.is_ok());
        self.done(side, "pings", 0, &result)
    }

    fn shut_down(&mut self, side: usize) -> bool {
        if self.shut_down || self.ends.iter().any(|end| !end.endpoint.continues_after_goaway()) {
            return false;
        }
        let result = self.ends[side].endpoint.shut_down();
        self.shut_down = result.is_ok();
        // A client that shuts down drops the requests of which it has sent nothing.
        self.may_refuse |= self.shut_down;
        self.done(side, "shuts down", 0, &result)
    }

    fn take_deliveries(&mut self) -> Result<(), String> {
        for (side, role) in ROLES.into_iter().enumerate() {
            for (stream, delivery) in self.ends[side].endpoint.deliveries() {
                let shown = match &delivery {
                    Delivery::Content(content) => format!("{} bytes", content.len()),
                    other => format!("{other:?}"),
                };
                self.lines.push(format!("        {role:?} has, on stream {stream}: {shown}"));
                let Some(talk) = self.opened.get_mut(&stream) else {
                    return Err(format!("{role:?} reported a stream that nobody opened: {stream}"));
                };
                let own = &mut talk.sides[side];
                if own.has_reset.is_some() {
                    continue;
                }
                if let Delivery::Reset(code) = delivery {
                    own.peer_reset = Some(code);
                }
                own.received.add(delivery).map_err(|what| format!("{role:?}, stream {stream}: {what}"))?;
            }
        }
        Ok(())
    }

    /// Checks that both ends agree on every exchange.
    fn judge(&mut self) -> Result<Summary, String> {
        let mut summary = Summary { changes: self.changes, ..Summary::default() };
        let order = self.ends.iter().all(|end| end.endpoint.keeps_field_order());
        if self.next < self.plan.exchanges.len() && !self.closed {
            return Err(format!("only {} of {} requests were opened", self.next, self.plan.exchanges.len()));
        }
        let early = self.opened.values().filter(|talk| talk.early).count();
        let too_many = early > self.plan.server.max_concurrent_streams as usize;
        for (&stream, talk) in &self.opened {
            let [client, server] = talk.sides.clone();
            let may_be_refused = self.may_refuse || (too_many && talk.early);
            let record = Record { client, server, may_be_refused };
            record.check(order).map_err(|what| format!("stream {stream}: {what}\n{record:#?}"))?;
            summary.add(&record);
        }
        for (end, role) in self.ends.iter().zip(ROLES) {
            summary.padded += end.wire.padded;
            if let Some(code) = end.wire.go_aways.iter().find(|&&code| code != 0) {
                return Err(format!("{role:?} sent GOAWAY with {code:#x}"));
            }
            let side = role as usize;
            for &(stream, code) in &end.wire.resets {
                let talk = self.opened.get(&stream);
                let may_refuse = self.may_refuse || (too_many && talk.is_some_and(|talk| talk.early));
                // h2 answers late frames on a stream that it has refused, also with other codes.
                let refused =
                    end.wire.resets.iter().any(|&(other, code)| other == stream && is_refusal(code));
                let refusal = role == Role::Server && may_refuse && refused;
                let asked = talk.and_then(|talk| talk.sides[side].has_reset);
                let repeated = end.endpoint.repeats_resets() && code == STREAM_CLOSED && asked.is_some();
                if asked != Some(code) && !refusal && !repeated {
                    return Err(format!("{role:?} reset stream {stream} with {code:#x} on its own"));
                }
            }
            if end.endpoint.pongs() != end.pings && !self.shut_down {
                let pongs = end.endpoint.pongs();
                return Err(format!("{role:?} received {pongs} acknowledgements of {} PINGs", end.pings));
            }
        }
        Ok(summary)
    }
}

impl Planned {
    /// Whether the message consists of its head alone.
    fn is_head_only(&self) -> bool {
        self.content == 0 && self.trailers.is_none()
    }
}

impl Summary {
    /// Checks that many conversations together cover every feature.
    pub(crate) fn assert_coverage(&self, conversations: usize) {
        let each = [
            (self.messages, 5),
            (self.content, 2_000),
            (self.informational, 1),
            (self.trailers, 1),
            (self.changes, 2),
        ];
        let enough = each.iter().all(|&(number, least)| number >= least * conversations);
        assert!(enough && self.resets * 5 >= conversations, "the conversations cover too little: {self:?}");
    }

    fn add(&mut self, record: &Record) {
        for side in [&record.client, &record.server] {
            self.messages += usize::from(side.received.end);
            self.content += side.received.content.len();
            self.informational += side.received.informational.len();
            self.trailers += usize::from(side.received.trailers.is_some());
            let told = side.peer_reset.is_some();
            let refused = told && record.server.received == Message::default();
            self.refused += usize::from(refused);
            self.resets += usize::from(told && !refused);
        }
    }
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.content += other.content;
        self.informational += other.informational;
        self.trailers += other.trailers;
        self.resets += other.resets;
        self.refused += other.refused;
        self.padded += other.padded;
        self.changes += other.changes;
    }
}
