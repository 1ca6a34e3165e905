//! The interface `http2:engine/connection`: its resources, and the function outside of them.

use wasi::clocks::monotonic_clock::Duration;
use wasi::io::poll::Pollable;

use crate::Component;
use crate::bindings::exports::http2::engine::connection::{ConnectionBorrow, Guest};
use crate::connection::Connection;
use crate::options::Options;
use crate::stream::Stream;
use crate::wait;

impl Guest for Component {
    type Options = Options;
    type Connection = Connection;
    type Http2Stream = Stream;

    fn wait_any(
        connections: Vec<ConnectionBorrow<'_>>,
        other: Option<&Pollable>,
        timeout: Option<Duration>,
    ) -> Vec<u32> {
        wait::wait_any(&connections, other, timeout)
    }
}
