//! What becomes of the octets that an endpoint receives: every one that counts against a window is either kept for the
//! caller, or consumed, and then given back (RFC 9113, 5.2.2 and 6.9).
//!
//! After every call of the engine, the credit that it has given is held against what there was to give, the window of a
//! stream being the one that the peer will know when it hears of it: SETTINGS that it has not acknowledged stand before.
//!
//! - by itself, the engine makes window and unread octets together what they were, or larger while windows grow; and not
//!   later than when half of that is due;
//! - but not where the rest of the content is known, and has room in the window;
//! - where windows are moved by hand, it gives back what nobody will read, and nothing else; not later than when that is
//!   half of the initial window.

use std::collections::BTreeMap;

use http2_engine::frame::{FrameType, flags};
use http2_engine::{Config, Connection, Role, State, StreamId};

use crate::books::{Books, DEFAULT_WINDOW, MAX_WINDOW, padding};
use crate::wire::Part;

/// The accounts of one endpoint.
#[derive(Debug)]
pub(crate) struct Credit {
    by_hand: bool,
    connection: Account,
    streams: BTreeMap<StreamId, Account>,
    /// The DATA frame that has begun, and how much of it is to come.
    arriving: Option<(StreamId, i64)>,
    growth: Growth,
    /// What the window of the connection started with, and what it is made up to.
    connection_window: i64,
    target: i64,
}

/// What the window of a stream may be made up to.
#[derive(Debug)]
struct Growth {
    /// The last SETTINGS_INITIAL_WINDOW_SIZE, from which it grows by doubling.
    initial: i64,
    max: i64,
}

/// What a frame can have besides content: room for content that is known is room for it with padding.
const PADDING_MAX: i64 = 256;

/// What has become of the octets that count against one window.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// They have arrived, or will as parts of a frame that has begun, and nobody has read them.
    unread: i64,
    /// They were read, or nobody will read them, since the engine gave credit by itself for the last time.
    consumed: i64,
    /// Those that nobody will read, in all.
    discarded: i64,
    /// Credit that the engine has given by itself, in all, and all credit.
    given: i64,
    issued: i64,
    /// In the present call: consumed, and given by the engine itself.
    consumed_now: i64,
    given_now: i64,
}

/// What a call of the engine was about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// Octets arrived: several things may have happened, one after the other.
    Recv,
    /// The caller has read octets of content.
    Read(StreamId, usize),
    /// The caller has raised a window by hand; stream 0 is the connection.
    Raise(StreamId, u32),
    /// Anything else.
    Other,
}

impl Account {
    fn consume(&mut self, octets: i64, discarded: bool) {
        self.unread -= octets;
        self.consumed += octets;
        self.consumed_now += octets;
        if discarded {
            self.discarded += octets;
        }
    }

    /// Notes all credit issued so far, what was given by hand in this call among it.
    fn issue(&mut self, issued: i64, by_hand: Option<u32>) {
        let new = issued - self.issued;
        self.issued = issued;
        match by_hand {
            Some(octets) => assert!(new == 0 || new == i64::from(octets), "{new} was given, not {octets}"),
            None => {
                assert!(new >= 0, "credit is never taken back: {new}, {self:?}");
                self.given += new;
                self.given_now = new;
            }
        }
    }

    /// What is given back makes window and unread octets together one of `targets` again, and is given when it is half
    /// of `least`, or in `vain`. Where much has happened in one call, some may have been consumed after that.
    fn check(
        &mut self,
        window: i64,
        targets: impl IntoIterator<Item = (i64, i64)>,
        least: i64,
        much: bool,
        vain: bool,
    ) {
        let sum = window + self.unread;
        if self.given_now > 0 {
            let most = sum + if much { self.consumed_now } else { 0 };
            let mut targets = targets.into_iter();
            let target = targets.find(|&(low, high)| low <= most && high >= sum);
            let (low, _) = target.unwrap_or_else(|| panic!("made up to {sum} to {most}: {self:?}"));
            self.consumed = (low - sum).max(0);
        } else if self.consumed_now > 0 {
            let due = least - sum;
            assert!(due <= 0 || due < least / 2 || vain, "{due} of {least} are due: {self:?}");
        }
    }

    fn end_call(&mut self) {
        (self.consumed_now, self.given_now) = (0, 0);
    }

    /// What nobody will read is given back, and nothing else, when it is half of the initial window, or in `vain`.
    fn check_by_hand(&self, window: i64, initial: i64, much: bool, vain: bool) {
        let owed = self.discarded - self.given;
        assert!(owed >= 0, "more was given back than was discarded: {self:?}");
        let behind = if much { self.consumed_now } else { 0 };
        assert!(self.given_now == 0 || owed <= behind, "{owed} were forgotten: {self:?}");
        let due = owed.min(MAX_WINDOW - window);
        assert!(due < (initial / 2).max(1) || vain, "{due} are due: {self:?}");
    }
}

impl Growth {
    fn targets(&self) -> impl Iterator<Item = (i64, i64)> {
        (0..32).map(|times| (self.initial << times).min(self.max)).map(|target| (target, target))
    }
}

impl Call {
    /// By how much the caller has raised this window.
    fn raises(self, window: StreamId) -> Option<u32> {
        match self {
            Self::Raise(id, octets) if id == window => Some(octets),
            _ => None,
        }
    }
}

impl Credit {
    pub(crate) fn new(config: &Config) -> Self {
        let initial = i64::from(config.initial_window_size);
        let connection_window = i64::from(config.connection_window);
        let connection = Account { issued: connection_window - DEFAULT_WINDOW, ..Account::default() };
        Self {
            by_hand: config.manual_window_update,
            connection,
            streams: BTreeMap::new(),
            arriving: None,
            growth: Growth { initial, max: config.stream_window_max.into() },
            connection_window,
            target: connection_window,
        }
    }

    /// The endpoint has taken something in one call. `keeps` says whether content of a stream is kept for the caller.
    pub(crate) fn heard(&mut self, parts: &[Part], keeps: impl Fn(StreamId) -> bool) {
        for part in parts {
            match part {
                // With padding, a frame counts as a whole.
                Part::Header(header) if header.kind == FrameType::DATA && !header.has(flags::PADDED) => {
                    self.receive(header.stream_id, header.length);
                    self.arriving = Some((header.stream_id, header.length.into()));
                }
                Part::Content(header, content) => {
                    if let Some((_, left)) = &mut self.arriving {
                        *left -= octets(content.len());
                    }
                    if !keeps(header.stream_id) {
                        self.consume(header.stream_id, octets(content.len()), true);
                    }
                }
                Part::Frame(header, payload) if header.kind == FrameType::DATA => {
                    self.arriving = None;
                    if header.has(flags::PADDED) {
                        self.receive(header.stream_id, header.length);
                        let kept = keeps(header.stream_id);
                        let lost = if kept { padding(*header, payload) } else { header.length };
                        self.consume(header.stream_id, lost.into(), true);
                    }
                }
                _ => {}
            }
        }
    }

    fn receive(&mut self, id: StreamId, octets: u32) {
        self.connection.unread += i64::from(octets);
        self.streams.entry(id).or_default().unread += i64::from(octets);
    }

    fn consume(&mut self, id: StreamId, octets: i64, discarded: bool) {
        self.connection.consume(octets, discarded);
        self.streams.entry(id).or_default().consume(octets, discarded);
    }

    /// The caller has changed SETTINGS_INITIAL_WINDOW_SIZE.
    pub(crate) fn change_initial_window(&mut self, window: u32) {
        self.growth.initial = window.into();
        self.growth.max = self.growth.max.max(window.into());
    }

    /// The engine has come back from a call. `released` tells which streams the caller has released.
    pub(crate) fn settle(
        &mut self,
        engine: &Connection,
        books: &Books,
        call: Call,
        to_come: &BTreeMap<StreamId, Option<i64>>,
        released: impl Fn(StreamId) -> bool,
    ) {
        if let Call::Read(id, read) = call {
            self.consume(id, octets(read), false);
        }
        for id in self.streams.keys().copied().collect::<Vec<_>>() {
            if engine.state(id).is_none() || released(id) {
                self.drop_unread(id);
            }
        }
        self.settle_connection(engine, books, call, to_come.values().copied().sum());
        if let Call::Raise(id, _) = call {
            self.streams.entry(id).or_default();
        }
        let much = matches!(call, Call::Recv);
        let arriving = self.arriving.map(|(id, _)| id);
        self.streams.retain(|&id, account| {
            let Some((window, _)) = engine.stream_windows(id) else { return arriving == Some(id) };
            let heard = books.streams.get(&id).map_or(0, |stream| stream.flow.data_heard);
            account.issue(window - (books.initial_window - heard), call.raises(id));
            let initial = self.growth.initial;
            let window = window - books.initial_window + initial;
            let vain = is_vain(window, to_come.get(&id).copied().unwrap_or(Some(0)));
            if !matches!(engine.state(id), Some(State::Open | State::HalfClosedLocal)) {
                // The peer has nothing left to send.
            } else if self.by_hand {
                account.check_by_hand(window, initial, much, vain);
            } else {
                account.check(window, self.growth.targets(), initial, much, vain);
            }
            account.end_call();
            true
        });
    }

    fn settle_connection(&mut self, engine: &Connection, books: &Books, call: Call, to_come: Option<i64>) {
        let much = matches!(call, Call::Recv);
        let window = engine.windows().0;
        // Clients may always ask for more.
        let vain = books.role == Role::Client && is_vain(window, to_come);
        let account = &mut self.connection;
        account.issue(
            window - (DEFAULT_WINDOW - books.connection.data_heard),
            call.raises(StreamId::CONNECTION),
        );
        let grown = i64::try_from(engine.stats().connection_window_target).expect("31 bits");
        let least = std::mem::replace(&mut self.target, grown);
        assert!(least <= grown, "the window of the connection has shrunk");
        if self.by_hand {
            account.check_by_hand(window, DEFAULT_WINDOW, much, vain);
        } else {
            account.check(window, [(least, grown)], least, much, vain);
        }
        account.end_call();
    }

    /// Nobody will read what has arrived of a stream.
    fn drop_unread(&mut self, id: StreamId) {
        let to_come = self.arriving.filter(|&(other, _)| other == id).map_or(0, |(_, left)| left);
        let unread = self.streams.get(&id).map_or(0, |account| account.unread) - to_come;
        self.consume(id, unread, true);
    }

    /// Everything was read: the window of the connection is what it was at the start, or larger, but for what is not
    /// due yet.
    pub(crate) fn assert_all_given_back(&self, engine: &Connection) {
        assert_eq!(self.connection.unread, 0, "octets that nobody has read: {:?} {self:?}", engine.role());
        if !self.by_hand {
            let whole = engine.windows().0 + self.connection.consumed;
            assert!(whole >= self.connection_window, "{whole} of {}", self.connection_window);
        }
    }
}

/// Whether credit would be of no use: all content that is to come has room in the window.
fn is_vain(window: i64, to_come: Option<i64>) -> bool {
    to_come.is_some_and(|content| content + PADDING_MAX <= window)
}

fn octets(number: usize) -> i64 {
    i64::try_from(number).expect("octets in memory")
}
