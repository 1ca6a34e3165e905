//! The resource `options`.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use http2_engine::{Config, ConfigError, KeepAlive, SettingId};

use crate::bindings::exports::http2::engine::connection::GuestOptions;
use crate::bindings::http2::engine::types::{Error, FieldName, Setting};
use crate::errors::invalid_argument;

#[cfg(test)]
mod tests;

/// The smallest permitted SETTINGS_MAX_FRAME_SIZE (RFC 9113, 6.5.2).
const MIN_MAX_FRAME_SIZE: u32 = 16_384;

/// The configuration of a connection.
#[derive(Clone)]
pub(crate) struct Configuration {
    pub(crate) config: Config,
    /// Whether to record frames.
    pub(crate) trace: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        // A server refuses requests beyond its limit, and some servers end the connection for them. So only one request
        // is sent before the server's SETTINGS, which arrive with the first response or before.
        let mut config = Config::default();
        config.initial_max_send_streams = 1;
        Self { config, trace: false }
    }
}

/// The options set so far, which always form a valid configuration.
#[derive(Default)]
pub(crate) struct Options(RefCell<Configuration>);

impl Options {
    /// Returns the configuration.
    pub(crate) fn into_configuration(self) -> Configuration {
        self.0.into_inner()
    }

    /// Makes a change, unless the resulting configuration is invalid.
    fn try_update(&self, update: impl FnOnce(&mut Config) -> Result<(), ConfigError>) -> Result<(), Error> {
        let mut configuration = self.0.borrow_mut();
        let mut config = configuration.config.clone();
        update(&mut config).and_then(|()| config.check()).map_err(invalid_argument)?;
        configuration.config = config;
        Ok(())
    }

    /// Makes a change that is always valid.
    fn update(&self, update: impl FnOnce(&mut Config)) {
        update(&mut self.0.borrow_mut().config);
    }
}

impl GuestOptions for Options {
    fn new() -> Self {
        Self::default()
    }

    fn settings(&self, settings: Vec<Setting>) -> Result<(), Error> {
        self.try_update(|config| {
            settings.into_iter().try_for_each(|(id, value)| config.set(SettingId(id), value))?;
            // Raise the limits that would otherwise contradict larger SETTINGS.
            config.stream_window_max = config.stream_window_max.max(config.initial_window_size);
            let limits = &mut config.limits;
            limits.field_section_hard = limits.field_section_hard.max(config.max_header_list_size);
            // A field block of that size takes this many frames if the peer must use the smallest frame size.
            let frames = config.max_header_list_size / MIN_MAX_FRAME_SIZE;
            limits.continuations = limits.continuations.max(frames);
            Ok(())
        })
    }

    fn fields_maximum(&self, fields: u32) {
        self.update(|config| {
            let limits = &mut config.limits;
            limits.fields = fields as usize;
            limits.fields_hard = limits.fields_hard.max(limits.fields);
        });
    }

    fn connection_window(&self, initial: u32, maximum: u32) -> Result<(), Error> {
        self.try_update(|config| {
            config.connection_window = initial;
            config.connection_window_max = maximum;
            Ok(())
        })
    }

    fn stream_window_maximum(&self, maximum: u32) -> Result<(), Error> {
        self.try_update(|config| {
            config.stream_window_max = maximum;
            Ok(())
        })
    }

    fn manual_window_update(&self, manual: bool) {
        self.update(|config| config.manual_window_update = manual);
    }

    fn send_buffer(&self, bytes: u32) -> Result<(), Error> {
        self.try_update(|config| {
            config.send_buffer = bytes as usize;
            Ok(())
        })
    }

    fn waiting_streams(&self, streams: u32) {
        self.update(|config| config.waiting_streams = streams as usize);
    }

    fn never_indexed(&self, names: Vec<FieldName>) {
        let lower = |name: FieldName| Bytes::from(name.to_ascii_lowercase());
        self.update(|config| config.never_indexed = names.into_iter().map(lower).collect());
    }

    fn preface_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.preface_timeout = timeout.map(Duration::from_nanos));
    }

    fn settings_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.settings_timeout = timeout.map(Duration::from_nanos));
    }

    fn headers_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.headers_timeout = timeout.map(Duration::from_nanos));
    }

    fn stall_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.stall_timeout = timeout.map(Duration::from_nanos));
    }

    fn idle_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.idle_timeout = timeout.map(Duration::from_nanos));
    }

    fn drain_timeout(&self, timeout: Option<u64>) {
        self.update(|config| config.drain_timeout = timeout.map(Duration::from_nanos));
    }

    fn keep_alive(&self, interval: u64, timeout: u64) {
        let keep_alive = KeepAlive::new(Duration::from_nanos(interval), Duration::from_nanos(timeout));
        self.update(|config| config.keep_alive = Some(keep_alive));
    }

    fn unknown_frames(&self, wanted: bool) {
        self.update(|config| config.unknown_frames = wanted);
    }

    fn trace(&self, wanted: bool) {
        self.0.borrow_mut().trace = wanted;
    }
}
