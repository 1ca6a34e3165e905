//! The interfaces `http2:engine/transport` and `tcp`: their resources, and the function outside of them.

use wasi::clocks::monotonic_clock::Duration;

use crate::Component;
use crate::bindings::exports::http2::engine::transport::{ByteStream, TransportError};
use crate::bindings::exports::http2::engine::{tcp, transport};
use crate::byte_stream::Stream;
use crate::connect;
use crate::listener::Listener;

impl transport::Guest for Component {
    type ByteStream = Stream;
}

impl tcp::Guest for Component {
    type Listener = Listener;

    fn connect(host: String, port: u16, timeout: Option<Duration>) -> Result<ByteStream, TransportError> {
        connect::connect(&host, port, timeout)
    }
}
