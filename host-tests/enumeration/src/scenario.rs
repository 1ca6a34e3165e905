//! A scenario: two configurations, and the actions that are tried in every order.

use http2_engine::{Config, Role};

use crate::action::Action;

/// The places of the two endpoints in arrays.
pub(crate) const CLIENT: usize = 0;
pub(crate) const SERVER: usize = 1;

/// When time passes: always to the next deadline of either endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Never.
    Stopped,
    /// When nothing is under way: the network is fast, the applications are not.
    WhenQuiet,
    /// At any moment.
    Running,
}

/// Two configurations, and what is tried.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) configs: [Config; 2],
    /// The actions of each application, and how often it takes them at most.
    pub(crate) actions: [Vec<(Action, u8)>; 2],
    /// SETTINGS were exchanged and acknowledged before the first action.
    pub(crate) greeted: bool,
    /// The whole queue is delivered in one step.
    pub(crate) in_bulk: bool,
    /// The transport takes output only when [`Action::Transmit`] says so.
    pub(crate) slow_transport: bool,
    /// Applications read by themselves, and release what is done with by themselves.
    pub(crate) reads: bool,
    pub(crate) releases: bool,
    pub(crate) clock: Clock,
    /// A stream may be refused: limits change while streams are opened.
    pub(crate) may_refuse: bool,
}

impl Scenario {
    /// A scenario with the tightest limits: `streams` at a time.
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

/// Every limit and every memory is as small as it can be; no deadline can be missed by an endpoint that waits.
fn tight(streams: u32) -> Config {
    let mut config = Config {
        max_concurrent_streams: streams,
        initial_max_send_streams: streams,
        waiting_streams: 1,
        initial_window_size: 2,
        stream_window_max: 2,
        connection_window: 65_535,
        connection_window_max: 65_535,
        send_buffer: 2,
        preface_timeout: None,
        settings_timeout: None,
        headers_timeout: None,
        stall_timeout: None,
        idle_timeout: None,
        drain_timeout: None,
        keep_alive: None,
        ..Config::default()
    };
    config.limits.events = 1;
    config.limits.control_octets = 1;
    config.limits.frames_per_recv = 1;
    config.limits.pings = 1;
    config.limits.content_octets = 1;
    config
}
