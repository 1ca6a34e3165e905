//! The model of an endpoint that an observer derives from its bytes in both directions, without asking the
//! engine: its windows (RFC 9113, 5.2 and 6.9), the states of its streams (RFC 9113, 5.1), its settings and
//! those of its peer (RFC 9113, 6.5).
//!
//! If the endpoint sends anything that the RFC forbids, the observer panics.

use std::collections::{BTreeMap, VecDeque};

use http2_engine::{Role, StreamId};
use http2_test_support::{Header, Part, flag, kind, number, parameters, setting};

use crate::wire::stream_id;

/// The initial window of the connection and of streams (RFC 9113, 6.9.2).
pub(crate) const DEFAULT_WINDOW: i64 = 65_535;
pub(crate) const MAX_WINDOW: i64 = 0x7fff_ffff;

/// The model of one endpoint.
pub(crate) struct WireModel {
    pub(crate) role: Role,
    /// The peer's settings as the endpoint received them.
    pub(crate) peer: PeerSettings,
    /// The peer's settings that the endpoint has acknowledged, and thus obeys; and those it has not
    /// acknowledged.
    bound_by: PeerSettings,
    to_acknowledge: VecDeque<PeerSettings>,
    /// The endpoint's SETTINGS_INITIAL_WINDOW_SIZE as acknowledged by the peer.
    pub(crate) initial_window: i64,
    /// Unacknowledged SETTINGS, each with its last SETTINGS_INITIAL_WINDOW_SIZE.
    unacknowledged: VecDeque<Option<i64>>,
    pub(crate) connection: Flow,
    pub(crate) streams: BTreeMap<StreamId, Stream>,
    /// An unfinished field block, sent or received.
    block_sent: Option<StreamId>,
    block_received: Option<(Header, Vec<u8>)>,
    /// Received PINGs without an acknowledgement yet.
    pongs_due: VecDeque<Vec<u8>>,
    /// The last stream of the GOAWAY sent, and the GOAWAYs received.
    pub(crate) go_away_sent: Option<StreamId>,
    pub(crate) go_aways_received: Vec<ReceivedGoAway>,
    /// PINGs sent, without acknowledgements, and how many of them were acknowledged.
    pub(crate) pings_sent: usize,
    pub(crate) pings_answered: usize,
    pub(crate) frames_sent: u64,
    pub(crate) frames_received: u64,
    pub(crate) resets_sent: u64,
    pub(crate) resets_received: u64,
    pub(crate) content_sent: u64,
}

/// An endpoint's knowledge of its peer's settings.
#[derive(Clone, Copy)]
pub(crate) struct PeerSettings {
    /// Whether they have arrived.
    known: bool,
    pub(crate) initial_window: i64,
    max_frame_size: u32,
    max_concurrent_streams: Option<u32>,
    enable_push: bool,
}

/// Flow-controlled bytes and the credit for them, in both directions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    pub(crate) data_sent: i64,
    credit_received: i64,
    pub(crate) data_received: i64,
    /// Received bytes without padding.
    pub(crate) content_received: i64,
    pub(crate) credit_sent: i64,
}

impl Flow {
    /// The number of bytes that the endpoint may send.
    pub(crate) fn may_send(&self, initial: i64) -> i64 {
        initial + self.credit_received - self.data_sent
    }
}

/// A stream with traffic in either direction.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) flow: Flow,
    pub(crate) sent: Half,
    pub(crate) received: Half,
    /// Whether it is reserved, without a response so far.
    pub(crate) promised: bool,
    /// Whether a GOAWAY says that it is not processed.
    refused: bool,
    /// Whether it was first heard of before the peer had acknowledged all settings of the endpoint.
    pub(crate) early: bool,
}

/// The output of one side on a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) begun: bool,
    pub(crate) ended: bool,
    /// The code of its RST_STREAM.
    pub(crate) reset: Option<u32>,
}

impl Half {
    /// Whether the side sends no more.
    ///
    /// A frame of the other side does not end it immediately, since output may be queued (RFC 9113, 5.4.2).
    fn is_over(&self) -> bool {
        self.ended || self.reset.is_some()
    }
}

/// A received GOAWAY.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceivedGoAway {
    pub(crate) last: StreamId,
    pub(crate) code: u32,
}

impl Stream {
    /// Whether both sides have finished, or the stream was reset or refused.
    pub(crate) fn is_closed(&self) -> bool {
        let reset = self.sent.reset.is_some() || self.received.reset.is_some();
        reset || self.refused || (self.sent.ended && self.received.ended)
    }

    /// Whether it counts against SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113, 5.1.2).
    fn counts(&self) -> bool {
        !self.is_closed() && !self.promised
    }
}

impl WireModel {
    pub(crate) fn new(role: Role, initial_max_send_streams: u32) -> Self {
        let peer = PeerSettings {
            known: false,
            initial_window: DEFAULT_WINDOW,
            max_frame_size: 16_384,
            max_concurrent_streams: Some(initial_max_send_streams),
            enable_push: true,
        };
        Self {
            role,
            peer,
            bound_by: peer,
            to_acknowledge: VecDeque::new(),
            initial_window: DEFAULT_WINDOW,
            unacknowledged: VecDeque::new(),
            connection: Flow::default(),
            streams: BTreeMap::new(),
            block_sent: None,
            block_received: None,
            pongs_due: VecDeque::new(),
            go_away_sent: None,
            go_aways_received: Vec::new(),
            pings_sent: 0,
            pings_answered: 0,
            frames_sent: 0,
            frames_received: 0,
            resets_sent: 0,
            resets_received: 0,
            content_sent: 0,
        }
    }

    /// The number of bytes that the endpoint may send on the connection.
    pub(crate) fn send_window(&self) -> i64 {
        self.connection.may_send(DEFAULT_WINDOW)
    }

    /// The number of bytes that the endpoint may send on a stream.
    pub(crate) fn stream_send_window(&self, id: StreamId) -> i64 {
        self.streams.get(&id).map_or(0, |stream| stream.flow.may_send(self.peer.initial_window))
    }

    /// The number of streams that one side opened, neither reserved nor closed.
    pub(crate) fn open_streams(&self, opener: Role) -> usize {
        let opened = |id: &StreamId| id.is_client_initiated() == (opener == Role::Client);
        self.streams.iter().filter(|(id, stream)| opened(id) && stream.counts()).count()
    }

    fn is_local(&self, id: StreamId) -> bool {
        id.is_client_initiated() == (self.role == Role::Client)
    }

    fn highest(&self, local: bool) -> Option<StreamId> {
        self.streams.keys().rev().copied().find(|&id| self.is_local(id) == local)
    }

    /// Records a part sent by the endpoint, and checks it.
    pub(crate) fn sent(&mut self, part: &Part) {
        match part {
            Part::Header(header) => {
                self.begin_sent(*header);
                if header.kind == kind::DATA {
                    self.data_sent(*header);
                }
            }
            Part::Content(..) => {}
            Part::Frame(header, payload) => {
                let wrong = self.frame_sent(*header, payload).err();
                assert!(wrong.is_none(), "{:?} sends {}: {wrong:?}", self.role, header.describe(payload));
            }
        }
    }

    /// Checks the rules for all frames (RFC 9113, 3.4, 4.2 and 6.10).
    fn begin_sent(&mut self, header: Header) {
        let first = self.frames_sent == 0;
        self.frames_sent += 1;
        let words = header.describe(&[]);
        assert!(!first || (header.kind == kind::SETTINGS && !header.has(flag::ACK)), "{words}: first");
        assert!(header.length <= self.bound_by.max_frame_size, "{words} is too long");
        let expected = self.block_sent.map(|id| (kind::CONTINUATION, id));
        let continues = (header.kind, stream_id(header));
        assert!(expected.is_none_or(|expected| expected == continues), "{words} in {expected:?}");
        assert!(
            expected.is_some() || header.kind != kind::CONTINUATION,
            "{words}: no field block is in progress"
        );
    }

    /// Checks that DATA is allowed on its stream and within the windows (RFC 9113, 6.1 and 6.9.1).
    fn data_sent(&mut self, header: Header) {
        let words = format!("{:?} sends {}", self.role, header.describe(&[]));
        let length = i64::from(header.length);
        let (connection, initial) = (self.send_window(), self.peer.initial_window);
        let stream =
            self.streams.get_mut(&stream_id(header)).filter(|stream| length == 0 || !stream.is_closed());
        let Some(stream) = stream.filter(|stream| stream.sent.begun && !stream.sent.is_over()) else {
            panic!("{words} on a stream that may not send it");
        };
        let window = connection.min(stream.flow.may_send(initial));
        assert!(length == 0 || length <= window, "{words} with a window of {window}");
        stream.flow.data_sent += length;
        self.connection.data_sent += length;
        self.content_sent += u64::from(header.length);
    }

    fn frame_sent(&mut self, header: Header, payload: &[u8]) -> Result<(), &'static str> {
        let id = stream_id(header);
        let rule = |holds: bool, broken: &'static str| if holds { Ok(()) } else { Err(broken) };
        match header.kind {
            kind::DATA => self.end_sent(header),
            kind::HEADERS => {
                self.headers_sent(id)?;
                self.begin_block(header);
                self.end_sent(header);
            }
            kind::CONTINUATION => self.begin_block(header),
            kind::PUSH_PROMISE => {
                let promised = StreamId::new(number(payload, 0)).ok_or("the reserved bit is set")?;
                let parent = self.streams.get(&id).filter(|stream| !stream.sent.is_over());
                rule(self.role == Role::Server && self.bound_by.enable_push, "the peer disabled push")?;
                rule(parent.is_some(), "its stream does not allow it")?;
                rule(Some(promised) > self.highest(true), "identifiers grow")?;
                let stream = self.streams.entry(promised).or_default();
                (stream.promised, stream.received.ended) = (true, true);
                self.begin_block(header);
            }
            kind::RST_STREAM => {
                self.resets_sent += 1;
                let stream = self.streams.get_mut(&id).ok_or("the stream is idle")?;
                rule(stream.sent.reset.is_none(), "the stream was already reset")?;
                stream.sent.reset = Some(number(payload, 0));
            }
            kind::SETTINGS if header.has(flag::ACK) => {
                self.bound_by = self.to_acknowledge.pop_front().ok_or("no SETTINGS to acknowledge")?;
            }
            kind::SETTINGS => self.unacknowledged.push_back(initial_window(payload)),
            kind::PING if header.has(flag::ACK) => {
                rule(self.pongs_due.pop_front().as_deref() == Some(payload), "no such PING was received")?;
            }
            kind::PING => self.pings_sent += 1,
            kind::GOAWAY => {
                let last = StreamId::new(number(payload, 0)).ok_or("the reserved bit is set")?;
                rule(self.go_away_sent.is_none_or(|earlier| last <= earlier), "its last stream was raised")?;
                self.go_away_sent = Some(last);
                self.refuse_above(last, false);
            }
            kind::WINDOW_UPDATE => {
                let increment = i64::from(number(payload, 0));
                rule(increment > 0, "the increment is 0")?;
                let flow = match self.streams.get_mut(&id) {
                    Some(stream) => &mut stream.flow,
                    None if id.is_connection() => &mut self.connection,
                    None => return Err("the stream is idle"),
                };
                flow.credit_sent += increment;
            }
            kind::PRIORITY_UPDATE => {
                let id = StreamId::new(number(payload, 0)).ok_or("the reserved bit is set")?;
                rule(
                    self.role == Role::Client && self.streams.contains_key(&id),
                    "the stream is not the client's",
                )?;
            }
            kind::ORIGIN | kind::ALTSVC => rule(self.role == Role::Server, "only servers send it")?,
            _ => return Err("the frame type is unknown"),
        }
        Ok(())
    }

    fn headers_sent(&mut self, id: StreamId) -> Result<(), &'static str> {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.sent.begun = true;
            stream.promised = false;
            return if stream.sent.is_over() { Err("the stream may not send it") } else { Ok(()) };
        }
        if !self.is_local(id) || self.role == Role::Server {
            return Err("the stream is idle");
        }
        if Some(id) <= self.highest(true) {
            return Err("identifiers grow");
        }
        let limit = self.bound_by.max_concurrent_streams.map_or(usize::MAX, |limit| limit as usize);
        if self.open_streams(self.role) >= limit {
            return Err("the peer accepts no more streams");
        }
        let stream = self.streams.entry(id).or_default();
        stream.sent.begun = true;
        // The frame was queued when the GOAWAY arrived.
        stream.refused = self.go_aways_received.iter().any(|go_away| id > go_away.last);
        Ok(())
    }

    fn end_sent(&mut self, header: Header) {
        if header.has(flag::END_STREAM) {
            self.streams.entry(stream_id(header)).or_default().sent.ended = true;
        }
    }

    fn begin_block(&mut self, header: Header) {
        self.block_sent = (!header.has(flag::END_HEADERS)).then_some(stream_id(header));
    }

    /// Records a part sent by the peer and accepted by the endpoint.
    pub(crate) fn received(&mut self, part: &Part) {
        match part {
            Part::Header(header) => {
                self.frames_received += 1;
                if header.kind == kind::DATA && !header.has(flag::PADDED) {
                    self.data_received(*header, 0);
                }
            }
            Part::Content(..) => {}
            Part::Frame(header, payload) => self.frame_received(*header, payload),
        }
    }

    /// Checks that the endpoint allowed received DATA.
    fn data_received(&mut self, header: Header, padding: u32) {
        let length = i64::from(header.length);
        let initial = self.initial_window;
        self.connection.data_received += length;
        let window = DEFAULT_WINDOW + self.connection.credit_sent - self.connection.data_received;
        assert!(window >= 0, "{:?} received more DATA than it gave credit for: {window}", self.role);
        if let Some(stream) = self.streams.get_mut(&stream_id(header)).filter(|stream| !stream.is_closed()) {
            stream.flow.data_received += length;
            stream.flow.content_received += length - i64::from(padding);
            let window = initial + stream.flow.credit_sent - stream.flow.data_received;
            assert!(length == 0 || window >= 0, "{:?}, stream {}: {window}", self.role, stream_id(header));
        }
    }

    fn frame_received(&mut self, header: Header, payload: &[u8]) {
        let id = stream_id(header);
        match header.kind {
            kind::DATA => {
                if header.has(flag::PADDED) {
                    self.data_received(header, padding(payload));
                }
                self.end_received(header);
            }
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => {
                let continues = header.kind == kind::CONTINUATION;
                let begun = if continues { self.block_received.take() } else { None };
                let (first, payload) = begun.unwrap_or_else(|| (header, payload.to_vec()));
                if header.has(flag::END_HEADERS) {
                    self.block_ended(first, &payload);
                } else {
                    self.block_received = Some((first, payload));
                }
            }
            kind::RST_STREAM => {
                self.resets_received += 1;
                self.streams.entry(id).or_default().received.reset.get_or_insert(number(payload, 0));
            }
            kind::SETTINGS if header.has(flag::ACK) => {
                let window = self.unacknowledged.pop_front().expect("an acknowledgement of sent SETTINGS");
                self.initial_window = window.unwrap_or(self.initial_window);
            }
            kind::SETTINGS => {
                self.peer.take(payload);
                self.to_acknowledge.push_back(self.peer);
            }
            kind::PING if header.has(flag::ACK) => self.pings_answered += 1,
            kind::PING => self.pongs_due.push_back(payload.to_vec()),
            kind::GOAWAY => {
                let last = StreamId::new(number(payload, 0)).expect("31 bits");
                self.go_aways_received.push(ReceivedGoAway { last, code: number(payload, 4) });
                self.refuse_above(last, true);
            }
            kind::WINDOW_UPDATE => {
                let increment = i64::from(number(payload, 0));
                match self.streams.get_mut(&id) {
                    Some(stream) => stream.flow.credit_received += increment,
                    None => self.connection.credit_received += increment,
                }
                assert!(
                    self.send_window() <= MAX_WINDOW,
                    "the window of the connection is {}",
                    self.send_window()
                );
            }
            _ => {}
        }
    }

    /// Records a completely received field block, given its first frame.
    fn block_ended(&mut self, header: Header, payload: &[u8]) {
        let id = stream_id(header);
        if header.kind == kind::PUSH_PROMISE {
            let promised = StreamId::new(number(payload, 0)).expect("31 bits");
            let stream = self.streams.entry(promised).or_default();
            (stream.promised, stream.sent.ended) = (true, true);
            return;
        }
        let refused = !self.is_local(id) && self.go_away_sent.is_some_and(|last| id > last);
        let early = !self.unacknowledged.is_empty() || self.frames_sent == 0;
        let stream = self.streams.entry(id).or_insert_with(|| Stream { early, ..Stream::default() });
        stream.received.begun = true;
        stream.promised = false;
        stream.refused |= refused;
        self.end_received(header);
    }

    /// Whether a field block is unfinished.
    pub(crate) fn is_in_block(&self) -> bool {
        self.block_received.is_some()
    }

    fn end_received(&mut self, header: Header) {
        if header.has(flag::END_STREAM) {
            self.streams.entry(stream_id(header)).or_default().received.ended = true;
        }
    }

    /// Marks the streams of one side above the last one of a GOAWAY as not processed (RFC 9113, 6.8).
    fn refuse_above(&mut self, last: StreamId, local: bool) {
        let client = self.role == Role::Client;
        let of_that_side = |id: StreamId| (id.is_client_initiated() == client) == local;
        let above = self.streams.iter_mut().filter(|(id, _)| **id > last && of_that_side(**id));
        above.for_each(|(_, stream)| stream.refused = true);
    }
}

impl PeerSettings {
    fn take(&mut self, payload: &[u8]) {
        if !std::mem::replace(&mut self.known, true) {
            self.max_concurrent_streams = None;
        }
        for (id, value) in parameters(payload) {
            match id {
                setting::INITIAL_WINDOW_SIZE => self.initial_window = value.into(),
                setting::MAX_FRAME_SIZE => self.max_frame_size = value,
                setting::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = Some(value),
                setting::ENABLE_PUSH => self.enable_push = value == 1,
                _ => {}
            }
        }
    }
}

fn initial_window(payload: &[u8]) -> Option<i64> {
    let windows = parameters(payload).filter(|&(id, _)| id == setting::INITIAL_WINDOW_SIZE);
    windows.map(|(_, value)| i64::from(value)).last()
}

/// The length of the padding in a padded DATA frame, including the Pad Length field, in bytes.
pub(crate) fn padding(payload: &[u8]) -> u32 {
    1 + u32::from(*payload.first().expect("the Pad Length field"))
}
