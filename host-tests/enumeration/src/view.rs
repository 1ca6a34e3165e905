//! A snapshot of one endpoint after a step, kept for comparison with the other endpoint.

use http2_engine::{Time, Windows};

use crate::endpoint::Endpoint;
use crate::stream::{Stream, Wire};

/// An endpoint after a step.
#[derive(Debug)]
pub(crate) struct View {
    /// Whether the connection has ended.
    pub(crate) over: bool,
    /// Whether nothing waits to be sent, for a window, or for the stream limit.
    pub(crate) flushed: bool,
    /// Whether neither input nor output waits for the application or the transport.
    pub(crate) settled: bool,
    /// Whether the engine accepts more input.
    pub(crate) takes_input: bool,
    pub(crate) open: u64,
    pub(crate) waiting: u64,
    /// The bytes that the peer may send on the connection, and those that the engine may send.
    pub(crate) windows: Windows,
    pub(crate) pings: usize,
    pub(crate) shut_down: bool,
    pub(crate) gives_credit: bool,
    pub(crate) deadline: Option<Time>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) wires: Vec<Wire>,
    /// The actions that are possible now.
    pub(crate) possible: Vec<(u8, u8)>,
}

impl View {
    pub(crate) fn of(endpoint: &mut Endpoint<'_>) -> Self {
        let engine = &endpoint.engine;
        let stats = engine.stats();
        for stream in &endpoint.streams {
            if !endpoint.wires.iter().any(|wire| wire.id == stream.id) {
                endpoint.wires.push(Wire::new(stream.id));
            }
        }
        for wire in &mut endpoint.wires {
            wire.state = engine.state(wire.id);
            wire.windows = engine.stream_windows(wire.id);
        }
        endpoint.wires.sort_by_key(|wire| wire.id);
        Self {
            over: endpoint.has_ended(),
            flushed: engine.is_flushed(),
            settled: endpoint.inbox.is_empty() && !engine.has_output(),
            takes_input: endpoint.inbox.is_empty(),
            open: stats.streams_open,
            waiting: stats.streams_waiting,
            windows: engine.windows(),
            pings: endpoint.pings,
            shut_down: endpoint.shut_down,
            gives_credit: endpoint.gives_credit,
            deadline: engine.poll_timeout(),
            streams: endpoint.streams.clone(),
            wires: endpoint.wires.clone(),
            possible: endpoint.possible(),
        }
    }
}
