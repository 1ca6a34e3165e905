//! SETTINGS in both directions (RFC 9113, 6.5), and the connection preface.

use super::{Connection, Role, input};
use crate::abuse::AbuseCause;
use crate::config::{Config, ConfigError, check_setting};
use crate::error::Violation;
use crate::event::Event;
use crate::frame::{FrameHeader, SettingId, SettingsFrame};
use crate::settings::{DEFAULT_WINDOW, MAX_WINDOW, Settings};

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
                SettingId::INITIAL_WINDOW_SIZE => self.receiving.bandwidth_mut().set_stream_window(value),
                _ => {}
            }
        }
        // If the window of a stream was lowered, credit that was not due before may now be all that lets the peer
        // continue.
        if settings.iter().any(|&(id, _)| id == SettingId::INITIAL_WINDOW_SIZE) {
            for id in self.streams.ids() {
                self.credit_stream(id);
            }
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
        for (id, value) in settings.iter() {
            if id == SettingId::HEADER_TABLE_SIZE {
                self.encoder.set_max_table_size(value);
            }
            self.peer.apply(id, value);
        }
        self.apply_initial_window()?;
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

    /// Applies the peer's initial window to all streams (RFC 9113, 6.9.2).
    fn apply_initial_window(&mut self) -> Result<(), Violation> {
        let initial = self.peer.initial_window_size;
        let work = self
            .sending
            .set_initial_window(&mut self.streams, initial)
            .ok_or(Violation::ConnectionWindowOverflow)?;
        if work > 0 {
            self.charge(AbuseCause::Settings, u32::try_from(work / 16).unwrap_or(u32::MAX))?;
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
}

/// Returns the parameters of the first SETTINGS: the values that differ from the defaults, the limits, and those that
/// the caller wants to send in any case.
fn first_settings(role: Role, config: &Config) -> Vec<(SettingId, u32)> {
    let initial = Settings::INITIAL;
    let explicit = |id| config.explicit_settings.contains(&id);
    let unless = |id, value: u32, default: u32| (value != default || explicit(id)).then_some((id, value));
    let client = role == Role::Client;
    [
        unless(SettingId::HEADER_TABLE_SIZE, config.header_table_size, initial.header_table_size),
        unless(SettingId::ENABLE_PUSH, u32::from(!client || config.enable_push), 1),
        unless(SettingId::MAX_CONCURRENT_STREAMS, config.max_concurrent_streams, u32::MAX)
            .filter(|&(id, _)| !client || config.enable_push || explicit(id)),
        unless(SettingId::INITIAL_WINDOW_SIZE, config.initial_window_size, initial.initial_window_size),
        unless(SettingId::MAX_FRAME_SIZE, config.max_frame_size, initial.max_frame_size),
        unless(SettingId::MAX_HEADER_LIST_SIZE, config.max_header_list_size, u32::MAX),
        (!client && config.enable_connect_protocol).then_some((SettingId::ENABLE_CONNECT_PROTOCOL, 1)),
        config.no_rfc7540_priorities.then_some((SettingId::NO_RFC7540_PRIORITIES, 1)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
