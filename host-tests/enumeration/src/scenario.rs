//! A scenario: two configurations, and the actions whose orders are explored.

use http2_engine::{Config, Role};

use crate::action::Action;

/// The index of each endpoint in arrays.
pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

/// When time passes; it always advances to the next deadline of either endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Never.
    Stopped,
    /// When both queues are empty: the network is fast, and the applications are slow.
    WhenQuiet,
    /// At any time.
    Running,
}

/// Two configurations, and the actions to explore.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) configs: [Config; 2],
    /// The actions of each application, and the most times it takes each.
    pub(crate) actions: [Vec<(Action, u8)>; 2],
    /// Whether SETTINGS were exchanged and acknowledged before the first action.
    pub(crate) greeted: bool,
    /// Whether one step delivers the whole queue.
    pub(crate) in_bulk: bool,
    /// Whether the transport takes output only at [`Action::Transmit`].
    pub(crate) slow_transport: bool,
    /// Whether applications read automatically, and release finished streams automatically.
    pub(crate) reads: bool,
    pub(crate) releases: bool,
    pub(crate) clock: Clock,
    /// Whether a stream may be refused, because limits change while streams are opened.
    pub(crate) may_refuse: bool,
}

impl Scenario {
    /// Creates a scenario with the tightest limits, and at most `streams` concurrent streams.
    pub(crate) fn new(name: &'static str, streams: u32) -> Self {
        Self {
            name,
            configs: [tight(streams), tight(streams)],
            actions: [Vec::new(), Vec::new()],
            greeted: true,
            in_bulk: false,
            slow_transport: false,
            reads: false,
            releases: false,
            clock: Clock::Stopped,
            may_refuse: false,
        }
    }

    /// The name that reports use.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn client(mut self, actions: &[(Action, u8)]) -> Self {
        self.actions[CLIENT] = self.with_transport(actions);
        self
    }

    pub(crate) fn server(mut self, actions: &[(Action, u8)]) -> Self {
        self.actions[SERVER] = self.with_transport(actions);
        self
    }

    fn with_transport(&self, actions: &[(Action, u8)]) -> Vec<(Action, u8)> {
        let transmit = self.slow_transport.then_some((Action::Transmit, u8::MAX));
        actions.iter().copied().chain(transmit).collect()
    }

    pub(crate) fn configure(mut self, change: impl Fn(Role, &mut Config)) -> Self {
        change(Role::Client, &mut self.configs[CLIENT]);
        change(Role::Server, &mut self.configs[SERVER]);
        self
    }
}

/// The smallest limits and memories; no deadline expires while an endpoint merely waits.
fn tight(streams: u32) -> Config {
    let mut config = Config::default();
    config.max_concurrent_streams = streams;
    config.initial_max_send_streams = streams;
    config.waiting_streams = 1;
    config.initial_window_size = 2;
    config.stream_window_max = 2;
    config.connection_window = 65_535;
    config.connection_window_max = 65_535;
    config.send_buffer = 2;
    config.preface_timeout = None;
    config.settings_timeout = None;
    config.headers_timeout = None;
    config.stall_timeout = None;
    config.idle_timeout = None;
    config.drain_timeout = None;
    config.keep_alive = None;
    config.limits.events = 1;
    config.limits.control_bytes = 1;
    config.limits.frames_per_recv = 1;
    config.limits.pings = 1;
    config.limits.content_bytes = 1;
    config
}
