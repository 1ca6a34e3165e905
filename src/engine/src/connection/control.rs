//! Control frames: SETTINGS, PING, WINDOW_UPDATE, priorities, extensions.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Connection, first_settings, input};
use crate::abuse::AbuseCause;
use crate::config::{ConfigError, check_setting};
use crate::error::{SendError, Violation};
use crate::event::Event;
use crate::frame::{
    AltSvc, FrameHeader, FrameType, Origin, Ping, PriorityFrame, PriorityUpdate, SettingId, SettingsFrame,
    StreamId, WindowUpdate,
};
use crate::priority::Priority;
use crate::settings::{DEFAULT_WINDOW, MAX_WINDOW};
use crate::stream::State;
use crate::time::Time;

/// Number of origins kept from one ORIGIN frame.
const ORIGINS: usize = 128;

impl Connection {
    /// Writes the connection preface, SETTINGS, and the window of the connection (RFC 9113, 3.4).
    pub(super) fn write_preface(&mut self) {
        if self.is_client() {
            self.control.extend_from_slice(input::PREFACE);
        }
        let parameters = first_settings(self.role, &self.config);
        self.write_settings(parameters);
        let increment = self.config.connection_window.saturating_sub(DEFAULT_WINDOW);
        if increment > 0 {
            // Cannot exceed the limit: the configuration was checked.
            let _ = self.connection_window_update(increment);
        }
    }

    fn write_settings(&mut self, parameters: Vec<(SettingId, u32)>) {
        self.write_control(|out| SettingsFrame::encode(&parameters, out));
        self.local.sent(parameters);
    }

    /// Sends SETTINGS.
    ///
    /// They bind the peer once it has acknowledged them ([`Event::SettingsAcknowledged`]).
    ///
    /// # Errors
    ///
    /// Returns an error, and sends nothing, if a value is invalid or exceeds a limit, or if a setting must not be
    /// changed: ENABLE_PUSH by a server, ENABLE_CONNECT_PROTOCOL by a client or back to 0, NO_RFC7540_PRIORITIES at
    /// all.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::SettingId;
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    ///
    /// server.change_settings(&[(SettingId::MAX_CONCURRENT_STREAMS, 5)])?;
    /// assert_eq!(server.local_settings().max_concurrent_streams, Some(100), "not acknowledged yet");
    /// carry(&mut client, &mut server);
    /// assert_eq!(server.local_settings().max_concurrent_streams, Some(5));
    /// assert_eq!(client.peer_settings().max_concurrent_streams, Some(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn change_settings(&mut self, settings: &[(SettingId, u32)]) -> Result<(), ConfigError> {
        for &(id, value) in settings {
            check_setting(id, value)?;
            match id {
                SettingId::ENABLE_PUSH if !self.is_client() => return Err(ConfigError::Role),
                SettingId::ENABLE_CONNECT_PROTOCOL if self.is_client() => return Err(ConfigError::Role),
                SettingId::ENABLE_CONNECT_PROTOCOL
                    if value == 0 && self.local.wanted.enable_connect_protocol =>
                {
                    return Err(ConfigError::ConnectProtocolWithdrawn);
                }
                SettingId::NO_RFC7540_PRIORITIES => return Err(ConfigError::PrioritiesChanged),
                SettingId::MAX_HEADER_LIST_SIZE if value > self.config.limits.field_section_hard => {
                    return Err(ConfigError::HeaderListSize);
                }
                SettingId::INITIAL_WINDOW_SIZE if self.would_overflow(value) => {
                    return Err(ConfigError::StreamWindowOverflow);
                }
                _ => {}
            }
        }
        self.write_settings(settings.to_vec());
        for &(id, value) in settings {
            match id {
                SettingId::MAX_HEADER_LIST_SIZE => self.config.max_header_list_size = value,
                SettingId::INITIAL_WINDOW_SIZE => self.bandwidth.set_stream_window(value),
                _ => {}
            }
        }
        // If the window of a stream was lowered, credit that was not due before may now be all that lets the peer
        // continue.
        for id in self.streams.ids() {
            self.credit_stream(id);
        }
        self.admit_arriving();
        Ok(())
    }

    /// Returns whether an initial window of `initial` would overflow a stream whose window was raised
    /// (RFC 9113, 6.9.2).
    fn would_overflow(&self, initial: u32) -> bool {
        let mut open = self.streams.iter().filter(|stream| !stream.is_closed());
        open.any(|stream| stream.recv.window.available(initial) > i64::from(MAX_WINDOW))
    }

    /// Handles SETTINGS: applies all parameters in order, or none, and acknowledges them at once (RFC 9113, 6.5.3).
    pub(super) fn recv_settings(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let settings = SettingsFrame::parse(header, payload)?;
        if settings.is_ack() {
            return self.recv_settings_ack();
        }
        if settings.iter().len() > self.config.limits.settings {
            return Err(Violation::TooManySettings);
        }
        // Check all parameters before applying any.
        for (id, value) in settings.iter() {
            id.check(value)?;
            self.check_peer_setting(id, value)?;
        }
        let old_window = self.peer.initial_window_size;
        for (id, value) in settings.iter() {
            if id == SettingId::HEADER_TABLE_SIZE {
                self.encoder.set_max_table_size(value);
            }
            self.peer.apply(id, value);
        }
        self.initial_window_changed(old_window)?;
        self.peer_settings_known = true;
        self.write_control(SettingsFrame::encode_ack);
        self.events.push_back(Event::PeerSettings);
        self.tell_streams_available();
        Ok(())
    }

    /// Checks the rules that depend on the sender's role or on earlier SETTINGS.
    fn check_peer_setting(&self, id: SettingId, value: u32) -> Result<(), Violation> {
        let bad = match id {
            // RFC 9113, 6.5.2: a server cannot enable push.
            SettingId::ENABLE_PUSH => self.is_client() && value != 0,
            // RFC 8441, 3.
            SettingId::ENABLE_CONNECT_PROTOCOL => value == 0 && self.peer.enable_connect_protocol,
            // RFC 9218, 2.1: it must not change after the first frame.
            SettingId::NO_RFC7540_PRIORITIES => {
                self.peer_settings_known && (value != 0) != self.peer.no_rfc7540_priorities
            }
            _ => false,
        };
        if bad { Err(Violation::BadSetting) } else { Ok(()) }
    }

    /// Applies a change of the peer's SETTINGS_INITIAL_WINDOW_SIZE to the windows of all streams (RFC 9113, 6.9.2).
    fn initial_window_changed(&mut self, old: u32) -> Result<(), Violation> {
        let initial = i64::from(self.peer.initial_window_size);
        if initial.saturating_add(self.highest_delta) > i64::from(MAX_WINDOW) {
            let open = self.streams.iter().filter(|stream| !stream.is_closed());
            self.highest_delta = open.map(|stream| stream.send.window_delta).max().unwrap_or(0).max(0);
            if initial.saturating_add(self.highest_delta) > i64::from(MAX_WINDOW) {
                return Err(Violation::ConnectionWindowOverflow);
            }
        }
        if self.peer.initial_window_size > old {
            let blocked: Vec<_> = self.blocked.iter().map(|&(_, id)| id).collect();
            self.charge(AbuseCause::Settings, u32::try_from(blocked.len() / 16).unwrap_or(u32::MAX))?;
            for id in blocked {
                self.unblock(id);
            }
        }
        Ok(())
    }

    /// Handles an acknowledgement: from now on, the oldest pending SETTINGS bind the peer (RFC 9113, 6.5.3, 6.9.3).
    fn recv_settings_ack(&mut self) -> Result<(), Violation> {
        let parameters = self.local.acknowledge().ok_or(Violation::UnexpectedSettingsAck)?;
        for (id, value) in parameters {
            if id == SettingId::HEADER_TABLE_SIZE {
                self.decoder.set_max_table_size(value);
            }
        }
        self.events.push_back(Event::SettingsAcknowledged);
        Ok(())
    }

    /// Handles WINDOW_UPDATE (RFC 9113, 6.9), and enforces the limit of a window (RFC 9113, 6.9.1).
    ///
    /// A WINDOW_UPDATE for a closed stream is ignored.
    pub(super) fn recv_window_update(
        &mut self,
        header: FrameHeader,
        payload: &[u8],
    ) -> Result<(), Violation> {
        let update = WindowUpdate::parse(header, payload)?;
        let increment = i64::from(update.increment);
        if header.stream_id.is_connection() {
            if increment == 0 {
                return Err(Violation::ZeroConnectionIncrement);
            }
            self.send_window = self.send_window.saturating_add(increment);
            if self.send_window > i64::from(MAX_WINDOW) {
                return Err(Violation::ConnectionWindowOverflow);
            }
            return Ok(());
        }
        let id = header.stream_id;
        if self.is_idle(id) {
            return Err(Violation::IdleStream);
        }
        let Some(stream) = self.streams.get_mut(id).filter(|stream| !stream.is_closed()) else {
            // The peer sent it before it knew that the stream had ended (RFC 9113, 5.1).
            return Ok(());
        };
        if stream.state == State::ReservedRemote {
            return Err(Violation::ReservedStream);
        }
        if increment == 0 {
            return Err(Violation::ZeroStreamIncrement);
        }
        let delta = stream.send.window_delta.saturating_add(increment);
        if delta.saturating_add(i64::from(self.peer.initial_window_size)) > i64::from(MAX_WINDOW) {
            return Err(Violation::StreamWindowOverflow);
        }
        stream.send.window_delta = delta;
        self.highest_delta = self.highest_delta.max(delta);
        self.unblock(id);
        Ok(())
    }

    /// Handles PING: answers it with the same payload, unless it is an answer itself (RFC 9113, 6.7).
    pub(super) fn recv_ping(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let ping = Ping::parse(header, payload)?;
        if !ping.ack {
            self.pongs.push(ping.opaque_data);
            return Ok(());
        }
        let Some(answered) = self.pings.answered(ping.opaque_data) else { return Ok(()) };
        let round_trip = self.now - answered.sent_at;
        self.stats.round_trip_nanos = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX);
        match answered.purpose {
            Purpose::Caller => {
                self.events.push_back(Event::Pong { payload: ping.opaque_data, round_trip });
            }
            Purpose::Bandwidth => self.bandwidth.finish(round_trip),
            Purpose::KeepAlive => self.timers.keep_alive_answered(),
            Purpose::Shutdown => self.finish_shutdown(),
        }
        Ok(())
    }

    /// Sends a PING with the caller's payload; [`Event::Pong`] reports the answer.
    ///
    /// Several PINGs may be outstanding.
    ///
    /// # Errors
    ///
    /// [`SendError::WouldBlock`] if [`Limits::pings`](crate::Limits::pings) are outstanding; [`SendError::Closed`]
    /// if the connection has ended.
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use http2_engine::{Event, Time};
    /// # let (mut client, mut server) = pair();
    /// # carry(&mut client, &mut server);
    /// # while client.poll_event().is_some() {}
    ///
    /// client.ping(*b"question")?;
    /// let (sent, answered) = (Time::from_nanos(0), Time::from_nanos(20_000_000));
    /// let (mut there, mut back) = (Vec::new(), Vec::new());
    /// client.poll_transmit(sent, &mut there, 1_000);
    /// assert_eq!(server.recv(sent, &mut there.into()), 17);
    /// server.poll_transmit(sent, &mut back, 1_000);
    /// assert_eq!(client.recv(answered, &mut back.into()), 17);
    /// let Some(Event::Pong { payload, round_trip }) = client.poll_event() else { panic!("no answer") };
    /// assert_eq!((&payload, round_trip), (b"question", Duration::from_millis(20)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn ping(&mut self, payload: [u8; 8]) -> Result<(), SendError> {
        if self.close_reason.is_some() {
            return Err(SendError::Closed);
        }
        if self.pings.of_caller() >= self.config.limits.pings {
            return Err(SendError::WouldBlock);
        }
        self.pings.send(Purpose::Caller, payload);
        Ok(())
    }

    /// Handles PRIORITY, which has no effect but must be well-formed (RFC 9113, 6.3, 5.3.2).
    pub(super) fn recv_priority(&mut self, header: FrameHeader, payload: &[u8]) -> Result<(), Violation> {
        let priority = PriorityFrame::parse(header, payload)?;
        if priority.is_self_dependent() { Err(Violation::SelfDependency) } else { Ok(()) }
    }

    pub(super) fn recv_priority_update(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let update = PriorityUpdate::parse(payload)?;
        let id = update.prioritized_id;
        // RFC 9218, 7.1: only clients send it, and a push must have been promised.
        if self.is_client() || id.is_connection() || (id.is_server_initiated() && self.is_idle(id)) {
            return Err(Violation::BadPriorityUpdate);
        }
        let priority = Priority::parse(update.field_value);
        if !self.is_idle(id) {
            if self.streams.get(id).is_some_and(|stream| !stream.is_closed()) {
                self.reprioritize(id, priority);
                if self.streams.get(id).is_some_and(|stream| stream.app_owned) {
                    self.events.push_back(Event::PriorityUpdate { id, priority });
                }
            }
            return Ok(());
        }
        // This endpoint will not accept a request above the last stream, so its priority does not matter.
        if self.is_above_last(id) {
            return Ok(());
        }
        let max = self.max_peer_streams();
        let prioritized = self.early_priorities.len().saturating_add(self.counts.peer);
        match self.early_priorities.iter_mut().find(|(early, _)| *early == id) {
            Some(early) => early.1 = priority,
            None if prioritized >= max => return Err(Violation::BadPriorityUpdate),
            None => self.early_priorities.push((id, priority)),
        }
        Ok(())
    }

    /// Takes the priority that was received before the request, and drops those of skipped streams.
    pub(super) fn take_early_priority(&mut self, id: StreamId) -> Option<Priority> {
        if self.early_priorities.is_empty() {
            return None;
        }
        let found =
            self.early_priorities.iter().find(|(early, _)| *early == id).map(|&(_, priority)| priority);
        self.early_priorities.retain(|&(early, _)| early > id);
        found
    }

    /// Sets the priority of a stream.
    ///
    /// A server schedules the response accordingly. A client asks the server to do so with PRIORITY_UPDATE
    /// (RFC 9218, 7.1), and schedules its own request accordingly.
    ///
    /// # Errors
    ///
    /// [`SendError::UnknownStream`].
    ///
    /// # Examples
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use http2_engine::Priority;
    /// # let (mut client, mut server) = pair();
    ///
    /// let id = client.open(&request("GET"), true)?;
    /// client.set_priority(id, Priority::new(0, false))?;
    /// carry(&mut client, &mut server);
    /// assert_eq!(server.priority(id), Some(Priority::new(0, false)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_priority(&mut self, id: StreamId, priority: Priority) -> Result<(), SendError> {
        let stream = self.streams.get_mut(id).ok_or(SendError::UnknownStream)?;
        let under_way = stream.state.counts();
        if let Some(waiting) = &mut stream.waiting {
            waiting.reprioritized = true;
        }
        self.reprioritize(id, priority);
        if self.is_client() && under_way {
            self.write_priority_update(id);
        }
        Ok(())
    }

    pub(super) fn write_priority_update(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get(id) else { return };
        let value = stream.priority.to_string();
        let update = PriorityUpdate { prioritized_id: id, field_value: value.as_bytes() };
        self.write_control(|out| update.encode(out));
    }

    fn reprioritize(&mut self, id: StreamId, priority: Priority) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let old = stream.place();
        stream.priority = priority;
        stream.prioritized = true;
        let (new, scheduled) = (stream.place(), stream.send.scheduled);
        if scheduled && new != old {
            self.scheduler.remove(id, old);
            self.scheduler.push(id, new);
        }
    }

    /// Server: names the origins for which it wants requests (RFC 8336).
    ///
    /// # Errors
    ///
    /// [`SendError::Role`] for a client; [`SendError::TooLarge`] if the origins do not fit in a frame.
    pub fn send_origin(&mut self, origins: &[&[u8]]) -> Result<(), SendError> {
        let bytes: usize = origins.iter().map(|origin| origin.len().saturating_add(2)).sum();
        self.check_extension(bytes)?;
        if origins.iter().any(|origin| origin.len() > usize::from(u16::MAX)) {
            return Err(SendError::TooLarge);
        }
        self.write_control(|out| Origin::encode(origins, out));
        Ok(())
    }

    /// Server: names an alternative service (RFC 7838, 4), for an origin on stream 0, or for the origin of a
    /// stream.
    ///
    /// # Errors
    ///
    /// [`SendError::Role`] for a client; [`SendError::AltSvcTarget`] if both or neither of stream and origin are named;
    /// [`SendError::TooLarge`] if the service does not fit in a frame; [`SendError::UnknownStream`].
    pub fn send_alt_svc(
        &mut self,
        stream_id: StreamId,
        origin: &[u8],
        value: &[u8],
    ) -> Result<(), SendError> {
        self.check_extension(origin.len().saturating_add(value.len()).saturating_add(2))?;
        if stream_id.is_connection() == origin.is_empty() {
            return Err(SendError::AltSvcTarget);
        }
        if !stream_id.is_connection() && self.streams.get(stream_id).is_none() {
            return Err(SendError::UnknownStream);
        }
        self.write_control(|out| AltSvc { stream_id, origin, field_value: value }.encode(out));
        Ok(())
    }

    /// Sends a frame of an extension (RFC 9113, 5.5), on a stream or, with stream 0, for the connection.
    ///
    /// A peer that does not know the type ignores the frame.
    ///
    /// # Errors
    ///
    /// [`SendError::KnownFrameType`] if the engine sends frames of this type itself; [`SendError::TooLarge`] if the
    /// payload does not fit in a frame; [`SendError::Closed`] if the connection has ended.
    pub fn send_unknown_frame(
        &mut self,
        kind: u8,
        flags: u8,
        stream_id: StreamId,
        payload: &[u8],
    ) -> Result<(), SendError> {
        let kind = FrameType(kind);
        if kind.name().is_some() {
            return Err(SendError::KnownFrameType);
        }
        if payload.len() > self.peer.max_frame_size as usize {
            return Err(SendError::TooLarge);
        }
        if self.close_reason.is_some() {
            return Err(SendError::Closed);
        }
        self.write_control(|out| {
            FrameHeader::new(kind, flags, stream_id, payload.len()).encode(out);
            out.extend_from_slice(payload);
        });
        Ok(())
    }

    fn check_extension(&self, bytes: usize) -> Result<(), SendError> {
        if self.is_client() {
            return Err(SendError::Role);
        }
        if bytes > self.peer.max_frame_size as usize {
            return Err(SendError::TooLarge);
        }
        Ok(())
    }

    /// Handles ORIGIN; a server ignores it, and a client ignores an invalid one (RFC 8336, 2).
    pub(super) fn recv_origin(&mut self, header: FrameHeader, payload: &[u8]) {
        if let Some(frame) = Origin::parse(header, payload).filter(|_| self.is_client()) {
            let origins = frame.iter().take(ORIGINS).map(Bytes::copy_from_slice).collect();
            self.events.push_back(Event::Origin { origins });
        }
    }

    /// Handles ALTSVC; a server ignores it, and a client ignores an invalid one (RFC 7838, 4).
    pub(super) fn recv_altsvc(&mut self, header: FrameHeader, payload: &[u8]) {
        if let Some(frame) = AltSvc::parse(header, payload).filter(|_| self.is_client()) {
            self.events.push_back(Event::AltSvc {
                id: frame.stream_id,
                origin: Bytes::copy_from_slice(frame.origin),
                value: Bytes::copy_from_slice(frame.field_value),
            });
        }
    }
}

/// The purpose of a PING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Caller,
    Bandwidth,
    KeepAlive,
    Shutdown,
}

/// A PING that was handed to the transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) purpose: Purpose,
    pub(super) payload: [u8; 8],
    pub(super) sent_at: Time,
}

/// This endpoint's PINGs, unsent and unanswered.
#[derive(Debug, Default)]
pub(super) struct Pings {
    unsent: VecDeque<(Purpose, [u8; 8])>,
    unanswered: VecDeque<Sent>,
    /// Sequence number of the engine's own PINGs.
    next: u32,
}

impl Pings {
    pub(super) fn send(&mut self, purpose: Purpose, payload: [u8; 8]) {
        self.unsent.push_back((purpose, payload));
    }

    /// Sends a PING of the engine's own, with a unique payload.
    pub(super) fn send_own(&mut self, purpose: Purpose) {
        let mut payload = *b"engn\0\0\0\0";
        if let Some(number) = payload.last_chunk_mut::<4>() {
            *number = self.next.to_be_bytes();
        }
        self.next = self.next.wrapping_add(1);
        self.send(purpose, payload);
    }

    pub(super) fn measure_bandwidth(&mut self) {
        self.send_own(Purpose::Bandwidth);
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Moves the oldest unsent PING to the unanswered ones, and returns its payload.
    pub(super) fn take_unsent(&mut self, now: Time) -> Option<[u8; 8]> {
        let (purpose, payload) = self.unsent.pop_front()?;
        self.unanswered.push_back(Sent { purpose, payload, sent_at: now });
        Some(payload)
    }

    /// Removes and returns the PING that this payload answers.
    fn answered(&mut self, payload: [u8; 8]) -> Option<Sent> {
        let at = self.unanswered.iter().position(|sent| sent.payload == payload)?;
        self.unanswered.remove(at)
    }

    fn of_caller(&self) -> usize {
        let unsent = self.unsent.iter().map(|&(purpose, _)| purpose);
        let unanswered = self.unanswered.iter().map(|sent| sent.purpose);
        unsent.chain(unanswered).filter(|&purpose| purpose == Purpose::Caller).count()
    }
}
