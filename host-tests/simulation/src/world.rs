//! A client and a server, the links between them, and the time.

use std::time::Duration;

use bytes::Bytes;
use http2_engine::{ErrorCode, Role, SettingId, StreamId, Time};

use crate::config::configs;
use crate::context::{Context, Trace};
use crate::credit::Call;
use crate::end::End;
use crate::link::{EndOfStream, Link};
use crate::random::Random;
use crate::relay::Relay;
use crate::stream::Stream;

/// The index of each end in arrays; a link has the index of its sender.
const CLIENT: usize = 0;
const SERVER: usize = 1;

/// Two ends, the links between them, and the time.
pub(crate) struct World {
    pub(crate) cx: Context,
    pub(crate) ends: [End; 2],
    links: [Link; 2],
    relay: Option<Relay>,
    /// The largest piece in which bytes arrive; 1 for byte by byte.
    piece: usize,
    /// The most bytes of content in a message.
    most: usize,
    /// The number of streams that may still be opened.
    streams_left: usize,
    /// Whether no deadline expires because of mere slowness, and nothing is lost.
    calm: bool,
    /// Whether callers reset streams and change settings.
    restless: bool,
    /// Whether bytes between the ends, or a program, were lost.
    pub(crate) lost: bool,
    /// The ends whose program has crashed.
    pub(crate) gone: [bool; 2],
    /// Whether the connection is to end by its idle timeout.
    awaits_end: bool,
}

/// The most time that a world may need to come to rest once both sides finish their work.
const PATIENCE: Duration = Duration::from_secs(3_000);

impl World {
    pub(crate) fn new(mut random: Random, trace: Trace) -> Self {
        let random_ref = &mut random;
        let calm = random_ref.one_in(2);
        let piece = random_ref.pick(&[1, 2, 9, 30, 1 << 10, 1 << 16, 1 << 20]);
        let links = [Link::new(random_ref, calm), Link::new(random_ref, calm)];
        let configs = configs(random_ref, calm);
        let narrow = links.iter().map(Link::capacity).min().unwrap_or(1).min(piece);
        // Bytes arrive singly, so keep messages short.
        let mut most = if narrow < 30 { 1 << 10 } else { 80 << 10 };
        for config in &configs {
            let window = config.initial_window_size as usize;
            most = most.min(if window == 0 { usize::MAX } else { window.saturating_mul(30) });
            most = most.min(config.send_buffer.saturating_mul(100));
        }
        let [client, server] = configs;
        let relay = random_ref.one_in(2).then(Relay::new);
        let streams_left = 1 + random_ref.below(40);
        let restless = random_ref.one_in(2);
        trace.log(|| format!("client: {client:?}\nserver: {server:?}\npieces of {piece}, calm {calm}"));
        Self {
            ends: [End::new(Role::Client, client), End::new(Role::Server, server)],
            links,
            relay,
            piece,
            most: most.max(1),
            streams_left,
            calm,
            restless,
            lost: false,
            gone: [false; 2],
            awaits_end: false,
            cx: Context { now: Time::from_nanos(1), random, trace },
        }
    }

    /// Runs the world at random for a while.
    pub(crate) fn run_random(&mut self) {
        let steps = 50 + self.cx.random.below(1_500);
        for _ in 0..steps {
            if self.cx.random.is_exhausted() {
                break;
            }
            self.step();
        }
    }

    fn step(&mut self) {
        let side = self.cx.random.below(2);
        match self.cx.random.below(100) {
            0..20 => self.transmit(side),
            20..40 => _ = self.transfer(side),
            40..55 => _ = self.event(side),
            55..92 => self.act(side),
            92..97 => self.pass_time(),
            97 => self.call_timeout_early(side),
            _ if !self.calm => self.impair(side),
            _ => {}
        }
    }

    /// Finishes all remaining work, until nothing moves and nothing is expected.
    pub(crate) fn run_until_quiescent(&mut self) {
        self.cx.trace.log(|| "both sides finish their work".to_owned());
        let until = self.cx.now + PATIENCE;
        self.links.iter_mut().for_each(Link::report_end);
        for passes in 0.. {
            assert!(passes < 100_000, "the world does not come to rest: {:#?}", self.left());
            let mut moved = false;
            for side in [CLIENT, SERVER] {
                moved |= self.finish_work(side);
            }
            if moved {
                continue;
            }
            let arrival = self.next_arrival();
            let waits = self.is_busy() || self.awaits_end;
            let awaited = arrival.or_else(|| self.next_deadline().filter(|_| waits));
            let Some(at) = awaited else { break };
            assert!(at <= until, "the world does not come to rest: {:#?}", self.left());
            self.advance(at);
        }
    }

    /// The streams of each end that have not ended.
    fn left(&self) -> [Vec<(&StreamId, &Stream)>; 2] {
        self.ends.each_ref().map(|end| end.streams.iter().filter(|(_, stream)| !stream.released).collect())
    }

    fn is_busy(&self) -> bool {
        self.left().iter().any(|left| !left.is_empty())
    }

    fn pair(&mut self, side: usize) -> (&mut Context, &mut End, &End) {
        let [client, server] = &mut self.ends;
        if side == CLIENT { (&mut self.cx, client, server) } else { (&mut self.cx, server, client) }
    }

    /// Asks the engine for output, if the transport has taken the earlier output.
    fn transmit(&mut self, side: usize) {
        if self.gone[side] || (!self.ends[side].outbox.is_empty() && !self.cx.random.one_in(8)) {
            return;
        }
        let max = 1 + self.cx.random.size(1 << 17);
        let (cx, end, peer) = self.pair(side);
        for (id, code) in end.transmit(cx, max) {
            end.explain_reset(peer, id, code);
        }
    }

    /// Moves bytes from one end to the other; returns whether any moved.
    fn transfer(&mut self, from: usize) -> bool {
        let link = &mut self.links[from];
        let mut octets = self.ends[from].take_output(link.room());
        let mut moved = !octets.is_empty();
        if let Some(relay) = &mut self.relay {
            octets = relay.forward(from, &octets, &mut self.cx.random).into();
        }
        link.push(self.cx.now, &mut self.cx.random, octets);
        if self.ends[from].engine.is_closed() && self.ends[from].outbox.is_empty() {
            link.finish();
        }
        let to = 1 - from;
        if self.gone[to] {
            link.cut(0, EndOfStream::Silent);
            return moved;
        }
        let pieces = 1 + self.cx.random.size(200);
        for _ in 0..pieces {
            let end = &mut self.ends[to];
            if end.inbox.is_empty() {
                let most = 1 + self.cx.random.below(self.piece);
                end.inbox = self.links[from].take(self.cx.now, most).into();
            }
            let offered = end.inbox.len();
            if offered == 0 {
                break;
            }
            end.recv(&mut self.cx);
            if end.inbox.len() == offered {
                break;
            }
            moved = true;
        }
        let end = &mut self.ends[to];
        if end.inbox.is_empty() && self.links[from].is_at_end() && !end.input_ended {
            end.recv_end(&mut self.cx);
            moved = true;
        }
        moved
    }

    fn event(&mut self, side: usize) -> bool {
        let most = self.most;
        let gone = self.gone[side];
        let (cx, end, peer) = self.pair(side);
        !gone && end.event(cx, peer, most)
    }

    /// Makes a caller act.
    fn act(&mut self, side: usize) {
        if self.gone[side] {
            return;
        }
        let app_owned = self.ends[side].app_owned();
        let stream = if app_owned.is_empty() { None } else { Some(self.cx.random.pick(&app_owned)) };
        let (most, restless) = (self.most, self.restless);
        match (self.cx.random.below(100), stream) {
            (0..20, _) if side == CLIENT && self.streams_left > 0 => {
                let burst = self.cx.random.one_in(4);
                let many = if burst { 1 + self.cx.random.below(self.streams_left) } else { 1 };
                for _ in 0..many {
                    if self.ends[side].acts.may_open || self.cx.random.one_in(10) {
                        self.streams_left -= 1;
                        self.ends[side].open(&mut self.cx, most);
                    }
                }
            }
            (0..50, Some(id)) => {
                let (cx, end, _) = self.pair(side);
                end.send(cx, id);
            }
            (50..75, Some(id)) => {
                let (cx, end, peer) = self.pair(side);
                end.read(cx, id, peer);
            }
            (75..79, Some(id)) => self.ends[side].return_credit(id),
            (79..82, Some(id)) => self.ends[side].misuse(&mut self.cx, id),
            (82, Some(id)) if restless => self.ends[side].reset(&mut self.cx, id),
            (83, Some(id)) if restless => self.ends[side].release(&mut self.cx, id),
            (84..89, Some(id)) if side == SERVER => self.ends[side].push(&mut self.cx, id, most),
            (89, Some(id)) => self.ends[side].prioritize(&mut self.cx, id),
            (90..92, Some(id)) if restless => {
                let window = if self.cx.random.one_in(2) { StreamId::CONNECTION } else { id };
                self.ends[side].raise(&mut self.cx, window);
            }
            (92..95, _) if restless => self.ends[side].change_settings(&mut self.cx),
            (95..98, _) => self.ends[side].ping(&mut self.cx),
            (98, _) if restless && self.cx.random.one_in(12) => self.end_connection(side),
            _ => {}
        }
    }

    /// Makes a caller end the connection in one of several ways.
    fn end_connection(&mut self, side: usize) {
        let role = self.ends[side].role;
        match self.cx.random.below(4) {
            0 if !self.calm => {
                self.cx.trace.log(|| format!("the program of the {role:?} crashes"));
                self.lost = true;
                self.gone[side] = true;
                let left = self.cx.random.size(1 << 16);
                self.links[side].cut(left, EndOfStream::Reported);
            }
            1 if !self.calm => self.abort(side),
            _ => self.shut_down(side),
        }
    }

    fn shut_down(&mut self, side: usize) {
        let role = self.ends[side].role;
        self.cx.trace.log(|| format!("{role:?} shuts down"));
        self.ends[side].shut_down(self.cx.now);
    }

    fn abort(&mut self, side: usize) {
        let code = ErrorCode(self.cx.random.pick(&[0, 1, 2, 11]));
        let end = &mut self.ends[side];
        let role = end.role;
        self.cx.trace.log(|| format!("{role:?} aborts with {code}"));
        if end.is_alive() {
            end.acts.aborted = Some(code);
        }
        end.perform(Call::Other, |engine| engine.abort(code, b"enough"));
    }

    /// Disturbs a link.
    fn impair(&mut self, side: usize) {
        let random = &mut self.cx.random;
        let kind = random.below(8);
        let (octets, other) = (random.size(1 << 15), random.size(1 << 15));
        self.cx.trace.log(|| format!("disturbance {kind} of link {side}, {octets} bytes"));
        match kind {
            0..4 => {
                let micros = u64::try_from(octets * 1_000).expect("a time");
                self.links[side].stall(self.cx.now + Duration::from_micros(micros));
                return;
            }
            _ if !self.cx.random.one_in(25) => return,
            4 => self.links[side].lose_after(octets),
            5 => self.links[side].cut(octets, EndOfStream::Reported),
            6 => {
                self.links[side].cut(octets, EndOfStream::Reported);
                self.links[1 - side].cut(other, EndOfStream::Reported);
            }
            _ => {
                self.links[side].cut(octets, EndOfStream::Silent);
                self.links[1 - side].cut(other, EndOfStream::Silent);
            }
        }
        self.lost = true;
    }

    fn pass_time(&mut self) {
        let soon = self.cx.now + Duration::from_micros(self.cx.random.size_u32(1_000).into());
        let arrival = self.next_arrival();
        // Rarely, so that the world does not skip minutes just because a deadline is that far away.
        let deadline = self.next_deadline().filter(|_| self.cx.random.one_in(50));
        match arrival.into_iter().chain(deadline).max() {
            Some(at) if !self.cx.random.one_in(4) => self.advance(at),
            _ => self.advance(soon),
        }
    }

    fn next_arrival(&self) -> Option<Time> {
        let arrivals = [(CLIENT, SERVER), (SERVER, CLIENT)].into_iter().filter(|&(_, to)| !self.gone[to]);
        arrivals.filter_map(|(from, _)| self.links[from].next_arrival()).filter(|&at| at > self.cx.now).min()
    }

    fn next_deadline(&self) -> Option<Time> {
        let alive = self.ends.iter().zip(self.gone).filter(|(_, gone)| !gone);
        alive.filter_map(|(end, _)| end.engine.poll_timeout()).min()
    }

    /// Advances the time, stopping at each deadline.
    fn advance(&mut self, to: Time) {
        for rounds in 0.. {
            assert!(rounds < 10_000, "deadline follows upon deadline");
            let Some(at) = self.next_deadline().filter(|&at| at <= to) else { break };
            self.cx.now = self.cx.now.max(at);
            for side in [CLIENT, SERVER] {
                let due = self.ends[side].engine.poll_timeout().is_some_and(|at| at <= self.cx.now);
                if due && !self.gone[side] {
                    self.ends[side].timeout(&mut self.cx);
                }
            }
        }
        self.cx.now = self.cx.now.max(to);
    }

    /// Makes an end call its timeout handler before any deadline has expired.
    fn call_timeout_early(&mut self, side: usize) {
        if !self.gone[side] {
            self.ends[side].timeout(&mut self.cx);
            assert_eq!(self.ends[side].engine.recv(self.cx.now, &mut Bytes::new()), 0);
        }
    }

    /// Performs all pending work of one end; returns whether there was any.
    fn finish_work(&mut self, side: usize) -> bool {
        let mut moved = false;
        if !self.gone[side] {
            moved |= self.unblock_peer(side);
            while self.event(side) {
                moved = true;
            }
            for id in self.ends[side].app_owned() {
                let (cx, end, peer) = self.pair(side);
                moved |= end.send(cx, id);
                if end.streams[&id].readable {
                    moved |= end.read(cx, id, peer);
                }
                end.return_credit_promptly(id);
                if end.streams[&id].is_done() {
                    end.release(cx, id);
                    moved = true;
                }
            }
            let before = self.ends[side].outbox.len();
            self.transmit(side);
            moved |= self.ends[side].outbox.len() > before;
        }
        moved | self.transfer(side)
    }

    /// Raises windows and limits that block the peer, which must not stay so for good.
    fn unblock_peer(&mut self, side: usize) -> bool {
        let most = self.most;
        let (cx, end, _) = self.pair(side);
        if !end.is_alive() {
            return false;
        }
        let mut changed = false;
        let mut by_hand = end.config.manual_window_update;
        if (end.acts.initial_window as usize).saturating_mul(30) < most {
            let raised = end.change_setting(cx, SettingId::INITIAL_WINDOW_SIZE, 20_000);
            changed |= raised;
            by_hand |= !raised;
        }
        if end.role == Role::Server && end.acts.limit_of_streams == 0 {
            changed |= end.change_setting(cx, SettingId::MAX_CONCURRENT_STREAMS, 3);
        }
        if by_hand {
            changed |= end.raise_low_limits();
        }
        changed
    }

    /// Credit that the other end has given, and that has not reached this end.
    pub(crate) fn withheld(&self, side: usize) -> i64 {
        self.relay.as_ref().map_or(0, |relay| relay.withheld(side))
    }

    /// Ends the connection: by one of the ends, or by the transport.
    pub(crate) fn finish(&mut self) {
        let side = self.cx.random.below(2);
        let way = self.cx.random.below(6);
        self.lost |= matches!(way, 1 | 2);
        match way {
            0 => self.abort(side),
            // Waits until the idle timeout expires.
            3 if !self.calm && self.ends[side].config.idle_timeout.is_some() => self.awaits_end = true,
            1 => self.links[side].cut(usize::MAX, EndOfStream::Reported),
            2 => self.links.iter_mut().for_each(|link| link.cut(0, EndOfStream::Reported)),
            _ => self.shut_down(side),
        }
    }
}
