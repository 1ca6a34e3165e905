//! The settings of an endpoint, and the local settings that the peer has not acknowledged yet.

use std::collections::VecDeque;

use crate::frame::SettingId;
use crate::time::Time;

/// The largest flow-control window (RFC 9113, 6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;
/// The initial flow-control window of streams and connections (RFC 9113, 6.9.2).
pub(crate) const DEFAULT_WINDOW: u32 = 65_535;
/// The frame size that every endpoint accepts (RFC 9113, 4.2).
pub(crate) const DEFAULT_MAX_FRAME_SIZE: u32 = 16_384;

/// The settings in force for one endpoint (RFC 9113, 6.5.2; RFC 8441, 3; RFC 9218, 2.1).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/pair.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http2_engine::SettingId;
/// # let (mut client, mut server) = pair();
/// carry(&mut client, &mut server);
///
/// let settings = client.peer_settings();
/// assert_eq!(settings.max_concurrent_streams, Some(100));
/// assert!(settings.iter().any(|(id, value)| (id, value) == (SettingId::MAX_FRAME_SIZE, 16_384)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// SETTINGS_HEADER_TABLE_SIZE: size of its decoder's dynamic table, in bytes.
    pub header_table_size: u32,
    /// SETTINGS_ENABLE_PUSH: whether it accepts PUSH_PROMISE.
    pub enable_push: bool,
    /// SETTINGS_MAX_CONCURRENT_STREAMS: number of streams its peer may have open; `None` is no limit.
    pub max_concurrent_streams: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE: bytes its peer may send on a new stream.
    pub initial_window_size: u32,
    /// SETTINGS_MAX_FRAME_SIZE: largest frame payload it accepts, in bytes.
    pub max_frame_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE: size of the largest field section it accepts, in bytes; `None` is no limit.
    pub max_header_list_size: Option<u32>,
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL: whether it accepts extended CONNECT.
    pub enable_connect_protocol: bool,
    /// SETTINGS_NO_RFC7540_PRIORITIES: whether it ignores the priorities of RFC 7540.
    pub no_rfc7540_priorities: bool,
}

impl Settings {
    /// The values in force before an endpoint has sent SETTINGS.
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

    /// Applies one parameter, and ignores an unknown one (RFC 9113, 6.5.2).
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

    /// Returns every setting that has a value, as encoded on the wire.
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

/// The local settings: those in force, and the frames that the peer has not acknowledged.
#[derive(Debug)]
pub(crate) struct LocalSettings {
    /// The settings that bind the peer: all that it has acknowledged (RFC 9113, 6.5.3).
    pub(crate) acknowledged: Settings,
    /// The settings sent to the peer, acknowledged or not.
    pub(crate) wanted: Settings,
    unacknowledged: VecDeque<Unacknowledged>,
}

#[derive(Debug)]
struct Unacknowledged {
    /// When the frame was handed to the transport.
    sent_at: Option<Time>,
    parameters: Vec<(SettingId, u32)>,
}

impl LocalSettings {
    pub(crate) fn new() -> Self {
        Self { acknowledged: Settings::INITIAL, wanted: Settings::INITIAL, unacknowledged: VecDeque::new() }
    }

    /// Records a SETTINGS frame that is to be sent.
    pub(crate) fn sent(&mut self, parameters: Vec<(SettingId, u32)>) {
        for &(id, value) in &parameters {
            self.wanted.apply(id, value);
        }
        self.unacknowledged.push_back(Unacknowledged { sent_at: None, parameters });
    }

    /// Records that all pending output, including SETTINGS, was handed to the transport.
    pub(crate) fn handed_out(&mut self, now: Time) {
        let new = self.unacknowledged.iter_mut().rev().take_while(|frame| frame.sent_at.is_none());
        new.for_each(|frame| frame.sent_at = Some(now));
    }

    /// Puts the oldest unacknowledged frame into force and returns its parameters, or `None` if none is pending.
    pub(crate) fn acknowledge(&mut self) -> Option<Vec<(SettingId, u32)>> {
        let frame = self.unacknowledged.pop_front()?;
        for &(id, value) in &frame.parameters {
            self.acknowledged.apply(id, value);
        }
        Some(frame.parameters)
    }

    /// Returns whether a frame is unacknowledged.
    pub(crate) fn is_pending(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Returns when the oldest unacknowledged frame was handed to the transport.
    pub(crate) fn waiting_since(&self) -> Option<Time> {
        self.unacknowledged.front()?.sent_at
    }

    /// Returns the largest payload that the peer may send now; until it acknowledges a change, both values are
    /// allowed.
    pub(crate) fn max_frame_size(&self) -> u32 {
        self.acknowledged.max_frame_size.max(self.wanted.max_frame_size)
    }
}
