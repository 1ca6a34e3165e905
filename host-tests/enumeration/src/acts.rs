//! The actions of an application: which ones are possible now, and how they are performed.

use bytes::Bytes;
use http2_engine::{FieldSection, OpenError, Priority, SendError, SettingId, State};

use crate::action::Action;
use crate::endpoint::{CODE, Endpoint, Fault, content_byte};
use crate::stream::Stream;

impl Endpoint<'_> {
    /// The actions that a well-behaved application can take now: the index of each in the scenario, and of
    /// its stream.
    pub(crate) fn possible(&self) -> Vec<(u8, u8)> {
        let mut possible = Vec::new();
        if self.has_ended() {
            return possible;
        }
        for (entry, &(action, most)) in self.scenario.actions[self.side].iter().enumerate() {
            let entry = u8::try_from(entry).expect("few actions");
            if self.taken[usize::from(entry)] >= most && most < u8::MAX {
                continue;
            }
            if !action.is_of_stream() {
                possible.extend(self.is_applicable(action).then_some((entry, 0)));
                continue;
            }
            // If many streams are open, the first ones stand for all of them.
            for (at, stream) in self.streams.iter().enumerate().take(4) {
                if !stream.released && self.is_applicable_to(action, stream) {
                    possible.push((entry, u8::try_from(at).expect("few streams")));
                }
            }
        }
        possible
    }

    fn is_applicable(&self, action: Action) -> bool {
        match action {
            Action::Get(_) | Action::Post | Action::Connect => {
                self.engine.is_open() && !self.waits_for_streams
            }
            Action::Ping => self.pings < self.scenario.configs[self.side].limits.pings,
            Action::Shutdown => !self.shut_down,
            Action::Transmit => self.engine.has_output() || self.engine.is_closed(),
            Action::ResetAll => self.streams.iter().any(|stream| self.is_live(stream)),
            Action::ReleaseAll => self.streams.iter().any(|stream| !stream.released),
            Action::AnswerAll => self.streams.iter().any(|stream| !stream.begun && self.is_live(stream)),
            _ => true,
        }
    }

    fn is_live(&self, stream: &Stream) -> bool {
        !stream.has_ended() && self.engine.state(stream.id).is_some_and(|state| state != State::Closed)
    }

    fn is_applicable_to(&self, action: Action, stream: &Stream) -> bool {
        let sends = stream.is_sending();
        match action {
            Action::Respond | Action::Answer | Action::Inform => !stream.begun && !stream.has_ended(),
            Action::Send(_) => sends && !stream.waits_for_room,
            Action::LookForRoom => {
                sends && !stream.waits_for_room && self.engine.send_capacity(stream.id) == 0
            }
            // The application must offer rejected content again before the end.
            Action::End | Action::Trailers => sends && !stream.waits_for_room,
            Action::Read => !stream.is_read() && !stream.waits_for_more,
            Action::Reset | Action::Prioritize | Action::Raise(_) => self.is_live(stream),
            Action::Release => true,
            Action::Push(_) => {
                !stream.promised && !stream.ended && self.is_live(stream) && self.engine.is_open()
            }
            _ => false,
        }
    }

    /// Performs an action.
    pub(crate) fn act(&mut self, action: Action, at: usize) -> Result<(), Fault> {
        match action {
            Action::Get(many) => (0..many).try_for_each(|_| self.open("GET", true)),
            Action::Post => self.open("POST", false),
            Action::Connect => self.open("CONNECT", false),
            Action::Respond => self.respond(at, false),
            Action::Answer => self.respond(at, true),
            Action::AnswerAll => self.on_all(|end, at| {
                let stream = &end.streams[at];
                if stream.begun || !end.is_live(stream) { Ok(()) } else { end.respond(at, true) }
            }),
            Action::Inform => {
                let result = self.engine.send_informational(self.streams[at].id, &status("103"));
                self.accepted(at, result)
            }
            Action::Send(bytes) => self.send(at, bytes),
            Action::LookForRoom => {
                self.streams[at].waits_for_room = true;
                Ok(())
            }
            Action::End => {
                let result = self.engine.send_data(self.streams[at].id, &mut Bytes::new(), true);
                self.streams[at].ended = true;
                self.accepted(at, result.map(|_| ()))
            }
            Action::Trailers => self.send_trailers(at),
            Action::Read => self.read(at),
            Action::Reset => {
                self.reset(at);
                Ok(())
            }
            Action::ResetAll => self.on_all(|end, at| {
                if end.is_live(&end.streams[at]) {
                    end.reset(at);
                }
                Ok(())
            }),
            Action::Release => {
                self.release(at);
                Ok(())
            }
            Action::ReleaseAll => self.on_all(|end, at| {
                if !end.streams[at].released {
                    end.release(at);
                }
                Ok(())
            }),
            Action::Push(many) => (0..many).try_for_each(|_| self.push(at)),
            Action::Prioritize => {
                let result = self.engine.set_priority(self.streams[at].id, Priority::default());
                self.accepted(at, result)
            }
            Action::Raise(bytes) => no_error(self.engine.window_update(self.streams[at].id, bytes)),
            Action::RaiseConnection(bytes) => no_error(self.engine.connection_window_update(bytes)),
            Action::Ping => {
                self.pings += 1;
                no_error(self.engine.ping(*b"pingping"))
            }
            Action::LimitStreams(limit) => self.change(SettingId::MAX_CONCURRENT_STREAMS, limit),
            Action::LimitWindow(limit) => {
                self.gives_credit = limit > 0;
                self.change(SettingId::INITIAL_WINDOW_SIZE, limit)
            }
            Action::LimitTable(limit) => self.change(SettingId::HEADER_TABLE_SIZE, limit),
            Action::EnablePush(wanted) => self.change(SettingId::ENABLE_PUSH, u32::from(wanted)),
            Action::Shutdown => {
                self.shut_down = true;
                self.engine.shutdown(self.now);
                Ok(())
            }
            Action::Transmit => self.transmit().map(|_| ()),
        }
    }

    fn on_all(&mut self, mut act: impl FnMut(&mut Self, usize) -> Result<(), Fault>) -> Result<(), Fault> {
        (0..self.streams.len()).try_for_each(|at| act(self, at))
    }

    fn open(&mut self, method: &str, end: bool) -> Result<(), Fault> {
        let mut head = FieldSection::new();
        head.push(b":method", method.as_bytes());
        if method == "CONNECT" {
            head.push(b":authority", b"a:1");
        } else {
            push_target(&mut head);
        }
        match self.engine.open(&head, end) {
            Ok(id) => {
                let mut stream = Stream::new(id);
                (stream.begun, stream.ended, stream.connect) = (true, end, method == "CONNECT");
                self.streams.push(stream);
                Ok(())
            }
            Err(OpenError::WouldBlock) => {
                self.waits_for_streams = true;
                Ok(())
            }
            Err(OpenError::Closed) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn respond(&mut self, at: usize, end: bool) -> Result<(), Fault> {
        let result = self.engine.send_response(self.streams[at].id, &status("200"), end);
        let stream = &mut self.streams[at];
        (stream.begun, stream.ended) = (true, end);
        self.accepted(at, result)
    }

    fn push(&mut self, at: usize) -> Result<(), Fault> {
        let mut head = FieldSection::new();
        head.push(b":method", b"GET");
        push_target(&mut head);
        match self.engine.push_request(self.streams[at].id, &head) {
            Ok(id) => {
                let mut stream = Stream::new(id);
                // A promised request has nothing to be read.
                (stream.promised, stream.bare, stream.got_end) = (true, true, true);
                self.streams.push(stream);
                Ok(())
            }
            Err(OpenError::PushDisabled | OpenError::WouldBlock | OpenError::Closed) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn send(&mut self, at: usize, bytes: u32) -> Result<(), Fault> {
        let stream = &mut self.streams[at];
        let id = stream.id;
        let mut data: Bytes = (stream.content..).take(bytes as usize).map(content_byte).collect();
        let result = self.engine.send_data(id, &mut data, false);
        let full = self.engine.send_capacity(id) == 0;
        if let Ok(taken) = result {
            stream.content += taken as u64;
            stream.waits_for_room = full || !data.is_empty();
        }
        self.accepted(at, result.map(|_| ()))
    }

    fn send_trailers(&mut self, at: usize) -> Result<(), Fault> {
        let mut trailers = FieldSection::new();
        trailers.push(b"etag", b"x");
        let stream = &mut self.streams[at];
        let result = self.engine.send_trailers(stream.id, &trailers);
        if stream.connect {
            return match result {
                Ok(()) => Err("trailers are accepted on CONNECT (RFC 9113, 8.5)".to_owned()),
                Err(_) => Ok(()),
            };
        }
        stream.ended = true;
        self.accepted(at, result)
    }

    fn reset(&mut self, at: usize) {
        let stream = &mut self.streams[at];
        stream.reset = true;
        (stream.waits_for_more, stream.waits_for_room) = (false, false);
        self.engine.reset(stream.id, CODE);
    }

    fn change(&mut self, setting: SettingId, value: u32) -> Result<(), Fault> {
        no_error(self.engine.change_settings(&[(setting, value)]))
    }

    /// Checks that the engine accepted an operation, unless the stream was reset.
    fn accepted(&self, at: usize, result: Result<(), SendError>) -> Result<(), Fault> {
        match result {
            Ok(()) => Ok(()),
            Err(error) => Err(format!("stream {}: {error}", self.streams[at].id)),
        }
    }
}

fn no_error<E: std::fmt::Display>(result: Result<(), E>) -> Result<(), Fault> {
    result.map_err(|error| error.to_string())
}

fn push_target(head: &mut FieldSection) {
    for (name, value) in [(":scheme", "http"), (":authority", "a"), (":path", "/")] {
        head.push(name.as_bytes(), value.as_bytes());
    }
}

fn status(status: &str) -> FieldSection {
    let mut head = FieldSection::new();
    head.push(b":status", status.as_bytes());
    head
}
