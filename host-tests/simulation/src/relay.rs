//! A relay between the two ends that rewrites frames within the protocol: it adds padding, splits field
//! blocks into several frames, and inserts frames of unknown types.
//!
//! The engine sends none of these, but must accept them. Padding counts against windows (RFC 9113, 6.1).
//! Therefore, the relay withholds a part of the credit that one end gives, and spends it on padding for the
//! other end's DATA; neither end can tell.

use std::collections::{BTreeMap, VecDeque};

use http2_engine::{Role, StreamId};
use http2_test_support::{
    Frames, Header, PREFACE, Part, flag, kind, number, parameters, setting, window_update,
};

use crate::random::Random;
use crate::wire::{frames_of, stream_id};

/// The relay, with its knowledge of both directions.
pub(crate) struct Relay {
    directions: [Direction; 2],
}

/// The relay's knowledge of one direction.
struct Direction {
    frames: Frames,
    preface: bool,
    /// Withheld credit of the connection; for all streams together, no more is withheld than this.
    connection: u32,
    streams: BTreeMap<StreamId, Stream>,
    /// Initial stream windows: the acknowledged one, followed by the unacknowledged ones.
    initial_windows: VecDeque<i64>,
    /// Whether a field block is unfinished.
    in_block: bool,
    /// The received part of a DATA frame.
    content: Vec<u8>,
}

/// The window of a stream in one direction.
#[derive(Default)]
struct Stream {
    /// Withheld credit.
    withheld: u32,
    /// Credit passed on, minus the DATA that used it.
    balance: i64,
}

/// The most padding of a frame, including the Pad Length field.
const PADDING: u32 = 256;
/// The frame size that every end accepts.
const FRAME: u32 = 16_384;

impl Relay {
    pub(crate) fn new() -> Self {
        let direction = |sender| Direction {
            frames: frames_of(sender),
            preface: sender == Role::Client,
            connection: 0,
            streams: BTreeMap::new(),
            initial_windows: VecDeque::from([65_535]),
            in_block: false,
            content: Vec::new(),
        };
        Self { directions: [direction(Role::Client), direction(Role::Server)] }
    }

    /// The credit of the connection that one end has given for this direction, and the other has not
    /// received.
    pub(crate) fn withheld(&self, direction: usize) -> i64 {
        self.directions[direction].connection.into()
    }

    /// Passes on bytes of one direction.
    pub(crate) fn forward(&mut self, from: usize, octets: &[u8], random: &mut Random) -> Vec<u8> {
        let mut out = Vec::new();
        for part in self.directions[from].frames.take(octets).expect("frames") {
            let direction = &mut self.directions[from];
            match part {
                Part::Header(_) => {}
                Part::Content(_, octets) => direction.content.extend(octets),
                Part::Frame(header, mut payload) => {
                    if std::mem::take(&mut direction.preface) {
                        out.extend_from_slice(PREFACE);
                    }
                    if header.kind == kind::DATA {
                        payload = std::mem::take(&mut direction.content);
                    }
                    self.frame(from, header, &payload, random, &mut out);
                }
            }
        }
        if !self.directions[from].in_block {
            self.directions[1 - from].release_credit(false, &mut out);
        }
        out
    }

    fn frame(&mut self, from: usize, header: Header, payload: &[u8], random: &mut Random, out: &mut Vec<u8>) {
        let direction = &mut self.directions[from];
        let whole = !std::mem::replace(&mut direction.in_block, header.is_continued());
        match header.kind {
            kind::DATA => {
                let padding = direction.spend_on_padding(header);
                encode(header, padding, payload, out);
            }
            kind::HEADERS if whole && !direction.in_block && header.length < FRAME - PADDING => {
                headers(header, payload, random, out);
            }
            kind::WINDOW_UPDATE => {
                let increment =
                    self.directions[1 - from].withhold(stream_id(header), number(payload, 0), random);
                out.extend(window_update(header.stream, increment));
            }
            kind::RST_STREAM => {
                for direction in &mut self.directions {
                    direction.streams.remove(&stream_id(header));
                }
                encode(header, None, payload, out);
            }
            kind::SETTINGS => {
                encode(header, None, payload, out);
                if header.has(flag::ACK) {
                    direction.initial_windows.pop_front();
                } else {
                    self.directions[1 - from].settings(payload, out);
                }
            }
            _ => encode(header, None, payload, out),
        }
        if !self.directions[from].in_block && random.one_in(30) {
            let grease = Header { length: 3, kind: 0xbb, flags: 0xff, ..header };
            encode(grease, None, b"any", out);
        }
    }
}

impl Direction {
    /// Withholds a part of some credit, and returns the rest.
    ///
    /// The rest must allow a frame that can carry the withheld part as padding; otherwise both ends would
    /// wait for each other.
    fn withhold(&mut self, id: StreamId, increment: u32, random: &mut Random) -> u32 {
        if id.is_connection() {
            let room = (16 * PADDING).saturating_sub(self.connection).min(increment / 2);
            let withheld = part(room, random);
            self.connection += withheld;
            return increment - withheld;
        }
        let (all, initial): (u32, i64) =
            (self.streams.values().map(|stream| stream.withheld).sum(), self.initial_window());
        let stream = self.streams.entry(id).or_default();
        let spare = initial + stream.balance + i64::from(increment) - 1;
        let room = (PADDING - stream.withheld).min(self.connection - all).min(increment - 1);
        let withheld = part(u32::try_from(spare.max(0)).unwrap_or(u32::MAX).min(room), random);
        stream.withheld += withheld;
        stream.balance += i64::from(increment - withheld);
        increment - withheld
    }

    /// Spends all credit withheld for a stream on padding of its next frame, if the frame has room.
    fn spend_on_padding(&mut self, header: Header) -> Option<u32> {
        let initial = self.initial_window();
        let stream = self.streams.entry(stream_id(header)).or_default();
        stream.balance -= i64::from(header.length);
        let overdrawn = initial + stream.balance < 0;
        if stream.withheld == 0 || overdrawn || header.length + stream.withheld > FRAME {
            return None;
        }
        self.connection -= stream.withheld;
        Some(std::mem::take(&mut stream.withheld))
    }

    /// Releases all credit withheld for streams, since the initial window may change, and with it the credit
    /// to spare.
    fn settings(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let windows = parameters(payload).filter(|&(id, _)| id == setting::INITIAL_WINDOW_SIZE);
        let last = self.initial_windows.back().copied().expect("the list is never empty");
        self.initial_windows.push_back(windows.last().map_or(last, |(_, window)| window.into()));
        self.release_credit(true, out);
    }

    /// The initial stream window; the lowest possible one while SETTINGS are unacknowledged.
    fn initial_window(&self) -> i64 {
        self.initial_windows.iter().copied().min().expect("the list is never empty")
    }

    /// Releases withheld credit: of all streams, or only of those whose window may be negative.
    fn release_credit(&mut self, all: bool, out: &mut Vec<u8>) {
        let initial = self.initial_window();
        let due = |stream: &Stream| stream.withheld > 0 && (all || initial + stream.balance < 0);
        for (&id, stream) in self.streams.iter_mut().filter(|(_, stream)| due(stream)) {
            let increment = std::mem::take(&mut stream.withheld);
            stream.balance += i64::from(increment);
            out.extend(window_update(id.as_u32(), increment));
        }
    }
}

/// Returns a random part of this many bytes: none, all, or some.
fn part(octets: u32, random: &mut Random) -> u32 {
    u32::try_from(random.below(octets as usize + 1)).expect("a part is not more than the whole")
}

/// Writes HEADERS with a whole field block in up to three frames, sometimes padded.
fn headers(header: Header, block: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    let frames = 1 + random.below(3);
    let mut rest = block;
    for place in 0..frames {
        let last = place + 1 == frames;
        let (fragment, behind) = rest.split_at(if last { rest.len() } else { random.below(rest.len() + 1) });
        rest = behind;
        let (kind, mut flags) = if place == 0 {
            (kind::HEADERS, header.flags & !flag::END_HEADERS)
        } else {
            (kind::CONTINUATION, 0)
        };
        if last {
            flags |= flag::END_HEADERS;
        }
        let padding = (place == 0 && random.one_in(3)).then(|| 1 + random.size_u32(PADDING));
        encode(Header { kind, flags, ..header }, padding, fragment, out);
    }
}

/// Writes a frame; `padding` includes the Pad Length field.
fn encode(header: Header, padding: Option<u32>, payload: &[u8], out: &mut Vec<u8>) {
    let content = u32::try_from(payload.len()).expect("a payload");
    let flags = header.flags | if padding.is_some() { flag::PADDED } else { 0 };
    out.extend(Header { length: content + padding.unwrap_or(0), flags, ..header }.encode());
    if let Some(padding) = padding {
        out.push(u8::try_from(padding - 1).expect("at most 255 bytes"));
    }
    out.extend_from_slice(payload);
    out.resize(out.len() + padding.map_or(0, |padding| padding as usize - 1), 0);
}
