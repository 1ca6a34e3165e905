//! Deadlines: everything that depends on time goes through [`Connection::poll_timeout`].

use core::time::Duration;

use super::Connection;
use super::ping::Purpose;
use super::shutdown::Phase;
use crate::config::Config;
use crate::error::{StreamError, Violation};
use crate::frame::StreamId;
use crate::stream::Stall;
use crate::time::Time;

/// Start times and deadlines of the connection.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// When the connection began: at the first call that passed the time.
    started: Option<Time>,
    /// When bytes last arrived.
    heard: Time,
    /// Since when output has waited for the transport.
    untaken: Option<Stall>,
    /// Since when content has waited for the connection's window.
    window_closed: Option<Stall>,
    /// Since when the connection has had no stream.
    idle_since: Option<Time>,
    /// Until when the peer may acknowledge an announced shutdown.
    announced_until: Option<Time>,
    /// Until when streams may continue after a shutdown.
    drain_until: Option<Time>,
    /// When the unanswered keep-alive PING was sent.
    asked_at: Option<Time>,
}

impl Timers {
    pub(super) fn heard(&mut self, now: Time) {
        self.heard = now;
    }

    /// Records that the transport has taken output.
    pub(super) fn taken(&mut self) {
        self.untaken = None;
    }

    /// Records that the transport has taken `bytes` of earlier output.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.untaken = self.untaken.and_then(|stall| stall.after(bytes));
    }

    /// Records that content was handed to the transport.
    pub(super) fn content_sent(&mut self, bytes: usize) {
        self.window_closed = self.window_closed.and_then(|stall| stall.after(bytes));
    }

    pub(super) fn announced(&mut self, until: Time) {
        self.announced_until = Some(until);
    }

    pub(super) fn announcement_is_over(&mut self) {
        self.announced_until = None;
    }

    pub(super) fn drain(&mut self, now: Time, timeout: Option<Duration>) {
        if self.drain_until.is_none() {
            self.drain_until = timeout.map(|timeout| now + timeout);
        }
    }

    pub(super) fn keep_alive_answered(&mut self) {
        self.asked_at = None;
    }
}

/// A kind of deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Preface,
    SettingsAck,
    FieldBlock,
    Transport,
    ConnectionWindow,
    StreamWindow(StreamId),
    Linger(StreamId),
    Idle,
    Announcement,
    Drain,
    AskPeer,
    PeerGone,
}

impl Connection {
    /// Returns when to call [`handle_timeout`](Self::handle_timeout), if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.next_due().map(|(at, _)| at)
    }

    /// Acts on every deadline that has passed.
    ///
    /// A call before the deadline has no effect. If the caller was delayed, it passes pending input to
    /// [`recv`](Self::recv) first: the peer may have met the deadline.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use http2_engine::{Config, Connection, ConnectionError, Time, Violation};
    ///
    /// let mut config = Config::default();
    /// config.preface_timeout = Some(Duration::from_secs(10));
    /// let mut server = Connection::server(config)?;
    /// server.handle_timeout(Time::default());
    /// // No client says anything.
    /// let deadline = server.poll_timeout().expect("a deadline");
    /// assert_eq!(deadline, Time::default() + Duration::from_secs(10));
    /// server.handle_timeout(deadline);
    /// assert_eq!(server.close_reason(), Some(Err(&ConnectionError::Violation(Violation::TooSlow))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn handle_timeout(&mut self, now: Time) {
        self.advance(now);
        while let Some((at, due)) = self.next_due()
            && at <= self.now
        {
            self.act(due);
        }
        self.arm_timers();
    }

    /// Returns the first deadline; each is the start of a condition plus its timeout.
    fn next_due(&self) -> Option<(Time, Due)> {
        if self.close_reason.is_some() {
            return None;
        }
        let config = &self.config;
        let timers = &self.timers;
        let after = |since: Option<Time>, timeout: Option<Duration>| Some(since? + timeout?);
        let started = timers.started.filter(|_| !self.reader.has_preface());
        let no_stream = timers.idle_since.filter(|_| self.phase == Phase::Running && !self.streams.is_busy());
        let stall_timeout = self.stall_timeout();
        let untaken = timers.untaken.map(|stall| stall.since);
        let window =
            timers.window_closed.filter(|_| self.sending.is_window_closed()).map(|stall| stall.since);
        let lingering = self.lingering.first();
        let stalled = self.sending.first_stalled();
        let announced =
            timers.announced_until.filter(|_| matches!(self.phase, Phase::Announced | Phase::HalfClosed));
        // A peer that has ended its direction answers nothing.
        let answers = self.phase != Phase::HalfClosed;
        let unacknowledged = self.local.waiting_since().filter(|_| answers);
        let asked = timers.asked_at.filter(|_| answers);
        let quiet = timers.started.filter(|_| answers && asked.is_none()).map(|_| timers.heard);
        [
            (after(started, config.preface_timeout), Due::Preface),
            (after(unacknowledged, config.settings_timeout), Due::SettingsAck),
            (after(self.block.as_ref().map(|block| block.since), config.headers_timeout), Due::FieldBlock),
            (after(untaken, stall_timeout), Due::Transport),
            (after(window, stall_timeout), Due::ConnectionWindow),
            (
                after(stalled.map(|(since, _)| since), stall_timeout),
                Due::StreamWindow(stalled.map_or(StreamId::CONNECTION, |(_, id)| id)),
            ),
            (
                lingering.map(|(until, _)| until),
                Due::Linger(lingering.map_or(StreamId::CONNECTION, |(_, id)| id)),
            ),
            (after(no_stream, config.idle_timeout), Due::Idle),
            (announced, Due::Announcement),
            (timers.drain_until, Due::Drain),
            (after(quiet, config.keep_alive.map(|keep_alive| keep_alive.interval)), Due::AskPeer),
            (after(asked, config.keep_alive.map(|keep_alive| keep_alive.timeout)), Due::PeerGone),
        ]
        .into_iter()
        .filter_map(|(at, due)| Some((at?, due)))
        .min_by_key(|&(at, _)| at)
    }

    fn act(&mut self, due: Due) {
        match due {
            Due::Preface | Due::FieldBlock | Due::Transport => self.fail(Violation::TooSlow),
            Due::ConnectionWindow => {
                // All streams with content share the window.
                self.sending.scheduled().into_iter().for_each(|id| self.reset_stalled(id));
            }
            Due::StreamWindow(id) => self.reset_stalled(id),
            Due::Linger(id) => self.linger_timed_out(id),
            Due::SettingsAck => self.fail(Violation::SettingsTimeout),
            Due::PeerGone => self.fail(Violation::PingTimeout),
            Due::Idle => self.shutdown(self.now),
            Due::Announcement => self.finish_shutdown(),
            Due::Drain => self.drain_timeout(),
            Due::AskPeer => {
                self.timers.asked_at = Some(self.now);
                self.pings.send_own(Purpose::KeepAlive);
            }
        }
    }

    /// Returns how long pending output may stall.
    fn stall_timeout(&self) -> Option<Duration> {
        let Config { stall_timeout, crowded_stall_timeout, .. } = self.config;
        stall_timeout.map(|timeout| {
            if self.sending.is_crowded() { timeout.min(crowded_stall_timeout) } else { timeout }
        })
    }

    fn reset_stalled(&mut self, id: StreamId) {
        let violation = Violation::StreamStalled;
        let error = StreamError::of_violation(violation);
        self.emit_reset(id, error);
        self.reset_stream(id, error);
    }

    /// Records when the current conditions began.
    ///
    /// Operations do not pass the time, so conditions that they cause count from the next call that does.
    pub(super) fn arm_timers(&mut self) {
        let untaken = self.has_output();
        let idle = !self.streams.is_busy();
        let content_waits = self.sending.is_scheduled();
        let window_closed = self.sending.is_window_closed();
        let now = self.now;
        let timers = &mut self.timers;
        if timers.started.is_none() {
            timers.started = Some(now);
            timers.heard = now;
        }
        timers.untaken = untaken.then(|| timers.untaken.unwrap_or(Stall::new(now)));
        timers.idle_since = idle.then(|| timers.idle_since.unwrap_or(now));
        // A window that opens and is used up at once does not end the stall: see `content_sent`.
        timers.window_closed =
            timers.window_closed.filter(|_| content_waits).or_else(|| window_closed.then(|| Stall::new(now)));
    }
}
