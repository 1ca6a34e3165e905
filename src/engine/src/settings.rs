//! The settings of an endpoint, and those of ours that the peer has not acknowledged yet.

use std::collections::VecDeque;

use crate::frame::SettingId;
use crate::time::Time;

/// The largest flow-control window (RFC 9113, 6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;
/// The flow-control window that everything starts with (RFC 9113, 6.9.2).
pub(crate) const DEFAULT_WINDOW: u32 = 65_535;
/// The frame size that every endpoint takes (RFC 9113, 4.2).
pub(crate) const DEFAULT_MAX_FRAME_SIZE: u32 = 16_384;

/// The settings in force for one endpoint (RFC 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// SETTINGS_HEADER_TABLE_SIZE: octets of dynamic table that its decoder offers.
    pub header_table_size: u32,
    /// SETTINGS_ENABLE_PUSH: whether it takes PUSH_PROMISE.
    pub enable_push: bool,
    /// SETTINGS_MAX_CONCURRENT_STREAMS: how many streams its peer may have open; `None` is no limit.
    pub max_concurrent_streams: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE: octets that its peer may send on a new stream.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE: octets of payload that it takes in one frame.
    pub max_frame_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE: the largest field section that it wants; `None` is no limit.
    pub max_header_list_size: Option<u32>,
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL: whether it takes extended CONNECT.
    pub enable_connect_protocol: bool,
    /// SETTINGS_NO_RFC7540_PRIORITIES: whether it ignores the priorities of RFC 7540.
    pub no_rfc7540_priorities: bool,
}

impl Settings {
    /// What holds before an endpoint has said anything.
    pub(crate) const INITIAL: Self = Self {
        header_table_size: 4_096,
        enable_push: true,
        max_concurrent_streams: None,
        initial_window_size: DEFAULT_WINDOW,
        max_frame_size: DEFAULT_MAX_FRAME_SIZE,
        max_header_list_size: None,
        enable_connect_protocol: false,
        no_rfc7540_priorities: false,
    };

    /// Takes over one parameter. Unknown ones are ignored (RFC 9113, 6.5.2).
    pub(crate) fn apply(&mut self, id: SettingId, value: u32) {
        match id {
            SettingId::HEADER_TABLE_SIZE => self.header_table_size = value,
            SettingId::ENABLE_PUSH => self.enable_push = value != 0,
            SettingId::MAX_CONCURRENT_STREAMS => self.max_concurrent_streams = Some(value),
            SettingId::INITIAL_WINDOW_SIZE => self.initial_window_size = value,
            SettingId::MAX_FRAME_SIZE => self.max_frame_size = value,
            SettingId::MAX_HEADER_LIST_SIZE => self.max_header_list_size = Some(value),
            SettingId::ENABLE_CONNECT_PROTOCOL => self.enable_connect_protocol = value != 0,
            SettingId::NO_RFC7540_PRIORITIES => self.no_rfc7540_priorities = value != 0,
            _ => {}
        }
    }

    /// Every setting that has a value, as it stands on the wire.
    pub fn iter(&self) -> impl Iterator<Item = (SettingId, u32)> {
        [
            (SettingId::HEADER_TABLE_SIZE, Some(self.header_table_size)),
            (SettingId::ENABLE_PUSH, Some(u32::from(self.enable_push))),
            (SettingId::MAX_CONCURRENT_STREAMS, self.max_concurrent_streams),
            (SettingId::INITIAL_WINDOW_SIZE, Some(self.initial_window_size)),
            (SettingId::MAX_FRAME_SIZE, Some(self.max_frame_size)),
            (SettingId::MAX_HEADER_LIST_SIZE, self.max_header_list_size),
            (SettingId::ENABLE_CONNECT_PROTOCOL, Some(u32::from(self.enable_connect_protocol))),
            (SettingId::NO_RFC7540_PRIORITIES, Some(u32::from(self.no_rfc7540_priorities))),
        ]
        .into_iter()
        .filter_map(|(id, value)| Some((id, value?)))
    }
}

/// Our settings: those in force, and the frames that the peer has not acknowledged.
#[derive(Debug)]
pub(crate) struct LocalSettings {
    /// What the peer is bound by: everything that it has acknowledged (RFC 9113, 6.5.3).
    pub(crate) acknowledged: Settings,
    /// What we have asked for, acknowledged or not.
    pub(crate) wanted: Settings,
    unacknowledged: VecDeque<Unacknowledged>,
}

#[derive(Debug)]
struct Unacknowledged {
    /// When it was handed to the transport.
    sent_at: Option<Time>,
    parameters: Vec<(SettingId, u32)>,
}

impl LocalSettings {
    pub(crate) fn new() -> Self {
        Self { acknowledged: Settings::INITIAL, wanted: Settings::INITIAL, unacknowledged: VecDeque::new() }
    }

    /// Notes a SETTINGS frame that is to be sent.
    pub(crate) fn sent(&mut self, parameters: Vec<(SettingId, u32)>) {
        for &(id, value) in &parameters {
            self.wanted.apply(id, value);
        }
        self.unacknowledged.push_back(Unacknowledged { sent_at: None, parameters });
    }

    /// All that was to be sent was handed to the transport.
    pub(crate) fn handed_out(&mut self, now: Time) {
        let new = self.unacknowledged.iter_mut().rev().take_while(|frame| frame.sent_at.is_none());
        new.for_each(|frame| frame.sent_at = Some(now));
    }

    /// The oldest frame was acknowledged: its values are in force, and are returned. `None` if none waits.
    pub(crate) fn acknowledge(&mut self) -> Option<Vec<(SettingId, u32)>> {
        let frame = self.unacknowledged.pop_front()?;
        for &(id, value) in &frame.parameters {
            self.acknowledged.apply(id, value);
        }
        Some(frame.parameters)
    }

    /// When the oldest unacknowledged frame was sent.
    pub(crate) fn waiting_since(&self) -> Option<Time> {
        self.unacknowledged.front()?.sent_at
    }

    /// The largest payload that the peer may send at present: while a change is under way, both values hold.
    pub(crate) fn max_frame_size(&self) -> u32 {
        self.acknowledged.max_frame_size.max(self.wanted.max_frame_size)
    }
}
