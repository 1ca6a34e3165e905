//! Records the caller's actions on the connection that explain later events.

use http2_engine::{Config, ErrorCode, Priority, SettingId, StreamId};

/// The caller's actions on the connection.
pub(crate) struct Acts {
    /// Whether it may open streams, as far as it knows.
    pub(crate) may_open: bool,
    /// Unanswered PINGs, and the number of the next one.
    pub(crate) pings: Vec<[u8; 8]>,
    pub(crate) next_ping: u8,
    /// The priorities that it has requested.
    pub(crate) prioritized: Vec<(StreamId, Priority)>,
    /// The last SETTINGS_INITIAL_WINDOW_SIZE and SETTINGS_MAX_CONCURRENT_STREAMS that it requested.
    pub(crate) initial_window: u32,
    pub(crate) limit_of_streams: u32,
    /// The smallest SETTINGS_MAX_HEADER_LIST_SIZE so far.
    pub(crate) smallest_list: usize,
    /// Whether the connection was shut down, by the caller or because it was idle; or the code with which the
    /// caller ended it.
    pub(crate) shut_down: bool,
    pub(crate) aborted: Option<ErrorCode>,
}

impl Acts {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            may_open: true,
            pings: Vec::new(),
            next_ping: 0,
            prioritized: Vec::new(),
            initial_window: config.initial_window_size,
            limit_of_streams: config.max_concurrent_streams,
            smallest_list: config.max_header_list_size as usize,
            shut_down: false,
            aborted: None,
        }
    }

    /// Records a changed setting.
    pub(crate) fn change_setting(&mut self, setting: SettingId, value: u32) {
        match setting {
            SettingId::MAX_HEADER_LIST_SIZE => self.smallest_list = self.smallest_list.min(value as usize),
            SettingId::INITIAL_WINDOW_SIZE => self.initial_window = value,
            SettingId::MAX_CONCURRENT_STREAMS => self.limit_of_streams = value,
            _ => {}
        }
    }
}
