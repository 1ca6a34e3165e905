//! Deadlines: all that depends on time goes through [`Connection::poll_timeout`].

use core::time::Duration;

use super::Connection;
use super::control::Purpose;
use super::shutdown::Phase;
use crate::error::{StreamError, Violation};
use crate::frame::StreamId;
use crate::time::Time;

/// Since when things are so, or until when they may be.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// When the connection began: at the first call that told the time.
    started: Option<Time>,
    /// When octets last arrived.
    heard: Time,
    /// Since when output waits that nobody takes.
    untaken_since: Option<Time>,
    /// Since when content waits for the window of the connection.
    window_closed_since: Option<Time>,
    /// Since when there has been no stream.
    idle_since: Option<Time>,
    /// Until when the peer may acknowledge that a shutdown was announced.
    announced_until: Option<Time>,
    /// Until when the streams may go on after a shutdown.
    drain_until: Option<Time>,
    /// When a keep-alive PING was sent that has no answer yet.
    asked_at: Option<Time>,
}

impl Timers {
    pub(super) fn heard(&mut self, now: Time) {
        self.heard = now;
    }

    /// The transport has taken something.
    pub(super) fn taken(&mut self) {
        self.untaken_since = None;
    }

    /// The peer has raised the window of the connection.
    pub(super) fn window_moved(&mut self) {
        self.window_closed_since = None;
    }

    pub(super) fn announced(&mut self, until: Time) {
        self.announced_until = Some(until);
    }

    pub(super) fn drain(&mut self, now: Time, timeout: Option<Duration>) {
        self.drain_until = timeout.map(|timeout| now + timeout);
    }

    pub(super) fn keep_alive_answered(&mut self) {
        self.asked_at = None;
    }
}

/// What is due at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Preface,
    SettingsAck,
    FieldBlock,
    Transport,
    ConnectionWindow,
    StreamWindow(StreamId),
    Idle,
    Announcement,
    Drain,
    AskPeer,
    PeerGone,
}

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.next_due().map(|(at, _)| at)
    }

    /// Acts on every deadline that has passed. Calling it too early does nothing.
    ///
    /// Who was held up gives what has arrived to [`recv`](Self::recv) first: a peer that has kept its deadlines is not to be
    /// blamed for it.
    pub fn handle_timeout(&mut self, now: Time) {
        self.advance(now);
        while let Some((at, due)) = self.next_due()
            && at <= self.now
        {
            self.act(due);
        }
        self.arm_timers();
    }

    /// The first deadline. Each is its beginning and how long it may take.
    fn next_due(&self) -> Option<(Time, Due)> {
        if self.close_reason.is_some() {
            return None;
        }
        let config = &self.config;
        let timers = &self.timers;
        let after = |since: Option<Time>, timeout: Option<Duration>| Some(since? + timeout?);
        let started = timers.started.filter(|_| !self.reader.has_preface());
        let no_stream = timers.idle_since.filter(|_| self.phase == Phase::Running && !self.is_busy());
        let window = timers.window_closed_since.filter(|_| !self.scheduler.is_empty());
        let stalled = self.blocked.first().copied();
        let announced = timers.announced_until.filter(|_| self.phase == Phase::Announced);
        let asked = timers.asked_at;
        let quiet = timers.started.filter(|_| asked.is_none()).map(|_| timers.heard);
        [
            (after(started, config.preface_timeout), Due::Preface),
            (after(self.local.waiting_since(), config.settings_timeout), Due::SettingsAck),
            (after(self.block.as_ref().map(|block| block.since), config.headers_timeout), Due::FieldBlock),
            (after(timers.untaken_since, config.stall_timeout), Due::Transport),
            (after(window, config.stall_timeout), Due::ConnectionWindow),
            (
                after(stalled.map(|(since, _)| since), config.stall_timeout),
                Due::StreamWindow(stalled.map_or(StreamId::CONNECTION, |(_, id)| id)),
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
            Due::Preface | Due::FieldBlock | Due::Transport | Due::ConnectionWindow => {
                self.fail(Violation::TooSlow);
            }
            Due::SettingsAck => self.fail(Violation::SettingsTimeout),
            Due::PeerGone => self.fail(Violation::PingTimeout),
            Due::StreamWindow(id) => {
                let violation = Violation::StreamStalled;
                let error =
                    StreamError { violation: Some(violation), ..StreamError::local(violation.code()) };
                self.tell_reset(id, error);
                self.reset_stream(id, error);
            }
            Due::Idle => self.shutdown(self.now),
            Due::Announcement => self.finish_shutdown(),
            Due::Drain => self.drain_timeout(),
            Due::AskPeer => {
                self.timers.asked_at = Some(self.now);
                self.pings.send_own(Purpose::KeepAlive);
            }
        }
    }

    /// Notes since when things are as they are now. Operations do not tell the time, so what they bring about
    /// counts from the next call that does.
    pub(super) fn arm_timers(&mut self) {
        let untaken = self.has_output();
        let idle = !self.is_busy();
        let window_closed = self.send_window <= 0 && !self.scheduler.is_empty();
        let now = self.now;
        let timers = &mut self.timers;
        if timers.started.is_none() {
            timers.started = Some(now);
            timers.heard = now;
        }
        for (since, holds) in [
            (&mut timers.untaken_since, untaken),
            (&mut timers.idle_since, idle),
            (&mut timers.window_closed_since, window_closed),
        ] {
            *since = holds.then(|| since.unwrap_or(now));
        }
    }
}
