//! Configuration: the defaults of `h2`, and the engine's limits behind its builders.

use std::task::{Context, Poll};
use std::time::Instant;

use http2_tokio::{Clock, Config, Control, SettingId, Time};

/// Largest window (RFC 9113, 6.9.1).
const MAX_WINDOW: u32 = (1 << 31) - 1;
/// The protocol's initial window of a connection, below which none can begin (RFC 9113, 6.9.2).
const INITIAL_WINDOW: u32 = 65_535;
/// Frames that every endpoint accepts, and the largest that can be allowed (RFC 9113, 6.5.2).
const FRAME_SIZES: std::ops::RangeInclusive<u32> = 16_384..=16_777_215;
/// Size of a field section at which the connection ends by default, in bytes.
const HEADER_LIST_SIZE: u32 = 16 << 20;
/// Content that a stream buffers by default, in bytes.
const SEND_BUFFER: usize = 400 << 10;
/// Streams that are reset because of the peer's errors, at most, by default.
const STREAM_ERRORS: u32 = 1_024;
/// Fields that a map of `http` can hold.
const FIELDS: usize = 24_576;

/// Returns the configuration of a builder that nothing was set on.
///
/// As `h2` has no clock, no deadline is set.
pub(crate) fn new() -> Config {
    let mut config = Config::default();
    config.initial_window_size = INITIAL_WINDOW;
    config.stream_window_max = INITIAL_WINDOW;
    config.connection_window = INITIAL_WINDOW;
    config.connection_window_max = INITIAL_WINDOW;
    config.enable_push = true;
    config.max_concurrent_streams = u32::MAX;
    config.initial_max_send_streams = u32::MAX;
    config.waiting_streams = usize::MAX;
    config.check_sent_messages = false;
    config.connect_without_port = true;
    config.no_rfc7540_priorities = false;
    config.half_close = false;
    config.explain_errors = false;
    config.keep_frames = true;
    config.max_header_list_size = u32::MAX;
    set_field_limits(&mut config, HEADER_LIST_SIZE);
    config.send_buffer = SEND_BUFFER;
    config.limits.content_bytes = usize::MAX;
    config.limits.fields = FIELDS;
    config.limits.fields_hard = 2 * FIELDS;
    config.limits.cookie_crumbs = FIELDS;
    config.limits.stream_errors = Some(STREAM_ERRORS);
    config.preface_timeout = None;
    config.settings_timeout = None;
    config.headers_timeout = None;
    config.stall_timeout = None;
    config.linger_timeout = None;
    config.drain_timeout = None;
    config
}

/// Sets a parameter of SETTINGS, to be sent whatever its value is.
pub(crate) fn set(config: &mut Config, id: SettingId, value: u32) {
    // The values of the callers are valid.
    if config.set(id, value).is_ok() && !config.explicit_settings.contains(&id) {
        config.explicit_settings.push(id);
    }
}

/// Sets SETTINGS_INITIAL_WINDOW_SIZE.
///
/// # Panics
///
/// Panics if the size exceeds 2^31-1.
pub(crate) fn set_initial_window_size(config: &mut Config, size: u32) {
    assert!(size <= MAX_WINDOW, "the window must not exceed 2^31-1 bytes");
    set(config, SettingId::INITIAL_WINDOW_SIZE, size);
    config.stream_window_max = size;
}

/// Sets the window of the connection, which cannot be smaller than the protocol's.
///
/// # Panics
///
/// Panics if the size exceeds 2^31-1.
pub(crate) fn set_connection_window(config: &mut Config, size: u32) {
    assert!(size <= MAX_WINDOW, "the window must not exceed 2^31-1 bytes");
    config.connection_window = size.max(INITIAL_WINDOW);
    config.connection_window_max = config.connection_window;
}

/// Changes the window of a connection that runs, to at most 2^31-1 bytes.
pub(crate) fn set_target_window(control: &Control, size: u32) {
    // Such a window is allowed.
    let _ = control.set_window(size.min(MAX_WINDOW));
}

/// Sets SETTINGS_MAX_FRAME_SIZE.
///
/// # Panics
///
/// Panics if the size is not 16,384 to 16,777,215.
pub(crate) fn set_max_frame_size(config: &mut Config, size: u32) {
    assert!(FRAME_SIZES.contains(&size), "the frame size must be 16,384 to 16,777,215 bytes");
    set(config, SettingId::MAX_FRAME_SIZE, size);
}

/// Sets SETTINGS_MAX_HEADER_LIST_SIZE, and the limits above which the connection ends.
pub(crate) fn set_max_header_list_size(config: &mut Config, size: u32) {
    set(config, SettingId::MAX_HEADER_LIST_SIZE, size);
    set_field_limits(config, size.saturating_mul(4).max(64 << 10));
}

fn set_field_limits(config: &mut Config, hard: u32) {
    config.limits.field_section_hard = hard;
    let frames = config.limits.field_section_hard / config.max_frame_size;
    config.limits.continuations = frames.saturating_add(8);
}

/// Sets the content that a stream buffers.
///
/// # Panics
///
/// Panics if the size exceeds `u32::MAX`.
pub(crate) fn set_send_buffer(config: &mut Config, size: usize) {
    assert!(u32::try_from(size).is_ok(), "the send buffer must not exceed 2^32-1 bytes");
    config.send_buffer = size.max(1);
}

/// A clock that measures time, but wakes nobody: no deadline is configured.
#[derive(Debug)]
pub(crate) struct Passive(Instant);

impl Passive {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Passive {
    fn now(&self) -> Time {
        Time::default() + self.0.elapsed()
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, _: Time) -> Poll<()> {
        Poll::Pending
    }
}
