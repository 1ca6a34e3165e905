//! An application with a personality, and its engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use http2_engine::{
    Config, Connection, ErrorCode, Event, FieldSection, Initiator, OpenError, Read, Role, StreamError,
    StreamId, Time,
};

use super::personality::{Credit, Ending, Personality, Reading};

/// The most bytes of output in flight.
const ROOM: usize = 256 << 10;

/// An application and its engine.
pub(crate) struct Caller {
    pub(crate) role: Role,
    pub(crate) personality: Personality,
    pub(crate) engine: Connection,
    streams: BTreeMap<StreamId, Stream>,
    /// The tasks of the application, by time.
    schedule: BTreeSet<(Time, Task)>,
    /// Client: the number of streams still to be opened.
    to_open: usize,
    /// Output of the other end in flight to this one, with times of arrival.
    pub(crate) in_flight: VecDeque<(Time, Bytes)>,
    /// The highest abuse score so far.
    pub(crate) highest_score: u64,
    pub(crate) ended_streams: usize,
    pub(crate) messages_sent: usize,
    /// The first accusation by an engine against an honest peer.
    pub(crate) blame: Option<String>,
}

/// A stream that the application has not released.
#[derive(Debug, Default)]
struct Stream {
    messages_left: usize,
    /// The rest of a message, not yet accepted by the engine.
    message_left: usize,
    begun: bool,
    ended: bool,
    got_end: bool,
    paused: bool,
    owed: u32,
}

/// A task of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Open,
    Read(StreamId),
    Write(StreamId),
    GiveBack(StreamId),
}

impl Caller {
    pub(crate) fn new(role: Role, personality: Personality, config: Config) -> Self {
        let engine =
            if role == Role::Client { Connection::client(config) } else { Connection::server(config) };
        let client = role == Role::Client;
        let mut caller = Self {
            role,
            engine: engine.expect("a valid configuration"),
            streams: BTreeMap::new(),
            schedule: BTreeSet::new(),
            to_open: if client { personality.streams } else { 0 },
            personality,
            in_flight: VecDeque::new(),
            highest_score: 0,
            ended_streams: 0,
            messages_sent: 0,
            blame: None,
        };
        caller.schedule.extend(client.then_some((Time::default(), Task::Open)));
        caller
    }

    /// Whether no task is left.
    pub(crate) fn is_done(&self) -> bool {
        self.to_open == 0 && self.streams.is_empty()
    }

    /// The time of the next task.
    pub(crate) fn next(&self) -> Option<Time> {
        let arrival = self.in_flight.front().map(|&(at, _)| at);
        let task = self.schedule.first().map(|&(at, _)| at);
        [arrival, task, self.engine.poll_timeout()].into_iter().flatten().min()
    }

    /// Performs all tasks that are due; returns whether there were any.
    pub(crate) fn run(&mut self, now: Time) -> bool {
        let mut moved = false;
        while self.in_flight.front().is_some_and(|&(at, _)| at <= now)
            && let Some((at, mut bytes)) = self.in_flight.pop_front()
        {
            moved |= self.engine.recv(now, &mut bytes) > 0;
            self.events(now);
            if !bytes.is_empty() {
                self.in_flight.push_front((at, bytes));
                break;
            }
        }
        while let Some(&(at, task)) = self.schedule.first()
            && at <= now
        {
            self.schedule.pop_first();
            self.act(now, task);
            self.events(now);
            moved = true;
        }
        if self.engine.poll_timeout().is_some_and(|at| at <= now) {
            self.engine.handle_timeout(now);
            self.events(now);
            moved = true;
        }
        moved
    }

    /// Passes output to the other end, where it arrives after `delay`; returns whether there was any.
    pub(crate) fn transmit(&mut self, now: Time, delay: Duration, to: &mut Self) -> bool {
        let in_flight: usize = to.in_flight.iter().map(|(_, bytes)| bytes.len()).sum();
        if in_flight >= ROOM || !self.engine.has_output() {
            return false;
        }
        let mut output = Vec::new();
        let written = self.engine.poll_transmit(now, &mut output, ROOM - in_flight);
        if written > 0 {
            to.in_flight.push_back((now + delay, output.into()));
        }
        self.events(now);
        written > 0
    }

    fn events(&mut self, now: Time) {
        while let Some(event) = self.engine.poll_event() {
            self.event(now, &event);
        }
        self.highest_score = self.highest_score.max(self.engine.stats().abuse_score);
    }

    fn blame(&mut self, words: String) {
        self.blame.get_or_insert(words);
    }

    fn event(&mut self, now: Time, event: &Event) {
        match *event {
            Event::Request { id, end_stream, .. } => self.request(now, id, end_stream),
            Event::Response { id, end_stream, .. } => {
                if let Some(stream) = self.streams.get_mut(&id) {
                    stream.got_end |= end_stream;
                }
                if self.personality.ending == Ending::CancelsLater {
                    self.cancel(now, id);
                } else {
                    self.schedule.insert((now, Task::Read(id)));
                }
            }
            Event::Readable { id } => _ = self.schedule.insert((now, Task::Read(id))),
            Event::Writable { id } => _ = self.schedule.insert((now, Task::Write(id))),
            Event::StreamsAvailable => _ = self.schedule.insert((now, Task::Open)),
            Event::Reset { id, error } => {
                self.check_reset(error);
                self.release_stream(now, id);
            }
            Event::Abuse { cause } => self.blame(format!("a warning: {cause}")),
            Event::Closed if !matches!(self.engine.close_reason(), Some(Ok(()))) => {
                let reason = self.engine.close_reason().map(|reason| format!("{reason:?}"));
                self.blame(format!("the connection ends: {reason:?}"));
            }
            _ => {}
        }
    }

    /// Checks a reset: a stream may end only because the peer's application wants it to.
    fn check_reset(&mut self, error: StreamError) {
        let wanted =
            matches!(error.code, ErrorCode::CANCEL | ErrorCode::NO_ERROR | ErrorCode::REFUSED_STREAM);
        if error.initiator != Initiator::Peer || !wanted {
            self.blame(format!("a stream ends: {error}"));
        }
    }

    fn request(&mut self, now: Time, id: StreamId, end_stream: bool) {
        let stream =
            Stream { messages_left: self.personality.messages, got_end: end_stream, ..Stream::default() };
        self.streams.insert(id, stream);
        match self.personality.ending {
            Ending::Cancels => self.cancel(now, id),
            Ending::RefusesUploads if !end_stream => {
                _ = self.engine.send_response(id, &status("401"), true);
                self.release_stream(now, id);
            }
            Ending::AnswersEarly => self.start_response(now, id),
            _ if end_stream => self.start_response(now, id),
            _ => _ = self.schedule.insert((now, Task::Read(id))),
        }
    }

    /// Server: begins the response.
    fn start_response(&mut self, now: Time, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.begun) else { return };
        stream.begun = true;
        if self.engine.send_response(id, &status("200"), false).is_ok() {
            self.schedule.insert((now, Task::Write(id)));
        }
    }

    fn act(&mut self, now: Time, task: Task) {
        match task {
            Task::Open => self.open(now),
            Task::Read(id) => self.read(now, id),
            Task::Write(id) => self.write(now, id),
            Task::GiveBack(id) => self.return_credit(id),
        }
    }

    fn open(&mut self, now: Time) {
        while self.to_open > 0 && self.streams.len() < self.personality.at_once {
            let upload = self.to_open.is_multiple_of(2) && self.personality.messages > 0;
            match self.engine.open(&request(if upload { "POST" } else { "GET" }), !upload) {
                Ok(id) => {
                    self.to_open -= 1;
                    let messages_left = if upload { self.personality.messages } else { 0 };
                    self.streams.insert(
                        id,
                        Stream { messages_left, begun: true, ended: !upload, ..Stream::default() },
                    );
                    if upload {
                        self.schedule.insert((now, Task::Write(id)));
                    }
                    if self.personality.pings {
                        _ = self.engine.ping(*b"openping");
                    }
                    if self.personality.ending == Ending::Cancels {
                        // The request must reach the wire before it is cancelled.
                        self.schedule.insert((now + Duration::from_millis(1), Task::GiveBack(id)));
                    }
                }
                Err(OpenError::WouldBlock) => return,
                Err(error) => {
                    self.blame(format!("the engine opens no stream: {error}"));
                    self.to_open = 0;
                }
            }
        }
    }

    fn write(&mut self, now: Time, id: StreamId) {
        let (message, pause) = (self.personality.message, self.personality.pause);
        let pings = self.personality.pings;
        loop {
            let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.begun && !stream.ended)
            else {
                return;
            };
            if stream.message_left == 0 && stream.messages_left > 0 {
                (stream.messages_left, stream.message_left) = (stream.messages_left - 1, message);
            }
            let last = stream.messages_left == 0;
            let mut data = Bytes::from(vec![b'x'; stream.message_left]);
            if self.engine.send_data(id, &mut data, last).is_err() {
                return;
            }
            stream.message_left = data.len();
            if !data.is_empty() {
                return;
            }
            stream.ended = last;
            self.messages_sent += 1;
            if pings {
                _ = self.engine.ping(*b"sendping");
            }
            if last {
                return self.finish(now, id);
            }
            if !pause.is_zero() {
                self.schedule.insert((now + pause, Task::Write(id)));
                return;
            }
            if self.engine.send_capacity(id) == 0 {
                return;
            }
        }
    }

    fn read(&mut self, now: Time, id: StreamId) {
        loop {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            if stream.got_end {
                return self.finish(now, id);
            }
            let most = if let Reading::Slowly(most) = self.personality.reading { most } else { usize::MAX };
            match self.engine.read(id, most) {
                Ok(Read::Data(data)) => {
                    stream.owed += u32::try_from(data.len()).expect("fewer bytes");
                    if self.personality.ending == Ending::CancelsLater {
                        return self.cancel(now, id);
                    }
                    self.consumed(now, id);
                    let Some(stream) = self.streams.get_mut(&id) else { return };
                    match self.personality.reading {
                        Reading::AtOnce => {}
                        Reading::Slowly(_) => {
                            self.schedule.insert((now + Duration::from_millis(1), Task::Read(id)));
                            return;
                        }
                        Reading::Pauses if !stream.paused => {
                            stream.paused = true;
                            self.schedule.insert((now + Duration::from_secs(50), Task::Read(id)));
                            return;
                        }
                        Reading::Pauses => {}
                    }
                }
                Ok(Read::Trailers(_)) => {}
                Ok(Read::End) => {
                    stream.got_end = true;
                    self.schedule_response(now, id);
                    return self.finish(now, id);
                }
                Ok(Read::Blocked) => return,
                Err(_) => return self.release_stream(now, id),
            }
        }
    }

    fn schedule_response(&mut self, now: Time, id: StreamId) {
        if self.role == Role::Server {
            self.start_response(now, id);
        }
    }

    /// Schedules credit for bytes read, according to the personality.
    fn consumed(&mut self, now: Time, id: StreamId) {
        match self.personality.credit {
            Credit::Engine => {}
            Credit::EveryRead => self.return_credit(id),
            Credit::Late => _ = self.schedule.insert((now + Duration::from_secs(40), Task::GiveBack(id))),
            Credit::EveryByte => {
                let owed = self.streams.get_mut(&id).map_or(0, |stream| std::mem::take(&mut stream.owed));
                for _ in 0..owed {
                    _ = self.engine.window_update(id, 1);
                    _ = self.engine.connection_window_update(1);
                }
            }
        }
    }

    fn return_credit(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let owed = std::mem::take(&mut stream.owed);
        if owed > 0 && self.personality.credit != Credit::Engine {
            _ = self.engine.window_update(id, owed);
            _ = self.engine.connection_window_update(owed);
        }
        if self.personality.ending == Ending::Cancels && self.role == Role::Client {
            self.engine.reset(id, ErrorCode::CANCEL);
            self.release_stream(Time::default(), id);
        }
    }

    fn cancel(&mut self, now: Time, id: StreamId) {
        self.engine.reset(id, ErrorCode::CANCEL);
        self.release_stream(now, id);
    }

    /// Releases a stream if both messages are complete, or as complete as the application wants them.
    fn finish(&mut self, now: Time, id: StreamId) {
        let early = self.personality.ending == Ending::AnswersEarly;
        if self.streams.get(&id).is_some_and(|stream| stream.ended && (stream.got_end || early)) {
            self.release_stream(now, id);
        }
    }

    /// Releases a stream; the connection window gets credit for the bytes read from it.
    fn release_stream(&mut self, now: Time, id: StreamId) {
        let Some(stream) = self.streams.remove(&id) else { return };
        if stream.owed > 0 && self.personality.credit != Credit::Engine {
            _ = self.engine.connection_window_update(stream.owed);
        }
        self.engine.release(id);
        self.ended_streams += 1;
        if self.to_open > 0 {
            self.schedule.insert((now, Task::Open));
        }
    }
}

fn request(method: &str) -> FieldSection {
    let mut head = FieldSection::new();
    for (name, value) in
        [(":method", method), (":scheme", "http"), (":authority", "example.com"), (":path", "/")]
    {
        head.push(name.as_bytes(), value.as_bytes());
    }
    head
}

fn status(status: &str) -> FieldSection {
    let mut head = FieldSection::new();
    head.push(b":status", status.as_bytes());
    head
}
