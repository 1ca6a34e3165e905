//! The caller of an engine, which makes any possible call at random, and checks every result against its own
//! knowledge.

use bytes::Bytes;
use http2_engine::{
    Connection, ErrorCode, FieldSection, OpenError, Priority, Read, Role, SendError, SettingId, State,
    StreamId, WindowError,
};

use crate::context::Context;
use crate::credit::Call;
use crate::end::End;
use crate::message::{Message, content, is_delivered};
use crate::stream::Stream;
use crate::wire_model::MAX_WINDOW;

/// The bytes common to all PINGs; the last byte is a number.
const PING: [u8; 7] = *b"simulat";

impl End {
    /// Client: opens a stream with a request of at most `most` bytes of content.
    pub(crate) fn open(&mut self, cx: &mut Context, most: usize) {
        let message = Message::request(&mut cx.random, most);
        let end = message.is_head_only() && cx.random.one_in(2);
        let room = self.engine.open_capacity();
        let result = self.perform(Call::Other, |engine| engine.open(&message.head, end));
        cx.trace.log(|| format!("{:?} opens {:?}, end {end}: {result:?}", self.role, message.head));
        match result {
            Ok(id) => {
                assert!(room > 0 && !self.streams.contains_key(&id));
                let mut stream = Stream::sending(Some(message));
                (stream.sent.head, stream.sent.end) = (true, end);
                self.streams.insert(id, stream);
            }
            Err(OpenError::WouldBlock) => {
                assert_eq!(room, 0);
                self.acts.may_open = false;
            }
            Err(error) => assert!(error == OpenError::Closed && !self.engine.is_open(), "{error}"),
        }
    }

    /// Server: promises to answer a request associated with a stream.
    pub(crate) fn push(&mut self, cx: &mut Context, parent: StreamId, most: usize) {
        let asked = self.streams[&parent].head.as_ref();
        if asked.is_some_and(|head| head.method() == Some(b"CONNECT")) {
            // The parent request was for another authority.
            return;
        }
        let request = Message::promised(&mut cx.random);
        let wanted = self.engine.peer_settings().enable_push;
        let result = self.perform(Call::Other, |engine| engine.push_request(parent, &request));
        cx.trace.log(|| format!("{:?} promises {request:?} with stream {parent}: {result:?}", self.role));
        match result {
            Ok(id) => {
                let response = Message::response(&mut cx.random, &request, most);
                let mut stream = Stream::sending(Some(response));
                stream.promised = true;
                stream.got.end = true;
                stream.head = Some(request);
                self.streams.insert(id, stream);
            }
            Err(OpenError::PushDisabled) => assert!(!wanted),
            Err(OpenError::Parent) => {
                let stream = &self.streams[&parent];
                let over = stream.sent.end || stream.is_aborted() || stream.released || stream.promised;
                assert!(over || self.is_closed(parent), "stream {parent} allows a promise");
            }
            Err(OpenError::WouldBlock | OpenError::Closed) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends the next part of a stream's message; returns whether the stream had anything to send.
    pub(crate) fn send(&mut self, cx: &mut Context, id: StreamId) -> bool {
        let Some(stream) = self.streams.get(&id).filter(|stream| !stream.is_sent() && !stream.released)
        else {
            return false;
        };
        let (Some(message), sent) = (&stream.message, stream.sent) else { return false };
        if !sent.head {
            return self.start_response(cx, id);
        }
        if sent.content < message.content || message.trailers.is_none() {
            return stream.writable && self.send_content(cx, id);
        }
        let trailers = message.trailers.clone().unwrap_or_default();
        let result = self.perform(Call::Other, |engine| engine.send_trailers(id, &trailers));
        cx.trace.log(|| format!("{:?} sends trailers {trailers:?} on {id}: {result:?}", self.role));
        if self.taken(id, result) {
            let stream = self.stream(id);
            (stream.sent.trailers, stream.sent.end) = (!trailers.is_empty(), true);
        }
        true
    }

    /// Server: sends an informational response, or the head of the response.
    fn start_response(&mut self, cx: &mut Context, id: StreamId) -> bool {
        let stream = &self.streams[&id];
        let Some(message) = &stream.message else { return false };
        if let Some(head) = message.informational.get(stream.sent.informational).cloned() {
            let result = self.perform(Call::Other, |engine| engine.send_informational(id, &head));
            cx.trace.log(|| format!("{:?} informs {head:?} on {id}: {result:?}", self.role));
            if self.taken(id, result) {
                self.stream(id).sent.informational += 1;
            }
            return true;
        }
        let (head, end) = (message.head.clone(), message.is_head_only() && cx.random.one_in(2));
        let result = self.perform(Call::Other, |engine| engine.send_response(id, &head, end));
        cx.trace.log(|| format!("{:?} responds {head:?} on {id}, end {end}: {result:?}", self.role));
        if self.taken(id, result) {
            let sent = &mut self.stream(id).sent;
            (sent.head, sent.end) = (true, end);
        }
        true
    }

    fn send_content(&mut self, cx: &mut Context, id: StreamId) -> bool {
        let stream = &self.streams[&id];
        let (from, message) = (stream.sent.content, stream.message.as_ref().expect("it is sending"));
        let to = message.content.min(from + cx.random.size(1 << 15));
        let end = to == message.content && message.trailers.is_none() && (from == to || cx.random.one_in(2));
        let room = self.engine.send_capacity(id);
        let mut data = Bytes::from(content(id.as_u32(), self.role, from..to));
        let result = self.perform(Call::Other, |engine| engine.send_data(id, &mut data, end));
        let taken = to - from - data.len();
        cx.trace.log(|| {
            format!("{:?} sends {taken} of {}, end {end}, on {id}: {result:?}", self.role, to - from)
        });
        assert_eq!(taken, result.unwrap_or(0), "the engine takes what it says");
        assert_eq!(
            taken,
            if result.is_ok() { room.min(to - from) } else { 0 },
            "the engine accepts as much as it has room for"
        );
        if self.taken(id, result.map(|_| ())) {
            let full = self.engine.send_capacity(id) == 0;
            let stream = self.stream(id);
            stream.sent.content += taken;
            stream.sent.end = end && data.is_empty();
            stream.writable = stream.sent.end || (data.is_empty() && !full);
        }
        true
    }

    /// Whether the engine accepted the item for sending; if not, the stream must have been reset.
    fn taken(&mut self, id: StreamId, result: Result<(), SendError>) -> bool {
        let Err(error) = result else { return true };
        assert!(matches!(error, SendError::Reset(_)) && self.is_closed(id), "stream {id}: {error}");
        // The event about it may still be queued.
        self.stream(id).writable = false;
        false
    }

    pub(crate) fn stream(&mut self, id: StreamId) -> &mut Stream {
        self.streams.get_mut(&id).expect("a stream of this caller's")
    }

    /// Reads from a stream; returns whether anything was available.
    pub(crate) fn read(&mut self, cx: &mut Context, id: StreamId, peer: &Self) -> bool {
        let Some(stream) = self.streams.get(&id).filter(|stream| !stream.is_read() && !stream.released)
        else {
            return false;
        };
        let (got, most) = (stream.got, 1 + cx.random.size(1 << 16));
        let result = self.engine.read(id, most);
        cx.trace.log(|| match &result {
            Ok(Read::Data(data)) => format!("{:?} reads {} bytes of {id}", self.role, data.len()),
            other => format!("{:?} reads of {id}: {other:?}", self.role),
        });
        let read = if let Ok(Read::Data(data)) = &result { data.len() } else { 0 };
        self.check_after(Call::Read(id, read));
        let theirs = peer.streams.get(&id);
        let message = theirs.and_then(|stream| stream.message.as_ref());
        let given = theirs.map(|stream| stream.sent).unwrap_or_default();
        let by_hand = self.config.manual_window_update;
        let stream = self.stream(id);
        match result {
            Ok(Read::Data(data)) => {
                assert!(!data.is_empty() && data.len() <= most, "{} bytes", data.len());
                let expected = content(id.as_u32(), peer.role, got.content..got.content + data.len());
                assert!(
                    data == expected,
                    "bytes of stream {id} from {} on differ from those sent",
                    got.content
                );
                stream.got.content += data.len();
                assert!(stream.got.content <= given.content, "more of stream {id} than was sent");
                if by_hand {
                    stream.owed += u32::try_from(data.len()).expect("fewer bytes");
                }
            }
            Ok(Read::Trailers(trailers)) => {
                let sent = message.and_then(|message| message.trailers.as_ref()).expect("trailers were sent");
                assert!(
                    is_delivered(sent, &trailers, &peer.config.never_indexed),
                    "{trailers:?}, not {sent:?}"
                );
                assert!(
                    given.trailers && got.content == given.content && !got.trailers,
                    "trailers of stream {id}"
                );
                stream.got.trailers = true;
            }
            Ok(Read::End) => {
                let answered_by_engine =
                    theirs.is_none() && stream.largest_section() > peer.acts.smallest_list;
                assert!(given.end || answered_by_engine, "the end of stream {id}");
                assert_eq!(
                    (got.content, got.trailers),
                    (given.content, given.trailers),
                    "all of stream {id}"
                );
                stream.got.end = true;
            }
            Ok(Read::Blocked) => {
                stream.readable = false;
                return false;
            }
            Err(error) => {
                stream.broken = true;
                match (stream.was_reset, stream.reset) {
                    (Some(told), _) => assert_eq!(error, told),
                    (None, Some(code)) => assert_eq!(error.code, code),
                    // The event about it is queued.
                    (None, None) => self.explain_end(peer, id, error),
                }
                assert!(self.is_closed(id), "{error}");
            }
        }
        true
    }

    /// Returns credit for content read from a stream if the peer may be waiting for it; a frame per byte
    /// would be abuse.
    pub(crate) fn return_credit_promptly(&mut self, id: StreamId) {
        let stream = &self.streams[&id];
        let window = self.engine.stream_windows(id).map_or(0, |windows| windows.receive);
        if i64::from(stream.owed) > window.min(1_000) {
            self.return_credit(id);
        }
    }

    /// Returns credit for content read from a stream, under manual flow control.
    pub(crate) fn return_credit(&mut self, id: StreamId) {
        let octets = std::mem::take(&mut self.stream(id).owed);
        if octets > 0 {
            let streams = self.perform(Call::Raise(id, octets), |engine| engine.window_update(id, octets));
            let connection = StreamId::CONNECTION;
            let connections = self
                .perform(Call::Raise(connection, octets), |engine| engine.connection_window_update(octets));
            for result in [streams, connections] {
                // The window may already have been raised to its maximum.
                assert!(matches!(result, Ok(()) | Err(WindowError::Overflow)), "{result:?}");
            }
        }
    }

    /// A receive window as the peer will know it when more credit arrives: it will have received the
    /// unacknowledged SETTINGS by then.
    fn receive_window(&self, id: StreamId) -> Option<i64> {
        if id.is_connection() {
            return Some(self.engine.windows().receive);
        }
        let outstanding = i64::from(self.acts.initial_window) - self.model.initial_window;
        self.engine.stream_windows(id).map(|windows| windows.receive + outstanding)
    }

    /// Raises a window by a random number of bytes, even an impossible one.
    pub(crate) fn raise(&mut self, cx: &mut Context, id: StreamId) {
        let octets = cx.random.pick(&[0, 1, 100, 10_000, 65_535, 0x7fff_ffff]);
        let window = self.receive_window(id);
        let result = self.perform(Call::Raise(id, octets), |engine| {
            if id.is_connection() {
                engine.connection_window_update(octets)
            } else {
                engine.window_update(id, octets)
            }
        });
        cx.trace
            .log(|| format!("{:?} raises the window {window:?} of {id} by {octets}: {result:?}", self.role));
        let Some(window) = window else {
            return assert_eq!(result, Err(WindowError::UnknownStream));
        };
        match result {
            Ok(()) => assert!(octets > 0),
            Err(WindowError::Zero) => assert_eq!(octets, 0),
            Err(WindowError::Overflow) => assert!(window + i64::from(octets) > MAX_WINDOW),
            Err(error) => panic!("stream {id} exists: {error}"),
        }
    }

    /// Resets a stream.
    pub(crate) fn reset(&mut self, cx: &mut Context, id: StreamId) {
        let code = ErrorCode(cx.random.pick(&[0x0, 0x1, 0x2, 0x8, 0xb, 0xd, 0x1234]));
        let open = !self.is_closed(id);
        cx.trace.log(|| format!("{:?} resets {id} with {code}", self.role));
        self.perform(Call::Other, |engine| engine.reset(id, code));
        assert!(self.is_closed(id));
        if open {
            let stream = self.stream(id);
            stream.reset = Some(code);
            // Content that arrived earlier can still be read.
            stream.readable = true;
        }
    }

    /// Releases a stream in any state.
    pub(crate) fn release(&mut self, cx: &mut Context, id: StreamId) {
        self.return_credit(id);
        cx.trace.log(|| format!("{:?} releases {id}", self.role));
        let received_all = self.model.streams.get(&id).is_some_and(|stream| stream.received.ended);
        let client = self.role == Role::Client;
        let stream = self.stream(id);
        stream.released = true;
        stream.released_early = !stream.is_done();
        let all_given = stream.message.is_none() || stream.sent.end;
        stream.cancelled = !all_given || (client && !received_all);
        self.perform(Call::Other, |engine| engine.release(id));
        let mut data = Bytes::from_static(b"late");
        let late = self.engine.send_data(id, &mut data, true);
        assert_eq!(late, Err(SendError::UnknownStream));
        assert!(self.engine.read(id, 1).is_err() && self.engine.send_capacity(id) == 0);
    }

    /// Raises windows and limits that would block the peer, under manual flow control.
    pub(crate) fn raise_low_limits(&mut self) -> bool {
        let mut raised = false;
        for id in self.app_owned().into_iter().chain([StreamId::CONNECTION]) {
            let enough = if id.is_connection() { 100_000 } else { 10_000 };
            let low = self.receive_window(id).is_some_and(|window| window < i64::from(enough));
            if low && (id.is_connection() || self.may_arrive(id)) {
                let octets = 2 * enough;
                let result = self.perform(Call::Raise(id, octets), |engine| match id {
                    StreamId::CONNECTION => engine.connection_window_update(octets),
                    _ => engine.window_update(id, octets),
                });
                assert_eq!(result, Ok(()));
                raised = true;
            }
        }
        raised
    }

    /// Whether the peer may still send content on a stream.
    fn may_arrive(&self, id: StreamId) -> bool {
        matches!(self.engine.state(id), Some(State::Open | State::HalfClosedLocal))
    }

    /// Changes a setting.
    pub(crate) fn change_settings(&mut self, cx: &mut Context) {
        let random = &mut cx.random;
        let (setting, value) = match random.below(6) {
            0 | 1 => (SettingId::INITIAL_WINDOW_SIZE, crate::config::window(random)),
            2 => (SettingId::MAX_CONCURRENT_STREAMS, random.pick(&[0, 1, 3, 10, 100])),
            3 => (SettingId::HEADER_TABLE_SIZE, random.size_u32(10_000)),
            4 => (SettingId::MAX_FRAME_SIZE, 16_384 + random.size_u32(1 << 17)),
            _ if self.role == Role::Client => (SettingId::ENABLE_PUSH, random.pick(&[0, 1])),
            _ => (SettingId::MAX_HEADER_LIST_SIZE, random.pick(&[1_000, 60_000])),
        };
        self.change_setting(cx, setting, value);
    }

    /// Sends a PING.
    pub(crate) fn ping(&mut self, cx: &mut Context) {
        let [a, b, c, d, e, f, g] = PING;
        let payload = [a, b, c, d, e, f, g, self.acts.next_ping];
        let waiting = self.acts.pings.len();
        let result = self.perform(Call::Other, |engine| engine.ping(payload));
        cx.trace.log(|| format!("{:?} pings: {result:?}", self.role));
        match result {
            Ok(()) => {
                self.acts.pings.push(payload);
                self.acts.next_ping = self.acts.next_ping.wrapping_add(1);
            }
            Err(SendError::WouldBlock) => assert!(waiting >= self.config.limits.pings),
            Err(error) => assert!(!self.is_alive(), "{error}"),
        }
    }

    /// Requests another priority for a stream.
    pub(crate) fn prioritize(&mut self, cx: &mut Context, id: StreamId) {
        let urgency = u8::try_from(cx.random.below(8)).expect("a small number");
        let priority = Priority::new(urgency, cx.random.one_in(2));
        let result = self.perform(Call::Other, |engine| engine.set_priority(id, priority));
        cx.trace.log(|| format!("{:?} prioritizes {id}: {priority:?}: {result:?}", self.role));
        assert_eq!(result, Ok(()));
        self.acts.prioritized.push((id, priority));
        assert_eq!(self.engine.priority(id), Some(priority));
    }

    /// Makes a call that is invalid now; the engine must reject it without any effect.
    pub(crate) fn misuse(&mut self, cx: &mut Context, id: StreamId) {
        let sent = self.streams[&id].sent;
        let (server, no_content) = (self.role == Role::Server, sent.end || !sent.head);
        let misuse = cx.random.below(6);
        if ![true, no_content, no_content, sent.head || !server, server, !server][misuse] {
            return;
        }
        let seen = |engine: &Connection| {
            (engine.stats(), engine.has_output(), engine.windows(), engine.stream_count())
        };
        let before = seen(&self.engine);
        let head = self.streams[&id].message.as_ref().map(|message| message.head.clone()).unwrap_or_default();
        let mut data = Bytes::from_static(b"misplaced");
        let refused = self.perform(Call::Other, |engine| match misuse {
            0 => engine.send_data(StreamId::MAX, &mut data, true).is_err(),
            1 => engine.send_data(id, &mut data, false).is_err(),
            2 => engine.send_trailers(id, &FieldSection::new()).is_err(),
            3 => engine.send_response(id, &head, false).is_err(),
            4 => engine.open(&head, false).is_err(),
            _ => engine.push_request(id, &head).is_err(),
        });
        assert!(refused, "an invalid call was accepted on stream {id}");
        assert_eq!(before, seen(&self.engine), "an invalid call had an effect");
    }
}
