//! Accounts for the bytes that an endpoint receives: each flow-controlled byte is either kept for the caller,
//! or consumed and then credited (RFC 9113, 5.2.2 and 6.9).
//!
//! After every call of the engine, compares the credit that it gave with the credit due. The window of a
//! stream is the one that the peer will know when the credit arrives, that is, after the unacknowledged
//! SETTINGS.
//!
//! - With automatic flow control, the engine restores the sum of window and unread bytes, or enlarges it
//!   while windows grow, at the latest when half of it is due;
//! - but gives no credit if the length of the remaining content is known, and fits into the window.
//! - With manual flow control, it gives credit only for bytes that the caller will not read, at the latest when they
//!   amount to half of the initial window.

use std::collections::BTreeMap;

use http2_engine::{Config, Connection, Role, State, StreamId, Windows};
use http2_test_support::{Part, flag, kind};

use crate::wire::stream_id;
use crate::wire_model::{DEFAULT_WINDOW, MAX_WINDOW, WireModel, padding};

/// The accounts of one endpoint.
#[derive(Debug)]
pub(crate) struct Credit {
    by_hand: bool,
    connection: Account,
    streams: BTreeMap<StreamId, Account>,
    /// The DATA frame in progress, and the number of its bytes still missing.
    arriving: Option<(StreamId, i64)>,
    growth: Growth,
    /// The initial window of the connection, and the window that credit restores.
    connection_window: i64,
    target: i64,
}

/// The limits for the growth of stream windows.
#[derive(Debug)]
struct Growth {
    /// The last SETTINGS_INITIAL_WINDOW_SIZE; windows grow from it by doubling.
    initial: i64,
    max: i64,
}

/// The most padding of a frame: a window with room for known content must also have room for its padding.
const PADDING_MAX: i64 = 256;

/// The bytes that count against one window, by state.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// Received, or expected as the rest of a started frame, and not read.
    unread: i64,
    /// Read, or discarded, since the engine last gave credit on its own.
    consumed: i64,
    /// The total of discarded bytes.
    discarded: i64,
    /// The total credit that the engine gave on its own, and the total of all credit.
    given: i64,
    issued: i64,
    /// Consumed, and credited by the engine on its own, in the current call.
    consumed_now: i64,
    given_now: i64,
}

/// The kind of a call to the engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// Input was received, which may have had several effects in turn.
    Recv,
    /// The caller read bytes of content from a stream.
    Read(StreamId, usize),
    /// The caller raised a window; stream 0 is the connection.
    Raise(StreamId, u32),
    /// Any other call.
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

    /// Records the total credit issued so far, including any that the caller gave in this call.
    fn issue(&mut self, issued: i64, by_hand: Option<u32>) {
        let new = issued - self.issued;
        self.issued = issued;
        match by_hand {
            Some(octets) => {
                assert!(new == 0 || new == i64::from(octets), "{new} was given instead of {octets}");
            }
            None => {
                assert!(new >= 0, "credit was taken back: {new}, {self:?}");
                self.given += new;
                self.given_now = new;
            }
        }
    }

    /// Checks the engine's own credit.
    ///
    /// It must restore the sum of window and unread bytes to one of `targets`, and is due when it amounts to
    /// half of `least`, unless it would be in `vain`. If much happened in one call, some bytes may have been
    /// consumed after the credit was given.
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

    /// Checks manual flow control: credit is given only for discarded bytes, when they amount to half of the
    /// initial window, unless it would be in `vain`.
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
    /// The increment by which the caller raised this window.
    fn increment_of(self, window: StreamId) -> Option<u32> {
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

    /// Records input accepted in one call; `keeps` says whether content of a stream is kept for the caller.
    pub(crate) fn received(&mut self, parts: &[Part], keeps: impl Fn(StreamId) -> bool) {
        for part in parts {
            match part {
                // A padded frame is handled as a whole.
                Part::Header(header) if header.kind == kind::DATA && !header.has(flag::PADDED) => {
                    self.receive(stream_id(*header), header.length);
                    self.arriving = Some((stream_id(*header), header.length.into()));
                }
                Part::Content(header, content) => {
                    if let Some((_, left)) = &mut self.arriving {
                        *left -= octets(content.len());
                    }
                    if !keeps(stream_id(*header)) {
                        self.consume(stream_id(*header), octets(content.len()), true);
                    }
                }
                Part::Frame(header, payload) if header.kind == kind::DATA => {
                    self.arriving = None;
                    if header.has(flag::PADDED) {
                        self.receive(stream_id(*header), header.length);
                        let kept = keeps(stream_id(*header));
                        let lost = if kept { padding(payload) } else { header.length };
                        self.consume(stream_id(*header), lost.into(), true);
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

    /// Records a change of SETTINGS_INITIAL_WINDOW_SIZE by the caller.
    pub(crate) fn change_initial_window(&mut self, window: u32) {
        self.growth.initial = window.into();
        self.growth.max = self.growth.max.max(window.into());
    }

    /// Checks the credit after a call of the engine; `released` says which streams the caller has released.
    pub(crate) fn settle(
        &mut self,
        engine: &Connection,
        model: &WireModel,
        call: Call,
        outstanding: &BTreeMap<StreamId, Option<i64>>,
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
        self.settle_connection(engine, model, call, outstanding.values().copied().sum());
        if let Call::Raise(id, _) = call {
            self.streams.entry(id).or_default();
        }
        let much = matches!(call, Call::Recv);
        let arriving = self.arriving.map(|(id, _)| id);
        self.streams.retain(|&id, account| {
            let Some(Windows { receive: window, .. }) = engine.stream_windows(id) else {
                return arriving == Some(id);
            };
            let received = model.streams.get(&id).map_or(0, |stream| stream.flow.data_received);
            account.issue(window - (model.initial_window - received), call.increment_of(id));
            let initial = self.growth.initial;
            let window = window - model.initial_window + initial;
            let vain = is_useless(window, outstanding.get(&id).copied().unwrap_or(Some(0)));
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

    fn settle_connection(
        &mut self,
        engine: &Connection,
        model: &WireModel,
        call: Call,
        outstanding: Option<i64>,
    ) {
        let much = matches!(call, Call::Recv);
        let window = engine.windows().receive;
        // A client may always send more requests, which a server cannot know.
        let vain = model.role == Role::Client && is_useless(window, outstanding);
        let account = &mut self.connection;
        account.issue(
            window - (DEFAULT_WINDOW - model.connection.data_received),
            call.increment_of(StreamId::CONNECTION),
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

    /// Discards the unread content of a stream.
    fn drop_unread(&mut self, id: StreamId) {
        let outstanding = self.arriving.filter(|&(other, _)| other == id).map_or(0, |(_, left)| left);
        let unread = self.streams.get(&id).map_or(0, |account| account.unread) - outstanding;
        self.consume(id, unread, true);
    }

    /// Checks that after everything was read, the connection window is at least its initial size, except for
    /// credit that is not due yet.
    pub(crate) fn assert_all_given_back(&self, engine: &Connection) {
        assert_eq!(self.connection.unread, 0, "unread bytes are left: {:?} {self:?}", engine.role());
        if !self.by_hand {
            let whole = engine.windows().receive + self.connection.consumed;
            assert!(whole >= self.connection_window, "{whole} of {}", self.connection_window);
        }
    }
}

/// Whether credit would be useless because the window has room for all remaining content.
fn is_useless(window: i64, outstanding: Option<i64>) -> bool {
    outstanding.is_some_and(|content| content + PADDING_MAX <= window)
}

fn octets(number: usize) -> i64 {
    i64::try_from(number).expect("bytes in memory")
}
