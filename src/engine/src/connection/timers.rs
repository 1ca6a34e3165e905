//! Deadlines: all that depends on time goes through [`Connection::poll_timeout`].

use core::time::Duration;

use super::Connection;
use super::control::Purpose;
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
    /// Until when the streams may go on after a shutdown.
    drain_until: Option<Time>,
    /// When a keep-alive PING was sent that has no answer yet.
    asked_at: Option<Time>,
}

impl Timers {
    pub(super) fn heard(&mut self, now: Time) {
        self.started.get_or_insert(now);
        self.heard = now;
    }

    pub(super) fn transmitted(&mut self, now: Time, any: bool) {
        if self.started.is_none() {
            self.started = Some(now);
            self.heard = now;
            self.idle_since = Some(now);
        }
        if any {
            self.untaken_since = None;
        }
    }

    pub(super) fn window_closed(&mut self, now: Time) {
        self.window_closed_since.get_or_insert(now);
    }

    pub(super) fn window_opened(&mut self) {
        self.window_closed_since = None;
    }

    pub(super) fn idle(&mut self, now: Time) {
        self.idle_since = Some(now);
    }

    pub(super) fn busy(&mut self) {
        self.idle_since = None;
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
    pub fn handle_timeout(&mut self, now: Time) {
        self.advance(now);
        while let Some((at, due)) = self.next_due()
            && at <= self.now
        {
            self.act(due);
        }
        self.arm_stall();
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
        let settings = self.local.waiting_since().and(self.settings_sent_at());
        let no_stream = timers.idle_since.filter(|_| self.counts.local.saturating_add(self.counts.peer) == 0);
        let window = timers.window_closed_since.filter(|_| !self.scheduler.is_empty());
        let stalled = self.first_blocked();
        let asked = timers.asked_at;
        let quiet = timers.started.filter(|_| asked.is_none()).map(|_| timers.heard);
        [
            (after(started, config.preface_timeout), Due::Preface),
            (after(settings, config.settings_timeout), Due::SettingsAck),
            (after(self.block.as_ref().map(|block| block.since), config.headers_timeout), Due::FieldBlock),
            (after(timers.untaken_since, config.stall_timeout), Due::Transport),
            (after(window, config.stall_timeout), Due::ConnectionWindow),
            (
                after(stalled.map(|(since, _)| since), config.stall_timeout),
                Due::StreamWindow(stalled.map_or(StreamId::CONNECTION, |(_, id)| id)),
            ),
            (after(no_stream, config.idle_timeout), Due::Idle),
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
                self.reset_stream(id, error);
                self.tell_reset(id, error);
                self.drop_unblocked();
            }
            Due::Idle => {
                self.timers.busy();
                self.shutdown(self.now);
            }
            Due::Drain => self.drain_timeout(),
            Due::AskPeer => {
                self.timers.asked_at = Some(self.now);
                self.pings.send_own(Purpose::KeepAlive);
            }
        }
    }

    /// When the oldest SETTINGS without an answer were handed out, not before the connection began.
    fn settings_sent_at(&self) -> Option<Time> {
        Some(self.local.waiting_since()?.max(self.timers.started?))
    }

    /// Notes since when output waits.
    pub(super) fn arm_stall(&mut self) {
        if !self.has_output() {
            self.timers.untaken_since = None;
        } else if self.timers.untaken_since.is_none() {
            self.timers.untaken_since = Some(self.now);
        }
        self.drop_unblocked();
    }

    /// The stream that has waited longest for its window.
    fn first_blocked(&self) -> Option<(Time, StreamId)> {
        let &id = self.blocked.front()?;
        Some((self.streams.get(id)?.send.blocked_since?, id))
    }

    /// Keeps the queue of blocked streams such that its front is blocked, and for the longest time.
    fn drop_unblocked(&mut self) {
        while let Some(&id) = self.blocked.front() {
            let Some(stream) = self.streams.get_mut(id) else {
                self.blocked.pop_front();
                continue;
            };
            if stream.send.blocked_since.is_some() {
                break;
            }
            stream.send.watched = false;
            self.blocked.pop_front();
        }
    }
}
